"""How well do points shared by several processes scale, here by measurement and to 1,024 devices on paper?

    .venv/bin/python benchmarks/scaling.py [--points 4000] [--repeats 7] [--cores 0 1] [--out DIR]
        [--page docs/scaling.md]

Weak scaling of residual and Jacobian, the rows that a Gauss-Newton step is made of: Burgers' equation with a network
of three hidden layers of 20 (921 parameters), the same number of points for each process. One process alone and two
together take turns, each process pinned to a core, several times over; the efficiency is the ratio of the median
times. The time of two includes the sum of the normal equations where the table says so. A control runs the one-
process work twice at the same moment, with no word between the two: what that loses, the two cores take from each
other (memory, caches, a virtual machine's neighbours), and no program on this machine can do better. Then a step on 8
to 1,024 devices is added up from what was measured here and from the bytes that a ring moves, for two kinds of
network. Writes the numbers as scaling.json into DIR, and what it prints into the last section of the page.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

WIDTH, DEPTH = 20, 3
NETWORKS = {"10 Gbit/s Ethernet": (1.25e9, 30e-6), "100 Gbit/s InfiniBand": (12.5e9, 3e-6)}
"""Bytes per second one way, and seconds until a message arrives: round figures for such networks, not measured here."""
SECTION = "## How it scales"
ABOUT = """Printed by `benchmarks/scaling.py`: the same number of points for each process, each pinned to a core.
Strangers are two runs of one process at the same moment with no word between them, the most that this machine allows.
On paper a step on p devices is the measured step of one, and a ring sum of the normal equations over round figures for
two kinds of network, which were not measured here."""
DEVICES = (1, 2, 8, 16, 32, 64, 128, 256, 512, 1024)


def worker(arguments: argparse.Namespace) -> None:
    """One process: measure, and if it is the first print the seconds as JSON."""
    os.sched_setaffinity(0, {arguments.core})
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    import jax
    import jax.numpy as jnp
    import numpy as np

    import lawful as lf
    from lawful._core.mesh import ROWS, on_mesh, row_of, total
    from lawful._core.precision import float64
    from lawful.cluster import meet
    from lawful.solve import GaussNewton
    from lawful.solve._fit import FitState, begun, hyper_of, linearised, looked, moved
    from lawful.solve._gauss_newton import squared
    from lawful.solve._task import WeightedSystem

    if arguments.processes > 1:
        meet(arguments.coordinator, arguments.processes, arguments.process)
    domain = lf.Box(x=(-1, 1), t=(0, 1))
    problem = lf.Problem(
        domain=domain,
        fields="u",
        laws={"burgers": lambda u, u_t, u_x, u_xx: u_t + u * u_x - 0.01 / np.pi * u_xx},
        conditions=[
            lf.Value(domain.at(t=0), u=lambda x: -jnp.sin(jnp.pi * x)),
            lf.Value(domain.at(x=(-1, 1)), u=0.0),
        ],
    )
    with float64():
        points = arguments.points * arguments.processes
        task = lf.Neural(trial=lf.MLP(width=WIDTH, depth=DEPTH), points=points).task(problem)
        mesh = row_of(jax.devices())
        state = FitState(np.asarray(task.start), np.ones(0), 1.0)
        system, x = WeightedSystem(task, hyper_of(task, state), mesh), jnp.asarray(task.start)
        normal = jax.jit(on_mesh(mesh, lambda rows: squared(rows), ROWS, ROWS))
        summed = jax.jit(on_mesh(mesh, lambda gram: total(gram), ROWS))
        optimiser = GaussNewton().traced()
        rows, known = looked(system, optimiser, x)
        now = begun(optimiser, x, rows)
        gram = normal(known[1])
        looks = {
            "rows": lambda: linearised(system, x),
            "normal": lambda: normal(known[1]),
            "sum": lambda: summed(gram),
            "step": lambda: moved(system, optimiser, now, *known).x,
        }
        found: dict[str, list[float]] = {name: [] for name in looks}
        for repeat in range(arguments.inner + 1):
            for name, look in looks.items():
                begin = time.perf_counter()
                jax.block_until_ready(look())
                if repeat:  # the first compiles
                    found[name].append(time.perf_counter() - begin)
    if arguments.process == 0:
        medians = {name: statistics.median(values) for name, values in found.items()}
        print("RESULT " + json.dumps({**medians, "parameters": int(x.size)}), flush=True)
    if arguments.processes > 1:
        jax.distributed.shutdown()


def started(processes: int, process: int, core: int, coordinator: str, arguments: argparse.Namespace):
    words = [sys.executable, __file__, "--points", str(arguments.points), "--inner", str(arguments.inner),
             "--processes", str(processes), "--process", str(process), "--core", str(core),
             "--coordinator", coordinator]  # fmt: skip
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def said(running: list[subprocess.Popen]) -> list[dict]:
    """What each first process measured, in median seconds, once all have ended."""
    told = [each.communicate() for each in running]
    for each, (_, error) in zip(running, told, strict=True):
        if each.returncode:
            raise RuntimeError(error[-2000:])
    lines = [line for text, _ in told for line in text.splitlines() if line.startswith("RESULT ")]
    return [json.loads(line.removeprefix("RESULT ")) for line in lines]


def measured(processes: int, arguments: argparse.Namespace) -> dict:
    """One run of so many processes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        coordinator = f"127.0.0.1:{probe.getsockname()[1]}"
    places = enumerate(arguments.cores[:processes])
    (one,) = said([started(processes, process, core, coordinator, arguments) for process, core in places])
    return one


def strangers(arguments: argparse.Namespace) -> dict:
    """Two runs of one process at the same moment, each on its core: the mean of what they measure."""
    both = said([started(1, 0, core, "", arguments) for core in arguments.cores])
    return {name: statistics.fmean(each[name] for each in both) for name in both[0]}


def on_paper(one: dict, parameters: int, bandwidth: float, delay: float) -> list[tuple[int, float, float]]:
    """Devices, seconds of a step and efficiency, for the same number of points on each.

    A step is the rows, the normal equations, the sum of n (n + 1) numbers and the search for a damping. A ring moves
    2 (p - 1) / p of the numbers through every link, in 2 (p - 1) messages; each of the search's other sums is short.
    """
    own = one["rows"] + one["normal"] + one["step"]
    found = []
    for count in DEVICES:
        moved = 8 * parameters * (parameters + 1) * 2 * (count - 1) / count
        seconds = own + moved / bandwidth + 2 * (count - 1) * delay
        found.append((count, seconds, own / seconds))
    return found


def tables(alone: list[dict], apart: list[dict], together: list[dict]) -> tuple[list[str], dict]:
    """Lines to print, and the numbers behind them."""
    median = lambda runs, name: statistics.median(run[name] for run in runs)
    names = {"rows": "residual and Jacobian", "normal": "normal equations, each its own", "sum": "their sum",
             "step": "search for a damping"}  # fmt: skip
    one, both, two = ({name: median(runs, name) for name in names} for runs in (alone, apart, together))
    lines = [
        "| of a Gauss-Newton step | 1 process, ms | 2 that know nothing of each other | 2 that share | efficiency "
        "| of what the machine allows |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, words in names.items():
        shares = ("", "") if name == "sum" else (f"{100 * each[name] / two[name]:.0f} %" for each in (one, both))
        lines.append(f"| {words} | " + " | ".join(f"{1e3 * each[name]:.1f}" for each in (one, both, two)) + " | "
                     + " | ".join(shares) + " |")  # fmt: skip
    ratios = [a["rows"] / b["rows"] for a, b in zip(alone, together, strict=True)]
    limits = [a["rows"] / b["rows"] for a, b in zip(alone, apart, strict=True)]
    percent = lambda values: ", ".join(f"{100 * each:.0f} %" for each in values)
    lines += ["", f"Residual and Jacobian, run by run: {percent(ratios)}; of strangers: {percent(limits)}.", ""]
    n, paper = int(alone[0]["parameters"]), {}
    lines += [f"On paper, {n} parameters, {8 * n * (n + 1) / 1e6:.1f} MB summed in a step:", ""]
    for network, (bandwidth, delay) in NETWORKS.items():
        paper[network] = on_paper(one, n, bandwidth, delay)
    lines += ["| devices | " + " | ".join(f"{name}, ms a step (efficiency)" for name in paper) + " |"]
    lines += ["|---:|" + "---:|" * len(paper)]
    for row in zip(*paper.values(), strict=True):
        cells = " | ".join(f"{1e3 * seconds:.0f} ({100 * share:.0f} %)" for _, seconds, share in row)
        lines.append(f"| {row[0][0]} | {cells} |")
    numbers = {"one": one, "strangers": both, "two": two, "ratios": ratios, "limits": limits, "paper": paper}
    return lines, {"efficiency": one["rows"] / two["rows"], "limit": one["rows"] / both["rows"], **numbers}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=4000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--inner", type=int, default=7)
    parser.add_argument("--cores", type=int, nargs=2, default=(0, 1))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--page", type=Path)
    for name in ("processes", "process", "core"):
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--coordinator")
    arguments = parser.parse_args()
    if arguments.process is not None:
        worker(arguments)
        return
    from _machine import machine

    alone, apart, together = [], [], []
    for _ in range(arguments.repeats):
        alone.append(measured(1, arguments))
        apart.append(strangers(arguments))
        together.append(measured(2, arguments))
    lines, numbers = tables(alone, apart, together)
    head = f"{machine('jax', 'jaxlib')}; {arguments.points} points a process; medians of {arguments.repeats} runs"
    print(head, "", *lines, sep="\n")
    if arguments.page:
        kept, heading, _ = arguments.page.read_text().partition(SECTION)
        arguments.page.write_text("\n".join([kept + heading, "", ABOUT, "", f"{head}.", "", *lines, ""]))
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "scaling.json").write_text(json.dumps({"measured": head, **numbers}, indent=1))


if __name__ == "__main__":
    main()
