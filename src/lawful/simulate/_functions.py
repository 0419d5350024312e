"""The elementary functions: for each the machine's own for floats, the proven one for balls, and its law."""

from __future__ import annotations

import math
from collections.abc import Callable

import jax.numpy as jnp
from jax import lax
from jax.extend.core import primitives as jp

from . import _ball as balls
from . import _elementary as proven
from . import _laws as laws
from ._ball import Ball
from ._laws import Law


def either(point: Callable, ball: Callable) -> Callable:
    """A head: the one for floats, the other for balls."""

    def head(arithmetic, *values):
        del arithmetic
        return (ball if any(isinstance(v, Ball) for v in values) else point)(*values)

    return head


SQUARE = either(lax.square, balls.square)
ROOT = either(lax.sqrt, balls.sqrt)


def integrals() -> dict:
    """Y with r y' = u'."""
    plus, minus = laws.one_and_square(1, SQUARE), laws.one_and_square(-1, SQUARE)
    return {
        jp.log_p: laws.integral(either(lax.log, proven.log), laws.itself()),
        jp.log1p_p: laws.integral(either(lax.log1p, proven.log1p), laws.one_plus()),
        jp.atan_p: laws.integral(either(lax.atan, proven.atan), plus),
        jp.atanh_p: laws.integral(either(lax.atanh, proven.atanh), minus),
        jp.asin_p: laws.integral(either(lax.asin, proven.asin), laws.root_of(minus, ROOT)),
        jp.acos_p: laws.integral(either(lax.acos, proven.acos), laws.root_of(minus, ROOT), sign=-1),
        jp.asinh_p: laws.integral(either(lax.asinh, proven.asinh), laws.root_of(plus, ROOT)),
        jp.acosh_p: laws.integral(
            either(lax.acosh, proven.acosh), laws.root_of(laws.square_less_one(SQUARE), ROOT)
        ),
    }  # fmt: skip


def solutions() -> dict:
    """Y with y' = w u', w in terms of y."""

    def one_less_square(arithmetic, y):
        one = laws.ones_like(arithmetic, y)
        return arithmetic.mul(arithmetic.sub(one, y), arithmetic.add(one, y))

    def one_more_square(arithmetic, y):
        return arithmetic.add(laws.ones_like(arithmetic, y), SQUARE(arithmetic, y))

    def less_square(arithmetic, y):
        return arithmetic.mul(y, arithmetic.sub(laws.ones_like(arithmetic, y), y))

    def squares(arithmetic, y, k):
        return laws.convolution(arithmetic, y, y, k)

    return {
        jp.exp_p: laws.exponential(either(lax.exp, proven.exp)),
        jp.expm1_p: laws.exponential(either(lax.exp, proven.exp), either(lax.expm1, proven.expm1)),
        jp.tan_p: laws.solution(either(lax.tan, proven.tan), one_more_square, squares),
        jp.tanh_p: laws.solution(
            either(lax.tanh, proven.tanh), one_less_square, lambda a, y, k: a.neg(squares(a, y, k))
        ),
        jp.logistic_p: laws.solution(
            either(lax.logistic, proven.logistic), less_square, lambda a, y, k: a.sub(y.at(k), squares(a, y, k))
        ),
        jp.sqrt_p: laws.square_root(ROOT),
        jp.square_p: laws.squared(SQUARE),
    }  # fmt: skip


UNARY: dict = {**integrals(), **solutions()}
"""Functions of one quantity that stand for themselves."""

CIRCULAR = laws.pair(either(lax.sin, proven.sin), either(lax.cos, proven.cos), -1)
HYPERBOLIC = laws.pair(either(lax.sinh, proven.sinh), either(lax.cosh, proven.cosh), 1)
PAIRS: dict = {
    jp.sin_p: (CIRCULAR, 0),
    jp.cos_p: (CIRCULAR, 1),
    jp.sinh_p: (HYPERBOLIC, 0),
    jp.cosh_p: (HYPERBOLIC, 1),
}
"""Functions that come in pairs: the law of both, and which of the two it is."""


def _erf_law() -> Law:
    """Erf from (u, e^(-u u))."""

    def head(arithmetic, values):
        return (either(lambda u: lax.erf(u), lambda u: balls.unknown(u.mid))(arithmetic, values[0]),)

    def step(arithmetic, k, operands, own):
        terms = laws.convolution(arithmetic, operands[0], operands[1], k, weights=laws.slope)
        return laws.put(own, k, arithmetic.scale(terms, 2 / math.pi**0.5))

    return Law(head, step)


ERF = _erf_law()
ANGLE = laws.angle(either(lax.atan2, proven.atan2), SQUARE)


def root_power(halves: int) -> Law:
    """x^(n / 2), by products and a root."""

    def point(x):
        whole, odd = divmod(abs(halves), 2)
        found = lax.sqrt(x) if odd else jnp.ones_like(x)
        found = found * lax.integer_pow(x, whole) if whole else found
        return 1 / found if halves < 0 else found

    return laws.power(either(point, lambda x: proven.half_integer_power(x, halves)), halves / 2)


def cube_root() -> Law:
    return laws.power(either(lax.cbrt, proven.cbrt), 1 / 3)


def real_power(exponent) -> Law:
    """x^r for any number r."""
    point = lambda x: lax.pow(x, jnp.broadcast_to(jnp.asarray(exponent, x.dtype), x.shape))
    return laws.power(either(point, lambda x: proven.power(x, jnp.broadcast_to(exponent, x.shape))), exponent)


def absolute() -> Law:
    def decide(arithmetic, values):
        (u,) = values
        below = arithmetic.compared(lambda a, b: a < b, u, arithmetic.exact(jnp.zeros(u.shape)))
        return either(jnp.abs, balls.absolute)(arithmetic, u), below

    return laws.chosen(decide)


def maximum() -> Law:
    return laws.chosen(lambda arithmetic, values: arithmetic.larger(*values))


def minimum() -> Law:
    def decide(arithmetic, values):
        negative, which = arithmetic.larger(*map(arithmetic.neg, values))
        return arithmetic.neg(negative), which

    return laws.chosen(decide)
