"""How each operation takes the coefficients of its operands to its own: one law a function, for floats and balls alike.

A law has two parts. `head` computes the value itself, of order 0, and the order 0 of what else it needs on the way (a
sine carries its cosine along). `step` computes the coefficients of order k from those of lower order and from those
of the operands up to k; for a function y(u) it follows from the differential equation that y obeys.

Source: Griewank and Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, chapter 13.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax.numpy as jnp

from ._arithmetic import Arithmetic, Weights, convolution
from ._ball import EPS, Ball
from ._kept import Kept, Still, Value

Own = tuple[Kept, ...]


class Law(NamedTuple):
    """`head(arithmetic, values) -> own values`; `step(arithmetic, k, operands, own) -> own` with order k filled in."""

    head: Callable[[Arithmetic, Sequence[Value]], tuple[Value, ...]]
    step: Callable[[Arithmetic, object, Sequence[Kept], Own], Own]
    linear: bool = False
    """Whether a coefficient of an operand enters that of the same order alone."""


slope = Weights(lambda j, k: j / k, lambda j, k: EPS * j / k)
"""The weights of y' = w u': k y_k = sum over j of j u_j w_(k-j)."""


def put(own: Own, k, *values: Value) -> Own:
    """The first of `own` with their k-th coefficients, the rest as it is."""
    moved = tuple(one.having(k, value) for one, value in zip(own, values, strict=False))
    return moved + own[len(values) :]


def moves(function: Callable) -> Law:
    """Entries that only change places, and choices among them: linear, and exact."""

    def step(arithmetic, k, operands, own):
        parts = parts_of(arithmetic, operands, k)
        return put(own, k, arithmetic.each(function, *parts))

    return Law(lambda arithmetic, values: (arithmetic.each(function, *values),), step, linear=True)


def parts_of(arithmetic: Arithmetic, operands: Sequence[Kept], k) -> list[Value]:
    """The k-th coefficients: zero for what stands still; places and choices as they are."""
    return [nothing_like(arithmetic, x.value) if isinstance(x, Still) else x.at(k) for x in operands]


def nothing_like(arithmetic: Arithmetic, value: Value) -> Value:
    if isinstance(value, Ball) or jnp.issubdtype(jnp.result_type(value), jnp.floating):
        return arithmetic.each(jnp.zeros_like, value)
    return value


def negated() -> Law:
    def step(arithmetic, k, operands, own):
        return put(own, k, arithmetic.neg(operands[0].at(k)))

    return Law(lambda arithmetic, values: (arithmetic.neg(values[0]),), step, linear=True)


def sums(function: Callable, count: int) -> Law:
    """A function whose every result is the sum of at most `count` entries of its operands."""

    def step(arithmetic, k, operands, own):
        return put(own, k, arithmetic.summed(function, count, *parts_of(arithmetic, operands, k)))

    return Law(lambda arithmetic, values: (arithmetic.summed(function, count, *values),), step, linear=True)


def total_of(signs: tuple[int, int]) -> Law:
    """A + b or a - b. Where one of them stands still the other is passed on, in the shape of the sum."""

    def head(arithmetic, values):
        return ((arithmetic.add if signs[1] > 0 else arithmetic.sub)(*values),)

    def step(arithmetic, k, operands, own):
        a, b = operands
        if isinstance(a, Still) or isinstance(b, Still):
            moving, shape = (b if isinstance(a, Still) else a), shape_of(own[0])
            value = moving.at(k) if isinstance(b, Still) or signs[1] > 0 else arithmetic.neg(moving.at(k))
            return put(own, k, arithmetic.each(lambda x: jnp.broadcast_to(x, shape), value))
        return put(own, k, head(arithmetic, [a.at(k), b.at(k)])[0])

    return Law(head, step, linear=True)


def shape_of(kept: Kept) -> tuple[int, ...]:
    value = kept.at(0)
    return value.shape


def product(times: Callable = operator.mul, terms: int = 1) -> Law:
    """A bilinear product: (a b)_k is the sum over j of a_j b_(k-j)."""

    def step(arithmetic, k, operands, own):
        return put(own, k, convolution(arithmetic, operands[0], operands[1], k, times, terms))

    return Law(lambda arithmetic, values: (arithmetic.product(times, *values, terms),), step)


def squared(head: Callable) -> Law:
    """The product of a quantity with itself, never below zero."""

    def step(arithmetic, k, operands, own):
        return put(own, k, convolution(arithmetic, operands[0], operands[0], k))

    return Law(lambda arithmetic, values: (head(arithmetic, values[0]),), step)


def quotient() -> Law:
    """Q = a / b, from b q = a."""

    def step(arithmetic, k, operands, own):
        a, b = operands
        if isinstance(b, Still):
            return put(own, k, arithmetic.share(a.at(k), b.value))
        known = convolution(arithmetic, b, own[0], k)
        rest = arithmetic.neg(known) if isinstance(a, Still) else arithmetic.sub(a.at(k), known)
        return put(own, k, arithmetic.share(rest, b.at(0)))

    return Law(lambda arithmetic, values: (arithmetic.div(*values),), step)


def solution(head: Callable, first: Callable, later: Callable) -> Law:
    """Y' = w u': w_0 = first(y_0), and w_k = later(y, k) from the y so far."""

    def both(arithmetic, values):
        y = head(arithmetic, values[0])
        return y, first(arithmetic, y)

    def step(arithmetic, k, operands, own):
        y, w = put(own, k, convolution(arithmetic, operands[0], own[1], k, weights=slope))
        return y, w.having(k, later(arithmetic, y, k))

    return Law(both, step)


def exponential(head: Callable, shift: Callable | None = None) -> Law:
    """Y' = y u'; with `shift` the result differs from y in its value alone, as e^u - 1 does."""

    def both(arithmetic, values):
        y = head(arithmetic, values[0])
        return (y,) if shift is None else (shift(arithmetic, values[0]), y)

    def step(arithmetic, k, operands, own):
        y = convolution(arithmetic, operands[0], own[-1], k, weights=slope)
        return put(own, k, *[y] * len(own))

    return Law(both, step)


def pair(odd: Callable, even: Callable, sign: int) -> Law:
    """S' = c u', c' = sign s u': sine and cosine, circular or hyperbolic."""

    def head(arithmetic, values):
        return odd(arithmetic, values[0]), even(arithmetic, values[0])

    def step(arithmetic, k, operands, own):
        s = convolution(arithmetic, operands[0], own[1], k, weights=slope)
        c = convolution(arithmetic, operands[0], own[0], k, weights=slope)
        return put(own, k, s, c if sign > 0 else arithmetic.neg(c))

    return Law(head, step)


class Beside(NamedTuple):
    """The r in r y' = u', as companions of which the last is r."""

    head: Callable[[Arithmetic, Value], tuple[Value, ...]]
    step: Callable[[Arithmetic, object, Kept, Own], Own]


def integral(head: Callable, beside: Beside, sign: int = 1) -> Law:
    """Y with r y' = u': logarithms and the inverses of the circular and hyperbolic functions."""

    def both(arithmetic, values):
        return head(arithmetic, values[0]), *beside.head(arithmetic, values[0])

    def step(arithmetic, k, operands, own):
        y, rest = own[0], beside.step(arithmetic, k, operands[0], own[1:])
        r, u = rest[-1], operands[0].at(k)
        known = convolution(arithmetic, y, r, k, weights=slope)
        total = arithmetic.sub(u if sign > 0 else arithmetic.neg(u), known)
        return y.having(k, arithmetic.share(total, r.at(0))), *rest

    return Law(both, step)


def itself() -> Beside:
    """R = u."""
    return Beside(lambda arithmetic, u: (u,), lambda arithmetic, k, u, own: put(own, k, u.at(k)))


def one_plus() -> Beside:
    """R = 1 + u."""

    def head(arithmetic, u):
        return (arithmetic.add(u, ones_like(arithmetic, u)),)

    return Beside(head, lambda arithmetic, k, u, own: put(own, k, u.at(k)))


def one_and_square(sign: int, square: Callable) -> Beside:
    """R = 1 + u u or 1 - u u."""

    def head(arithmetic, u):
        one = ones_like(arithmetic, u)
        return (sum_or_factors(arithmetic, one, u, sign, square),)

    def step(arithmetic, k, u, own):
        uu = convolution(arithmetic, u, u, k)
        return put(own, k, uu if sign > 0 else arithmetic.neg(uu))

    return Beside(head, step)


def root_of(inner: Beside, root: Callable) -> Beside:
    """R = sqrt(p) for the r of another as p, from r r = p."""

    def head(arithmetic, u):
        held = inner.head(arithmetic, u)
        return *held, root(arithmetic, held[-1])

    def step(arithmetic, k, u, own):
        held = inner.step(arithmetic, k, u, own[:-1])
        return *held, own[-1].having(k, next_root(arithmetic, held[-1].at(k), own[-1], k))

    return Beside(head, step)


def square_less_one(square: Callable) -> Beside:
    """P = u u - 1."""

    def head(arithmetic, u):
        one = ones_like(arithmetic, u)
        return (arithmetic.mul(arithmetic.sub(u, one), arithmetic.add(u, one)),)

    return Beside(head, lambda arithmetic, k, u, own: put(own, k, convolution(arithmetic, u, u, k)))


def sum_or_factors(arithmetic: Arithmetic, one: Value, u: Value, sign: int, square: Callable) -> Value:
    """1 + u u, or (1 - u)(1 + u), which keeps its digits."""
    if sign > 0:
        return arithmetic.add(one, square(arithmetic, u))
    return arithmetic.mul(arithmetic.sub(one, u), arithmetic.add(one, u))


def ones_like(arithmetic: Arithmetic, value: Value) -> Value:
    return arithmetic.exact(jnp.ones(value.shape))


def square_root(head: Callable) -> Law:
    """From y y = u."""

    def step(arithmetic, k, operands, own):
        return put(own, k, next_root(arithmetic, operands[0].at(k), own[0], k))

    return Law(lambda arithmetic, values: (head(arithmetic, values[0]),), step)


def next_root(arithmetic: Arithmetic, u: Value, y: Kept, k) -> Value:
    rest = arithmetic.sub(u, convolution(arithmetic, y, y, k))
    return arithmetic.share(rest, arithmetic.scale(y.at(0), 2.0))


def power(head: Callable, exponent) -> Law:
    """Y = u^r for a number r, from u y' = r y u'. A weight near zero is a difference, and its error is that of its
    parts."""
    weights = Weights(lambda j, k: (exponent + 1) * j / k - 1, lambda j, k: 4 * EPS * ((abs(exponent) + 1) * j / k + 1))

    def step(arithmetic, k, operands, own):
        terms = convolution(arithmetic, operands[0], own[0], k, weights=weights)
        return put(own, k, arithmetic.share(terms, operands[0].at(0)))

    return Law(lambda arithmetic, values: (head(arithmetic, values[0]),), step)


def chosen(decide: Callable) -> Law:
    """One of the operands, entry by entry, by their values alone: maximum, minimum, |u| and choices.

    `decide(arithmetic, values)` returns the value and a function that picks the coefficients in the same way.
    """

    def head(arithmetic, values):
        value, which = decide(arithmetic, values)
        return value, which

    def step(arithmetic, k, operands, own):
        parts = parts_of(arithmetic, operands, k)
        which = own[1].at(0)
        if len(parts) == 1:
            return put(own, k, arithmetic.each(lambda x: jnp.where(which, -x, x), parts[0]))
        return put(own, k, arithmetic.each(lambda a, b: jnp.where(which, a, b), *parts))

    return Law(head, step)


def angle(head: Callable, square: Callable) -> Law:
    """atan2(y, x), from (x x + y y) a' = x y' - y x'."""

    def both(arithmetic, values):
        y, x = values
        return head(arithmetic, y, x), arithmetic.add(square(arithmetic, x), square(arithmetic, y))

    def step(arithmetic, k, operands, own):
        y, x = operands
        r = own[1].having(k, arithmetic.add(convolution(arithmetic, x, x, k), convolution(arithmetic, y, y, k)))
        turn = arithmetic.sub(
            convolution(arithmetic, y, x, k, weights=slope), convolution(arithmetic, x, y, k, weights=slope)
        )
        known = convolution(arithmetic, own[0], r, k, weights=slope)
        return own[0].having(k, arithmetic.share(arithmetic.sub(turn, known), r.at(0))), r

    return Law(both, step)
