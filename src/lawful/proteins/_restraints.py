"""Distances that a chain is asked for, as energies in kT."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._core.messages import BadInput
from ..fields.equivariant import Frames

LOOSE = 0.2
"""A beyond a window for half a kT."""
KNEE = 3.0


def window(value: Float[Array, "*any"], low: float, high: float, width: float = LOOSE) -> Float[Array, "*any"]:
    """0 between low and high, half a kT at `width` beyond, and in proportion to what is missing far away.

    E = 9 (sqrt(1 + (miss/(3 width))^2) - 1),   miss the distance from [low, high]
    """
    miss = jnp.maximum(low - value, 0.0) + jnp.maximum(value - high, 0.0)
    return KNEE**2 * (jnp.sqrt(1 + (miss / (KNEE * width)) ** 2) - 1)


class Distance(eqx.Module):
    """CA of residues i and j (from 0) between `low` and `high` A: frames -> kT, see `window`.

    A contact is Distance(i, j, high=8.0).
    """

    i: int = eqx.field(static=True)
    j: int = eqx.field(static=True)
    low: float = eqx.field(static=True, default=0.0)
    high: float = eqx.field(static=True, default=8.0)
    width: float = eqx.field(static=True, default=LOOSE)

    def __check_init__(self):
        if self.i == self.j or min(self.i, self.j) < 0:
            raise BadInput(f"Distance({self.i}, {self.j}): two different residues are meant, counted from 0.")
        if not 0 <= self.low <= self.high:
            raise BadInput(f"Distance(low={self.low:g}, high={self.high:g}): between 0 <= low <= high, in A.")

    def __call__(self, frames: Frames) -> Float[Array, ""]:
        apart = frames.origin[self.j] - frames.origin[self.i]
        return window(jnp.sqrt(jnp.sum(apart**2) + 1e-6), self.low, self.high, self.width)
