"""Rotations: exponential, logarithm, geodesics, with slopes that stay finite at no turn and at half a turn."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

EXACT = jax.lax.Precision.HIGHEST
"""Geometry keeps full precision where dense layers may be told to take less."""

Rotation = Float[Array, "*any 3 3"]
Vector = Float[Array, "*any 3"]


def matmul(a: Rotation, b: Rotation) -> Rotation:
    return jnp.einsum("...ij,...jk->...ik", a, b, precision=EXACT)


def turn(rotation: Rotation, vector: Vector) -> Vector:
    """R v."""
    return jnp.einsum("...ij,...j->...i", rotation, vector, precision=EXACT)


def turn_back(rotation: Rotation, vector: Vector) -> Vector:
    """R^T v."""
    return jnp.einsum("...ji,...j->...i", rotation, vector, precision=EXACT)


def skew(v: Vector) -> Rotation:
    """The matrix of v x."""
    x, y, z = v[..., 0], v[..., 1], v[..., 2]
    o = jnp.zeros_like(x)
    return jnp.stack([jnp.stack([o, -z, y], -1), jnp.stack([z, o, -x], -1), jnp.stack([-y, x, o], -1)], -2)


def rotation_exp(v: Vector) -> Rotation:
    """The turn about v by |v| radians, exp(v x) = 1 + sin|v|/|v| v x + (1 - cos|v|)/|v|^2 (v x)^2.

    Below 0.01 rad the two factors are their series, so that value and slope are right to rounding at v = 0.
    """
    square = jnp.sum(v**2, axis=-1)[..., None, None]
    small = square < 1e-4
    angle = jnp.sqrt(jnp.where(small, 1.0, square))
    half = jnp.sin(angle / 2) / (angle / 2)
    first = jnp.where(small, 1 - square / 6 * (1 - square / 20 * (1 - square / 42)), jnp.sin(angle) / angle)
    second = jnp.where(small, 0.5 - square / 24 * (1 - square / 30 * (1 - square / 56)), half**2 / 2)
    k = skew(v)
    return jnp.eye(3, dtype=v.dtype) + first * k + second * matmul(k, k)


def quaternion(rotation: Rotation) -> Float[Array, "*any 4"]:
    """(w, x, y, z) with w >= 0, from the row of 4 q q^T that is longest: never a division by something small."""
    m = lambda i, j: rotation[..., i, j]
    a, b, c = m(0, 0), m(1, 1), m(2, 2)
    x, y, z = m(2, 1) - m(1, 2), m(0, 2) - m(2, 0), m(1, 0) - m(0, 1)
    p, q, r = m(0, 1) + m(1, 0), m(0, 2) + m(2, 0), m(1, 2) + m(2, 1)
    rows = jnp.stack(
        [
            jnp.stack([1 + a + b + c, x, y, z], -1),
            jnp.stack([x, 1 + a - b - c, p, q], -1),
            jnp.stack([y, p, 1 - a + b - c, r], -1),
            jnp.stack([z, q, r, 1 - a - b + c], -1),
        ],
        -2,
    )
    longest = jnp.argmax(jnp.diagonal(rows, axis1=-2, axis2=-1), axis=-1)
    row = jnp.sum(rows * jax.nn.one_hot(longest, 4, dtype=rows.dtype)[..., None], axis=-2)
    row = row * jnp.where(row[..., :1] < 0, -1.0, 1.0)
    return row / jnp.linalg.norm(row, axis=-1, keepdims=True)


def rotation_log(rotation: Rotation) -> Vector:
    """The vector along the axis, as long as the angle (0 to pi): the inverse of `rotation_exp`.

    By way of the quaternion: exact to rounding at every angle, with finite slopes at 0 and pi. At pi the two axes are
    equally right, and either comes.
    """
    q = quaternion(rotation)
    w, v = q[..., :1], q[..., 1:]
    square = jnp.sum(v**2, axis=-1, keepdims=True)
    small = square < 1e-6
    sine = jnp.sqrt(jnp.where(small, 1.0, square))
    ratio = square / jnp.where(small, w**2, 1.0)
    near = 2 / jnp.where(small, w, 1.0) * (1 - ratio / 3 * (1 - 0.6 * ratio))
    return v * jnp.where(small, near, 2 * jnp.arctan2(sine, w) / sine)


def angle_between(a: Rotation, b: Rotation) -> Float[Array, "*any"]:
    """The angle of a^T b, radians, 0 to pi: the geodesic distance on SO(3)."""
    v = rotation_log(matmul(jnp.swapaxes(a, -1, -2), b))
    square = jnp.sum(v**2, axis=-1)
    return jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1.0)), 0.0)


def geodesic(a: Rotation, b: Rotation, t: Float[Array, "*any"] | float) -> Rotation:
    """The rotation a share t of the shortest way from a (t = 0) to b (t = 1): a exp(t log(a^T b))."""
    share = jnp.asarray(t)[..., None]
    return matmul(a, rotation_exp(share * rotation_log(matmul(jnp.swapaxes(a, -1, -2), b))))


def uniform_rotations(key: Key, shape: tuple[int, ...]) -> Rotation:
    """Rotations with no preferred one (Haar measure), from normal quaternions."""
    q = jax.random.normal(key, (*shape, 4))
    w, x, y, z = jnp.moveaxis(q / jnp.linalg.norm(q, axis=-1, keepdims=True), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return jnp.stack([jnp.stack(row, -1) for row in rows], -2)
