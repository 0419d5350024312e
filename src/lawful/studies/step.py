"""What slider carries a load with the least friction? Gradient descent from a flat film finds Rayleigh's step.

    min F(h)  subject to  W(h) >= load,  1 <= h <= 2,    h free in each of 120 cells

All in units of the smallest film h0: W in mu U L^2/h0^2 and F in mu U L/h0 per width, on the moving wall. Nothing is
said of a step. Load and friction come from the thin-film solver, their gradients in all 120 thicknesses from one
transposed solve each (the adjoint), and sequential linear programming does the rest, from several starts; the flat
film, which carries nothing, is the first. Never is F/W made small: it is smallest where the load passes through zero.
Films stay full here, as in the reference: a flat one is on the brink of rupture everywhere, where no gradient holds.

The winner is computed again on a grid three times as fine. References are the optima of an independent program on the
same 120 cells, where the load is one that it was computed for, and Rayleigh's best step with h <= 2 in closed form.
"""

from __future__ import annotations

import math
import time
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.optimize import brentq, linprog

from .._core.messages import BadInput
from .._core.precision import in_float64
from .._core.record import Account, Animation, Drawing, Section, Status, Table
from ..lubrication import Film, Grid, NoCavitation, flow
from ..report import BLUE, INK, SKY, VERMILLION
from ._base import Outcome, Request
from ._bearings import best_place, rayleigh, stepped_load
from ._film import film as moving_picture

SUMMARY = "the slider of least friction for its load, found from a flat film by gradients: Rayleigh's step"
OPTIONS = {
    "load": "load to be carried, in mu U L^2/h0^2; 0.15 by default, at most 0.206 is possible",
    "by": "where gradients come from: adjoint",
    "high": "the thickest film that is allowed, in h0; 2 by default",
}

CELLS = 120
PLACES = (np.arange(CELLS) + 0.5) / CELLS
PENALTY = 5.0  # of a lacking load, above what friction a load costs
FINEST = 1e-5
OPTIMA = {0.10: 0.61449, 0.15: 0.68909, 0.20: 0.79891}
"""Least friction by load on 120 cells with 1 <= h <= 2, by an independent program."""


@eqx.filter_jit
def carried(height: Float[Array, " cells"]) -> tuple[Array, Array, Array, Array]:
    """Load and friction, and the gradients of both."""

    def both(h: Array) -> tuple[Array, Array]:
        found = flow(Film(Grid(len(h), 1.0), h, 1.0, 1.0, cavitation=NoCavitation()))
        return found.load, found.friction

    values, back = jax.vjp(both, height)
    one, none = jnp.ones(()), jnp.zeros(())
    return *values, back((one, none))[0], back((none, one))[0]


class Walk(NamedTuple):
    """Films on the way, with the load and the friction of the last."""

    heights: list[np.ndarray]
    load: float
    friction: float
    reason: str
    solves: int


def descend(start: np.ndarray, load: float, high: float, steps: int) -> Walk:
    """Linear programs within a radius that grows where they keep their word: most cells end at a bound, where such a
    program puts them at once. A film that cannot carry the load yet is lifted as far as the radius lets it."""
    h, heights, radius, solves = start, [start], 0.2, 1
    w, f, w_slope, f_slope = (np.asarray(each) for each in carried(jnp.asarray(h)))
    cost = lambda w, f: f + PENALTY * max(load - w, 0.0)
    while radius > FINEST and solves < steps:
        low, up = np.maximum(1.0 - h, -radius), np.minimum(high - h, radius)
        most = w + np.where(w_slope > 0, up, low) @ w_slope
        lacks = min(load, most - 1e-12) - w
        move = linprog(f_slope, A_ub=-w_slope[None], b_ub=[-lacks], bounds=np.stack([low, up], 1), method="highs").x
        trial = h if move is None else np.clip(h + move, 1.0, high)
        there = tuple(np.asarray(each) for each in carried(jnp.asarray(trial)))
        solves += 1
        if cost(there[0], there[1]) < cost(w, f) - 1e-10:
            h, (w, f, w_slope, f_slope), radius = trial, there, min(1.5 * radius, 0.3)
            heights.append(h)
        else:
            radius /= 2
    reason = f"no step longer than {FINEST:g} helps" if radius <= FINEST else f"{steps} solves are spent"
    return Walk(heights, float(w), float(f), reason, solves)


def starts(count: int, high: float, seed: int) -> list[np.ndarray]:
    """Flat, a wedge, then random waves."""
    rng = np.random.default_rng(seed)
    line = np.linspace(high, 1.0, CELLS)
    first = [np.full(CELLS, 0.5 * (1 + high)), line]
    waves = lambda: sum(rng.normal() * np.cos(np.pi * k * PLACES) / k for k in range(1, 5))
    return [*first, *(np.clip(0.5 * (1 + high) + 0.25 * waves(), 1.0, high) for _ in range(count - 2))][:count]


def greatest_load(high: float) -> float:
    """What Rayleigh's step carries, which no film between 1 and `high` exceeds."""
    return rayleigh(min(high, 1 + math.sqrt(3) / 2))


def best_step(load: float, high: float) -> tuple[float, float]:
    """Place and friction of the step of height `high` that carries the load, the longer of the two: the thick part has
    less friction."""
    carries = lambda a: stepped_load(high, a) - load
    a = float(brentq(carries, best_place(high), 1 - 1e-9))  # type: ignore[arg-type]
    return a, a / high + 1 - a + load * (high - 1)


@in_float64
def run(request: Request) -> Outcome:
    begin = time.monotonic()
    load, high = request.number("load", 0.15), request.number("high", 2.0)
    by = request.options.get("by", "adjoint")
    if by == "surrogate":
        raise BadInput("--set by=surrogate: there is no surrogate of thin films yet; use by=adjoint, which is exact.")
    request.choice("by", ("adjoint",))
    if high <= 1:
        raise BadInput(f"--set high={high:g}: the thickest film must be above the thinnest, 1; such as high=2.")
    most = greatest_load(high)
    if load > most:
        cure = "ask for less, or for a smaller h0" if high > 1.87 else "ask for less, or allow a larger 'high'"
        raise BadInput(f"--set load={load:g}: no film from 1 to {high:g} carries more than {most:.4f}; {cure}.")
    walks = [
        descend(start, load, high, request.pick(120, 400)) for start in starts(request.pick(2, 5), high, request.seed)
    ]
    best = min((w for w in walks if w.load >= load * (1 - 1e-7)), key=lambda w: w.friction, default=walks[0])
    # Three fine cells for each: an independent look at what the coarse ones miss.
    again = tuple(float(each) for each in carried(jnp.asarray(np.repeat(best.heights[-1], 3)))[:2])
    return told(request, walks, best, again, load, high, time.monotonic() - begin)


def told(request, walks, best: Walk, again, load: float, high: float, seconds: float) -> Outcome:
    place, stepped = best_step(load, high)
    listed = next((f for w, f in OPTIMA.items() if high == 2 and math.isclose(w, load)), None)
    reference = stepped if listed is None else listed
    spread = max(w.friction for w in walks) / min(w.friction for w in walks) - 1
    gap = again[1] / reference - 1
    carries = best.load >= load * (1 - 1e-7) and again[0] >= load * (1 - 1e-3)
    good = carries and gap < 1e-3 and spread < 1e-3
    solved = sum(w.solves for w in walks)
    reason = f"{len(walks)} starts agree to {spread:.1e} and carry the load" if good else "see load, gap and spread"
    status = Status(good, reason, "trusted")
    numbers = {
        "load": best.load,
        "friction": best.friction,
        "load_simulated": again[0],
        "friction_simulated": again[1],
        "reference": reference,
        "gap": gap,
        "best_step": {"friction": stepped, "place": place, "height": high},
        "flat_film": 2 / (1 + high),
        "spread_of_starts": spread,
        "starts": [{"load": w.load, "friction": w.friction, "solves": w.solves, "stop": w.reason} for w in walks],
    }
    kind = "the independent optimum" if listed else "Rayleigh's best step in closed form"
    lines = [
        f"least friction {best.friction:.6f} at the load {best.load:.6f}; on a grid three times as fine"
        f" {again[1]:.6f} at {again[0]:.6f}",
        f"{kind}: {reference:.6f}, gap {100 * gap:+.4f} %; Rayleigh's best step has {stepped:.6f}",
        f"{len(walks)} starts agree to {spread:.1e}; {solved} solves with both gradients in {seconds:.1f} s",
    ]
    table = Table(
        ("start", "load", "friction", "solves"),
        tuple(
            (name, f"{w.load:.6f}", f"{w.friction:.6f}", str(w.solves))
            for name, w in zip(("flat", "wedge", *["waves"] * len(walks)), walks, strict=False)
        ),
    )
    draw = lambda: figure(walks[0], best, place, high)
    gif = animation(walks[0], request.pick(12, 60))
    section = Section(
        "The film of least friction", tuple(lines), (table,),
        (
            Drawing("step", "The film and its pressure; the way from a flat film is pale.", draw),
            Animation("walk", "From a flat film to a step.", gif),
        ),
    )  # fmt: skip
    account = Account(status, seconds, (section,), "sequential linear programming on adjoint gradients")
    return Outcome(numbers, status, "\n".join(lines), account, figures={"step": draw}, files={"walk.gif": gif})


def pressure(height: np.ndarray) -> np.ndarray:
    with jax.enable_x64(True):
        film = Film(Grid(CELLS, 1.0), jnp.asarray(height), 1.0, 1.0, cavitation=NoCavitation())
        return np.asarray(flow(film).pressure)


def figure(walk: Walk, best: Walk, place: float, high: float):
    from matplotlib.figure import Figure

    fig = Figure(figsize=(8.5, 3.6), layout="constrained")
    left, right = fig.subplots(1, 2)
    for h in walk.heights[:: max(1, len(walk.heights) // 12)]:
        left.step(PLACES, h, where="mid", color=SKY, lw=0.8, alpha=0.6)
    left.step(PLACES, best.heights[-1], where="mid", color=BLUE, label="found")
    left.plot([0, place, place, 1], [high, high, 1, 1], "--", color=VERMILLION, label="best step of Rayleigh's")
    left.set(xlabel="x / L", ylabel="film / h0", ylim=(0, None), title="moving wall slides to the right")
    left.legend(loc="lower left")
    right.plot(PLACES, pressure(best.heights[-1]), color=BLUE)
    right.plot(PLACES, pressure(np.where(place > PLACES, high, 1.0)), "--", color=VERMILLION)
    right.set(xlabel="x / L", ylabel="pressure h0² / μ U L")
    right.axhline(0, color=INK, lw=0.8)
    return fig, (left, right)


def animation(walk: Walk, frames: int) -> bytes:
    from matplotlib.figure import Figure

    fig = Figure(figsize=(4.8, 3.2), layout="constrained")
    ax = fig.subplots()
    shown = [walk.heights[i] for i in np.unique(np.geomspace(1, len(walk.heights), frames).astype(int) - 1)]
    ax.set(xlabel="x / L", ylabel="film / h0", xlim=(0, 1), ylim=(0, 1.15 * max(float(h.max()) for h in shown)))
    (line,) = ax.step(PLACES, shown[0], where="mid", color=BLUE)

    def draw(i: int) -> None:
        line.set_ydata(shown[i])

    return moving_picture(fig, draw, len(shown), rate=8.0)
