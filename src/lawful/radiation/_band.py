"""What a black body emits in a band of wavelengths."""

from __future__ import annotations

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from ._planck import C2, exitance

TURN = 2.0  # x from which the series of exponentials is used, and below which that of powers
EXPONENTIALS = 22  # exp(-22 * 2) is below the rounding
POWERS = 36  # x / (2 pi) to that power too


@jax.jit  # traced once, however often a law calls it
def fraction_below(wavelength: ArrayLike, temperature: ArrayLike) -> Float[Array, "..."]:
    """The fraction of sigma T^4 that a black body (K) emits below a wavelength (um), from 0 to 1.

        F = 15 / pi^4  integral_x^inf  t^3 / (e^t - 1) dt,    x = c2 / (lambda T)

    By a series of exponentials for short waves and one of powers for long ones, each to rounding where it is used.
    Source: S. L. Chang and K. T. Rhee, Int. Comm. Heat Mass Transfer 11, 451 (1984).
    """
    x = C2 / (jnp.asarray(wavelength) * temperature)
    short = jnp.maximum(x, TURN)
    long = jnp.minimum(x, TURN)
    return jnp.where(x >= TURN, above(short), 1 - below(long))


def above(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """The share of the integral above x, by 1 / (e^t - 1) = sum_n exp(-n t)."""
    n, x = np.arange(1, EXPONENTIALS + 1), x[..., None]
    return 15 / math.pi**4 * jnp.sum(jnp.exp(-n * x) * (x**3 / n + 3 * x**2 / n**2 + 6 * x / n**3 + 6 / n**4), axis=-1)


def below(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """The share of the integral below x, by t / (e^t - 1) = sum_k B_k t^k / k!."""
    powers, weights = (np.array(each) for each in power_series())
    return 15 / math.pi**4 * jnp.sum(weights.astype(x.dtype) * x[..., None] ** (powers + 3), axis=-1)


@functools.cache
def power_series() -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Powers k with a Bernoulli number that is not zero, and B_k / (k! (k + 3))."""
    from scipy.special import bernoulli

    numbers = bernoulli(POWERS)
    kept = tuple(k for k in range(POWERS + 1) if numbers[k])
    return kept, tuple(float(numbers[k] / (math.factorial(k) * (k + 3))) for k in kept)


@jax.jit
def band_exitance(low: ArrayLike, high: ArrayLike, temperature: ArrayLike) -> Float[Array, "..."]:
    """What a black body (K) emits between two wavelengths (um) into the half space, W m-2; `high` may be infinite.

    A body whose emissivity differs from band to band emits sum_b eps_b band_exitance(low_b, high_b, T): Planck's law
    inside a heat balance.
    """
    upper = jnp.where(jnp.isinf(high), 1.0, fraction_below(jnp.where(jnp.isinf(high), 1.0, high), temperature))
    lower = jnp.where(jnp.asarray(low) > 0, fraction_below(jnp.where(jnp.asarray(low) > 0, low, 1.0), temperature), 0.0)
    return exitance(temperature) * (upper - lower)


def total_emissivity(
    wavelength: Float[np.ndarray, " n"], emissivity: Float[Array, " n"], temperature: ArrayLike
) -> Float[Array, ""]:
    """The emissivity of a heat balance at T: the spectral one averaged over what a black body emits there.

    Between neighbouring wavelengths (um, ascending) the mean of both values holds; beyond the ends the value there.
    """
    edges = fraction_below(jnp.asarray(wavelength), temperature)
    middle = jnp.sum(0.5 * (emissivity[1:] + emissivity[:-1]) * jnp.diff(edges))
    return emissivity[0] * edges[0] + middle + emissivity[-1] * (1 - edges[-1])
