"""Molecules of one frame: each by itself, and the pairs of atoms that belong to different ones."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._core.messages import BadInput
from ._charges import Fragments
from ._frames import Frame
from ._multipoles import Multipoles, at_centres
from ._pairs import Pairs
from ._switch import fade_out

FADE = 2.0  # A, before the cutoff


class Between(eqx.Module):
    """Pairs of atoms of different fragments.

    vectors   from i to j, A.
    more      A: added to them, they lead from the centre of one fragment to that of the other.
    charges   (atoms,), e: each atom's even share of what its fragment has as a whole.
    counts    how much of each pair: nothing of padding and of those within a fragment, less than all at a cutoff.
    """

    i: Int[Array, " pairs"]
    j: Int[Array, " pairs"]
    vectors: Float[Array, "pairs 3"]
    more: Float[Array, "pairs 3"]
    charges: Float[Array, " atoms"]
    counts: Float[Array, " pairs"]

    @classmethod
    def of(cls, frame: Frame) -> Between:
        """All pairs i < j of a cluster."""
        if frame.cell is not None:
            raise BadInput(
                "a HybridNetwork learns from clusters, but the frames repeat in a cell; leave the cell out. What has"
                " learned runs in cells too, see molecular_potential."
            )
        i, j = (jnp.asarray(end) for end in np.triu_indices(frame.species.shape[0], k=1))
        fragments, there, positions = fragments_of(frame), jnp.asarray(frame.species) >= 0, jnp.asarray(frame.positions)
        of, share = fragments.of, fragments.shares(positions.dtype)
        off = positions - fragments.summed(positions * share[:, None])[of]  # from the centre
        counts = 1.0 * ((of[i] != of[j]) & there[i] & there[j])
        return cls(i, j, positions[j] - positions[i], off[i] - off[j], share * fragments.totals[of], counts)

    @classmethod
    def near(cls, frame: Frame, pairs: Pairs) -> Between:
        """Pairs of a cell, all of different fragments, which fade out at their cutoff."""
        vectors = pairs.vectors(jnp.asarray(frame.positions), None if frame.cell is None else jnp.asarray(frame.cell))
        counts = fade_out(jnp.sum(vectors**2, axis=1), pairs.cutoff - FADE, pairs.cutoff)
        nothing = jnp.zeros(frame.species.shape[0], vectors.dtype)
        return cls(jnp.asarray(pairs.i), jnp.asarray(pairs.j), vectors, jnp.zeros_like(vectors), nothing, counts)

    @property
    def square(self) -> Float[Array, " pairs"]:
        return jnp.sum(self.vectors**2, axis=1)

    def total(self, energies: Float[Array, " pairs"]) -> Float[Array, ""]:
        return jnp.sum(jnp.where(self.counts > 0, energies * self.counts, 0.0))

    def electrostatics(self, multipoles: Multipoles) -> tuple[Float[Array, ""], Float[Array, "atoms 3"]]:
        """The energy (eV) of a cluster, and the field (e/A^2) at each atom."""
        energies, at_i, at_j = multipoles.energies_and_fields(self.vectors, (self.i, self.j), self.more)
        energies = energies + at_centres(self.charges[self.i], self.charges[self.j], self.vectors + self.more)
        there = self.counts[:, None] > 0
        field = (
            jnp.zeros((len(self.charges), 3), self.vectors.dtype)
            .at[self.i].add(jnp.where(there, at_i, 0.0))
            .at[self.j].add(jnp.where(there, at_j, 0.0))
        )  # fmt: skip
        return self.total(energies), field


def fragments_of(frame: Frame) -> Fragments:
    if frame.fragments is None:
        raise BadInput("the frames do not say which atoms belong together; give fragments=[Fragments.connected(...)].")
    return Fragments(jnp.asarray(frame.fragments.of), jnp.asarray(frame.fragments.totals))


def apart(frame: Frame) -> Frame:
    """The same atoms, each of which sees its own fragment only."""
    fragments_of(frame)
    return eqx.tree_at(lambda f: f.neighbours, frame, frame.own)
