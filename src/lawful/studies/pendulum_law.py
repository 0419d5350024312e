"""A real pendulum on trial: small-angle law or sine law, and what does the law lack?

    as it stands   theta'' + mu theta' + k (theta - c) = 0

A pendulum was filmed from 84 degrees down to 48. Its owner fits the law of small swings, with friction, stiffness,
resting angle, the state at the first frame and the noise all unknown: the fit converges. `lf.verify` rejects it and names
the missing term among candidates that contain no sine: powers of the angle, drag, a constant torque.

Then a small network takes the place of the missing term, learns its shape from the motion alone, through the solver, and
is offered to the candidates again, now with sin(theta) - theta among them. Last the sine law itself is put on trial.
"""

from __future__ import annotations

import numpy as np

from .._core.record import Status
from ..geometry import Box
from ..problem import Data, Positive, Problem, Real, Value
from ..solve import Candidate, Collocation, Solution, solve, verify
from ..verify import Verification
from ._base import Outcome, Request
from ._measurements import margin, motion, thinned
from .pendulum import linear, sine

SUMMARY = "a real pendulum on trial: the law of small swings is rejected, the sine law kept"
OPTIONS = {
    "data": "a CSV file with columns t and x (the angle in radians), instead of the published recording",
    "frames": "at most so many frames, evenly chosen; all by default",
}


def cubic(x, c):
    return (x - c) ** 3


def square(x, c):
    return (x - c) ** 2


def drag(x_t):
    return abs(x_t) * x_t


def torque():
    return 1.0


def sine_less_angle(x, c):
    import jax.numpy as jnp

    return jnp.sin(x - c) - (x - c)


CANDIDATES: dict[str, Candidate] = {
    "theta^3": cubic,
    "theta^2": square,
    "|theta'| theta'": drag,
}
