"""The atoms of a padded chain of frames, as energies look at them."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ..fields.equivariant import Frames
from ._ideal import ideal_cb, place_atoms, place_oxygens

FAR = 1000.0
APART = 20.0


def spread_out(frames: Frames, real: Bool[Array, " n"] | None) -> Frames:
    """Padding put in a row far away, where it touches nothing and no distance is zero."""
    if real is None:
        return frames
    n = frames.origin.shape[0]
    row = FAR + APART * jnp.arange(n, dtype=frames.origin.dtype)
    away = jnp.stack([row, row, jnp.zeros_like(row)], axis=-1)
    rotation = jnp.where(real[:, None, None], frames.rotation, jnp.eye(3, dtype=frames.origin.dtype))
    return Frames(rotation, jnp.where(real[:, None], frames.origin, away))


def chain_atoms(frames: Frames, real: Bool[Array, " n"] | None = None) -> Float[Array, "n 5 3"]:
    """N, CA, C, O and CB of each residue, O of the last real one where a helix has it."""
    frames = spread_out(frames, real)
    four = jnp.asarray(place_atoms(frames.rotation, frames.origin))
    if real is not None:
        last = real & ~jnp.concatenate([real[1:], jnp.zeros(1, bool)])
        alone = jnp.asarray(place_oxygens(four[:, None, :3]))[:, 0]  # each as if there were none behind it
        four = four.at[:, 3].set(jnp.where(last[:, None], alone, four[:, 3]))
    return jnp.concatenate([four, ideal_cb(four)[:, None]], axis=1)
