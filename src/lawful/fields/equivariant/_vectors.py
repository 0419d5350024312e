"""Scalars and vectors side by side: a perceptron for both, and messages of both."""

from __future__ import annotations

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from ._dense import Dense, normalised
from ._edges import bumps, length
from ._rotations import EXACT

BUMPS = 12


class VectorPerceptron(eqx.Module):
    """Scalars and vectors in, scalars and vectors out: a geometric vector perceptron.

        h = W v,   s' = f(s, |h|),   v' = (U h) * sigmoid(g(s'))

    Vectors are mixed by plain numbers and stretched by scalars; scalars hear of vectors by their lengths: rotations and
    reflections commute with it, O(3). With `handed`, h has also cross products of mixed vectors, whose sign a
    reflection changes: SO(3) only.

    Source: B. Jing et al., Learning from protein structure with geometric vector perceptrons, ICLR 2021.
    """

    mix: Float[Array, "vectors hidden"]
    unmix: Float[Array, "hidden vectors_out"]
    scalar: Dense
    gate: Dense
    crossed: tuple[Float[Array, "vectors few"], Float[Array, "vectors few"]] | None

    def __init__(self, scalars: tuple[int, int], vectors: tuple[int, int], key: Key, handed: bool = False):
        a, b, c, d, e, f = jax.random.split(key, 6)
        hidden, few = max(vectors), max(vectors) if handed else 0
        spread = lambda k, n, m: jax.random.normal(k, (n, m)) / math.sqrt(n)
        self.mix, self.unmix = spread(a, vectors[0], hidden), spread(b, hidden + few, vectors[1])
        self.scalar = Dense((scalars[0] + hidden + few, scalars[1], scalars[1]), c)
        self.gate = Dense((scalars[1], vectors[1]), d)
        self.crossed = (spread(e, vectors[0], few), spread(f, vectors[0], few)) if handed else None

    def __call__(
        self, s: Float[Array, "*any scalars"], v: Float[Array, "*any vectors 3"]
    ) -> tuple[Float[Array, "*any scalars_out"], Float[Array, "*any vectors_out 3"]]:
        h = mixed(v, self.mix)
        if self.crossed is not None:
            a, b = (mixed(v, weights) for weights in self.crossed)
            normal = jnp.cross(a, b)
            h = jnp.concatenate([h, normal / (1 + length(normal))[..., None]], axis=-2)
        s = self.scalar(jnp.concatenate([s, length(h, 1e-3)], axis=-1))
        return s, mixed(h, self.unmix) * jax.nn.sigmoid(self.gate(s))[..., None]


def mixed(v: Float[Array, "*any vectors 3"], weights: Float[Array, "vectors out"]) -> Float[Array, "*any out 3"]:
    return jnp.einsum("...cx,cd->...dx", v, weights, precision=EXACT)


class VectorMessages(eqx.Module):
    """A round of messages of scalars and vectors among all nodes, weighed by functions of distance and scalars.

        m_ij = silu(A s_i + B s_j + C e_ij),   s_i += mean_j m_ij mixed,
        v_i += mean_j alpha(m_ij) v_j + beta(m_ij) (x_j - x_i)/|x_j - x_i|,   (s_i, v_i) += perceptron(s_i, v_i)

    O(3), or SO(3) with `handed`: the perceptron's cross products.
    channels, vectors   scalars and vectors of a node.  edges: further numbers of a pair.
    reach               of the functions of the distance, in the unit of the coordinates.
    """

    own: Dense
    other: Dense
    seen: Dense
    mix: Dense
    weigh: Dense
    think: VectorPerceptron
    vectors: int = eqx.field(static=True)
    reach: float = eqx.field(static=True)

    def __init__(self, channels: int, vectors: int, key: Key, edges: int = 0, handed: bool = False, reach: float = 2.0):
        a, b, c, d, e, f = jax.random.split(key, 6)
        self.vectors, self.reach = vectors, reach
        self.own, self.other = Dense((channels + vectors, channels), a), Dense((channels + vectors, channels), b)
        self.seen = Dense((BUMPS + edges, channels), c)
        self.mix = Dense((channels, channels), d, scale=0.3)
        self.weigh = Dense((channels, 2 * vectors), e, scale=0.3)
        self.think = VectorPerceptron((channels, channels), (vectors, vectors), f, handed)

    def __call__(
        self,
        s: Float[Array, "n channels"],
        v: Float[Array, "n vectors 3"],
        places: Float[Array, "n 3"],
        edges: Float[Array, "n n edges"] | None,
        real: Bool[Array, " n"],
    ) -> tuple[Float[Array, "n channels"], Float[Array, "n vectors 3"]]:
        gap = places[None, :] - places[:, None]
        apart = length(gap)
        seen = bumps(apart, self.reach, BUMPS)
        seen = seen if edges is None else jnp.concatenate([seen, edges], axis=-1)
        known = jnp.concatenate([normalised(s), length(v, 1e-3)], axis=-1)
        message = jax.nn.silu(self.own(known)[:, None] + self.other(known)[None, :] + self.seen(seen))
        weight = (real[:, None] & real[None, :]) / jnp.maximum(jnp.sum(real), 1)
        s = s + self.mix(jnp.einsum("ij,ijc->ic", weight, message)) * real[:, None]
        alpha, beta = jnp.split(self.weigh(message) * weight[..., None], 2, axis=-1)
        toward = gap / (apart + 0.1)[..., None]
        v = v + jnp.einsum("ijc,jcx->icx", alpha, v, precision=EXACT)
        v = v + jnp.einsum("ijc,ijx->icx", beta, toward, precision=EXACT)
        more, turned = self.think(normalised(s), v)
        return s + 0.3 * more * real[:, None], v + 0.3 * turned * real[:, None, None]
