"""What a texture does under a pressure, learned from simulations: logarithms of friction, stress and film."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..design import Dataset, Surrogate, strip, train
from ._ring import CONTROLS, relief
from ._ring_data import TOLD, asked_space

FINE = 32  # places along a side, as many as simulations have
FILMS = 0.05, 0.12, 0.3, 0.8  # by the deepest pocket: the range of gaps
KEPT = tuple[Float[Array, "maps n n"], Float[Array, " told"]]


def view(texture: Float[Array, "16 16"], pressure: Array) -> KEPT:
    """The depth d, 1 / (d + g) at four films g, and the pressure; beside them means of those films' resistances."""
    depth = relief(texture, FINE)
    low, high = (float(np.log(p)) for p in TOLD)
    level = 2 * (pressure - low) / (high - low) - 1
    thin = [g / (g + depth) for g in FILMS]
    maps = jnp.stack([2 * depth - 0.6, *(2 * t - 1 for t in thin), level * (2 * depth - 0.6)])
    moments = [jnp.mean(t**n) for t in thin for n in (1, 3)]
    # Between the rims grooves that lean carry what they push; along each line around the ring a mean film resists.
    lines = [jnp.mean(jnp.mean(t**3, 0) ** -1) ** -1 for t in thin]
    return maps, jnp.stack([level, level**2, *moments, *lines])


def build(width: int = 40, depth: int = 3) -> Any:
    return strip(view, width=width, depth=depth, patch=4)


def same(u: Float[Array, " d"], key: PRNGKeyArray) -> Float[Array, " d"]:
    """A texture begun elsewhere around the ring, and by chance mirrored across it."""
    one, two = jax.random.split(key)
    c = jnp.roll(u[:-1].reshape(CONTROLS, CONTROLS), jax.random.randint(one, (), 0, CONTROLS), 0)
    c = jnp.where(jax.random.bernoulli(two), c[:, ::-1], c)
    return jnp.append(c.ravel(), u[-1])


def learned(
    data: Dataset, held_out: Dataset, *, members: int, passes: int, seed: int, path: Path | None = None,
    progress: bool | None = None,
) -> Surrogate:  # fmt: skip
    return train(
        asked_space(), data, build(), held_out=held_out, members=members, passes=passes, batch=64, slopes=0.3,
        steep=1.0, same=same, seed=seed, path=path, progress=progress,
    )  # fmt: skip
