"""Terms of molecular mechanics: springs, hinges, Lennard-Jones spheres, and what bonded atoms do not feel."""

from __future__ import annotations

import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._core.messages import BadInput
from ._pairs import Pairs
from ._switch import fade_out
from ._units import COULOMB

Positions = Float[Array, "atoms 3"]
Cell = Float[Array, "3 3"] | None


class Springs(eqx.Module):
    """Harmonic bonds, E = sum 1/2 k (r - length)^2. Bonded atoms lie side by side, not across the cell.

    atoms    (bonds, 2).
    k        eV/A^2; length in A: one for all or one for each.
    """

    atoms: Int[np.ndarray | Array, "bonds 2"]
    k: Float[np.ndarray | Array, "..."]
    length: Float[np.ndarray | Array, "..."]

    def __call__(self, positions: Positions, cell: Cell) -> Float[Array, ""]:
        r = jnp.linalg.norm(positions[self.atoms[:, 1]] - positions[self.atoms[:, 0]], axis=1)
        return 0.5 * jnp.sum(self.k * (r - self.length) ** 2)


class Hinges(eqx.Module):
    """Harmonic angles, E = sum 1/2 k (theta - angle)^2, theta at the atom in the middle.

    atoms    (angles, 3), the middle atom second.
    k        eV/rad^2; angle in rad: one for all or one for each.
    """

    atoms: Int[np.ndarray | Array, "angles 3"]
    k: Float[np.ndarray | Array, "..."]
    angle: Float[np.ndarray | Array, "..."]

    def __call__(self, positions: Positions, cell: Cell) -> Float[Array, ""]:
        first, middle, last = (positions[self.atoms[:, k]] for k in range(3))
        a, b = first - middle, last - middle
        across = jnp.linalg.norm(jnp.cross(a, b), axis=1)
        return 0.5 * jnp.sum(self.k * (jnp.arctan2(across, jnp.sum(a * b, axis=1)) - self.angle) ** 2)


class LennardJones(eqx.Module):
    """E = sum_pairs 4 epsilon ((sigma / r)^12 - (sigma / r)^6), which fades out before the cutoff of the pairs.

    epsilon   (atoms,), eV; geometric means for pairs.
    sigma     (atoms,), A; arithmetic means for pairs.
    fade      A: over so much before the cutoff, with three continuous derivatives.
    """

    epsilon: Float[np.ndarray | Array, " atoms"]
    sigma: Float[np.ndarray | Array, " atoms"]
    pairs: Pairs
    fade: float = eqx.field(static=True, default=1.0)

    def __check_init__(self):
        if not 0 < self.fade <= self.pairs.cutoff:
            raise BadInput(f"fade={self.fade}: a length in A above 0 and up to the pairs' cutoff is meant.")

    def __call__(self, positions: Positions, cell: Cell) -> Float[Array, ""]:
        i, j, end = self.pairs.i, self.pairs.j, self.pairs.cutoff
        square = self.pairs.squares(positions, cell)
        depth = jnp.sqrt(jnp.asarray(self.epsilon)[i] * jnp.asarray(self.epsilon)[j])
        sixth = ((0.5 * (jnp.asarray(self.sigma)[i] + jnp.asarray(self.sigma)[j])) ** 2 / square) ** 3
        energy = 4 * depth * (sixth**2 - sixth)
        return jnp.sum(energy if math.isinf(end) else energy * fade_out(square, end - self.fade, end))


class Unfelt(eqx.Module):
    """What point charges within a molecule do to each other, with the sign turned: Ewald's sums count them too.

        E = -k sum q_i q_j / r

    atoms    (pairs, 2), side by side, not across the cell.
    charges  (atoms,), e.
    """

    atoms: Int[np.ndarray | Array, "pairs 2"]
    charges: Float[np.ndarray | Array, " atoms"]

    def __call__(self, positions: Positions, cell: Cell) -> Float[Array, ""]:
        i, j = self.atoms[:, 0], self.atoms[:, 1]
        charges = jnp.asarray(self.charges)
        return -COULOMB * jnp.sum(charges[i] * charges[j] / jnp.linalg.norm(positions[j] - positions[i], axis=1))
