"""Molecules of one frame: each by itself, and the pairs of atoms that belong to different ones."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from .._core.messages import BadInput
from ._charges import Fragments
from ._frames import Frame


class Between(eqx.Module):
    """All pairs i < j, and which are real atoms of different fragments.

    vectors   from i to j, A.
    more      A: added to them, they lead from the centre of one fragment to that of the other.
    charges   (atoms,), e: each atom's even share of what its fragment has as a whole.
    """

    i: Int[Array, " pairs"]
    j: Int[Array, " pairs"]
    vectors: Float[Array, "pairs 3"]
    more: Float[Array, "pairs 3"]
    real: Bool[Array, " pairs"]
    charges: Float[Array, " atoms"]
    atoms: int = eqx.field(static=True)

    @classmethod
    def of(cls, frame: Frame) -> Between:
        atoms = frame.species.shape[0]
        i, j = (jnp.asarray(end) for end in np.triu_indices(atoms, k=1))
        fragments, there, positions = fragments_of(frame), jnp.asarray(frame.species) >= 0, jnp.asarray(frame.positions)
        of, share = fragments.of, fragments.shares(positions.dtype)
        off = positions - fragments.summed(positions * share[:, None])[of]  # from the centre
        real = (of[i] != of[j]) & there[i] & there[j]
        return cls(i, j, positions[j] - positions[i], off[i] - off[j], real, share * fragments.totals[of], atoms)

    @property
    def square(self) -> Float[Array, " pairs"]:
        return jnp.sum(self.vectors**2, axis=1)

    def total(self, energies: Float[Array, " pairs"]) -> Float[Array, ""]:
        return jnp.sum(jnp.where(self.real, energies, 0.0))

    def gathered(self, at_i: Float[Array, "pairs 3"], at_j: Float[Array, "pairs 3"]) -> Float[Array, "atoms 3"]:
        """What each atom gets from all its pairs."""
        there = self.real[:, None]
        return (
            jnp.zeros((self.atoms, 3), self.vectors.dtype)
            .at[self.i].add(jnp.where(there, at_i, 0.0))
            .at[self.j].add(jnp.where(there, at_j, 0.0))
        )  # fmt: skip


def fragments_of(frame: Frame) -> Fragments:
    if frame.fragments is None:
        raise BadInput("the frames do not say which atoms belong together; give fragments=[Fragments.connected(...)].")
    if frame.cell is not None:
        raise BadInput("HybridNetwork is for clusters, but the frames repeat in a cell; leave the cell out.")
    return Fragments(jnp.asarray(frame.fragments.of), jnp.asarray(frame.fragments.totals))


def apart(frame: Frame) -> Frame:
    """The same atoms, each of which sees its own fragment only."""
    fragments_of(frame)
    return eqx.tree_at(lambda f: f.neighbours, frame, frame.own)
