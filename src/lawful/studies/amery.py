"""How stiff an ice shelf is: viscosity of the Amery from satellites alone, with an uncertainty map.

    (mu h (4 u_x + 2 v_y))_x + (mu h (u_y + v_x))_y = G h h_x
    (mu h (4 v_y + 2 u_x))_y + (mu h (u_y + v_x))_x = G h h_y,    G = rho_i g (1 - rho_i / rho_w)

An ice shelf floats, so nothing holds it at its base: it spreads under its own weight, and what resists is its viscosity
alone (the shallow-shelf approximation). Velocities u, v and thickness h are measured from orbit; the viscosity mu(x, y)
cannot be. Here all four are found at once in a window of the shelf: three fields that follow the measurements within a
noise that is estimated too, and an unknown positive field that makes both balances of force hold, with a prior on its
smoothness and nothing else. No boundary condition is needed: two equations of first order determine one field.

Where the ice hardly deforms, its viscosity does not show, and the map of the error bars must say so. They take the
noise for independent from place to place, which gridded products are not quite: where neighbouring misses in the
picture agree, the bars are too small; and they hold for the smoothness that the prior states. The laws are met nearly
exactly, so that what one viscosity for all directions cannot explain, such as cracks, comes out as measurements that
are missed.

The measurements (velocity: MEaSUREs, thickness: BedMachine) are those of DIFFICE_jax (Wang and Lai), where networks are
fitted to them; what they found is shown there as pictures, and no number of it stands beside the ones here. What can be
held against the maps is what ice does in a laboratory: at one temperature mu falls with the rate of strain to the power
1/n - 1, n about 3. Units are km, years and MPa; 1 MPa year is 3.16e13 Pa s.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput
from ..fields import Spectral
from ..geometry import Box
from ..problem import Data, Positive, Problem, Smooth
from ..solve import LevenbergMarquardt, Neural, Solution, solve
from ._base import Outcome, Request, all_trusted
from ._measurements import in_data_folder

SUMMARY = "viscosity of a real ice shelf from velocities and thickness, with an uncertainty map (needs the data file)"
OPTIONS = {
    "data": "file data_pinns_Amery.mat of DIFFICE_jax; by default from the folder that LAWFUL_DATA names",
    "x": "the middle of the window along the flow in km, 4650 by default",
    "y": "the middle of the window across it in km, 2850 by default",
    "size": "length of the window in km, 60 by default; its width is 0.6 times that",
}

YEAR = 365.25 * 86400.0
PASCAL_SECONDS = 1e6 * YEAR
"""In one MPa year."""
DRIVE = 917.0 * 9.81 * (1 - 917.0 / 1027.0) * 1e-3
"""G in MPa per km: ice of 917 kg/m3 on sea water of 1027 kg/m3."""
COLUMNS = ("xd", "yd", "ud", "vd", "xd_h", "yd_h", "hd")


def along(sxx_x, sxy_y, h, h_x):
    return sxx_x + sxy_y - DRIVE * h * h_x


def across(syy_y, sxy_x, h, h_y):
    return syy_y + sxy_x - DRIVE * h * h_y


FORCES = {
    "sxx": lambda mu, h, u_x, v_y: mu * h * (4 * u_x + 2 * v_y),
    "syy": lambda mu, h, u_x, v_y: mu * h * (4 * v_y + 2 * u_x),
    "sxy": lambda mu, h, u_y, v_x: mu * h * (u_y + v_x),
}
"""What pulls across a vertical cut, for each length of it, in MPa km."""

Table = dict[str, Float[np.ndarray, " n"]]


def problem(window: Box, velocities: Table, thickness: Table, request: Request) -> Problem:
    return Problem(
        window,
        fields=["u", "v", "h"],
        laws={"along the flow": along, "across the flow": across},
        derived=FORCES,
        unknowns={
            "mu": Positive(guess=10.0, over=("x", "y"), prior=Smooth(length=request.pick(0.4, 0.3, 0.2), sd=1.0))
        },
        data=[Data(velocities, name="velocities"), Data(thickness, name="thickness")],
    )


def measured(request: Request) -> tuple[Table, Table]:
    """Velocities in km a year and thickness in km, at places in km."""
    path = Path(request.options["data"]) if "data" in request.options else None
    path = path or in_data_folder("ice_shelf_diffice", "data_pinns_Amery.mat")
    if not path.is_file():
        raise BadInput(
            f"the measurements {path} were not found; give data_pinns_Amery.mat of DIFFICE_jax with --set data=FILE, or"
            " set LAWFUL_DATA to the folder that holds ice_shelf_diffice/."
        )
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        stored = loadmat(path)
    except (MatReadError, ValueError, NotImplementedError, OSError) as error:
        raise BadInput(f"{path} is no MATLAB file ({error}); give data_pinns_Amery.mat of DIFFICE_jax.") from None
    missing = [name for name in COLUMNS if name not in stored]
    if missing:
        raise BadInput(f"{path} holds no '{missing[0]}'; give data_pinns_Amery.mat of DIFFICE_jax.")
    x, y, u, v, hx, hy, h = (stored[name] for name in COLUMNS)
    speed = YEAR / 1000
    return known(x=x / 1000, y=y / 1000, u=u * speed, v=v * speed), known(x=hx / 1000, y=hy / 1000, h=h / 1000)


def known(**columns: Float[np.ndarray, "rows columns"]) -> Table:
    """The places at which everything was measured."""
    whole = np.all([np.isfinite(column) for column in columns.values()], axis=0)
    return {name: column[whole] for name, column in columns.items()}


def thinned(table: Table, window: Box, spacing: float, offset: float = 0.0) -> Table:
    """The measurements nearest to the nodes of a lattice in a window, one each."""
    places = {axis: table[axis] for axis in window.axes}
    inside = np.all([(v >= window.ends(a)[0]) & (v <= window.ends(a)[1]) for a, v in places.items()], axis=0)
    cell = [np.floor((places[a][inside] - window.ends(a)[0]) / spacing).astype(int) for a in window.axes]
    away = sum(
        ((places[a][inside] - window.ends(a)[0]) / spacing - c - 0.5 - offset) ** 2
        for a, c in zip(window.axes, cell, strict=True)
    )
    order = np.argsort(away, kind="stable")
    _, first = np.unique(np.stack(cell)[:, order], axis=1, return_index=True)
    return {name: column[inside][order[first]] for name, column in table.items()}


def window_of(request: Request, velocities: Table) -> Box:
    middle = request.number("x", 4650.0), request.number("y", 2850.0)
    size = request.number("size", 60.0)
    window = Box(x=(middle[0] - size / 2, middle[0] + size / 2), y=(middle[1] - 0.3 * size, middle[1] + 0.3 * size))
    spacing = size / 12
    if len(thinned(velocities, window, spacing)["x"]) < 0.95 * cells(window, spacing):
        raise BadInput(
            f"the window {size:g} km long around x = {middle[0]:g} km, y = {middle[1]:g} km does not lie on the shelf;"
            " give another middle with --set x=... --set y=..., or a smaller --set size=."
        )
    return window


def cells(window: Box, spacing: float) -> int:
    """Of the lattice in a window."""
    return math.prod(int(np.ceil(window.length(axis) / spacing - 1e-9)) for axis in window.axes)


def run(request: Request) -> Outcome:
    velocities, thickness = measured(request)
    window = window_of(request, velocities)
    spacing = window.length("x") / request.pick(14, 20, 30)
    modes = request.pick({"x": 7, "y": 5}, {"x": 9, "y": 7}, {"x": 13, "y": 10})
    fitted = [thinned(table, window, spacing) for table in (velocities, thickness)]
    method = Neural(trial=Spectral(modes), seed=request.seed)
    # The way down is long and nearly flat, since viscosity and thickness can make up for each other: with 1e-4 the
    # median viscosity came out two thirds larger than with 1e-5. A coarse one is there sooner.
    optimiser = LevenbergMarquardt(ftol=request.pick(1e-3, 1e-6), max_steps=400)
    solution = solve(
        problem(window, fitted[0], fitted[1], request), method, optimiser=optimiser, progress=request.progress
    )
    others = [thinned(table, window, 0.77 * spacing, 0.3) for table in (velocities, thickness)]
    numbers = told(solution, fitted, others)
    return Outcome(
        numbers, all_trusted(solution), text(solution, numbers), solution, {}, {"viscosity": lambda: figure(solution)}
    )


def told(solution: Solution, fitted: list[Table], others: list[Table]) -> dict:
    lines, mu = solution["mu"].grid(41)
    x, y = np.meshgrid(lines["x"], lines["y"], indexing="ij")
    rate, share = strain(solution, x, y), mu.sd / mu.value
    sure = share < 0.2
    slope = float(np.polyfit(np.log(rate[sure]), np.log(mu.value[sure]), 1)[0]) if sure.sum() > 50 else None
    missed = {
        name: float(np.sqrt(np.mean((solution.evaluate(name, x=table["x"], y=table["y"]) - table[name]) ** 2)))
        for table, names in zip(others, (("u", "v"), ("h",)), strict=True)
        for name in names
    }
    return {
        "measurements": [len(table["x"]) for table in fitted],
        "noise": {name.split()[-1]: 1000 * level for name, level in solution.noise.items()},
        "rms_miss_elsewhere": {name: 1000 * value for name, value in missed.items()},
        "viscosity_Pa_s": {
            "least": float(PASCAL_SECONDS * mu.value.min()),
            "median": float(PASCAL_SECONDS * np.median(mu.value)),
            "most": float(PASCAL_SECONDS * mu.value.max()),
        },
        "relative_sd": {
            "least": float(share.min()), "median": float(np.median(share)), "most": float(share.max()),
        },
        "exponent_of_strain": slope,
        "glen_n": None if slope is None or slope <= -1 else 1 / (1 + slope),
        "residual": {
            audit.law: {"rms": audit.rms, "worst": audit.worst, "at": audit.place} for audit in solution.audits
        },
        "mu": solution["mu"].to_json(),
    }  # fmt: skip


def strain(solution: Solution, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The effective rate of strain, a year."""

    def rate(u_x, u_y, v_x, v_y):
        return (u_x**2 + v_y**2 + u_x * v_y + 0.25 * (u_y + v_x) ** 2) ** 0.5

    return solution.evaluate(rate, x=x, y=y)


def text(solution: Solution, numbers: dict) -> str:
    mu, sd, away = numbers["viscosity_Pa_s"], numbers["relative_sd"], numbers["rms_miss_elsewhere"]
    noise = ", ".join(f"{name} {level:.2g}" for name, level in numbers["noise"].items())
    slope = numbers["exponent_of_strain"]
    return "\n".join(
        [
            f"viscosity between {mu['least']:.1e} and {mu['most']:.1e} Pa s, median {mu['median']:.1e}; error bar"
            f" {100 * sd['least']:.1f} % to {100 * sd['most']:.0f} %, median {100 * sd['median']:.1f} %",
            f"noise, estimated, in m a year and m: {noise}; at measurements that were not fitted "
            + ", ".join(f"{name} {value:.2g}" for name, value in away.items()),
            "viscosity falls as strain rate to the power "
            + (
                f"{slope:.2f} (Glen's law with n = 3 at one temperature: -0.67)"
                if slope is not None
                else "that too few places tell"
            ),
            *(str(audit) for audit in solution.audits),
        ]
    )


def figure(solution: Solution):
    """The flow, the viscosity and its error bar; what the laws leave of the measurements, and of the balance."""
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure

    lines, mu = solution["mu"].grid(81)
    x, y = np.meshgrid(lines["x"], lines["y"], indexing="ij")
    u, v = solution.u(x=x, y=y), solution.v(x=x, y=y)
    left = 1000 * solution.evaluate(along, x=x, y=y)
    drive = 1000 * solution.evaluate(lambda h, h_x: DRIVE * h * h_x, x=x, y=y)
    fig = Figure(figsize=(14, 6.4), layout="constrained")
    axes = fig.subplots(2, 3)
    most = float(np.max(np.abs(left)))
    panels = [
        (axes[0, 0], "Speed, and the way of the ice", "m a year", 1000 * np.hypot(u, v), {"cmap": "cividis"}),
        (axes[0, 1], "Viscosity", "Pa s", PASCAL_SECONDS * mu.value, {"cmap": "viridis", "norm": LogNorm()}),
        (axes[0, 2], "Its error bar", "% of it", 100 * mu.sd / mu.value, {"cmap": "magma", "norm": LogNorm()}),
        (
            axes[1, 2],
            f"Left of the balance (drive: {np.sqrt(np.mean(drive**2)):.2g} kPa)",
            "kPa",
            left,
            {"cmap": "RdBu_r", "vmin": -most, "vmax": most},
        ),
    ]
    for ax, title, unit, values, style in panels:
        shown = ax.pcolormesh(x, y, values, shading="gouraud", rasterized=True, **style)
        fig.colorbar(shown, ax=ax, label=unit, shrink=0.7)
        ax.set(title=title)
    axes[0, 0].streamplot(lines["x"], lines["y"], u.T, v.T, color="white", linewidth=0.5, density=0.8, arrowsize=0.7)
    for ax, name, unit, data in zip(axes[1], ("u", "h"), ("m a year", "m"), solution.problem.data, strict=False):
        place = {axis: data.columns[axis] for axis in ("x", "y")}
        missed = 1000 * (data.columns[name] - solution.evaluate(name, **place))
        most = 3 * float(np.std(missed))
        shown = ax.scatter(*place.values(), c=missed, s=12, cmap="PuOr", vmin=-most, vmax=most)
        fig.colorbar(shown, ax=ax, label=unit, extend="both", shrink=0.7)
        ax.set(title=f"Measured {name} less the fit")
    for ax in axes.ravel():
        ax.set(xlabel="x in km", ylabel="y in km", aspect="equal")
    return fig, axes[0, 1]
