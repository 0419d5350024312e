"""A masked language model of protein sequences: a small transformer that says what stands at places left out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key

from ..fields.equivariant import Dense, normalised
from ._letters import LETTERS, MASK, encoded


class SelfAttention(eqx.Module):
    """softmax(q_i . k_j / sqrt(d)) v_j, q and k turned by angles that rise with the place: only distances matter.

    Source: J. Su et al., RoFormer: enhanced transformer with rotary position embedding, Neurocomputing 568 (2024).
    """

    ask: Dense
    out: Dense
    heads: int = eqx.field(static=True)

    def __init__(self, channels: int, heads: int, key: Key):
        a, b = jax.random.split(key)
        self.ask, self.out = Dense((channels, 3 * channels), a), Dense((channels, channels), b, scale=0.3)
        self.heads = heads

    def __call__(self, s: Float[Array, "L channels"], real: Bool[Array, " L"]) -> Float[Array, "L channels"]:
        length, channels = s.shape
        q, k, v = jnp.split(self.ask(s).reshape(length, self.heads, -1), 3, axis=-1)
        q, k = turned(q), turned(k)
        logits = jnp.einsum("ihd,jhd->hij", q, k) / math.sqrt(channels // self.heads)
        weights = jax.nn.softmax(jnp.where(real, logits, -1e9), axis=-1)
        return self.out(jnp.einsum("hij,jhd->ihd", weights, v).reshape(length, channels))


def turned(x: Float[Array, "L heads d"]) -> Float[Array, "L heads d"]:
    """Pairs of numbers, each turned by place * rate, rates from 1 down to 1/10,000 in equal factors."""
    length, _, d = x.shape
    angle = jnp.arange(length, dtype=x.dtype)[:, None] * 1e4 ** (-jnp.arange(d // 2, dtype=x.dtype) / (d // 2))
    cos, sin = jnp.cos(angle)[:, None], jnp.sin(angle)[:, None]
    a, b = jnp.split(x, 2, axis=-1)
    return jnp.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)


class Block(eqx.Module):
    """Attention, then a perceptron, each added to what was there."""

    attention: SelfAttention
    think: Dense

    def __init__(self, channels: int, heads: int, key: Key):
        a, b = jax.random.split(key)
        self.attention = SelfAttention(channels, heads, a)
        self.think = Dense((channels, 3 * channels, channels), b, scale=0.3)

    def __call__(self, s: Float[Array, "L channels"], real: Bool[Array, " L"]) -> Float[Array, "L channels"]:
        s = s + self.attention(normalised(s), real)
        return s + self.think(normalised(s))


class SequenceModel(eqx.Module):
    """log p(residue at each place | the residues that are known).

    channels   128.  blocks: 4.  heads: 8.
    """

    letters: Float[Array, "tokens channels"]
    ends: Float[Array, "2 channels"]
    blocks: tuple[Block, ...]
    out: Dense

    def __init__(self, key: Key, channels: int = 128, blocks: int = 4, heads: int = 8):
        a, b, c, *rest = jax.random.split(key, 3 + blocks)
        self.letters = jax.random.normal(a, (LETTERS + 1, channels))
        self.ends = jax.random.normal(b, (2, channels))
        self.blocks = tuple(Block(channels, heads, k) for k in rest)
        self.out = Dense((channels, LETTERS), c, scale=0.1)

    def __call__(self, tokens: Int[Array, " L"], real: Bool[Array, " L"] | None = None) -> Float[Array, "L letters"]:
        """Log-probabilities at every place, the known ones included; places where `real` is False are not heard."""
        real = jnp.ones(tokens.shape, bool) if real is None else real
        last = jnp.sum(real) - 1
        s = self.letters[tokens].at[0].add(self.ends[0]).at[last].add(self.ends[1])
        for block in self.blocks:
            s = block(s, real)
        return jax.nn.log_softmax(self.out(normalised(s)))


def masked(key: Key, tokens: Int[Array, " L"], real: Bool[Array, " L"]) -> tuple[Int[Array, " L"], Bool[Array, " L"]]:
    """Tokens with n places left out, n anything from 1 to all with the same probability; and which they are."""
    a, b = jax.random.split(key)
    count = jnp.sum(real)
    n = jax.random.randint(a, (), 1, count + 1)
    order = jnp.argsort(jnp.where(real, jax.random.uniform(b, tokens.shape), 2.0))
    rank = jnp.argsort(order)
    hidden = (rank < n) & real
    return jnp.where(hidden, MASK, tokens), hidden


def surprise(model: SequenceModel, key: Key, tokens: Int[Array, " L"], real: Bool[Array, " L"]) -> Float[Array, ""]:
    """-log p per residue at the places of one `masked` draw.

    Its mean over draws is the mean over all orders of writing the sequence of -log p(sequence) / L, so that exp of
    it is a perplexity which bounds that of the model from above, and stands beside that of models which read from left
    to right.
    Source: B. Uria, I. Murray, H. Larochelle, A deep and tractable density estimator, ICML 2014.
    """
    shown, hidden = masked(key, tokens, real)
    said = jnp.take_along_axis(model(shown, real), jnp.minimum(tokens, LETTERS - 1)[:, None], axis=1)[:, 0]
    return -jnp.sum(jnp.where(hidden, said, 0.0)) / jnp.sum(hidden)


def pseudo_perplexities(model: SequenceModel, sequences: Sequence[str]) -> Float[np.ndarray, " sequences"]:
    """Of each sequence exp(-sum_i log p(x_i | all others) / L): how surprised the model is of one letter where it knows
    the rest. As many readings as there are residues.

    Source: J. Wang and K. Cho, BERT has a mouth, and it must speak (2019); J. Salazar et al., ACL 2020.
    """
    found = np.zeros(len(sequences))
    for length in sorted({len(each) for each in sequences}):
        here = [k for k, each in enumerate(sequences) if len(each) == length]
        found[here] = _pseudo(model, jnp.asarray(np.stack([encoded(sequences[k]) for k in here])))
    return found


@eqx.filter_jit
def _pseudo(model: SequenceModel, tokens: Int[Array, "n L"]) -> Float[Array, " n"]:
    places = jnp.arange(tokens.shape[1])

    def one(tokens: Int[Array, " L"]) -> Float[Array, ""]:
        said = jax.vmap(lambda place: model(tokens.at[place].set(MASK))[place, tokens[place]])(places)
        return jnp.exp(-jnp.mean(said))

    return jax.lax.map(one, tokens)
