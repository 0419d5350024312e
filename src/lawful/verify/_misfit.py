"""Tests of a fitted model that need no idea of what is wrong: the size of the misfit, and its structure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ._base import Measurements
from ._fitting import Fit, remainder
from ._quadratic import tail

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


def misfit(found: Fit, data: Measurements) -> Misfit:
    """Both tests of a fit."""
    from scipy import special

    size = float("nan") if data.estimated else float(special.chdtrc(found.dof, found.chi2)) if found.dof > 0 else 1.0
    return Misfit(found.chi2, found.dof, size, structure(found, data))


def structure(found: Fit, data: Measurements) -> float:
    """The p-value of T = r' A r, where A couples rows of the same quantity that are neighbours.

    A is the covariance that a smooth error of the model would have (two Gaussian kernels, of short and long reach), so
    that this is the score test of no model error against a smooth one, the locally most powerful of its kind. With
    M = I - Q Q' the projection on what the fit cannot absorb, T = sum_i w_i z_i^2 with the eigenvalues w of M A M; where
    the noise is estimated the ratio T / r'r is referred to in the same way. Source: Liu, Lin and Ghosh, Biometrics 63,
    1079 (2007), for the test; Kennedy and O'Hagan, J. R. Stat. Soc. B 63, 425 (2001), for the smooth error.
    """
    rows, basis = found.whitened, found.tangent
    if found.dof < 2 or not data.places:
        return 1.0
    kernel, groups = neighbours(data)
    if kernel is None:
        return 1.0
    rows, basis = groups @ rows, groups @ basis
    weights = spectrum(kernel, groups, basis)
    value = float(rows @ kernel @ rows)
    if not data.estimated:
        return tail(weights, value)
    ratio = value / max(float(rows @ rows), 1e-300)
    rest = max(round(len(rows) - basis.shape[1]) - len(weights), 0)
    return tail(np.concatenate([weights - ratio, np.full(rest, -ratio)]), 0.0)


def spectrum(kernel: np.ndarray, groups: np.ndarray, basis: np.ndarray) -> Float[np.ndarray, " k"]:
    """The eigenvalues of M A M, none where M annihilates."""
    if groups.shape[0] == groups.shape[1]:
        projected = remainder(basis, remainder(basis, kernel).T)
        values = np.linalg.eigvalsh(0.5 * (projected + projected.T))
    else:  # averaged rows: their covariance under the null is I - Q Q' with the averaged Q
        covariance = np.eye(len(kernel)) - basis @ basis.T
        left, sizes, _ = np.linalg.svd(covariance)
        root = left * np.sqrt(sizes)
        values = np.linalg.eigvalsh(root.T @ kernel @ root)
    return values[np.abs(values) > 1e-12 * np.max(np.abs(values), initial=1e-300)]


def neighbours(data: Measurements) -> tuple[np.ndarray | None, Float[np.ndarray, "groups rows"]]:
    """The kernel between (groups of) rows, and the matrix that averages rows into groups, scaled to keep unit noise."""
    groups = averaging(data)
    share = groups / np.maximum(groups.sum(axis=1, keepdims=True), 1e-300)
    lines = [share @ scaled(line) for line in data.places.values()]
    places = np.stack(lines, axis=1)
    kind = np.argmax(groups > 0, axis=1)
    column = data.column[kind]
    same = column[:, None] == column[None, :]
    reach = typical_gap(places, column)
    if reach is None:
        return None, groups
    square = np.sum(((places[:, None, :] - places[None, :, :]) / reach) ** 2, axis=2)
    kernel = np.zeros_like(square)
    for length in (SHORT, LONG):
        part = np.where(same, np.exp(-0.5 * square / length**2), 0.0)
        np.fill_diagonal(part, 0.0)  # the size of each row alone is the other test's matter
        norm = float(np.linalg.norm(part))
        kernel += part / norm if norm > 0 else part
    return (kernel if np.any(kernel) else None), groups


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


def averaging(data: Measurements) -> Float[np.ndarray, "groups rows"]:
    """The identity, or neighbours in time of the same sensor summed and divided by the root of their number."""
    rows = len(data.values)
    seen = np.flatnonzero(np.isfinite(np.sum([np.asarray(v) for v in data.places.values()], axis=0)))
    times = -(-len(seen) // MOST_ROWS)
    order = seen[np.lexsort((*[data.places[a][seen] for a in reversed(list(data.places))], data.sensor[seen]))]
    if times <= 1:
        return np.eye(rows)[seen]
    blocks: list[np.ndarray] = []
    for key in np.unique(data.sensor[seen]):
        own = order[data.sensor[order] == key]
        blocks += [own[i : i + times] for i in range(0, len(own), times)]
    found = np.zeros((len(blocks), rows))
    for index, block in enumerate(blocks):
        found[index, block] = 1 / math.sqrt(len(block))
    return found
