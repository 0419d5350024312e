"""Thin fronts and a kink: the Allen-Cahn equation that networks are trained on.

    u_t = 1e-4 u_xx + 5 u - 5 u^3,    u(x, 0) = x^2 cos(pi x),    periodic on -1 <= x <= 1,    t <= 1

Two phases, u = 1 and u = -1, grow into each other until fronts of a hundredth of the domain are left. The start has a
kink where the domain closes, at x = +-1, so that a Fourier method converges slowly: the files with 512 modes that
published errors refer to are themselves 1e-5 off. Elements are placed where the fronts and the kink are; the reference
is an independent splitting method with 16,384 modes and extrapolated steps.
"""

from __future__ import annotations

import numpy as np

from ..geometry import Box
from ..problem import Periodic, Problem, Value
from ..solve import Collocation, Solution, solve
from ._base import Outcome, Request, all_trusted

SUMMARY = "fronts of the Allen-Cahn equation from a start with a kink, against 16,384 modes"
OPTIONS = {"diffusion": "coefficient of u_xx, 1e-4 by default"}

TIMES = (0.25, 0.5, 0.75, 1.0)
PUBLISHED = 9.4e-7
"""The best relative L2 error found published for a network on this problem."""


def start(x):
    import jax.numpy as jnp

    return x**2 * jnp.cos(jnp.pi * x)


def phases(u, u_t, u_xx, diffusion):
    return u_t - diffusion * u_xx - 5 * u + 5 * u**3


def problem(diffusion: float) -> Problem:
    domain = Box(x=(-1, 1), t=(0, 1))
    return Problem(
        domain,
        fields="u",
        laws={"allen-cahn": phases},
        conditions=[Value(domain.at(t=0), u=start), Periodic(domain.at(x=(-1, 1)))],
        constants={"diffusion": diffusion},
    )


def split(diffusion: float, modes: int, steps: int) -> np.ndarray:
    """Values at TIMES by Strang splitting: diffusion exactly in Fourier modes, reaction exactly in closed form."""
    x = -1 + 2 * np.arange(modes) / modes
    u, step = x**2 * np.cos(np.pi * x), 1.0 / steps
    half = np.exp(-diffusion * (np.pi * np.arange(modes // 2 + 1)) ** 2 * step / 2)
    decay, found = np.exp(-10 * step), []
    for count in range(1, steps + 1):
        u = np.fft.irfft(half * np.fft.rfft(u), modes)
        u = u / np.sqrt(decay + u * u * (1 - decay))
        u = np.fft.irfft(half * np.fft.rfft(u), modes)
        if any(abs(count * step - time) < 1e-9 for time in TIMES):
            found.append(u)
    return np.stack(found)


def reference(diffusion: float, modes: int, steps: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Nodes, values at TIMES extrapolated to no step at all, and the largest change by the last extrapolation."""
    coarse, middle, fine = (split(diffusion, modes, steps * factor) for factor in (1, 2, 4))
    first, second = (4 * middle - coarse) / 3, (4 * fine - middle) / 3
    return -1 + 2 * np.arange(modes) / modes, (16 * second - first) / 15, float(np.max(np.abs(second - first)) / 15)


def run(request: Request) -> Outcome:
    diffusion = request.number("diffusion", 1e-4)
    method = Collocation(tolerance=request.pick(1e-5, 1e-6, 1e-8))
    solution = solve(problem(diffusion), method, progress=request.progress)
    x, truth, doubt = reference(diffusion, request.pick(8192, 16_384), request.pick(200, 400))
    rows = slice(None, None, 4)
    found = np.stack([solution.u(x=x[rows], t=time) for time in TIMES])
    errors = np.linalg.norm(found - truth[:, rows], axis=1) / np.linalg.norm(truth[:, rows], axis=1)
    [audit] = solution.audits
    numbers = {
        "rel_l2": float(np.linalg.norm(found - truth[:, rows]) / np.linalg.norm(truth[:, rows])),
        "rel_l2_at": {f"{time:g}": float(error) for time, error in zip(TIMES, errors, strict=True)},
        "reference_doubt": doubt,
        "max_residual": audit.worst,
    }
    text = "\n".join(
        [
            f"relative L2 error at t = {', '.join(f'{time:g}' for time in TIMES)}:"
            f" {', '.join(f'{error:.1e}' for error in errors)} (reference good to {doubt:.0e})",
            f"best published for a network: {PUBLISHED:.1e}",
        ]
    )
    return Outcome(numbers, all_trusted(solution), text, solution, {}, {"fronts": lambda: figure(solution)})


def figure(solution: Solution):
    """The phases at five times."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(7, 4), layout="constrained")
    ax = fig.subplots()
    x = np.linspace(-1, 1, 1601)
    for time, colour in zip((0.0, *TIMES), ("black", "#56B4E9", "#0072B2", "#E69F00", "#D55E00"), strict=True):
        ax.plot(x, solution.u(x=x, t=time), color=colour, lw=1.3, label=f"t = {time:g}")
    ax.set(xlabel="x", ylabel="u", title="Two phases grow into each other")
    ax.legend(fontsize=8)
    return fig, ax
