"""Error bars of the unknowns: Gauss-Newton covariance, correlations, and what the data do not determine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ..problem import Problem, Real, Unknown
from ..verify import described
from ._covariance import Covariance, covariance, marginal_covariance, unit_columns
from ._optimiser import MOST_PARAMETERS
from ._task import Layout

FAINT = 1e-10  # squared size of a direction, relative to the sum of all, below which it counts as known
LOOSE = 20.0
"""A direction is undetermined when its raw standard deviation exceeds this: a factor e^20 for a `Positive` unknown."""


class Uncertainty(NamedTuple):
    """Of the raw unknowns: covariance on what is determined, orthonormal undetermined directions as columns, and the
    leverage of every residual row (its sum over data rows is the number of parameters that the data pay for)."""

    covariance: Float[np.ndarray, "n n"]
    loose: Float[np.ndarray, "n k"]
    leverage: Float[np.ndarray, " rows"]


def uncertainty(jacobian: Float[np.ndarray, "m n"], layout: Layout) -> Uncertainty:
    """The covariance of the unknowns with the parameters of the field eliminated."""
    count = layout.unknown_count
    if not np.all(np.isfinite(jacobian)):  # where the fields are not known, nothing is determined
        return Uncertainty(np.zeros((count, count)), np.eye(count), np.zeros(len(jacobian)))
    if jacobian.shape[1] > MOST_PARAMETERS:
        leverage, found = damped(jacobian, count)
    else:
        leverage, found = hat_diagonal(jacobian), marginal_covariance(jacobian, count)
    if count == 0:
        return Uncertainty(np.zeros((0, 0)), np.zeros((0, 0)), leverage)
    return Uncertainty(*useful(np.asarray(found[0]), np.asarray(found[1]).reshape(count, -1)), leverage)


def useful(
    matrix: Float[np.ndarray, "n n"], undetermined: Float[np.ndarray, "n k"]
) -> tuple[Float[np.ndarray, "n n"], Float[np.ndarray, "n l"]]:
    """Covariance and undetermined directions, to which those join that are determined in exact arithmetic but to no
    useful accuracy."""
    variances, directions = np.linalg.eigh(matrix)
    weak = variances > LOOSE**2
    kept = directions[:, ~weak]
    return kept @ np.diag(variances[~weak]) @ kept.T, np.concatenate([undetermined, directions[:, weak]], axis=1)


def damped(jacobian: Float[np.ndarray, "m n"], keep: int) -> tuple[Float[np.ndarray, " m"], Covariance]:
    """Leverage, and covariance of the last `keep` parameters, for a wide Jacobian: from J J' in place of J.

    (I + A A' / e)^-1 stands in for the projection I - A A^+ on what the other columns A cannot imitate; directions of A
    fainter than sqrt(e), 1e-5 of the whole, count as known. Costs m^2 n instead of m n^2.
    """
    from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular

    scaled, norms = unit_columns(jacobian)
    others, kept = np.split(scaled, [scaled.shape[1] - keep], axis=1)
    inner, faint = ridged(others)
    left = solve_triangular(cholesky(inner, lower=True), kept, lower=True)  # its columns are what only `kept` explains
    whole = inner + kept @ kept.T / faint
    leverage = 1 - np.diag(cho_solve(cho_factor(whole, lower=True), np.eye(len(whole))))
    return leverage, covariance(left * norms[scaled.shape[1] - keep :])


def to_go(
    jacobian: Float[np.ndarray, "m n"], residual: Float[np.ndarray, " m"], keep: int
) -> Float[np.ndarray, " keep"]:
    """How the last `keep` parameters would move with the step -J^+ r to the minimum of the linear model."""
    from scipy.linalg import cho_factor, cho_solve

    scaled, norms = unit_columns(jacobian)
    inner, faint = ridged(scaled)
    step = -scaled.T @ cho_solve(cho_factor(inner, lower=True), residual) / faint
    return (step / norms)[len(step) - keep :]


def ridged(columns: Float[np.ndarray, "m n"]) -> tuple[Float[np.ndarray, "m m"], float]:
    """I + A A' / e, and e: the square of what is too faint to count."""
    gram = columns @ columns.T
    faint = FAINT * float(np.trace(gram)) + 1e-300
    return np.eye(len(gram)) + gram / faint, faint


def hat_diagonal(jacobian: Float[np.ndarray, "m n"]) -> Float[np.ndarray, " m"]:
    """The diagonal of J (J'J)^+ J'."""
    scale = np.linalg.norm(jacobian, axis=0)
    scaled = jacobian[:, scale > 0] / scale[scale > 0]
    if scaled.size == 0:
        return np.zeros(len(jacobian))
    left, values, _ = np.linalg.svd(scaled, full_matrices=False)
    return np.sum(left[:, values > 1e-12 * values[0]] ** 2, axis=1)


def leverages(triangle: Float[np.ndarray, "n n"], rows: Float[np.ndarray, "m n"]) -> Float[np.ndarray, " m"]:
    """The leverage of some rows of a Jacobian, from the triangular factor of the whole."""
    scaled, norms = unit_columns(triangle)
    _, values, transposed = np.linalg.svd(scaled)
    kept = values > 1e-12 * values[0]
    return np.sum((rows / norms @ transposed[kept].T / values[kept]) ** 2, axis=1)


def labels(problem: Problem, layout: Layout) -> list[str]:
    """A name for each raw unknown number: "k", "k[0]", "D mode 3"."""
    found = []
    for name, size in zip(layout.names, layout.sizes, strict=True):
        if problem.unknowns[name].over is not None:
            found += [f"mean of {name}", *[f"{name} mode {i}" for i in range(1, size)]]
        else:
            found += [name] if size == 1 else [f"{name}[{i}]" for i in range(size)]
    return found


def describe_loose(problem: Problem, layout: Layout, direction: Float[np.ndarray, " n"]) -> str:
    """An undetermined direction in the user's names and units: "k / m" for factors, "a + 2 b" for differences."""
    unknowns = [problem.unknowns[name] for name in layout.names]
    return in_units(labels(problem, layout), unknowns, layout.sizes, direction)


def in_units(
    names: Sequence[str], unknowns: Sequence[Unknown], sizes: Sequence[int], direction: Float[np.ndarray, " n"]
) -> str:
    """The same of unknowns that are found as so many raw numbers each; `names` of all these."""
    logs, units = [], []
    for unknown, size in zip(unknowns, sizes, strict=True):
        logs += [unknown.step == "log"] * size
        # A `Real` is looked for in steps of its scale; the other transforms have no unit.
        units += [*np.ravel(unknown.scale)] if isinstance(unknown, Real) and unknown.over is None else [1.0] * size
    return described(names, logs, direction * np.asarray(units))


def correlation(covariance: Float[np.ndarray, "n n"]) -> Float[np.ndarray, "n n"]:
    sd = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    return covariance / np.outer(sd, sd)
