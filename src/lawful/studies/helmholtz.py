"""Standing waves around a hole: Helmholtz's equation with mixed conditions, both exact.

    u_xx + u_yy + k^2 u = 0,    u = 1 + x + y on the hole,    du/dn = -h u on the rim

A round basin with a column off its middle. The column beats and swings, the rim gives way by a spring. Values stand on
one circle and a Robin condition on the other, and there is no system of coordinates in which both are lines: the answer
is no single product of functions. Two fits of the same trial field around the hole, `Polar`, are compared:

- both conditions built into the field, so that it meets them whatever its coefficients are;
- both conditions weighed, as rows beside those of the law.

They are held against a sum of Bessel functions J_m about the middle of the basin and Neumann functions Y_m about that
of the column. Every term obeys the law exactly; the coefficients follow from the two conditions alone, which hold to
rounding at places between those that determined them. Nothing of it is shared with the solver.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import jv, jvp, yv, yvp

from .._core.messages import BadInput
from ..fields import Polar
from ..geometry import Disk
from ..problem import Flux, Problem, Value
from ..solve import Neural, Solution, solve
from ._base import Outcome, Request, all_trusted

SUMMARY = "standing waves around a hole off the middle, mixed conditions exact, against Bessel and Neumann functions"
OPTIONS = {
    "k": "wave number times the radius of the basin, 5 by default, at most 12",
    "offset": "how far the column stands off the middle, from 0 to 0.5; 0.15 by default",
    "spring": "stiffness h of the rim, 2 by default",
}

COLUMN = 0.3
"""Radius of the column; that of the basin is 1."""

Circle = Float[np.ndarray, " n"]


class Basin(NamedTuple):
    """What is set."""

    k: float
    offset: float
    spring: float


def helmholtz(u, u_xx, u_yy, k):
    return u_xx + u_yy + k**2 * u


def beat(x, y):
    return 1 + x + y


def problem(basin: Basin) -> Problem:
    domain = Disk(x=0, y=0, radius=1, label="rim") - Disk(x=basin.offset, y=0, radius=COLUMN, label="column")
    return Problem(
        domain,
        fields="u",
        laws={"helmholtz": helmholtz},
        conditions=[
            Value(domain.boundary("column"), u=beat),
            Flux(domain.boundary("rim"), u=lambda u, h: -h * u),
        ],
        constants={"k": basin.k, "h": basin.spring},
    )


class Series(NamedTuple):
    """sum_m J_m(k r) (a cos m phi + b sin m phi) about the basin + the same with Y_m about the column."""

    basin: Basin
    coefficients: Float[np.ndarray, " terms"]

    def __call__(self, x: Circle, y: Circle) -> Circle:
        return terms(self.basin, x, y)[0] @ self.coefficients

    def slope(self, x: Circle, y: Circle) -> Circle:
        """The derivative along r."""
        return terms(self.basin, x, y)[1] @ self.coefficients


ORDERS = 40
"""Terms of the series about each middle: beyond them nothing is left in double precision for k up to 12."""


def terms(basin: Basin, x: Circle, y: Circle) -> tuple[Float[np.ndarray, "n terms"], Float[np.ndarray, "n terms"]]:
    """Every function of the series, of size 1 on the circle it belongs to, and its derivative away from the basin's
    middle."""
    k, m = basin.k, np.arange(ORDERS)
    r = np.hypot(x, y)
    sizes = np.abs(jv(m, k)) + np.abs(jvp(m, k)), np.abs(yv(m, k * COLUMN))
    values, slopes = [], []
    for shape, rate, at, size in ((jv, jvp, 0.0, sizes[0]), (yv, yvp, basin.offset, sizes[1])):
        own, angle = np.hypot(x - at, y), np.arctan2(y, x - at)[:, None]
        across = ((x - at) * x + y**2) / (own * r)  # cosine between the two directions away from a middle
        along = ((x - at) * y - y * x) / (own * r)
        f, g = shape(m, k * own[:, None]) / size, k * rate(m, k * own[:, None]) / size
        for wave, turned in ((np.cos, lambda a: -np.sin(a)), (np.sin, np.cos)):
            values.append(f * wave(m * angle))
            turning = m * f * turned(m * angle) / own[:, None]
            slopes.append(across[:, None] * g * wave(m * angle) + along[:, None] * turning)
    return np.hstack(values), np.hstack(slopes)


def series(basin: Basin) -> Series:
    """The coefficients that meet both conditions, by least squares on both circles."""
    column, rim = circles(basin, np.linspace(0, 2 * np.pi, 8 * ORDERS, endpoint=False))
    matrix = np.vstack([terms(basin, *column)[0], robin(basin, *terms(basin, *rim))])
    right = np.concatenate([beat(*column), np.zeros(len(rim[0]))])
    return Series(basin, np.linalg.lstsq(matrix, right, rcond=1e-15)[0])


def robin(basin: Basin, value: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """How far the condition on the rim is from being met."""
    return slope + basin.spring * value


def circles(basin: Basin, angle: Circle) -> tuple[tuple[Circle, Circle], tuple[Circle, Circle]]:
    """Places on the column, and on the rim."""
    x, y = np.cos(angle), np.sin(angle)
    return (basin.offset + COLUMN * x, COLUMN * y), (x, y)


UNSEEN = np.linspace(0, 2 * np.pi, 701)
"""Directions at which conditions are looked at."""


def series_miss(found: Series) -> float:
    """The most by which the series misses a condition, between the places that determined it."""
    column, rim = circles(found.basin, UNSEEN)
    misses = found(*column) - beat(*column), robin(found.basin, found(*rim), found.slope(*rim))
    return float(max(np.max(np.abs(miss)) for miss in misses))


def fitted(request: Request, basin: Basin, built_in: bool) -> Solution:
    radial, waves = request.pick((16, 8), (26, 16), (32, 24))
    trial = Polar(x=basin.offset, y=0.0, radii=(COLUMN, 1 + basin.offset), radial=radial, waves=waves)
    return solve(problem(basin), Neural(trial=trial, exact_walls=built_in), progress=request.progress)


def miss(solution: Solution, basin: Basin) -> float:
    """The most by which a fit misses a condition."""
    (x, y), (rim_x, rim_y) = circles(basin, UNSEEN)
    column = solution.evaluate("u", x=x, y=y) - beat(x, y)
    rim = solution.evaluate(lambda u, u_x, u_y, x, y, h: x * u_x + y * u_y + h * u, x=rim_x, y=rim_y)
    return float(max(np.max(np.abs(column)), np.max(np.abs(rim))))


def run(request: Request) -> Outcome:
    basin = Basin(request.number("k", 5.0), offset(request), request.number("spring", 2.0))
    if basin.k > 12:
        raise BadInput(f"--set k={basin.k:g}: the trial field follows waves up to k = 12; choose a smaller k.")
    exact = series(basin)
    found = {name: fitted(request, basin, name == "built_in") for name in ("built_in", "weighed")}
    places = found["built_in"].problem.domain.sample(4000, request.seed + 1)
    truth = exact(places["x"], places["y"])
    top = float(np.max(np.abs(truth)))
    numbers: dict = {**basin._asdict(), "series_miss": series_miss(exact), "largest_value": top}
    for name, solution in found.items():
        error = solution.u(**places) - truth
        [audit] = solution.audits
        numbers[name] = {
            "rel_l2": float(np.linalg.norm(error) / np.linalg.norm(truth)),
            "largest_error": float(np.max(np.abs(error))) / top,
            "conditions_missed_by": miss(solution, basin),
            "max_residual": audit.worst,
            "seconds": solution.seconds,
        }
    return Outcome(
        numbers,
        all_trusted(*found.values()),
        text(found["built_in"], numbers),
        found["built_in"],
        {"conditions weighed": found["weighed"]},
        {"waves": lambda: figure(found, exact)},
    )


def offset(request: Request) -> float:
    word = request.options.get("offset", "0.15")
    try:
        value = float(word)
    except ValueError:
        value = np.nan
    if not 0 <= value <= 0.5:
        raise BadInput(f"--set offset={word}: 'offset' must be a number from 0 to 0.5, such as offset=0.15.")
    return value


def text(built_in: Solution, numbers: dict) -> str:
    titles = {"built_in": "built in", "weighed": "weighed"}
    rows = [
        f"{titles[name]:14} {row['rel_l2']:13.1e} {row['largest_error']:13.1e} {row['conditions_missed_by']:20.1e}"
        f" {row['max_residual']:15.1e} {row['seconds']:8.1f}"
        for name, row in ((name, numbers[name]) for name in titles)
    ]
    return "\n".join(
        [
            f"how the conditions are imposed: {'; '.join(built_in.problem.check().exact)}",
            f"{'conditions':14} {'rel. L2 error':>13} {'largest error':>13} {'conditions missed by':>20}"
            f" {'worst residual':>15} {'seconds':>8}",
            *rows,
            f"the series itself misses the conditions by {numbers['series_miss']:.1e}",
        ]
    )


def figure(found: dict[str, Solution], exact: Series):
    """The waves, and the error of both fits in them."""
    from matplotlib.figure import Figure

    basin = exact.basin
    share, angle = np.meshgrid(np.linspace(0.002, 0.998, 90), np.linspace(0, 2 * np.pi, 241))
    # From the column out to the rim along rays from the column's middle.
    far = -basin.offset * np.cos(angle) + np.sqrt(1 - (basin.offset * np.sin(angle)) ** 2)
    r = COLUMN + share * (far - COLUMN)
    x, y = basin.offset + r * np.cos(angle), r * np.sin(angle)
    truth = exact(x.ravel(), y.ravel()).reshape(x.shape)
    top = np.max(np.abs(truth))
    fig = Figure(figsize=(11.5, 3.6), layout="constrained")
    axes = fig.subplots(1, 3)
    field = axes[0].pcolormesh(
        x, y, found["built_in"].u(x=x, y=y), cmap="RdBu_r", vmin=-top, vmax=top, shading="gouraud", rasterized=True
    )
    axes[0].contour(x, y, truth, levels=[0.0], colors="black", linewidths=0.7)
    axes[0].set(title="Waves around the column")
    fig.colorbar(field, ax=axes[0], label="u", shrink=0.85)
    errors = {name: np.abs(solution.u(x=x, y=y) - truth) / top for name, solution in found.items()}
    most = np.log10(max(error.max() for error in errors.values()))
    for ax, (name, error) in zip(axes[1:], errors.items(), strict=True):
        shown = ax.pcolormesh(
            x,
            y,
            np.log10(np.maximum(error, 1e-17)),
            cmap="viridis",
            vmin=most - 4,
            vmax=most,
            shading="gouraud",
            rasterized=True,
        )
        ax.set(title=f"Error, conditions {name.replace('_', ' ')}")
    fig.colorbar(shown, ax=axes[1:], label="log10 of the error / largest value", shrink=0.85, extend="min")
    for ax in axes:
        ax.set(aspect="equal", xticks=[-1, 0, 1], yticks=[-1, 0, 1], xlabel="x", ylabel="y")
    return fig, axes[0]
