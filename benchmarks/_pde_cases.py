"""What `pde_peers.py` and the processes that it times share: the cases, their references, the clock, the record.

Needs NumPy only (SciPy where a file of samples is read), so that it costs every contender's environment the same.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _inverse_ode_case import write_json

VISCOSITY = 0.01 / np.pi
QUADRATURE = 100  # Gauss-Hermite nodes
SAMPLES = 2000
GUESS = {"l1": 0.5, "l2": 0.02}
TRUTH = {"l1": 1.0, "l2": VISCOSITY}


@dataclass(frozen=True)
class Case:
    """One problem: its name, what is measured of an answer, and what a table says of it."""

    name: str
    errors: tuple[str, ...]
    title: str


CASES = {
    case.name: case
    for case in (
        Case("burgers", ("u",), "Burgers, viscosity 0.01/pi, forward"),
        Case("burgers-inverse", ("l1", "l2", "u"), f"Burgers, two coefficients from {SAMPLES} samples of u"),
        Case("disk", ("u",), "Poisson on a disk"),
    )
}


def cole_hopf(x: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Burgers' u at scattered places for u(x, 0) = -sin(pi x), by Hopf's integral with Gauss-Hermite nodes.

    With y = x - 2 sqrt(nu t) z the integrals of exp(-cos(pi y) / (2 pi nu)) overflow, so that each node's weight is
    taken as a logarithm, less the largest.
    """
    nodes, weights = np.polynomial.hermite.hermgauss(QUADRATURE)
    place = x[:, None] - 2.0 * np.sqrt(VISCOSITY * t)[:, None] * nodes
    with np.errstate(divide="ignore"):  # a weight below the smallest number counts as none
        exponent = np.log(weights) - np.cos(np.pi * place) / (2.0 * np.pi * VISCOSITY)
    share = np.exp(exponent - exponent.max(axis=1, keepdims=True))
    return -np.sum(share * np.sin(np.pi * place), axis=1) / np.sum(share, axis=1)


def burgers_grid() -> tuple[np.ndarray, np.ndarray]:
    """257 x 100 places x, t over [-1, 1] and [0, 0.99], the span of the peers' demonstration."""
    x, t = np.meshgrid(np.linspace(-1.0, 1.0, 257), np.linspace(0.0, 0.99, 100), indexing="ij")
    return x.ravel(), t.ravel()


def disk_grid(count: int = 5000) -> tuple[np.ndarray, np.ndarray]:
    """Places x, y spread evenly over the unit disk, rim included: radii by equal area, angles by the golden ratio."""
    radius = np.sqrt(np.linspace(0.0, 1.0, count))
    angle = np.pi * (3.0 - np.sqrt(5.0)) * np.arange(count)
    return radius * np.cos(angle), radius * np.sin(angle)


def reference(case: str) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Where a case is scored, and the exact u there."""
    if case == "disk":
        x, y = disk_grid()
        return (x, y), (1.0 - x**2 - y**2) / 4.0
    x, t = burgers_grid()
    return (x, t), cole_hopf(x, t)


def data_file() -> Path:
    """The file of Burgers samples, in the folder that LAWFUL_DATA names or in ../shared/data."""
    folder = Path(os.environ.get("LAWFUL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    path = folder / "raissi_pinns" / "burgers_shock.mat"
    if not path.is_file():
        raise SystemExit(f"{path} does not exist; set LAWFUL_DATA to the folder that holds raissi_pinns/")
    return path


def samples(seed: int, noise: float = 0.0) -> dict[str, np.ndarray]:
    """`SAMPLES` readings x, t, u of the published solution, chosen at random; `noise` in units of u's spread."""
    from scipy.io import loadmat

    table, rng = loadmat(data_file()), np.random.default_rng(seed)
    x, t = np.meshgrid(table["x"].ravel(), table["t"].ravel(), indexing="ij")
    chosen = rng.choice(x.size, SAMPLES, replace=False)
    u = table["usol"].ravel()[chosen]
    return {"x": x.ravel()[chosen], "t": t.ravel()[chosen], "u": u + noise * np.std(u) * rng.normal(size=SAMPLES)}


class Record:
    """Errors against wall seconds since the process was started; what scoring takes is not counted.

    The first row belongs to the start values, just before the first step: it marks where start-up ends. Calls return
    True once the budget is spent, which asks the solver to stop.
    """

    def __init__(self, case: Case, started: float, budget: float):
        self.case, self.started, self.budget = case, started, budget
        self.rows: list[list[float | None]] = []
        self.scoring = 0.0
        begin = time.monotonic()
        self.places, self.exact = reference(case.name)
        self.scoring += time.monotonic() - begin

    def seconds(self) -> float:
        return time.monotonic() - self.started - self.scoring

    def __call__(
        self,
        iteration: int,
        field: Callable[[np.ndarray, np.ndarray], np.ndarray] | None,
        unknowns: dict[str, float] | None = None,
        at: float | None = None,
    ) -> bool:
        """Score `field`, a function of the case's two coordinates, and the unknowns, as they were `at` seconds.

        What a contender does not show at this moment is None.
        """
        now, begin = self.seconds() if at is None else at, time.monotonic()
        errors = {name: abs(value / TRUTH[name] - 1.0) for name, value in (unknowns or {}).items()}
        if field is not None:
            miss = np.asarray(field(*self.places), dtype=float).ravel() - self.exact
            errors["u"] = float(np.linalg.norm(miss) / np.linalg.norm(self.exact))
        self.rows.append([round(now, 4), iteration, *(errors.get(name) for name in self.case.errors)])
        self.scoring += time.monotonic() - begin
        return now > self.budget


Solve = Callable[[int, Record, str], dict[str, Any]]


def run_contender(
    cases: dict[str, Solve], library: str, packages: Sequence[str], description: str | None, begun: float
) -> None:
    """Command line of a timed process: call the case's `solve(seed, record, variant)`, write its record as JSON.

    The clock starts where the parent says (`--started`, on the system-wide monotonic clock, taken just before it
    starts this process), or at the script's first line. `solve` returns its settings.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", choices=sorted(cases), required=True)
    parser.add_argument("--variant", default="", help="which of the library's ways, where it has several")
    parser.add_argument("--budget", type=float, required=True, help="seconds since the process start")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="the JSON to write")
    parser.add_argument("--started", type=float, default=begun, help="time.monotonic() at the start")
    arguments = parser.parse_args()
    record = Record(CASES[arguments.case], arguments.started, arguments.budget)
    settings = cases[arguments.case](arguments.seed, record, arguments.variant)
    write_json(
        arguments.out,
        {
            "library": library,
            "versions": {name: importlib.metadata.version(name) for name in packages},
            "case": arguments.case,
            "seed": arguments.seed,
            "settings": settings,
            "columns": ["seconds", "iteration", *record.case.errors],
            "records": record.rows,
            "seconds_at_end": round(record.seconds(), 4),
        },
    )
