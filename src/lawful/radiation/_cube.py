"""Temperatures of an image: the same elimination for every pixel."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput
from .._core.numbers import real_array
from ._elimination import Eliminated, eliminated
from ._emissivity import Emissivity
from ._planck import C2, brightness_temperature_of_log, log_radiance
from ._spectrum import checked_wavelengths

STEPS = 8  # Gauss-Newton steps in 1/T, in which Wien's law is linear: two are enough there
AT_ONCE = 2**16  # pixels
SETTLED = 1e-3  # relative last step above which a pixel has not converged


class TemperatureMap(NamedTuple):
    """temperature   K, of the shape of the image; NaN where the pixel is missing or did not converge.
    sd            of noise and emissivity together.
    chi2          misfit of each pixel, to be compared with bands - 1 - free numbers of the emissivity.
    """

    temperature: Float[np.ndarray, "..."]
    sd: Float[np.ndarray, "..."]
    chi2: Float[np.ndarray, "..."]


def temperature_map(
    wavelength: object, cube: object, emissivity: Emissivity, noise: float, *, single: bool = True
) -> TemperatureMap:
    """Temperatures of all pixels of an image cube, (..., bands) of radiance in W m-2 um-1 sr-1.

    Each pixel has an emissivity of its own with the same stated knowledge (see `Emissivity`); `noise` is relative. All
    of it but the temperature is eliminated by one matrix for all pixels. A missing pixel holds NaN in every band.
    single   compute in single precision, good to some millikelvin in half the time.

    Raises `BadInput` for radiance that is not positive, and for pixels of which some bands are missing.
    """
    places = checked_wavelengths(wavelength)
    values = real_array(cube)
    if values.ndim < 1 or values.shape[-1] != len(places):
        raise BadInput(f"the last axis of the cube must hold the {len(places)} bands, but its shape is {values.shape}.")
    missing = np.all(np.isnan(values), axis=-1)
    spoilt = ~missing & ~np.all(np.isfinite(values) & (values > 0), axis=-1)
    if spoilt.any():
        where = tuple(int(i) for i in np.argwhere(spoilt)[0])
        raise BadInput(
            f"{int(spoilt.sum())} pixels hold radiance that is not positive or partly missing, the first at {where};"
            " set all bands of such pixels to NaN to leave them out."
        )
    if not (np.isfinite(noise) and noise > 0):
        raise BadInput(f"noise={noise} must be a relative standard deviation such as 0.01.")
    model = eliminated(places, emissivity.at(places), noise)
    if len(model.whiten) < 2:
        raise BadInput(
            f"{len(places)} bands with the emissivity {emissivity.name} leave nothing that tells temperatures; state"
            " more about the emissivity or measure more bands."
        )
    with jax.enable_x64(not single):
        kind = jnp.float32 if single else jnp.float64
        model = jax.tree.map(lambda part: jnp.asarray(part, kind), model)
        flat = np.where(missing[..., None], 1.0, values).reshape(-1, len(places))
        parts = [pixels(model, jnp.asarray(part, kind)) for part in chunks(flat)]
    found = [np.concatenate([np.asarray(part[i]) for part in parts])[: len(flat)] for i in range(4)]
    temperature, sd, chi2, last = (each.reshape(values.shape[:-1]) for each in found)
    lost = missing | ~(last < SETTLED)
    return TemperatureMap(*(np.where(lost, np.nan, each) for each in (temperature, sd, chi2)))


def chunks(flat: Float[np.ndarray, "pixels bands"]) -> list[Float[np.ndarray, "some bands"]]:
    """Parts of equal size, so that one program serves them; the last is filled up."""
    size = min(AT_ONCE, len(flat))
    rest = -len(flat) % size if size else 0
    whole = np.concatenate([flat, np.repeat(flat[-1:], rest, axis=0)]) if rest else flat
    return np.split(whole, len(whole) // size) if size else []


@jax.jit
def pixels(model: Eliminated, radiance: Float[Array, "pixels bands"]) -> tuple[Array, Array, Array, Array]:
    """Temperature, sd, misfit and size of the last step of each pixel."""
    log_l = jnp.log(radiance)
    guess = log_l - jnp.minimum(model.mean, 0.0)
    inverse = 1 / jnp.max(brightness_temperature_of_log(model.wavelength, guess), axis=1)

    def parts(inverse: Float[Array, " pixels"]) -> tuple[Array, Array]:
        """Whitened residuals and their slope with 1/T."""
        x = C2 / model.wavelength * inverse[:, None]
        expected = log_radiance(model.wavelength, 1 / inverse[:, None])
        slope = -C2 / model.wavelength / -jnp.expm1(-x)  # d ln B / d(1/T)
        return (log_l - model.mean - expected) @ model.whiten.T, jnp.asarray(slope) @ model.whiten.T

    def step(carry, _):
        inverse, _ = carry
        residual, slope = parts(inverse)
        change = jnp.sum(residual * slope, axis=1) / jnp.sum(slope**2, axis=1)
        new = jnp.clip(inverse + change, 0.5 * inverse, 2 * inverse)
        return (new, jnp.abs(new / inverse - 1)), None

    (inverse, last), _ = jax.lax.scan(step, (inverse, jnp.ones_like(inverse)), length=STEPS)
    residual, slope = parts(inverse)
    sd = 1 / jnp.sqrt(jnp.sum(slope**2, axis=1)) / inverse**2
    return 1 / inverse, sd, jnp.sum(residual**2, axis=1), last
