"""Emissivity of opaque surfaces from what they are made of: by Kirchhoff's law, 1 - reflectance."""

from __future__ import annotations

import math

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from ._planck import LIGHT

VACUUM = 8.8541878128e-12  # permittivity, F/m


def fresnel_emissivity(n: ArrayLike, k: ArrayLike, angle: ArrayLike = 0.0) -> Float[Array, "..."]:
    """Emissivity of a smooth opaque surface of refractive index n + i k, for both polarisations together.

        1 - (|r_s|^2 + |r_p|^2) / 2,    r_s = (cos a - p) / (cos a + p),  r_p = (m cos a - p / m) / (m cos a + p / m)

    with m = n + i k and p = sqrt(m^2 - sin(a)^2). angle  from the normal, in radians. At the normal it is
    4 n / ((n + 1)^2 + k^2). Source: M. F. Modest, Radiative Heat Transfer (2013), chapter 2.
    """
    n, k, angle = jnp.asarray(n), jnp.asarray(k), jnp.asarray(angle)
    # The root of (n + i k)^2 - sin^2 in real numbers, whose derivatives JAX needs no complex ones for.
    real, imaginary = n**2 - k**2 - jnp.sin(angle) ** 2, 2 * n * k
    size = jnp.hypot(real, imaginary)
    p = jnp.sqrt(0.5 * (size + jnp.abs(real)))
    other = 0.5 * jnp.abs(imaginary) / p
    p, q = jnp.where(real >= 0, p, other), jnp.where(real >= 0, other, p)
    cosine = jnp.cos(angle)
    s = ((cosine - p) ** 2 + q**2) / ((cosine + p) ** 2 + q**2)
    # r_p / r_s = (p - sin tan + i q) / (p + sin tan + i q)
    turn = jnp.sin(angle) ** 2 / cosine
    reflectance = 0.5 * s * (1 + ((p - turn) ** 2 + q**2) / ((p + turn) ** 2 + q**2))
    return 1 - reflectance


def drude(
    wavelength: ArrayLike, resistivity: ArrayLike, relaxation: ArrayLike
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """Refractive index n and k of a metal by Drude's model of free electrons.

        (n + i k)^2 = 1 - 1 / (eps0 rho tau (w^2 + i w / tau))

    wavelength in um, resistivity rho in ohm m, relaxation time tau in s (about 1e-15 to 1e-14 at room temperature). For
    long waves, w tau << 1, the emissivity becomes that of Hagen and Rubens; for w tau >> 1 it stops to fall.
    Source: P. Drude, Annalen der Physik 306, 566 (1900); Modest (2013), 3.4.
    """
    turns = 2 * math.pi * LIGHT * 1e6 / jnp.asarray(wavelength) * relaxation  # w tau
    strength = jnp.asarray(relaxation) / (VACUUM * jnp.asarray(resistivity))  # (plasma frequency tau)^2
    real = 1 - strength / (turns**2 + 1)
    imaginary = strength / (turns * (turns**2 + 1))
    size = jnp.hypot(real, imaginary)
    larger = jnp.sqrt(0.5 * (size + jnp.abs(real)))
    smaller = 0.5 * imaginary / larger
    return jnp.where(real >= 0, larger, smaller), jnp.where(real >= 0, smaller, larger)


def hagen_rubens(wavelength: ArrayLike, resistivity: ArrayLike) -> Float[Array, "..."]:
    """Normal emissivity of a metal for long waves, 2 sqrt(4 pi eps0 c rho / lambda) to first order.

    wavelength in um, resistivity in ohm m. Good beyond some 10 um at room temperature, and nearer for hot or alloyed
    metals; it falls like lambda^-1/2. Source: E. Hagen and H. Rubens, Annalen der Physik 316, 873 (1903).
    """
    return 2 * jnp.sqrt(4 * math.pi * VACUUM * LIGHT * jnp.asarray(resistivity) / (jnp.asarray(wavelength) * 1e-6))
