"""Charges and dipoles on atoms, smeared: what they do to each other, and the field that polarises."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ._electrostatics import smeared_inverse
from ._units import COULOMB

Ends = tuple[Int[Array, " pairs"], Int[Array, " pairs"]]


class Multipoles(eqx.Module):
    """Gaussian charges and dipoles of atoms.

        E_ij = k (q_i + p_i . d_i)(q_j + p_j . d_j) f(r),    f = erf(r / sqrt(2 (w_i^2 + w_j^2))) / r

    with d_i the gradient along the place of atom i. Far away these are the laws of point charges and dipoles: 1/r,
    1/r^2 and 1/r^3.

    charges   (atoms,), e.   dipoles   (atoms, 3), e A.   widths   (atoms,), A.
    """

    charges: Float[Array, " atoms"]
    dipoles: Float[Array, "atoms 3"]
    widths: Float[Array, " atoms"]

    def kernel(
        self, vectors: Float[Array, "pairs 3"], ends: Ends
    ) -> tuple[Float[Array, " pairs"], Float[Array, " pairs"], Float[Array, " pairs"]]:
        """f and its first two derivatives along r^2."""
        width = jnp.sqrt(self.widths[ends[0]] ** 2 + self.widths[ends[1]] ** 2)
        along = lambda g: lambda square: jax.jvp(g, (square,), (jnp.ones_like(square),))[1]
        f = lambda square: smeared_inverse(square, width)
        square = jnp.sum(vectors**2, axis=1)
        return f(square), along(f)(square), along(along(f))(square)

    def energies(self, vectors: Float[Array, "pairs 3"], ends: Ends) -> Float[Array, " pairs"]:
        """Of each pair, eV; vectors (A) from i to j."""
        (i, j), (f, first, second) = ends, self.kernel(vectors, ends)
        pi, pj = (jnp.sum(self.dipoles[end] * vectors, axis=1) for end in ends)
        qi, qj = self.charges[i], self.charges[j]
        both = jnp.sum(self.dipoles[i] * self.dipoles[j], axis=1)
        return COULOMB * (qi * qj * f + 2 * first * (qi * pj - qj * pi - both) - 4 * second * pi * pj)

    def fields(
        self, vectors: Float[Array, "pairs 3"], ends: Ends
    ) -> tuple[Float[Array, "pairs 3"], Float[Array, "pairs 3"]]:
        """What j brings about at i, and i at j, in e/A^2 (times k: V/A)."""
        _, first, second = self.kernel(vectors, ends)
        weigh = lambda q, p, v: (
            2 * first[:, None] * (q[:, None] * v + p) + 4 * (second * jnp.sum(p * v, axis=1))[:, None] * v
        )
        i, j = ends
        at_i = weigh(self.charges[j], self.dipoles[j], vectors)
        return at_i, weigh(self.charges[i], self.dipoles[i], -vectors)
