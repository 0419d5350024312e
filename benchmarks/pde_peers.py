"""How accurate are lawful and its peers on partial differential equations, and after how long?

    python benchmarks/pde_peers.py --seeds 3 --budget 900 --out curves.png

Three cases, each from an empty process, one process at a time:

burgers          u_t + u u_x = (0.01/pi) u_xx, u(x, 0) = -sin(pi x), u = 0 at x = -1 and 1. Score: relative L2 error
                 on 257 x 100 places against Hopf's integral (100-node Gauss-Hermite quadrature, by logarithms).
burgers-inverse  the same with l1 and l2 unknown in u_t + l1 u u_x = l2 u_xx, from 2000 samples of the published
                 solution (burgers_shock.mat, in the folder that LAWFUL_DATA names or in ../shared/data), guesses 0.5
                 and 0.02 for all. Score: the larger relative error of the two.
disk             -u_xx - u_yy = 1 in the unit disk, u = 0 on its edge; exactly (1 - r^2)/4. Score: relative L2 error.

The peers run with their own published settings, which head their scripts (`_deepxde_pde.py`, `_jinns_pde.py`). The
clock starts just before the operating system is asked for the process, and counts imports and compilation; scoring is
taken off it. "In the loop" is that time less the time of the first record, just before the first step. DeepXDE is
first tried with PyTorch's default threads and with one, uncounted, and gets the faster (--threads to set it).

The peers' records are kept in .cache/peers/curves, and are read from there until --fresh is asked for; lawful is run
each time, unless --reprint. Seeds draw starting weights, collocation points and which samples are seen.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

from _inverse_ode_case import write_json
from _pde_cases import CASES
from inverse_ode import machine, run_process
from peers import ENVIRONMENTS, peer_python

HERE = Path(__file__).resolve().parent
CURVES = ENVIRONMENTS / "peers" / "curves"
WORK = HERE.parent / "runs" / "benchmarks" / "pde_peers"
TRIAL = 30.0  # seconds for each trial of the number of threads
LEVELS = (1e-2, 1e-3, 1e-4, 1e-6)


@dataclass(frozen=True)
class Contender:
    """A library in one of its ways, and the cases that it can do."""

    name: str
    script: str
    cases: tuple[str, ...]
    variant: str = ""

    @property
    def peer(self) -> bool:
        return not self.script.startswith("_lawful")

    def command(self, case: str, seed: int) -> list[str]:
        python = str(peer_python()) if self.peer else sys.executable
        options = ["--case", case, "--seed", str(seed), "--variant", self.variant]
        return [python, str(HERE / self.script), *options]

    def file(self, case: str, seed: int) -> Path:
        return (CURVES if self.peer else WORK) / f"{case}-{self.name}-{seed}.json"


CONTENDERS = (
    Contender("DeepXDE", "_deepxde_pde.py", ("burgers", "burgers-inverse", "disk")),
    Contender("jinns", "_jinns_pde.py", ("burgers", "burgers-inverse")),
    Contender("jinns-ssbfgs", "_jinns_pde.py", ("burgers-inverse",), "ssbfgs"),
    Contender("lawful-collocation", "_lawful_pde.py", ("burgers", "burgers-inverse"), "collocation"),
    Contender("lawful-neural", "_lawful_pde.py", ("burgers", "burgers-inverse", "disk"), "neural"),
)


def measured(contender: Contender, case: str, seed: int, arguments: argparse.Namespace) -> dict | None:
    """The record of one run: what is kept, or a new one; None where only what is kept was wanted."""
    kept = contender.file(case, seed)
    known = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else None
    if arguments.reprint or (known and contender.peer and not arguments.fresh):
        return known
    command, rates = contender.command(case, seed), {}
    threads = arguments.threads
    out = WORK / "run.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    if contender.name == "DeepXDE" and threads is None:
        threads, rates = faster_threads(command, out)
    where = machine()
    run = run_process(command, out, arguments.budget, threads if contender.name == "DeepXDE" else None)
    run = {
        "contender": contender.name,
        "case": case,
        "seed": seed,
        "machine": where,
        "iterations_a_second": rates,
        **run,
    }
    write_json(kept, run)
    print(f"  {case} seed {seed} {contender.name}: {run.get('failed') or run['settings']['status']}", file=sys.stderr)
    return run


def faster_threads(command: list[str], out: Path) -> tuple[int | None, dict[str, float]]:
    """PyTorch's default number of threads (None) or one, whichever does more iterations a second, and the rates."""
    rates: dict[int | None, float] = {}
    for threads in (None, 1):
        records = run_process(command, out, TRIAL, threads).get("records", [])
        rates[threads] = (records[-1][1] / (records[-1][0] - records[0][0])) if len(records) > 1 else 0.0
    return max(rates, key=lambda threads: rates[threads]), {str(k or "default"): round(v, 1) for k, v in rates.items()}


def curve(run: dict) -> list[tuple[float, float]]:
    """Seconds since the process start and the score, where it is known."""
    columns = run["columns"]
    scored = [columns.index(name) for name in (("l1", "l2") if "l1" in columns else ("u",))]
    rows = [(row[0], [row[index] for index in scored]) for row in run["records"]]
    return [(seconds, max(errors)) for seconds, errors in rows if None not in errors]


def reached(run: dict, level: float) -> float | None:
    """Seconds at which the score is, and stays, within a level."""
    found = None
    for seconds, error in curve(run):
        if not error <= level:
            found = None
        elif found is None:
            found = seconds
    return found


def middle(values: list[float | None]) -> str:
    """The median; a run that never got there counts as later than all others."""
    ordered = sorted(values, key=lambda value: (value is None, value))
    half = ordered[(len(ordered) - 1) // 2 : len(ordered) // 2 + 1]
    known = [value for value in half if value is not None]
    return f"{statistics.fmean(known):.1f}" if len(known) == len(half) else "-"


def table(case: str, runs: list[dict]) -> None:
    """One line a contender: final errors over the seeds, the smallest met in passing, times in seconds."""
    levels = "".join(f"{f'to {level:g}':>11}" for level in LEVELS)
    errors = f"{'median error':>14}{'smallest':>10}{'largest':>10}{'in passing':>12}"
    print(f"\n{CASES[case].title}\n{'':<20}{'version':<12}{'seeds':>5}{errors}{'process s':>11}{'in loop':>9}{levels}")
    for contender in CONTENDERS:
        mine = [run for run in runs if run["contender"] == contender.name]
        done = [run for run in mine if "failed" not in run]
        for reason in sorted({run["failed"] for run in mine if "failed" in run}):
            print(f"{contender.name:<20}not run: {reason}")
        if contender.name == "jinns" and case not in contender.cases:
            print(f"{contender.name:<20}samples points in boxes only")
        if done:
            print(line(contender.name, done))


def line(name: str, runs: list[dict]) -> str:
    """Medians over the seeds."""
    last = [curve(run)[-1][1] for run in runs]
    best = statistics.median(min(error for _, error in curve(run)) for run in runs)
    version = next(iter(runs[0]["versions"].values()))
    whole = statistics.median(run["process_seconds"] for run in runs)
    loop = statistics.median(run["seconds_at_end"] - run["records"][0][0] for run in runs)
    times = "".join(f"{middle([reached(run, level) for run in runs]):>11}" for level in LEVELS)
    cut = sum(bool(run["settings"].get("budget_spent")) for run in runs)
    return (
        f"{name:<20}{version:<12}{len(runs):>5}{statistics.median(last):>14.2g}{min(last):>10.2g}{max(last):>10.2g}{best:>12.2g}"
        f"{whole:>11.1f}{loop:>9.1f}{times}" + (f"  {cut} cut at the budget" if cut else "")
    )


def draw(cases: list[str], runs: list[dict], path: Path) -> None:
    """Error against wall time, a panel a case, a line a run; a single point where only the end is known."""
    from matplotlib.figure import Figure

    colours = dict(
        zip((c.name for c in CONTENDERS), ("#D55E00", "#CC79A7", "#E69F00", "#009E73", "#0072B2"), strict=True)
    )
    fig = Figure(figsize=(4.6 * len(cases), 4.2), layout="constrained")
    for ax, case in zip(fig.subplots(1, len(cases), squeeze=False)[0], cases, strict=True):
        labelled = set()
        for run in runs:
            if run["case"] != case or "failed" in run:
                continue
            name = run["contender"]
            seconds, errors = zip(*curve(run), strict=True)
            label = None if name in labelled else f"{name} {next(iter(run['versions'].values()))}"
            ax.plot(seconds, errors, color=colours[name], lw=1.2, label=label)
            ax.plot(seconds[-1], errors[-1], "o", color=colours[name], ms=4)
            labelled.add(name)
        score = "largest relative error of l1, l2" if case == "burgers-inverse" else "relative L2 error of u"
        ax.set(xscale="log", yscale="log", xlabel="seconds since process start", ylabel=score, title=CASES[case].title)
        ax.legend(fontsize="small")
    path.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [contender.name for contender in CONTENDERS]
    parser.add_argument("--seeds", type=int, default=1, help="repetitions: seeds 0, 1, ...")
    parser.add_argument("--budget", type=float, default=900.0, help="seconds for one process")
    parser.add_argument("--cases", nargs="+", choices=sorted(CASES), default=list(CASES))
    parser.add_argument("--contenders", nargs="+", choices=names, default=names)
    parser.add_argument("--threads", type=int, help="of DeepXDE; by default the faster of PyTorch's default and one")
    parser.add_argument("--fresh", action="store_true", help="run the peers again")
    parser.add_argument("--reprint", action="store_true", help="run nothing")
    parser.add_argument("--out", type=Path, help="where to draw the curves (PNG)")
    arguments = parser.parse_args()

    runs = [
        run
        for case in arguments.cases
        for seed in range(arguments.seeds)
        for contender in CONTENDERS
        if contender.name in arguments.contenders and case in contender.cases
        if (run := measured(contender, case, seed, arguments)) is not None
    ]
    print("Relative errors; medians over the seeds; seconds from process start; '-': not reached.")
    here = runs[0]["machine"] if runs else machine()
    print(f"{here['processor']}, {here['cores']} cores, {here['system']}, Python {here['python']}")
    for contender in CONTENDERS:
        mine = [run["machine"] for run in runs if run["contender"] == contender.name]
        if mine:
            dates, loads = sorted(one["date"] for one in mine), [one["load_at_start"] or 0.0 for one in mine]
            busy = f"load of the machine before each run {min(loads):g} to {max(loads):g}"
            print(f"{contender.name}: {dates[0]} to {dates[-1]}, {busy}{', PRELIMINARY' if max(loads) > 1 else ''}")
    versions = {name: version for run in runs for name, version in run.get("versions", {}).items()}
    print(", ".join(f"{name} {version}" for name, version in versions.items()))
    for case in arguments.cases:
        table(case, [run for run in runs if run["case"] == case])
    if arguments.out is not None:
        draw(arguments.cases, runs, arguments.out)
        print(f"\nwritten: {arguments.out}")


if __name__ == "__main__":
    main()
