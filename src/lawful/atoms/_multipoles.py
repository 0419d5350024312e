"""Charges and dipoles on atoms, smeared: what they do to each other, and the field that polarises."""

from __future__ import annotations

import math

import equinox as eqx
import jax.numpy as jnp
from jax.scipy.special import erf
from jaxtyping import Array, Float, Int

from ._units import COULOMB

NEAR, TERMS = 0.3, 12  # the series of Boys' functions reaches rounding below x = 0.3

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

    def energies_and_fields(
        self, vectors: Float[Array, "pairs 3"], ends: Ends
    ) -> tuple[Float[Array, " pairs"], Float[Array, "pairs 3"], Float[Array, "pairs 3"]]:
        """Of each pair, from the vectors (A) from i to j: its energy (eV), and the fields that j brings about at i and
        i at j, in e/A^2."""
        i, j = ends
        width = jnp.sqrt(self.widths[i] ** 2 + self.widths[j] ** 2)
        f, first, second = kernel(jnp.sum(vectors**2, axis=1), width)
        (qi, pi), (qj, pj) = ((self.charges[end], self.dipoles[end]) for end in ends)
        along_i, along_j = jnp.sum(pi * vectors, axis=1), jnp.sum(pj * vectors, axis=1)
        both = jnp.sum(pi * pj, axis=1)
        energy = qi * qj * f + 2 * first * (qi * along_j - qj * along_i - both) - 4 * second * along_i * along_j
        at_i = (2 * first * qj + 4 * second * along_j)[:, None] * vectors + 2 * first[:, None] * pj
        at_j = (4 * second * along_i - 2 * first * qi)[:, None] * vectors + 2 * first[:, None] * pi
        return COULOMB * energy, at_i, at_j


def kernel(
    square: Float[Array, " pairs"], width: Float[Array, " pairs"]
) -> tuple[Float[Array, " pairs"], Float[Array, " pairs"], Float[Array, " pairs"]]:
    """F = erf(r / (sqrt(2) width)) / r and its first two derivatives along r^2, smooth at r = 0.

    The n-th is (-a^2)^n 2 a / sqrt(pi) F_n(a^2 r^2), a = 1 / (sqrt(2) width), with Boys' functions
    F_n(x) = integral_0^1 t^2n exp(-x t^2) dt.
    """
    a = 1 / (math.sqrt(2) * width)
    zeroth, first, second = boys(a**2 * square)
    front = 2 / math.sqrt(math.pi) * a
    return front * zeroth, -front * a**2 * first, front * a**4 * second


def boys(x: Float[Array, "..."]) -> tuple[Float[Array, "..."], Float[Array, "..."], Float[Array, "..."]]:
    """F_0, F_1 and F_2: by 2 x F_(n+1) = (2 n + 1) F_n - exp(-x), and by their series where that would cancel."""
    near = x < NEAR
    small, large = jnp.where(near, x, 0.0), jnp.where(near, 1.0, x)
    root, fall = jnp.sqrt(large), jnp.exp(-large)
    zeroth = 0.5 * math.sqrt(math.pi) * erf(root) / root
    first = (zeroth - fall) / (2 * large)
    second = (3 * first - fall) / (2 * large)
    series = lambda n: sum((-small) ** k / (math.factorial(k) * (2 * n + 2 * k + 1)) for k in range(TERMS))
    far = zeroth, first, second
    return tuple(jnp.where(near, series(n), far[n]) for n in range(3))  # pyright: ignore[reportReturnType]
