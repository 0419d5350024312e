"""Charges that add up to whole numbers on every molecule, so that none leaks to another."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Bool, Float, Int

from .._core.messages import BadInput, listing
from ._coordination import tabulated
from ._pairs import near_pairs
from ._structure import Structure

BONDED = 1.25  # of the sum of covalent radii


class Fragments(eqx.Module):
    """Which atoms belong together, and what charge (e) each fragment has as a whole."""

    of: Int[np.ndarray | Array, " atoms"]
    totals: Float[np.ndarray | Array, " fragments"]

    @classmethod
    def connected(cls, structure: Structure, bond: float | None = None, totals: object = 0.0) -> Fragments:
        """Atoms that a chain of bonds joins, in the order of their first atoms.

        bond     neighbours nearer than this (A) are bonded; by default those nearer than 5/4 of the sum of their
                 covalent radii, which hydrogen bonds are not.
        totals   the charge of each fragment, or one number for all.
        """
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import connected_components

        i, j = bonded(structure) if bond is None else ends_within(structure, bond)
        count = len(structure)
        joined = coo_matrix((np.ones(len(i)), (i, j)), shape=(count, count))
        number, labels = connected_components(joined, directed=False)
        charges = np.asarray(totals, dtype=float)
        if charges.shape not in ((), (number,)):
            raise BadInput(
                f"{number} fragments are connected by bonds of up to {bond:g} A, but {charges.size} total charges were"
                " given; give one for each, in the order of their first atoms."
            )
        return cls(labels, np.broadcast_to(charges, (number,)).copy())

    def images(self, structure: Structure) -> Int[np.ndarray, "atoms 3"]:
        """By how many cells each atom has to be moved for its fragment to be in one piece, nearest by nearest."""
        from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

        moves = np.zeros((len(structure), 3), dtype=int)
        if structure.cell is None:
            return moves
        cell = np.asarray(structure.cell)
        places = np.asarray(structure.positions) @ np.linalg.inv(cell)
        for fragment in np.unique(self.of):
            members = np.flatnonzero(np.asarray(self.of) == fragment)
            gaps = places[members] - places[members][:, None]
            whole = -np.round(gaps).astype(int)  # from row to column by the nearest image
            joined = minimum_spanning_tree(np.linalg.norm((gaps + whole) @ cell, axis=-1))
            order, before = breadth_first_order(joined, 0, directed=False)
            for k in order[1:]:
                moves[members[k]] = moves[members[before[k]]] + whole[before[k], k]
        return moves

    def summed(self, values: Float[Array, "atoms *more"]) -> Float[Array, "fragments *more"]:
        """Over each fragment."""
        return jax.ops.segment_sum(values, self.of, len(self.totals))

    def shares(self, dtype: DTypeLike = float) -> Float[Array, " atoms"]:
        """One over the number of atoms in each atom's fragment."""
        return 1 / self.summed(jnp.ones(len(self.of), dtype))[self.of]

    def neutralised(
        self, charges: Float[Array, " atoms"], shares: Float[Array, " atoms"] | None = None
    ) -> Float[Array, " atoms"]:
        """Charges moved within every fragment so that they sum to its total.

        q_i + (Q - sum q) w_i / sum w, sums over the fragment of i; w = `shares`, equal ones by default. What happens in
        one fragment cannot change another, however near or far it is.
        """
        weights = jnp.ones_like(charges) if shares is None else shares
        missing = self.totals - self.summed(charges)
        return charges + weights * (missing / self.summed(weights))[self.of]


def ends_within(structure: Structure, cutoff: float) -> tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " pairs"]]:
    pairs = near_pairs(structure, cutoff)
    return np.asarray(pairs.i), np.asarray(pairs.j)


def bonded(structure: Structure) -> tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " pairs"]]:
    """Pairs of atoms whose covalent radii say that they are bonded."""
    table = tabulated().radii
    beyond = [str(z) for z in np.unique(structure.numbers) if z >= len(table)]
    if beyond:
        raise BadInput(f"no covalent radii are tabulated for the atomic numbers {listing(beyond)}; give bond=...")
    radii = table[structure.numbers]
    pairs = near_pairs(structure, 2 * BONDED * float(np.max(radii)))
    i, j, positions = np.asarray(pairs.i), np.asarray(pairs.j), np.asarray(structure.positions)
    vectors = positions[j] - positions[i]
    if structure.cell is not None:
        vectors = vectors + np.asarray(pairs.shift) @ np.asarray(structure.cell)
    near = np.linalg.norm(vectors, axis=1) < BONDED * (radii[i] + radii[j])
    return i[near], j[near]


def same_piece(
    of: Int[np.ndarray | Array, " atoms"],
    homes: Int[np.ndarray, "atoms 3"],
    i: Int[np.ndarray | Array, "..."],
    j: Int[np.ndarray | Array, "..."],
    shift: Float[np.ndarray | Array, "... 3"] | None,
) -> Bool[np.ndarray, "..."]:
    """Whether i and j, moved by whole cells, belong to one fragment, not to it and an image; homes as of `images`."""
    i, j, of = np.asarray(i), np.asarray(j), np.asarray(of)
    together = of[i] == of[j]
    return together if shift is None else together & np.all(np.asarray(shift) == homes[j] - homes[i], axis=-1)
