"""Coulomb energy of Gaussian charges that are not repeated."""

from __future__ import annotations

import math

import jax.numpy as jnp
from jax.scipy.special import erf
from jaxtyping import Array, Float

from ._pairs import Pairs
from ._units import COULOMB

NEAR = 0.1  # of the width: below it the series is better than the quotient


def smeared_inverse(square: Float[Array, "..."], width: Float[Array, "..."]) -> Float[Array, "..."]:
    """erf(r / (sqrt(2) width)) / r from r^2: what two Gaussian charges feel; smooth at r = 0, 1/r far away.

    `width` is that of the pair, sqrt(w_i^2 + w_j^2).
    """
    x = square / (2 * width**2)  # the argument of erf, squared
    near = x < NEAR**2
    root = jnp.sqrt(jnp.where(near, 1.0, x))
    far = erf(root) / root
    small = jnp.where(near, x, 0.0)
    # erf(z) / z = 2 / sqrt(pi) sum_n (-z^2)^n / (n! (2 n + 1)): six terms reach rounding below z = 0.1
    series = 1.0
    for n in range(6, 0, -1):
        series = 1.0 - small / n * (2 * n - 1) / (2 * n + 1) * series
    return jnp.where(near, 2 / math.sqrt(math.pi) * series, far) / (math.sqrt(2) * width)


def coulomb_energy(
    positions: Float[Array, "atoms 3"],
    charges: Float[Array, " atoms"],
    widths: Float[Array, " atoms"],
    pairs: Pairs,
) -> Float[Array, ""]:
    """Energy (eV) between the Gaussian charges (e) of a cluster; the energy within each is not part of it.

        E = k sum_pairs q_i q_j erf(r / sqrt(2 (w_i^2 + w_j^2))) / r,    k = e^2 / (4 pi eps0)

    widths in A; 0.5 to 1 keep atoms that meet at a finite energy. pairs: `all_pairs`, since charges do not end.
    """
    width = jnp.sqrt(widths[pairs.i] ** 2 + widths[pairs.j] ** 2)
    inverse = smeared_inverse(pairs.squares(positions, None), width)
    return COULOMB * jnp.sum(charges[pairs.i] * charges[pairs.j] * inverse)
