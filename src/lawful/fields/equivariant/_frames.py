"""Rigid frames: a rotation and an origin at each place, elements of SE(3)."""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ._rotations import EXACT, matmul, rotation_exp, turn, turn_back


class Frames(eqx.Module):
    """Rigid motions x -> R x + o: a local coordinate system at each place.

    rotation   whose columns are the local axes.
    origin     in the unit of the coordinates.

    Rotating the world by Q and moving it by d maps (R, o) to (Q R, Q o + d); what is said in local coordinates stays.
    """

    rotation: Float[Array, "*any 3 3"]
    origin: Float[Array, "*any 3"]

    @classmethod
    def from_points(
        cls, first: Float[Array, "*any 3"], origin: Float[Array, "*any 3"], last: Float[Array, "*any 3"]
    ) -> Frames:
        """Local x towards `last`, `first` in the half-plane y > 0, z = x cross y: N, CA and C of a residue, say.

        Points on one line have no frame and give NaN.
        """
        x = direction(last - origin)
        towards = first - origin
        y = direction(towards - x * jnp.sum(x * towards, axis=-1, keepdims=True))
        return cls(jnp.stack([x, y, jnp.cross(x, y)], axis=-1), origin)

    def apply(self, local: Float[Array, "*any 3"]) -> Float[Array, "*any 3"]:
        """Local coordinates as places in the world, R x + o."""
        return turn(self.rotation, local) + self.origin

    def local(self, places: Float[Array, "*any 3"]) -> Float[Array, "*any 3"]:
        """Places in the world as local coordinates, R^T (x - o): the inverse of `apply`."""
        return turn_back(self.rotation, places - self.origin)

    def compose(self, other: Frames) -> Frames:
        """First `other`, then this one: (R R', R o' + o)."""
        return Frames(matmul(self.rotation, other.rotation), self.apply(other.origin))

    def inverse(self) -> Frames:
        """(R^T, -R^T o)."""
        return Frames(jnp.swapaxes(self.rotation, -1, -2), -turn_back(self.rotation, self.origin))

    def relative(self, other: Frames) -> Frames:
        """`other` as this frame sees it, inverse() compose other: invariant under motions of the world."""
        rotation = jnp.einsum("...ji,...jk->...ik", self.rotation, other.rotation, precision=EXACT)
        return Frames(rotation, self.local(other.origin))

    def pairs(self) -> Frames:
        """Frame j as frame i sees it, for all pairs of the last axis: (n,) becomes (n, n)."""
        i = Frames(self.rotation[..., :, None, :, :], self.origin[..., :, None, :])
        j = Frames(self.rotation[..., None, :, :, :], self.origin[..., None, :, :])
        return i.relative(j)

    def moved(self, turned: Float[Array, "*any 3"], shifted: Float[Array, "*any 3"]) -> Frames:
        """After a turn (rotation vector, rad) and a shift, both in local coordinates."""
        return self.compose(Frames(rotation_exp(turned), shifted))

    def scaled(self, factor: float) -> Frames:
        """In another unit of length."""
        return Frames(self.rotation, factor * self.origin)

    def map(self, function: Callable[[Array], Array]) -> Frames:
        """The same on both arrays: indexing, say."""
        return Frames(function(self.rotation), function(self.origin))


def direction(v: Float[Array, "*any 3"]) -> Float[Array, "*any 3"]:
    return v / jnp.linalg.norm(v, axis=-1, keepdims=True)
