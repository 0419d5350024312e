"""Pairs of atoms: who sees whom, found once on the host; distances follow the positions and the cell."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._core.messages import BadInput
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
    positions, cell = np.asarray(structure.positions), structure.cell
    if cell is None:
        from scipy.spatial import KDTree

        found = KDTree(positions).query_pairs(cutoff, output_type="ndarray")
        return Pairs(found[:, 0], found[:, 1], None, cutoff)
    i, j, shift = images_within(positions, np.asarray(cell), cutoff)
    return Pairs(i, j, shift.astype(float), cutoff)


def images_within(
    positions: Float[np.ndarray, "atoms 3"], cell: Float[np.ndarray, "3 3"], cutoff: float
) -> tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " pairs"], Int[np.ndarray, "pairs 3"]]:
    """Each pair of an atom and an atom or image within reach, once.

    Atoms are brought into the cell; a tree holds the images that can matter, which lie within the cutoff of its faces.
    """
    from scipy.spatial import KDTree

    inverse = np.linalg.inv(cell)
    fractions = positions @ inverse
    home = np.floor(fractions)
    fractions -= home
    reach = cutoff * np.linalg.norm(inverse, axis=0)  # in fractions, along each vector
    most = np.ceil(reach).astype(int)
    shifts = np.stack(np.meshgrid(*[np.arange(-m, m + 1) for m in most], indexing="ij"), axis=-1).reshape(-1, 3)
    moved = fractions[None] + shifts[:, None]
    kept = np.all((moved >= -reach) & (moved <= 1 + reach), axis=-1)
    where, atom = np.nonzero(kept)
    tree, ghosts = KDTree(fractions @ cell), KDTree(moved[kept] @ cell)
    near = tree.sparse_distance_matrix(ghosts, cutoff, output_type="coo_matrix")
    i, j, shift = near.row, atom[near.col], shifts[where[near.col]]
    # each pair appears twice, as (i, j, s) and (j, i, -s): the one kept has i < j, or i = j and s positive
    sign = shift[:, 0] * 4 * most.max() ** 2 * 4 + shift[:, 1] * 4 * most.max() + shift[:, 2]
    once = (i < j) | ((i == j) & (sign > 0))
    i, j, shift = i[once], j[once], shift[once]
    return i, j, (shift - home[j] + home[i]).astype(int)
