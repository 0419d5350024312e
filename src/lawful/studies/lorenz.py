"""Lorenz' convection from partial data: three coefficients and the state at the start.

    x' = sigma (y - x),   y' = x (rho - z) - y,   z' = x y - beta z

with (sigma, rho, beta) = (10, 15, 8/3) over three time units. Only x and z are measured, 40 times each, with one
percent noise; y is never seen, and no initial value is known. The fit starts from coefficients of 1.
"""

from __future__ import annotations

import numpy as np
from scipy.integrate import solve_ivp

from ..geometry import Box
from ..problem import Data, Positive, Problem, Real, Value
from ..solve import Collocation, solve
from ._base import Outcome, Request, all_trusted

SUMMARY = "Lorenz' three coefficients and the initial state from noisy data of two of three fields"
OPTIONS = {
    "noise": "noise as a fraction of each field's spread, 0.01 by default",
    "count": "measuring times, 40 by default",
}

TRUTH = {"sigma": 10.0, "rho": 15.0, "beta": 8.0 / 3.0, "x0": -8.0, "y0": 7.0, "z0": 27.0}
SPAN = 3.0

LAWS = {
    "x": lambda x, y, x_t, sigma: x_t - sigma * (y - x),
    "y": lambda x, y, z, y_t, rho: y_t - x * (rho - z) + y,
    "z": lambda x, y, z, z_t, beta: z_t - x * y + beta * z,
}


def truth(t: np.ndarray) -> np.ndarray:
    """Reference by an explicit integrator of order 8 at tolerance 1e-12; rows x, y, z."""
    s, r, b = (TRUTH[name] for name in ("sigma", "rho", "beta"))

    def rate(_, u):
        return [s * (u[1] - u[0]), u[0] * (r - u[2]) - u[1], u[0] * u[1] - b * u[2]]

    start = [TRUTH[name] for name in ("x0", "y0", "z0")]
    return solve_ivp(rate, (0, SPAN), start, t_eval=t, rtol=1e-12, atol=1e-12, method="DOP853").y


def measurements(seed: int, noise: float, count: int) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    t = np.linspace(SPAN / count, SPAN, count)
    fields, rng = truth(t), np.random.default_rng(seed)
    columns, levels = {"t": t}, {}
    for row, name in ((0, "x"), (2, "z")):
        levels[name] = noise * float(np.std(fields[row]))
        columns[name] = fields[row] + levels[name] * rng.normal(size=count)
    return columns, levels


def problem(columns: dict[str, np.ndarray]) -> Problem:
    domain = Box(t=(0, SPAN))
    first = {name: float(columns[name][0]) for name in ("x", "z")}
    return Problem(
        domain,
        fields="x, y, z",
        laws=LAWS,
        conditions=[Value(domain.at(t=0), x=lambda x0: x0, y=lambda y0: y0, z=lambda z0: z0)],
        unknowns={
            **{name: Positive(guess=1.0) for name in ("sigma", "rho", "beta")},
            "x0": Real(guess=first["x"], scale=5.0),
            "y0": Real(guess=0.0, scale=5.0),
            "z0": Real(guess=first["z"], scale=5.0),
        },
        data=Data(columns, name="x and z"),
    )


def run(request: Request) -> Outcome:
    noise, count = request.number("noise", 0.01), request.count("count", 40, least=5)
    columns, levels = measurements(request.seed, noise, count)
    solution = solve(problem(columns), Collocation(), progress=request.progress).check()
    crosscheck = solution.crosscheck
    assert crosscheck is not None
    places = np.linspace(0, SPAN, 301)
    hidden = float(np.sqrt(np.mean((solution.y(t=places) - truth(places)[1]) ** 2)))
    off = {name: (solution[name].value - true) / solution[name].sd for name, true in TRUTH.items()}
    numbers = {
        **{name: solution[name].to_json() for name in TRUTH},
        "truth": TRUTH,
        "error_in_sd": off,
        "rmse_unseen_field": hidden,
        "noise": solution.noise,
        "noise_truth": levels,
        "crosscheck": crosscheck.difference,
    }
    rows = [
        f"{name:6} truth {true:<9.6g} found {solution[name]!s:<22} off by {off[name]:+.2f} sd"
        for name, true in TRUTH.items()
    ]
    rows.append(
        f"the field y, never measured: rms error {hidden:.2g} of a spread of {float(np.std(truth(places)[1])):.2g}"
    )
    rows.append(str(crosscheck))
    return Outcome(
        numbers,
        all_trusted(solution),
        "\n".join(rows),
        solution,
        {},
        {"hidden": lambda: figure(solution, columns)},
    )


def figure(solution, columns: dict[str, np.ndarray]):
    """The three fields: measured, found, true."""
    from matplotlib.figure import Figure

    places = np.linspace(0, SPAN, 601)
    fields = truth(places)
    fig = Figure(figsize=(8, 6), layout="constrained")
    axes = fig.subplots(3, 1, sharex=True)
    for row, (ax, name) in enumerate(zip(axes, "xyz", strict=True)):
        ax.plot(places, fields[row], color="0.6", lw=3, alpha=0.6, label="truth")
        ax.plot(places, solution.evaluate(name, t=places), color="#0072B2", lw=1.2, label="found")
        if name in columns:
            ax.plot(columns["t"], columns[name], "o", color="black", ms=3, label="measured")
        else:
            ax.set_title("never measured", fontsize="small", loc="right")
        ax.set_ylabel(name)
    axes[0].legend(ncols=3, fontsize="small")
    axes[-1].set_xlabel("t")
    return fig, axes
