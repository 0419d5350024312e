"""Multipoles that repeat in a cell, without what the atoms of one molecule do to each other: Ewald's sums."""

from __future__ import annotations

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._ewald import UNFADED, background, wave_vectors, weighted
from ._multipoles import Multipoles, kernel
from ._pairs import Pairs
from ._switch import fade_out
from ._units import COULOMB


class MultipoleEwald(eqx.Module):
    """Energy of Gaussian charges, dipoles and quadrupoles (`Multipoles`) of a cell and all its images.

        E = sum over near pairs of different molecules of what Gaussians of width `smear` lack
          + k / (2 V) sum_{K != 0} 4 pi / K^2 exp(-smear^2 K^2 / 2) |S(K)|^2,
            S(K) = sum_j (q_j + i K . p_j - K . Q_j K) exp(i K . r_j)
          - what such Gaussians do to themselves and within a molecule

    The surroundings are a conductor. The image of a molecule is another molecule.

    between   near pairs of different molecules.
    within    pairs of one molecule.
    smear     A, the width of pairs in the far sum.

    MultipoleEwald.of(cell, between, within, accuracy)   chooses smear and waves for the cutoff of the pairs.
    Sources: P. P. Ewald, Ann. Phys. 369, 253 (1921); W. Smith, CCP5 Newsletter 46, 18 (1998) (multipoles).
    """

    between: Pairs
    within: Pairs
    smear: float = eqx.field(static=True)
    waves: Float[np.ndarray, "waves 3"]

    @classmethod
    def of(
        cls, cell: Float[np.ndarray, "3 3"], between: Pairs, within: Pairs, accuracy: float = 1e-9
    ) -> MultipoleEwald:
        """Choose them. accuracy: relative size of what either sum leaves out of charges; of quadrupoles two or three
        digits more."""
        decay = math.sqrt(-2 * math.log(accuracy))
        smear = UNFADED * between.cutoff / decay
        return cls(between, within, smear, wave_vectors(cell, decay / smear))

    def __call__(
        self, positions: Float[Array, "atoms 3"], cell: Float[Array, "3 3"], multipoles: Multipoles
    ) -> Float[Array, ""]:
        """Energy in eV per cell."""
        return (
            self.near(positions, cell, multipoles)
            + COULOMB * self.far(positions, cell, multipoles)
            - self.of_one_molecule(positions, cell, multipoles)
            - COULOMB * background(cell, multipoles.charges, multipoles.widths, self.smear)
        )

    def near(self, positions, cell, multipoles: Multipoles) -> Float[Array, ""]:
        vectors, ends, end = self.between.vectors(positions, cell), ends_of(self.between), self.between.cutoff
        square = jnp.sum(vectors**2, axis=1)
        full, smeared = kernel(square, multipoles.width(ends)), self.smeared(square)
        lacking = [a - b for a, b in zip(full, smeared, strict=True)]
        return jnp.sum(multipoles.energies(lacking, vectors, ends) * fade_out(square, UNFADED * end, end))

    def of_one_molecule(self, positions, cell, multipoles: Multipoles) -> Float[Array, ""]:
        """What the far sum counts of atoms with themselves and with others of their own molecule."""
        vectors, itself = self.within.vectors(positions, cell), jnp.arange(len(positions))
        others = multipoles.energies(self.smeared(jnp.sum(vectors**2, axis=1)), vectors, ends_of(self.within))
        nowhere = jnp.zeros_like(positions)
        own = multipoles.energies(self.smeared(jnp.zeros_like(positions[:, 0])), nowhere, (itself, itself))
        return jnp.sum(others) + 0.5 * jnp.sum(own)

    def far(self, positions, cell, multipoles: Multipoles) -> Float[Array, ""]:
        vectors, weights = weighted(self.waves, cell, self.smear)
        phase = vectors @ positions.T
        even = multipoles.charges - jnp.einsum("kx,nxy,ky->kn", vectors, multipoles.quadrupoles, vectors)
        odd = vectors @ multipoles.dipoles.T
        cosine, sine = jnp.cos(phase), jnp.sin(phase)
        strength = jnp.sum(even * cosine - odd * sine, axis=1) ** 2 + jnp.sum(even * sine + odd * cosine, axis=1) ** 2
        return jnp.sum(weights * strength)

    def energy_and_field(
        self, positions, cell, multipoles: Multipoles
    ) -> tuple[Float[Array, ""], Float[Array, "atoms 3"]]:
        """The energy, and the field at each atom from other molecules, e/A^2: its slope with the dipole, -dE/dp / k."""

        def energy(dipoles):
            return self(positions, cell, eqx.tree_at(lambda m: m.dipoles, multipoles, dipoles))

        value, slope = jax.value_and_grad(energy)(multipoles.dipoles)
        return value, -slope / COULOMB

    def smeared(self, square: Float[Array, " pairs"]) -> list[Float[Array, " pairs"]]:
        return kernel(square, jnp.full_like(square, self.smear))


def ends_of(pairs: Pairs):
    return jnp.asarray(pairs.i), jnp.asarray(pairs.j)
