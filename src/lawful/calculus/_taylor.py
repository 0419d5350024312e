"""Taylor coefficients of a function along a line, and derivatives along a direction."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from .._core.messages import BadInput
from ._axes import check_axes, completed, floating, like
from ._orders import closure
from ._partials import series_of


def taylor(f: Callable[..., Any], at: Mapping[str, Any], direction: Mapping[str, Any], order: int) -> Any:
    """The Taylor coefficients c_0 ... c_n of s -> f(at + s direction) at s = 0.

    f(at + s direction) = c_0 + c_1 s + c_2 s^2 + ... + c_n s^n + O(s^(n+1)), that is
    c_k = (d/ds)^k f(at + s direction) / k!: the derivatives divided by k!.

    Arguments:
        f: a function of named quantities that returns an array or a pytree of arrays. Here the quantities
            may be arrays of any shape, such as the state of a system of equations.
        at: the named quantities at s = 0; what `direction` does not name stays fixed, and may be anything.
        direction: the rate of change of some of them, each of the shape of its quantity or a scalar.
        order: n >= 0. The cost grows like n^2, but like 2^n in the parts of `f` without a rule for series
            (a while loop, a function with a custom derivative).

    Returns the structure of f's output, each array with a new first axis of length n + 1: c_0 ... c_n.

    Fails with a ValueError where a name is unknown or missing, where shapes disagree, and where the order
    is no integer >= 0. Good values: order 10 to 20 for a power series in double precision.

    Source: Griewank and Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, chapter 13.
    """
    _check_order(order)
    check_axes(direction, f)
    point = completed(f, dict(at), direction)
    moving = tuple(direction)
    values = {name: floating(point[name]) for name in moving}
    rates = {name: _rate(name, direction[name], values[name]) for name in moving}
    orders = closure([(order,)])
    arguments = [{(0,): values[name], **({(1,): rates[name]} if order else {})} for name in moving]
    leaves, structure = series_of(f, point, moving, orders, arguments)
    return jax.tree.unflatten(structure, [_stacked(leaf, orders) for leaf in leaves])


def directional(f: Callable[..., Any], direction: Mapping[str, Any], order: int = 1) -> Callable[..., Any]:
    """The derivative of `f` along a direction: (d/ds)^n f(point + s direction) at s = 0.

    For n = 1 this is direction . grad f. The direction is taken as it is, not normalised.

    Arguments:
        f: a function of named quantities, as for `taylor`.
        direction: the component along each named quantity; the others stay fixed.
        order: n >= 0.

    Returns the function g(**point) with values of the structure of f's output.
    """
    _check_order(order)
    check_axes(direction, f)

    def evaluate(**point):
        coefficients = taylor(f, point, direction, order)
        return jax.tree.map(lambda c: c[order] * math.factorial(order), coefficients)

    return like(f, evaluate, "directional")


def _check_order(order: int) -> None:
    if not isinstance(order, int) or order < 0:
        raise BadInput(f"the order of a derivative is an integer >= 0, but {order!r} was given.")


def _rate(name: str, rate, value: Array) -> Array:
    array = jnp.asarray(rate).astype(value.dtype)
    if array.shape not in ((), value.shape):
        raise BadInput(f"the direction of '{name}' has the shape {array.shape}, but '{name}' itself {value.shape}.")
    return jnp.broadcast_to(array, value.shape)


def _stacked(leaf, orders) -> Array:
    value = jnp.asarray(leaf[orders[0]])
    value = value if jnp.issubdtype(value.dtype, jnp.inexact) else value.astype(float)
    return jnp.stack([value, *(leaf.get(index, jnp.zeros_like(value)) for index in orders[1:])])
