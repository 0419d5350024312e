"""What `inverse_ode.py` and the two processes that it times share: the cases, the clock and the record.

Needs NumPy only, so that it costs the peer's environment and lawful's the same.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Case:
    """One inversion: an initial-value problem with known form and unknown parameters.

    `rate(t, state, *parameters)` is the right-hand side of d state/dt; `observed` lists the components
    measured. `truth` is used to make the data and to score the answer, never by a solver; `guess` is where
    all solvers start.
    """

    name: str
    parameters: tuple[str, ...]
    truth: tuple[float, ...]
    guess: tuple[float, ...]
    initial: tuple[float, ...]
    span: tuple[float, float]
    observed: tuple[int, ...]
    count: int
    noise: float
    rate: Callable[..., Sequence[float]]


def lorenz_rate(t, state, sigma, rho, beta):
    """Lorenz (1963): dx/dt = sigma (y - x), dy/dt = x (rho - z) - y, dz/dt = x y - beta z."""
    x, y, z = state
    return sigma * (y - x), x * (rho - z) - y, x * y - beta * z


def oscillator_rate(t, state, mu, k):
    """Damped oscillator x'' + mu x' + k x = 0 as a system of x and v = x'; mu in 1/s, k in 1/s^2."""
    x, v = state
    return v, -mu * v - k * x


# The system, the true parameters, the start and the interval of DeepXDE's published inverse example (Lu,
# Meng, Mao, Karniadakis, SIAM Review 63, 2021, 208). Its page says "at certain times"; here 25 equally spaced
# ones, both ends included, and all three components without noise, made anew rather than taken from its file.
LORENZ = Case(
    name="lorenz",
    parameters=("sigma", "rho", "beta"),
    truth=(10.0, 15.0, 8.0 / 3.0),
    guess=(1.0, 1.0, 1.0),
    initial=(-8.0, 7.0, 27.0),
    span=(0.0, 3.0),
    observed=(0, 1, 2),
    count=25,
    noise=0.0,
    rate=lorenz_rate,
)

OSCILLATOR = Case(
    name="oscillator",
    parameters=("mu", "k"),
    truth=(0.4, 9.0),
    guess=(1.0, 1.0),
    initial=(1.0, 0.0),
    span=(0.0, 5.0),
    observed=(0,),
    count=50,
    noise=1e-3,
    rate=oscillator_rate,
)

CASES = {case.name: case for case in (LORENZ, OSCILLATOR)}


class Trajectory:
    """The parameters' values against the wall seconds since the process was started.

    Call it as `record(iteration, values)`; it returns True once the budget is spent, which asks the solver to
    stop. The first call belongs to the start values, just before the first step: it marks where start-up
    ends.
    """

    def __init__(self, started: float, budget: float):
        self.started = started
        self.budget = budget
        self.rows: list[list[float]] = []

    def seconds(self) -> float:
        return time.monotonic() - self.started

    def __call__(self, iteration: int, values: Sequence[float]) -> bool:
        now = self.seconds()
        self.rows.append([round(now, 4), iteration, *(float(value) for value in values)])
        return now > self.budget


def run_inversion(
    invert: Callable[[Case, Any, int, Trajectory], dict[str, Any]],
    library: str,
    packages: Sequence[str],
    description: str | None,
    script_started: float,
) -> None:
    """Command line of a timed process: read the data, call `invert(case, data, seed, record)`, write a JSON.

    `data` maps t (N,) s, u (N, observed), initial (states,), span (2,), noise (standard deviation) to arrays.
    `invert` returns its settings for the record. The clock starts where the parent says (`--started`, on the
    system-wide monotonic clock, taken just before it starts this process), or at the script's first line.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", choices=sorted(CASES), required=True)
    parser.add_argument("--data", type=Path, required=True, help="the .npz file that inverse_ode.py made")
    parser.add_argument("--budget", type=float, required=True, help="seconds since the process start")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="the JSON to write")
    parser.add_argument("--started", type=float, default=script_started, help="time.monotonic() at the start")
    arguments = parser.parse_args()

    import numpy as np  # counted: the clock already runs

    case = CASES[arguments.case]
    with np.load(arguments.data) as file:
        data = {name: file[name] for name in file.files}
    record = Trajectory(arguments.started, arguments.budget)
    settings = invert(case, data, arguments.seed, record)
    write_json(
        arguments.out,
        {
            "library": library,
            "versions": {name: importlib.metadata.version(name) for name in packages},
            "case": case.name,
            "seed": arguments.seed,
            "budget": arguments.budget,
            "settings": settings,
            "columns": ["seconds", "iteration", *case.parameters],
            "records": record.rows,
            "seconds_at_end": round(record.seconds(), 4),
        },
    )


def write_json(path: Path, content: Any, indent: int | None = None) -> None:
    """Write beside and rename, so that a killed process leaves no half file behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".part")
    beside.write_text(json.dumps(content, indent=indent) + "\n", encoding="utf-8")
    os.replace(beside, path)
