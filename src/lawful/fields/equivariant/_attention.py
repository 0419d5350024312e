"""Attention among frames: who matters is decided by what they say, where they are and how they are turned."""

from __future__ import annotations

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from ._dense import Dense, normalised
from ._edges import beside, length
from ._frames import Frames
from ._rotations import EXACT


class FrameAttention(eqx.Module):
    """Every frame reads from all others, weighed by scalars, by points in space and by features of the pair.

        a_ij = softmax_j( q_i . k_j / sqrt(d) + b(e_ij) - w |T_i q_i - T_j k_j|^2 ),
        answer_i = linear( sum_j a_ij v_j, T_i^-1 sum_j a_ij T_j p_j, sum_j a_ij e_ij )

    where T applies a frame to points that were said in local coordinates. Distances between points do not change with
    a motion of the world, and what is read is taken back into the own frame: the answer is invariant by construction,
    with plain dense products only. Frames have a handedness, so a mirrored world is another one.

    channels   scalars a frame carries; 64 to 256.
    pair       features of a pair.
    heads      8.  width, points, values: of a head: scalars, points that ask, points that are read; 16, 4, 8.

    Positions in a unit in which typical distances are about 1 (nanometres for a protein).
    Source: J. Jumper et al., Highly accurate protein structure prediction with AlphaFold, Nature 596, 583 (2021).
    """

    scalars: Dense
    places: Dense
    bias: Dense
    out: Dense
    sharpness: Float[Array, " heads"]
    shape: tuple[int, int, int, int] = eqx.field(static=True)

    def __init__(
        self, channels: int, pair: int, key: Key, heads: int = 8, width: int = 16, points: int = 4, values: int = 8
    ):
        a, b, c, d = jax.random.split(key, 4)
        self.shape = heads, width, points, values
        self.scalars = Dense((channels, 3 * heads * width), a)
        self.places = Dense((channels, 3 * heads * (2 * points + values)), b)
        self.bias = Dense((pair, heads), c)
        self.out = Dense((heads * (width + 4 * values + pair), channels), d, scale=0.3)
        self.sharpness = jnp.zeros(heads)

    def __call__(
        self,
        s: Float[Array, "n channels"],
        frames: Frames,
        pairs: Float[Array, "n n pair"],
        real: Bool[Array, " n"],
    ) -> Float[Array, "n channels"]:
        """The change of the scalars; frames where `real` is False are neither heard nor changed."""
        heads, width, points, values = self.shape
        n = s.shape[0]
        q, k, v = jnp.split(self.scalars(s).reshape(n, heads, 3 * width), 3, axis=-1)
        local = self.places(s).reshape(n, heads * (2 * points + values), 3)
        origin = frames.origin - centre(frames.origin, real)  # so that rounding knows no place either
        world = jnp.einsum("nij,npj->npi", frames.rotation, local, precision=EXACT) + origin[:, None]
        world = world.reshape(n, heads, 2 * points + values, 3)
        asks, answers, read = jnp.split(world, (points, 2 * points), axis=2)
        logits = jnp.einsum("ihd,jhd->hij", q, k) / math.sqrt(width) + jnp.moveaxis(self.bias(pairs), -1, 0)
        logits = logits - self.nearness()[:, None, None] * squares_between(asks, answers)
        weights = jax.nn.softmax(jnp.where(real, logits, -1e9), axis=-1)
        said = jnp.einsum("hij,jhd->ihd", weights, v).reshape(n, -1)
        where = jnp.einsum("hij,jhpx->ihpx", weights, read, precision=EXACT).reshape(n, heads * values, 3)
        where = jnp.einsum("nij,npi->npj", frames.rotation, where - origin[:, None], precision=EXACT)
        seen = jnp.einsum("hij,ijd->ihd", weights, pairs).reshape(n, -1)
        answer = jnp.concatenate([said, where.reshape(n, -1), length(where, 1e-3), seen], axis=-1)
        return self.out(answer) * real[:, None]

    def nearness(self) -> Float[Array, " heads"]:
        return 0.5 * jax.nn.softplus(self.sharpness) / self.shape[2]


def centre(places: Float[Array, "n 3"], real: Bool[Array, " n"]) -> Float[Array, " 3"]:
    """Mean of the places that are real."""
    return jnp.sum(places * real[:, None], axis=0) / jnp.maximum(jnp.sum(real), 1)


def squares_between(
    a: Float[Array, "n heads points 3"], b: Float[Array, "m heads points 3"]
) -> Float[Array, "heads n m"]:
    """Sum over points of |a_i - b_j|^2, by way of a product of matrices."""
    cross = jnp.einsum("ihpx,jhpx->hij", a, b, precision=EXACT)
    square = lambda x: jnp.sum(x**2, axis=(-2, -1)).T
    return square(a)[:, :, None] + square(b)[:, None, :] - 2 * cross


class ChainUpdate(eqx.Module):
    """What a residue learns from those beside it in the chain: their scalars, and their frames as it sees them.

    reach   neighbours on each side whose frames are seen; 4, a turn of a helix. Scalars come from 2 on each side.
    """

    mix: Dense
    reach: int = eqx.field(static=True)

    def __init__(self, channels: int, key: Key, reach: int = 4):
        self.reach = reach
        self.mix = Dense((5 * channels + 24 * reach, 2 * channels, channels), key, scale=0.3)

    def __call__(self, s: Float[Array, "n channels"], frames: Frames, real: Bool[Array, " n"]) -> Array:
        real = real[:, None].astype(s.dtype)
        heard = [beside(s * real, step) for step in (-2, -1, 0, 1, 2)]
        seen = chain_features(frames, real, self.reach)
        return self.mix(jnp.concatenate([*heard, seen], axis=-1)) * real


def chain_features(frames: Frames, real: Float[Array, "n 1"], reach: int) -> Float[Array, "n features"]:
    """Frames of the neighbours in a chain as each frame sees them, 12 numbers a neighbour; zero where there is none."""
    steps = [step for step in range(-reach, reach + 1) if step]
    around = lambda x: jnp.stack([beside(x, step) for step in steps], axis=1)
    seen = frames.map(lambda x: x[:, None]).relative(frames.map(around))
    numbers = jnp.concatenate([seen.origin, seen.rotation.reshape(*seen.origin.shape[:2], 9)], axis=-1)
    return (numbers * around(real) * real[:, None]).reshape(len(real), -1)


class FrameBlock(eqx.Module):
    """One round: attention among all frames, the chain's neighbours, a perceptron; then each frame moves a little.

    The move (a rotation vector and a shift) is said in local coordinates: frames turn with the world, whatever it is.
    """

    attention: FrameAttention
    chain: ChainUpdate
    think: Dense
    move: Dense

    def __init__(self, channels: int, pair: int, key: Key, heads: int = 8):
        a, b, c, d = jax.random.split(key, 4)
        self.attention = FrameAttention(channels, pair, a, heads)
        self.chain = ChainUpdate(channels, b)
        self.think = Dense((channels, 2 * channels, channels), c, scale=0.3)
        self.move = Dense((channels, 6), d, scale=0.1)

    def __call__(
        self,
        s: Float[Array, "n channels"],
        frames: Frames,
        pairs: Float[Array, "n n pair"],
        real: Bool[Array, " n"],
    ) -> tuple[Float[Array, "n channels"], Frames]:
        s = s + self.attention(normalised(s), frames, pairs, real)
        s = s + self.chain(normalised(s), frames, real)
        s = s + self.think(normalised(s))
        change = self.move(normalised(s)) * real[:, None]
        return s, frames.moved(change[:, :3], change[:, 3:])
