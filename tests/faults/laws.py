"""Laws and files of the disturbed runs. The laws are compiled once, whatever file states the problem."""

from __future__ import annotations

import jax.numpy as jnp

PROBLEM = """
import numpy as np

import lawful as lf
from laws import {law} as law

domain = lf.Box(t=(0, 3))
t = np.linspace(0.25, 3, 12)
u = np.exp(-2 * t) + 0.01 * np.sin(17 * t)
problem = lf.Problem(
    domain,
    "u",
    {{"decay": law}},
    [lf.Value(domain.at(t=0), u={start})],
    {{"k": lf.Positive(1.0)}},
    {constants}data=lf.Data({{"t": t, "u": u}}),
)
method = {method}
"""
METHODS = {
    "network": "lf.Neural(trial=lf.MLP(width=4, depth=1), points=40)",
    "modes": "lf.Neural(trial=lf.Spectral(8), points=30)",
    "steps": "lf.Collocation(steps=2, stages=2, tolerance=1e-5)",
}


def decay(u, u_t, k):
    return u_t + k * u


def growth(u, u_t, k):
    return u_t - k * u


def broken(u, u_t, k, nan_from, nan_to):
    """Not a number as soon as k comes into a window."""
    return u_t + k * u + jnp.where((k > nan_from) & (k < nan_to), jnp.nan, 0.0)


def stated(method: str, law: str = "decay", start: float = 1.0, constants: dict[str, float] | None = None) -> str:
    """The text of a problem file."""
    told = f"constants={constants!r}, " if constants else ""
    return PROBLEM.format(method=METHODS.get(method, method), law=law, start=start, constants=told)
