"""Tests of a fitted model that need no idea of what is wrong: the size of the misfit, and its structure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from ._quadratic import tail

if TYPE_CHECKING:
    from ._base import Measurements
    from ._fitting import Fit

MOST_ROWS = 600  # beyond it neighbouring rows are averaged before their structure is looked at
SHORT, LONG = 1.5, 6.0  # reach of a kernel, in typical distances between neighbours


@dataclass(frozen=True)
class Misfit:
    """What the readings say against a model as a whole.

    chi2, dof     size of the whitened misfit; `size_p` the probability of a larger one, NaN where the noise is
                  estimated from the same misfit.
    structure_p   probability that noise leans as much to the same side at neighbouring places and times.
    """

    chi2: float
    dof: float
    size_p: float
    structure_p: float


def misfit(found: Fit, data: Measurements, leaning: Leaning | None) -> Misfit:
    """Both tests of a fit."""
    from scipy import special

    size = float("nan") if data.estimated else float(special.chdtrc(found.dof, found.chi2)) if found.dof > 0 else 1.0
    return Misfit(found.chi2, found.dof, size, 1.0 if leaning is None else leaning.p)


@dataclass(frozen=True)
class Leaning:
    """The structure test of a fit: T = r' A r, where A couples rows of the same quantity that are neighbours.

    A is the covariance that a smooth error of the model would have (two Gaussian kernels, of short and long reach), so
    that this is the score test of no model error against a smooth one, the locally most powerful of its kind. With
    M = I - Q Q' the projection on what the fit cannot absorb, T = sum_i w_i z_i^2 with the eigenvalues w of M A M;
    where the noise is estimated the ratio T / r'r is referred to in the same way. Source: Liu, Lin and Ghosh,
    Biometrics 63, 1079 (2007), for the test; Kennedy and O'Hagan, J. R. Stat. Soc. B 63, 425 (2001), for the smooth
    error.

    p        probability of a larger T for noise.
    weights  w, with `vectors` the directions in the rows that they belong to.
    """

    p: float
    weights: Float[np.ndarray, " k"]
    vectors: Float[np.ndarray, "rows k"]


def leaning(found: Fit, data: Measurements) -> Leaning | None:
    """The structure test; None where there are no neighbours or no degrees of freedom."""
    if found.dof < 2 or data.coupling is None:
        return None
    kernel, groups = data.coupling
    rows, basis = groups @ found.whitened, groups @ found.tangent
    # Averaged rows have the covariance I - Q Q' with the averaged Q, of which this is the root.
    root = np.eye(len(rows)) - root_share(basis)
    projected = root @ kernel @ root
    weights, vectors = np.linalg.eigh(0.5 * (projected + projected.T))
    value = float(rows @ kernel @ rows)
    if data.estimated:
        ratio = value / max(float(rows @ rows), 1e-300)
        null = np.isclose(weights, 0.0, atol=1e-12 * np.max(np.abs(weights)))
        rest = len(rows) - basis.shape[1] - int(np.sum(~null))
        shifted = np.concatenate([weights[~null] - ratio, np.full(max(rest, 0), -ratio)])
        return Leaning(tail(shifted, 0.0), weights, groups.T @ vectors)
    return Leaning(tail(weights, value), weights, groups.T @ vectors)


def root_share(basis: Float[np.ndarray, "rows rank"]) -> Float[np.ndarray, "rows rows"]:
    """I - sqrt(I - Q Q'), for Q with singular values of at most one: Q Q' itself where its columns are orthonormal."""
    left, sizes, _ = np.linalg.svd(basis, full_matrices=False)
    return (left * (1 - np.sqrt(np.maximum(1 - sizes**2, 0.0)))) @ left.T


Coupling = tuple[Float[np.ndarray, "groups groups"], Float[np.ndarray, "groups rows"]]


def coupled(places: Mapping[str, np.ndarray], sensor: np.ndarray, column: np.ndarray) -> Coupling | None:
    """The kernel between rows, or groups of them, and the matrix that averages rows into groups, scaled to keep unit
    noise; None where nothing has a neighbour."""
    if not places:
        return None
    groups = averaging(places, sensor)
    share = groups / np.maximum(groups.sum(axis=1, keepdims=True), 1e-300)
    where = np.stack([share @ scaled(line) for line in places.values()], axis=1)
    kind = column[np.argmax(groups > 0, axis=1)]
    reach = typical_gap(where, kind)
    if reach is None:
        return None
    square = np.sum(((where[:, None, :] - where[None, :, :]) / reach) ** 2, axis=2)
    kernel = np.zeros_like(square)
    for length in (SHORT, LONG):
        part = np.where(kind[:, None] == kind[None, :], np.exp(-0.5 * square / length**2), 0.0)
        np.fill_diagonal(part, 0.0)  # the size of each row alone is the other test's matter
        norm = float(np.linalg.norm(part))
        kernel += part / norm if norm > 0 else part
    return (kernel, groups) if np.any(kernel) else None


def scaled(line: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
    """A coordinate on [0, 1]; 0 where there is none, as for priors."""
    known = line[np.isfinite(line)]
    low, span = float(np.min(known)), float(np.ptp(known))
    return np.nan_to_num((line - low) / span) if span > 0 else np.zeros_like(line)


def typical_gap(places: Float[np.ndarray, "rows axes"], column: np.ndarray) -> Float[np.ndarray, " axes"] | None:
    """Along each axis the median gap between different coordinates; axes without two of them count nothing."""
    gaps = []
    for axis in range(places.shape[1]):
        line = np.unique(np.round(places[:, axis], 9))
        gaps.append(float(np.median(np.diff(line))) if len(line) > 1 else math.inf)
    found = np.array(gaps)
    if not np.any(np.isfinite(found)):
        return None
    # Scattered places have tiny gaps along each axis; what counts is the distance to the nearest other place.
    count = max(np.bincount(column).max(), 2)
    dense = count ** (-1.0 / max(int(np.sum(np.isfinite(found))), 1))
    return np.where(np.isfinite(found), np.maximum(found, 0.7 * dense), math.inf)


def averaging(places: Mapping[str, np.ndarray], sensor: np.ndarray) -> Float[np.ndarray, "groups rows"]:
    """The rows that have a place, or neighbours in time of the same sensor summed and divided by the root of their
    number."""
    seen = np.flatnonzero(np.isfinite(np.sum([np.asarray(line) for line in places.values()], axis=0)))
    times = -(-len(seen) // MOST_ROWS)
    if times <= 1:
        return np.eye(len(sensor))[seen]
    order = seen[np.lexsort([places[axis][seen] for axis in reversed(list(places))])]
    blocks: list[np.ndarray] = []
    for key in np.unique(sensor[seen]):
        own = order[sensor[order] == key]
        blocks += [own[i : i + times] for i in range(0, len(own), times)]
    found = np.zeros((len(blocks), len(sensor)))
    for index, block in enumerate(blocks):
        found[index, block] = 1 / math.sqrt(len(block))
    return found
