"""What is known about an emissivity before the spectrum is seen: a Gaussian for its logarithm.

    ln eps(lambda) = mean(lambda) + free(lambda) a + prior(lambda) b,    a any numbers,  b standard normal

With measured radiance ln L = ln eps + ln B(lambda, T) + noise, everything but the temperature is then linear, and is
eliminated exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput
from .._core.numbers import real_array


class Known(NamedTuple):
    """What is known of ln eps at the wavelengths of one spectrum."""

    mean: Float[np.ndarray, " n"]
    free: Float[np.ndarray, "n k"]
    prior: Float[np.ndarray, "n k"]


class Emissivity(eqx.Module):
    """A Gaussian for ln eps; `at(wavelength)` gives its parts at wavelengths in um.

    name    what reports call it.
    mean    ln eps expected, as a function of wavelength.
    free    functions (n, k) that may be added in any amount.
    prior   functions (n, k) that may be added in amounts of about 1.
    """

    name: str = eqx.field(static=True)
    mean: Callable[[Float[np.ndarray, " n"]], Float[np.ndarray, " n"]]
    free: Callable[[Float[np.ndarray, " n"]], Float[np.ndarray, "n k"]]
    prior: Callable[[Float[np.ndarray, " n"]], Float[np.ndarray, "n k"]]

    def at(self, wavelength: Float[np.ndarray, " n"]) -> Known:
        """All parts at rising wavelengths, um."""
        return Known(self.mean(wavelength), self.free(wavelength), self.prior(wavelength))

    def scaled(self) -> Emissivity:
        """The same shape with a factor of its own: for radiance that is not calibrated."""
        free = self.free
        return Emissivity(
            f"{self.name}, scale free",
            self.mean,
            lambda w: np.concatenate([free(w), np.ones((len(w), 1))], axis=1),
            self.prior,
        )


def none(wavelength: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 0"]:
    return np.zeros((len(wavelength), 0))


def zero(wavelength: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    return np.zeros(len(wavelength))


def black() -> Emissivity:
    """An emissivity of one."""
    return Emissivity("black body", zero, none, none)


def measured(wavelength: object, emissivity: object, sd: float = 0.0) -> Emissivity:
    """An emissivity that was measured, interpolated in its logarithm over the table's wavelengths (um).

    sd   relative standard deviation of its scale as a whole.

    Raises `BadInput` for values outside (0, 1], and later for wavelengths outside the table.
    """
    places, values = real_array(wavelength), real_array(emissivity)
    if places.ndim != 1 or places.shape != values.shape or len(places) < 2:
        raise BadInput(
            f"a measured emissivity needs two columns of equal length, but got shapes {places.shape} and"
            f" {values.shape}."
        )
    if not (np.all(values > 0) and np.all(values <= 1)):
        raise BadInput(
            f"an emissivity lies between 0 and 1, but the table holds {values.min():g} to {values.max():g}; divide"
            " percentages by 100."
        )
    if not np.all(np.diff(places) > 0):
        raise BadInput("the wavelengths of a measured emissivity must rise; sort the table and remove duplicates.")

    def mean(w):
        outside = w[(w < places[0]) | (w > places[-1])]
        if len(outside):
            raise BadInput(
                f"the measured emissivity covers {places[0]:g} to {places[-1]:g} um, but the spectrum asks for"
                f" {outside[0]:g} um; cut the spectrum to the table."
            )
        return np.interp(w, places, np.log(values))

    return Emissivity("measured", mean, none, lambda w: np.full((len(w), 1), sd) if sd else none(w))


def polynomial(degree: int) -> Emissivity:
    """A polynomial of the wavelength for ln eps, about which nothing is known."""

    def free(w):
        middle, half = 0.5 * (w[0] + w[-1]), max(0.5 * (w[-1] - w[0]), 1e-300)
        return np.polynomial.chebyshev.chebvander((w - middle) / half, degree)

    names = {0: "grey", 1: "log-linear", 2: "log-quadratic", 3: "log-cubic"}
    return Emissivity(names.get(degree, f"log-polynomial of degree {degree}"), zero, free, none)


def metal(slope: float = -0.5, slope_sd: float = 0.25, bend_sd: float = 0.65) -> Emissivity:
    """A bare metal surface of unknown roughness and resistivity: eps proportional to lambda^slope, about.

        ln eps = a + (slope + b_1 slope_sd) l + b_2 bend_sd l^2,    l = ln(lambda / lambda_0)

    Free electrons give -1/2 for long waves (Hagen and Rubens) and 0 for short ones (relaxation), transitions between
    bands steepen the near infrared. Hot and alloyed metals are nearest to -1/2, because their electrons collide more
    often. The bend of the logarithm scatters by 0.65 between 21 measured metals at room temperature (2.4 to 4.8 um,
    refractiveindex.info). The level a is not known: roughness raises it. lambda_0 is the middle of the spectrum.

    Oxides and paints are no bare metals. Source: M. F. Modest, Radiative Heat Transfer (2013), 3.4.
    """
    if not (slope_sd >= 0 and bend_sd >= 0):
        raise BadInput(f"metal(slope_sd={slope_sd}, bend_sd={bend_sd}): standard deviations are 0 or positive.")

    def run(w):
        return np.log(w) - 0.5 * (np.log(w[0]) + np.log(w[-1]))

    return Emissivity(
        "bare metal",
        lambda w: slope * run(w),
        lambda w: np.ones((len(w), 1)),
        lambda w: np.stack([slope_sd * run(w), bend_sd * run(w) ** 2], axis=1),
    )


def smooth(mean: float = 0.5, sd: float = 0.7, length: float = 0.5) -> Emissivity:
    """An unknown smooth emissivity: ln eps a Gaussian process of the logarithm of the wavelength.

        cov(ln eps(lambda), ln eps(lambda')) = sd^2 exp(-(ln lambda - ln lambda')^2 / (2 length^2))

    mean   median of eps, sd  of ln eps, length  in e-folds of the wavelength: all three are statements of the user, and
    what the spectrum says about the temperature stands and falls with them.
    """
    if not (0 < mean <= 1 and sd > 0 and length > 0):
        raise BadInput(
            f"smooth(mean={mean}, sd={sd}, length={length}): the mean lies between 0 and 1, the others are positive."
        )

    def prior(w):
        run = np.log(w)
        covariance = sd**2 * np.exp(-0.5 * ((run[:, None] - run[None, :]) / length) ** 2)
        sizes, vectors = np.linalg.eigh(covariance)
        kept = sizes > 1e-12 * sizes[-1]
        return vectors[:, kept] * np.sqrt(sizes[kept])

    return Emissivity("smooth", lambda w: np.full(len(w), np.log(mean)), none, prior)


def library(wavelength: object, spectra: object) -> Emissivity:
    """An emissivity like those of a library: mean and covariance of ln eps over its spectra.

    wavelength (um) of shape (m,), spectra of shape (number, m), each between 0 and 1.
    """
    places, table = real_array(wavelength), np.atleast_2d(real_array(spectra))
    if table.shape[1] != len(places) or len(table) < 3:
        raise BadInput(
            f"a library needs at least 3 spectra of {len(places)} wavelengths each, but got shape {table.shape}."
        )
    if not (np.all(table > 0) and np.all(table <= 1)):
        raise BadInput("the emissivities of a library lie between 0 and 1; give fractions, not percentages.")
    logs = np.log(table)
    centre, deviations = logs.mean(axis=0), (logs - logs.mean(axis=0)) / np.sqrt(len(table) - 1)

    def prior(w):
        return np.stack([np.interp(w, places, row) for row in deviations], axis=1)

    return Emissivity("library", lambda w: np.interp(w, places, centre), none, prior)
