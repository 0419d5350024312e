"""Any set of partial derivatives of a field function in one evaluation."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp

from .._core.messages import BadInput
from ._axes import Partial, canonical, check_axes, completed, coordinate, like
from ._orders import Index, closure, factorial, raised
from ._propagate import propagate
from ._series import Series


def partials(f: Callable[..., Any], wanted: Iterable[Iterable[str]]) -> Callable[..., dict[Partial, Any]]:
    """The function that returns all wanted partial derivatives of `f` at a point, with shared work.

    One truncated Taylor series in all wanted axes runs through `f` once. It carries the wanted derivatives
    and those below them (for u_xxt also u, u_x, u_t, u_xx and u_xt), each of them once.

    Arguments:
        f: a field function: its arguments are named scalar coordinates, `f(x, t)`, in whatever units; it
            returns an array or a pytree of arrays. Parameters are closed over, or passed as further named
            arguments.
        wanted: partial derivatives, each a tuple of axis names: () is the value, ("x", "x") u_xx. The
            order of the names does not matter: ("t", "x") and ("x", "t") are the same.

    Returns:
        g, called as `g(x=..., t=...)` with one point; it returns a dict from each partial derivative, its
        axes sorted, to a value of the structure of f's output. Map g over many points with `jax.vmap`; it
        may be compiled and differentiated like any function of JAX.

    Fails with a ValueError where an axis is not an argument of `f`, and where a coordinate is missing or
    is an array of points. At a kink the derivative is the one JAX takes, at a singularity it is infinite
    or NaN. A part of `f` without a rule for series (a while loop, a function with a custom derivative) is
    differentiated by nested `jax.jvp`, whose cost doubles with each order.

    Source: Griewank and Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, chapter 13.
    """
    if isinstance(wanted, str):
        raise BadInput(f"wanted is a tuple of partial derivatives, such as ((), ('x', 'x')), not '{wanted}'.")
    asked = tuple(dict.fromkeys(canonical(partial) for partial in wanted))
    axes = tuple(sorted({axis for partial in asked for axis in partial}))
    check_axes(axes, f)
    index_of = {partial: tuple(Counter(partial)[axis] for axis in axes) for partial in asked}

    def evaluate(**point) -> dict[Partial, Any]:
        point = completed(f, point, axes)
        point |= {axis: coordinate(axis, point[axis]) for axis in axes}
        if not axes:
            return {partial: jax.tree.map(jnp.asarray, f(**point)) for partial in asked}
        coefficients = _expand(f, point, axes, index_of.values())
        return {partial: coefficients(index) for partial, index in index_of.items()}

    return like(f, evaluate, "partials")


def _expand(f: Callable, point: dict, axes: tuple[str, ...], tops: Iterable[Index]) -> Callable[[Index], Any]:
    """The series of `f` around a point; returns the function from an index to the derivative there."""
    orders = closure([*tops, (0,) * len(axes)])
    zero = orders[0]
    arguments: list[Series] = [
        {zero: point[axis], raised(zero, i): jnp.ones_like(point[axis])} for i, axis in enumerate(axes)
    ]
    leaves, structure = series_of(f, point, axes, orders, arguments)

    def derivative_at(index: Index):
        return jax.tree.unflatten(structure, [_derivative(leaf, index, zero) for leaf in leaves])

    return derivative_at


def series_of(f: Callable, point: dict, axes: Iterable[str], orders, arguments: list[Series]):
    """The series of each leaf of f's output, and the structure of the output.

    `point` holds all arguments of `f`; those on `axes` are replaced by the series in `arguments`.
    """

    def along(*values):
        return f(**{**point, **dict(zip(axes, values, strict=True))})

    start = [each[orders[0]] for each in arguments]
    program, shapes = jax.make_jaxpr(along, return_shape=True)(*start)
    return propagate(orders, program, arguments), jax.tree.structure(shapes)


def _derivative(leaf: Series, index: Index, zero: Index):
    value = leaf[zero] if isinstance(leaf[zero], jax.Array) else jnp.asarray(leaf[zero])
    if index == zero:
        return value
    if index in leaf:
        scale = factorial(index)
        return leaf[index] if scale == 1 else leaf[index] * scale
    # An integer does not move with the coordinates; its derivative is a floating zero all the same.
    kind = value.dtype if jnp.issubdtype(value.dtype, jnp.inexact) else float
    return jnp.zeros(value.shape, kind)
