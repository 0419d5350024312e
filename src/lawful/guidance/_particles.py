"""A population that is thinned where its energy is high and multiplied where it is low."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from .._core.messages import BadInput, shown


class Particles(eqx.Module):
    """All designs of a run as one population, resampled where their weights have become too unequal.

    Each step multiplies a design's weight by exp(-(E now - E a step ago)), E at its answer, and by what guides have
    bent: in the limit of many designs they follow p(design) exp(-E) whatever the guides do, as long as steps have
    noise.

    threshold   resample where the effective number falls below this share of all; 0.5.
    Source: L. Wu, B. Trippe, C. Naesseth, D. Blei, J. Cunningham, Practical and asymptotically exact conditional
    sampling in diffusion models, NeurIPS 2023; R. Singhal et al., Feynman-Kac steering (2025).
    """

    threshold: float = 0.5

    def __check_init__(self):
        if not 0 <= self.threshold <= 1:
            raise BadInput(f"Particles(threshold={shown(self.threshold)}): a share between 0 and 1, such as 0.5.")

    def thinned(
        self, key: Key, log_weights: Float[Array, " n"]
    ) -> tuple[Int[Array, " n"], Float[Array, " n"], Float[Array, ""]]:
        """Which designs go on, all where weights are equal enough; their weights; the effective number before."""
        n = len(log_weights)
        effective = effective_size(log_weights)
        few = effective < self.threshold * n
        which = jnp.where(few, resampled(key, log_weights), jnp.arange(n))
        return which, jnp.where(few, 0.0, log_weights), effective


def effective_size(log_weights: Float[Array, " n"]) -> Float[Array, ""]:
    """(sum w)^2 / sum w^2: how many equal weights would say as much.

    Source: A. Kong, J. Liu, W. Wong, JASA 89, 278 (1994).
    """
    share = jax.nn.softmax(log_weights)
    return 1 / jnp.sum(share**2)


def resampled(key: Key, log_weights: Float[Array, " n"]) -> Int[Array, " n"]:
    """Which designs go on: n draws in proportion to the weights, evenly spaced but for one common shift.

    Source: J. Carpenter, P. Clifford, P. Fearnhead, IEE Proc. Radar, Sonar, Navig. 146, 2 (1999).
    """
    n = len(log_weights)
    heaps = jnp.cumsum(jax.nn.softmax(log_weights))
    marks = (jnp.arange(n) + jax.random.uniform(key)) / n
    found = jnp.clip(jnp.searchsorted(heaps, marks * heaps[-1]), 0, n - 1)
    return found.astype(jnp.arange(n).dtype)


def taken(designs: Any, which: Int[Array, " n"]) -> Any:
    return jax.tree.map(lambda leaf: leaf[which], designs)
