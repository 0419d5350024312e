"""The piece of a chain that the study of motifs is given: from a file, from a held-out native, or an ideal helix."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput
from ..fields.equivariant import Frames
from ..proteins import Backbone, ideal_cb, read, secondary_structure
from ._base import Effort, Request
from ._sequence_wish import helix
from .backbone import chains

LEAST, ROOM = 4, 20
"""Residues of a motif, and of what is left to grow around it."""
TURNS = 12
"""Residues of the helix that is taken where no file is given."""


class Given(NamedTuple):
    """N, CA, C, O and CB as they came, A, and whence."""

    xyz: Float[np.ndarray, "m 5 3"]
    sequence: str
    said: str

    def __len__(self) -> int:
        return len(self.xyz)

    def frames(self) -> Frames:
        n, ca, c = (jnp.asarray(self.xyz[:, k]) for k in range(3))
        return Frames.from_points(n, ca, c)

    def inside(self) -> Float[np.ndarray, "m 5 3"]:
        """The atoms in their residues' own frames: what a rigid motion of the frames keeps, bonds as they came."""
        frames = self.frames()
        off = self.xyz - np.asarray(frames.origin)[:, None]
        return np.einsum("mji,maj->mai", np.asarray(frames.rotation, float), off)


def given(request: Request) -> Given:
    """By the options `file`, `residues` and `chain`."""
    word = request.options.get("file")
    if word is None:
        for name in ("residues", "chain"):
            if name in request.options:
                raise BadInput(f"--set {name} says what of a file is kept; add --set file=FILE.pdb.")
        return held_out(request) or of(Backbone(helix(TURNS)), "an ideal helix")
    if "residues" not in request.options:
        raise BadInput(f"--set file={word}: say which residues are kept, such as --set residues=20-30.")
    return out_of_file(Path(word), request.options["residues"], request.options.get("chain"))


def of(backbone: Backbone, said: str) -> Given:
    xyz = np.asarray(backbone.xyz, float)
    ideal = np.asarray(ideal_cb(xyz))
    cb = ideal if backbone.cb is None else np.where(np.isfinite(backbone.cb), np.asarray(backbone.cb, float), ideal)
    return Given(np.concatenate([xyz, cb[:, None]], axis=1), backbone.sequence, said)


def out_of_file(path: Path, residues: str, chain: str | None) -> Given:
    first, _, last = residues.partition("-")
    if not (first.isdigit() and last.isdigit() and int(first) < int(last)):
        raise BadInput(f"--set residues={residues}: the first and the last are meant as the file numbers them, 20-30.")
    begin, end = int(first), int(last)
    backbones, report = read(path, chains=None if chain is None else [chain])
    for each in backbones:
        at = {int(number): k for k, number in enumerate(each.numbers)}
        if begin in at and end in at:
            part = each[at[begin] : at[end] + 1]
            if len(part) < LEAST:
                raise BadInput(f"--set residues={residues}: a motif has {LEAST} residues and more; {len(part)} came.")
            return of(part, f"residues {begin} to {end} of chain {each.chain} of {path.name}")
    have = "; ".join(f"{each.chain} {each.numbers[0]} to {each.numbers[-1]}" for each in backbones)
    raise BadInput(
        f"--set residues={residues}: {path.name} has no unbroken stretch with both; it has {have} ({report})."
    )


def held_out(request: Request) -> Given | None:
    """The middle of the longest helix of a native that was not trained on, where they are at hand."""
    if request.effort is Effort.QUICK:
        return None
    found = chains()
    if found is None:
        return None
    held = found[1]
    rng = np.random.default_rng(request.seed)
    for k in rng.permutation(len(held)).tolist():
        letters = secondary_structure(held[k].xyz, held[k].sequence)
        if (begin := letters.find("H" * TURNS)) >= 0:
            return of(held[k][begin : begin + TURNS], f"a helix of a held-out native, residues {begin + 1} and on")
    return None
