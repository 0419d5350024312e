"""Charges that add up to whole numbers on every molecule, so that none leaks to another."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._core.messages import BadInput
from ._pairs import near_pairs
from ._structure import Structure


class Fragments(eqx.Module):
    """Which atoms belong together, and what charge (e) each fragment has as a whole."""

    of: Int[np.ndarray | Array, " atoms"]
    totals: Float[np.ndarray | Array, " fragments"]

    @classmethod
    def connected(cls, structure: Structure, bond: float = 2.0, totals: object = 0.0) -> Fragments:
        """Atoms that a chain of neighbours nearer than `bond` (A) joins, in the order of their first atoms.

        totals   the charge of each fragment, or one number for all.
        """
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import connected_components

        pairs, count = near_pairs(structure, bond), len(structure)
        joined = coo_matrix((np.ones(len(pairs.i)), (pairs.i, pairs.j)), shape=(count, count))
        number, labels = connected_components(joined, directed=False)
        charges = np.asarray(totals, dtype=float)
        if charges.shape not in ((), (number,)):
            raise BadInput(
                f"{number} fragments are connected by bonds of up to {bond:g} A, but {charges.size} total charges were"
                " given; give one for each, in the order of their first atoms."
            )
        return cls(labels, np.broadcast_to(charges, (number,)).copy())

    def summed(self, values: Float[Array, "atoms *more"]) -> Float[Array, "fragments *more"]:
        """Over each fragment."""
        return jax.ops.segment_sum(values, self.of, len(self.totals))

    def shares(self, dtype: object = float) -> Float[Array, " atoms"]:
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
