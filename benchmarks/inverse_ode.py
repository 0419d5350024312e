"""How long does it take, from an empty process, to find an ODE's parameters to within 1 %?

    python benchmarks/inverse_ode.py --seeds 3 --budget 600

Two inversions (Lorenz, three unknowns, 25 exact observations of the state; damped oscillator, two unknowns,
50 observations of x with noise 1e-3), each with DeepXDE by its own published recipe and with lawful, from the
same file of data and the same guesses, in turn on the same machine. Data: SciPy's DOP853 at rtol 1e-12.

What is timed: a whole process. The clock starts just before the operating system is asked for the process, so
the interpreter, every import, every compilation count (JAX's compilation cache is off). The score is the wall
time at which all parameters are within 1 % of the truth and remain so to the end of the run, which is the
earlier of the recipe's own end and the budget; the first crossing, which may be left again, is given too. "In
the loop" is that time less the time of the first record (start values, just before the first step). Each
environment is imported once beforehand, uncounted, so that no run pays for a cold disk. For so small a
network PyTorch's default of one thread a core can be slower than one thread, much slower where other work
shares the cores; so DeepXDE is first tried with both, uncounted, and its runs then get the faster.

A fit that a user runs ends when its own rule says so, not when the truth is met: `process_seconds` in the
results gives the whole run's length as well.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from _inverse_ode_case import CASES, Case, write_json
from _machine import now, processor
from peers import peer_python

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "inverse_ode.json"
WORK = HERE.parent / "runs" / "benchmarks" / "inverse_ode"
WITHIN = 0.01  # relative error asked of every parameter
TRIAL = 20.0  # seconds for each trial of the peer's number of threads
GRACE = 60.0  # seconds past the budget after which a process that does not stop by itself is ended


def make_data(case: Case, seed: int, path: Path) -> None:
    """Integrate the truth with DOP853 (rtol 1e-12, atol 1e-13), observe it, add the case's noise, save it."""
    from scipy.integrate import solve_ivp

    times = np.linspace(*case.span, case.count)
    exact = solve_ivp(
        case.rate, case.span, case.initial, "DOP853", t_eval=times, args=case.truth, rtol=1e-12, atol=1e-13
    )
    if not exact.success:
        raise SystemExit(f"the data of {case.name} could not be made: {exact.message}")
    clean = exact.y[list(case.observed)].T
    noise = case.noise * np.random.default_rng(seed).standard_normal(clean.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, t=times, u=clean + noise, initial=case.initial, span=case.span, noise=case.noise)


def run_process(command: list[str], out: Path, budget: float, threads: int | None = None) -> dict:
    """Run one timed process; its JSON with `process_seconds`, or `{"failed": reason}`. It prints to a log.

    `threads` sets OMP_NUM_THREADS, which PyTorch obeys and XLA does not.
    """
    out.unlink(missing_ok=True)
    log = out.with_suffix(".log")
    # Compilation belongs to the time: no cache from an earlier run may shorten it.
    environment = {**os.environ, "DDE_BACKEND": "pytorch", "JAX_ENABLE_COMPILATION_CACHE": "false"}
    if threads is not None:
        environment["OMP_NUM_THREADS"] = str(threads)
    with log.open("w", encoding="utf-8") as file:
        started = time.monotonic()
        try:
            finished = subprocess.run(
                [*command, "--budget", str(budget), "--out", str(out), "--started", repr(started)],
                stdout=file,
                stderr=subprocess.STDOUT,
                env=environment,
                timeout=budget + GRACE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return {"failed": f"did not stop within {budget + GRACE:g} s; see {log.name}"}
        seconds = time.monotonic() - started
    if finished.returncode or not out.exists():
        lines = log.read_text(encoding="utf-8").strip().splitlines() or ["no output"]
        return {"failed": f"exit {finished.returncode}: {lines[-1]}"}
    return {**json.loads(out.read_text(encoding="utf-8")), "process_seconds": round(seconds, 3)}


def faster_threads(command: list[str], out: Path) -> tuple[int | None, dict[str, float]]:
    """Number of threads (None: the library's default) with more iterations a second, and the rates."""
    rates = {}
    for threads in (None, 1):
        run = run_process(command, out, TRIAL, threads)
        if "failed" in run:
            return None, {}
        first, last = run["records"][0], run["records"][-1]
        rates[threads] = round(last[1] / (last[0] - first[0]), 1)
    return max(rates, key=lambda threads: rates[threads]), {str(k or "default"): v for k, v in rates.items()}


def score(run: dict, case: Case) -> dict:
    """Seconds to `WITHIN` of a run: `stays` (to its end), `first` (may be left again), `loop`; final errors.

    None where the run never got there.
    """
    if "failed" in run:
        return {"failed": run["failed"]}
    if not run["records"]:
        return {"failed": "recorded no values"}
    records = np.asarray(run["records"], dtype=float)
    seconds, values = records[:, 0], records[:, 2:]
    errors = np.abs(values / np.asarray(case.truth) - 1.0)
    inside = np.all(errors <= WITHIN, axis=1)
    outside = np.flatnonzero(~inside)
    after = int(outside[-1]) + 1 if outside.size else 0
    stays = float(seconds[after]) if after < len(inside) else None
    return {
        "stays": stays,
        "first": float(seconds[np.argmax(inside)]) if inside.any() else None,
        "loop": None if stays is None else round(stays - float(seconds[0]), 4),
        "startup": float(seconds[0]),
        "iterations": int(records[-1, 1]),
        "last_record": float(seconds[-1]),
        "process_seconds": run["process_seconds"],
        "values": dict(zip(case.parameters, values[-1].tolist(), strict=True)),
        "errors": dict(zip(case.parameters, errors[-1].tolist(), strict=True)),
    }


def spread(scores: list[dict], key: str) -> tuple[float, float, float]:
    """Median, minimum and maximum over the repetitions; a run that never got there counts as infinite."""
    times = [math.inf if s.get(key) is None else s[key] for s in scores]
    return statistics.median(times), min(times), max(times)


def machine() -> dict:
    """What the figures were measured on."""
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load_at_start": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "date": now(),
    }


def shown(seconds: float) -> str:
    return "not reached" if math.isinf(seconds) else f"{seconds:.1f}"


def print_row(case: Case, library: str, version: str, scores: list[dict], ratio: str) -> None:
    """One line of the table: all times in seconds, errors of the repetition that ended worst."""
    done = [s for s in scores if "failed" not in s]
    if not done:
        print(f"{case.name:<11}{library:<9}{version:<9}not run: {scores[0]['failed']}")
        return
    stays, low, high = spread(scores, "stays")
    first, loop = spread(scores, "first")[0], spread(scores, "loop")[0]
    worst = max(done, key=lambda s: max(s["errors"].values()))
    errors = ", ".join(f"{name} {100 * error:.2g} %" for name, error in worst["errors"].items())
    span = f"{shown(low)} .. {shown(high)}"
    print(
        f"{case.name:<11}{library:<9}{version:<9}{shown(stays):>11}  {span:<26}{shown(first):>13}"
        f"{shown(loop):>13}{spread(scores, 'startup')[0]:>9.1f}  {ratio:>8}  {errors}"
    )


def ratio_of(peer: list[dict], own: list[dict]) -> str:
    """The peer's median over ours; a lower bound where the peer's run ended without getting there."""
    if not all("failed" not in s for s in peer + own):
        return "-"
    ours = spread(own, "stays")[0]
    theirs = spread(peer, "stays")[0]
    if math.isinf(ours):
        return "-"
    if math.isinf(theirs):
        return f"> {statistics.median(s['last_record'] for s in peer) / ours:.0f}"
    return f"{theirs / ours:.3g}"


def measure(cases: list[Case], commands: dict[str, list[str]], seeds: int, budget: float) -> list[dict]:
    """Every case, seed and library; the libraries in turn, so that a drift of the machine meets both."""
    runs = []
    for case in cases:
        threads: dict[str, tuple[int | None, dict[str, float]]] = {}
        for seed in range(seeds):
            data = WORK / f"{case.name}-{seed}.npz"
            make_data(case, seed, data)
            for library, command in commands.items():
                out = WORK / f"{case.name}-{seed}-{library}.json"
                inversion = [*command, "--case", case.name, "--data", str(data), "--seed", str(seed)]
                if library not in threads:
                    threads[library] = faster_threads(inversion, out) if library != "lawful" else (None, {})
                count, rates = threads[library]
                run = run_process(inversion, out, budget, count)
                result = score(run, case)
                print(
                    f"  {case.name} seed {seed} {library}: {result.get('failed', result.get('stays'))}",
                    file=sys.stderr,
                )
                runs.append(
                    {
                        "case": case.name,
                        "library": library,
                        "seed": seed,
                        "versions": run.get("versions", {}),
                        "settings": run.get("settings", {}),
                        "threads": count or "default",
                        "iterations_per_second_by_threads": rates,
                        **result,
                    }
                )
    return runs


def print_table(cases: list[Case], libraries: list[str], runs: list[dict]) -> None:
    print(
        f"{'case':<11}{'library':<9}{'version':<9}{'median s':>11}  {'min .. max':<26}{'first in':>13}"
        f"{'in loop':>13}{'startup':>9}  {'ratio':>8}  final errors (worst repetition)"
    )
    for case in cases:
        scores = {name: [r for r in runs if r["case"] == case.name and r["library"] == name] for name in libraries}
        for name in libraries:
            version = next((r["versions"][name] for r in scores[name] if name in r["versions"]), "?")
            peer = name != "lawful" and "lawful" in libraries
            ratio = ratio_of(scores[name], scores["lawful"]) if peer else "1" if name == "lawful" else "-"
            print_row(case, name, version, scores[name], ratio)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="repetitions: seeds 0, 1, ...")
    parser.add_argument("--budget", type=float, default=600.0, help="seconds for one process")
    parser.add_argument("--cases", nargs="+", choices=sorted(CASES), default=sorted(CASES))
    parser.add_argument("--libraries", nargs="+", choices=("deepxde", "lawful"), default=["deepxde", "lawful"])
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()

    pythons = {name: str(peer_python()) if name == "deepxde" else sys.executable for name in arguments.libraries}
    for name, python in pythons.items():  # read from disk once, uncounted; a failure shows in the timed run
        subprocess.run(
            [python, "-c", f"import {name}"],
            env={**os.environ, "DDE_BACKEND": "pytorch"},
            capture_output=True,
            check=False,
        )
    commands = {name: [python, str(HERE / f"_{name}_inverse_ode.py")] for name, python in pythons.items()}
    cases = [CASES[name] for name in arguments.cases]
    where = machine()
    print(
        f"Seconds from process start until every parameter is, and stays, within {WITHIN:.0%}; "
        f"{arguments.seeds} repetitions, budget {arguments.budget:g} s\n"
        + ", ".join(f"{name} {value}" for name, value in where.items())
    )
    runs = measure(cases, commands, arguments.seeds, arguments.budget)
    versions = {name: version for run in runs for name, version in run["versions"].items()}
    print(", ".join(f"{name} {version}" for name, version in versions.items()) + "\n")
    print_table(cases, arguments.libraries, runs)
    write_json(
        arguments.out,
        {
            "machine": where,
            "within": WITHIN,
            "budget": arguments.budget,
            "seeds": arguments.seeds,
            "runs": runs,
        },
        indent=1,
    )


if __name__ == "__main__":
    main()
