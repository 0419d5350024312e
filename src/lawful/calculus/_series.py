"""Arithmetic of truncated Taylor series in several variables.

A series maps an index to its coefficient; an absent coefficient is exactly zero and costs nothing. The
functions follow from the product rule and, for an elementary function y(u), from the differential equation
that it obeys: y' = w u' with w known in terms of y and u, so that each coefficient comes from the ones
below it.

Source: Griewank and Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, chapter 13 (the recurrences for
one variable; here the same for several).
"""

import functools
import operator
from collections.abc import Callable

import jax.numpy as jnp
from jax import Array, lax

from ._orders import Index, Orders, chain_weights, maximal, splits

Series = dict[Index, Array]


def constant(orders: Orders, value) -> Series:
    """A quantity that does not depend on the coordinates."""
    return {orders[0]: value}


def is_constant(a: Series) -> bool:
    """Whether all coefficients but the first are known to be zero."""
    return len(a) == 1


def product(orders: Orders, a: Series, b: Series, times: Callable = lax.mul) -> Series:
    """The series of a b, for any bilinear `times`: (a b)_g = sum over p + q = g of a_p b_q."""
    if a is b and times is lax.mul:
        return square(orders, a)
    return _series({g: [times(a[p], b[q]) for p, q in splits(g) if p in a and q in b] for g in orders})


def square(orders: Orders, a: Series) -> Series:
    """The series of a a, each pair of equal terms computed once."""
    return _series({g: _square_terms(g, a) for g in orders})


def quotient(orders: Orders, a: Series, b: Series) -> Series:
    """The series of q = a / b, from b q = a."""
    zero = orders[0]
    if is_constant(b):
        return {g: a_g / b[zero] for g, a_g in a.items()}
    q: Series = {}
    for g in orders:
        known = [b[p] * q[r] for p, r in splits(g) if p != zero and p in b and r in q]
        rest = _less(a.get(g), known)
        if rest is not None:
            q[g] = rest / b[zero]
    return q


def reciprocal(orders: Orders, a: Series) -> Series:
    """The series of 1 / a."""
    return quotient(orders, constant(orders, jnp.ones_like(a[orders[0]])), a)


def integer_power(orders: Orders, a: Series, exponent: int) -> Series:
    """The series of a^n by repeated squaring, so that a zero of `a` does no harm."""
    if exponent < 0:
        return reciprocal(orders, integer_power(orders, a, -exponent))
    if exponent == 0:
        return constant(orders, jnp.ones_like(a[orders[0]]))
    if exponent == 1:
        return a
    root = square(orders, integer_power(orders, a, exponent // 2))
    return product(orders, root, a) if exponent % 2 else root


def power(orders: Orders, u: Series, exponent: Array) -> Series:
    """The series of u^r for a constant exponent r: the sum over k of binom(r, k) u0^(r - k) (u - u0)^k.

    The differential equation u y' = r y u' would divide by u0, which fails for u^2.5 at u = 0.
    """
    base = u[orders[0]]
    r = jnp.broadcast_to(exponent, base.shape).astype(base.dtype)
    binomial, coefficients = jnp.ones_like(base), []
    for k in range(sum(orders[-1]) + 1):
        # A vanished binomial ends an integer power; u0^(r - k) is infinite there where u0 = 0.
        ended = binomial == 0
        safe = jnp.where(ended, jnp.ones_like(r), r - k)
        coefficients.append(jnp.where(ended, jnp.zeros_like(base), binomial * lax.pow(base, safe)))
        binomial = binomial * (r - k) / (k + 1)
    return compose(orders, coefficients, u)


def compose(orders: Orders, coefficients: list[Array], u: Series) -> Series:
    """The series of g(u) from the Taylor coefficients of g at u0, by Horner's rule in v = u - u0."""
    zero = orders[0]
    v = {g: u_g for g, u_g in u.items() if g != zero}
    y = constant(orders, coefficients[-1])
    for done, coefficient in enumerate(reversed(coefficients[:-1]), 1):
        # The factors of v still to come have no constant term: they leave only low orders of y visible.
        low = tuple(g for g in orders if sum(g) <= done)
        y = {**product(low, v, y), zero: coefficient}
    return y


def exp(orders: Orders, u: Series) -> Series:
    """From y' = y u'."""
    return _solved(orders, u, lax.exp(u[orders[0]]), lambda y0: y0, lambda g, y: y[g])


def expm1(orders: Orders, u: Series) -> Series:
    """The exponential but for its constant term, which keeps its digits where u0 is small."""
    return {**exp(orders, u), orders[0]: lax.expm1(u[orders[0]])}


def tanh(orders: Orders, u: Series) -> Series:
    """From y' = (1 - y^2) u'."""
    return _solved(orders, u, lax.tanh(u[orders[0]]), lambda y0: (1 + y0) * (1 - y0), lambda g, y: -_square_at(g, y))


def tan(orders: Orders, u: Series) -> Series:
    """From y' = (1 + y^2) u'."""
    return _solved(orders, u, lax.tan(u[orders[0]]), lambda y0: 1 + y0 * y0, _square_at)


def logistic(orders: Orders, u: Series) -> Series:
    """From y' = (y - y^2) u'."""
    y0 = lax.logistic(u[orders[0]])
    return _solved(orders, u, y0, lambda y0: y0 * (1 - y0), lambda g, y: y[g] - _square_at(g, y))


def sin(orders: Orders, u: Series) -> Series:
    """The sine, found together with the cosine."""
    return _pair(orders, u, lax.sin, lax.cos, -1)[0]


def cos(orders: Orders, u: Series) -> Series:
    """The cosine, found together with the sine."""
    return _pair(orders, u, lax.sin, lax.cos, -1)[1]


def sinh(orders: Orders, u: Series) -> Series:
    """The hyperbolic sine, found together with the cosine."""
    return _pair(orders, u, lax.sinh, lax.cosh, 1)[0]


def cosh(orders: Orders, u: Series) -> Series:
    """The hyperbolic cosine, found together with the sine."""
    return _pair(orders, u, lax.sinh, lax.cosh, 1)[1]


def log(orders: Orders, u: Series) -> Series:
    """From y' = u' / u."""
    return _integral(orders, lax.log(u[orders[0]]), reciprocal(orders, u), u)


def log1p(orders: Orders, u: Series) -> Series:
    """From y' = u' / (1 + u)."""
    return _integral(orders, lax.log1p(u[orders[0]]), reciprocal(orders, _plus_one(orders, u)), u)


def atan(orders: Orders, u: Series) -> Series:
    """From y' = u' / (1 + u^2)."""
    slope = reciprocal(orders, _plus_one(orders, square(orders, u)))
    return _integral(orders, lax.atan(u[orders[0]]), slope, u)


def erf(orders: Orders, u: Series) -> Series:
    """From y' = 2 / sqrt(pi) exp(-u^2) u'."""
    bell = exp(orders, _scaled(-1, square(orders, u)))
    return _integral(orders, lax.erf(u[orders[0]]), _scaled(2 / jnp.pi**0.5, bell), u)


def sqrt(orders: Orders, u: Series) -> Series:
    """From y y = u."""
    zero = orders[0]
    y = {zero: lax.sqrt(u[zero])}
    for g in orders[1:]:
        inner = [(p, q) for p, q in splits(g) if zero not in (p, q)]
        rest = _less(u.get(g), [y[p] * y[q] for p, q in inner if p in y and q in y])
        if rest is not None:
            y[g] = rest / (2 * y[zero])
    return y


def rsqrt(orders: Orders, u: Series) -> Series:
    """The series of 1 / sqrt(u)."""
    return reciprocal(orders, sqrt(orders, u))


def absolute(orders: Orders, u: Series) -> Series:
    """The series of |u| for real u; the derivative at u = 0 is taken as zero, as everywhere in JAX."""
    side = lax.sign(u[orders[0]])
    return {**{g: side * u_g for g, u_g in u.items()}, orders[0]: lax.abs(u[orders[0]])}


def _solved(orders: Orders, u: Series, y0: Array, slope: Callable, slope_at: Callable) -> Series:
    """The solution of y' = w u' where w0 = slope(y0), and the later w come one by one from the y so far."""
    y, w = {orders[0]: y0}, {orders[0]: slope(y0)}
    last = set(maximal(orders))
    for g in orders[1:]:
        terms = _chain_terms(g, w, u)
        if terms:
            y[g] = _total(terms)
            if g not in last:
                w[g] = slope_at(g, y)
    return y


def _integral(orders: Orders, y0: Array, w: Series, u: Series) -> Series:
    """The solution of y' = w u' for a series w known beforehand."""
    return _series({orders[0]: [y0], **{g: _chain_terms(g, w, u) for g in orders[1:]}})


def _pair(orders: Orders, u: Series, odd: Callable, even: Callable, sign: int) -> tuple[Series, Series]:
    """The solution of s' = c u', c' = sign s u': sine and cosine, circular or hyperbolic."""
    s, c = {orders[0]: odd(u[orders[0]])}, {orders[0]: even(u[orders[0]])}
    for g in orders[1:]:
        of_s, of_c = _chain_terms(g, c, u), _chain_terms(g, s, u)
        if of_s:
            s[g], c[g] = _total(of_s), sign * _total(of_c)
    return s, c


def _chain_terms(index: Index, w: Series, u: Series) -> list[Array]:
    return [
        u[b] * w[rest] if weight == 1 else weight * (u[b] * w[rest])
        for weight, b, rest in chain_weights(index)
        if b in u and rest in w
    ]


def _square_terms(index: Index, a: Series) -> list[Array]:
    return [a[p] * a[q] if p == q else 2 * (a[p] * a[q]) for p, q in splits(index) if p <= q and p in a and q in a]


def _square_at(index: Index, a: Series) -> Array:
    return _total(_square_terms(index, a))


def _less(first: Array | None, others: list[Array]) -> Array | None:
    """The first term minus all others, None where there is no term at all."""
    if not others:
        return first
    return -_total(others) if first is None else first - _total(others)


def _plus_one(orders: Orders, a: Series) -> Series:
    return {**a, orders[0]: a[orders[0]] + 1}


def _scaled(factor: float, a: Series) -> Series:
    return {g: factor * a_g for g, a_g in a.items()}


def _total(terms: list[Array]) -> Array:
    return functools.reduce(operator.add, terms)


def _series(terms: dict[Index, list[Array]]) -> Series:
    return {g: _total(each) for g, each in terms.items() if each}
