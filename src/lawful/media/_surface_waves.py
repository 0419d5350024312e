"""Dispersion curves as measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput, shown
from ._guided import Guided, Rayleigh, check_guided, halvings_for, lossless, speed_at
from ._plane import checked_strata
from ._survey import Screen, Survey
from ._waveforms import finite_samples, level

ALIKE = 0.03
"""What a screen takes for equal, relative."""


@dataclass(frozen=True)
class Curve:
    """A measured dispersion curve: phase speeds (m/s) of one mode at frequencies (Hz)."""

    frequency: Float[np.ndarray, " f"]
    speed: Float[np.ndarray, " f"]
    waves: Guided = field(default_factory=Rayleigh)
    mode: int = 0

    @property
    def name(self) -> str:
        return f"{self.waves} {self.mode}"


class SurfaceWaves(Survey):
    """Phase speeds of Rayleigh and Love modes, all at the same frequencies.

    curves   `Curve(frequency, speed, waves, mode)`, one or several.
    noise    standard deviation of the speeds, m/s: one number for all; by default estimated from the fit.

    Where a mode does not exist in a trial medium its speed is that of shear waves in the half-space, at which it
    begins.
    """

    observed: dict[str, np.ndarray]
    noise: dict[str, float | None]
    frequency: Float[np.ndarray, " f"]
    waves: tuple[Guided, ...]
    modes: tuple[int, ...] = eqx.field(static=True)
    names: tuple[str, ...] = eqx.field(static=True)

    def __init__(self, curves: Curve | Sequence[Curve], noise: float | None = None):
        given = sorted((curves,) if isinstance(curves, Curve) else curves, key=lambda curve: curve.name)
        if not given or not all(isinstance(curve, Curve) for curve in given):
            raise BadInput(f"SurfaceWaves needs curves, such as Curve(frequency, speed); got {shown(curves)}.")
        self.frequency = finite_samples("the frequencies", given[0].frequency)
        self.names = tuple(curve.name for curve in given)
        if len(set(self.names)) < len(self.names):
            raise BadInput(f"two curves are of the same mode ({', '.join(self.names)}); give each mode once.")
        self.observed = {curve.name: finite_samples(f"curve '{curve.name}'", curve.speed) for curve in given}
        for curve in given:
            if not np.array_equal(curve.frequency, given[0].frequency) or len(curve.speed) != len(self.frequency):
                raise BadInput(
                    "all curves must be given at the same frequencies; interpolate them, or invert two surveys."
                )
        self.noise = dict.fromkeys(self.names, level(self.names[0], noise))
        self.waves = tuple(curve.waves for curve in given)
        self.modes = tuple(curve.mode for curve in given)

    def predict(self, medium, known):
        bare = lossless(medium)
        return {
            name: jax.vmap(lambda f, w=waves, m=mode: speed_at(w, bare, 2 * jnp.pi * f, m))(jnp.asarray(self.frequency))
            for name, waves, mode in zip(self.names, self.waves, self.modes, strict=True)
        }

    def check(self, medium, known):
        checked_strata("SurfaceWaves", medium)
        for waves, mode in zip(self.waves, self.modes, strict=True):
            check_guided(medium, self.frequency, mode)
            needed = halvings_for(medium, self.frequency)
            if isinstance(waves, Rayleigh) and waves.halvings < needed:
                raise BadInput(
                    f"layers are up to {2**needed} half shear waves thick at the highest frequency; count modes with"
                    f" Rayleigh(halvings={needed + 1})."
                )

    def screens(self, medium, noise):
        return [Speeds(self, {name: 1 / np.hypot(noise[name], ALIKE * v) for name, v in self.observed.items()})]

    def quiet(self):
        """What is left of a curve beside its own smooth course, where noise is not given."""
        found = {}
        for name, speed in self.observed.items():
            rough = np.abs(np.diff(speed, 2)) if len(speed) > 4 else np.abs(speed) * 0.01
            own = float(np.median(rough)) / (np.sqrt(6) * 0.6745)
            found[name] = self.noise[name] or max(own, 1e-4 * float(np.mean(speed)))
        return found

    def places(self):
        return "frequency in Hz", self.frequency


class Speeds(Screen):
    """One frequency after the other."""

    survey: SurfaceWaves
    weights: dict[str, Float[np.ndarray, " f"]]

    @property
    def items(self):
        return self.survey.frequency, self.survey.observed, self.weights

    def rows(self, medium: Any, known: Any, item: Any) -> Float[Array, " rows"]:
        frequency, observed, weights = item
        bare, survey = lossless(medium), self.survey
        return jnp.stack(
            [
                (speed_at(waves, bare, 2 * jnp.pi * frequency, mode) - observed[name]) * weights[name]
                for name, waves, mode in zip(survey.names, survey.waves, survey.modes, strict=True)
            ]
        )
