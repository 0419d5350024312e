"""Protein backbones that grow around a given piece: a helix, or any stretch of a file, kept exactly.

At each step of the generator of `backbone` the given residues are laid where the network sees them, by the rigid motion
that fits best, and put in place of its answer: the rest of the chain forms around them. In the end the rest is relaxed
while they stay, to the bit. Their atoms are those of the file, bonds and angles as they came, moved as one body.

Beside it, from the same noise: unguided chains, relaxed alike, where the same residues are looked at; how many come
within 1 A of the piece by chance is what rejection would keep. Whether the piece was kept is measured on the PDB files
by other code, and a chain is sound where its rest has no broken bond, usual torsions, no more clashes than natives and
a compact form. These are scores of geometry, not of designability: nothing here says that a sequence folds so.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool

from .._core.messages import BadInput
from .._core.record import Account, Drawing, Section, Status, Table
from ..fields.equivariant import Frames
from ..guidance import Energy, Term
from ..proteins import Backbone, Keep, Motif, ScoreSheet, compactness, picture, scores
from ..proteins._reading import BREAK, extra
from . import _chains_judge as judge
from ._base import Outcome, Request
from ._chains import NATURAL, USUAL, Maker, clashes_per_100, favoured, maker, mean_of, proportion, shown, steered
from ._motif_source import ROOM, Given, given
from ._pdb import pdb_files, pdb_text
from ._scored import beside_natives
from .backbone import LABEL

SUMMARY = "backbones around a given helix or any stretch of a PDB file, which is kept exactly"
OPTIONS = {
    "file": "a PDB or mmCIF file with the piece; a helix of a held-out native, or an ideal one, by default",
    "residues": "of the file to be kept, as it numbers them, such as 20-30",
    "chain": "of the file; the first that has the residues by default",
    "length": "residues of the whole, 40 to 128; 60 by default (40 at quick effort)",
    "at": "where in the new chain the piece begins, from 1; in the middle by default",
    "count": "backbones; 16 by default (3 at quick effort, 200 at best)",
    "steps": "from noise to protein; 40 by default (8 at quick effort)",
    "weights": "a file of weights to draw from, in place of those that come with the package",
}
KEPT = 2e-3
"""A: the largest distance that the three digits of a file leave."""
NEAR = 1.0
"""A: a piece that came out by chance."""
SHARE = 0.5
"""How many chains should be sound around the piece."""
COMPACT = 1.25
"""Of 2.2 L^0.38 A, at most for a sound chain."""


class Case(NamedTuple):
    maker: Maker
    given: Given
    at: int

    @property
    def places(self) -> range:
        return range(self.at, self.at + len(self.given))

    @property
    def motif(self) -> Motif:
        return Motif(self.places, self.given.frames().map(lambda x: x.astype(jnp.float32)))

    def held(self) -> Bool[np.ndarray, " n"]:
        return np.isin(np.arange(self.maker.real(1).shape[1]), self.places)


class Chain(NamedTuple):
    """What is said of one: the piece's largest distance and rmsd from what was given, and whether the rest is sound."""

    backbone: Backbone
    off: float
    rmsd: float
    usual: float
    clashes: float
    longest: float
    compact: float

    @property
    def amiss(self) -> dict[str, bool]:
        """Each test of soundness that may fail, and whether it does."""
        return {
            "broken": bool(self.longest > BREAK),
            "unusual torsions": bool(self.usual < USUAL),
            "clashes": bool(self.clashes > NATURAL),
            "not compact": bool(self.compact > COMPACT),
        }

    @property
    def sound(self) -> bool:
        return not any(self.amiss.values())


def run(request: Request) -> Outcome:
    extra()
    begin = time.monotonic()
    case, count = asked(request)
    start = case.maker.noise(count, request.seed)
    energy = Energy(motif=Term(case.motif))
    # With the piece and without it by the same compiled code.
    keep = lambda on: [Keep(case.motif, jnp.asarray(on))]
    led, plain = (
        steered(case.maker.flow(), energy, keep(on), start, request.seed, progress=request.progress)
        for on in (True, False)
    )
    held = jnp.asarray(case.held())
    room = case.maker.roomy()
    kept = case.maker.relaxed(led, room, held=held)
    free = case.maker.relaxed(plain, room, held=jnp.zeros_like(held))
    ways = {"kept": looked_at(case, with_given(case, kept)), "unguided": looked_at(case, built(case, free))}
    drawn = looked_at(case, with_given(case, led))
    sheets = {name: scores([each.backbone for each in some], seed=request.seed) for name, some in ways.items()}
    numbers = {
        "rmsd": max(each.rmsd for each in ways["kept"]),
        "off": max(each.off for each in ways["kept"]),
        "rmsd_before_relaxation": max(each.rmsd for each in drawn),
        "sound": proportion([each.sound for each in ways["kept"]]),
        "sound_unguided": proportion([each.sound for each in ways["unguided"]]),
        "amiss": {name: amiss(some) for name, some in ways.items()},
        "by_chance": proportion([each.rmsd <= NEAR for each in ways["unguided"]]),
        "rest": {name: rest(some) for name, some in ways.items()},
        "scores": {name: sheet.to_json() for name, sheet in sheets.items()},
        "unlike": sheets["kept"].unlike(),
        "motif": {"source": case.given.said, "residues": len(case.given), "at": case.at + 1},
        "length": case.maker.length,
        "backbones": count,
        "seconds": time.monotonic() - begin,
    }
    return told(numbers, case, ways["kept"], sheets)


def asked(request: Request) -> tuple[Case, int]:
    length = request.count("length", request.pick(40, 60), 40, 128)
    count = request.count("count", request.pick(3, 16, 200), 1, 4096)
    piece = given(request)
    most = length - ROOM
    if len(piece) > most:
        raise BadInput(
            f"the piece has {len(piece)} residues, and a chain of {length} keeps {ROOM} for the rest: give a stretch of"
            f" at most {most}, or a greater length."
        )
    last = length - len(piece) + 1
    at = request.count("at", (length - len(piece)) // 2 + 1, 1, 128)
    if at > last:
        raise BadInput(f"--set at={at}: a piece of {len(piece)} residues begins at 1 to {last} in a chain of {length}.")
    return Case(maker(request, length), piece, at - 1), count


# the chains


def built(case: Case, frames: Frames) -> list[Backbone]:
    return case.maker.backbones(frames, letters(case))


def with_given(case: Case, frames: Frames) -> list[Backbone]:
    """The given residues with the atoms that came, each moved with its frame."""
    inside, at = case.given.inside(), list(case.places)
    found = []
    for k, each in enumerate(built(case, frames)):
        rotation, origin = (np.asarray(x[k, at], float) for x in (frames.rotation, frames.origin))
        atoms = np.einsum("mij,maj->mai", rotation, inside) + origin[:, None]
        xyz, cb = np.array(each.xyz, float), np.full((len(each), 3), np.nan)
        xyz[at], cb[at] = atoms[:, :4], atoms[:, 4]
        found.append(Backbone(xyz, each.sequence, cb=cb))
    return found


def letters(case: Case) -> str:
    """Alanines, with the letters that came."""
    before, after = case.at, case.maker.length - case.at - len(case.given)
    return "A" * before + case.given.sequence + "A" * after


def looked_at(case: Case, backbones: Sequence[Backbone]) -> list[Chain]:
    """The piece from the text of each PDB file, the rest by its scores."""
    outside = ~case.held()[1 : case.maker.length - 1]
    usual = favoured(backbones)[:, outside].mean(axis=1)
    clashes = clashes_per_100(backbones)
    found = []
    for k, each in enumerate(backbones):
        chain = judge.chains_of(pdb_text(each))["A"]
        here = np.stack([[chain.at(place, name) for name in ("N", "CA", "C", "O")] for place in case.places])
        motion = judge.superposed(case.given.xyz[:, :4].reshape(-1, 3), here.reshape(-1, 3))
        bonds = np.linalg.norm(chain.only("N")[1:] - chain.only("C")[:-1], axis=1)
        compact = float(compactness(np.asarray(each.ca, float)))
        found.append(Chain(each, motion.off, motion.rmsd, usual[k], clashes[k], float(bonds.max()), compact))
    return found


def amiss(some: Sequence[Chain]) -> dict[str, float]:
    """The share of chains that fails each test of soundness."""
    each = [one.amiss for one in some]
    return {name: float(np.mean([one[name] for one in each])) for name in each[0]}


def rest(some: Sequence[Chain]) -> dict:
    column = lambda name: mean_of(np.array([getattr(each, name) for each in some], float))
    return {
        "ramachandran_favoured": column("usual"),
        "clashes_per_100": column("clashes"),
        "longest_bond": column("longest"),
        "rg_ratio": column("compact"),
    }


# telling it


def status_of(numbers: dict) -> Status:
    if numbers["off"] > KEPT:
        return Status(False, f"the piece is off by {numbers['off']:.4f} A", "as asked for")
    share = numbers["sound"]["value"]
    reason = f"the piece is kept within {numbers['off']:.4f} A in the files, the rest of {share:.0%} is sound"
    return Status(share >= SHARE, f"{reason} (goal {SHARE:.0%})", "as asked for")


def unlike(names: Sequence[str]) -> str:
    return f"unlike natives in {', '.join(name.replace('_', ' ') for name in names)}" if names else "like natives"


def told(numbers: dict, case: Case, kept: Sequence[Chain], sheets: dict[str, ScoreSheet]) -> Outcome:
    status = status_of(numbers)
    both, wrong = numbers["rest"], numbers["amiss"]
    rows = [
        ("sound around the piece", shown(numbers["sound"]), shown(numbers["sound_unguided"])),
        *((f"not: {name}", f"{wrong['kept'][name]:.3f}", f"{wrong['unguided'][name]:.3f}") for name in wrong["kept"]),
        *((name.replace("_", " "), shown(both["kept"][name]), shown(both["unguided"][name])) for name in both["kept"]),
    ]
    piece = f"{len(case.given)} residues at {case.at + 1}"
    table = Table((f"{case.maker.length} residues", f"with the {piece} kept", "unguided"), tuple(rows))
    quality = beside_natives("whole chains", sheets)
    sentences = (
        f"Given: {case.given.said}. In the files it lies within {numbers['off']:.4f} A of what came (rmsd"
        f" {numbers['rmsd']:.4f} A; they keep 0.001 A); by chance {numbers['by_chance']['value']:.0%} of the unguided"
        f" chains have it within {NEAR:g} A.",
        f"Sound: no bond above {BREAK:g} A, {USUAL:.0%} of the rest's torsions favoured, at most {NATURAL:g} clashes"
        f" per 100 residues, Rg at most {COMPACT:g} of 2.2 L^0.38 A. Both are relaxed alike, which holds bonds,"
        " torsions and clashes: that these are sound is no independent evidence.",
        f"The whole chains are {unlike(numbers['unlike'])}; the bonds and angles of the piece are its own.",
        LABEL,
    )
    order = sorted(kept, key=lambda each: (not each.sound, each.clashes, -each.usual))[:8]
    says = [f"{each.clashes:.1f} clashes per 100, {each.usual:.0%} favoured" for each in order]
    draw = lambda: picture([each.backbone for each in order], says, marked=list(case.places))
    section = Section(
        "Around a given piece", (str(status), *sentences), (table, quality),
        (Drawing("backbones", "Those with the fewest clashes, the given piece in green.", draw),),
    )  # fmt: skip
    main = Account(status, numbers["seconds"], (section,), "SE(3) flow with a piece put into every answer")
    text = "\n".join([*table.lines(), "", *quality.lines(), "", *sentences])
    files = pdb_files({f"motif_{k + 1:03d}": each.backbone for k, each in enumerate(kept)})
    return Outcome(numbers, status, text, main, figures={"backbones": draw}, files=files)
