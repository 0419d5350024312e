"""What one place says of another that no motion of the world can change."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float

from ._frames import Frames


def length(v: Float[Array, "*any 3"], least: float = 1e-4) -> Float[Array, "*any"]:
    """sqrt(|v|^2 + least^2): smooth where v is zero, as a place is from itself."""
    return jnp.sqrt(jnp.sum(v**2, axis=-1) + least**2)


def bumps(distance: Float[Array, "*any"], reach: float, count: int) -> Float[Array, "*any count"]:
    """Gaussians evenly placed from 0 to `reach`, a spacing wide each."""
    centres = jnp.linspace(0.0, reach, count, dtype=distance.dtype)
    return jnp.exp(-0.5 * ((distance[..., None] - centres) * ((count - 1) / reach)) ** 2)


def relative_features(relative: Frames, reach: float, count: int) -> Float[Array, "*any features"]:
    """Of a relative frame: `count` functions of the distance, the direction (3) and the rotation (9).

    Invariant under rotations and translations of the world. A reflection changes them: direction and rotation are
    said in frames whose handedness is fixed.
    """
    distance = length(relative.origin)
    toward = relative.origin / (distance[..., None] + 0.1 * reach)
    turned = relative.rotation.reshape(*relative.rotation.shape[:-2], 9)
    return jnp.concatenate([bumps(distance, reach, count), toward, turned], axis=-1)


def beside(x: Float[Array, "n *any"], step: int) -> Float[Array, "n *any"]:
    """Row i + step at row i; rows from beyond an end are zero."""
    if step == 0:
        return x
    pad = jnp.zeros((abs(step), *x.shape[1:]), x.dtype)
    return jnp.concatenate([x[step:], pad]) if step > 0 else jnp.concatenate([pad, x[:step]])
