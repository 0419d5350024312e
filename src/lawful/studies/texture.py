"""Which texture lets a bearing pad carry its load with the least friction? A free form, against dimples.

    min F(d)  subject to  W(d) >= load,  0 <= d <= 5 um,    d free in each of n x n cells

A square pad of 10 mm stands 5 um above a wall that slides by at 2 m/s in oil of 0.01 Pa s, grooves at ambient pressure
all around; its texture may be up to as deep again. The film ruptures and reforms (JFO), friction is that on the moving
wall, where the part 1 - theta of a broken film shears. The thinnest film is the same for all, and friction over load is
never made small: that is smallest where a pad carries nothing.

1. Rivals: thousands of random dimples and, harder to beat, of random pockets that are open at the inlet.
2. Direct design: adjoint gradients of the solver, linear programs, several starts.
3. A surrogate, an ensemble of neural operators, learns load, friction, pressure and their gradients of random textures;
   it walks downhill, its winners are simulated, and from there on it is anchored to the simulator.
4. The same surrogate without gradients, and when the surrogate pays: after how many designs.
5. The winner on grids twice and four times as fine. And a check: between endless neighbours the best texture must be
   that of one dimension, of which an independent program knows the friction.
"""

from __future__ import annotations

import math
import time
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput
from .._core.precision import in_float64
from .._core.record import Account, Animation, Drawing, Section, Status, Table
from ..design import (
    Best,
    Dataset,
    Goal,
    Improved,
    Score,
    Simulator,
    Surrogate,
    generate,
    improve,
    linear_programs,
    operator,
    optimise,
    scores,
    train,
    waves,
)
from . import _pad as pads
from . import _texture_pictures as pictures
from ._base import Outcome, Request
from ._bearings import rayleigh
from ._pad import DEEPEST, FRICTION, GAP, LOAD, Pad

SUMMARY = "the texture of least friction for a load, by adjoint and by surrogate, against random dimples and pockets"
OPTIONS = {
    "load": "what the pad must carry, N; 20 by default",
    "cells": "along each side, even; 24 by default (16 at quick effort)",
    "feature": "the finest detail, by the side; 0.1 by default",
    "designs": "random textures that the surrogate learns from; 800 by default (90 at quick effort)",
}

SCALARS = ("load", "friction")
ENDLESS = (0.10, 0.61449)  # load and least friction of a pad between endless neighbours, h <= 2, in units of the film


class Rival(NamedTuple):
    """The best of random tries that carry the load."""

    name: str
    tries: int
    carrying: int
    load: float
    friction: float
    depth: Float[np.ndarray, "n n"]


class Learned(NamedTuple):
    surrogate: Surrogate
    score: dict[str, Score]
    blind: dict[str, Score] | None
    """Of the same surrogate, trained without gradients; not at quick effort."""
    test: Dataset
    data: Dataset
    guesses: Float[np.ndarray, " designs"]


@in_float64
def run(request: Request) -> Outcome:
    begin = time.monotonic()
    load = request.number("load", 20.0)
    n = request.count("cells", request.pick(16, 24, 32), 8, 128)
    feature = request.number("feature", 0.1)
    designs = request.count("designs", request.pick(90, 800, 2000), 40)
    refuse(load, n, feature)
    pad = Pad(n, feature=feature)
    simulator = Simulator(pad.simulate, pad.space, slopes=SCALARS)
    goal = Goal("friction", {"load": (load, None)})
    rivals = [
        tried(pad, load, "dimples", request.pick(200, 2000), request.seed),
        tried(pad, load, "pocket", request.pick(50, 500), request.seed),
    ]
    flat = np.full((1, pad.space.size), 0.5)
    wedge = np.repeat(np.linspace(1.0, 0.0, n), n)[None]
    starts = np.concatenate([flat, wedge, waves(pad.space, request.pick(1, 3), request.seed + 1)])
    simulator.sample(starts[0])  # compiles
    clock = time.monotonic()
    simulator.calls = 0
    direct = optimise(simulator, goal, starts, linear_programs(most=request.pick(40, 120), finest=1e-3))
    direct_seconds = time.monotonic() - clock
    learned = learn(pad, simulator, request, designs)
    clock = time.monotonic()
    found = improve(
        learned.surrogate, simulator, goal, starts,
        usual={name: learned.score[name].sd for name in SCALARS},
        most=request.pick(10, 30), close=1e-4,
        walker=linear_programs(most=request.pick(30, 60), finest=1e-3, better=1e-7),
    )  # fmt: skip
    pay = break_even(learned, direct, found, direct_seconds, time.monotonic() - clock)
    unit = best_of(direct, found, goal)
    finer = refined(pad, unit, request.pick((1, 2), (1, 2, 4)))
    endless = between_neighbours(n) if request.pick(False, True) else None
    findings = Findings(pad, load, rivals, direct, learned, found, pay, unit, finer, endless)
    return told(request, findings, time.monotonic() - begin)


def refuse(load: float, n: int, feature: float) -> None:
    most = LOAD * rayleigh(min(1 + DEEPEST / GAP, 1 + math.sqrt(3) / 2))
    if load >= most:
        raise BadInput(
            f"--set load={load:g}: no pad of this size carries {most:.0f} N, not even between endless neighbours; ask"
            " for less, such as load=20."
        )
    if n % 2:
        raise BadInput(f"--set cells={n}: the surrogate looks at cells in pairs; give an even number, such as {n + 1}.")
    if feature * n < 1.5 or feature > 0.5:
        raise BadInput(
            f"--set feature={feature:g}: a detail must be at least one and a half of {n} cells and at most half of the"
            f" pad; give cells={2 * math.ceil(0.75 / min(feature, 0.5))} or more, or a feature from"
            f" {1.5 / n:.3f} to 0.5."
        )


def tried(pad: Pad, load: float, name: str, tries: int, seed: int) -> Rival:
    """Random tries of a family of shapes, the best that carries the load; the one that carries most where none does."""
    rng = np.random.default_rng(seed)
    make = {"dimples": pads.dimples, "pocket": pads.pocket}[name]
    depths = [DEEPEST * make(pad.n, lambda low, high: float(rng.uniform(low, high))) for _ in range(tries)]
    found = [pad.solved(depth) for depth in depths]
    loads, frictions = (np.array([float(each[key]) for each in found]) for key in SCALARS)
    carries = loads >= load
    best = int(np.argmin(np.where(carries, frictions, np.inf)) if carries.any() else np.nanargmax(loads))
    return Rival(name, tries, int(carries.sum()), float(loads[best]), float(frictions[best]), depths[best])


def learn(pad: Pad, simulator: Simulator, request: Request, designs: int) -> Learned:
    """Two in nine textures are held out: one to set the error bars, one to judge."""
    units = waves(pad.space, designs, request.seed + 2)
    data = generate(simulator, units, progress=request.progress)
    rest, test = data.split(max(len(data) // 9, 10))
    learned, held = rest.split(max(len(data) // 9, 10))
    build = operator(
        pad.view, width=request.pick(8, 16, 24), depth=request.pick(2, 3), periodic=(False, pad.endless), patch=2
    )
    settings = {
        "held_out": held,
        "members": request.pick(2, 2, 4),
        "passes": request.pick(10, 32, 120),
        "seed": request.seed,
        "progress": request.progress,
    }
    blind = None
    if request.pick(False, True):
        blind = scores(train(pad.space, learned.without_slopes(), build, **settings), test)
    surrogate = train(pad.space, learned, build, **settings)
    guesses = np.asarray(surrogate.guesses(test.units)["friction"].value)
    return Learned(surrogate, scores(surrogate, test), blind, test, data, guesses)


class Pay(NamedTuple):
    """What one design costs each way, and after how many designs the data and the training are paid back; None where
    they never are."""

    direct: tuple[int, float]
    by_surrogate: tuple[int, float]
    spent: tuple[int, float]
    designs: float | None
    designs_in_time: float | None


def break_even(learned: Learned, direct: Best, found: Improved, direct_seconds: float, seconds: float) -> Pay:
    spent = len(learned.data) + len(learned.data.failures), learned.data.seconds + learned.surrogate.seconds
    ways = (direct.solves, direct_seconds), (found.simulations, seconds)
    saved = [dear - cheap for dear, cheap in zip(*ways, strict=True)]
    paid = [cost / gain if gain > 0 else None for cost, gain in zip(spent, saved, strict=True)]
    return Pay(*ways, spent, paid[0], paid[1])


def best_of(direct: Best, found: Improved, goal: Goal) -> np.ndarray:
    """The better of both ways, which must carry the load."""
    samples = [(direct.walk.sample, direct.unit), (found.sample, found.unit)]
    carrying = [each for each in samples if goal.kept(each[0].values)] or samples
    return min(carrying, key=lambda each: float(each[0].values["friction"]))[1]


def refined(pad: Pad, unit: np.ndarray, times: tuple[int, ...]) -> list[dict[str, float]]:
    """The same texture with each cell divided."""
    depth = np.asarray(pad.depth(jnp.asarray(unit.reshape(pad.n, pad.n))))
    rows = []
    for k in times:
        found = pad.solved(np.kron(depth, np.ones((k, k))))
        rows.append({"cells": pad.n * k, **{name: float(found[name]) for name in ("load", "friction", "peak")}})
    return rows


def between_neighbours(n: int) -> dict[str, float]:
    """Least friction of a pad that has neighbours without end, in units of the film: known from one dimension."""
    pad, (load, reference) = Pad(n, endless=True, feature=0.0), ENDLESS
    simulator = Simulator(pad.simulate, pad.space, slopes=SCALARS)
    goal = Goal("friction", {"load": (load * LOAD, None)})
    best = optimise(simulator, goal, np.full((1, n * n), 0.5), linear_programs(most=80, finest=1e-3))
    friction = float(best.walk.sample.values["friction"]) / FRICTION
    return {"friction": friction, "reference": reference, "gap": friction / reference - 1}


class Findings(NamedTuple):
    """All that was found. `unit`: the better design of both ways; `finer`: what becomes of it, its own grid first."""

    pad: Pad
    load: float
    rivals: list[Rival]
    direct: Best
    learned: Learned
    found: Improved
    pay: Pay
    unit: np.ndarray
    finer: list[dict[str, float]]
    endless: dict[str, float] | None

    @property
    def failures(self) -> list[str]:
        return [*(f.reason for f in self.learned.data.failures), *self.direct.failures, *self.found.failures]

    @property
    def frictions(self) -> tuple[float, float]:
        """By adjoint, by surrogate."""
        return float(self.direct.walk.sample.values["friction"]), float(self.found.sample.values["friction"])

    def lower_than(self, rival: Rival) -> float | None:
        """By which part the free form's friction is lower; None where the rival carries nothing."""
        return 1 - self.finer[0]["friction"] / rival.friction if rival.carrying else None

    @property
    def luckiest(self) -> float | None:
        """The least friction among the random free forms that were learned from and carry the load."""
        values = self.learned.data.values
        carrying = values["friction"][values["load"] >= self.load]
        return float(carrying.min()) if carrying.size else None

    def depth(self, unit: np.ndarray) -> Float[np.ndarray, "n n"]:
        return np.asarray(self.pad.depth(jnp.asarray(unit.reshape(self.pad.n, self.pad.n))))


def told(request: Request, all_: Findings, seconds: float) -> Outcome:
    best, fine = all_.finer[0], all_.finer[-1]
    carries = best["load"] >= all_.load * (1 - 1e-5)
    steady = abs(fine["friction"] / best["friction"] - 1) < 0.01 and abs(fine["load"] / best["load"] - 1) < 0.02
    good = carries and steady and all_.found.kept
    reason = "the load is carried, and finer grids agree" if good else "see the load, and the finer grids"
    status, lines = Status(good, reason, "trusted"), sentences(all_)
    table = Table(
        ("design", "load / N", "friction / N", "of a flat pad"),
        tuple(
            (name, f"{w:.3f}", f"{f:.5f}", f"{100 * f / FRICTION:.1f} %")
            for name, w, f in (
                ("free form", best["load"], best["friction"]),
                *((f"best {r.name}", r.load, r.friction) for r in all_.rivals),
            )
        ),
    )
    depths = {"free form": all_.depth(all_.unit)} | {f"best {r.name}": r.depth for r in all_.rivals}
    shown = {name: pictures.Shown.of(all_.pad.solved(depth)) for name, depth in depths.items()}
    draw = lambda: pictures.designs(shown)
    learned = all_.learned
    fit = lambda: pictures.fit(learned.test.values["friction"], learned.guesses, learned.score["friction"])
    flat = next(w for w in all_.direct.walks if np.ptp(w.path[0]) == 0)
    gif = pictures.walk([all_.depth(u) for u in flat.path], request.pick(12, 60))
    section = Section(
        "The texture of least friction", tuple(lines), (table,),
        (
            Drawing("texture", "Depth, pressure and cavities of the free form and of its rivals.", draw),
            Drawing("surrogate", "Friction of textures that the surrogate has not seen.", fit),
            Animation("walk", "From a flat pad downhill, by the adjoint.", gif),
        ),
    )  # fmt: skip
    account = Account(status, seconds, (section,), "linear programs on adjoint and learned gradients; JFO cavitation")
    figures = {"texture": draw, "surrogate": fit}
    text = "\n".join(lines)
    return Outcome(numbers_of(all_), status, text, account, figures=figures, files={"walk.gif": gif})


def sentences(all_: Findings) -> list[str]:
    best, fine, (dimples, pocket) = all_.finer[0], all_.finer[-1], all_.rivals
    direct, found, learned, (exact, learnt) = all_.direct, all_.found, all_.learned, all_.frictions
    percent = lambda part: "none of them carries the load" if part is None else f"{100 * part:.1f} % lower"
    first, lacks = found.winners[0], found.winners[0].simulated.get("load", math.nan) / all_.load - 1
    lines = [
        f"free form: friction {best['friction']:.5f} N at {best['load']:.3f} N (a flat pad: {FRICTION:.3f} N, and no"
        f" load); on {fine['cells']} x {fine['cells']} cells {fine['friction']:.5f} N at {fine['load']:.3f} N",
        f"best of {dimples.tries} random dimples, {dimples.carrying} of which carry the load: {dimples.friction:.5f} N;"
        f" the free form is {percent(all_.lower_than(dimples))}",
        f"best of {pocket.tries} random inlet pockets, {pocket.carrying} of which carry it: {pocket.friction:.5f} N;"
        f" the free form is {percent(all_.lower_than(pocket))}",
        f"best of {len(learned.data)} random free forms that the surrogate learned from: {said(all_.luckiest)}",
        f"direct by adjoint {exact:.5f} N in {direct.solves} solves ({len(direct.walks)} starts); by surrogate"
        f" {learnt:.5f} N in {found.simulations} simulations ({found.reason}); its first bare winner was off by"
        f" {100 * first.gap:+.2f} % of friction, and carried {100 * lacks:+.1f} % against what was asked",
        f"surrogate on {len(learned.test)} unseen textures: {quality(learned.score)}; pressure R2"
        f" {learned.score['pressure'].r2:.3f}; {100 * learned.score['friction'].within:.0f} % within one sd",
        *([f"the same surrogate without gradients: {quality(learned.blind)}"] if learned.blind else []),
        paid(all_.pay),
    ]
    if all_.endless:
        lines.append(
            f"between endless neighbours: {all_.endless['friction']:.5f} in units of the film,"
            f" {all_.endless['reference']} from one dimension, {100 * all_.endless['gap']:+.3f} %"
        )
    failures = all_.failures
    return [*lines, f"{len(failures)} simulations failed" + (f"; the first: {failures[0]}" if failures else "")]


def said(friction: float | None) -> str:
    return "none of them carries the load" if friction is None else f"{friction:.5f} N"


def quality(score: dict[str, Score]) -> str:
    f, w = score["friction"], score["load"]
    return (
        f"friction off by {100 * f.median:.2f} % (median), R2 {f.r2:.4f}, gradients' cosine {f.cosine:.4f}; load R2"
        f" {w.r2:.4f}, cosine {w.cosine:.4f}"
    )


def numbers_of(all_: Findings) -> dict:
    pay, found, learned, (exact, learnt) = all_.pay, all_.found, all_.learned, all_.frictions
    return {
        "load": all_.finer[0]["load"],
        "friction": all_.finer[0]["friction"],
        "friction_flat": FRICTION,
        "refined": all_.finer,
        "rivals": {
            r.name: {
                "tries": r.tries,
                "carrying": r.carrying,
                "load": r.load,
                "friction": r.friction,
                "free_form_lower_by": all_.lower_than(r),
            }
            for r in all_.rivals
        },
        "best_random_free_form": all_.luckiest,
        "adjoint": {"friction": exact, "solves": all_.direct.solves, "seconds": pay.direct[1]},
        "by_surrogate": {
            "friction": learnt,
            "load": float(found.sample.values["load"]),
            "simulations": found.simulations,
            "seconds": pay.by_surrogate[1],
            "winners": [{"predicted": v.predicted, "simulated": v.simulated} for v in found.winners],
        },
        "surrogate": {name: each.record() for name, each in learned.score.items()},
        "surrogate_without_gradients": learned.blind and {name: each.record() for name, each in learned.blind.items()},
        "break_even": {
            "simulations_spent": pay.spent[0],
            "designs": pay.designs,
            "seconds_spent": pay.spent[1],
            "designs_in_time": pay.designs_in_time,
        },
        "endless": all_.endless,
        "failures": all_.failures,
    }


def paid(pay: Pay) -> str:
    """When the surrogate pays, said as it is."""
    after = lambda designs, unit: f"never in {unit}" if designs is None else f"after {designs:.1f} designs in {unit}"
    return (
        f"a design costs {pay.direct[0]} solves and {pay.direct[1]:.1f} s by the adjoint, {pay.by_surrogate[0]} and"
        f" {pay.by_surrogate[1]:.1f} s by the surrogate, which took {pay.spent[0]} simulations and {pay.spent[1]:.0f} s"
        f" to learn: it pays {after(pay.designs, 'simulations')}, {after(pay.designs_in_time, 'time')}"
    )
