"""How strongly something counts along the way from noise, at a share of 0, to the design, at 1."""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

Schedule = Callable[[Float[Array, ""]], Float[Array, ""]]
"""Share of the way -> factor."""


class Constant(eqx.Module):
    """The same strength `value` (in the unit of its term) from noise to the end."""

    value: float = 1.0

    def __call__(self, share: Float[Array, ""]) -> Float[Array, ""]:
        return jnp.full_like(share, self.value)


class Power(eqx.Module):
    """value * share^exponent: nothing in the noise, where a prediction says little, all of it at the end.

    exponent   1 to 3.
    begins     the share of the way before which it is 0, from where it rises.
    """

    value: float = 1.0
    exponent: float = 1.0
    begins: float = 0.0

    def __call__(self, share: Float[Array, ""]) -> Float[Array, ""]:
        since = jnp.clip((share - self.begins) / (1 - self.begins), 0.0, 1.0)
        return self.value * since**self.exponent
