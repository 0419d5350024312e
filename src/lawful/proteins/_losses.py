"""How wrong an answer is: where residues are, how they are turned, and how they meet."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ..fields.equivariant import Frames, beside, length
from ._ideal import place_atoms

NANOMETRE = 0.1
CLOSEST = 0.1
"""The loss is measured in the noise that is left, but in no less than this share of it."""


class Losses(NamedTuple):
    """Of one chain, all invariant under motions of the world.

    places      mean square error of the CA, nm^2, over (1 - t)^2.
    turns       mean square angle between the frames, rad^2 (for small ones), over (1 - t)^2.
    seen        how far off residues appear in the frame of every other, nm, cut at 1 nm (FAPE), over 1 - t.
    near        mean square error of distances between atoms N, CA, C of residues up to 4 apart, over (1 - t)^2.
    joined      the same between one residue and the next alone.
    """

    places: Float[Array, ""]
    turns: Float[Array, ""]
    seen: Float[Array, ""]
    near: Float[Array, ""]
    joined: Float[Array, ""]

    def total(self) -> Float[Array, ""]:
        return 2.0 * self.places + 0.5 * self.turns + 0.5 * self.seen + 2.0 * self.near + 3.0 * self.joined


def losses_of(said: Frames, true: Frames, t: Float[Array, ""], real: Bool[Array, " n"]) -> Losses:
    """What a denoiser's word `said` costs beside the frames that were true, at time t in [0, 1].

    Means over the residues that are `real`, in the units that `Losses` names; 1 - t, the noise that is left, counts as
    a tenth at least.
    """
    left = jnp.maximum(1 - t, CLOSEST)
    weight = real.astype(t.dtype)
    count = jnp.sum(weight)
    places = jnp.sum(jnp.sum((said.origin - true.origin) ** 2, -1) * weight) / count * NANOMETRE**2
    turns = 0.5 * jnp.sum(jnp.sum((said.rotation - true.rotation) ** 2, (-2, -1)) * weight) / count
    gap = length(said.pairs().origin - true.pairs().origin, 1e-2) * NANOMETRE
    both = weight[:, None] * weight[None, :]
    seen = jnp.sum(jnp.minimum(gap, 1.0) * both) / count**2
    here, there = (jnp.asarray(place_atoms(each.rotation, each.origin))[:, :3] * NANOMETRE for each in (said, true))
    steps = [distances_apart(here, there, step, weight) for step in (1, 2, 3, 4)]
    near = sum(steps) / 4
    return Losses(places / left**2, turns / left**2, seen / left, near / left**2, steps[0] / left**2)


def distances_apart(
    said: Float[Array, "n 3 3"], true: Float[Array, "n 3 3"], step: int, weight: Float[Array, " n"]
) -> Float[Array, ""]:
    """Mean square error of the 9 distances between the atoms of residues i and i + step."""
    across = lambda x: length(x[:, :, None] - beside(x, step)[:, None, :], 1e-3)
    there = weight * beside(weight, step)
    error = jnp.mean((across(said) - across(true)) ** 2, axis=(-2, -1))
    return jnp.sum(jnp.where(there > 0, error, 0.0)) / jnp.maximum(jnp.sum(there), 1)
