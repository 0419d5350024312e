"""Time records and complex frequencies: one grid of times, and the way to and fro."""

from __future__ import annotations

import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from .._core.messages import BadInput, shown
from .._core.numbers import is_positive


class Clock(eqx.Module):
    """`count` times, `interval` seconds apart from 0 on, and the frequencies at which records of them are computed.

    A discrete Fourier transform repeats itself, and echoes in a stack may not die out within a record. So records are
    computed on a line sigma + i omega in the plane of Laplace's variable, that is damped by exp(-sigma t) and undamped
    again, over `pad` times the record's length. What wraps around is smaller by `quiet`; rounding is larger by
    quiet^(-1/pad). The defaults leave errors of 1e-10 of the largest value.

    Source: E. Kausel and J. M. Roesset, J. Eng. Mech. 118, 721 (1992), the exponential window method.
    """

    interval: float = eqx.field(static=True)
    count: int = eqx.field(static=True)
    pad: int = eqx.field(static=True)
    quiet: float = eqx.field(static=True)

    def __init__(self, interval: float, count: int, *, pad: int = 2, quiet: float = 1e-10):
        checked = checked_interval(interval)
        if not (isinstance(count, int | np.integer) and count >= 2):
            raise BadInput(f"a record of {shown(count)} samples holds nothing; give at least 2.")
        if not (isinstance(pad, int) and pad >= 1 and 0 < quiet < 1):
            raise BadInput(f"Clock(pad={shown(pad)}, quiet={shown(quiet)}): pad is at least 1, quiet between 0 and 1.")
        self.interval, self.count, self.pad, self.quiet = checked, int(count), pad, float(quiet)

    @property
    def duration(self) -> float:
        return self.interval * self.count

    @property
    def times(self) -> Float[np.ndarray, " count"]:
        return self.interval * np.arange(self.count)

    @property
    def nyquist(self) -> float:
        """The highest frequency that the samples tell from lower ones, Hz."""
        return 0.5 / self.interval

    @property
    def sigma(self) -> float:
        """The real part of all s, 1/s."""
        return -math.log(self.quiet) / (self.pad * self.duration)

    @property
    def frequencies(self) -> Float[np.ndarray, " freqs"]:
        return np.fft.rfftfreq(self.pad * self.count, self.interval)

    @property
    def s(self) -> Complex[np.ndarray, " freqs"]:
        return self.sigma + 2j * np.pi * self.frequencies

    def spectrum(self, samples: Float[Array | np.ndarray, "*batch count"]) -> Complex[Array, "*batch freqs"]:
        """The Laplace transform of a record that is zero before it begins and after it ends."""
        return self.interval * jnp.fft.rfft(samples * np.exp(-self.sigma * self.times), self.pad * self.count)

    def record(self, spectrum: Complex[Array, "*batch freqs"]) -> Float[Array, "*batch count"]:
        """The samples of what has this transform."""
        samples = jnp.fft.irfft(spectrum, self.pad * self.count)[..., : self.count] / self.interval
        return samples * np.exp(self.sigma * self.times)


def checked_interval(interval: object) -> float:
    """Seconds between samples."""
    if not is_positive(interval):
        raise BadInput(f"the sampling interval is {shown(interval)}; it must be positive and finite, in seconds.")
    return float(interval)
