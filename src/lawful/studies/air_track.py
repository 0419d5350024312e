"""An air track: friction and stiffness of a real glider between springs.

A glider on an air cushion swings between two springs while a camera follows it. The law of a spring with viscous
friction around a resting place c,

    x'' + mu x' + k (x - c) = 0,

has five unknowns: mu, k, c and the state at the first frame. The noise is unknown too. Both methods fit the measured
positions (not the smoothed velocities that came with them). What they leave is looked at as well: where neighbouring
residuals are correlated, the law is not the whole story and error bars are too small by the factor given.
"""

from __future__ import annotations

import numpy as np

from ..fields import Spectral
from ..geometry import Box
from ..problem import Data, Positive, Problem, Real, Value
from ..solve import Collocation, Neural, solve
from ._base import Outcome, Request, all_trusted
from ._measurements import margin, motion

SUMMARY = "friction and stiffness of a real glider on an air track, by both methods"
OPTIONS = {"data": "a CSV file with columns t and x, instead of the published recording"}


def spring(x, x_t, x_tt, mu, k, c):
    return x_tt + mu * x_t + k * (x - c)


def first_guess(columns: dict[str, np.ndarray]) -> float:
    """Stiffness from how often the motion passes its mean: (pi crossings / duration)^2."""
    t, x = columns["t"], columns["x"] - np.mean(columns["x"])
    crossings = int(np.sum(np.diff(np.sign(x)) != 0))
    return (np.pi * max(crossings, 1) / (t.max() - t.min())) ** 2


def problem(columns: dict[str, np.ndarray], source: str) -> Problem:
    t, x = columns["t"], columns["x"]
    start, end = margin(t)
    size, stiffness = float(np.ptp(x)) / 2, first_guess(columns)
    domain = Box(t=(start, end))
    return Problem(
        domain,
        fields="x",
        laws={"spring": spring},
        conditions=[Value(domain.at(t=start), x=lambda x0: x0, x_t=lambda v0: v0)],
        unknowns={
            "mu": Positive(guess=0.01 * np.sqrt(stiffness)),
            "k": Positive(guess=stiffness),
            "c": Real(guess=float(np.mean(x)), scale=0.1 * size),
            "x0": Real(guess=float(x[np.argmin(t)]), scale=size),
            "v0": Real(guess=0.0, scale=size * np.sqrt(stiffness)),
        },
        data=Data(columns, name=source.split()[0]),
    )


def run(request: Request) -> Outcome:
    columns, source = motion(request, "real_linear_h_1")
    stated = problem(columns, source)
    stepped = solve(stated, Collocation(), progress=request.progress)
    # Four modes and some for every half-swing: the trial field must carry all of them at once.
    swings = np.sqrt(first_guess(columns)) * float(np.ptp(columns["t"])) / np.pi
    at_once = solve(stated, Neural(trial=Spectral(24 + int(4 * swings))), progress=request.progress)
    apart = {name: abs(stepped[name].value - at_once[name].value) / stepped[name].sd for name in ("mu", "k")}
    correlated = stepped.residual_correlation()["x"]
    numbers = {
        **{name: stepped[name].to_json() for name in stated.unknowns},
        "neural": {name: at_once[name].to_json() for name in stated.unknowns},
        "difference_in_sd": apart,
        "noise": stepped.noise["x"],
        "residual_correlation": correlated.lag_one,
        "sd_factor": correlated.inflation,
        "source": source,
    }
    text = "\n".join(
        [f"{len(columns['t'])} positions from {source}"]
        + [
            f"{name:4} Collocation {stepped[name]!s:<24} Neural {at_once[name]!s:<24} apart {apart[name]:.1e} sd"
            for name in apart
        ]
        + [f"noise {stepped.noise['x']:.3g}; {correlated}"]
    )
    return Outcome(numbers, all_trusted(stepped, at_once), text, stepped, {"neural": at_once})
