"""Whether the devices at hand add, gather and pass on as they should: tried on numbers whose answer is known."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array, Float

from .compilation import quickly
from .mesh import POINTS, on_mesh
from .precision import in_float64

SIZES = (1, 1000, 150_000)
"""Numbers sent by each device: some libraries choose another algorithm, with faults of its own, for long messages."""


@in_float64
def wrong_collectives(mesh: Mesh, sizes: tuple[int, ...] = SIZES) -> list[str]:
    """The collectives that gave a wrong answer on this mesh, of psum, all_gather and ppermute; empty where all is well.

    Every device checks what it received; what it sent are whole numbers, so that sums are exact in any order. On a mesh
    of several processes all must call this.
    """
    count = mesh.devices.size
    faults = np.zeros(3)
    for size in sizes:
        look = on_mesh(mesh, lambda ramp, n=count: checked(ramp, n))
        faults += np.asarray(quickly(look)(np.arange(float(size))))
    return [name for name, fault in zip(("psum", "all_gather", "ppermute"), faults, strict=True) if fault]


def checked(ramp: Float[Array, " k"], count: int) -> Float[Array, " 3"]:
    """How many devices received something wrong by each collective."""
    device = jax.lax.axis_index(POINTS)
    sent = lambda of: ramp + 3.0 * of
    summed = jax.lax.psum(sent(device), POINTS)
    every = jax.lax.all_gather(sent(device), POINTS)
    passed = jax.lax.ppermute(sent(device), POINTS, [(i, (i + 1) % count) for i in range(count)])
    wrong = [
        jnp.any(summed != count * ramp + 3.0 * (count * (count - 1) / 2)),
        jnp.any(every != sent(jnp.arange(count, dtype=ramp.dtype)[:, None])),
        jnp.any(passed != sent((device - 1) % count)),
    ]
    # Not by psum, which may be what is wrong: the largest number of all that arrive.
    return jnp.sum(jax.lax.all_gather(jnp.stack(wrong).astype(ramp.dtype), POINTS), axis=0)
