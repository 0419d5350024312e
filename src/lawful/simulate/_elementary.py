"""Enclosures of elementary functions, proven from the four operations and the square root alone.

What the machine's own exp or sin return is nowhere guaranteed. Here an argument is reduced, a Taylor polynomial is
evaluated in ball arithmetic, and the remainder of the series is added to the radius. A ball of arguments widens the
result by the mean value theorem, with a bound of the derivative over the ball.

Source of the reductions: J.-M. Muller, Elementary Functions, 3rd ed., Birkhaeuser 2016, chapters 3 and 11.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from ._ball import (
    EPS,
    Ball,
    add,
    between,
    div,
    exact,
    hull,
    mul,
    neg,
    powers_of_two,
    reciprocal,
    scale,
    select,
    sqrt,
    square,
    sub,
    tighter,
    times_power_of_two,
    unknown,
    up,
)

# Leading parts have so few bits that their products with the whole numbers that occur are exact; the last parts are
# balls. pi and ln 2 to 60 digits: A. Sloane's A000796 and A002162.
PI = Fraction("3.14159265358979323846264338327950288419716939937510582097494459")
LN2 = Fraction("0.693147180559945309417232121458176568075500134360255254120680009")
FARTHEST = 2.0**20  # in quarter turns: beyond it a sine is known to lie between -1 and 1, and no better


def parts(value: Fraction, bits: Sequence[int]) -> tuple[list[float], Ball]:
    """A constant as a sum of short floats and a ball."""
    short, rest = [], value
    for count in bits:
        exponent = math.floor(math.log2(abs(rest)))
        step = Fraction(2) ** (exponent - count + 1)
        part = Fraction(math.floor(rest / step)) * step
        short.append(float(part))
        rest -= part
    last = float(rest)
    return short, Ball(np.float64(last), np.float64(EPS * abs(last)))


QUARTER, QUARTER_REST = parts(PI / 2, (33, 33))
LOG, LOG_REST = parts(LN2, (40,))
HALF_PI = Ball(np.float64(math.pi / 2), np.float64(7e-17))  # the double is pi / 2 - 6.1e-17
WHOLE_PI = Ball(np.float64(math.pi), np.float64(1.3e-16))


def series(coefficients: Sequence[Fraction], x: Ball, remainder: float) -> Ball:
    """The sum of c_k x^k by Horner's rule; `remainder` bounds what the terms left out amount to."""
    result = rational(coefficients[-1], x)
    for c in reversed(coefficients[:-1]):
        result = add(mul(result, x), rational(c, x))
    return Ball(result.mid, up(result.rad + remainder))


def rational(value: Fraction, like: Ball) -> Ball:
    mid = float(value)
    rad = 0.0 if Fraction(mid) == value else EPS * abs(mid)
    return Ball(jnp.full_like(like.mid, mid), jnp.full_like(like.mid, rad))


def exp(x: Ball) -> Ball:
    """e^x = 2^n e^r with |r| <= 0.35, and e^(x + d) - e^x <= e^x (e^d - 1)."""
    middle = _exp_at(x.mid)
    growth = _exp_at(x.rad)
    spread = up(growth.upper - 1.0)
    wide = up(middle.rad + up(middle.most * jnp.minimum(spread, up(x.rad * growth.upper))))
    rad = jnp.where(x.rad > 0, wide, middle.rad)
    inside = (jnp.abs(x.mid) < 700) & (x.rad < 700)
    return Ball(jnp.where(inside, middle.mid, 0.0), jnp.where(inside, rad, _far_exp(x)))


def _exp_at(x: Float[Array, "..."]) -> Ball:
    n = jnp.round(jnp.clip(x, -800, 800) * float(1 / LN2))
    # n LOG is exact, and the difference loses nothing but for one rounding.
    r = sub(sub(exact(x), exact(n * LOG[0])), mul(exact(n), LOG_REST))
    terms = [Fraction(1, math.factorial(k)) for k in range(15)]
    # The next term and its geometric tail: 0.36^15 / 15! / (1 - 0.03).
    return _shifted(series(terms, r, 2e-19), n)


def _shifted(x: Ball, n: Float[Array, "..."]) -> Ball:
    return times_power_of_two(x, powers_of_two(n))


def _far_exp(x: Ball) -> Float[Array, "..."]:
    """The radius where e^x over- or underflows: below, all that is known is 0 <= e^x <= 1e-290."""
    tiny = x.mid + x.rad < -690
    return jnp.where(tiny, 1e-290, jnp.inf)


def expm1(x: Ball) -> Ball:
    """e^x - 1, by its own series where x is small."""
    small = jnp.abs(x.mid) + x.rad < 0.5
    inner = select(small, x, exact(jnp.zeros_like(x.mid)))
    terms = [Fraction(1, math.factorial(k + 1)) for k in range(16)]
    near = mul(inner, series(terms, inner, 1e-19))
    return select(small, near, sub(exp(x), exact(jnp.ones_like(x.mid))))


def log(x: Ball) -> Ball:
    """Log x = n ln 2 + 2 atanh(s), s = (m - 1) / (m + 1), for x = 2^n m with m between 0.7 and 1.42."""
    positive = (x.mid > x.rad) & (x.mid > 1e-290) & (x.mid < jnp.inf)
    safe = jnp.where(positive, x.mid, 1.0)
    bits = lax.bitcast_convert_type(safe, jnp.int64)
    n = ((bits >> 52) & 0x7FF) - 1023
    m = lax.bitcast_convert_type((bits & 0xFFFFFFFFFFFFF) | (1023 << 52), jnp.float64)
    high = m > math.sqrt(2)
    n, m = n + high, jnp.where(high, 0.5 * m, m)
    one = exact(jnp.ones_like(m))
    ratio = div(sub(exact(m), one), add(exact(m), one))
    whole = n.astype(float)
    shift = add(exact(whole * LOG[0]), mul(exact(whole), LOG_REST))
    middle = add(shift, scale(_atanh_small(ratio), 2.0))
    # |log x - log m| <= r / (m - r)
    spread = div(exact(x.rad), Ball(safe, x.rad)).most
    rad = jnp.where(x.rad > 0, up(middle.rad + spread), middle.rad)
    return Ball(middle.mid, jnp.where(positive, rad, jnp.inf))


def _atanh_small(s: Ball) -> Ball:
    """The sum of s^(2k+1) / (2k+1), for |s| <= 0.18: the terms left out are below 0.18^25 / 25 / 0.96."""
    odd = series([Fraction(1, 2 * k + 1) for k in range(12)], square(s), 1e-19)
    return mul(s, odd)


def log1p(x: Ball) -> Ball:
    """log(1 + x) = 2 atanh(x / (2 + x)), which keeps its digits where x is small."""
    small = jnp.abs(x.mid) + x.rad < 0.3
    inner = select(small, x, exact(jnp.zeros_like(x.mid)))
    near = scale(_atanh_small(div(inner, add(inner, exact(jnp.full_like(x.mid, 2.0))))), 2.0)
    return select(small, near, log(add(x, exact(jnp.ones_like(x.mid)))))


def sin(x: Ball) -> Ball:
    return _turned(x, 0)


def cos(x: Ball) -> Ball:
    return _turned(x, 1)


def _turned(x: Ball, quarters: int) -> Ball:
    """sin(x + quarters pi / 2): the sine or cosine of what is left of whole quarter turns."""
    near = jnp.abs(x.mid) * float(2 / PI) < FARTHEST
    safe = jnp.where(near, x.mid, 0.0)
    n = jnp.round(safe * float(2 / PI))
    r = sub(exact(safe), exact(n * QUARTER[0]))
    r = sub(sub(r, exact(n * QUARTER[1])), mul(exact(n), QUARTER_REST))
    s, c = _sin_small(r), _cos_small(r)
    turn = jnp.mod(n.astype(jnp.int64) + quarters, 4)
    value = select(turn % 2 == 0, s, c)
    slope = select(turn % 2 == 0, c, s)
    value = select(turn >= 2, neg(value), value)
    # |sin(m + d) - sin m| <= |cos m| |d| + |sin m| d^2 / 2
    wide = up(value.rad + slope.most * x.rad + value.most * (0.5 * x.rad * x.rad))
    rad = jnp.where(x.rad > 0, wide, value.rad)
    outer = near & (x.rad < 1.5)
    return Ball(
        jnp.where(outer, value.mid, 0.0), jnp.where(outer, rad, jnp.where(jnp.isnan(x.mid + x.rad), jnp.inf, 1.0))
    )


def _sin_small(r: Ball) -> Ball:
    """For |r| <= 0.8; the term left out is 0.8^21 / 21!."""
    terms = [Fraction((-1) ** k, math.factorial(2 * k + 1)) for k in range(10)]
    return mul(r, series(terms, square(r), 2e-22))


def _cos_small(r: Ball) -> Ball:
    """For |r| <= 0.8; the term left out is 0.8^20 / 20!."""
    terms = [Fraction((-1) ** k, math.factorial(2 * k)) for k in range(10)]
    return series(terms, square(r), 5e-21)


def tan(x: Ball) -> Ball:
    return div(sin(x), cos(x))


def sinh(x: Ball) -> Ball:
    """By its own series below 1, by exponentials beyond."""
    small = jnp.abs(x.mid) + x.rad < 1
    inner = select(small, x, exact(jnp.zeros_like(x.mid)))
    terms = [Fraction(1, math.factorial(2 * k + 1)) for k in range(11)]
    near = mul(inner, series(terms, square(inner), 1e-21))
    grown = exp(x)
    return select(small, near, scale(sub(grown, reciprocal(grown)), 0.5))


def cosh(x: Ball) -> Ball:
    """(e^x + e^-x) / 2, whose ball of arguments widens it by sinh at the farther end."""
    middle = exp(exact(x.mid))
    value = scale(add(middle, reciprocal(middle)), 0.5)
    slope = sinh(exact(x.most)).most
    return Ball(value.mid, jnp.where(x.rad > 0, up(value.rad + slope * x.rad), value.rad))


def tanh(x: Ball) -> Ball:
    """At the middle 1 - 2 / (e^2x + 1) or sinh / cosh; its slope is at most 1."""
    middle = exact(x.mid)
    small = jnp.abs(x.mid) < 1
    inner = select(small, middle, exact(jnp.zeros_like(x.mid)))
    near = div(sinh(inner), cosh(inner))
    one = exact(jnp.ones_like(x.mid))
    far = exp(exact(-2 * jnp.minimum(jnp.abs(x.mid), 300.0)))
    ratio = div(sub(one, far), add(one, far))
    value = select(small, near, select(x.mid < 0, neg(ratio), ratio))
    closest = jnp.maximum(jnp.abs(x.mid) - x.rad, 0.0)
    # The slope 1 / cosh^2 is largest where |x| is smallest.
    flat = exp(exact(-2 * jnp.minimum(closest, 300.0)))
    slope = jnp.minimum(1.0, up(4 * flat.most))
    return Ball(value.mid, jnp.where(x.rad > 0, up(value.rad + slope * x.rad), value.rad))


def logistic(x: Ball) -> Ball:
    """(1 + tanh(x / 2)) / 2; for x below zero e^x / (1 + e^x), which keeps its digits."""
    one = exact(jnp.ones_like(x.mid))
    fall = exp(Ball(-jnp.abs(x.mid), x.rad))
    high, low = reciprocal(add(one, fall)), div(fall, add(one, fall))
    direct = select(x.mid < 0, low, high)
    middle = exp(exact(-jnp.abs(x.mid)))
    value = select(x.mid < 0, div(middle, add(one, middle)), reciprocal(add(one, middle)))
    quarter = Ball(value.mid, jnp.where(x.rad > 0, up(value.rad + 0.25 * x.rad), value.rad))
    return tighter(direct, quarter)


def atan(x: Ball) -> Ball:
    """At the middle by halving the angle twice; its slope is 1 / (1 + x^2)."""
    large = jnp.abs(x.mid) > 1
    safe = jnp.where(large, x.mid, 1.0)
    inner = select(large, reciprocal(exact(safe)), exact(x.mid))
    core = scale(_atan_small(_half_angle(_half_angle(inner))), 4.0)
    sign = jnp.where(x.mid < 0, -1.0, 1.0)
    value = select(large, sub(Ball(sign * HALF_PI.mid, jnp.full_like(x.mid, HALF_PI.rad)), core), core)
    closest = exact(jnp.maximum(jnp.abs(x.mid) - x.rad, 0.0) * (1 - 4 * EPS))
    slope = jnp.minimum(1.0, reciprocal(add(exact(jnp.ones_like(x.mid)), square(closest))).most)
    return Ball(value.mid, jnp.where(x.rad > 0, up(value.rad + slope * x.rad), value.rad))


def _half_angle(t: Ball) -> Ball:
    """tan(a / 2) from t = tan a."""
    one = exact(jnp.ones_like(t.mid))
    return div(t, add(one, sqrt(add(one, square(t)))))


def _atan_small(t: Ball) -> Ball:
    """For |t| <= 0.2; the term left out is 0.2^27 / 27."""
    terms = [Fraction((-1) ** k, 2 * k + 1) for k in range(13)]
    return mul(t, series(terms, square(t), 1e-19))


def atan2(y: Ball, x: Ball) -> Ball:
    """The angle of (x, y), where the ball of points does not reach the half-line on which it jumps."""
    right, left = x.mid > x.rad, -x.mid > x.rad
    off = jnp.abs(y.mid) > y.rad
    level = right & (x.mid >= jnp.abs(y.mid))
    flat = select(level | (left & off & (-x.mid >= jnp.abs(y.mid))), x, exact(jnp.ones_like(x.mid)))
    beside = atan(div(y, flat))
    sign = jnp.where(y.mid < 0, -1.0, 1.0)
    turned = add(beside, Ball(sign * WHOLE_PI.mid, jnp.full_like(x.mid, WHOLE_PI.rad)))
    tall = select(off, y, exact(jnp.ones_like(x.mid)))
    above = sub(Ball(sign * HALF_PI.mid, jnp.full_like(x.mid, HALF_PI.rad)), atan(div(x, tall)))
    nothing = unknown(x.mid + y.mid)
    behind = left & off & (-x.mid >= jnp.abs(y.mid))
    return select(level, beside, select(behind, turned, select(off, above, select(right, beside_of(y, x), nothing))))


def beside_of(y: Ball, x: Ball) -> Ball:
    safe = select(x.mid > x.rad, x, exact(jnp.ones_like(x.mid)))
    return atan(div(y, safe))


def asin(x: Ball) -> Ball:
    """atan(x / sqrt((1 - x) (1 + x))), inside -1 < x < 1."""
    one = exact(jnp.ones_like(x.mid))
    return atan(div(x, sqrt(mul(sub(one, x), add(one, x)))))


def acos(x: Ball) -> Ball:
    return sub(Ball(jnp.full_like(x.mid, HALF_PI.mid), jnp.full_like(x.mid, HALF_PI.rad)), asin(x))


def asinh(x: Ball) -> Ball:
    """log1p(|x| + x^2 / (1 + sqrt(1 + x^2))) at the middle, with the sign of x; its slope is at most 1."""
    size = exact(jnp.abs(x.mid))
    one = exact(jnp.ones_like(x.mid))
    squared = square(size)
    value = log1p(add(size, div(squared, add(one, sqrt(add(one, squared))))))
    value = select(x.mid < 0, neg(value), value)
    return Ball(value.mid, jnp.where(x.rad > 0, up(value.rad + x.rad), value.rad))


def acosh(x: Ball) -> Ball:
    one = exact(jnp.ones_like(x.mid))
    return log(add(x, sqrt(mul(sub(x, one), add(x, one)))))


def atanh(x: Ball) -> Ball:
    one = exact(jnp.ones_like(x.mid))
    return scale(log1p(div(scale(x, 2.0), sub(one, x))), 0.5)


def integer_power(x: Ball, exponent: int) -> Ball:
    """x^n by repeated squaring."""
    if exponent < 0:
        return reciprocal(integer_power(x, -exponent))
    if exponent == 0:
        return exact(jnp.ones_like(x.mid))
    if exponent == 1:
        return x
    root = square(integer_power(x, exponent // 2))
    return mul(root, x) if exponent % 2 else root


def power(x: Ball, exponent: Float[Array, "..."]) -> Ball:
    """x^r = e^(r log x) for x above zero and an exponent that is what it is."""
    return exp(mul(exact(exponent), log(x)))


def half_integer_power(x: Ball, halves: int) -> Ball:
    """x^(n / 2): no logarithm, hence fewer digits lost."""
    if halves % 2 == 0:
        return integer_power(x, halves // 2)
    root = sqrt(x)
    return root if halves == 1 else mul(root, integer_power(x, (halves - 1) // 2))


def cbrt(x: Ball) -> Ball:
    """The real cube root: the sign of x, times e^(log|x| / 3)."""
    size = Ball(jnp.abs(x.mid), x.rad)
    root = exp(div(log(size), exact(jnp.full_like(x.mid, 3.0))))
    return select(x.mid < 0, neg(root), root)


def maximum(a: Ball, b: Ball) -> Ball:
    return between(jnp.maximum(a.lower, b.lower), jnp.maximum(a.upper, b.upper))


def minimum(a: Ball, b: Ball) -> Ball:
    return between(jnp.minimum(a.lower, b.lower), jnp.minimum(a.upper, b.upper))


def floor(x: Ball) -> Ball:
    """Known where all of the ball lies between two whole numbers."""
    low, high = jnp.floor(x.lower), jnp.floor(x.upper)
    return hull(exact(low), exact(high))
