"""Misra1a: two coefficients from fourteen measurements, held against certified values.

A dental researcher measures how the volume of a gas adsorbed grows with pressure. The law is a saturation,

    dy/dx = b2 (b1 - y),    y(0) = 0,

with unknown saturation b1 and rate b2, and unknown noise. NIST certifies both estimates and their standard deviations
to eleven digits (StRD, Misra1a; D. Misra, Dental Research Monomolecular Adsorption Study, NIST, 1978), from the closed
form b1 (1 - exp(-b2 x)). Here nobody solves the equation by hand: the law is stated as it stands, and two methods that
share no step, one that integrates it and one that fits a neural network to law and data at once, must find the same.
"""

from __future__ import annotations

import numpy as np

from ..geometry import Box
from ..problem import Data, Positive, Problem, Value
from ..solve import Collocation, Neural, Solution, solve
from ._base import Outcome, Request, all_trusted

SUMMARY = "adsorption: two coefficients from 14 NIST measurements, certified values reproduced"
OPTIONS: dict[str, str] = {}

# NIST StRD Misra1a, public domain.
X = [77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0]
Y = [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78]
CERTIFIED = {"b1": (238.94212918, 2.7070075241), "b2": (5.5015643181e-04, 7.2668688436e-06)}


def saturation(y, y_x, b1, b2):
    return y_x - b2 * (b1 - y)


def problem() -> Problem:
    domain = Box(x=(0, 760))
    return Problem(
        domain,
        fields="y",
        laws={"saturation": saturation},
        conditions=[Value(domain.at(x=0), y=0.0)],
        unknowns={"b1": Positive(guess=500.0), "b2": Positive(guess=1e-4)},  # NIST's far starting point
        data=Data({"x": X, "y": Y}, name="Misra1a"),
    )


def digits(solution: Solution) -> float:
    """Correct significant digits of the worst of both values and both standard deviations."""
    errors = [
        abs(found / true - 1)
        for name, pair in CERTIFIED.items()
        for found, true in zip((solution[name].value, solution[name].sd), pair, strict=True)
    ]
    return float(-np.log10(max(*errors, 1e-15)))


def run(request: Request) -> Outcome:
    stepped = solve(problem(), Collocation(), progress=request.progress)
    at_once = solve(problem(), Neural(seed=request.seed), progress=request.progress)
    rows = [f"{'':12}{'certified by NIST':>28}{'Collocation':>28}{'Neural':>28}"]
    for name, (value, sd) in CERTIFIED.items():
        cells = [
            f"{v:.7g} ± {s:.5g}" for v, s in ((value, sd), *((s[name].value, s[name].sd) for s in (stepped, at_once)))
        ]
        rows.append(f"{name:12}" + "".join(f"{cell:>28}" for cell in cells))
    rows.append(f"{'digits':12}{'':>28}{digits(stepped):>28.1f}{digits(at_once):>28.1f}")
    numbers = {
        "b1": stepped["b1"].to_json(),
        "b2": stepped["b2"].to_json(),
        "neural": {"b1": at_once["b1"].to_json(), "b2": at_once["b2"].to_json()},
        "certified": {name: {"value": value, "sd": sd} for name, (value, sd) in CERTIFIED.items()},
        "digits": {"collocation": digits(stepped), "neural": digits(at_once)},
        "noise": stepped.noise["y"],
    }
    return Outcome(numbers, all_trusted(stepped, at_once), "\n".join(rows), stepped, {"neural": at_once})
