"""Dynamic stiffness of layers under waves that run along them: real, and free of growing exponentials.

A wave exp(i (omega t - k x)) with phase speed c = omega / k; displacements (u_x, i u_z) and tractions (t_x, i t_z) on
the faces of a layer then obey t = K u with a real symmetric K. With r^2 = 1 - c^2/vp^2, q^2 = 1 - c^2/vs^2 and X = k d
all entries are entire functions of r^2 and q^2, whatever their sign, divided by one denominator. Differences from 1 are
computed as such, so that thin layers and long waves keep their digits.

Source of the matrices: E. Kausel and J. M. Roesset, Bull. Seism. Soc. Am. 71, 1743 (1981).
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float


class Faces(NamedTuple):
    """Stiffness of a layer: upper face with itself, upper with lower, lower with itself. K of lower with upper is the
    transpose of `across`."""

    upper: Float[Array, "n n"]
    across: Float[Array, "n n"]
    lower: Float[Array, "n n"]


class Wave(NamedTuple):
    """cosh(x) - 1, sinh(x)/x and 1, all times exp(-x): of x = sqrt(square), or of cos and sin where it is negative."""

    rise: Float[Array, ""]
    ramp: Float[Array, ""]
    fade: Float[Array, ""]


def wave(square: Float[Array, ""]) -> Wave:
    near = jnp.abs(square) < 1e-3
    up = jnp.sqrt(jnp.where((square > 0) & ~near, square, 1.0))
    down = jnp.sqrt(jnp.where((square < 0) & ~near, -square, 1.0))
    e = jnp.exp(-up)
    # Series to a relative error of 1e-17, times the fade of what is not small.
    small = jnp.where(near, square, 0.0)
    rise = small / 2 * (1 + small / 12 * (1 + small / 30 * (1 + small / 56)))
    ramp = 1 + small / 6 * (1 + small / 20 * (1 + small / 42 * (1 + small / 72)))
    return Wave(
        jnp.where(near, rise, jnp.where(square > 0, 0.5 * (1 - e) ** 2, -2 * jnp.sin(down / 2) ** 2)),
        jnp.where(near, ramp, jnp.where(square > 0, -0.5 * jnp.expm1(-2 * up) / up, jnp.sin(down) / down)),
        jnp.where(near | (square < 0), 1.0, e),
    )


def shear_layer(c: Array, k: Array, thickness: Array, vs: Array, mu: Array) -> Faces:
    """SH motion: mu k q [coth(q X), -csch(q X)]."""
    one = wave((1 - (c / vs) ** 2) * (k * thickness) ** 2)
    scale = mu / (thickness * one.ramp)
    own, other = scale * (one.rise + one.fade), -scale * one.fade
    return Faces(own[None, None], other[None, None], own[None, None])


def shear_half_space(c: Array, k: Array, vs: Array, mu: Array) -> Float[Array, "1 1"]:
    """Mu k q; for c below vs."""
    return (mu * k * jnp.sqrt(1 - (c / vs) ** 2))[None, None]


def solid_layer(c: Array, k: Array, thickness: Array, vp: Array, vs: Array, mu: Array) -> Faces:
    """P-SV motion."""
    x, r2, q2 = k * thickness, 1 - (c / vp) ** 2, 1 - (c / vs) ** 2
    p, s = wave(r2 * x**2), wave(q2 * x**2)
    missing = -(p.rise * s.rise + p.rise * s.fade + s.rise * p.fade)  # 1 - cosh cosh
    both = x**2 * p.ramp * s.ramp
    half = (1 - q2) / (2 * missing + (1 + r2 * q2) * both)
    ramp_s, ramp_p = x * s.ramp * (p.rise + p.fade), x * p.ramp * (s.rise + s.fade)
    coupled = half * (missing + r2 * q2 * both) + (1 + q2)
    first, second = half * (ramp_s - r2 * ramp_p), half * (ramp_p - q2 * ramp_s)
    apart = half * (p.rise * s.fade - s.rise * p.fade)
    third = half * x * (r2 * p.ramp * s.fade - s.ramp * p.fade)
    fourth = half * x * (q2 * s.ramp * p.fade - p.ramp * s.fade)
    return Faces(
        mu * k * matrix(first, -coupled, -coupled, second),
        mu * k * matrix(third, -apart, apart, fourth),
        mu * k * matrix(first, coupled, coupled, second),
    )


def solid_half_space(c: Array, k: Array, vp: Array, vs: Array, mu: Array) -> Float[Array, "2 2"]:
    """P-SV motion; for c below vs."""
    r, q = jnp.sqrt(1 - (c / vp) ** 2), jnp.sqrt(1 - (c / vs) ** 2)
    share = (1 - q**2) / (1 - r * q)
    coupled = share * r * q - (1 + q**2)
    return mu * k * matrix(share * r, coupled, coupled, share * q)


def matrix(a: Array, b: Array, c: Array, d: Array) -> Float[Array, "2 2"]:
    return jnp.stack([jnp.stack([a, b]), jnp.stack([c, d])])
