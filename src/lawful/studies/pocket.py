"""Binders into pockets: backbones of 40 to 80 residues take their form against a receptor, and are judged there.

The generator of `backbone` is steered by the receptor's atoms at each of its steps: atoms of the predicted chain that
stand in them push, residues that could lie at its surface pull. In the end the chain is relaxed with both among its
terms. The receptor is two fields on a grid: how deep a point lies inside its atoms, how many of its residues an atom
there would touch.

1. Each binder is judged from the atoms themselves, in double precision and apart from the fields: the largest overlap
   of van der Waals spheres (the binder's N, CA, C, O and CB; all heavy atoms of the receptor), at most 0.4 A, and pairs
   of residues with atoms within 5 A, at least as many as natives have in the median, by the same count; and it must be
   a sound chain: no broken bond, usual torsions, no more clashes than natives. Of a receptor's chains the one with the
   most contacts is taken among those that are sound and do not overlap.
2. Beside it, from the same noise: chains that no receptor steered, relaxed alike, turned at random and brought in until
   they touch, the best of which is taken by the same judge; and what steering costs in torsions and clashes.

With `--set binders=bundle` (three ideal helices) or `generated` (out of noise) the binder stays rigid and finds its
place by Langevin steps of turns and shifts in a population that is thinned and multiplied by its energy.

Real receptors are complexes of the docking benchmark 5 with their natives taken out (LAWFUL_DATA); none of them served
to choose anything here but the two that did and are left out. Only the place is theirs: the native binder is not seen.
At quick effort, or without data, the receptor is a groove of five helices made in code, the native a sixth in it.

Geometry only: no side chains of the binder beyond CB, no affinity, no word on whether a sequence folds so.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .._core.messages import BadInput
from .._core.record import Account, Drawing, Section, Status, Table
from ..proteins import Backbone
from ..proteins._reading import BREAK, extra
from ._base import Effort, Outcome, Request
from ._chains import NATURAL, USUAL, clashes_per_100, favoured, maker, mean_of, shown
from ._pdb import pdb_files
from ._pocket_cases import MADE, RESIDUES, Placed, Pose, cases
from ._pocket_grown import grown
from ._pocket_picture import picture
from ._pocket_rigid import bundled, out_of_noise, put

SUMMARY = "binders into pockets: backbones grown against real receptors by physics at each step, judged apart"
OPTIONS = {
    "receptors": "how many complexes (8; 60 at best effort), or 0 for the receptor made here",
    "count": "chains grown for each receptor (16; 4 at quick effort), or poses of a rigid one (256; 64)",
    "binders": "grown (at the receptor), or rigid: bundle (three helices) or generated (out of noise)",
    "length": "residues of a binder, a range that is gone through evenly (40-80)",
    "steps": "of grown ones, from noise to protein; 40 by default (12 at quick effort)",
    "weights": "a file of weights to grow by, in place of those that come with the package",
}
OVERLAP = 0.4
GOAL = 0.8
KINDS = ("grown", "bundle", "generated")


class Form(NamedTuple):
    """How sound a chain is in itself."""

    favoured: float
    clashes: float
    longest: float

    @property
    def sound(self) -> bool:
        return self.favoured >= USUAL and self.clashes <= NATURAL and self.longest <= BREAK


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
    kind, lengths = request.choice("binders", KINDS), lengths_of(request, len(chosen))
    seeds = [request.seed + k for k in range(len(chosen))]
    if kind == "grown":
        count = request.count("count", request.pick(4, 16), 1, 4096)
        found = [
            grown(case, maker(request, length, quick=12), count, seed)
            for case, length, seed in zip(chosen, lengths, seeds, strict=True)
        ]
    else:
        count, steps = request.count("count", request.pick(64, 256), 8, 4096), request.pick(40, 80, 120)
        made = (
            [bundled(length) for length in lengths]
            if kind == "bundle"
            else out_of_noise(lengths, request.pick(5, 60), request.seed)
        )
        found = [put(case, binder, count, steps, seed) for case, binder, seed in zip(chosen, made, seeds, strict=True)]
    return told(found, kind, time.monotonic() - begin)


def lengths_of(request: Request, count: int) -> list[int]:
    """One for each receptor, from short to long."""
    word = request.options.get("length", f"40-{RESIDUES}")
    first, _, last = word.partition("-")
    last = last or first
    if not (first.isdigit() and last.isdigit() and 40 <= int(first) <= int(last) <= RESIDUES):
        raise BadInput(f"--set length={word}: residues from 40 to {RESIDUES} are meant, such as 40-80 or 60.")
    return [round(length) for length in np.linspace(int(first), int(last), count)]


# judging


def forms_of(some: Sequence[Backbone]) -> list[Form]:
    """Of chains of one length."""
    usual, clashing = favoured(some).mean(axis=1), clashes_per_100(some)
    longest = [np.linalg.norm(each.xyz[1:, 0] - each.xyz[:-1, 2], axis=1).max() for each in some]
    return [Form(*map(float, each)) for each in zip(usual, clashing, longest, strict=True)]


def best(poses: Sequence[Pose], good: Sequence[bool]) -> tuple[Pose, bool]:
    """The most contacts of those that are sound and overlap by no more than allowed, or else the least overlap."""
    order = lambda each: (each[1], min(-each[0].fit.overlap, -OVERLAP), each[0].fit.contacts)
    return max(zip(poses, good, strict=True), key=order)


def told(found: list[Placed], kind: str, seconds: float) -> Outcome:
    median = float(np.median([each.case.native.contacts for each in found]))
    meets = lambda pose, good: bool(good and pose.fit.overlap <= OVERLAP and pose.fit.contacts >= median)
    # A rigid binder is as sound as it came.
    asis = lambda poses: [True] * len(poses)
    forms = [forms_of([pose.binder for pose in each.rests]) for each in found if each.free]
    goods = [[form.sound for form in some] for some in forms] or [asis(each.rests) for each in found]
    chosen = [best(each.rests, good) for each, good in zip(found, goods, strict=True)]
    blind = [best(each.starts, asis(each.starts)) for each in found]
    satisfied, by_touch = (float(np.mean([meets(*each) for each in some])) for some in (chosen, blind))
    every = [meets(*each) for one, good in zip(found, goods, strict=True) for each in zip(one.rests, good, strict=True)]
    poses = [pose for pose, _ in chosen]
    mean = lambda some: float(np.mean([pose.fit.contacts for pose, _ in some]))
    whole = " and sound" if kind == "grown" else ""
    reason = (
        f"{satisfied:.0%} of {len(found)} receptors have a binder without overlap above {OVERLAP} A{whole}, with at"
        f" least the natives' median of {median:g} contacts (goal {GOAL:.0%})"
    )
    status = Status(satisfied >= GOAL, reason, "as asked for")
    numbers = {
        "satisfied": satisfied,
        "satisfied_by_touch": by_touch,
        "satisfied_of_all": float(np.mean(every)),
        "overlap": float(np.max([pose.fit.overlap for pose in poses])),
        "without_overlap": float(np.mean([pose.fit.overlap <= OVERLAP for pose in poses])),
        "contacts": mean(chosen),
        "contacts_by_touch": mean(blind),
        "native_contacts_median": median,
        "native_overlap_median": float(np.median([each.case.native.overlap for each in found])),
        "receptors": len(found),
        "binders": kind,
        **cost(found, forms),
        "seconds": seconds,
        "each": [
            {
                "receptor": each.case.name, "binder_residues": len(pose.binder), "overlap": pose.fit.overlap,
                "contacts": pose.fit.contacts, "native_contacts": each.case.native.contacts,
                "native_overlap": each.case.native.overlap, "sound": good, "seconds": each.seconds,
            }
            for each, (pose, good) in zip(found, chosen, strict=True)
        ],
    }  # fmt: skip
    rows = tuple(
        (
            each.case.name, str(len(pose.binder)), f"{pose.fit.overlap:.2f}", str(pose.fit.contacts),
            str(each.case.native.contacts), f"{each.case.native.overlap:.2f}", str(touch.fit.contacts),
            "yes" if meets(pose, good) else "no", f"{each.seconds:.1f}",
        )
        for each, (pose, good), (touch, _) in zip(found, chosen, blind, strict=True)
    )  # fmt: skip
    head = ("receptor", "residues", "overlap / A", "contacts", "native's", "native overlap", "by touch", "meets", "s")
    table = Table(head, rows)
    sentences = (
        f"Contacts in the mean {mean(chosen):.1f}; the best of {len(found[0].starts)} first touches"
        f" {mean(blind):.1f}, which meets all for {by_touch:.0%}. Of all binders made {np.mean(every):.0%} do.",
        *priced(numbers),
        "Geometry of backbones: nothing here says that a binder binds, or that a sequence folds so.",
    )
    drawing = lambda: picture(found, poses, median, OVERLAP)
    caption = "Overlap and contacts of first touches and of binders at rest; a binder in its place."
    read = tuple(each.case.said for each in found)
    section = Section("Against receptors", (str(status), *sentences), (table,), (Drawing("poses", caption, drawing),))
    how = "SE(3) flow steered by a receptor" if kind == "grown" else "particles and Langevin steps on turns and shifts"
    account = Account(status, seconds, (section, Section("What was read", read)), how)
    text = "\n".join([*read, "", *table.lines(), "", *sentences])
    files = pdb_files({
        f"binder_{each.case.name}": pose.binder for each, pose in zip(found, poses, strict=True)
    })  # in the receptor's frame  # fmt: skip
    return Outcome(numbers, status, text, account, figures={"poses": drawing}, files=files)


def cost(found: list[Placed], forms: list[list[Form]]) -> dict:
    """What steering costs in the chains themselves; of rigid ones how many particles went on."""
    if not forms:
        return {"effective": float(np.mean([each.effective for each in found if each.effective is not None]))}
    both = {
        "guided": [form for some in forms for form in some],
        "unguided": [form for each in found for form in forms_of(each.free)],
    }
    column = lambda name: {way: np.array([getattr(form, name) for form in some]) for way, some in both.items()}
    means = lambda name: {way: mean_of(values) for way, values in column(name).items()}
    return {
        "sound": {way: float(np.mean(values)) for way, values in column("sound").items()},
        "ramachandran_favoured": means("favoured"),
        "clashes_per_100": means("clashes"),
    }


def priced(numbers: dict) -> tuple[str, ...]:
    if "sound" not in numbers:
        return ()
    both = lambda name: " against ".join(shown(numbers[name][way]) for way in ("guided", "unguided"))
    share = numbers["sound"]
    return (
        f"What steering costs: {share['guided']:.0%} of the chains are sound, {share['unguided']:.0%} of the unguided;"
        f" favoured torsions {both('ramachandran_favoured')}, clashes per 100 residues {both('clashes_per_100')}.",
    )
