"""The hidden laminate of the studies on layers: what it is made of, and what its sensors record."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from .. import media
from .._core.precision import in_float64
from ..problem import Normal, Positive, Unknown

REFERENCE = 100e3  # Hz: the middle of the band, where the moduli hold
INTERVAL, COUNT = 1e-7, 1500  # s; 150 microseconds at 10 MHz
BLOW, STRENGTH = 10e-6, 1e6  # s, Pa: the tap
FOOT = media.HalfSpace(200e9, 7850.0)  # a long steel bar on which the laminate stands
MATERIALS = ("aluminium", "acrylic glass", "titanium")
TRUTH = {
    "thickness": np.array([0.030, 0.020, 0.025]),  # m
    "modulus": np.array([70e9, 5.5e9, 114e9]),  # Pa
    "density": np.array([2700.0, 1180.0, 4430.0]),  # kg/m3
    "loss": np.array([0.002, 0.02, 0.004]),
}


class Recording(NamedTuple):
    """What is handed to the inversion: the blow, and a noisy record of the far end."""

    survey: media.Waveforms
    clean: Float[np.ndarray, " count"]
    noise: float


def pulse(count: int = COUNT) -> Float[np.ndarray, " count"]:
    return STRENGTH * np.asarray(media.hammer(INTERVAL * np.arange(count), BLOW))


@in_float64
def clean_record(
    truth: dict[str, Float[np.ndarray, " layers"]], source: media.Tap, count: int = COUNT
) -> Float[np.ndarray, " count"]:
    """The velocity of the far end without noise, m/s."""
    stack = media.Stack(**truth, reference=REFERENCE)
    return np.asarray(media.records(source, stack, pulse(count), INTERVAL)["far"])


def noisy(clean: Float[np.ndarray, " count"], source: media.Tap, snr: float, seed: int) -> Recording:
    """The record with white noise, `snr` decibels below the record's rms. The noise is not told to the inversion."""
    noise = float(np.sqrt(np.mean(clean**2))) * 10 ** (-snr / 20)
    samples = clean + noise * np.random.default_rng(seed).normal(size=len(clean))
    return Recording(media.Waveforms(source, pulse(len(clean)), INTERVAL, {"far": samples}), clean, noise)


def with_density(thickness, modulus, loss):
    """The stack where the densities are known."""
    return media.Stack(thickness, modulus, TRUTH["density"], loss, reference=REFERENCE)


def with_nothing(thickness, modulus, density, loss):
    """The stack where nothing is known."""
    return media.Stack(thickness, modulus, density, loss, reference=REFERENCE)


def unknowns(count: int, density: bool) -> dict[str, Unknown]:
    """Guesses that say nothing about the materials: every layer alike, and losses as of most solids."""
    found: dict[str, Unknown] = {
        "thickness": Positive(np.full(count, 0.02)),
        "modulus": Positive(np.full(count, 30e9)),
        "loss": Positive(np.full(count, 0.01), prior=Normal(0.01, 0.01)),
    }
    if density:
        found["density"] = Positive(np.full(count, 2500.0))
    return found
