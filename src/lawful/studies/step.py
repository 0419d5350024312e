"""What slider carries a load with the least friction? Gradient descent from a flat film finds Rayleigh's step.

    min F(h)  subject to  W(h) >= load,  1 <= h <= 2,    h free in each of 120 cells

All in units of the smallest film h0: W in mu U L^2/h0^2 and F in mu U L/h0 per width, on the moving wall. Nothing is
said of a step. Load and friction come from the thin-film solver, their gradients in all 120 thicknesses from one
transposed solve each (the adjoint), and sequential linear programming does the rest, from several starts; the flat
film, which carries nothing, is the first. Never is F/W made small: it is smallest where the load passes through zero.
Films stay full here, as in the reference: a flat one is on the brink of rupture everywhere, where no gradient holds.

With by=surrogate the walks go downhill on an ensemble of neural operators instead, which has learned loads, frictions
and their gradients of random films. Its winners are simulated, and from the best of them on it is anchored to the
simulator step by step. A film as cheap as this one does not need that, and the study says what it costs: it is how to
go about simulators that are dear.

The winner is computed again on a grid three times as fine. References are the optima of an independent program on the
same 120 cells, where the load is one that it was computed for, and Rayleigh's best step with h <= 2 in closed form.
"""

from __future__ import annotations

import math
import time
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.optimize import brentq

from .._core.messages import BadInput
from .._core.precision import in_float64
from .._core.record import Account, Animation, Drawing, Section, Status, Table
from ..design import Goal, Range, Simulator, Space, generate, improve, operator, optimise, scores, train, waves
from ..lubrication import Film, Flow, Grid, NoCavitation, flow
from ..report import BLUE, INK, SKY, VERMILLION
from ._base import Outcome, Request
from ._bearings import best_place, rayleigh, stepped_load
from ._film import film as moving_picture

SUMMARY = "the slider of least friction for its load, found from a flat film by gradients: Rayleigh's step"
OPTIONS = {
    "load": "load to be carried, in mu U L^2/h0^2; 0.15 by default, at most 0.206 is possible",
    "by": "where gradients come from: adjoint (of the solver) or surrogate (learned, every winner simulated)",
    "high": "the thickest film that is allowed, in h0; 2 by default",
}

CELLS = 120
PLACES = (np.arange(CELLS) + 0.5) / CELLS
OPTIMA = {0.10: 0.61449, 0.15: 0.68909, 0.20: 0.79891}
"""Least friction by load on 120 cells with 1 <= h <= 2, by an independent program."""


def film_of(height: Float[Array, " cells"]) -> Flow:
    return flow(Film(Grid(len(height), 1.0), height, 1.0, 1.0, cavitation=NoCavitation()))


def simulate(height: Float[Array, " cells"]) -> dict[str, Array]:
    found = film_of(height)
    return {"load": found.load, "friction": found.friction}


def view(height: Float[Array, " cells"]) -> Float[Array, "3 cells"]:
    """What friction and load are made of, each about as large as 1: a film, its shear and its resistance to flow."""
    return jnp.stack([height - 1.5, 1 / height - 0.7, 8 / height**3 - 2.5])


class Found(NamedTuple):
    """The film that was found, the films on the way from the flat one, and what is told of each start."""

    height: np.ndarray
    load: float
    friction: float
    way: list[np.ndarray]
    rows: list[dict]
    spread: float
    lines: list[str]
    numbers: dict


def by_adjoint(simulator: Simulator, goal: Goal, starts: np.ndarray) -> Found:
    best = optimise(simulator, goal, starts)
    heights = lambda walk: [np.asarray(simulator.space.design(u)["height"]) for u in walk.path]
    flat = next(walk for walk in best.walks if np.array_equal(walk.path[0], starts[0]))
    friction = [float(walk.sample.values["friction"]) for walk in best.walks]
    rows = [
        {"load": float(w.sample.values["load"]), "friction": f, "solves": w.solves, "stop": w.reason}
        for w, f in zip(best.walks, friction, strict=True)
    ]
    spread = max(friction) / min(friction) - 1
    said = f"{len(rows)} starts agree to {spread:.1e}; {best.solves} solves with both gradients"
    values = {name: float(value) for name, value in best.walk.sample.values.items()}
    return Found(heights(best.walk)[-1], values["load"], values["friction"], heights(flat), rows, spread, [said], {})


def by_surrogate(simulator: Simulator, goal: Goal, starts: np.ndarray, request: Request) -> Found:
    space = simulator.space
    data = generate(simulator, waves(space, request.pick(160, 400), seed=request.seed), progress=request.progress)
    learned, held = data.split(len(data) // 4)
    build = operator(view, width=request.pick(8, 16), depth=request.pick(2, 3), patch=request.pick(4, 1))
    surrogate = train(
        space, learned, build, held_out=held, members=request.pick(2, 3), passes=request.pick(30, 60),
        seed=request.seed, progress=request.progress,
    )  # fmt: skip
    score = scores(surrogate, held)
    usual = {name: each.sd for name, each in score.items()}
    found = improve(surrogate, simulator, goal, starts, usual=usual)
    heights = [np.asarray(space.design(u)["height"]) for u in found.path]
    rows = [
        {"load": w.simulated["load"], "friction": w.simulated["friction"], "predicted": w.predicted["friction"]}
        for w in found.winners
        if not w.failure
    ]
    f, simulations = score["friction"], found.simulations
    lines = [
        f"the surrogate learned {len(learned)} random films in {surrogate.seconds:.0f} s; on {len(held)} others:"
        f" friction off by {100 * f.median:.2f} % (median), R2 {f.r2:.4f}, gradients' cosine {f.cosine:.4f}; load R2"
        f" {score['load'].r2:.4f}, cosine {score['load'].cosine:.4f}",
        f"the best of its bare winners has {min(row['friction'] for row in rows):.6f} where it was simulated (off by"
        f" {100 * found.winners[0].gap:+.2f} %); anchored there, {simulations} simulations; {found.reason}",
        f"direct design by the adjoint takes some tens of solves a start and needs no data: the {len(data)} films that"
        " were learned from pay only where many designs are asked for, and a solve takes longer than a network",
    ]
    numbers = {
        "surrogate": {name: each.record() for name, each in score.items()},
        "winners": [{"predicted": w.predicted, "simulated": w.simulated} for w in found.winners],
        "failures": [*(failure.reason for failure in data.failures), *found.failures],
        "designs": len(data),
        "simulations": simulations,
        "training_seconds": surrogate.seconds,
    }
    values = {name: float(value) for name, value in found.sample.values.items()}
    way = [np.asarray(space.design(starts[0])["height"]), *heights]
    return Found(heights[-1], values["load"], values["friction"], way, rows, 0.0, lines, numbers)


def starts_of(space: Space, count: int, seed: int) -> np.ndarray:
    """Flat, a wedge, then random waves."""
    first = np.stack([np.full(CELLS, 0.5), np.linspace(1.0, 0.0, CELLS)])
    return np.concatenate([first, waves(space, count - 2, seed + 100)]) if count > 2 else first


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
    by = request.choice("by", ("adjoint", "surrogate"))
    if high <= 1:
        raise BadInput(f"--set high={high:g}: the thickest film must be above the thinnest, 1; such as high=2.")
    most = greatest_load(high)
    if load > most:
        cure = "ask for less, or for a smaller h0" if high > 1.87 else "ask for less, or allow a larger 'high'"
        raise BadInput(f"--set load={load:g}: no film from 1 to {high:g} carries more than {most:.4f}; {cure}.")
    space = Space(height=Range(1.0, high, (CELLS,)))
    simulator = Simulator(simulate, space, slopes=("load", "friction"))
    goal = Goal("friction", {"load": (load, None)})
    starts = starts_of(space, request.pick(2, 5), request.seed)
    found = by_adjoint(simulator, goal, starts) if by == "adjoint" else by_surrogate(simulator, goal, starts, request)
    # Three fine cells for each: an independent look at what the coarse ones miss.
    again = {name: float(value) for name, value in jax.jit(simulate)(np.repeat(found.height, 3)).items()}
    return told(request, found, again, load, high, by, time.monotonic() - begin)


def told(request, found: Found, again: dict[str, float], load: float, high: float, by: str, seconds: float) -> Outcome:
    place, stepped = best_step(load, high)
    listed = next((f for w, f in OPTIMA.items() if high == 2 and math.isclose(w, load)), None)
    reference = stepped if listed is None else listed
    gap = again["friction"] / reference - 1
    carries = found.load >= load * (1 - 1e-5) and again["load"] >= load * (1 - 1e-3)
    good = carries and gap < (1e-3 if by == "adjoint" else 1e-2) and found.spread < 1e-3
    reason = f"the load is carried, friction is within {100 * abs(gap):.4f} % of the reference"
    status = Status(good, reason if good else "see load, gap and spread", "trusted")
    numbers = {
        "by": by,
        "load": found.load,
        "friction": found.friction,
        "load_simulated": again["load"],
        "friction_simulated": again["friction"],
        "reference": reference,
        "gap": gap,
        "best_step": {"friction": stepped, "place": place, "height": high},
        "flat_film": 2 / (1 + high),
        "spread_of_starts": found.spread,
        "starts": found.rows,
        **found.numbers,
    }
    kind = "the independent optimum" if listed else "Rayleigh's best step in closed form"
    lines = [
        f"least friction {found.friction:.6f} at the load {found.load:.6f}; on a grid three times as fine"
        f" {again['friction']:.6f} at {again['load']:.6f}",
        f"{kind}: {reference:.6f}, gap {100 * gap:+.4f} %; Rayleigh's best step has {stepped:.6f}",
        *found.lines,
        f"all in {seconds:.1f} s",
    ]
    table = Table(
        ("start" if by == "adjoint" else "winner", "load", "friction"),
        tuple((str(i + 1), f"{r['load']:.6f}", f"{r['friction']:.6f}") for i, r in enumerate(found.rows)),
    )
    draw = lambda: figure(found.way, found.height, place, high)
    gif = animation(found.way, request.pick(12, 60))
    section = Section(
        "The film of least friction", tuple(lines), (table,),
        (
            Drawing("step", "The film and its pressure; films on the way are pale.", draw),
            Animation("walk", "From a flat film to a step.", gif),
        ),
    )  # fmt: skip
    method = "sequential linear programming on " + ("adjoint gradients" if by == "adjoint" else "a learned surrogate")
    account = Account(status, seconds, (section,), method)
    return Outcome(numbers, status, "\n".join(lines), account, figures={"step": draw}, files={"walk.gif": gif})


def pressure(height: np.ndarray) -> np.ndarray:
    with jax.enable_x64(True):
        return np.asarray(film_of(jnp.asarray(height)).pressure)


def figure(way: list[np.ndarray], best: np.ndarray, place: float, high: float):
    from matplotlib.figure import Figure

    fig = Figure(figsize=(8.5, 3.6), layout="constrained")
    left, right = fig.subplots(1, 2)
    for h in way[:: max(1, len(way) // 12)]:
        left.step(PLACES, h, where="mid", color=SKY, lw=0.8, alpha=0.6)
    left.step(PLACES, best, where="mid", color=BLUE, label="found")
    left.plot([0, place, place, 1], [high, high, 1, 1], "--", color=VERMILLION, label="best step of Rayleigh's")
    left.set(xlabel="x / L", ylabel="film / h0", ylim=(0, None), title="moving wall slides to the right")
    left.legend(loc="lower left")
    right.plot(PLACES, pressure(best), color=BLUE)
    right.plot(PLACES, pressure(np.where(place > PLACES, high, 1.0)), "--", color=VERMILLION)
    right.set(xlabel="x / L", ylabel="pressure h0² / μ U L")
    right.axhline(0, color=INK, lw=0.8)
    return fig, (left, right)


def animation(way: list[np.ndarray], frames: int) -> bytes:
    from matplotlib.figure import Figure

    fig = Figure(figsize=(4.8, 3.2), layout="constrained")
    ax = fig.subplots()
    shown = [way[i] for i in np.unique(np.geomspace(1, len(way), frames).astype(int) - 1)]
    ax.set(xlabel="x / L", ylabel="film / h0", xlim=(0, 1), ylim=(0, 1.15 * max(float(h.max()) for h in shown)))
    (line,) = ax.step(PLACES, shown[0], where="mid", color=BLUE)

    def draw(i: int) -> None:
        line.set_ydata(shown[i])

    return moving_picture(fig, draw, len(shown), rate=8.0)
