"""What learns from maps that repeat themselves along one axis and end at rims on the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from .._core.messages import BadInput
from ._networks import Shapes, patched, slope
from ._space import Space

Maps = Float[Array, "nx ny channels"]


class Green(eqx.Module):
    """v -> v + silu(W [v, dv/dx, dv/dy, K v] + b), with K the solution operator of a law on a strip.

    Along x nothing changes if all is begun elsewhere, so that K is diagonal in waves along x; for each wave and channel
    it is a matrix between places along y, as a Green's function is:

        (K v)_k(y) = sum_y' G_k(y, y') v_k(y')
    """

    mix: Float[Array, "in out"]
    bias: Float[Array, " out"]
    kernel: Float[Array, "2 k ny ny channels"]

    def __init__(self, grid: tuple[int, int], width: int, key: PRNGKeyArray):
        one, two = jax.random.split(key)
        nx, ny = grid
        self.mix = 0.5 * jax.random.normal(one, (4 * width, width), jnp.float32) / np.sqrt(4 * width)
        self.bias = jnp.zeros(width, jnp.float32)
        self.kernel = jax.random.normal(two, (2, nx // 2 + 1, ny, ny, width), jnp.float32) / np.sqrt(2 * ny)

    def __call__(self, v: Maps) -> Maps:
        there, back = turns(len(v))
        waves = jnp.einsum("akx,xyc->akyc", jnp.asarray(there), v)
        (re, im), (a, b) = waves, self.kernel
        by = lambda g, w: jnp.einsum("kyzc,kzc->kyc", g, w)
        mixed = jnp.stack([by(a, re) - by(b, im), by(a, im) + by(b, re)])
        far = jnp.einsum("akx,akyc->xyc", jnp.asarray(back), mixed)
        seen = jnp.concatenate([v, slope(v, 0, True), slope(v, 1, False), far], -1)
        return v + jax.nn.silu(seen @ self.mix + self.bias)


def turns(n: int) -> tuple[Float[np.ndarray, "2 k n"], Float[np.ndarray, "2 k n"]]:
    """Cosines and sines of the waves of n places, and those by which they are put together again."""
    k, x = np.arange(n // 2 + 1)[:, None], np.arange(n)
    waves = np.stack([np.cos(2 * np.pi * k * x / n), -np.sin(2 * np.pi * k * x / n)]).astype(np.float32)
    twice = np.where((k == 0) | (2 * k == n), 1.0, 2.0).astype(np.float32)
    return waves, waves * twice / n


class Strip(eqx.Module):
    """From maps of a design to numbers: layers of `Green`, and a perceptron of what they are in the mean."""

    lift: Float[Array, "maps channels"]
    layers: tuple[Green, ...]
    head: eqx.nn.MLP
    view: Callable[..., Array] = eqx.field(static=True)
    space: Space = eqx.field(static=True)
    names: tuple[str, ...] = eqx.field(static=True)
    patch: int = eqx.field(static=True)

    def __call__(self, u: Float[Array, " d"]) -> dict[str, Float[Array, ""]]:
        maps, told = self.view(**self.space.design(u))
        maps = patched(jnp.moveaxis(maps.astype(self.lift.dtype), 0, -1), self.patch)
        v = with_rims(maps) @ self.lift
        for layer in self.layers:
            v = layer(v)
        along = jnp.mean(v, 0)
        half = v.shape[-1] // 2
        # Products of two channels, since what is sought is made of products: of a slope and a thickness, say.
        products = jnp.mean(v[..., :half] * v[..., half : 2 * half], (0, 1))
        seen = jnp.concatenate([jnp.mean(along, 0), products, jnp.mean(maps, (0, 1)), told.astype(v.dtype)])
        said = self.head(seen)
        return {name: said[i] for i, name in enumerate(self.names)}


def with_rims(maps: Maps) -> Maps:
    """The maps, and how far a place lies from the middle between the rims, signed and squared."""
    y = 2 * (np.arange(maps.shape[1]) + 0.5) / maps.shape[1] - 1
    ways = jnp.asarray(np.stack([y, y**2 - 1 / 3], -1), maps.dtype)
    return jnp.concatenate([maps, jnp.broadcast_to(ways, (len(maps), *ways.shape))], -1)


def strip(
    view: Callable[..., Any], width: int = 32, depth: int = 3, patch: int = 2
) -> Callable[[Space, Shapes, PRNGKeyArray], Strip]:
    """A `Strip` for numbers that do not care where along the first axis a map begins.

    view    `view(**design)` gives maps of the design, (maps, nx, ny), about as large as 1, and a vector of what else
            is told of it, such as its mean thickness.
    width   channels.     depth  layers.
    patch   places along each axis that are taken as one; begun elsewhere by as many places, a map has the same numbers.

    Raises `BadInput` for outputs that are fields, and for a patch that does not divide the grid.
    """

    def built(space: Space, shapes: Shapes, key: PRNGKeyArray) -> Strip:
        maps, told = jax.eval_shape(lambda u: view(**space.design(u)), jnp.zeros(space.size))
        if any(shapes.values()):
            raise BadInput(f"strip: outputs of shapes {list(shapes.values())}; numbers are meant, see operator.")
        if maps.ndim != 3 or any(n % patch for n in maps.shape[1:]):
            raise BadInput(f"strip: maps of shape {maps.shape}; (maps, nx, ny) is expected, divided by patch={patch}.")
        grid = maps.shape[1] // patch, maps.shape[2] // patch
        seen = maps.shape[0] * patch**2
        one, two, *keys = jax.random.split(key, 2 + depth)
        lift = jax.random.normal(one, (seen + 2, width), jnp.float32) / np.sqrt(seen + 2)
        size = width + width // 2 + seen + told.shape[0]
        head = eqx.nn.MLP(size, len(shapes), 2 * width, 2, jax.nn.silu, dtype=jnp.float32, key=two)
        layers = tuple(Green(grid, width, k) for k in keys)
        return Strip(lift, layers, head, view, space, tuple(shapes), patch)

    return built
