"""The modulus field of a section from records on its rim: full-waveform inversion, low frequencies first."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput, shown
from .._core.numbers import is_positive
from .._core.record import Status
from ..solve import Moment, Watcher, watcher
from ._section import Section, Shots
from ._shear_waves import shear_records

DOUBT = 6.0
"""Chi2 further from its expectation than so many of its standard deviations speaks against the picture."""


class Trial(NamedTuple):
    """The misfit after so many gradients and seconds, and the modulus then."""

    gradients: int
    seconds: float
    misfit: float
    modulus: Float[np.ndarray, "nx ny"]


@dataclass(frozen=True)
class Image:
    """What `image` found.

    section    modulus as found, with density and spacing as given.
    log_sd     standard deviation of the logarithm of the modulus at every node: noise and prior, to first order.
    misfit     chi2 per sample in the full band.
    trials     how it came about.
    status     whether the picture explains the records.
    """

    section: Section
    log_sd: Float[np.ndarray, "nx ny"]
    misfit: float
    trials: tuple[Trial, ...]
    status: Status
    seconds: float


def image(
    shots: Shots,
    records: Float[np.ndarray, "shots receivers count"],
    start: Section,
    *,
    noise: float,
    knots: int = 12,
    spread: float = 0.3,
    reach: float | None = None,
    bands: Sequence[float | None] = (None,),
    steps: int = 30,
    error_bars: bool = True,
    progress: bool | Watcher | None = None,
) -> Image:
    """The modulus field that explains the records.

    Minimises  sum ((predicted - recorded) / noise)^2 + |w|^2,  log modulus = log start + spread B w,  B bicubic splines
    through `knots` x `knots` places, by L-BFGS with the exact gradient of the finite-difference solver. Bands are gone
    through one after the other: pulse and records alike are smoothed to the lowest first, where a start may be further
    off before a fit locks on to the wrong cycle. Error bars are those of the linear problem at the answer.

    shots, records   what was done and heard, m/s.
    start            density, spacing and a first modulus, right to within half a period at the lowest band.
    noise            standard deviation of every sample, m/s.
    knots            along each axis: details finer than a knot's distance are not looked for.
    spread           prior standard deviation of the logarithm of the modulus about the start.
    reach            distance in m over which the field hangs together beforehand (Gaussian correlation); None: not.
    bands            highest frequencies, Hz, rising; None for all that there is, which must be the last.
    steps            of L-BFGS in each band, at most.
    error_bars       False leaves them out: they cost two runs of the solver for each knot.

    Raises `BadInput` for records of another shape or not finite, and what `shear_records` refuses.
    Source: C. Bunks et al., Geophysics 60, 1457 (1995), for the bands.
    """
    from scipy.optimize import minimize

    begun = time.monotonic()
    records = checked(shots, records, start, noise, spread, bands)
    basis = spread * spline_basis(start.shape, knots) @ hanging_together(start, knots, reach)
    ground = np.log(np.asarray(start.modulus))
    watch = watcher(progress)
    weights, trials, gradients = np.zeros(basis.shape[1]), [], 0
    arguments = (jnp.asarray(basis, jnp.float32), jnp.asarray(ground, jnp.float32))
    density = jnp.broadcast_to(jnp.asarray(start.density, jnp.float32), start.shape)
    try:
        for stage, band in enumerate(bands):
            heard, pulse = smoothed(records, shots.interval, band), smoothed(shots.pulse, shots.interval, band)
            there = Shots(shots.sources, shots.receivers, pulse, shots.interval)
            there.check(start)
            data = jnp.asarray(heard / noise, jnp.float32)
            of = functools.partial(value_and_slope, there, start.spacing, noise)

            def cost(w, of=of, data=data, stage=stage):
                nonlocal gradients
                value, slope = of(jnp.asarray(w, jnp.float32), *arguments, density, data)
                gradients += 1
                value, slope = float(value) + float(w @ w), np.asarray(slope, float) + 2 * w
                field = np.exp(ground + (basis @ w).reshape(start.shape))
                trials.append(Trial(gradients, time.monotonic() - begun, value / data.size, field))
                watch(Moment(stage, gradients, steps * len(bands), value / data.size, {}))
                return value, slope

            weights = minimize(
                cost, weights, jac=True, method="L-BFGS-B", options={"maxiter": steps, "ftol": 1e-7, "maxcor": 20}
            ).x
    finally:
        watch.close()
    section = Section(np.exp(ground + (basis @ weights).reshape(start.shape)), start.density, start.spacing)
    predict = jax.jit(lambda w: predicted(shots, start.spacing, noise, w, *arguments, density))
    at = jnp.asarray(weights, jnp.float32)
    misses = np.asarray(predict(at), float) - records / noise
    sd = deviation(predict, at, basis, start.shape) if error_bars else np.full(start.shape, np.nan)
    misfit = float(np.mean(misses**2))
    return Image(section, sd, misfit, tuple(trials), judged(misfit, records.size), time.monotonic() - begun)


def judged(misfit: float, count: int) -> Status:
    """Chi2 of many samples is known to within sqrt(2 / count)."""
    doubt = (misfit - 1) / math.sqrt(2 / count)
    if doubt > DOUBT:
        return Status(
            False,
            f"the picture does not explain the records: chi2 per sample is {misfit:.4g}; take more steps, knots or a"
            " lower first band, or correct the noise",
        )
    return Status(True, f"the records are explained to their noise: chi2 per sample is {misfit:.4g}")


def predicted(shots: Shots, spacing: float, noise: float, w, basis, ground, density):
    """All records in units of the noise."""
    modulus = jnp.exp(ground + (basis @ w).reshape(ground.shape))
    return shear_records(Section(modulus, density, spacing), shots) / noise


def value_and_slope(shots: Shots, spacing: float, noise: float, w, basis, ground, density, data):
    """Sum of squares of what is left, and its slope in w."""
    return jax.value_and_grad(
        lambda w: jnp.sum((predicted(shots, spacing, noise, w, basis, ground, density) - data) ** 2)
    )(w)


def deviation(
    predict: Callable[[Array], Array], at: Array, basis: Float[np.ndarray, "nodes knots"], shape: tuple[int, int]
) -> Float[np.ndarray, "nx ny"]:
    """The standard deviation of log modulus: B (J'J + 1)^-1 B', its diagonal."""
    slope = jax.jit(lambda direction: jax.jvp(predict, (at,), (direction,))[1])
    columns = [np.ravel(np.asarray(slope(row))) for row in jnp.eye(at.size, dtype=at.dtype)]
    matrix = np.array(columns, float)
    inverse = np.linalg.inv(matrix @ matrix.T + np.eye(at.size))
    return np.sqrt(np.einsum("nk,kl,nl->n", basis, inverse, basis)).reshape(shape)


def smoothed(samples: Float[np.ndarray, "*batch count"], interval: float, band: float | None) -> np.ndarray:
    """Samples without what is above a band: a bell of 1/8 left there, no shift in time."""
    if band is None:
        return samples
    count = samples.shape[-1]
    frequency = np.fft.rfftfreq(2 * count, interval)
    return np.fft.irfft(np.fft.rfft(samples, 2 * count) * 8.0 ** (-((frequency / band) ** 2)), 2 * count)[..., :count]


def spline_basis(shape: tuple[int, int], knots: int) -> Float[np.ndarray, "nodes weights"]:
    """Bicubic splines that are 1 at one knot and 0 at the others, at every node."""
    from scipy.interpolate import CubicSpline

    if not (isinstance(knots, int) and 4 <= knots <= min(shape)):
        raise BadInput(f"knots={shown(knots)}: give a whole number from 4 to {min(shape)}, the nodes along an axis.")
    along = [CubicSpline(np.linspace(0, 1, knots), np.eye(knots))(np.linspace(0, 1, n)) for n in shape]
    return np.kron(along[0], along[1])


def hanging_together(start: Section, knots: int, reach: float | None) -> Float[np.ndarray, "weights weights"]:
    """A root of the prior correlation of the values at the knots: exp(-(distance / reach)^2 / 2)."""
    if reach is None:
        return np.eye(knots * knots)
    if not is_positive(reach):
        raise BadInput(f"reach={shown(reach)}: give a distance in m, positive and finite, or None.")
    roots = []
    for n in start.shape:
        place = np.linspace(0, (n - 1) * start.spacing, knots)
        values, vectors = np.linalg.eigh(np.exp(-0.5 * ((place[:, None] - place) / reach) ** 2))
        roots.append(vectors * np.sqrt(np.maximum(values, 0.0)))
    return np.kron(*roots)


def checked(shots: Shots, records, start: Section, noise: float, spread: float, bands) -> Float[np.ndarray, "..."]:
    shots.check(start)
    records = np.asarray(records, dtype=float)
    wanted = (len(shots.sources), len(shots.receivers), shots.count)
    if records.shape != wanted:
        raise BadInput(f"the records have shape {records.shape}; these shots give {wanted}: shots, receivers, samples.")
    if not np.all(np.isfinite(records)):
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(records))[0])
        raise BadInput(f"the record at {place} (shot, receiver, sample) is {records[place]}; mend it or leave it out.")
    for name, value in (("noise", noise), ("spread", spread)):
        if not is_positive(value):
            raise BadInput(f"{name}={shown(value)}; it must be positive and finite.")
    if not bands or bands[-1] is not None or any(band is None for band in bands[:-1]):
        raise BadInput(f"bands={shown(bands)}: give rising frequencies in Hz and None, for all, as the last.")
    return records
