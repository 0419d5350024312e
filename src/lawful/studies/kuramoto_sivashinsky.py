"""Chaos from four derivatives: the Kuramoto-Sivashinsky equation, for as long as one can know it.

    u_t + a u u_x + b u_xx + c u_xxxx = 0,    a = 100/16, b = 100/16^2, c = 100/16^4,
    u(x, 0) = cos x (1 + sin x),    periodic on 0 <= x <= 2 pi

Long waves grow, short ones are damped, and the nonlinear term hands energy from one to the other: flames and films
behave so. Neighbouring states part exponentially, so that every error, of the solver as of the start, grows with time
until nothing is known. The study follows the error against an independent pseudo-spectral run.
"""

from __future__ import annotations

import math

import numpy as np

from ..geometry import Box
from ..problem import Periodic, Problem, Value
from ..solve import Collocation, Solution, solve
from ._base import Outcome, Request, all_trusted
from ._etdrk4 import periodic_reference

SUMMARY = "the chaotic Kuramoto-Sivashinsky equation, and how its error grows"
OPTIONS = {"span": "the time to which it is followed, 0.4 by default"}

A, B, C = 100 / 16, 100 / 16**2, 100 / 16**4
PUBLISHED = 2.7e-5
"""The best relative L2 error found published for a network, to t = 0.5, in five windows of time."""


def start(x):
    import jax.numpy as jnp

    return jnp.cos(x) * (1 + jnp.sin(x))


def flame(u, u_t, u_x, u_xx, u_xxxx, a, b, c):
    return u_t + a * u * u_x + b * u_xx + c * u_xxxx


def problem(span: float) -> Problem:
    domain = Box(x=(0, 2 * math.pi), t=(0, span))
    return Problem(
        domain,
        fields="u",
        laws={"flame": flame},
        conditions=[Value(domain.at(t=0), u=start), Periodic(domain.at(x=(0, 2 * math.pi)))],
        constants={"a": A, "b": B, "c": C},
    )


def reference(span: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes, and values at 41 times: 512 Fourier modes, fourth-order steps."""
    return periodic_reference(
        symbol=lambda k: B * k**2 - C * k**4,
        nonlinear=lambda u, u_x: -A * u * u_x,
        start=lambda x: np.cos(x) * (1 + np.sin(x)),
        ends=(0.0, 2 * math.pi),
        span=span,
        modes=512,
        steps=40 * math.ceil(500 * span),
        keep=40,
    )


def run(request: Request) -> Outcome:
    span = request.number("span", request.pick(0.2, 0.4))
    solution = solve(problem(span), Collocation(tolerance=request.pick(1e-5, 1e-6, 1e-8)), progress=request.progress)
    x, truth = reference(span)
    t = np.linspace(0, span, truth.shape[1])
    found = solution.u(x=x[:, None], t=t)
    errors = np.linalg.norm(found - truth, axis=0) / np.linalg.norm(truth, axis=0)
    [audit] = solution.audits
    numbers = {
        "rel_l2": float(np.linalg.norm(found - truth) / np.linalg.norm(truth)),
        "rel_l2_at_end": float(errors[-1]),
        "span": span,
        "max_residual": audit.worst,
    }
    text = "\n".join(
        [
            f"relative L2 error against an independent pseudo-spectral run, to t = {span:g}: {numbers['rel_l2']:.1e}"
            f" ({errors[-1]:.1e} at the end)",
            f"best published for a network, to t = 0.5: {PUBLISHED:.1e}",
        ]
    )
    figures = {"chaos": lambda: figure(solution, t, errors)}
    return Outcome(numbers, all_trusted(solution), text, solution, {}, figures)


def figure(solution: Solution, t: np.ndarray, errors: np.ndarray):
    """The field as a map, and its error in time."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = fig.subplots(1, 2)
    x = np.linspace(0, 2 * math.pi, 301)
    sheet = left.pcolormesh(t, x, solution.u(x=x[:, None], t=t), cmap="RdBu_r", shading="gouraud")
    fig.colorbar(sheet, ax=left)
    left.set(xlabel="t", ylabel="x", title="u")
    right.semilogy(t[1:], errors[1:], color="#0072B2")
    right.set(xlabel="t", ylabel="relative L2 error", title="Error against the reference")
    return fig, left
