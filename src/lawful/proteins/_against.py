"""Energies of a body against a receptor: atoms in its atoms, and how much of the body lies at its surface."""

from __future__ import annotations

from typing import Protocol

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from ..fields.equivariant import Frames
from ._chain_atoms import chain_atoms
from ._receptor import RADII, Surroundings

MAIN = np.array([RADII["N"], RADII["C"], RADII["C"], RADII["O"], RADII["C"]])  # N, CA, C, O, CB
NOTHING = -100.0
"""The radius of what fills a room."""


class Body(Protocol):
    """Five atoms a residue, N, CA, C, O and CB; those of no residue have a radius below zero."""

    @property
    def radii(self) -> Float[Array | np.ndarray, " atoms"]: ...

    def at(self, pose: Frames, /) -> Float[Array, "atoms 3"]:
        """Where the atoms are: `Spheres` in a pose, a `Chain` by the frames of its residues."""
        ...


class Chain(eqx.Module):
    """A chain that bends: its state is a frame for each residue.  real: which of them are residues."""

    real: Bool[Array, " n"]

    @property
    def radii(self) -> Float[Array, " atoms"]:
        return jnp.where(self.real[:, None], jnp.asarray(MAIN), NOTHING).reshape(-1)

    def at(self, frames: Frames) -> Float[Array, "atoms 3"]:
        return chain_atoms(frames, self.real).reshape(-1, 3)


class Overlap(eqx.Module):
    """Sum over atoms of max(depth + r - spare, 0)^2, A^2.  spare: overlap that costs nothing, angstrom."""

    body: Body
    around: Surroundings
    spare: float = 0.15

    def __call__(self, pose: Frames) -> Float[Array, ""]:
        deep = self.around.depth(self.body.at(pose)) + self.body.radii - self.spare
        return jnp.sum(jnp.maximum(deep, 0.0) ** 2)


class Touching(eqx.Module):
    """Minus the sum over residues of how many of the receptor's their nearest atom touches."""

    body: Body
    around: Surroundings

    def __call__(self, pose: Frames) -> Float[Array, ""]:
        touch = self.around.touch(self.body.at(pose)).reshape(-1, 5)
        # The largest of a residue's atoms, smoothly: about what all of them touch together.
        largest = (jax.nn.logsumexp(4.0 * touch, axis=1) - jnp.log(touch.shape[1])) / 4.0
        return -jnp.sum(jnp.where(real(self.body), largest, 0.0))


class Nearby(eqx.Module):
    """Minus the number of residues whose CB is near the receptor, felt from further away than a touch.

        sum over residues of 1 / (1 + exp(-(depth + reach) / soft))

    reach, soft   from the nearest sphere of the receptor, angstrom.
    """

    body: Body
    around: Surroundings
    reach: float = 5.0
    soft: float = 1.5

    def __call__(self, pose: Frames) -> Float[Array, ""]:
        depth = self.around.depth(self.body.at(pose)[4::5])
        return -jnp.sum(jnp.where(real(self.body), jax.nn.sigmoid((depth + self.reach) / self.soft), 0.0))


def real(body: Body) -> Bool[Array, " residues"]:
    return jnp.asarray(body.radii).reshape(-1, 5)[:, 0] > 0
