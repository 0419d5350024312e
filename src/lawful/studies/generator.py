"""Textures on command: friction so much, at such a pressure, without yielding. Not the best design, but several.

    given  mu*, p*, feature    find textures with  mu(c; p*) = mu*,  film >= 0.1 um,  stress <= yield / 1.5

One face of a ring carries a texture that repeats itself around it, up to 2 um deep; the other face slides by at
2 m/s in oil of 0.02 Pa s. The film ruptures and reforms (JFO), rough faces touch where it is thin (Greenwood, Tripp)
and hinder its flow (Patir and Cheng); film and summits carry the pressure together, which sets the gap. White metal
must not yield below its surface. Both rims are at ambient pressure. Friction is that on the sliding face; a broken film
shears by its part that is fluid.

1. Makers learned from thousands of simulated textures: flow matching, also steered by physics at each of its steps; an
   adversarial network whose critic carries a differentiable calculator of friction, film, stress and feature; a plain
   one where it is trained; and, with nothing learned, the nearest known texture, the mean of two near ones, and any
   known one as a start.
2. What networks make is brought closer on a surrogate, which then says which are the best. From there on, and for
   known textures from the beginning, the simulator's own slopes correct texture and film together, one simulation a
   step; what does not become a hit is begun again from another start. The simulator's word at the pressure asked for
   alone counts. At quick effort the surrogate is left out, and the steered flow.
3. What no texture is known to do is refused, such as a friction below that of the free-form descent at this pressure.

The default is the maker that has the most hits that are new on targets none had seen: two known textures, crossed and
corrected. The networks, corrected too, are close behind; as they are, the one whose critic knows physics is the nearest
to what is asked for and the least various. Figures are in the benchmark of the same name.

Effort best with `--set keep=FOLDER` makes everything anew, simulations first, or goes on where it was killed; FOLDER
then holds `generator.npz`. `--set share=0.01` does a hundredth of all, to try it.
"""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from .._core.messages import BadInput
from .._core.precision import in_float64
from .._core.record import Account, Drawing, Section, Status, Table
from . import _generator_pictures as pictures
from ._base import Effort, Outcome, Request
from ._ring import DEEPEST, SAFETY, SIDE, YIELD, Ring
from ._ring_judge import Judge, Target, solved
from ._ring_shipped import Shipped, load
from ._ring_training import Course, trained
from ._ring_trials import BARE, DEFAULT, GUIDED, MENDED, Trial, makers, recipe_of, tried
from ._stl import stl

SUMMARY = (
    "textures on command: so much friction at such a pressure without yielding, several at once, each simulated again"
)
OPTIONS = {
    "friction": "the coefficient of friction asked for; 0.03 by default",
    "pressure": "what the ring carries on its face, MPa; 1.5 by default",
    "feature": "the smallest feature that may be made, by the side of a tile (1 mm); 0.09 by default",
    "count": "designs; 8 by default (4 at quick effort)",
    "keep": "at effort best: the folder of a training from nothing, which goes on there after a kill",
    "share": "at effort best, with keep: how much of the training is done, of what was done for what is shipped (1)",
}
FACE = 128  # points along a side of the solid


@in_float64
def run(request: Request) -> Outcome:
    begin = time.monotonic()
    shipped = source(request)
    target = Target(
        request.number("friction", 0.03), 1e6 * request.number("pressure", 1.5), request.number("feature", 0.09)
    )
    count = request.count("count", request.pick(4, 8, 24), 1, 200)
    refuse(target, shipped)
    least, low, high = shipped.attainable.at(target.pressure)
    if not least <= target.friction <= high:
        return refused(target, shipped, (least, low, high), time.monotonic() - begin)
    judge, every = Judge(Ring(32)), makers(shipped)
    asked = [target] * count
    quick = request.effort is Effort.QUICK
    trials = {
        name: tried(maker, MENDED if quick else recipe_of(name), asked, shipped.calculator, judge, request.seed)
        for name, maker in every.items()
        if not (quick and name == GUIDED)
    }
    bare = tried(every[DEFAULT], BARE, asked, shipped.calculator, judge, request.seed)
    return told(request, shipped, DEFAULT, target, trials, bare, (least, low, high), time.monotonic() - begin)


def source(request: Request) -> Shipped:
    """What is shipped, or what a training of one's own makes."""
    given = [name for name in ("keep", "share") if name in request.options]
    if given and request.effort is not Effort.BEST:
        raise BadInput(f"--set {given[0]} is for a training; add --effort best.")
    if given == ["share"]:
        raise BadInput("--set share is for a training; say where it is kept: --set keep=FOLDER.")
    if not given:
        return load()
    return trained(Path(request.options["keep"]), Course().part(request.number("share", 1.0)), request.progress)


def refuse(target: Target, shipped: Shipped) -> None:
    low, high = shipped.attainable.pressure[[0, -1]] / 1e6
    if not low <= target.pressure / 1e6 <= high:
        raise BadInput(
            f"--set pressure={target.pressure / 1e6:g}: simulations reach from {low:g} to {high:g} MPa; give a pressure"
            " between these."
        )
    if not 0.04 <= target.feature <= 0.25:
        raise BadInput(f"--set feature={target.feature:g}: give a size from 0.04 to 0.25 of the side of a tile.")


def reason_of(target: Target, bounds: tuple[float, float, float]) -> str:
    least, _, high = bounds
    at = f"at {target.pressure / 1e6:g} MPa"
    if target.friction < least:
        return (
            f"no texture is known to do that: {at} the best free form found has a friction of {least:.4f}, above"
            f" {target.friction:g}; ask for more friction or another pressure"
        )
    return (
        f"no texture is known to do that: {at} 99 in 100 of those that carry it without wear have a friction below"
        f" {high:.4f}, and {target.friction:g} was asked for"
    )


def refused(target: Target, shipped: Shipped, bounds: tuple[float, float, float], seconds: float) -> Outcome:
    reason = reason_of(target, bounds)
    status = Status(False, reason, "refused")
    atlas = drawn_atlas(shipped, target, [])
    section = Section("Refused", (reason,), (), (Drawing("atlas", "What simulated textures do.", atlas),))
    empty = {"friction_simulated": [], "valid": [], "hit_rate": None, "violations": {}, "diversity": {}, "rivals": {}}
    numbers = {"targets": [vars(target)], "attainable": attainable(bounds), "refused": reason, **empty}
    account = Account(status, seconds, (section,), "compared with simulated textures and the best free forms")
    return Outcome(numbers, status, reason, account, figures={"atlas": atlas})


def attainable(bounds: tuple[float, float, float]) -> dict[str, float]:
    return dict(zip(("free_form_best", "lowest_known", "highest_known"), bounds, strict=True))


def drawn_atlas(shipped: Shipped, target: Target, found: list[float]):
    known = shipped.library
    return lambda: pictures.atlas(
        known.pressure, known.friction, shipped.attainable, (target.friction, target.pressure), found
    )


def told(
    request: Request, shipped: Shipped, name: str, target: Target, trials: dict[str, Trial], bare: Trial,
    bounds: tuple[float, float, float], seconds: float,
) -> Outcome:  # fmt: skip
    main, library = trials[name], shipped.library
    finer = on_finer_grid(main, request.pick(0, 3, 8))
    records = {each: trial.record(library) for each, trial in trials.items()}
    rivals = {each: record for each, record in records.items() if each != name}
    numbers = {
        **records[name], "default": name, "bare": bare.record(library), "rivals": rivals, "finer": finer,
        "attainable": attainable(bounds),
    }  # fmt: skip
    part = float(main.hits.mean())
    good = part >= 0.5
    reason = f"{int(main.hits.sum())} of {len(main.hits)} designs are valid and within 5 % of the friction, simulated"
    status = Status(good, reason, "trusted")
    lines = [
        f"{name}: {reason}; median error {said(records[name]['median_error'])}",
        f"as it comes, without the surrogate's and the simulator's steps: {int(bare.hits.sum())} of {len(bare.hits)},"
        f" median error {said(bare.record(library)['median_error'])}",
        *(
            f"{each}: {int(trials[each].hits.sum())} of {len(trials[each].hits)}, median error"
            f" {said(record['median_error'])}, {record['simulations']} simulations"
            for each, record in rivals.items()
        ),
        "a grid twice as fine is not asked at quick effort"
        if finer["median_shift"] is None
        else f"on a grid twice as fine friction differs by {said(finer['median_shift'])} (median)",
        f"attainable at {target.pressure / 1e6:g} MPa: from {bounds[0]:.4f} (the best free form found)",
    ]
    ring = Ring(request.pick(32, 64))
    shown = [shown_of(ring, main, i) for i in range(len(main.targets))]
    draw = lambda: pictures.sheet(shown[:24], target.friction, target.pressure)
    atlas = drawn_atlas(shipped, target, [v.friction for v in main.verdicts if np.isfinite(v.friction)])
    table = Table(
        ("design", "friction", "stress / MPa", "film / um", "feature", "verdict"),
        tuple(
            (
                str(i), f"{v.friction:.5f}", f"{v.stress / 1e6:.1f} of {YIELD / SAFETY / 1e6:.0f}",
                f"{1e6 * v.gap:.3f}",
                f"{v.feature:.2f}", "hit" if v.hit(target) else ", ".join(v.violations(target)) or "missed",
            )
            for i, v in enumerate(main.verdicts)
        ),
    )  # fmt: skip
    section = Section(
        "Textures on command", tuple(lines), (table,),
        (
            Drawing("sheet", "Two tiles of each design, and the pressure on them.", draw),
            Drawing("atlas", "What was asked for among what is known.", atlas),
        ),
    )  # fmt: skip
    account = Account(status, seconds, (section,), f"{name}, corrected and judged by the simulator")
    files = {"designs.npz": as_npz(main, target), "card.json": json.dumps(shipped.card, indent=1).encode()}
    for i, texture in enumerate(main.textures):
        depth = np.asarray(Ring(FACE).depth(jnp.asarray(texture)))
        files[f"design-{i:02d}.stl"] = stl(depth, SIDE, 20 * DEEPEST)
    return Outcome(numbers, status, "\n".join(lines), account, figures={"sheet": draw, "atlas": atlas}, files=files)


def said(part: float | None) -> str:
    return "unknown" if part is None else f"{100 * part:.2f} %"


def on_finer_grid(trial: Trial, count: int) -> dict[str, Any]:
    """Friction of the first `count` valid designs with twice as many cells along each side."""
    judge, shifts = Judge(Ring(64)), []
    for i in np.flatnonzero(trial.valid)[:count]:
        fine = judge(trial.textures[i], trial.targets[i], trial.verdicts[i].gap)
        shifts.append(abs(fine.friction / trial.verdicts[i].friction - 1))
    finite = [float(s) for s in shifts if np.isfinite(s)]
    return {"cells": 64, "shifts": finite, "median_shift": float(np.median(finite)) if finite else None}


def shown_of(ring: Ring, trial: Trial, i: int) -> pictures.Shown:
    verdict, texture = trial.verdicts[i], jnp.asarray(trial.textures[i])
    depth = np.asarray(ring.depth(texture)) * 1e6
    over = np.zeros_like(depth)
    if np.isfinite(verdict.gap):
        over = np.asarray(solved(ring, texture, jnp.asarray(verdict.gap))["over"]) / 1e6
    return pictures.Shown(depth, over, verdict.friction, verdict.stress, bool(trial.hits[i]))


def as_npz(trial: Trial, target: Target) -> bytes:
    """Control points, depths in m on 64 x 64 cells, and the verdicts."""
    ring, buffer = Ring(64), io.BytesIO()
    depths = np.stack([np.asarray(ring.depth(jnp.asarray(c))) for c in trial.textures])
    verdicts = {n: np.array([getattr(v, n) for v in trial.verdicts]) for n in ("friction", "stress", "gap", "feature")}
    asked = {f"asked_{n}": np.array(x) for n, x in vars(target).items()}
    arrays: dict[str, Any] = {"controls": trial.textures, "depth": depths, "side": np.array(SIDE), **verdicts, **asked}
    np.savez(buffer, **arrays)
    return buffer.getvalue()
