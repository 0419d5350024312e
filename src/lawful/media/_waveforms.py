"""Records in time of what a pulse makes of a medium."""

from __future__ import annotations

import abc
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from .._core.messages import BadInput, listing, nearest, shown
from .._core.numbers import is_positive, real_array
from ._clock import Clock
from ._named import called, checked_names
from ._survey import Known, Screen, Survey

ALIASED = 0.05
"""The share of a pulse's strongest frequency that may be left at the Nyquist frequency."""
FAINT, FAINTEST = 1e-5, 1e-9
"""Frequencies at which the pulse is weaker than this share of its strongest, times the share of noise in the record,
are not computed: damping in time magnifies what is left out, at the end of a record by about a hundred."""
TRUSTED = 0.03
"""What screens take for equal, as a share of the strongest frequency: models of few frequencies need not fit better."""
ITEMS = 40  # frequencies of a screen
FEW = 8  # frequencies in a band whose mean power tells something


class Source(eqx.Module):
    """The contract: what sets a medium in motion, and what it then does, in Laplace's variable."""

    names: eqx.AbstractClassVar[tuple[str, ...]]
    """Of the motions that `spectra` knows, besides s."""

    @abc.abstractmethod
    def spectra(self, medium: Any, s: Complex[Array, " freqs"], known: Known) -> dict[str, Complex[Array, " freqs"]]:
        """The motions for a pulse whose transform is 1, by name."""

    @abc.abstractmethod
    def check(self, medium: Any, known: Known) -> None:
        """Refuse a medium that this source cannot be used on."""

    @abc.abstractmethod
    def crossing(self, medium: Any) -> Float[np.ndarray, " layers"]:
        """The time in which each layer is crossed, s."""

    passages: eqx.AbstractClassVar[int]
    """How many times all layers are crossed before the first motion can be seen: 1 through them, 2 by echoes."""


def motions(
    source: Source,
    channels: Iterable[str],
    observe: Mapping[str, Callable],
    medium: Any,
    s: Complex[Array, " freqs"],
    known: Known,
) -> dict[str, Complex[Array, " freqs"]]:
    """The transform of what every channel records, for a pulse whose transform is 1."""
    found = {"s": s, **source.spectra(medium, s, known)}
    everything = {**known, **found}
    return {
        name: called(observe[name], everything, f"channel '{name}'") if name in observe else found[name]
        for name in channels
    }


def records(
    source: Source,
    medium: Any,
    pulse: Float[Array | np.ndarray, " count"],
    interval: float,
    *,
    observe: Mapping[str, Callable] | None = None,
    known: Known | None = None,
    clock: Clock | None = None,
) -> dict[str, Float[Array, " count"]]:
    """What the sensors record, without noise.

    source     `Tap(...)` or another `Source`.
    medium     what it is set on.
    pulse      samples of the traction that acts, Pa, or of the incoming wave.
    interval   between samples, s.
    observe    channels as functions of named motions: {"acceleration": lambda s, far: s * far}; all motions by default.
    known      values of further names that `observe` and the source's ends use.
    clock      how it is computed; `Clock(interval, len(pulse))` by default.

    Compute in double precision: `with jax.enable_x64(True)`.
    """
    clock = Clock(interval, len(pulse)) if clock is None else clock
    channels = source.names if observe is None else tuple(observe)
    found = motions(source, channels, observe or {}, medium, jnp.asarray(clock.s), known or {})
    strength = clock.spectrum(jnp.asarray(pulse))
    return {channel: clock.record(strength * values) for channel, values in found.items()}


class Waveforms(Survey):
    """Records of a pulse that went through a medium, or came back from it.

    source     how the medium was set in motion: `Tap(...)`, `PlaneWave(...)`.
    pulse      samples of what acted, as many as of the records: the traction on the face in Pa, or the incoming wave.
    interval   between samples, s.
    records    channels by name: samples from the beginning of the pulse on, all of one length.
    noise      standard deviation of the samples: one number, or one per channel; by default estimated from the fit.
    observe    what a channel records, where it is not the motion of that name: a function of the source's motions, of
               `s` and of unknowns: {"acceleration": lambda s, far, gain: gain * s * far}.

    Raises `BadInput` for records that are not finite, differ in length, are shorter than a travel time, or are sampled
    too coarsely.
    """

    source: Source
    observed: dict[str, np.ndarray]
    noise: dict[str, float | None]
    observe: dict[str, Callable]
    pulse: np.ndarray
    clock: Clock
    band: int = eqx.field(static=True)
    """How many of the clock's frequencies the pulse holds."""

    def __init__(
        self,
        source: Source,
        pulse: Float[np.ndarray, " count"],
        interval: float,
        records: Mapping[str, Float[np.ndarray, " count"]],
        noise: float | Mapping[str, float | None] | None = None,
        observe: Mapping[str, Callable] | None = None,
    ):
        self.source = source
        self.pulse = finite_samples("the pulse", pulse)
        self.clock = Clock(interval, len(self.pulse))
        if not isinstance(records, Mapping) or not records:
            raise BadInput(
                f"records must be a mapping from channels, such as {{'far': samples}}; got {shown(records)}."
            )
        # Sorted, as compiled code sees every mapping.
        self.observed = {name: finite_samples(f"record '{name}'", samples) for name, samples in sorted(records.items())}
        for name, samples in self.observed.items():
            if len(samples) != len(self.pulse):
                raise BadInput(
                    f"record '{name}' has {len(samples)} samples, the pulse {len(self.pulse)}; give both on the same"
                    " times (fill the pulse up with zeros)."
                )
        self.noise = {name: level(name, noise) for name in self.observed}
        own = dict(observe or {})
        strangers = [name for name in own if name not in self.observed]
        if strangers:
            raise BadInput(
                f"observe names '{strangers[0]}', but there is no such record{nearest(strangers[0], self.observed)}"
            )
        for name in self.observed:
            if name not in own and name not in source.names:
                raise BadInput(
                    f"record '{name}' is none of the motions {listing(source.names)}{nearest(name, source.names)}"
                    f" Rename it,"
                    f" or say what it records: observe={{'{name}': lambda s, {source.names[-1]}: s *"
                    f" {source.names[-1]}}}."
                )
        self.observe = own
        self._check_sampling()
        strength = np.abs(np.asarray(np.fft.rfft(self.damped(self.pulse), self.clock.pad * self.clock.count)))
        self.band = int(np.flatnonzero(strength > self.faint() * strength.max())[-1]) + 1

    def faint(self) -> float:
        """Below which share of the pulse's strength a frequency cannot be told from noise: a power of ten, so that
        records of like noise are computed by the same compiled code."""
        share = min(sd / float(np.std(self.observed[name]) or 1.0) for name, sd in self.quiet().items())
        return max(FAINTEST, FAINT * 10.0 ** min(math.floor(math.log10(share)), 0))

    def _check_sampling(self) -> None:
        strength = np.abs(np.fft.rfft(self.pulse))
        if not np.any(strength > 0):
            raise BadInput("the pulse is zero throughout; give the samples of what acted.")
        left = strength[-1] / strength.max()
        if left > ALIASED:
            raise BadInput(
                f"the pulse still has {100 * left:.0f} % of its strength at the Nyquist frequency"
                f" {self.clock.nyquist:g} Hz; sample it (and the records) faster than every {self.clock.interval:g} s."
            )

    def damped(self, samples: np.ndarray) -> np.ndarray:
        return samples * np.exp(-self.clock.sigma * self.clock.times)

    def predict(self, medium, known):
        clock, rest = self.clock, self.clock.pad * self.clock.count // 2 + 1 - self.band
        strength = clock.spectrum(jnp.asarray(self.pulse))[: self.band]
        s = jnp.asarray(clock.s[: self.band])
        found = motions(self.source, self.observed, self.observe, medium, s, known)
        return {name: clock.record(jnp.pad(strength * values, (0, rest))) for name, values in found.items()}

    def check(self, medium, known):
        self.source.check(medium, known)
        available = {**known, **dict.fromkeys(("s", *self.source.names))}
        for channel, function in self.observe.items():
            checked_names(function, available, f"channel '{channel}'")
        check_times(self.source, medium, self.clock)

    def quiet(self):
        return {
            name: ambient(self.observed[name]) if given is None else float(given) for name, given in self.noise.items()
        }

    def places(self):
        return "time in s", self.clock.times

    def screens(self, medium, noise):
        """Damped spectra: early arrivals of long waves first, later and shorter ones after.

        Few and long waves have few minima; damping in time lets the fit see first what arrived first. Source: C. Shin
        and Y. H. Cha, Geophys. J. Int. 177, 1067 (2009), waveform inversion in the Laplace-Fourier domain.
        """
        span = self.travelled(medium)
        count = len(medium)
        return [
            self.screen(noise, 4 / span, 0.5 * count / span),
            self.screen(noise, 2 / span, count / span),
            self.screen(noise, 2 / span, 2.5 * count / span),
        ]

    def travelled(self, medium) -> float:
        """The time in which all layers are crossed, from the record where something arrives late enough to tell."""
        guessed = float(np.sum(self.source.crossing(medium)))
        began = onset(self.pulse)
        late = max(onset(samples) - began for samples in self.observed.values()) * self.clock.interval
        late /= self.source.passages
        return late if 0.3 * guessed < late < 4 * guessed else guessed

    def screen(self, noise: Mapping[str, float], sigma: float, highest: float) -> DampedSpectra:
        """Transforms of the records at sigma + 2 pi i f for f from 0 to `highest`."""
        t, interval = self.clock.times, self.clock.interval
        s = sigma + 2j * np.pi * np.linspace(0, min(highest, self.clock.nyquist), ITEMS)
        kernel = interval * np.exp(-s[:, None] * t)
        found = {name: kernel @ samples for name, samples in self.observed.items()}
        weights = {}
        for name, values in found.items():
            rounding = noise[name] * interval * math.sqrt(float(np.sum(np.exp(-2 * sigma * t))))
            weights[name] = np.full(ITEMS, 1 / math.hypot(rounding, TRUSTED * float(np.abs(values).max())))
        return DampedSpectra(self.source, self.observe, s, kernel @ self.pulse, found, weights)


class DampedSpectra(Screen):
    """Transforms of all channels at a few complex frequencies."""

    source: Source
    observe: dict[str, Callable]
    s: Complex[np.ndarray, " items"]
    pulse: Complex[np.ndarray, " items"]
    observed: dict[str, Complex[np.ndarray, " items"]]
    weights: dict[str, Float[np.ndarray, " items"]]

    @property
    def items(self):
        return self.s, self.pulse, self.observed, self.weights

    def rows(self, medium, known, item):
        s, pulse, observed, weights = item
        found = motions(self.source, observed, self.observe, medium, s[None], known)
        misses = [(found[name][0] * pulse - observed[name]) * weights[name] for name in observed]
        return jnp.stack([part for miss in misses for part in (miss.real, miss.imag)])


def onset(samples: Float[np.ndarray, " count"]) -> int:
    """The first sample above a tenth of the largest."""
    return int(np.argmax(np.abs(samples) > 0.1 * np.abs(samples).max()))


def check_times(source: Source, medium: Any, clock: Clock) -> None:
    """Refuse records that end before anything arrives, and samples too far apart to tell a layer's echoes."""
    crossing = np.asarray(source.crossing(medium), dtype=float)
    first = source.passages * float(np.sum(crossing))
    if clock.duration < first:
        way = ("through", "to the last interface and back")[source.passages - 1]
        raise BadInput(
            f"the record lasts {clock.duration:.4g} s, but a wave needs {first:.4g} s {way}; record for at least"
            f" {2 * first:.2g} s, or correct the thickness or the modulus."
        )
    fastest = int(np.argmin(crossing))
    if crossing[fastest] < clock.interval:
        raise BadInput(
            f"layer {fastest + 1} is crossed in {crossing[fastest]:.4g} s, less than the sampling interval"
            f" {clock.interval:.4g} s, so that its echoes are above the Nyquist frequency; sample every"
            f" {crossing[fastest] / 2:.2g} s or faster, or merge the layer with a neighbour."
        )


def finite_samples(what: str, samples: object) -> Float[np.ndarray, " count"]:
    try:
        column = real_array(samples)
    except TypeError as error:
        raise BadInput(f"{what} holds {error}; give the samples as numbers.") from None
    if column.ndim != 1 or len(column) < 2:
        raise BadInput(f"{what} has shape {column.shape}; give one number per sample.")
    bad = np.flatnonzero(~np.isfinite(column))
    if bad.size:
        raise BadInput(
            f"{what} is {column[bad[0]]} at sample {bad[0]}"
            f"{f' and at {bad.size - 1} more' if bad.size > 1 else ''}; cut or mend the record there."
        )
    return column


def level(name: str, noise: object) -> float | None:
    """The given noise of one channel."""
    value = noise.get(name) if isinstance(noise, Mapping) else noise
    if value is None:
        return None
    if not is_positive(value):
        raise BadInput(f"the noise of '{name}' is {shown(value)}; it must be positive and finite, or left out.")
    return float(value)


def ambient(samples: Float[np.ndarray, " count"]) -> float:
    """A guess at white noise from the quietest quarter of a record's spectrum; at least 1e-4 of its size.

    The record is faded in and out before, by Hann's window: where it goes on when it ends, the step from its end to its
    beginning would fill the whole spectrum, and be taken for noise.
    """
    count = len(samples)
    window = np.sin(np.pi * (np.arange(count) + 0.5) / count) ** 2
    power = np.abs(np.fft.rfft(window * samples)) ** 2 / np.sum(window**2)
    bands = np.array_split(power, 4 if len(power) >= 4 * FEW else 1)
    # The least of four means of noise lies 1.03 of their standard deviations below their expectation. The window makes
    # neighbours alike: as if there were 18/35 as many.
    low = 1 - 1.03 / math.sqrt(len(bands[0]) * 18 / 35) if len(bands) > 1 else 1.0
    quietest = min(float(np.mean(band)) for band in bands) / low
    return max(math.sqrt(quietest), 1e-4 * float(np.std(samples)), 1e-300)
