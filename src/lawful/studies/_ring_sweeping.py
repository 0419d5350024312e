"""How much of a texture is too fine to be made, with slopes: what a disc cannot sweep."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._ring import relief

FINE = 32  # places along a side
REACH = 4  # places that a disc reaches at most: features of a quarter of the side
EDGE = 10.0  # how sharply pockets are told from the face, by the deepest
SQUARE = np.indices((2 * REACH + 1, 2 * REACH + 1)).reshape(2, -1).T - REACH
OFFSETS = SQUARE[np.hypot(*SQUARE.T) < REACH]
Tile = Float[Array, "32 32"]


def unswept(texture: Float[Array, "16 16"], size: Float[Array, ""]) -> Float[Array, ""]:
    """The share of the tile that discs of `size` (by the side) inside the pockets, or inside the face between them, do
    not reach: a morphological opening and a closing of the depth, of which `feature` is the strict and binary word."""
    depth = relief(texture, FINE)
    deep = jax.nn.sigmoid(EDGE * (depth / jnp.maximum(jnp.max(depth), 1e-3) - 0.5))
    radius = 0.5 * size * FINE
    return jnp.mean(deep - opened(deep, radius)) + jnp.mean((1 - deep) - opened(1 - deep, radius))


def opened(x: Tile, radius: Float[Array, ""]) -> Tile:
    """What discs that fit under x reach."""
    return -lowest(-lowest(x, radius), radius)


def lowest(x: Tile, radius: Float[Array, ""]) -> Tile:
    """The least of x on a disc about each place: around the ring tiles follow each other, beyond a rim it goes on."""
    wide = jnp.pad(jnp.concatenate([x[-REACH:], x, x[:REACH]]), ((0, 0), (REACH, REACH)), mode="edge")
    # A rim one place wide, so that a disc may have any size.
    lift = jnp.clip(jnp.hypot(*OFFSETS.T.astype(x.dtype)) - radius, 0, 1).astype(x.dtype)

    def over(found: Tile, at: tuple[Array, Array]) -> tuple[Tile, None]:
        place, more = at
        return jnp.minimum(found, jax.lax.dynamic_slice(wide, (place[0], place[1]), x.shape) + more), None

    return jax.lax.scan(over, x, (jnp.asarray(OFFSETS + REACH), lift))[0]
