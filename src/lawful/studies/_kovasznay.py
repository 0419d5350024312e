"""The flow behind a grid, the exact solution on which a flow solver is tried first.

    psi = y - exp(L x) sin(2 pi y) / (2 pi),    L = Re/2 - sqrt(Re^2/4 + 4 pi^2)

Source: L. I. G. Kovasznay, Proc. Camb. Phil. Soc. 44, 58 (1948).
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from ..fields import Spectral
from ..geometry import Box
from ..problem import Data, Positive, Problem, Value
from ..solve import Collocation, Neural, Solution, solve
from ._base import Request

REYNOLDS = 40.0
RATE = REYNOLDS / 2 - np.sqrt(REYNOLDS**2 / 4 + 4 * np.pi**2)
ENDS = {"x": (-0.5, 1.0), "y": (-0.5, 0.5)}
GUESS = 10.0


def stream(x, y):
    return y - jnp.exp(RATE * x) * jnp.sin(2 * jnp.pi * y) / (2 * jnp.pi)


def along(x, y):
    return -RATE * jnp.exp(RATE * x) * jnp.sin(2 * jnp.pi * y) / (2 * jnp.pi)


def across(x, y):
    return 1 - jnp.exp(RATE * x) * jnp.cos(2 * jnp.pi * y)


def velocities(x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """The exact velocities."""
    wave = np.exp(RATE * x)
    return {"u": 1 - wave * np.cos(2 * np.pi * y), "v": RATE * wave * np.sin(2 * np.pi * y) / (2 * np.pi)}


def vorticity(u, v, psi_xxx, psi_xxy, psi_xyy, psi_yyy, psi_xxxx, psi_xxyy, psi_yyyy, Re):
    """The transport of the vorticity w = -(psi_xx + psi_yy)."""
    w_x, w_y = -(psi_xxx + psi_xyy), -(psi_xxy + psi_yyy)
    return u * w_x + v * w_y + (psi_xxxx + 2 * psi_xxyy + psi_yyyy) / Re


FLOW = {"u": lambda psi_y: psi_y, "v": lambda psi_x: -psi_x}
"""Velocities from the stream function: no field that it can be has a divergence."""


def stated(**known) -> Problem:
    """The flow with its velocities given on the boundary."""
    domain = Box(x=ENDS["x"], y=ENDS["y"])
    return Problem(
        domain,
        fields="psi",
        laws={"vorticity": vorticity},
        conditions=[
            Value(domain.at(x=ENDS["x"]), psi=stream, psi_x=along),
            Value(domain.at(y=ENDS["y"]), psi=stream, psi_y=across),
        ],
        derived=FLOW,
        **known,
    )


def places(count: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {axis: rng.uniform(*ends, count) for axis, ends in ENDS.items()}


def forward(request: Request) -> dict[str, Solution]:
    """By both methods; by one of them at quick effort."""
    problem = stated(constants={"Re": REYNOLDS})
    found = {"neural": solve(problem, Neural(trial=Spectral(request.pick(16, 20))), progress=request.progress)}
    if request.pick(False, True):
        found["collocation"] = solve(problem, Collocation(tolerance=1e-8, nodes=24), progress=request.progress)
    return found


def errors(solution: Solution) -> dict[str, float]:
    """The largest error of a velocity, and the largest divergence, at places the solver has not seen."""
    where = places(2000, 5)
    misses = [np.max(np.abs(solution.evaluate(name, **where) - exact)) for name, exact in velocities(**where).items()]
    gap = solution.evaluate(lambda u_x, v_y: u_x + v_y, **where)
    return {"error": float(max(misses)), "divergence": float(np.max(np.abs(gap)))}


def inverse(request: Request, count: int, percent: float) -> Solution:
    """The Reynolds number from noisy velocities at random places."""
    where, rng = places(count, request.seed + 1), np.random.default_rng(request.seed)
    exact, noise = velocities(**where), percent / 100
    columns = {name: values + noise * rng.normal(size=count) for name, values in exact.items()}
    problem = stated(
        unknowns={"Re": Positive(guess=GUESS)}, data=Data({**where, **columns}, noise=noise, name="velocities")
    )
    return solve(problem, Collocation(tolerance=1e-6, nodes=16), progress=request.progress)
