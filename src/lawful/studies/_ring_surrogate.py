"""What a texture does under a pressure, learned from simulations: logarithms of friction, stress and film."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..design import Dataset, Surrogate, operator, train
from ._ring import CONTROLS, splines, steep
from ._ring_data import TOLD, asked_space


def view(texture: Float[Array, "16 16"], pressure: Array) -> Float[Array, "5 16 16"]:
    """The depth, how it resists where the film is thin and where it is thick, and the pressure."""
    around, across = splines(CONTROLS, True), splines(CONTROLS, False)
    depth = steep(jnp.asarray(around, texture.dtype) @ texture @ jnp.asarray(across, texture.dtype).T)
    low, high = (float(np.log(p)) for p in TOLD)
    level = jnp.broadcast_to(2 * (pressure - low) / (high - low) - 1, depth.shape)
    return jnp.stack([2 * depth - 0.6, 2 / (1 + 4 * depth) - 1, 2 / (1 + 16 * depth) - 0.7, level, level * depth])


def build(width: int = 20, depth: int = 2) -> Any:
    return operator(view, width=width, depth=depth, modes=5, periodic=(True, False), patch=2)


def learned(
    data: Dataset, held_out: Dataset, *, members: int, passes: int, seed: int, progress: bool | None
) -> Surrogate:
    return train(
        asked_space(), data, build(), held_out=held_out, members=members, passes=passes, batch=64, slopes=0.5,
        seed=seed, progress=progress,
    )  # fmt: skip
