"""R-functions: set algebra on level functions, and the distance to a curve or surface that is cut short.

A level function is positive inside a set, zero on its boundary, negative outside. Those here keep the normalisation: if
both levels have slope 1 on their zero sets, so has the result, away from corners. They are analytic where not both
arguments vanish. Sources: Rvachev (1982); Biswas and Shapiro (2004), approximate distance fields; Sukumar and
Srivastava (2022), exact boundary conditions in physics-informed networks.
"""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float

Scalar = Float[Array, ""]


def hypotenuse(a: Scalar, b: Scalar) -> Scalar:
    """sqrt(a^2 + b^2) whose derivatives are finite everywhere, also at a = b = 0, and do not overflow near it."""
    swap = jnp.abs(a) < jnp.abs(b)
    large, small = jnp.where(swap, b, a), jnp.where(swap, a, b)
    large = jnp.where(large < 0, -large, large)
    nothing = large == 0
    ratio = jnp.where(nothing, 0.0, small) / jnp.where(nothing, 1.0, large)
    return large * jnp.sqrt(1 + ratio**2)


def both(a: Scalar, b: Scalar) -> Scalar:
    """The level of an intersection: a + b - sqrt(a^2 + b^2)."""
    return a + b - hypotenuse(a, b)


def either(a: Scalar, b: Scalar) -> Scalar:
    """The level of a union: a + b + sqrt(a^2 + b^2), at half its size where both are positive is the nearer one."""
    return a + b + hypotenuse(a, b)


def trimmed(level: Scalar, reach: Scalar, size: float | Array) -> Scalar:
    """The distance to the part of `level` = 0 on which `reach` > 0, normalised to first order on it.

        phi = sqrt(f^2 + ((sqrt(t^2 + h^2) - t) / 2)^2)        f = level / size, t = reach / size, times size
        h = f^2 / sqrt(1 + f^2)

    Dividing by the size of the piece makes it the same in metres and in nanometres. The literature has h = f^2, with
    which phi grows like the square of the distance, and joint distances to many short pieces overshoot; this h agrees
    with it near the piece and grows like the distance. Where t > 0 phi is written as f sqrt(1 + ...), which is smooth
    on the piece itself and has the right slope there. Works on arrays of pieces as well.
    """
    f, t = jnp.asarray(level) / size, jnp.asarray(reach) / size
    # A point on the piece may lie beyond it by rounding, and must not get the slope of the other side.
    f = jnp.where(f > -(float(jnp.finfo(f.dtype).eps) ** 0.6), f, -f)
    beside = t > 0
    square = f * f
    ratio = square / (1 + square)
    both_ways = floored_root(t * t + square * ratio) + jnp.where(beside, t, -t)
    near = f * jnp.sqrt(1 + (f * ratio / (2 * both_ways)) ** 2)
    far = floored_root(square + both_ways**2 / 4)
    return size * jnp.where(beside, near, far)


def floored_root(square: Scalar) -> Scalar:
    """sqrt, constant below what rounding hides beside 1, so that no derivative is infinite at zero."""
    return jnp.sqrt(jnp.maximum(square, float(jnp.finfo(square.dtype).eps) ** 1.75))
