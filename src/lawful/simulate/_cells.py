"""Plane grids of cells that several devices share: each has a block, and asks its neighbours for a rim."""

from __future__ import annotations

import abc
import functools
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Float

from .._core.mesh import on_mesh, row_of, sharers
from .._core.messages import BadInput, shown

Cells = Float[Array, "nx ny ..."]
AXES = ("x", "y")


class Edge(eqx.Module):
    """The contract: what a grid is beyond its first and its last cells along an axis."""

    @abc.abstractmethod
    def beyond(self, cells: Cells, axis: int) -> Cells:
        """The cells beyond an edge, from as many inside of it, in the order of the axis."""


class Around(Edge):
    """The grid closes on itself: beyond the last cell comes the first."""

    def beyond(self, cells, axis):
        return cells


class Held(Edge):
    """A given value beyond the edge, in every field alike."""

    value: Float[Array, ""] | float = 0.0

    def beyond(self, cells, axis):
        return jnp.full_like(cells, self.value)


class Mirrored(Edge):
    """The grid's mirror image: nothing flows through the edge."""

    def beyond(self, cells, axis):
        return jnp.flip(cells, axis)


Edges = tuple[Edge, Edge]

TORUS: Edges = (Around(), Around())


def march_cells(
    step: Callable[[Any], Any],
    start: Any,
    steps: int,
    *,
    reach: int = 1,
    edges: Edges = TORUS,
    mesh: Mesh | Sequence[Any] | None = None,
) -> Any:
    """Fields on a plane grid of cells after a number of explicit steps.

        u(t + dt) = step(u and a rim of `reach` cells around it)

    step     a plain function from fields with a rim, (nx + 2 reach, ny + 2 reach, ...), to fields without it, that does
             the same everywhere: a stencil. Properties of the material are fields too, which it returns as they were.
    start    an array (nx, ny, ...), or a pytree of such arrays.
    edges    of the first axis and of the second: `Around()`, `Held(value)`, `Mirrored()`.
    mesh     of one or two axes, over which the first and the second axis of the grid are divided evenly; or devices,
             which divide the first axis. By default one device has it all.

    The rim comes from the neighbours by ppermute before every step, along x first and then along y with what came, so
    that corners are right. The result is that of one device: to the last bit where nothing is rounded, else to what the
    compiler makes of blocks of another size. Derivatives go through it.
    Raises `BadInput` where the grid cannot be divided, a block is smaller than the rim, or a step returns other shapes.
    """
    plane = None if mesh is None else plane_of(mesh)
    start = jax.tree.map(jnp.asarray, start)
    check(step, start, steps, reach, edges, plane)
    return marched(step, start, steps, reach, edges, plane)


@functools.partial(jax.jit, static_argnums=(0, 2, 3, 5))
def marched(step: Callable, start: Any, steps: int, reach: int, edges: Edges, plane: Mesh | None) -> Any:
    def all_steps(own: Any) -> Any:
        one = lambda fields, _: (step(with_rim(fields, reach, edges)), None)
        return jax.lax.scan(one, own, None, steps)[0]

    return on_mesh(plane, all_steps, P(*AXES), P(*AXES))(start)


def with_rim(fields: Any, reach: int, edges: Edges) -> Any:
    """Fields with a rim of cells around: the neighbours', or what the edges say."""

    def wider(field: Cells) -> Cells:
        for axis, edge in enumerate(edges):
            before, after = outside(field, axis, reach, edge)
            field = jnp.concatenate([before, field, after], axis)
        return field

    return jax.tree.map(wider, fields)


def outside(field: Cells, axis: int, reach: int, edge: Edge) -> tuple[Cells, Cells]:
    """The cells before this block and after it."""
    first = jax.lax.slice_in_dim(field, 0, reach, axis=axis)
    last = jax.lax.slice_in_dim(field, field.shape[axis] - reach, None, axis=axis)
    name, count = AXES[axis], sharers(AXES[axis])
    before, after = last, first  # one block is its own neighbour
    if count > 1:
        before = jax.lax.ppermute(last, name, [(i, (i + 1) % count) for i in range(count)])
        after = jax.lax.ppermute(first, name, [((i + 1) % count, i) for i in range(count)])
    if isinstance(edge, Around):
        return before, after
    at = jax.lax.axis_index(name) if count > 1 else 0
    return (
        jnp.where(at == 0, edge.beyond(first, axis), before),
        jnp.where(at == count - 1, edge.beyond(last, axis), after),
    )


def plane_of(mesh: Mesh | Sequence[Any]) -> Mesh:
    """The devices along the two axes of the grid."""
    given = mesh if isinstance(mesh, Mesh) else row_of(mesh)
    if given.devices.ndim > 2:
        raise BadInput(f"march_cells: the mesh has {given.devices.ndim} axes; a plane grid is divided along 1 or 2.")
    return Mesh(np.atleast_2d(given.devices.T).T, AXES)


def check(step: Callable, start: Any, steps: int, reach: int, edges: Edges, plane: Mesh | None) -> None:
    """Refuse what would fail later, or be wrong."""
    for name, value, least in (("steps", steps, 0), ("reach", reach, 1)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise BadInput(f"march_cells({name}={shown(value)}): give a whole number of at least {least}.")
    if len(edges) != 2 or not all(isinstance(edge, Edge) for edge in edges):
        raise BadInput(f"march_cells(edges={shown(edges)}): give two of Around(), Held(value) and Mirrored().")
    blocks = (1, 1) if plane is None else plane.devices.shape
    for field in jax.tree.leaves(start):
        shape = field.shape[:2]
        if len(shape) < 2 or any(n % k for n, k in zip(shape, blocks, strict=True)):
            raise BadInput(
                f"march_cells: a field of shape {field.shape} cannot be divided evenly into {blocks} blocks."
            )
        if any(n // k < reach for n, k in zip(shape, blocks, strict=True)):
            raise BadInput(
                f"march_cells: blocks of a grid {shape} in {blocks} are smaller than the rim of {reach} cells."
            )
    shapes = lambda fields: jax.tree.map(lambda field: (field.shape, field.dtype), fields)
    after = jax.eval_shape(lambda fields: step(with_rim(fields, reach, edges)), start)
    if shapes(after) != shapes(start):
        raise BadInput(
            f"march_cells: step gives {shown(shapes(after))} for fields {shown(shapes(start))} with a rim of {reach};"
            " it must return the fields without the rim."
        )
