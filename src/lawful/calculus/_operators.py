"""The operators of vector calculus on field functions: each takes a function and returns one."""

from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from .._core.messages import BadInput, listing
from ._axes import canonical, distinct, like
from ._partials import partials

Field = Callable[..., Any]


def derivative(f: Field, *axes: str) -> Field:
    """The partial derivative of `f` along the named axes: `derivative(u, "x", "x", "t")` is u_xxt.

    Any order and mix; without an axis it is `f` itself. The result is a field function g(**point) with
    values of the structure of f's output. Where several derivatives of one function are needed, `partials`
    shares their work.

    Fails with a ValueError where an axis is not an argument of `f`.
    """
    partial = canonical(axes)
    found = partials(f, (partial,))
    return like(f, lambda **point: found(**point)[partial], "derivative")


def gradient(f: Field, axes: Iterable[str]) -> Field:
    """The gradient (df/da for a in axes).

    Arguments:
        f: a field function with values of shape (...).
        axes: the axis names, in the order of the result's components.

    Returns the function g(**point) with values of shape (..., len(axes)): the last one counts the axes.
    """
    names = distinct(axes, f)
    found = partials(f, [(axis,) for axis in names])

    def evaluate(**point):
        values = found(**point)
        return jax.tree.map(lambda *parts: jnp.stack(parts, axis=-1), *(values[(axis,)] for axis in names))

    return like(f, evaluate, "gradient")


def divergence(f: Field, axes: Iterable[str]) -> Field:
    """The divergence sum_i d f_i / d a_i.

    Arguments:
        f: a field function with values of shape (..., len(axes)): the last array axis counts the
        components.
        axes: the axis names, in the order of the components.

    Returns the function g(**point) with values of shape (...).
    """
    names = distinct(axes, f)
    found = partials(f, [(axis,) for axis in names])

    def evaluate(**point):
        values = found(**point)
        return jax.tree.map(
            lambda *parts: sum(_component(part, i, names) for i, part in enumerate(parts)),
            *(values[(axis,)] for axis in names),
        )

    return like(f, evaluate, "divergence")


def curl(f: Field, axes: Iterable[str]) -> Field:
    """The curl of a vector field in two or three dimensions.

    Two axes (x, y): the scalar df_y/dx - df_x/dy, of shape (...). Three axes (x, y, z), right-handed in
    this
    order: the vector (df_z/dy - df_y/dz, df_x/dz - df_z/dx, df_y/dx - df_x/dy), of shape (..., 3).

    Arguments:
        f: a field function with values of shape (..., len(axes)): the last array axis counts the
        components.
        axes: two or three axis names, in the order of the components.
    """
    names = distinct(axes, f)
    if len(names) not in (2, 3):
        raise BadInput(f"the curl is defined for 2 or 3 axes, but {len(names)} were given: {listing(names)}.")
    found = partials(f, [(axis,) for axis in names])

    def rotation(*slopes: Array) -> Array:
        def turn(i: int, j: int) -> Array:
            return _component(slopes[i], j, names) - _component(slopes[j], i, names)

        return turn(0, 1) if len(names) == 2 else jnp.stack([turn(1, 2), turn(2, 0), turn(0, 1)], axis=-1)

    def evaluate(**point):
        values = found(**point)
        return jax.tree.map(rotation, *(values[(axis,)] for axis in names))

    return like(f, evaluate, "curl")


def laplacian(f: Field, axes: Iterable[str]) -> Field:
    """The Laplacian sum_i d^2 f / d a_i^2 in Cartesian axes, component by component.

    Arguments:
        f: a field function with values of shape (...).
        axes: the axis names; others, such as time, stay fixed.

    Returns the function g(**point) with values of the structure and shape of f's output.
    """
    names = distinct(axes, f)
    found = partials(f, [(axis, axis) for axis in names])

    def evaluate(**point):
        values = found(**point)
        return jax.tree.map(lambda *parts: sum(parts), *(values[(axis, axis)] for axis in names))

    return like(f, evaluate, "laplacian")


def _component(slope: Array, i: int, names: tuple[str, ...]) -> Array:
    if slope.ndim == 0 or slope.shape[-1] != len(names):
        raise BadInput(
            f"a vector field over {listing(names)} has {len(names)} components on its last array axis,"
            f" but these values have the shape {slope.shape}."
        )
    return slope[..., i]
