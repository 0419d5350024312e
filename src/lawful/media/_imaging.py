"""The modulus field of a section from records on its rim: full-waveform inversion, low frequencies first."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.compilation import compiled
from .._core.estimates import Estimate
from .._core.messages import BadInput, shown
from .._core.numbers import is_positive
from .._core.record import Status
from ..solve import Moment, Watcher, watcher
from ._rough import Rough
from ._section import Section, Shots
from ._shear_waves import shear_records

DOUBT = 6.0
"""Chi2 further from its expectation than so many of its standard deviations speaks against the picture."""
SETTLED = 1e-3  # relative change of the prior's scale
ROUNDS = 100
DENSE = 1.5
"""Samples of slopes over those that their highest frequency needs."""
Waves = Callable[[Section, Shots], Float[Array, "shots *receivers count"]]


class Trial(NamedTuple):
    """The misfit after so many gradients and seconds, and the modulus then."""

    gradients: int
    seconds: float
    misfit: float
    modulus: Float[np.ndarray, "nx ny"]


@dataclass(frozen=True)
class Image:
    """What `image` found.

    section      modulus as found, with density and spacing as given.
    prior        what was thought of its logarithm before, at the scale under which the records are most probable.
    covariance   of the weights of the prior's basis; None without error bars.
    resolved     how many numbers the records determine rather than the prior.
    misfit       chi2 per sample in the full band.
    trials       how it came about.
    status       whether the picture explains the records.
    """

    section: Section
    prior: Rough = field(repr=False)
    covariance: Float[np.ndarray, "weights weights"] | None = field(repr=False)
    resolved: float
    misfit: float
    trials: tuple[Trial, ...]
    status: Status
    seconds: float

    @functools.cached_property
    def log_sd(self) -> Float[np.ndarray, "nx ny"]:
        """Standard deviation of the logarithm of the modulus at every node, details included that no record shows; NaN
        without error bars."""
        if self.covariance is None:
            return np.full(self.prior.shape, np.nan)
        basis = self.prior.basis
        return np.sqrt(
            np.sum(basis @ self.covariance * basis, axis=1).reshape(self.prior.shape) + self.prior.left_out()
        )

    def mean(self, weights: Float[np.ndarray, "nx ny"]) -> Estimate:
        """The geometric mean of the modulus over a region, Pa: `weights` tell how much each node counts.

        Its error bar is narrower than that of a node: details that no record shows cancel in it.
        """
        share = np.asarray(weights, float) / np.sum(weights)
        value = math.exp(float(np.sum(share * np.log(np.asarray(self.section.modulus)))))
        if self.covariance is None:
            return Estimate("mean modulus", value, math.nan)
        seen = self.prior.basis.T @ share.ravel()
        variance = float(seen @ self.covariance @ seen) + self.prior.left_out_of(share)
        return Estimate("mean modulus", value, value * math.sqrt(variance))


def image(
    shots: Shots,
    records: Float[np.ndarray, "shots *receivers count"],
    start: Section,
    *,
    noise: float,
    waves: Waves = shear_records,
    details: int = 12,
    spread: float = 0.2,
    reach: float | None = None,
    bands: Sequence[float | None] = (None,),
    steps: int = 30,
    error_bars: bool = True,
    progress: bool | Watcher | None = None,
) -> Image:
    """The field of shear modulus that explains the records.

    Minimises  sum ((predicted - recorded) / noise)^2 + |w|^2,  log modulus = log start + B w,  B the cosines of a rough
    field (`exp(-distance / reach)` is its correlation), by L-BFGS with the exact gradient of the finite-difference
    solver. Bands are gone through one after the other: pulse and records alike are smoothed to the lowest first, where
    a start may be further off before a fit locks on to the wrong cycle. At the end the problem is linearised: the scale
    of the prior is put to where the records are most probable, a last step is taken under it, and the error bars are

        B (J'J + 1)^-1 B' + what the prior has in details finer than B.

    They hold for fields like the prior's, with edges anywhere; a single edge known to be sharp, and a part known to be
    even, lie at either side of what they tell.

    shots, records   what was done and heard, m/s.
    start            density, spacing and a first modulus, right to within half a period at the lowest band.
    noise            standard deviation of every sample, m/s.
    waves            what a section does: `shear_records`, or `solid_records` for a `Solid`, whose Poisson's ratio is
                     then kept.
    details          half waves along the longer side: what is finer is not looked for. A wave shows about half its
                     shortest length.
    spread           first prior standard deviation of the logarithm of the modulus about the start.
    reach            distance in m over which the field hangs together beforehand, the size of what may be hidden; by
                     default an eighth of the longer side.
    bands            highest frequencies, Hz, rising; None for all that there is, which must be the last.
    steps            of L-BFGS in each band, at most.
    error_bars       False leaves out the linear problem: it costs two runs of the solver for each number looked for.

    Raises `BadInput` for records of another shape or not finite, and what the solver refuses.
    Source: C. Bunks et al., Geophysics 60, 1457 (1995), for the bands; D. J. C. MacKay, Neural Comput. 4, 415 (1992),
    for the scale of the prior.
    """
    begun = time.monotonic()
    records = checked(shots, records, start, noise, bands, waves)
    reach = (max(start.shape) - 1) * start.spacing / 8 if reach is None else reach
    prior = Rough(start.shape, start.spacing, details, spread, reach)
    task, watch = Task(waves, prior.basis, start, noise), watcher(progress)
    weights, trials, data = np.zeros(prior.basis.shape[1]), [], jnp.asarray(records / noise, jnp.float32)
    try:
        for stage, band in enumerate(bands):
            weights = descended(
                task,
                softened(shots, start, band),
                smoothed(records, shots.interval, band),
                weights,
                steps,
                trials,
                begun,
                lambda loss, stage=stage: watch(Moment(stage, len(trials), steps * len(bands), loss, {})),
            )
        belief = Belief(weights, 1.0, math.nan, None)
        if error_bars:
            belief = linearised(task, shots, weights, data, watch, len(bands))
    finally:
        watch.close()
    misfit = float(chi2(task, shots, jnp.asarray(belief.weights, jnp.float32), data)) / records.size
    return Image(
        start.stiffened(task.modulus_of(belief.weights)),
        replace(prior, spread=belief.scale * spread),
        None if belief.covariance is None else belief.covariance / belief.scale**2,
        belief.resolved,
        misfit,
        tuple(trials),
        judged(misfit, records.size),
        time.monotonic() - begun,
    )


def softened(shots: Shots, start: Section, band: float | None) -> Shots:
    """The same shots, their pulse without what is above a band."""
    found = eqx.tree_at(lambda shots: shots.pulse, shots, smoothed(shots.pulse, shots.interval, band))
    found.check(start)
    return found


def descended(
    task: Task,
    shots: Shots,
    records: np.ndarray,
    weights: Float[np.ndarray, " weights"],
    steps: int,
    trials: list[Trial],
    begun: float,
    tell: Callable[[float], None],
) -> Float[np.ndarray, " weights"]:
    """The weights after at most so many steps of L-BFGS; every gradient becomes a trial."""
    from scipy.optimize import minimize

    data = jnp.asarray(records / task.noise, jnp.float32)

    def cost(w):
        value, slope = value_and_slope(task, shots, jnp.asarray(w, jnp.float32), data)
        value, slope = float(value) + float(w @ w), np.asarray(slope, float) + 2 * w
        trials.append(Trial(len(trials) + 1, time.monotonic() - begun, value / data.size, task.modulus_of(w)))
        tell(value / data.size)
        return value, slope

    options = {"maxiter": steps, "ftol": 1e-7, "maxcor": 20}
    return minimize(cost, weights, jac=True, method="L-BFGS-B", options=options).x


class Task(eqx.Module):
    """From weights to records in units of the noise, in single precision."""

    waves: Waves = eqx.field(static=True)
    basis: Float[Array, "nodes weights"]
    start: Section
    noise: float

    def __init__(self, waves: Waves, basis: np.ndarray, start: Section, noise: float):
        self.waves, self.noise = waves, noise
        self.basis = jnp.asarray(basis, jnp.float32)
        self.start = jax.tree.map(lambda part: jnp.asarray(part, jnp.float32), start)

    def modulus(self, w: Float[Array, " weights"]) -> Float[Array, "nx ny"]:
        return jnp.asarray(self.start.modulus) * jnp.exp((self.basis @ w).reshape(self.start.shape))

    def modulus_of(self, w: Float[np.ndarray, " weights"]) -> Float[np.ndarray, "nx ny"]:
        return np.asarray(self.modulus(jnp.asarray(w, jnp.float32)), float)

    def predicted(self, shots: Shots, w: Float[Array, " weights"]) -> Float[Array, "shots *receivers count"]:
        return self.waves(self.start.stiffened(self.modulus(w)), shots) / self.noise


def misfit(task: Task, shots: Shots, w: Float[Array, " weights"], data: Array) -> Float[Array, ""]:
    """Sum of squares of what is left."""
    return jnp.sum((task.predicted(shots, w) - data) ** 2)


chi2 = compiled(lambda *_: 3)(misfit)  # waves on a grid: what optimising takes is soon earned


@compiled(lambda *_: 3)
def value_and_slope(task: Task, shots: Shots, w: Float[Array, " weights"], data: Array):
    """Chi2 and its slope in w."""
    return jax.value_and_grad(lambda w: misfit(task, shots, w, data))(w)


@compiled(lambda *_: 3)
def along(task: Task, shots: Shots, w: Float[Array, " weights"], direction: Float[Array, " weights"]) -> Array:
    """How the records change."""
    return jax.jvp(lambda w: task.predicted(shots, w), (w,), (direction,))[1]


class Belief(NamedTuple):
    """Weights with their covariance, the scale of the prior, and how many numbers the records determine."""

    weights: Float[np.ndarray, " weights"]
    scale: float
    resolved: float
    covariance: Float[np.ndarray, "weights weights"] | None


def linearised(task: Task, shots: Shots, weights: np.ndarray, data: Array, watch: Watcher, stage: int) -> Belief:
    """The linear problem at the answer, and one step in it under the scale of the prior that its evidence asks for."""
    at, count = jnp.asarray(weights, jnp.float32), len(weights)
    cost, slope = value_and_slope(task, shots, at, data)
    slope = 0.5 * np.asarray(slope, float)
    # Slopes have no frequencies above those of the pulse, so that few of their samples hold all.
    apart = max(int(0.5 / (DENSE * float(shots.highest()) * shots.interval)), 1)
    rows = []
    for k, direction in enumerate(jnp.eye(count, dtype=at.dtype)):
        rows.append(np.ravel(np.asarray(along(task, shots, at, direction))[..., ::apart]))
        watch(Moment(stage, k + 1, count, float(cost) / data.size, {}))
    slopes = np.array(rows)
    values, vectors = np.linalg.eigh(apart * np.asarray(slopes @ slopes.T, float))
    values = np.maximum(values, 0.0)
    return settled(values, vectors, slope, weights)


def settled(values: np.ndarray, vectors: np.ndarray, slope: np.ndarray, weights: np.ndarray) -> Belief:
    """Where evidence and posterior mean agree: scale^2 = |w|^2 / resolved, (J'J + 1 / scale^2) w = J'J w0 - J'r."""
    pull, scale = values * (vectors.T @ weights) - vectors.T @ slope, 1.0
    for _ in range(ROUNDS):
        looser = values + 1 / scale**2
        here, resolved = pull / looser, float(np.sum(values / looser))
        before, scale = scale, math.sqrt(float(np.sum(here**2)) / resolved)
        if abs(scale / before - 1) < SETTLED:
            break
    looser = values + 1 / scale**2
    return Belief(vectors @ (pull / looser), scale, float(np.sum(values / looser)), vectors / looser @ vectors.T)


def judged(misfit: float, count: int) -> Status:
    """Chi2 of many samples is known to within sqrt(2 / count)."""
    doubt = (misfit - 1) / math.sqrt(2 / count)
    if doubt > DOUBT:
        return Status(
            False,
            f"the picture does not explain the records: chi2 per sample is {misfit:.4g}; take more steps, details or a"
            " lower first band, or correct the noise",
        )
    return Status(True, f"the records are explained to their noise: chi2 per sample is {misfit:.4g}")


def smoothed(samples: Float[np.ndarray, "*batch count"], interval: float, band: float | None) -> np.ndarray:
    """Samples without what is above a band: a bell of 1/8 left there, no shift in time."""
    if band is None:
        return samples
    count = samples.shape[-1]
    frequency = np.fft.rfftfreq(2 * count, interval)
    return np.fft.irfft(np.fft.rfft(samples, 2 * count) * 8.0 ** (-((frequency / band) ** 2)), 2 * count)[..., :count]


def checked(shots: Shots, records, start: Section, noise: float, bands, waves: Waves) -> Float[np.ndarray, "..."]:
    shots.check(start)
    records = np.asarray(records, dtype=float)
    wanted = jax.eval_shape(waves, start, shots).shape
    if records.shape != wanted:
        raise BadInput(
            f"the records have shape {records.shape}; these shots give {wanted}: shots, receivers, samples last."
        )
    if not np.all(np.isfinite(records)):
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(records))[0])
        raise BadInput(f"the record at {place} is {records[place]}; mend it or leave it out.")
    if not is_positive(noise):
        raise BadInput(f"noise={shown(noise)}; it must be positive and finite, in m/s.")
    if not bands or bands[-1] is not None or any(band is None for band in bands[:-1]):
        raise BadInput(f"bands={shown(bands)}: give rising frequencies in Hz and None, for all, as the last.")
    return records
