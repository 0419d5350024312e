"""Messages among points that know of distances only, and move along the lines between them."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from ._attention import centre
from ._dense import Dense
from ._edges import bumps, length
from ._rotations import EXACT

BUMPS = 8


class PointMessages(eqx.Module):
    """A round of an E(n) graph network: nodes hear each other's distances, and move along what lies between them.

        m_ij = silu(A s_i + B s_j + C e(|x_i - x_j|)),      s_i += f(s_i, mean_j m_ij)
        x_i += mean_j (x_i - x_j) / (|x_i - x_j| + 1) g(m_ij)

    Each node may have several points (N, CA and C of a residue, say), and all distances between the points of two nodes
    are heard. Differences are divided by their length, so that far points do not blow the answer up. Equivariant under
    rotations, translations and reflections: E(3). With `handed`, moves along (x_i - c) x (x_j - c), c the centre, make
    a mirrored input another one: SE(3).

    channels   scalars of a node.  points: of a node.  edges: further numbers of a pair.
    reach      of the functions of the distance, in the unit of the coordinates (typical distances about 1).

    Source: V. G. Satorras, E. Hoogeboom, M. Welling, E(n) equivariant graph neural networks, ICML 2021.
    """

    own: Dense
    other: Dense
    seen: Dense
    think: Dense
    along: Dense
    across: Dense | None
    points: int = eqx.field(static=True)
    reach: float = eqx.field(static=True)

    def __init__(
        self, channels: int, key: Key, points: int = 1, edges: int = 0, handed: bool = False, reach: float = 2.0
    ):
        a, b, c, d, e, f = jax.random.split(key, 6)
        self.points, self.reach = points, reach
        self.own, self.other = Dense((channels, channels), a), Dense((channels, channels), b)
        self.seen = Dense((BUMPS * points**2 + edges, channels), c)
        self.think = Dense((2 * channels, 2 * channels, channels), d, scale=0.3)
        self.along = Dense((channels, points**2), e, scale=0.1)
        self.across = Dense((channels, points), f, scale=0.1) if handed else None

    def __call__(
        self,
        s: Float[Array, "n channels"],
        x: Float[Array, "n points 3"],
        edges: Float[Array, "n n edges"] | None,
        real: Bool[Array, " n"],
    ) -> tuple[Float[Array, "n channels"], Float[Array, "n points 3"]]:
        n, p = len(s), self.points
        gap = x[:, None, :, None] - x[None, :, None, :]
        apart = length(gap)
        seen = bumps(apart, self.reach, BUMPS).reshape(n, n, -1)
        seen = seen if edges is None else jnp.concatenate([seen, edges], axis=-1)
        message = jax.nn.silu(self.own(s)[:, None] + self.other(s)[None, :] + self.seen(seen))
        weight = (real[:, None] & real[None, :]) / jnp.maximum(jnp.sum(real), 1)
        heard = jnp.einsum("ij,ijc->ic", weight, message)
        s = s + self.think(jnp.concatenate([s, heard], axis=-1)) * real[:, None]
        pull = self.along(message).reshape(n, n, p, p) * weight[..., None, None] / (apart + 1)
        move = jnp.einsum("ijpq,ijpqx->ipx", pull, gap, precision=EXACT)
        if self.across is not None:
            from_centre = x - centre(jnp.mean(x, axis=1), real)
            normal = jnp.cross(from_centre[:, None], from_centre[None, :])
            turn = self.across(message) * weight[..., None] / (length(normal) + 1)
            move = move + jnp.einsum("ijp,ijpx->ipx", turn, normal, precision=EXACT)
        return s, x + move
