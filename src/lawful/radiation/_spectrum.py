"""Measured spectra of radiance, looked at before anything is fitted."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import equinox as eqx
import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput, shown
from .._core.numbers import real_array

SHORTEST, LONGEST = 0.1, 1000.0  # um: ultraviolet to millimetre waves


class Spectrum(eqx.Module):
    """Spectral radiance (W m-2 um-1 sr-1) at rising wavelengths (um).

    noise   relative standard deviation of the radiance; None: it is estimated from the fit.
    scale_known   False where the radiance has no absolute unit: then only its shape is used.

    Raises `BadInput` for a radiance that is not positive, NaN, wavelengths that do not rise or look like metres or
    nanometres.
    """

    wavelength: Float[np.ndarray, " n"]
    radiance: Float[np.ndarray, " n"]
    noise: float | None
    scale_known: bool = eqx.field(static=True)

    def __init__(self, wavelength: object, radiance: object, noise: float | None = None, *, scale_known: bool = True):
        self.wavelength = checked_wavelengths(wavelength)
        self.radiance = checked_radiance(radiance, self.wavelength)
        if noise is not None and not (np.isfinite(noise) and noise > 0):
            raise BadInput(f"noise={shown(noise)} must be a relative standard deviation such as 0.01, or None.")
        self.noise = None if noise is None else float(noise)
        self.scale_known = scale_known

    @classmethod
    def read(cls, path: str | os.PathLike, noise: float | None = None, *, scale_known: bool = True) -> Spectrum:
        """From a file of comma-separated columns with one line of head: wavelength (um), radiance."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # a file without rows is only warned of
                table = np.loadtxt(Path(path), delimiter=",", skiprows=1)
        except (OSError, ValueError, UserWarning) as error:
            raise BadInput(f"{path} could not be read as two columns with commas: {error}") from None
        if table.ndim != 2 or table.shape[1] < 2:
            raise BadInput(f"{path} needs two columns, wavelength in um and radiance.")
        return cls(table[:, 0], table[:, 1], noise, scale_known=scale_known)

    def between(self, low: float, high: float) -> Spectrum:
        """The part within a band (um)."""
        inside = (self.wavelength >= low) & (self.wavelength <= high)
        return Spectrum(self.wavelength[inside], self.radiance[inside], self.noise, scale_known=self.scale_known)


def checked_wavelengths(given: object) -> Float[np.ndarray, " n"]:
    places = column("wavelength", given)
    if len(places) < 2:
        raise BadInput(f"a spectrum needs at least two wavelengths, but got {len(places)}.")
    low, high = float(places.min()), float(places.max())
    if low <= 0:
        raise BadInput(f"wavelengths are positive lengths in um, but the smallest is {low:g}.")
    if high < 5e-3:
        raise BadInput(f"wavelengths of {low:g} to {high:g} look like metres; give micrometres: multiply by 1e6.")
    if low >= 200 and high / low < 60:
        raise BadInput(f"wavelengths of {low:g} to {high:g} look like nanometres; give micrometres: divide by 1000.")
    if low < SHORTEST or high > LONGEST:
        raise BadInput(
            f"wavelengths of {low:g} to {high:g} um leave the range {SHORTEST:g} to {LONGEST:g} um of heat radiation;"
            " give micrometres."
        )
    steps = np.diff(places)
    if np.any(steps == 0):
        raise BadInput(f"the wavelength {places[:-1][steps == 0][0]:g} um occurs twice; average the duplicates.")
    if np.any(steps < 0):
        raise BadInput("wavelengths must rise; sort the rows by wavelength.")
    return places


def checked_radiance(given: object, places: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    values = column("radiance", given)
    if len(values) != len(places):
        raise BadInput(f"radiance has {len(values)} values for {len(places)} wavelengths; give one for each.")
    if np.any(values <= 0):
        row = int(np.argmin(values))
        raise BadInput(
            f"radiance is {values[row]:g} at {places[row]:g} um, but nothing emits less than nothing; remove the dark"
            " signal properly or leave out the bands without signal."
        )
    return values


def column(name: str, given: object) -> Float[np.ndarray, " n"]:
    try:
        values = real_array(given)
    except TypeError as error:
        raise BadInput(f"{name} must be a column of numbers, but holds {error}.") from None
    if values.ndim != 1:
        raise BadInput(f"{name} must be one column, but has shape {values.shape}.")
    if not np.all(np.isfinite(values)):
        raise BadInput(f"{name} is not finite in row {int(np.argmin(np.isfinite(values)))}; remove such rows.")
    return values
