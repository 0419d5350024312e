"""Covariances of least-squares estimates from the Jacobian, and the directions that it does not determine.

Everything works on J itself: J'J would lose the digits that tell a weak direction from none.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float


class Covariance(NamedTuple):
    """Unpacks as `matrix, undetermined`."""

    matrix: Float[np.ndarray, "n n"]  # (J'J)^-1 on the determined directions, zero along the others
    undetermined: Float[np.ndarray, "n k"]  # orthonormal directions along which J says nothing, as columns


def covariance(jacobian: Float[np.ndarray, "m n"], rcond: float | None = None) -> Covariance:
    """The covariance (J'J)^-1 of the parameters, where they are determined.

    Arguments:
    - `jacobian`: J (m, n), rows in units of their noise. Where the noise is not known, multiply the matrix by
      |r|^2 / (m - n) afterwards. Rows may differ in weight by many orders of magnitude.
    - `rcond`: smallest resolved singular value relative to the largest, columns scaled to norm one so that units do not
      decide; by default what rounding resolves.

    A parameter has an error bar only if its row of `undetermined` is zero. Fails (ValueError) where J is not finite.
    """
    return marginal_covariance(jacobian, _matrix(jacobian).shape[1], rcond)


def marginal_covariance(jacobian: Float[np.ndarray, "m n"], keep: int, rcond: float | None = None) -> Covariance:
    """The covariance of the last `keep` parameters when the first n - keep are unknown too.

    With J = [A B] it is (B' (I - A A^+) B)^-1. The others (the weights of a network, say) may be redundant: only what
    their columns span matters, so they need no covariance of their own.

    Arguments:
    - `jacobian`: J (m, n), rows in units of their noise.
    - `keep`: how many of the last columns to keep.
    - `rcond`: what counts as nothing, relative to columns of norm one: a column of A that the others already span, and
      what the projection leaves of B. By default what rounding resolves. Larger values treat faint directions of A as
      known, which makes the error bars smaller.

    Fails (ValueError) where J is not finite or `keep` not between 0 and n. Householder reflections with column
    pivoting, on rows sorted by size, have small errors row by row, so a block of rows 1e6 times lighter than the
    others keeps all its digits. Source: A. J. Cox and N. J. Higham, Stability of Householder QR factorization for
    weighted least squares problems, 1998.
    """
    from scipy.linalg import get_lapack_funcs, qr

    jacobian = _matrix(jacobian)
    m, n = jacobian.shape
    if not 0 <= keep <= n:
        raise ValueError(f"keep must lie between 0 and the {n} columns of the Jacobian; got {keep}")
    least = 10 * max(m, n) * float(np.finfo(float).eps) if rcond is None else rcond
    scaled, norms = unit_columns(jacobian)
    scaled = np.asfortranarray(scaled[np.argsort(-np.max(np.abs(scaled), axis=1, initial=0.0), kind="stable")])
    others, kept = scaled[:, : n - keep], scaled[:, n - keep :]
    if min(others.shape):
        factors: Any = qr(others, mode="raw", pivoting=True)
        (reflections, tau), triangle, _ = factors
        rank = int(np.sum(np.abs(np.diag(triangle)) > least))
        if rank and keep:
            # Q'B: its first `rank` rows are what A can imitate, the rest is what only B explains.
            rotate: Any = get_lapack_funcs("ormqr", (others,))
            rotated, *_ = rotate("L", "T", reflections[:, :rank], tau[:rank], kept, lwork=64 * keep)
            kept = rotated[rank:]
    return _inverted(kept, norms[n - keep :], least)


def unit_columns(
    jacobian: Float[np.ndarray, "m n"],
) -> tuple[Float[np.ndarray, "m n"], Float[np.ndarray, " n"]]:
    """The columns divided by their norms, and what they were divided by: 1 where a column is zero."""
    norms = np.linalg.norm(jacobian, axis=0)
    divisors = np.where(norms > 0, norms, 1.0)
    return jacobian / divisors, divisors


def _matrix(jacobian: Float[np.ndarray, "m n"]) -> Float[np.ndarray, "m n"]:
    matrix = np.asarray(jacobian, dtype=float)
    if matrix.ndim != 2:
        raise ValueError(f"the Jacobian must be a matrix (m, n); got shape {matrix.shape}")
    if not np.all(np.isfinite(matrix)):
        row, column = np.argwhere(~np.isfinite(matrix))[0]
        raise ValueError(f"the Jacobian must be finite; its entry ({row}, {column}) is {matrix[row, column]}")
    return matrix


def _inverted(scaled: Float[np.ndarray, "m k"], norms: Float[np.ndarray, " k"], least: float) -> Covariance:
    """The covariance from columns that were divided by `norms`."""
    from scipy.linalg import qr

    k = scaled.shape[1]
    if k == 0:
        return Covariance(np.zeros((0, 0)), np.zeros((0, 0)))
    square = np.zeros((k, k))
    order = np.arange(k)
    if len(scaled):
        factors: Any = qr(scaled, mode="r", pivoting=True)
        triangle, order = factors
        square[: len(triangle)] = triangle[:k]
    _, values, transposed = np.linalg.svd(square)
    basis = np.empty((k, k))
    basis[order] = transposed.T
    known = values > least
    factor = basis[:, known] / values[known] / norms[:, None]
    loose = np.linalg.qr(basis[:, ~known] / norms[:, None])[0]
    return Covariance(factor @ factor.T, loose)
