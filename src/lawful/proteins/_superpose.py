"""The rigid motion that lays one set of points on another."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


class Superposition(NamedTuple):
    """rotation R and translation t, with R x + t nearest to y; rmsd: root of the mean square distance that is left."""

    rotation: Float[Array, "*batch 3 3"]
    translation: Float[Array, "*batch 3"]
    rmsd: Float[Array, "*batch"]

    def __call__(self, points: Float[Array, "*batch N 3"]) -> Float[Array, "*batch N 3"]:
        """Other points, moved in the same way."""
        return jnp.einsum("...ij,...nj->...ni", self.rotation, points) + self.translation[..., None, :]


def superpose(
    x: Float[Array, "*batch N 3"], y: Float[Array, "*batch N 3"], weights: Float[Array, "*batch N"] | None = None
) -> Superposition:
    """The proper rotation and translation of x that bring it nearest to y.

        minimise sum_n w_n |R x_n + t - y_n|^2  over  R in SO(3), t

    weights   of the points, 1 by default; 0 leaves a point out. All zero gives zeros and no motion.

    All is differentiable. Where the points do not determine the rotation (all on a line, a single one, a mirror image
    that fits in several ways), its derivative along what is undetermined is zero; `rmsd` is right there too, and has
    derivative zero where it is zero.

    W. Kabsch, Acta Cryst. A 32, 922 (1976); the derivative from the symmetry of R^T M.
    """
    x, y = jnp.asarray(x), jnp.asarray(y)  # NumPy's doubles in whatever precision is on
    w = jnp.ones(x.shape[:-1], x.dtype) if weights is None else weights
    total = jnp.sum(w, axis=-1)
    share = w / jnp.where(total > 0, total, 1.0)[..., None]
    middle = lambda points: jnp.einsum("...n,...nj->...j", share, points)
    x0, y0 = middle(x), middle(y)
    u, v = x - x0[..., None, :], y - y0[..., None, :]
    rotation = best_rotation(jnp.einsum("...n,...ni,...nj->...ij", share, v, u))
    translation = y0 - jnp.einsum("...ij,...j->...i", rotation, x0)
    # At the minimum a change of R does not count (envelope theorem).
    left = jnp.einsum("...ij,...nj->...ni", jax.lax.stop_gradient(rotation), u) - v
    square = jnp.sum(share * jnp.sum(left**2, axis=-1), axis=-1)
    some = square > 0
    return Superposition(rotation, translation, jnp.where(some, jnp.sqrt(jnp.where(some, square, 1.0)), 0.0))


def rmsd(
    x: Float[Array, "*batch N 3"], y: Float[Array, "*batch N 3"], weights: Float[Array, "*batch N"] | None = None
) -> Float[Array, "*batch"]:
    """Root of the mean square distance of x and y after the best superposition, angstrom."""
    return superpose(x, y, weights).rmsd


@jax.custom_jvp
def best_rotation(m: Float[Array, "*batch 3 3"]) -> Float[Array, "*batch 3 3"]:
    """The proper rotation R with the largest tr(R^T M)."""
    u, _, vt = jnp.linalg.svd(m)
    sign = jnp.where(jnp.linalg.det(u) * jnp.linalg.det(vt) < 0, -1.0, 1.0).astype(m.dtype)
    return jnp.concatenate([u[..., :2], u[..., 2:] * sign[..., None, None]], axis=-1) @ vt


@best_rotation.defjvp
def _(primals, tangents):
    # R^T M = P stays symmetric: with dR = R [w]x that reads (tr P - P) w = the axial vector of R^T dM.
    (m,), (dm,) = primals, tangents
    r = best_rotation(m)
    p, a = jnp.swapaxes(r, -1, -2) @ m, jnp.swapaxes(r, -1, -2) @ dm
    eye = jnp.eye(3, dtype=m.dtype)
    k = jnp.trace(p, axis1=-2, axis2=-1)[..., None, None] * eye - p
    axial = jnp.stack([a[..., 2, 1] - a[..., 1, 2], a[..., 0, 2] - a[..., 2, 0], a[..., 1, 0] - a[..., 0, 1]], axis=-1)
    # Along what is undetermined K is zero, and the solution of least length has nothing there.
    scale = jnp.max(jnp.abs(k), axis=(-2, -1), keepdims=True)
    small = jnp.finfo(m.dtype).eps ** 0.5 * jnp.where(scale > 0, scale, 1.0)
    k = 0.5 * (k + jnp.swapaxes(k, -1, -2))
    w = jnp.linalg.solve(k @ k + small**2 * eye, k @ axial[..., None])[..., 0]
    zero = jnp.zeros_like(w[..., 0])
    cross = jnp.stack(
        [
            jnp.stack([zero, -w[..., 2], w[..., 1]], axis=-1),
            jnp.stack([w[..., 2], zero, -w[..., 0]], axis=-1),
            jnp.stack([-w[..., 1], w[..., 0], zero], axis=-1),
        ],
        axis=-2,
    )
    return r, r @ cross
