"""Pairs of atoms: who sees whom, found once on the host; distances follow the positions and the cell."""

from __future__ import annotations

import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._core.messages import BadInput
from ._images import images_within, within
from ._near_list import NearList
from ._structure import Structure


class Pairs(NearList):
    """Pairs i, j with the number of cells that j is moved by; each pair once, i and j in either order.

    In a periodic cell an atom also meets its own images, and others several times. Positions need not lie in the cell.

    cutoff   A: where whatever is summed over the pairs has to end, smoothly; infinite where all pairs are there.
    skin     A: pairs are listed up to cutoff + skin, so that none that counts is missing before atoms have moved by
             half of it.
    shift    whole cells; where nothing repeats None, or lengths in A, zero but for padding.
    """

    i: Int[np.ndarray | Array, "*replicas pairs"]
    j: Int[np.ndarray | Array, "*replicas pairs"]
    shift: Float[np.ndarray | Array, "*replicas pairs 3"] | None
    cutoff: float = eqx.field(static=True)
    skin: float = eqx.field(static=True, default=0.0)

    def vectors(self, positions: Float[Array, "atoms 3"], cell: Float[Array, "3 3"] | None) -> Float[Array, "pairs 3"]:
        """From i to j, A."""
        apart = positions[self.j] - positions[self.i]
        if self.shift is None:
            return apart
        return apart + (self.shift if cell is None else self.shift @ cell)

    def squares(self, positions: Float[Array, "atoms 3"], cell: Float[Array, "3 3"] | None) -> Float[Array, " pairs"]:
        """Squared distances, A^2: smooth everywhere, unlike distances."""
        return jnp.sum(self.vectors(positions, cell) ** 2, axis=1)

    @property
    def margin(self) -> float:
        return math.inf if math.isinf(self.cutoff) else self.skin / 2

    @property
    def count(self) -> int:
        return self.i.shape[-1]

    def padded(self, room: int, cell: Float[np.ndarray, "3 3"] | None) -> Pairs:
        """With pairs of atom 0 and an image of it so far away that nothing is left of what they do to each other."""
        extra = room - self.count
        if extra < 0:
            raise BadInput(f"{self.count} pairs do not fit in room={room}; give room={self.count} or more.")
        if extra == 0 or math.isinf(self.cutoff):
            return self
        far = 10 * (self.cutoff + self.skin)
        away = np.array([far, 0.0, 0.0])
        if cell is not None:  # planes of the cell are no further apart than its vectors are long
            away[0] = math.ceil(far * float(np.linalg.norm(np.linalg.inv(cell)[:, 0])))
        shift = np.zeros((self.count, 3)) if self.shift is None else self.shift
        nobody = np.zeros(extra, dtype=int)
        return Pairs(
            np.concatenate([self.i, nobody]),
            np.concatenate([self.j, nobody]),
            np.concatenate([shift, np.broadcast_to(away, (extra, 3))]),
            self.cutoff,
            self.skin,
        )


def all_pairs(structure: Structure) -> Pairs:
    """Every pair of a cluster, however far apart."""
    if structure.cell is not None:
        raise BadInput("a periodic structure has no end of pairs; use near_pairs(structure, cutoff).")
    i, j = np.triu_indices(len(structure), k=1)
    return Pairs(i, j, None, np.inf)


def near_pairs(structure: Structure, cutoff: float, skin: float = 0.0) -> Pairs:
    """The pairs, images included, that are nearer than `cutoff` (A), which may exceed the cell.

    skin   A: how much further pairs are listed. Without one the list is for this arrangement only; with one it holds
           until an atom has moved by half of it, for sums that end smoothly at the cutoff: 1 is usual for liquids.
    """
    if not 0 < cutoff < np.inf:
        raise BadInput(f"cutoff={cutoff}: a positive length in A is meant, such as 6.")
    if not 0 <= skin < np.inf:
        raise BadInput(f"skin={skin}: a length in A is meant, 0 or more, such as 1.")
    if structure.cell is None:
        return Pairs(*within(np.asarray(structure.positions), cutoff + skin), None, cutoff, skin)
    i, j, shift = images_within(np.asarray(structure.positions), np.asarray(structure.cell), cutoff + skin)
    return Pairs(i, j, shift.astype(float), cutoff, skin)
