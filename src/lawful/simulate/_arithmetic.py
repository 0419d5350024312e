"""The two kinds of numbers that a series can be made of: plain floats, and balls that prove their error."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jaxtyping import Array

from . import _ball as balls
from ._ball import EPS, Ball, many
from ._kept import Kept, Listed, Still, Value


class Weights(NamedTuple):
    """`factor(j, k)` of the j-th term of the k-th coefficient, and a bound of its error in floating point."""

    factor: Callable
    error: Callable


class Arithmetic(Protocol):
    """What the rules for series ask of numbers. `times` is a bilinear product, `terms` the products in one entry."""

    def exact(self, value) -> Value: ...
    def add(self, a: Value, b: Value) -> Value: ...
    def sub(self, a: Value, b: Value) -> Value: ...
    def neg(self, a: Value) -> Value: ...
    def mul(self, a: Value, b: Value) -> Value: ...
    def div(self, a: Value, b: Value) -> Value: ...
    def share(self, a: Value, b: Value) -> Value: ...
    def once(self, a: Value) -> Value: ...
    def scale(self, a: Value, factor) -> Value: ...
    def over(self, a: Value, k) -> Value: ...
    def product(self, times: Callable, a: Value, b: Value, terms: int) -> Value: ...
    def each(self, function: Callable, *values: Value) -> Value: ...
    def summed(self, function: Callable, count: int, *values: Value) -> Value: ...
    def stepped(self, function: Callable, value: Value) -> Value: ...
    def compared(self, function: Callable, a: Value, b: Value) -> Array: ...
    def larger(self, a: Value, b: Value) -> tuple[Value, Array]: ...
    def convolved(self, times: Callable, a: Kept, b: Kept, k, weights: Weights | None, terms: int) -> Value: ...


class Points:
    """Plain floating-point numbers."""

    def once(self, a):
        """A value that is used often."""
        return a

    def exact(self, value) -> Array:
        return jnp.asarray(value)

    def add(self, a, b):
        return a + b

    def sub(self, a, b):
        return a - b

    def neg(self, a):
        return -a

    def mul(self, a, b):
        return a * b

    def div(self, a, b):
        return a / b

    def share(self, a, b):
        """The quotient where coefficients of every order are divided by b: its reciprocal is computed once."""
        return a * (1 / b)

    def scale(self, a, factor):
        return a * factor

    def over(self, a, k):
        return a / k

    def product(self, times, a, b, terms):
        del terms
        return times(a, b)

    def each(self, function, *values):
        return function(*values)

    def summed(self, function, count, *values):
        del count
        return function(*values)

    def stepped(self, function, value):
        return function(value)

    def compared(self, function, a, b):
        return function(a, b)

    def larger(self, a, b):
        return jnp.maximum(a, b), a > b

    def convolved(self, times, a, b, k, weights, terms):
        del terms
        if isinstance(a, Listed):
            if a is b and weights is None and times is operator.mul:
                return squared(a, k)
            return added(weighed(times(a.at(j), b.at(k - j)), weights, j, k) for j in pairs(a, b, k))
        rows = a.ascending()
        rows = weighed(rows, weights, places(rows, a.order), jnp.asarray(k, float))
        return jnp.sum(jax.vmap(times)(rows, b.descending(k)), 0)


class Balls:
    """Numbers with a proven error.

    `doubts` collects where a comparison could go either way: where one of them holds, no result is proven, because
    the function that was expanded may have a kink there.
    """

    def __init__(self):
        self.doubts: list[Array] = []

    @property
    def doubtful(self) -> Array:
        return functools.reduce(operator.or_, self.doubts, jnp.zeros((), bool))

    def once(self, a):
        return a

    def _doubt(self, unsure: Array) -> None:
        self.doubts.append(jnp.any(unsure))

    def exact(self, value) -> Ball:
        return balls.exact(value)

    def add(self, a, b):
        return balls.add(a, b)

    def sub(self, a, b):
        return balls.sub(a, b)

    def neg(self, a):
        return balls.neg(a)

    def mul(self, a, b):
        return balls.mul(a, b)

    def div(self, a, b):
        return balls.div(a, b)

    def share(self, a, b):
        return balls.div(a, b)

    def scale(self, a, factor):
        return balls.scale(a, factor)

    def over(self, a, k):
        """Divided by a whole number."""
        return balls.rounded(a.mid / k, a.rad / k)

    def product(self, times, a, b, terms):
        return balls.bilinear(times, a, b, terms)

    def each(self, function, *values):
        """A function that only moves entries about, which is the same for middles and radii."""
        return Ball(function(*map(middle, values)), function(*map(radius, values)))

    def summed(self, function, count, *values):
        """A function whose every result is a sum of at most `count` entries."""
        sizes = [v.rad + count * EPS * jnp.abs(v.mid) if isinstance(v, Ball) else v for v in values]
        return Ball(function(*map(middle, values)), many(function(*sizes), count))

    def stepped(self, function, value):
        """A function that rises or falls in steps, such as the sign, where the ball does not reach over a step."""
        low, high = function(value.lower), function(value.upper)
        self._doubt(~(low == high) & (value.rad > 0))
        found = function(value.mid)
        return balls.exact(found) if jnp.issubdtype(found.dtype, jnp.floating) else found

    def compared(self, function, a, b):
        """Whether a < b or the like, where all of the one ball lies on one side of all of the other."""
        a, b = as_ball(a), as_ball(b)
        apart = (a.upper < b.lower) | (b.upper < a.lower)
        same = (a.rad == 0) & (b.rad == 0)
        self._doubt(~(apart | same))
        return function(a.mid, b.mid)

    def larger(self, a, b):
        """The maximum, and whether it is a."""
        a, b = as_ball(a), as_ball(b)
        which = self.compared(operator.gt, a, b)
        return balls.select(which, a, b), which

    def convolved(self, times, a, b, k, weights, terms):
        """The middles convolved; |a| (rad b + rounding) + rad a (|b| + rad b) convolved for the radius."""
        if isinstance(a, Listed):
            lines = [(weighed_ball(a.at(j), weights, j, k), b.at(k - j)) for j in pairs(a, b, k)]
            count = terms * len(lines) + 3
            mid = added(times(x.mid, y.mid) for x, y in lines)
            rad = added(
                times(jnp.abs(x.mid), y.rad + count * EPS * jnp.abs(y.mid)) + times(x.rad, jnp.abs(y.mid) + y.rad)
                for x, y in lines
            )
            return Ball(mid, many(rad, 2 * count))
        count = terms * (a.order + 1) + 3
        one, other = a.ascending(), b.descending(k)
        if weights is not None:
            one = weighed_ball(one, weights, places(one.mid, a.order), jnp.asarray(k, float))
        product = lambda x, y: jnp.sum(jax.vmap(times)(x, y), 0)
        size = jnp.abs(other.mid)
        rad = product(jnp.abs(one.mid), other.rad + count * EPS * size) + product(one.rad, size + other.rad)
        return Ball(product(one.mid, other.mid), many(rad, 2 * count))


def as_ball(value) -> Ball:
    return value if isinstance(value, Ball) else balls.exact(value)


def middle(value):
    """The middle of a ball; places and choices as they are."""
    return value.mid if isinstance(value, Ball) else value


def radius(value):
    return value.rad if isinstance(value, Ball) else value


def pairs(a: Listed, b: Listed, k: int) -> range:
    """The j for which a_j and b_(k-j) are both known."""
    return range(max(0, k - len(b.found) + 1), min(k, len(a.found) - 1) + 1)


def squared(a: Listed, k: int) -> Array:
    """The k-th coefficient of a a: every product of two different ones occurs twice."""
    both = [j for j in pairs(a, a, k) if 2 * j < k]
    twice = [2 * added(a.at(j) * a.at(k - j) for j in both)] if both else []
    return added([*twice, a.at(k // 2) * a.at(k // 2)]) if k % 2 == 0 and 2 * len(a.found) > k else added(twice)


def places(rows: Array, order: int) -> Array:
    """0 ... order along the first axis of some rows."""
    return jnp.arange(order + 1, dtype=rows.dtype).reshape(-1, *[1] * (rows.ndim - 1))


def weighed(x: Array, weights: Weights | None, j, k) -> Array:
    return x if weights is None else x * weights.factor(j, k)


def weighed_ball(x: Ball, weights: Weights | None, j, k) -> Ball:
    if weights is None:
        return x
    factor, error = weights.factor(j, k), weights.error(j, k)
    return Ball(x.mid * factor, x.rad * abs(factor) + error * (jnp.abs(x.mid) + x.rad))


def added(terms) -> Array:
    return functools.reduce(operator.add, terms)


def convolution(arithmetic: Arithmetic, a: Kept, b: Kept, k, times: Callable = operator.mul, terms: int = 1,
                weights: Weights | None = None) -> Value:  # fmt: skip
    """The k-th coefficient of a product, from the coefficients that are known: the sum of w a_j b_(k-j).

    Without weights either factor may stand still.
    """
    if isinstance(a, Still) or isinstance(b, Still):
        assert weights is None
        return arithmetic.product(
            times, a.at(0 if isinstance(a, Still) else k), b.at(0 if isinstance(b, Still) else k), terms
        )
    if isinstance(a, Listed) and not pairs(a, b, k):  # the first coefficient of a root or a logarithm
        return arithmetic.each(jnp.zeros_like, arithmetic.product(times, a.at(0), b.at(0), terms))
    return arithmetic.convolved(times, a, b, k, weights, terms)
