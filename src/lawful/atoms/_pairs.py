"""Pairs of atoms: who sees whom, found once on the host; distances follow the positions and the cell."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._core.messages import BadInput
from ._images import images_within, within
from ._structure import Structure


class Pairs(eqx.Module):
    """Pairs i, j with the number of cells that j is moved by; each pair once, i and j in either order.

    In a periodic cell an atom also meets its own images, and others several times. Positions need not lie in the cell.
    """

    i: Int[np.ndarray, " pairs"]
    j: Int[np.ndarray, " pairs"]
    shift: Float[np.ndarray, "pairs 3"] | None
    cutoff: float = eqx.field(static=True)

    def vectors(self, positions: Float[Array, "atoms 3"], cell: Float[Array, "3 3"] | None) -> Float[Array, "pairs 3"]:
        """From i to j, A."""
        apart = positions[self.j] - positions[self.i]
        return apart if self.shift is None or cell is None else apart + self.shift @ cell

    def squares(self, positions: Float[Array, "atoms 3"], cell: Float[Array, "3 3"] | None) -> Float[Array, " pairs"]:
        """Squared distances, A^2: smooth everywhere, unlike distances."""
        return jnp.sum(self.vectors(positions, cell) ** 2, axis=1)


def all_pairs(structure: Structure) -> Pairs:
    """Every pair of a cluster, however far apart."""
    if structure.cell is not None:
        raise BadInput("a periodic structure has no end of pairs; use near_pairs(structure, cutoff).")
    i, j = np.triu_indices(len(structure), k=1)
    return Pairs(i, j, None, np.inf)


def near_pairs(structure: Structure, cutoff: float) -> Pairs:
    """The pairs, images included, that are nearer than `cutoff` (A), which may exceed the cell."""
    if not 0 < cutoff < np.inf:
        raise BadInput(f"cutoff={cutoff}: a positive length in A is meant, such as 6.")
    if structure.cell is None:
        return Pairs(*within(np.asarray(structure.positions), cutoff), None, cutoff)
    i, j, shift = images_within(np.asarray(structure.positions), np.asarray(structure.cell), cutoff)
    return Pairs(i, j, shift.astype(float), cutoff)
