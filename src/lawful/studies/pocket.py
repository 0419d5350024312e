"""Binders into pockets: a backbone of 40 to 80 residues finds its place against a receptor, and is judged there.

    p(pose) exp(-E(pose)),   E = overlap of atoms - residues in contact

A rigid backbone has six degrees of freedom. It begins turned at random, brought in until it touches near the middle of
the native interface, and walks by Langevin steps that become smaller, turns included, in a population that is thinned
and multiplied by its energy; the best are relaxed to rest. The receptor is two fields on a grid: how deep a point lies
inside its atoms, how many of its residues an atom there would touch.

1. Each resting pose is judged from the atoms themselves, in double precision and apart from the fields: the largest
   overlap of van der Waals spheres (the binder's N, CA, C, O and CB; all heavy atoms of the receptor), at most 0.4 A,
   and pairs of residues with atoms within 5 A, at least as many as natives have in the median, by the same count.
2. Beside it: as many random first touches, the best of which is taken by the same judge.

Real receptors are complexes of the docking benchmark 5 with their natives taken out (LAWFUL_DATA); none of them served
to choose anything here but the two that did and are left out. Only the place is theirs: the native binder is not seen.
At quick effort, or without data, the receptor is a groove of five helices made in code, the native a sixth in it.

Binders are bundles of three ideal helices, or (`--set binders=generated`) backbones out of noise by the weights of
`backbone`. Geometry only: no side chains of the binder beyond CB, no affinity.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from .._core.messages import BadInput
from .._core.record import Account, Drawing, Section, Status, Table
from ..fields.equivariant import Frames
from ..guidance import Constant, Particles, Pull, guided, relax
from ..proteins import (
    Backbone,
    Fit,
    Placing,
    Schedule,
    fit,
    generate,
    ideal_cb,
    load,
    placed,
    pose_energy,
    radius_of_gyration,
    spheres_of,
    surroundings,
)
from ..proteins._reading import extra
from ..proteins._weights import skeleton
from . import backbone as backbones
from ._base import Effort, Outcome, Request
from ._pdb import pdb_files
from ._pocket_cases import MADE, RESIDUES, Case, cases
from ._pocket_picture import picture
from ._sequence_wish import bundle

SUMMARY = "binders into pockets: rigid backbones placed against real receptors by steered particles, judged apart"
OPTIONS = {
    "receptors": "how many complexes (8; 60 at best effort), or 0 for the receptor made here",
    "count": "poses of a population (256; 64 at quick effort)",
    "binders": "bundle (three helices) or generated (out of noise)",
    "length": "residues of a binder, a range that is gone through evenly (40-80)",
}
OVERLAP = 0.4
GOAL = 0.8
REACH, STEP = 38.0, 1.0
RELAXED = 16


class Pose(NamedTuple):
    frames: Frames
    fit: Fit


class Placed(NamedTuple):
    """A case and a binder: random first touches, and what rests."""

    case: Case
    binder: Backbone
    starts: list[Pose]
    rests: list[Pose]
    effective: float
    seconds: float


def run(request: Request) -> Outcome:
    extra()  # what reads the files
    begin = time.monotonic()
    word = request.options.get("receptors")
    wanted = 0 if word == "0" else request.count("receptors", request.pick(0, 8, 60) or 1, 1, 180)
    chosen = cases(0 if request.effort is Effort.QUICK and word is None else wanted, request.seed)
    if wanted and word is not None and chosen[0].name == MADE:
        raise BadInput(
            f"--set receptors={word}: the complexes were not found; set LAWFUL_DATA to the folder of pockets/."
        )
    count = request.count("count", request.pick(64, 256), 8, 4000)
    steps = request.pick(40, 80, 120)
    found = []
    for k, (case, binder) in enumerate(zip(chosen, binders(request, len(chosen)), strict=True)):
        found.append(put(case, binder, count, steps, request.seed + k))
    return told(found, time.monotonic() - begin)


def binders(request: Request, count: int) -> list[Backbone]:
    """One for each receptor, of lengths from short to long."""
    word = request.options.get("length", f"40-{RESIDUES}")
    first, _, last = word.partition("-")
    last = last or first
    if not (first.isdigit() and last.isdigit() and 40 <= int(first) <= int(last) <= RESIDUES):
        raise BadInput(f"--set length={word}: residues from 40 to {RESIDUES} are meant, such as 40-80 or 60.")
    lengths = [round(length) for length in np.linspace(int(first), int(last), count)]
    if request.choice("binders", ("bundle", "generated")) == "generated":
        denoiser, _ = load(backbones.WEIGHTS, skeleton(backbones.network))
        return generate(denoiser, lengths, seed=request.seed, schedule=Schedule(steps=request.pick(5, 60)))
    return [bundled(length) for length in lengths]


def bundled(length: int) -> Backbone:
    """Three helices with so many residues together: the last one shorter where they do not divide."""
    whole = bundle(-(-length // 3), 9.5)
    return Backbone(whole.xyz[:length])


def put(case: Case, binder: Backbone, count: int, steps: int, seed: int) -> Placed:
    begin = time.monotonic()
    body = spheres_of(binder, RESIDUES)
    around = surroundings(case.receptor, case.middle, REACH, STEP)
    lever = float(radius_of_gyration(np.asarray(binder.xyz)[:, 1]))
    process = Placing(body, around, jnp.asarray(case.middle), jnp.asarray(case.out), jnp.asarray(lever), steps=steps)
    energy = pose_energy(body, around)
    key = jax.random.key(seed)
    came = guided(process, energy, key, count, guides=[Pull(Constant(0.5), longest=2.0)], particles=Particles(0.3))
    at = lambda poses, k: jax.tree.map(lambda x: x[k], poses)
    order = np.argsort(sum(came.terms.values()), kind="stable")
    rests = [relax(process, energy, at(came.designs, int(k)), steps=60).design for k in order[:RELAXED]]
    first = jax.vmap(process.start)(jax.random.split(jax.random.fold_in(key, 1), count))
    judged = lambda pose: Pose(pose, fit(np.asarray(placed(body, pose)), body, case.receptor))
    return Placed(
        case,
        binder,
        [judged(at(first, k)) for k in range(count)],
        [judged(pose) for pose in rests],
        float(came.effective.min()) / count,
        time.monotonic() - begin,
    )


def best(poses: list[Pose]) -> Pose:
    """The most contacts of those that overlap by no more than allowed; the least overlap where none does."""
    return max(poses, key=lambda pose: (min(-pose.fit.overlap, -OVERLAP), pose.fit.contacts))


def told(found: list[Placed], seconds: float) -> Outcome:
    median = float(np.median([each.case.native.contacts for each in found]))
    meets = lambda pose: pose.fit.overlap <= OVERLAP and pose.fit.contacts >= median
    chosen, blind = [best(each.rests) for each in found], [best(each.starts) for each in found]
    satisfied, by_touch = (float(np.mean([meets(pose) for pose in poses])) for poses in (chosen, blind))
    rested = [pose for each in found for pose in each.rests]
    clear = float(np.mean([pose.fit.overlap <= OVERLAP for pose in chosen]))
    reason = (
        f"{satisfied:.0%} of {len(found)} receptors have a binder without overlap above {OVERLAP} A and with at least"
        f" the natives' median of {median:g} contacts (goal {GOAL:.0%})"
    )
    status = Status(satisfied >= GOAL, reason, "trusted")
    mean = lambda poses: float(np.mean([pose.fit.contacts for pose in poses]))
    numbers = {
        "satisfied": satisfied,
        "satisfied_by_touch": by_touch,
        "satisfied_of_all_poses": float(np.mean([meets(pose) for pose in rested])),
        "overlap": float(np.max([pose.fit.overlap for pose in chosen])),
        "without_overlap": clear,
        "contacts": mean(chosen),
        "contacts_by_touch": mean(blind),
        "native_contacts_median": median,
        "native_overlap_median": float(np.median([each.case.native.overlap for each in found])),
        "receptors": len(found),
        "effective": float(np.mean([each.effective for each in found])),
        "seconds": seconds,
        "each": [
            {
                "receptor": each.case.name, "binder_residues": len(each.binder), "overlap": pose.fit.overlap,
                "contacts": pose.fit.contacts, "native_contacts": each.case.native.contacts,
                "native_overlap": each.case.native.overlap, "seconds": each.seconds,
            }
            for each, pose in zip(found, chosen, strict=True)
        ],
    }  # fmt: skip
    rows = tuple(
        (
            each.case.name, str(len(each.binder)), f"{pose.fit.overlap:.2f}", str(pose.fit.contacts),
            str(each.case.native.contacts), f"{each.case.native.overlap:.2f}", str(touch.fit.contacts),
            "yes" if meets(pose) else "no", f"{each.seconds:.1f}",
        )
        for each, pose, touch in zip(found, chosen, blind, strict=True)
    )  # fmt: skip
    head = ("receptor", "residues", "overlap / A", "contacts", "native's", "native overlap", "by touch", "meets", "s")
    table = Table(head, rows)
    sentences = (
        f"Contacts in the mean {mean(chosen):.1f}; the best of as many random first touches {mean(blind):.1f}, which"
        f" meets both for {by_touch:.0%}.",
        "Geometry of rigid backbones: nothing here says that a binder binds.",
    )
    drawing = lambda: picture(found, chosen, median, OVERLAP)
    caption = "Overlap and contacts of first touches and of resting poses; a binder in its place."
    read = tuple(each.case.said for each in found)
    section = Section("Against receptors", (str(status), *sentences), (table,), (Drawing("poses", caption, drawing),))
    account = Account(
        status, seconds, (section, Section("What was read", read)), "particles and Langevin steps on turns and shifts"
    )
    text = "\n".join([*read, "", *table.lines(), "", *sentences])
    return Outcome(numbers, status, text, account, figures={"poses": drawing}, files=files(found, chosen))


def in_place(binder: Backbone, pose: Frames) -> Backbone:
    xyz = np.asarray(binder.xyz, dtype=float)
    middle = np.concatenate([xyz, np.asarray(ideal_cb(xyz))[:, None]], axis=1).mean(axis=(0, 1))
    return Backbone((xyz - middle) @ np.asarray(pose.rotation, dtype=float).T + np.asarray(pose.origin, dtype=float))


def files(found: list[Placed], chosen: list[Pose]) -> dict[str, bytes]:
    """A PDB file for each binder, in its receptor's frame."""
    return pdb_files({
        f"binder_{each.case.name}": in_place(each.binder, pose.frames)
        for each, pose in zip(found, chosen, strict=True)
    })  # fmt: skip
