"""Polynomials on the unit interval: values, ranges of pieces, and a proof that one stays above zero.

A polynomial is an array of coefficients along a first axis, for s from 0 to 1. Sums are formed by matrix products of
numbers of one sign, whose rounding is bounded from their sizes.

Source: G. Farin, Curves and Surfaces for CAGD, 5th ed., Morgan Kaufmann 2002, chapters 4 and 5 (Bernstein form).
"""

from __future__ import annotations

import functools
import math

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from ._ball import EPS, Ball, many, up


def horner(coefficients: Float[Array, "n1 ..."], s) -> Float[Array, "..."]:
    """The value at s. A loop rather than a long expression: less to compile, and as fast."""
    value, _ = lax.scan(lambda value, c: (value * s + c, None), coefficients[-1], coefficients[:-1], reverse=True)
    return value


def derivative(coefficients: Float[Array, "n1 ..."]) -> Float[Array, "n ..."]:
    degrees = jnp.arange(1, coefficients.shape[0], dtype=coefficients.dtype)
    return coefficients[1:] * degrees.reshape(-1, *[1] * (coefficients.ndim - 1))


def powers(h: Float[Array, ""], count: int) -> Float[Array, " count"]:
    """1, h, h^2, ... each by one rounding more than the last."""
    return lax.scan(lambda power, _: (power * h, power), jnp.ones_like(h), None, length=count)[1]


def on_unit(coefficients: Ball, h: Float[Array, ""]) -> Ball:
    """The same polynomial in s = t / h."""
    count = coefficients.mid.shape[0]
    shape = (-1, *[1] * (coefficients.mid.ndim - 1))
    scales, k = powers(h, count).reshape(shape), np.arange(count).reshape(shape)
    mid = coefficients.mid * scales
    # The k-th power was rounded k - 1 times, the product once more; the first coefficient stays what it is.
    return Ball(mid, up(coefficients.rad * scales * (1 + count * EPS) + np.where(k > 0, k + 1, 0) * EPS * jnp.abs(mid)))


@functools.cache
def pascal(count: int) -> Float[np.ndarray, "count count"]:
    """binomial(k, j) in row j, column k."""
    return np.array([[math.comb(k, j) for k in range(count)] for j in range(count)], float)


@functools.cache
def slices(pieces: int, count: int) -> Float[np.ndarray, "pieces count count"]:
    """The matrices that take coefficients around 0 to those around the middle of each piece of the unit interval."""
    middles = (np.arange(pieces) + 0.5) / pieces
    k, j = np.arange(count)[None, None, :], np.arange(count)[None, :, None]
    return pascal(count)[None] * middles[:, None, None] ** np.maximum(k - j, 0)


@functools.cache
def bernstein(count: int) -> Float[np.ndarray, "count count"]:
    """The matrix from power coefficients to Bernstein coefficients: binomial(i, k) / binomial(n, k)."""
    n = count - 1
    return np.array([[math.comb(i, k) / math.comb(n, k) for k in range(count)] for i in range(count)], float)


def ranges(unit: Ball, pieces: int) -> Ball:
    """A ball for each of the equal pieces of [0, 1] that holds the values of a polynomial there.

    Around the middle m of a piece of half-width d, p(m + x) = sum of c_j x^j, so |p - c_0| <= sum of |c_j| d^j.
    """
    count = unit.mid.shape[0]
    matrix, half = slices(pieces, count), 0.5 / pieces
    flat, size, rad = (x.reshape(count, -1) for x in (unit.mid, jnp.abs(unit.mid), unit.rad))
    local = jnp.einsum("ijk,kn->ijn", matrix, flat)
    error = many(jnp.einsum("ijk,kn->ijn", matrix, rad + (count + 2) * EPS * size), 2 * count)
    widths = half ** np.arange(count)
    away = jnp.einsum("j,ijn->in", widths[1:], jnp.abs(local[:, 1:])) + jnp.einsum("j,ijn->in", widths, error)
    shape = (pieces, *unit.mid.shape[1:])
    return Ball(local[:, 0].reshape(shape), many(away, 4 * count).reshape(shape))


def shifted(unit: Float[Array, "n1 m"], start, width) -> tuple[Float[Array, "n1 m"], Float[Array, "n1 m"]]:
    """The coefficients on [start, start + width], and their sizes for the bounds of rounding."""
    count = unit.shape[0]
    k, j = np.arange(count)[None, :], np.arange(count)[:, None]
    lift = powers(jnp.asarray(start, float), count)[np.maximum(k - j, 0)] * pascal(count)
    scales = powers(jnp.asarray(width, float), count)[:, None]
    return scales * (lift @ unit), scales * (lift @ jnp.abs(unit))


def lowest(unit: Float[Array, "n1 m"], error: Float[Array, " m"], start, width) -> Float[Array, " m"]:
    """A number that each polynomial exceeds on [start, start + width], given a bound of the error of its values.

    A polynomial lies in the convex hull of its Bernstein coefficients. -inf or NaN proves nothing.
    """
    count = unit.shape[0]
    local, size = shifted(unit, start, width)
    controls = bernstein(count) @ local
    rounding = (6 * count + 12) * EPS * jnp.max(bernstein(count) @ size, 0)
    return jnp.min(controls, 0) - up(rounding + error)
