"""Who is near whom, as a table with one row an atom: the shape that a network wants."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from .._core.messages import BadInput
from ._near_list import NearList
from ._pairs import near_pairs
from ._structure import Structure


class Neighbours(NearList):
    """Row i holds the neighbours of atom i within the cutoff; what is left of the row is padding, marked in `real`.

    j       which atoms; padding points at atom 0.
    real    True where there is a neighbour. What padding holds cannot change an answer.
    shift   cells that j is moved by; None for a molecule.
    skin    A: neighbours are listed up to cutoff + skin, so that the list holds until atoms have moved by half of it.
    """

    j: Int[Array | np.ndarray, "*frames atoms room"]
    real: Bool[Array | np.ndarray, "*frames atoms room"]
    shift: Float[Array | np.ndarray, "*frames atoms room 3"] | None
    skin: float = eqx.field(static=True, default=0.0)

    @classmethod
    def of(
        cls,
        structure: Structure,
        cutoff: float,
        room: int | None = None,
        atoms: int | None = None,
        skin: float = 0.0,
    ) -> Neighbours:
        """Found on the host, images included.

        room    places in a row, by default as many as the fullest needs. Raises `BadInput` where that is not enough.
        atoms   rows, by default one an atom; more are padding.
        """
        pairs = near_pairs(structure, cutoff + skin)
        count, rows = len(structure), atoms or len(structure)
        i, j = np.concatenate([pairs.i, pairs.j]), np.concatenate([pairs.j, pairs.i])
        order = np.argsort(i, kind="stable")
        i, j = i[order], j[order]
        most = int(np.max(np.bincount(i, minlength=count), initial=0))
        places = most if room is None else room
        if most > places or count > rows:
            raise BadInput(
                f"an atom has {most} neighbours within {cutoff:g} A and {count} atoms are given, but there is room for"
                f" {places} and {rows}; give room={most}, atoms={count} or more."
            )
        place = np.arange(len(i)) - np.searchsorted(i, i)
        table, real = np.zeros((rows, places), dtype=np.int32), np.zeros((rows, places), dtype=bool)
        table[i, place], real[i, place] = j, True
        if pairs.shift is None:
            return cls(table, real, None, skin)
        shift = np.zeros((rows, places, 3))
        shift[i, place] = np.concatenate([pairs.shift, -pairs.shift])[order]
        return cls(table, real, shift, skin)

    @property
    def margin(self) -> float:
        return self.skin / 2

    @property
    def count(self) -> int:
        return self.j.shape[-1]

    def padded(self, room: int, cell: Float[np.ndarray, "3 3"] | None) -> Neighbours:
        """With more columns of padding."""
        extra = room - self.count
        if extra < 0:
            raise BadInput(f"rows of {self.count} neighbours do not fit in room={room}; give {self.count} or more.")
        wider = lambda x: np.pad(x, [(0, 0)] * (self.j.ndim - 1) + [(0, extra)] + [(0, 0)] * (x.ndim - self.j.ndim))
        return jax.tree.map(wider, self)

    def only(self, kept: Bool[np.ndarray, "*frames atoms room"]) -> Neighbours:
        """Those of the neighbours, in rows as short as they can be."""
        kept = kept & np.asarray(self.real)
        order = np.argsort(~kept, axis=-1, kind="stable")[..., : max(int(np.max(np.sum(kept, axis=-1))), 1)]
        take = lambda x: np.take_along_axis(np.asarray(x), order, axis=-1)
        shift = None if self.shift is None else np.take_along_axis(np.asarray(self.shift), order[..., None], axis=-2)
        return Neighbours(take(self.j), take(kept), shift, self.skin)

    def vectors(
        self, positions: Float[Array, "atoms 3"], cell: Float[Array, "3 3"] | None
    ) -> Float[Array, "atoms room 3"]:
        """From each atom to its neighbours, A; padding gets (1, 0, 0), so that its length has a slope."""
        apart = positions[self.j] - positions[:, None]
        if self.shift is not None and cell is not None:
            apart = apart + self.shift @ cell
        return jnp.where(self.real[..., None], apart, jnp.array([1.0, 0.0, 0.0], positions.dtype))
