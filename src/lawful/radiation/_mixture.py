"""What stands between a surface and the instrument: walls that it mirrors, gas that absorbs and glows.

Both mix two radiances, L = w L_a + (1 - w) L_b with 0 <= w <= 1, and are written here in logarithms, so that they can
follow `log_radiance` in a law.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from ._planck import log_radiance


def log_of_mixture(share: ArrayLike, rest: ArrayLike, log_a: ArrayLike, log_b: ArrayLike) -> Float[Array, "..."]:
    """The logarithm of share exp(log_a) + rest exp(log_b); right where one share is zero, gradients included."""
    top = jax.lax.stop_gradient(jnp.maximum(log_a, log_b))  # cancels: it only keeps the exponentials in range
    return top + jnp.log(share * jnp.exp(log_a - top) + rest * jnp.exp(log_b - top))


def log_radiance_among(
    wavelength: ArrayLike, temperature: ArrayLike, emissivity: ArrayLike, surroundings: ArrayLike
) -> Float[Array, "..."]:
    """Log radiance that leaves an opaque surface among surroundings of one temperature.

        L = eps B(lambda, T) + (1 - eps) B(lambda, T_s)

    By Kirchhoff's law an opaque surface reflects what it does not absorb. Surroundings that enclose it are black,
    whatever they are made of. wavelength in um, temperature and surroundings in K.
    Source: M. F. Modest, Radiative Heat Transfer (2013), 5.3.
    """
    own, walls = log_radiance(wavelength, temperature), log_radiance(wavelength, surroundings)
    return log_of_mixture(emissivity, 1 - jnp.asarray(emissivity), own, walls)


def log_radiance_through(
    log_radiance_behind: ArrayLike, wavelength: ArrayLike, depth: ArrayLike, temperature: ArrayLike
) -> Float[Array, "..."]:
    """Log radiance behind a layer of gas that absorbs and glows but does not scatter.

        L = exp(-tau) L_behind + (1 - exp(-tau)) B(lambda, T_gas)

    depth is the optical depth tau >= 0: one number for a grey path, `line_depth` for lines. temperature of the gas in
    K. Source: M. F. Modest, Radiative Heat Transfer (2013), 10.4.
    """
    depth = jnp.asarray(depth)
    return log_of_mixture(
        jnp.exp(-depth), -jnp.expm1(-depth), log_radiance_behind, log_radiance(wavelength, temperature)
    )


def line_depth(
    wavelength: ArrayLike,
    centres: Float[ArrayLike, " lines"],
    depths: Float[ArrayLike, " lines"],
    widths: Float[ArrayLike, " lines"],
) -> Float[Array, "..."]:
    """Optical depth of absorption lines or narrow bands, each of Lorentz's shape in the wavenumber.

        tau = sum_k depth_k / (1 + ((nu - nu_k) / w_k)^2)

    nu = 1e4 / lambda and w_k, the half-width at half of the maximum, are in cm-1, the centres in um.
    """
    offset = 1e4 / jnp.asarray(wavelength)[..., None] - 1e4 / jnp.asarray(centres)
    return jnp.sum(jnp.asarray(depths) / (1 + (offset / jnp.asarray(widths)) ** 2), axis=-1)
