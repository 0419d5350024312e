"""Who finds the flow in a channel? lawful, pysindy's weak form and gplearn on the same readings.

    python benchmarks/missing_term.py --seeds 10

Readings of the study `channel`, u_t = 0.5 u_xx - 2 u_x, by N thermometers at 20 times each. What counts as found:

    exact   exactly the terms u_x and u_xx; for lawful: u_x named as the missing term of u_t = kappa u_xx, and it alone
    close   u_x is there, with a coefficient within a quarter of the truth

The tasks differ by nature, and so does what each is told. lawful is told the model on trial, with its initial and
boundary conditions, and asked what it lacks. The discoverers are told neither, and asked for the whole equation; for
them every threshold is tried and the best answer taken with knowledge of the truth, and gplearn's smoothing is told the
true noise. They are installed in an environment of their own (`discovery-constraints.txt`).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from _machine import machine
from peers import environment

import lawful as lf
from lawful._core.precision import use_compilation_cache
from lawful.solve import at_sensors
from lawful.studies import channel
from lawful.verify import judge

HERE = Path(__file__).resolve().parent
PACKAGES = (["pysindy", "gplearn"],)


def readings(sensors: int, percent: float, seeds: int) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """Each set as (u (sensors, times), places of the sensors, standard deviation of the noise)."""
    found = []
    for seed in range(seeds if percent else 1):
        columns, sd = channel.readings(seed, sensors, percent)
        found.append((columns["u"].reshape(sensors, -1), np.unique(columns["x"]), sd))
    return found


def peers(sets: list, python: Path) -> list[dict]:
    """The answers of the discoverers."""
    with tempfile.TemporaryDirectory() as folder:
        arrays: dict = {"count": len(sets)}
        for index, (u, x, sd) in enumerate(sets):
            arrays |= {f"u{index}": u, f"x{index}": x, f"t{index}": channel.TIMES, f"noise{index}": sd}
        file, out = Path(folder) / "readings.npz", Path(folder) / "answers.json"
        np.savez(file, **arrays)
        subprocess.run([str(python), str(HERE / "_peer_discovery.py"), str(file), str(out)], check=True)
        return json.loads(out.read_text())


def ours(sets: list, sensors: int, percent: float) -> list[dict]:
    problem = channel.problem(*channel.readings(0, sensors, percent))
    method = lf.Collocation(nodes=14, steps=10, stages=5) if percent else lf.Collocation(nodes=16, steps=14, stages=6)
    model, data = at_sensors(problem, channel.terms(problem), method)
    judge(model, data)  # compiled beforehand, as the peers are
    found = []
    for u, _, sd in sets:
        begin = time.monotonic()
        judged = judge(model, data.like(u.ravel(), sd))
        value = float(judged.coefficients[0].value) if judged.missing == ("u_x",) else 0.0
        exact, error = judged.missing == ("u_x",), abs(value / 2 - 1)
        found.append(
            {"exact": exact, "has": exact and error < 0.25, "error": error, "seconds": time.monotonic() - begin}
        )
    return found


def share(rows: list[dict], key: str) -> str:
    return f"{100 * np.mean([row[key] for row in rows]):.0f} %"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--sensors", type=int, nargs="+", default=[5, 20, 50])
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 1.0, 5.0, 10.0])
    parser.add_argument(
        "--python", type=Path, help="an interpreter that has pysindy and gplearn, in place of a new one"
    )
    arguments = parser.parse_args()
    use_compilation_cache()
    python = arguments.python or environment("discovery", HERE / "discovery-constraints.txt", PACKAGES)
    versions = (
        "import importlib.metadata as m; print(*(f'{n} {m.version(n)}' for n in ('pysindy', 'gplearn')), sep=', ')"
    )
    told = subprocess.run([str(python), "-c", versions], capture_output=True, text=True, check=True).stdout.strip()
    print(f"{machine('jax', 'numpy')}; {told}", flush=True)
    print("| sensors | noise | by | exact | close | median error of the coefficient | seconds each |")
    print("|---|---|---|---|---|---|---|")
    for sensors in arguments.sensors:
        for percent in arguments.noise:
            sets = readings(sensors, percent, arguments.seeds)
            answers = peers(sets, python)
            rows = {"lawful": ours(sets, sensors, percent)}
            rows |= {name: [row[name] for row in answers] for name in answers[0]}
            for name, each in rows.items():
                error, seconds = (np.median([row[key] for row in each]) for key in ("error", "seconds"))
                cells = (sensors, f"{percent:g} %", name, share(each, "exact"), share(each, "has"))
                print(f"| {' | '.join(map(str, cells))} | {100 * error:.2g} % | {seconds:.2g} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
