"""Work that is shared by several devices, of one machine or of many: what each has of it, and sums over all.

The same functions serve where one device works alone: there a share is the whole and a sum over devices the thing
itself. So an optimiser is written once. Three collectives are used, psum, all_gather and ppermute: psum_scatter has
given wrong values over gloo, jax issue 40830.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Float

from .messages import BadInput, shown

POINTS = "points"
"""The axis of a mesh along which the rows of a fit are shared."""
WHOLE, ROWS = P(), P(POINTS)
"""How a value is laid out: the same on every device, or rows of it on each."""


def row_of(devices: Mesh | Sequence[Any]) -> Mesh:
    """The devices as a mesh of one axis. Raises `BadInput` for what is neither a mesh nor devices."""
    found = list(devices.devices.flat) if isinstance(devices, Mesh) else devices
    if not isinstance(found, Sequence) or not found or not all(isinstance(each, jax.Device) for each in found):
        raise BadInput(f"mesh={shown(devices)}: give a jax.sharding.Mesh or devices, such as mesh=jax.devices().")
    return Mesh(np.asarray(found, dtype=object), (POINTS,))


def on_mesh(mesh: Mesh | None, function: Callable, takes: Any = WHOLE, gives: Any = WHOLE) -> Callable:
    """The function, run by every device of the mesh on what it has; the function itself where there is no mesh."""
    if mesh is None:
        return function
    return jax.shard_map(function, mesh=mesh, in_specs=takes, out_specs=gives, check_vma=False)


def leads() -> bool:
    """Whether this process is the one that writes files and speaks."""
    return jax.process_index() == 0


# What follows is called inside `on_mesh`, or outside of any.


def sharers(axis: str = POINTS) -> int:
    """How many devices share the work: 1 outside a mesh."""
    try:
        return int(jax.lax.axis_size(axis))
    except NameError:  # JAX's word for an axis that no mesh has here
        return 1


def total(value: Any) -> Any:
    """The sum over the devices, the same on all of them to the last bit."""
    return jax.lax.psum(value, POINTS) if sharers() > 1 else value


def on_first(value: Array) -> Array:
    """The value on the first device, zero on the others: what is counted once."""
    return jnp.where(jax.lax.axis_index(POINTS) == 0, value, 0) if sharers() > 1 else value


def gathered(rows: Float[Array, "k ..."]) -> Float[Array, "devices*k ..."]:
    """The rows of all devices, one device after the other."""
    return jax.lax.all_gather(rows, POINTS, tiled=True) if sharers() > 1 else rows


class Share(NamedTuple):
    """What one device has of a batch of items, and how much each counts: 0 for the padding, which repeats the last."""

    items: Any
    counts: Float[Array, " k"]


def share_of(batch: Any) -> Share:
    """This device's part of a batch, a pytree of arrays with equal first axes; equally many items on every device."""
    count = jax.tree.leaves(batch)[0].shape[0]
    size = -(-count // sharers())
    place = jax.lax.axis_index(POINTS) * size + jnp.arange(size)
    inside = jnp.minimum(place, count - 1)
    return Share(jax.tree.map(lambda leaf: jnp.asarray(leaf)[inside], batch), (place < count).astype(float))


def norm_of(rows: Float[Array, "m ..."]) -> Float[Array, "..."]:
    """|v|, or the norm of every column, of rows of which each device has some."""
    return jnp.sqrt(total(jnp.sum(rows * rows, axis=0)))


def all_finite(rows: Array) -> Array:
    """Whether all numbers on all devices are finite."""
    return total(jnp.sum(~jnp.isfinite(rows))) == 0 if sharers() > 1 else jnp.all(jnp.isfinite(rows))


class Factor(NamedTuple):
    """J = Q R of rows of which each device has some: R, the same on all, and the product v -> Q'v."""

    triangle: Float[Array, "n n"]
    coordinates: Callable[[Float[Array, " m"]], Float[Array, " n"]]


def factor_of(rows: Float[Array, "m n"]) -> Factor:
    """Each device factors its own rows; the triangles of all, one below the other, are factored again by everyone.

    Source: J. Demmel, L. Grigori, M. Hoemmen, J. Langou, SIAM J. Sci. Comput. 34, A206 (2012), TSQR.
    """
    q, r = jnp.linalg.qr(rows)
    if sharers() == 1:
        return Factor(r, lambda v: q.T @ v)
    outer, triangle = jnp.linalg.qr(gathered(r))
    own = jax.lax.dynamic_slice_in_dim(outer, jax.lax.axis_index(POINTS) * r.shape[0], r.shape[0])
    return Factor(triangle, lambda v: total(own.T @ (q.T @ v)))
