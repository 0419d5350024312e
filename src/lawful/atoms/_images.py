"""Which places are near each other, images in a repeating cell included."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int


def within(
    positions: Float[np.ndarray, "atoms 3"], cutoff: float
) -> tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " pairs"]]:
    """Each pair of places within reach, once."""
    from scipy.spatial import KDTree

    found = KDTree(positions).query_pairs(cutoff, output_type="ndarray")
    return found[:, 0], found[:, 1]


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
