"""Solitons from a cosine: the Korteweg-de Vries equation of Zabusky and Kruskal.

    u_t + u u_x + 0.022^2 u_xxx = 0,    u(x, 0) = cos(pi x),    periodic on -1 <= x <= 1,    t <= 1

A smooth wave steepens, but what would become a shock falls apart into a train of solitary waves that pass through each
other. The laws go to the solver as they stand, with a third derivative; the answer is held against an independent
pseudo-spectral run, and against the three integrals that the equation conserves: mass, momentum and energy.
"""

from __future__ import annotations

import numpy as np

from ..geometry import Box
from ..problem import Periodic, Problem, Value
from ..solve import Collocation, Solution, solve
from ._base import Outcome, Request, all_trusted
from ._etdrk4 import periodic_reference

SUMMARY = "solitons of the Korteweg-de Vries equation from a cosine, and what they conserve"
OPTIONS = {"delta": "dispersion: the coefficient of u_xxx is its square; 0.022 by default"}

PUBLISHED = 3.4e-4
"""The best relative L2 error found published for a network on this problem, with 1e5 steps on a GPU."""


def start(x):
    import jax.numpy as jnp

    return jnp.cos(jnp.pi * x)


def wave(u, u_t, u_x, u_xxx, delta):
    return u_t + u * u_x + delta**2 * u_xxx


def problem(delta: float) -> Problem:
    domain = Box(x=(-1, 1), t=(0, 1))
    return Problem(
        domain,
        fields="u",
        laws={"kdv": wave},
        conditions=[Value(domain.at(t=0), u=start), Periodic(domain.at(x=(-1, 1)))],
        constants={"delta": delta},
    )


def reference(delta: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes, and values at 101 times: 512 Fourier modes, fourth-order steps of 1e-4; good to 1e-10."""
    return periodic_reference(
        symbol=lambda k: 1j * delta**2 * k**3,
        nonlinear=lambda u, u_x: -u * u_x,
        start=lambda x: np.cos(np.pi * x),
        ends=(-1.0, 1.0),
        span=1.0,
        modes=512,
        steps=10_000,
        keep=100,
    )


def conserved(solution: Solution, delta: float) -> dict[str, float]:
    """The largest change over time of mass, momentum and energy, relative to what the energy integrals are made of."""
    x, t = -1 + np.arange(512) / 256, np.linspace(0, 1, 41)
    u, u_x = (solution.evaluate(name, x=x[:, None], t=t) for name in ("u", "u_x"))
    cube, slope = u**3 / 3, delta**2 * u_x**2
    integrals = {
        "mass": (u, np.abs(u)),
        "momentum": (u**2, u**2),
        "energy": (cube - slope, np.abs(cube) + slope),
    }
    return {
        name: float(np.ptp(density.mean(axis=0)) / size.mean(axis=0).max())
        for name, (density, size) in integrals.items()
    }


def run(request: Request) -> Outcome:
    delta = request.number("delta", 0.022)
    tolerance = request.pick(1e-5, 1e-8, 1e-9)
    solution = solve(
        problem(delta), Collocation(tolerance=tolerance, nodes=request.pick(128, 256)), progress=request.progress
    )
    x, truth = reference(delta)
    t = np.linspace(0, 1, truth.shape[1])
    found = solution.u(x=x[:, None], t=t)
    [audit] = solution.audits
    numbers = {
        "rel_l2": float(np.linalg.norm(found - truth) / np.linalg.norm(truth)),
        "largest_error": float(np.max(np.abs(found - truth))),
        "max_residual": audit.worst,
        **{f"{name}_change": change for name, change in conserved(solution, delta).items()},
    }
    text = "\n".join(
        [
            f"relative L2 error against an independent pseudo-spectral run: {numbers['rel_l2']:.1e}"
            f" (largest {numbers['largest_error']:.1e})",
            f"change of mass {numbers['mass_change']:.0e}, momentum {numbers['momentum_change']:.0e},"
            f" energy {numbers['energy_change']:.0e}, relative",
            f"best published for a network: {PUBLISHED:.1e}",
        ]
    )
    return Outcome(numbers, all_trusted(solution), text, solution, {}, {"solitons": lambda: figure(solution)})


def figure(solution: Solution):
    """The wave at four times."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(7, 4), layout="constrained")
    ax = fig.subplots()
    x = np.linspace(-1, 1, 1001)
    for time, colour in ((0.0, "black"), (1 / np.pi, "#0072B2"), (0.7, "#E69F00"), (1.0, "#D55E00")):
        ax.plot(x, solution.u(x=x, t=time), color=colour, lw=1.3, label=f"t = {time:.2f}")
    ax.set(xlabel="x", ylabel="u", title="A cosine falls apart into solitary waves")
    ax.legend(fontsize=8)
    return fig, ax
