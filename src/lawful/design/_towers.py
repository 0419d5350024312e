"""Networks of maps under a wish: convolutions that wrap around along the first axis, scaled and shifted by the wish."""

from __future__ import annotations

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ._networks import patched, unpatched

Maps = Float[Array, "nx ny channels"]
Wish = Float[Array, " wishes"]
"""What is asked for, each number in units of its spread."""


PATCH = 4  # places along each axis that are taken as one


class Convolution(eqx.Module):
    """3 x 3, around the first axis periodic, along the second up to its edges."""

    kernel: Float[Array, "nine_in out"]
    bias: Float[Array, " out"]

    def __init__(self, channels: int, out: int, key: PRNGKeyArray, gain: float = 1.0):
        self.kernel = gain * jax.random.normal(key, (9 * channels, out), jnp.float32) / np.sqrt(9 * channels)
        self.bias = jnp.zeros(out, jnp.float32)

    def __call__(self, v: Maps) -> Maps:
        # As one product of matrices: on processors several times as fast as a convolution and its gradient.
        v = jnp.concatenate([jnp.roll(v, 1, 0), v, jnp.roll(v, -1, 0)], -1)
        v = jnp.pad(v, ((0, 0), (1, 1), (0, 0)), mode="edge")
        v = jnp.concatenate([v[:, :-2], v[:, 1:-1], v[:, 2:]], -1)
        return v @ self.kernel + self.bias


class Block(eqx.Module):
    """v + conv(silu((1 + s) v / |v| + b)), s and b by the wish; then as many channels as are asked for."""

    convolution: Convolution
    by_wish: Float[Array, "wish two_channels"]
    level: bool = eqx.field(static=True)

    def __init__(self, channels: int, told: int, key: PRNGKeyArray, level: bool):
        one, two = jax.random.split(key)
        self.convolution = Convolution(channels, channels, one, 0.7)
        self.by_wish = 0.5 * jax.random.normal(two, (told, 2 * channels), jnp.float32) / np.sqrt(told)
        self.level = level

    def __call__(self, v: Maps, told: Float[Array, " told"]) -> Maps:
        scale, shift = jnp.split(told @ self.by_wish, 2)
        size = jnp.sqrt(jnp.mean(v**2, axis=-1, keepdims=True) + 1e-6) if self.level else 1.0
        return v + self.convolution(jax.nn.silu((1 + scale) * v / size + shift))


def halved(v: Maps) -> Maps:
    nx, ny, c = v.shape
    return v.reshape(nx // 2, 2, ny // 2, 2, c).mean((1, 3))


def doubled(v: Maps) -> Maps:
    return jnp.repeat(jnp.repeat(v, 2, 0), 2, 1)


def placed(v: Maps) -> Maps:
    """With where a place lies along the axis that does not wrap around."""
    y = 2 * (jnp.arange(v.shape[1], dtype=v.dtype) + 0.5) / v.shape[1] - 1
    ways = jnp.stack([y, y**2 - 1 / 3], -1)
    return jnp.concatenate([v, jnp.broadcast_to(ways, (v.shape[0], *ways.shape))], -1)


class Tower(eqx.Module):
    """From maps to a map of the same grid, on which `patch` by `patch` places are taken as one, down to half of that
    for each further width and back: a generator from noise, or the velocity of a flow.

    widths  channels on the grid of patches, on half of it, and so on.
    wishes  numbers that are asked for; times of a flow count as one.
    """

    lift: Convolution
    down: tuple[Block, ...]
    shrink: tuple[Array, ...]
    grow: tuple[Array, ...]
    up: tuple[Block, ...]
    project: Convolution
    tell: eqx.nn.MLP
    patch: int = eqx.field(static=True)

    def __init__(self, wishes: int, widths: tuple[int, ...], key: PRNGKeyArray, channels: int = 1, patch: int = PATCH):
        self.patch = patch
        keys = iter(jax.random.split(key, 16))
        told = 48
        normal = lambda a, b: jax.random.normal(next(keys), (a, b), jnp.float32) / np.sqrt(a)
        self.lift = Convolution(patch**2 * channels + 2, widths[0], next(keys))
        self.down = tuple(Block(w, told, next(keys), True) for w in widths)
        self.shrink = tuple(normal(a, b) for a, b in itertools.pairwise(widths))
        self.grow = tuple(normal(b, a) for a, b in itertools.pairwise(widths))
        self.up = tuple(Block(w, told, next(keys), True) for w in widths)
        self.project = Convolution(widths[0], patch**2, next(keys), 0.3)
        self.tell = eqx.nn.MLP(wishes, told, 64, 1, jax.nn.silu, jax.nn.silu, dtype=jnp.float32, key=next(keys))

    def __call__(self, v: Maps, wish: Wish) -> Float[Array, "nx ny"]:
        told = self.tell(wish)
        v, kept = self.lift(placed(patched(v, self.patch))), []
        for i, block in enumerate(self.down):
            v = block(v, told)
            if i < len(self.shrink):
                kept.append(v)
                v = halved(v) @ self.shrink[i]
        for i in reversed(range(len(self.up))):
            v = self.up[i](v, told)
            if i > 0:
                v = doubled(v @ self.grow[i - 1]) + kept[i - 1]
        return unpatched(self.project(v), self.patch)


class Critic(eqx.Module):
    """How real a map looks under a wish: one number, from the map, the wish and what a calculator says of it."""

    lift: Convolution
    down: tuple[Block, ...]
    shrink: tuple[Array, ...]
    tell: eqx.nn.MLP
    judge: eqx.nn.MLP
    patch: int = eqx.field(static=True)

    def __init__(self, wishes: int, inputs: int, widths: tuple[int, ...], key: PRNGKeyArray, patch: int = PATCH):
        self.patch = patch
        keys = iter(jax.random.split(key, 12))
        told = 48
        self.lift = Convolution(patch**2 + 2, widths[0], next(keys))
        self.down = tuple(Block(w, told, next(keys), False) for w in widths)
        self.shrink = tuple(
            jax.random.normal(next(keys), (a, b), jnp.float32) / np.sqrt(a) for a, b in itertools.pairwise(widths)
        )
        self.tell = eqx.nn.MLP(wishes, told, 64, 1, jax.nn.silu, jax.nn.silu, dtype=jnp.float32, key=next(keys))
        size = 2 * widths[-1] + told + inputs
        self.judge = eqx.nn.MLP(size, 1, 96, 2, jax.nn.silu, dtype=jnp.float32, key=next(keys))

    def __call__(self, x: Float[Array, "nx ny"], wish: Wish, inputs: Float[Array, " inputs"]) -> Float[Array, ""]:
        told = self.tell(wish)
        v = self.lift(placed(patched(x[..., None], self.patch)))
        for i, block in enumerate(self.down):
            v = block(v, told)
            if i < len(self.shrink):
                v = halved(v) @ self.shrink[i]
        along = jnp.mean(v, axis=0)  # what is where across the ring matters, where around it does not
        seen = jnp.concatenate([jnp.mean(along, 0), jnp.mean(along[: len(along) // 2] - along[len(along) // 2 :], 0)])
        return self.judge(jnp.concatenate([seen, told, inputs]))[0]
