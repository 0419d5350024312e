"""Two coefficients from scattered readings of a shock: the first table of physics-informed networks, again.

    u_t + l1 u u_x - l2 u_xx = 0,    u(x, 0) = -sin(pi x),    u = 0 at x = -1 and 1,    l1 = 1, l2 = 0.01/pi to be found

N_u readings of u are drawn from a grid of 256 x 100 places, with noise of 0, 1, 5 and 10 % of their spread. Raissi,
Perdikaris and Karniadakis (2019) published the errors of both coefficients for this table; the readings here come from
the closed form of Cole and Hopf on the same grid. The start and the ends of the wave are taken as known here, which
their network was not told.

Readings without noise must give both coefficients to the accuracy of the solver. With noise no method can do better
than the Cramer-Rao bound, which is the error bar: every error is printed in units of it.
"""

from __future__ import annotations

import math

import numpy as np

from .._core.record import Status
from ..geometry import Box
from ..problem import Data, Positive, Problem, Value
from ..solve import Collocation, Solution, solve
from ._base import Outcome, Request
from ._cole_hopf import cole_hopf
from .burgers import start

SUMMARY = (
    "both coefficients of Burgers' equation from 500 to 2000 readings with 0 to 10 % noise, beside published errors"
)
OPTIONS = {
    "count": "readings of the single case to run, in place of the table",
    "noise": "noise of that case in percent of the spread of the readings, 1 by default",
}

TRUTH = {"l1": 1.0, "l2": 0.01 / math.pi}
COUNTS, NOISES = (500, 1000, 1500, 2000), (0.0, 1.0, 5.0, 10.0)

PUBLISHED = {
    "l1": ((0.131, 0.518, 0.118, 1.319), (0.186, 0.533, 0.157, 1.869), (0.432, 0.033, 0.706, 0.725),
           (0.096, 0.039, 0.190, 0.101)),
    "l2": ((13.885, 0.483, 1.708, 4.058), (3.719, 8.262, 3.481, 14.544), (3.093, 1.423, 0.502, 3.156),
           (0.469, 0.008, 6.216, 6.391)),
}  # fmt: skip
"""Errors in percent, rows by readings, columns by noise: M. Raissi, P. Perdikaris, G. E. Karniadakis, J. Comput. Phys.
378, 686 (2019), appendix."""


def balance(u, u_t, u_x, u_xx, l1, l2):
    return u_t + l1 * u * u_x - l2 * u_xx


def readings(seed: int, count: int, percent: float) -> tuple[dict[str, np.ndarray], float]:
    """Columns x, t, u at places drawn from the grid, and the standard deviation of the noise in u."""
    rng = np.random.default_rng([seed, count, round(10 * percent)])
    x, t = -1 + np.arange(256) * (2 / 255), 0.01 * np.arange(100)
    u = cole_hopf(x, t, TRUTH["l2"])
    chosen = rng.choice(u.size, count, replace=False)
    sd = percent / 100 * float(np.std(u))
    column, row = np.meshgrid(t, x)
    return {
        "x": row.ravel()[chosen],
        "t": column.ravel()[chosen],
        "u": u.ravel()[chosen] + sd * rng.normal(size=count),
    }, sd


def problem(columns: dict[str, np.ndarray], sd: float) -> Problem:
    domain = Box(x=(-1, 1), t=(0, 1))
    return Problem(
        domain,
        fields="u",
        laws={"burgers": balance},
        conditions=[Value(domain.at(t=0), u=start), Value(domain.at(x=(-1, 1)), u=0.0)],
        unknowns={"l1": Positive(guess=0.8), "l2": Positive(guess=0.006)},
        data=Data(columns, noise=sd or None, name="readings"),
    )


def fitted(request: Request, count: int, percent: float) -> Solution:
    columns, sd = readings(request.seed, count, percent)
    return solve(problem(columns, sd), Collocation(tolerance=1e-9), progress=request.progress)


def cases(request: Request) -> list[tuple[int, float]]:
    if "count" in request.options or "noise" in request.options:
        return [(request.count("count", 2000, least=20, most=20_000), request.number("noise", 1.0))]
    counts = request.pick((500,), COUNTS)
    return [(count, percent) for count in counts for percent in request.pick((0.0, 1.0), NOISES)]


def described(solution: Solution) -> dict:
    """Of each coefficient: estimate, error in percent, and error in units of its error bar."""
    found: dict = {}
    for name, truth in TRUTH.items():
        estimate = solution[name]
        error = estimate.value - truth
        found[name] = {**estimate.to_json(), "error_percent": 100 * abs(error) / truth}
        found[name]["error_in_sd"] = abs(error) / estimate.sd
    return {**found, "seconds": solution.seconds, "status": str(solution.status)}


def run(request: Request) -> Outcome:
    solutions = {case: fitted(request, *case) for case in cases(request)}
    table = [
        {"count": count, "noise_percent": percent, **described(solution)}
        for (count, percent), solution in solutions.items()
    ]
    clean = [row for row in table if row["noise_percent"] == 0]
    noisy = [row for row in table if row["noise_percent"] > 0]
    numbers: dict = {"table": table}
    if clean:
        numbers["clean_error_percent"] = max(row[name]["error_percent"] for row in clean for name in TRUTH)
    if noisy:
        numbers["worst_error_in_sd"] = max(row[name]["error_in_sd"] for row in noisy for name in TRUTH)
    failed = next((s.status for s in solutions.values() if not s.status.converged), None)
    main = list(solutions.values())[-1]
    status = failed or Status(True, f"all {len(table)} fits converged; the last: {main.status.reason}")
    return Outcome(numbers, status, text(table), main, {}, {"errors": lambda: figure(table)})


def published(name: str, row: dict) -> float | None:
    """Raissi's error in percent for a case of his table."""
    if row["count"] not in COUNTS or row["noise_percent"] not in NOISES:
        return None
    return PUBLISHED[name][COUNTS.index(row["count"])][NOISES.index(row["noise_percent"])]


def text(table: list[dict]) -> str:
    lines = [
        "errors in percent, and in units of the Cramer-Rao bound; beside them those of Raissi et al. (2019)",
        f"{'readings':>8} {'noise':>6}  {'l1 error':>9} {'in sd':>6} {'published':>9}   {'l2 error':>9} {'in sd':>6}"
        f" {'published':>9}  {'seconds':>7}",
    ]
    for row in table:
        parts = [f"{row['count']:8d} {row['noise_percent']:5g}%"]
        for name in TRUTH:
            theirs, mine = published(name, row), row[name]
            beside = f"{theirs:9.3f}" if theirs is not None else f"{'':9}"
            parts.append(f" {mine['error_percent']:9.1e} {mine['error_in_sd']:6.2f} {beside} ")
        lines.append(" ".join(parts) + f" {row['seconds']:7.1f}")
    return "\n".join(lines)


def figure(table: list[dict]):
    """Errors of both coefficients against noise, beside those published."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(8, 3.6), layout="constrained")
    panels = fig.subplots(1, 2)
    colours = dict(zip(COUNTS, ("#0072B2", "#009E73", "#E69F00", "#D55E00"), strict=True))
    for ax, name in zip(panels, TRUTH, strict=True):
        for count in dict.fromkeys(row["count"] for row in table):
            rows = [row for row in table if row["count"] == count]
            noise = [max(row["noise_percent"], 0.3) for row in rows]
            colour = colours.get(count, "#0072B2")
            ax.loglog(noise, [row[name]["error_percent"] for row in rows], "o-", color=colour, label=f"{count}")
            theirs = [(n, published(name, row)) for n, row in zip(noise, rows, strict=True)]
            known = [(n, value) for n, value in theirs if value is not None]
            ax.loglog(*zip(*known, strict=True), "x", color=colour) if known else None
        ax.set(xlabel="noise in % (0 drawn at 0.3)", ylabel="error in %", title=f"{name}; crosses: Raissi et al.")
    panels[0].legend(title="readings", fontsize=8)
    return fig, panels[0]
