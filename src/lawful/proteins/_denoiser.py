"""The network that sees a noisy chain of frames and says where each belongs."""

from __future__ import annotations

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import random
from jaxtyping import Array, Bool, Float, Key

from ..fields.equivariant import (
    Dense,
    FrameBlock,
    Frames,
    centre,
    chain_features,
    relative_features,
)

NANOMETRE = 0.1
"""Angstrom in the unit in which the network sees lengths."""
REACH, BUMPS, APART, WAVES = 2.0, 12, 16, 8


class Denoiser(eqx.Module):
    """The clean frames of a chain, from noisy ones: (frames, t, what was said before) -> frames.

    Rounds of attention among all residues, messages along the chain and moves of the frames in their own coordinates:
    whatever turns or shifts the input does the same to the answer, to rounding, whatever the weights. A mirrored chain
    gives another answer, not the mirrored one.

    channels   scalars a residue carries; 96 learns on a laptop, 256 with a GPU.
    pair       features of a pair of residues; 32.
    blocks     rounds; 5.

    Positions are in angstrom and their mean is taken to be the origin. `t` runs from 0 (noise) to 1 (protein).
    """

    pair: Dense
    first: Dense
    blocks: FrameBlock
    """All rounds, stacked along the first axis of their arrays: code is compiled for one of them."""

    def __init__(self, key: Key, channels: int = 96, pair: int = 32, blocks: int = 5, heads: int = 8):
        a, b, c = random.split(key, 3)
        self.pair = Dense((2 * (BUMPS + 12) + 2 * APART + 3, pair, pair), a)
        self.first = Dense((2 * 96 + 2 * WAVES + 5, channels, channels), b)
        self.blocks = eqx.filter_vmap(lambda k: FrameBlock(channels, pair, k, heads))(random.split(c, blocks))

    def __call__(self, frames: Frames, t: Float[Array, ""], before: Frames | None, real: Bool[Array, " n"]) -> Frames:
        """`before`: an earlier answer for the same chain, or None. Residues that are not `real` are padding."""
        known = 0.0 if before is None else 1.0
        return self.given(frames, t, frames if before is None else before, jnp.asarray(known), real)

    def given(
        self, frames: Frames, t: Float[Array, ""], before: Frames, known: Float[Array, ""], real: Bool[Array, " n"]
    ) -> Frames:
        """The same where `known` (0 or 1) says whether `before` is to be heard."""
        frames = frames.scaled(NANOMETRE)
        before = before.scaled(NANOMETRE)
        frames = Frames(frames.rotation, frames.origin - centre(frames.origin, real))
        pairs = self.pairs(frames, before, known)
        s = self.first(self.residues(frames, before, known, t, real))
        weights, form = eqx.partition(self.blocks, eqx.is_array)
        round_ = lambda carry, block: (eqx.combine(block, form)(*carry, pairs, real), None)
        (_, frames), _ = jax.lax.scan(round_, (s, frames), weights)
        frames = Frames(frames.rotation, (frames.origin - centre(frames.origin, real)) * real[:, None])
        return frames.scaled(1 / NANOMETRE)

    def pairs(self, frames: Frames, before: Frames, known: Float[Array, ""]) -> Float[Array, "n n pair"]:
        n = frames.origin.shape[0]
        place = jnp.arange(n)
        apart = jnp.clip(place[None, :] - place[:, None], -APART - 1, APART + 1) + APART + 1
        order = (apart[..., None] == jnp.arange(2 * APART + 3)).astype(frames.origin.dtype)
        now = relative_features(frames.pairs(), REACH, BUMPS)
        then = relative_features(before.pairs(), REACH, BUMPS) * known
        return self.pair(jnp.concatenate([now, then, order], axis=-1))

    def residues(
        self, frames: Frames, before: Frames, known: Float[Array, ""], t: Float[Array, ""], real: Bool[Array, " n"]
    ) -> Float[Array, "n features"]:
        n, count = frames.origin.shape[0], jnp.sum(real)
        place = jnp.arange(n, dtype=frames.origin.dtype)
        phase = math.pi * t * 2.0 ** jnp.arange(WAVES - 3)
        time = jnp.stack([t, 1 - t, jnp.log(1.02 - t), *jnp.sin(phase), *jnp.cos(phase), known, jnp.log(count / 64)])
        ends = jnp.stack(
            [place / count, jnp.exp(-place / 3), jnp.exp(-(count - 1 - place) / 3), jnp.exp(-place / 12),
             jnp.exp(-(count - 1 - place) / 12), real], axis=-1,
        )  # fmt: skip
        there = real[:, None].astype(frames.origin.dtype)
        seen = [chain_features(frames, there, 4), chain_features(before, there, 4) * known]
        return jnp.concatenate([*seen, jnp.broadcast_to(time, (n, len(time))), ends * there], axis=-1)
