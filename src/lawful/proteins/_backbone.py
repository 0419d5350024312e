"""A protein's main chain."""

from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from .._core.messages import BadInput, listing, shown
from .._core.once import being_traced

AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"
ATOMS = ("N", "CA", "C", "O")


class Backbone(eqx.Module):
    """An unbroken main chain: N, CA, C and O of L residues, in angstrom.

        Backbone(xyz)                        poly-alanine, numbered from 1
        Backbone(xyz, "MKV...", chain="A")

    xyz        (L, 4, 3): N, CA, C, O of each residue.
    sequence   one letter a residue, of the twenty amino acids; alanine throughout where none is given.
    cb, sg     (L, 3): beta carbon and the sulphur of cysteine where they are known; NaN in residues without.
    chain      the chain's name.
    numbers    residue numbers, 1 to L by default.
    codes      insertion codes, one character a residue (a space for none).

    Raises `BadInput` for wrong shapes, coordinates that are not finite, other letters, numbers in nanometres.
    """

    xyz: Float[Array | np.ndarray, "L 4 3"]
    cb: Float[Array | np.ndarray, "L 3"] | None
    sg: Float[Array | np.ndarray, "L 3"] | None
    numbers: Int[np.ndarray, " L"]
    sequence: str = eqx.field(static=True)
    chain: str = eqx.field(static=True)
    codes: str = eqx.field(static=True)

    def __init__(
        self,
        xyz: Float[Array | np.ndarray, "L 4 3"],
        sequence: str | None = None,
        *,
        cb: Float[Array | np.ndarray, "L 3"] | None = None,
        sg: Float[Array | np.ndarray, "L 3"] | None = None,
        chain: str = "A",
        numbers: Int[np.ndarray, " L"] | Sequence[int] | None = None,
        codes: str | None = None,
    ):
        if np.ndim(xyz) != 3 or np.shape(xyz)[1:] != (4, 3) or not len(xyz):
            raise BadInput(f"a backbone needs coordinates (residues, 4, 3): N, CA, C and O; {np.shape(xyz)} came.")
        length = len(xyz)
        self.xyz, self.cb, self.sg = xyz, cb, sg
        self.sequence = "A" * length if sequence is None else str(sequence)
        self.chain = chain
        self.numbers = np.arange(1, length + 1) if numbers is None else np.asarray(numbers, dtype=int)
        self.codes = " " * length if codes is None else codes
        for name, given in (
            ("sequence", len(self.sequence)),
            ("numbers", len(self.numbers)),
            ("codes", len(self.codes)),
            ("cb", length if cb is None else len(cb)),
            ("sg", length if sg is None else len(sg)),
        ):
            if given != length:
                raise BadInput(f"a backbone of {length} residues has as many entries in `{name}`, but {given} came.")
        strange = sorted(set(self.sequence) - set(AMINO_ACIDS))
        if strange:
            raise BadInput(f"a sequence has the letters {AMINO_ACIDS}, but {listing(map(repr, strange))} came.")
        if not being_traced(xyz):
            check_coordinates(np.asarray(xyz))

    def __len__(self) -> int:
        return len(self.xyz)

    def __getitem__(self, chosen: slice) -> Backbone:
        """A stretch of it."""
        if not isinstance(chosen, slice) or chosen.step not in (None, 1):
            raise BadInput(f"a stretch of a backbone is backbone[start:stop], but {shown(chosen)} came.")
        return Backbone(
            self.xyz[chosen],
            self.sequence[chosen],
            cb=None if self.cb is None else self.cb[chosen],
            sg=None if self.sg is None else self.sg[chosen],
            chain=self.chain,
            numbers=self.numbers[chosen],
            codes=self.codes[chosen],
        )

    @property
    def ca(self) -> Float[Array | np.ndarray, "L 3"]:
        """The alpha carbons."""
        return self.xyz[:, 1]


def check_coordinates(xyz: Float[np.ndarray, "L 4 3"]) -> None:
    bad = np.argwhere(~np.isfinite(xyz).all(axis=-1))
    if len(bad):
        residue, atom = bad[0]
        raise BadInput(
            f"{len(bad)} positions are not finite, the first of atom {ATOMS[atom]} in row {residue}; leave such"
            " residues out, or read the file with proteins.read, which does."
        )
    bond = float(np.median(np.linalg.norm(xyz[:, 1] - xyz[:, 0], axis=-1)))
    if 0.1 < bond < 0.2:
        raise BadInput(f"N-CA bonds of {bond:.3f} look like nanometres; coordinates are in angstrom: multiply by 10.")


def padded(
    backbones: Sequence[Backbone], length: int | None = None
) -> tuple[Float[np.ndarray, "chains length 4 3"], Bool[np.ndarray, "chains length"]]:
    """Coordinates of several backbones as one array, and which of its rows are residues; the others are zero."""
    if not backbones:
        raise BadInput("no backbones were given.")
    longest = max(map(len, backbones))
    room = longest if length is None else length
    if longest > room:
        raise BadInput(f"a backbone has {longest} residues, more than the length {room} that was asked for.")
    xyz = np.zeros((len(backbones), room, 4, 3))
    mask = np.zeros((len(backbones), room), dtype=bool)
    for k, backbone in enumerate(backbones):
        xyz[k, : len(backbone)], mask[k, : len(backbone)] = backbone.xyz, True
    return xyz, mask
