"""Numbers with a proven error: a ball is a midpoint and a radius, and the true value lies inside.

Every operation widens its result by more than rounding can have done, so that an inclusion, once true, stays true.
What is assumed of the machine: +, -, * and square roots of doubles are correctly rounded (fused or not), a division is
right to two units in the last place (a compiler may multiply by the reciprocal of a constant), results below the
smallest normal number may be flushed to zero. Sums may be added in any order.

A radius that is infinite or NaN says that nothing is known; comparisons with it are false, which proves nothing.

Source: S. M. Rump, Verification methods: rigorous results using floating-point arithmetic, Acta Numerica 19 (2010),
287.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

EPS = 2.0**-52  # twice the largest relative error of one rounding
TINY = 1e-290  # more than flushing to zero loses, however often it happens in one operation


class Ball(NamedTuple):
    """All x with |x - mid| <= rad, entry by entry."""

    mid: Any
    rad: Any

    @property
    def shape(self) -> tuple[int, ...]:
        return jnp.shape(self.mid)

    @property
    def most(self) -> Float[Array, "..."]:
        """No |x| is larger."""
        return up(jnp.abs(self.mid) + self.rad)

    @property
    def least(self) -> Float[Array, "..."]:
        """No |x| is smaller; 0 where the ball holds 0."""
        return jnp.maximum(down(jnp.abs(self.mid) - self.rad), 0.0)

    @property
    def upper(self) -> Float[Array, "..."]:
        """No x is larger."""
        return self.mid + up(self.rad + EPS * jnp.abs(self.mid))

    @property
    def lower(self) -> Float[Array, "..."]:
        """No x is smaller."""
        return self.mid - up(self.rad + EPS * jnp.abs(self.mid))


def exact(value) -> Ball:
    """A number that is what it is."""
    mid = jnp.asarray(value, float)
    return Ball(mid, jnp.zeros_like(mid))


def up(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """At least what a sum of products of non-negative numbers would be without its (at most a dozen) roundings."""
    return x * (1 + 16 * EPS) + TINY


def down(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """At most what a difference of two computed non-negative numbers would be without rounding."""
    return x - EPS * jnp.abs(x) - TINY


def rounded(mid: Float[Array, "..."], rad: Float[Array, "..."]) -> Ball:
    """The ball of a result that was rounded once, or twice by a division."""
    return Ball(mid, up(rad + 1.5 * EPS * jnp.abs(mid)))


def add(a: Ball, b: Ball) -> Ball:
    return rounded(a.mid + b.mid, a.rad + b.rad)


def sub(a: Ball, b: Ball) -> Ball:
    return rounded(a.mid - b.mid, a.rad + b.rad)


def neg(a: Ball) -> Ball:
    return Ball(-a.mid, a.rad)


def mul(a: Ball, b: Ball) -> Ball:
    return rounded(a.mid * b.mid, jnp.abs(a.mid) * b.rad + a.rad * (jnp.abs(b.mid) + b.rad))


def square(a: Ball) -> Ball:
    """The range of x x, which is not that of x y."""
    most, least = a.most, a.least
    wide = between(down(least * least), up(most * most))
    narrow = mul(a, a)
    return tighter(narrow, Ball(wide.mid, wide.rad))


def scale(a: Ball, factor) -> Ball:
    """The product with a number that is what it is, in floating point."""
    return rounded(a.mid * factor, a.rad * jnp.abs(factor))


def times_power_of_two(a: Ball, factor) -> Ball:
    """The product with a power of two, which is exact but for underflow."""
    return Ball(a.mid * factor, a.rad * abs(factor) + TINY)


def div(a: Ball, b: Ball) -> Ball:
    """X / y for x in a, y in b; nothing is known where b holds zero.

    |x / y - a / b| = |(x - a) - (a / b) (y - b)| / |y| <= (rad a + |a / b| rad b) / (|b| - rad b).
    """
    safe = jnp.where(b.mid == 0, 1.0, b.mid)
    quotient = a.mid / safe
    least = b.least
    known = least > 0
    away = up(a.rad + up(jnp.abs(quotient)) * b.rad) / jnp.where(known, least, 1.0)
    return Ball(quotient, jnp.where(known, up(away + 1.5 * EPS * jnp.abs(quotient)), jnp.inf))


def reciprocal(b: Ball) -> Ball:
    return div(exact(jnp.ones_like(b.mid)), b)


def sqrt(a: Ball) -> Ball:
    """|sqrt x - sqrt a| = |x - a| / (sqrt x + sqrt a); nothing is known where a reaches below zero."""
    least = down(a.mid - a.rad)
    known = (least >= 0) | ((a.mid == 0) & (a.rad == 0))
    root = jnp.sqrt(jnp.maximum(a.mid, 0.0))
    both = root + jnp.sqrt(jnp.maximum(least, 0.0))
    moved = jnp.where(a.rad > 0, up(a.rad) / jnp.where(both > 0, down(both), 1.0), 0.0)
    rad = jnp.where(both > 0, up(moved + EPS * root), jnp.sqrt(TINY))
    return Ball(root, jnp.where(known, rad, jnp.inf))


def absolute(a: Ball) -> Ball:
    """The range of |x|."""
    inside = a.least <= 0
    whole = between(jnp.zeros_like(a.mid), a.most)
    return Ball(jnp.where(inside, whole.mid, jnp.abs(a.mid)), jnp.where(inside, whole.rad, a.rad))


def between(lower: Float[Array, "..."], upper: Float[Array, "..."]) -> Ball:
    """The smallest ball (but for rounding) that holds everything from `lower` to `upper`."""
    mid = 0.5 * lower + 0.5 * upper
    return Ball(mid, up(jnp.maximum(upper - mid, mid - lower) + EPS * jnp.abs(mid)))


def hull(a: Ball, b: Ball) -> Ball:
    return between(jnp.minimum(a.lower, b.lower), jnp.maximum(a.upper, b.upper))


def tighter(a: Ball, b: Ball) -> Ball:
    """Of two balls that both hold the value, entry by entry the smaller."""
    first = a.rad <= b.rad
    return Ball(jnp.where(first, a.mid, b.mid), jnp.where(first, a.rad, b.rad))


def total(a: Ball, axes: tuple[int, ...]) -> Ball:
    """The sum along axes: n terms added in any order err by no more than n eps / 2 times the sum of their sizes."""
    count = int(np.prod([a.shape[axis] for axis in axes], dtype=int)) if axes else 1
    mid = jnp.sum(a.mid, axes)
    sizes = jnp.sum(a.rad + count * EPS * jnp.abs(a.mid), axes)
    return Ball(mid, many(sizes, count))


def many(x: Float[Array, "..."], count: int) -> Float[Array, "..."]:
    """At least what a sum of `count` non-negative terms, each of a few operations, would be without rounding."""
    return x * (1 + (count + 16) * EPS) + (count + 1) * TINY


def bilinear(product: Callable, a: Ball, b: Ball, count: int) -> Ball:
    """A sum of `count` products in any order: a dot product, a matrix product, a convolution.

    `product(x, y)` is bilinear with coefficients 0 and 1, which makes it monotonic in non-negative operands.
    """
    size_a, size_b = jnp.abs(a.mid), jnp.abs(b.mid)
    rad = product(size_a, b.rad + (count + 1) * EPS * size_b) + product(a.rad, size_b + b.rad)
    return Ball(product(a.mid, b.mid), many(rad, 2 * count))


def select(which: Array, a: Ball, b: Ball) -> Ball:
    """Where `which` holds, a; elsewhere b."""
    return Ball(jnp.where(which, a.mid, b.mid), jnp.where(which, a.rad, b.rad))


def unknown(like: Float[Array, "..."]) -> Ball:
    return Ball(jnp.zeros_like(like), jnp.full_like(like, jnp.inf))


def powers_of_two(exponent: Array) -> Float[Array, "..."]:
    """2^n for whole numbers n, exact from -1022 to 1023; beyond it 0 or infinity."""
    inside = jnp.clip(exponent, -1022, 1023)
    value = lax.bitcast_convert_type((inside.astype(jnp.int64) + 1023) << 52, jnp.float64)
    return jnp.where(exponent > 1023, jnp.inf, jnp.where(exponent < -1022, 0.0, value))
