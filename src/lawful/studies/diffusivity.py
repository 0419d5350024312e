"""A hidden field: how diffusivity varies inside a bar, from what it does to heat.

    u_t = (D u_x)_x,    u = 0 at both ends,    u(x, 0) = sin(pi x) + 0.5 sin(3 pi x)

D(x) is unknown, positive and smooth; nothing else is assumed about it. 400 readings of u scattered over the bar and
the first moments, with noise 0.003, determine it as a curve with a pointwise band. The flux D u_x is stated as a
derived quantity, whose derivative the law uses, so that no one has to differentiate D by hand. At the two places where
the flux vanishes all the time the data say little, and the band must say so.
"""

from __future__ import annotations

import numpy as np
from scipy.integrate import solve_ivp

from ..geometry import Box
from ..problem import Data, Positive, Problem, Smooth, Value
from ..solve import Collocation, Solution, solve
from ._base import Outcome, Request, all_trusted

SUMMARY = "an unknown field D(x) in u_t = (D u_x)_x from scattered readings, with a pointwise band"
OPTIONS = {
    "noise": "standard deviation of the readings, 0.003 by default",
    "count": "number of readings, 400 by default",
}

SPAN = 0.4


def truth(x: np.ndarray) -> np.ndarray:
    """The diffusivity to be found: a bar with a poorly conducting stretch."""
    return 0.2 - 0.1 * np.exp(-(((x - 0.65) / 0.12) ** 2)) + 0.05 * x


def start(x):
    import jax.numpy as jnp

    return jnp.sin(jnp.pi * x) + 0.5 * jnp.sin(3 * jnp.pi * x)


def reference(x: np.ndarray, t: np.ndarray, cells: int = 400) -> np.ndarray:
    """U at scattered places, by finite volumes of second order in space and LSODA in time: another discretisation
    than the one under test, with an error below 2e-5, a hundredth of the noise."""
    centres = (np.arange(cells) + 0.5) / cells
    walls = truth(np.arange(cells + 1) / cells) * cells
    walls[[0, -1]] *= 2  # half a cell to the wall

    def rate(_, u):
        jumps = np.diff(np.concatenate([[0.0], u, [0.0]]))
        return np.diff(walls * jumps) * cells

    order = np.unique(t)
    run = solve_ivp(
        rate,
        (0, SPAN),
        np.asarray(np.sin(np.pi * centres) + 0.5 * np.sin(3 * np.pi * centres)),
        t_eval=order,
        rtol=1e-8,
        atol=1e-10,
        method="LSODA",
        lband=1,
        uband=1,
    )
    grid = np.concatenate([[0.0], centres, [1.0]])
    values = np.concatenate([np.zeros((1, len(order))), run.y, np.zeros((1, len(order)))])
    column = np.searchsorted(order, t)
    return np.array([np.interp(place, grid, values[:, c]) for place, c in zip(x, column, strict=True)])


def measurements(seed: int, noise: float, count: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    x, t = rng.uniform(0.02, 0.98, count), rng.choice(np.linspace(0.02, SPAN, 40), count)
    return {"x": x, "t": t, "u": reference(x, t) + noise * rng.normal(size=count)}


def balance(u_t, flux_x):
    return u_t - flux_x


def flux(D, u_x):
    return D * u_x


def problem(columns: dict[str, np.ndarray], noise: float) -> Problem:
    domain = Box(x=(0, 1), t=(0, SPAN))
    return Problem(
        domain,
        fields="u",
        laws={"balance": balance},
        derived={"flux": flux},
        conditions=[Value(domain.at(x=(0, 1)), u=0.0), Value(domain.at(t=0), u=start)],
        unknowns={"D": Positive(guess=0.1, over="x", prior=Smooth(length=0.15, sd=0.7))},
        data=Data(columns, noise=noise, name="readings"),
    )


def run(request: Request) -> Outcome:
    noise, count = request.number("noise", 0.003), request.count("count", 400, least=20)
    columns = measurements(request.seed, noise, count)
    method = Collocation(tolerance=request.pick(1e-4, 1e-5, 1e-6), nodes=request.pick(20, 24, 32), stages=3)
    solution = solve(problem(columns, noise), method, progress=request.progress)
    places, found = solution["D"].line(201)
    inside = np.abs(found.value - truth(places)) <= 2 * found.sd
    error = float(np.sqrt(np.mean((found.value / truth(places) - 1) ** 2)))
    numbers = {
        "D": solution["D"].to_json(),
        "rms_relative_error": error,
        "share_inside_two_sd": float(np.mean(inside)),
        "median_relative_sd": float(np.median(found.sd / found.value)),
        "chi2_per_dof": solution.chi2 / solution.dof,
        "p_value": solution.p_value,
    }
    text = "\n".join(
        [
            f"D(x) {solution['D']}",
            f"rms error {100 * error:.2g} %, median band ± {100 * numbers['median_relative_sd']:.2g} %,"
            f" truth inside two standard deviations at {100 * numbers['share_inside_two_sd']:.0f} % of places",
            f"fit: chi2 per degree of freedom {numbers['chi2_per_dof']:.3f}, p = {solution.p_value:.2f}",
        ]
    )
    return Outcome(numbers, all_trusted(solution), text, solution, {}, {"band": lambda: figure(solution)})


def figure(solution: Solution):
    """The found curve with its band, beside the truth."""
    from matplotlib.figure import Figure

    places, found = solution["D"].line(401)
    fig = Figure(figsize=(7, 4), layout="constrained")
    ax = fig.subplots()
    ax.fill_between(
        places,
        found.value - 2 * found.sd,
        found.value + 2 * found.sd,
        color="#0072B2",
        alpha=0.2,
        lw=0,
        label="± 2 sd",
    )
    ax.plot(places, found.value, color="#0072B2", lw=1.6, label="found")
    ax.plot(places, truth(places), color="black", lw=1, ls="--", label="truth")
    ax.set(
        xlabel="x",
        ylabel="D",
        ylim=(0, None),
        title="Diffusivity inside the bar, from scattered readings of u",
    )
    ax.legend()
    return fig, ax
