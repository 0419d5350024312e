"""A fit of some of a model's numbers to the measurements, and the linear model around it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from ._base import ForwardModel, Measurements

ROUNDS = 12  # of noise levels and fit in turns; one suffices where there is a single level
SETTLED = 1e-4
MOST_STEPS = 40
ENOUGH = 1e-6
FLOOR = 1e-12  # of the size of the readings: no estimated noise is below it


@dataclass(frozen=True)
class Fit:
    """Numbers at a minimum of the misfit.

    x         all numbers, those not in `free` as they were.
    free      the places in x that were fitted.
    miss      prediction minus measured value (rows,).
    slopes    of the predictions along the free numbers (rows, free).
    levels    estimated noise levels, unbiased; empty where all noise is given.
    sd        noise of each row.
    deviance  -2 log of the largest likelihood, up to a constant that all fits of the same readings share.
    """

    x: Float[np.ndarray, " n"]
    free: tuple[int, ...]
    miss: Float[np.ndarray, " rows"]
    slopes: Float[np.ndarray, "rows free"]
    levels: Float[np.ndarray, " levels"]
    sd: Float[np.ndarray, " rows"]
    deviance: float
    converged: bool
    reason: str

    @property
    def whitened(self) -> Float[np.ndarray, " rows"]:
        return self.miss / self.sd

    @property
    def chi2(self) -> float:
        return float(np.sum(self.whitened**2))

    @property
    def tangent(self) -> Float[np.ndarray, "rows rank"]:
        """An orthonormal basis of what small changes of the free numbers do to the predictions, in units of noise."""
        return column_space(self.slopes / self.sd[:, None])

    @property
    def dof(self) -> float:
        return len(self.miss) - self.tangent.shape[1]

    @property
    def covariance(self) -> Float[np.ndarray, "free free"]:
        """Of the free numbers, on what is determined: (J'J)^+ with columns scaled to norm one."""
        jacobian = self.slopes / self.sd[:, None]
        norms = np.linalg.norm(jacobian, axis=0)
        scaled = jacobian / np.where(norms > 0, norms, 1.0)
        inverse = np.linalg.pinv(scaled, rcond=1e-10)
        return (inverse @ inverse.T) / np.outer(np.where(norms > 0, norms, 1.0), np.where(norms > 0, norms, 1.0))

    def sd_of(self, place: int) -> float:
        """The standard deviation of a fitted number; infinite where the readings do not determine it."""
        if place not in self.free:
            return 0.0
        index = self.free.index(place)
        jacobian = self.slopes / self.sd[:, None]
        own = jacobian[:, index]
        left = remainder(column_space(np.delete(jacobian, index, axis=1)), own[:, None])[:, 0]
        size = float(np.linalg.norm(left))
        return 1 / size if size > ABSORBED * max(float(np.linalg.norm(own)), 1e-300) else math.inf


ABSORBED = 1e-6  # of a column: what is left of it below this counts as nothing


def column_space(columns: Float[np.ndarray, "m n"]) -> Float[np.ndarray, "m rank"]:
    """An orthonormal basis of the columns, each scaled to norm one first so that units do not decide."""
    norms = np.linalg.norm(columns, axis=0)
    scaled = columns[:, norms > 0] / norms[norms > 0]
    if scaled.size == 0:
        return np.zeros((len(columns), 0))
    left, values, _ = np.linalg.svd(scaled, full_matrices=False)
    return left[:, values > ABSORBED * values[0]]


def remainder(basis: Float[np.ndarray, "m rank"], columns: Float[np.ndarray, "m k"]) -> Float[np.ndarray, "m k"]:
    """What is left of columns when their part in the span of an orthonormal basis is taken away; done twice, because
    of rounding."""
    for _ in range(2):
        columns = columns - basis @ (basis.T @ columns)
    return columns


def fit(
    model: ForwardModel,
    data: Measurements,
    free: tuple[int, ...],
    start: Float[np.ndarray, " n"],
    steps: int = MOST_STEPS,
    enough: float = ENOUGH,
) -> Fit:
    """Fit the free numbers from `start` by trust-region least squares, and settle the noise levels on the way.

    A fit ends where a step lowers the sum of squares by less than the fraction `enough`, or after `steps` steps.
    """
    x, levels = np.asarray(start, dtype=float).copy(), first_levels(model, data, start)
    good, why = True, "nothing to be fitted"
    for _ in range(ROUNDS):
        sd = data.noise(levels)
        if free:
            x, good, why = least_squares(model, data, free, x, sd, steps, enough)
        values, slopes = model.linearise(x, np.eye(len(x))[:, list(free)])
        miss = values - data.values
        if not data.estimated or not (np.all(np.isfinite(miss)) and np.all(np.isfinite(slopes))):
            break
        new = noise_levels(data, miss, slopes, sd)
        change, levels = float(np.max(np.abs(np.log(new / levels)))), new
        if data.levels == 1 or change < SETTLED:  # a common factor moves no minimum
            break
    good = good and bool(np.all(np.isfinite(miss)))
    return Fit(x, free, miss, slopes, levels, data.noise(levels), deviance(data, miss), good, why)


def least_squares(
    model: ForwardModel,
    data: Measurements,
    free: tuple[int, ...],
    x: Float[np.ndarray, " n"],
    sd: np.ndarray,
    steps: int,
    enough: float,
) -> tuple[Float[np.ndarray, " n"], bool, str]:
    """MINPACK's successor in SciPy: a trust region on variables scaled by the Jacobian."""
    from scipy import optimize

    places = list(free)
    directions = np.eye(len(x))[:, places]
    kept: dict[bytes, tuple[np.ndarray, np.ndarray]] = {}

    def whole(part: np.ndarray) -> np.ndarray:
        full = x.copy()
        full[places] = part
        return full

    def both(part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # One linearised solve gives residual and Jacobian; the optimiser asks for them one after the other.
        key = part.tobytes()
        if key not in kept:
            values, slopes = model.linearise(whole(part), directions)
            kept.clear()
            kept[key] = (values - data.values) / sd, np.where(np.isfinite(slopes), slopes, 0.0) / sd[:, None]
        return kept[key]

    if not np.all(np.isfinite(both(x[places])[0])):
        return x, False, "the model has no finite prediction where the fit starts"
    trust_region: Any = optimize.least_squares
    with np.errstate(all="ignore"):  # undetermined directions divide zero by zero inside, and are left where they are
        found = trust_region(
            lambda part: both(part)[0],
            x[places],
            lambda part: both(part)[1],
            method="trf",
            x_scale="jac",
            ftol=enough,
            xtol=1e-9,
            gtol=None,
            max_nfev=steps,
        )
    return whole(found.x), bool(found.status > 0), " ".join(str(found.message).split())


def first_levels(model: ForwardModel, data: Measurements, start: Float[np.ndarray, " n"]) -> np.ndarray:
    """Noise levels before anything is fitted: the spread of the readings."""
    return np.array([max(float(np.std(data.values[data.level == i])), 1e-12) for i in range(data.levels)])


def noise_levels(data: Measurements, miss: np.ndarray, slopes: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Unbiased levels: the sum of squares over the rows less what the fitted numbers took of them."""
    leverage = np.sum(column_space(slopes / sd[:, None]) ** 2, axis=1)
    found = []
    for index in range(data.levels):
        rows = data.level == index
        freedom = max(rows.sum() - leverage[rows].sum(), 1e-3 * rows.sum())
        floor = FLOOR * max(float(np.max(np.abs(data.values[rows]))), 1e-300)
        found.append(max(math.sqrt(float(np.sum((miss / data.sd)[rows] ** 2)) / freedom), floor))
    return np.array(found)


def deviance(data: Measurements, miss: Float[np.ndarray, " rows"]) -> float:
    """-2 log likelihood, noise levels profiled out where they are unknown."""
    square = (miss / data.sd) ** 2
    total = float(np.sum(square[data.level < 0]))
    for index in range(data.levels):
        rows = data.level == index
        floor = (FLOOR * max(float(np.max(np.abs(data.values[rows]))), 1e-300)) ** 2
        total += float(rows.sum() * math.log(max(float(np.mean(square[rows])), floor)))
    return total if math.isfinite(total) else math.inf
