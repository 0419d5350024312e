"""Functions of the distance that end or begin smoothly."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

FLAT = 1e-3  # exp(-1 / t) is exactly zero below, in double precision too


def cutoff_quintic(r: Float[Array, "..."], cutoff: float) -> Float[Array, "..."]:
    """From 1 at r = 0 to 0 at the cutoff and beyond, with two continuous derivatives.

    1 - 10 t^3 + 15 t^4 - 6 t^5, t = r / cutoff. The cosine that is often used has only one.
    """
    t = jnp.clip(r / cutoff, 0.0, 1.0)
    return 1 - t**3 * (10 - t * (15 - 6 * t))


def fade_out(square: Float[Array, "..."], begin: float, end: float) -> Float[Array, "..."]:
    """From 1 up to r = `begin` to 0 from `end` on, given r^2; three continuous derivatives.

    1 - 35 t^4 + 84 t^5 - 70 t^6 + 20 t^7, t = (r^2 - begin^2) / (end^2 - begin^2): no square root.
    """
    t = jnp.clip((square - begin**2) / (end**2 - begin**2), 0.0, 1.0)
    return 1 - t**4 * (35 - t * (84 - t * (70 - 20 * t)))


def fade_in(r: Float[Array, "..."], begin: float, end: float) -> Float[Array, "..."]:
    """From 0 up to `begin` to 1 from `end` on, all derivatives continuous: s(t) / (s(t) + s(1-t)), s(t) = exp(-1/t)."""
    t = (r - begin) / (end - begin)
    inside = (t > FLAT) & (t < 1 - FLAT)
    safe = jnp.where(inside, t, 0.5)
    return jnp.where(inside, jax.nn.sigmoid(1 / (1 - safe) - 1 / safe), jnp.where(t > 0.5, 1.0, 0.0))
