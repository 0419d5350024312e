"""Planck's law and its inverse, in logarithms, so that neither values nor gradients are lost.

Wavelengths are in micrometres, temperatures in kelvin, radiance in W m-2 um-1 sr-1. With x = c2 / (lambda T),

    ln B = ln c1 - 5 ln lambda - x - ln(1 - exp(-x)),    c1 = 2 h c^2,    c2 = h c / k.

The usual form 1 / (exp(x) - 1) in single precision has a gradient of zero above x = 44, which one micrometre reaches
below 327 K, and NaN above 89. In SI units lambda^5 would come near the smallest number that single precision holds.

Source: M. Planck, Annalen der Physik 309, 553 (1901); constants: CODATA 2018, exact.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, ArrayLike, Float

from .._core.messages import BadInput

PLANCK = 6.62607015e-34  # J s
LIGHT = 299792458.0  # m / s
BOLTZMANN = 1.380649e-23  # J / K

C1 = 2 * PLANCK * LIGHT**2 * 1e24
"""First radiation constant of radiance, 2 h c^2, in W um4 m-2 sr-1."""
C2 = PLANCK * LIGHT / BOLTZMANN * 1e6
"""Second radiation constant, h c / k, in um K."""
STEFAN_BOLTZMANN = 2 * math.pi**5 * BOLTZMANN**4 / (15 * PLANCK**3 * LIGHT**2)
"""sigma, in W m-2 K-4."""
WIEN_DISPLACEMENT = C2 / 4.965114231744276
"""Wavelength of the largest radiance per wavelength, times temperature, in um K; x solves x = 5 (1 - exp(-x))."""


def kelvin(temperature: ArrayLike) -> ArrayLike:
    """The temperature, refused where it is known to be below absolute zero (inside compiled code it is not known)."""
    if not isinstance(temperature, Tracer) and np.any(np.asarray(temperature) < 0):
        raise BadInput(
            f"a temperature of {np.min(np.asarray(temperature)):g} is below absolute zero; give kelvin: add 273.15 to"
            " degrees Celsius."
        )
    return temperature


def log_radiance(wavelength: ArrayLike, temperature: ArrayLike) -> Float[Array, "..."]:
    """The logarithm of the radiance B of a black body; what spectra should be fitted in.

    wavelength (um) and temperature (K) are numbers or arrays that broadcast; B is in W m-2 um-1 sr-1. Right in single
    precision, with its gradients, for x from 1e-6 to 110.
    """
    x = C2 / (jnp.asarray(wavelength) * kelvin(temperature))
    return math.log(C1) - 5 * jnp.log(wavelength) - x - jnp.log(-jnp.expm1(-x))


def radiance(wavelength: ArrayLike, temperature: ArrayLike) -> Float[Array, "..."]:
    """Spectral radiance B of a black body, W m-2 um-1 sr-1, from wavelength (um) and temperature (K)."""
    return jnp.exp(log_radiance(wavelength, temperature))


def brightness_temperature(wavelength: ArrayLike, radiance: ArrayLike) -> Float[Array, "..."]:
    """The temperature (K) of the black body that has this radiance (W m-2 um-1 sr-1) at a wavelength (um).

        T = c2 / (lambda ln(1 + c1 / (lambda^5 L)))

    The inverse of `radiance`. NaN where the radiance is negative, 0 where it is zero.
    """
    return brightness_temperature_of_log(wavelength, jnp.log(radiance))


def brightness_temperature_of_log(wavelength: ArrayLike, log_radiance: ArrayLike) -> Float[Array, "..."]:
    """The same from ln L, which holds radiances that single precision does not: the inverse of `log_radiance`."""
    return C2 / (jnp.asarray(wavelength) * jax.nn.softplus(math.log(C1) - 5 * jnp.log(wavelength) - log_radiance))


def wien(wavelength: ArrayLike, temperature: ArrayLike) -> Float[Array, "..."]:
    """Wien's limit c1 / lambda^5 exp(-x), W m-2 um-1 sr-1: below the truth by the factor 1 - exp(-x)."""
    wavelength = jnp.asarray(wavelength)
    return jnp.exp(math.log(C1) - 5 * jnp.log(wavelength) - C2 / (wavelength * temperature))


def rayleigh_jeans(wavelength: ArrayLike, temperature: ArrayLike) -> Float[Array, "..."]:
    """Rayleigh's and Jeans' limit c1 T / (c2 lambda^4), W m-2 um-1 sr-1: above the truth by about x / 2 of it."""
    return C1 / C2 * jnp.asarray(temperature) / jnp.asarray(wavelength) ** 4


def radiance_per_frequency(frequency: ArrayLike, temperature: ArrayLike) -> Float[Array, "..."]:
    """Spectral radiance per frequency, W m-2 Hz-1 sr-1, from frequency (Hz) and temperature (K); 1 MJy/sr is 1e-20."""
    wavelength = LIGHT * 1e6 / jnp.asarray(frequency)
    return jnp.exp(log_radiance(wavelength, temperature) + 2 * jnp.log(wavelength) - math.log(LIGHT * 1e6))


def radiance_per_wavenumber(wavenumber: ArrayLike, temperature: ArrayLike) -> Float[Array, "..."]:
    """Spectral radiance per wavenumber, W m-2 (cm-1)-1 sr-1, from wavenumber (cm-1) and temperature (K)."""
    wavelength = 1e4 / jnp.asarray(wavenumber)
    return jnp.exp(log_radiance(wavelength, temperature) + 2 * jnp.log(wavelength) - math.log(1e4))


def exitance(temperature: ArrayLike) -> Float[Array, "..."]:
    """Everything that a black body emits, sigma T^4, W m-2."""
    return STEFAN_BOLTZMANN * jnp.asarray(kelvin(temperature)) ** 4
