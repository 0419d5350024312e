"""What generators learn from: maps between 0 and 1, and what each of them turned out to do."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray


class Examples(NamedTuple):
    """Maps of a law that does not care where around the first axis a map begins, nor for its mirror image across the
    second.

    maps    entries from 0 to 1.
    wishes  what would have had to be asked for to get them, each number in units of its spread.
    told    what a calculator says of each, if there is one.
    """

    maps: Float[Array, "examples nx ny"]
    wishes: Float[Array, "examples wishes"]
    told: Float[Array, "examples told"] | None = None

    def batch(self, key: PRNGKeyArray, size: int) -> Examples:
        """Some of them, begun elsewhere and mirrored by chance; from -1 to 1."""
        one, two, three = jax.random.split(key, 3)
        pick = jax.random.randint(one, (size,), 0, len(self.maps))
        turn = jax.random.randint(two, (size,), 0, self.maps.shape[1])
        maps = jax.vmap(lambda m, k: jnp.roll(m, k, 0))(self.maps[pick], turn)
        mirror = jax.random.bernoulli(three, 0.5, (size, 1, 1))
        told = None if self.told is None else self.told[pick]
        return Examples(2 * jnp.where(mirror, maps[:, :, ::-1], maps) - 1, self.wishes[pick], told)


def to_unit(x: Array) -> Array:
    """From -1..1, and beyond, to maps between 0 and 1."""
    return jnp.clip(0.5 + 0.5 * x, 0.0, 1.0)
