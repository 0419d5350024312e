"""Derivatives of any function of arrays along its arguments' series, by nested Jacobian-vector products.

The general method: it needs nothing but JAX's own forward derivative of the function, custom rules
included. A level of nesting differentiates along one axis and hands value and slope on together, so the
levels share work.
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

from ._orders import Index, Orders, factorial, maximal, raised
from ._series import Series, is_constant

Family = dict[Index, list[Array]]
"""The derivatives (not divided by factorials) of several arrays at several indices."""


def nested(orders: Orders, function: Callable, arguments: list[Series]) -> list[Series]:
    """The series of what `function(*arrays)` returns: a list of arrays of real or complex floats."""
    zero = orders[0]
    moving = [i for i, each in enumerate(arguments) if not is_constant(each)]

    def value(family: Family) -> Family:
        arrays = [each[zero] for each in arguments]
        for i, array in zip(moving, family[zero], strict=True):
            arrays[i] = array
        return {zero: list(function(*arrays))}

    known = {g: [_derivative(g, arguments[i], zero) for i in moving] for g in orders}
    found: Family = {}
    for top in maximal(orders):
        tower, held = value, (zero,)
        for axis in (axis for axis, count in enumerate(top) for _ in range(count)):
            tower = functools.partial(_along, tower, held, axis)
            held = tuple(dict.fromkeys((*held, *(raised(g, axis) for g in held))))
        found |= tower({g: known[g] for g in held})
    columns = zip(*(found[g] for g in orders), strict=True)
    return [{g: d / factorial(g) for g, d in zip(orders, column, strict=True)} for column in columns]


def _along(inner: Callable, held: Orders, axis: int, family: Family) -> Family:
    """What `inner` finds from the derivatives it holds, and that differentiated once more along `axis`."""
    here = {g: family[g] for g in held}
    ahead = {g: family[raised(g, axis)] for g in held}
    value, slope = jax.jvp(inner, (here,), (ahead,))
    return {**{raised(g, axis): d for g, d in slope.items()}, **value}


def _derivative(index: Index, a: Series, zero: Index) -> Array:
    return factorial(index) * a[index] if index in a else jnp.zeros_like(a[zero])
