"""What a survey can know: error bars, Cramer-Rao bounds, and the directions in which nothing is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float

from .._core.estimates import Estimate
from ..solve import covariance
from ..verify import described
from ._parameters import Parameters

RESOLVED = 1e-9
"""Columns of a Jacobian that are combinations of the others to within this share count as such: records computed with
damping are accurate to 1e-10."""
LOOSE = 20.0
"""Directions with a standard deviation above this are as good as free: a factor of e^20 for a `Positive` unknown."""


class Knowledge(NamedTuple):
    """Of the raw unknowns: covariance on what is determined, and the free directions as columns, few names in each."""

    covariance: Float[np.ndarray, "n n"]
    loose: Float[np.ndarray, "n k"]


def knowledge(jacobian: Float[np.ndarray, "m n"]) -> Knowledge:
    """What rows in units of their noise say about raw unknowns."""
    matrix, loose = covariance(jacobian, RESOLVED)
    variances, directions = np.linalg.eigh(matrix)
    weak = variances > LOOSE**2
    kept = directions[:, ~weak]
    matrix = kept @ np.diag(variances[~weak]) @ kept.T
    return Knowledge(matrix, sparse_basis(np.concatenate([loose, directions[:, weak]], axis=1)))


def sparse_basis(directions: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
    """Another basis of the same directions in which each moves few numbers: the reduced echelon form, as columns.

    Free directions of a stack come one per layer, but any mixture of them is a basis too; the echelon form takes the
    mixture apart.
    """
    rows = directions.T.copy()
    for place in range(len(rows)):
        rest = np.abs(rows[place:])
        row, column = np.unravel_index(int(np.argmax(rest)), rest.shape)
        rows[[place, place + row]] = rows[[place + row, place]]
        rows[place] /= rows[place, column]
        for other in range(len(rows)):
            if other != place:
                rows[other] -= rows[other, column] * rows[place]
    rows = np.round(rows, 6)  # ratios of small whole numbers come out even, whatever rounding did to them
    rows *= np.where(rows.sum(axis=1, keepdims=True) < 0, -1.0, 1.0)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).T


def undetermined(known: Knowledge, parameters: Parameters) -> tuple[str, ...]:
    """The free directions in the user's names: "thickness[0] * modulus[0] / density[0]"."""
    names, logs, units = parameters.labels(), parameters.logs(), parameters.units()
    return tuple(described(names, logs, direction * np.asarray(units)) for direction in known.loose.T)


def propagated(
    quantities: Callable[[Array], Mapping[str, Array]],
    x: Float[Array, " n"],
    known: Knowledge,
    freedom: float,
) -> dict[str, Estimate]:
    """Functions of raw unknowns with their standard deviations to first order, infinite along free directions.

    `quantities(x)` returns arrays by name.
    """
    values = quantities(x)
    slopes = jax.jacfwd(quantities)(x)
    found = {}
    for name, value in values.items():
        value, slope = np.asarray(value), np.asarray(slopes[name])
        sd = np.sqrt(np.maximum(np.einsum("...i,ij,...j", slope, known.covariance, slope), 0.0))
        size = np.where(value != 0, np.abs(value), 1.0)[..., None]
        free = np.any(np.abs(slope @ known.loose) > 1e-3 * size, axis=-1)
        sd = np.where(free, np.inf, sd)
        scalar = value.ndim == 0
        found[name] = Estimate(name, float(value) if scalar else value, float(sd) if scalar else sd, freedom)
    return found
