"""A spectral trial field: tensor products of Chebyshev polynomials and trigonometric functions."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, PyTree

from .._core.messages import BadInput
from ._base import Place, Trial, checked_count


class Spectral(Trial):
    """sum_k c_k T_k1(xi_1) T_k2(xi_2) ...: Chebyshev polynomials, on periodic axes sines and cosines.

    Linear in its parameters, so a linear law is solved in one Gauss-Newton step; converges exponentially for analytic
    fields. Prefer it to a network for smooth fields of one or two axes.

    modes   functions per axis: one number, or a mapping from axis to number. About 4 per extremum of the field.
    """

    @property
    def beside(self) -> bool:
        return False

    modes: tuple[tuple[str, int], ...] | int = eqx.field(static=True)

    def __init__(self, modes: int | Mapping[str, int] = 24):
        if isinstance(modes, Mapping):
            self.modes = tuple((axis, checked_count("Spectral", f"modes on '{axis}'", n)) for axis, n in modes.items())
        else:
            self.modes = checked_count("Spectral", "modes", modes)

    def count(self, axis: str) -> int:
        if isinstance(self.modes, int):
            return self.modes
        counts = dict(self.modes)
        if axis not in counts:
            given = ", ".join(f"'{name}': {count}" for name, count in self.modes)
            raise BadInput(
                f"Spectral({{{given}}}) has no number for the axis '{axis}'; write Spectral({{..., '{axis}': 24}})."
            )
        return counts[axis]

    def init(self, key: Key, axes: tuple[str, ...], periodic: tuple[str, ...], outputs: int) -> PyTree:
        # The key is not used: a linear family starts at zero.
        return jnp.zeros((outputs, *[self.count(axis) for axis in axes]))

    def __call__(self, params: PyTree, place: Place, periodic: tuple[str, ...]) -> Float[Array, " outputs"]:
        value = params
        for axis in reversed(place):
            basis = trigonometric if axis in periodic else chebyshev
            value = value @ basis(place[axis], self.count(axis))
        return value

    def collocation_points(self, axes: int) -> int:
        counts = [self.modes] * axes if isinstance(self.modes, int) else [count for _, count in self.modes]
        return 2 * int(np.prod(counts))


def chebyshev(xi: Float[Array, ""], count: int) -> Float[Array, " count"]:
    """T_0 ... T_{count-1} at xi, by doubling: T_{n+j} = 2 T_n T_j - T_{n-j} for j = 1 ... n.

    A product formula differentiates to any order without trouble at the ends, where arccos does not, and takes
    log2(count) operations on vectors instead of count on scalars.
    """
    values = jnp.stack([jnp.ones_like(xi), xi])
    while values.shape[0] < count:
        values = jnp.concatenate([values, 2 * values[-1] * values[1:] - values[-2::-1]])
    return values[:count]


def trigonometric(xi: Float[Array, ""], count: int) -> Float[Array, " count"]:
    """1, cos(pi xi), sin(pi xi), cos(2 pi xi), ...: period 2."""
    waves = np.arange(1, count // 2 + 1)
    both = jnp.stack([jnp.cos(np.pi * waves * xi), jnp.sin(np.pi * waves * xi)], axis=1).ravel()
    return jnp.concatenate([jnp.ones_like(xi)[None], both])[:count]


@functools.cache
def chebyshev_grid(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nodes on [-1, 1] (ascending, ends included), differentiation matrix, barycentric weights: (n,), (n, n), (n,).

    Raises `BadInput` for fewer than 2 nodes.

    Source: Trefethen, Spectral Methods in MATLAB (2000), chapter 6; Berrut and Trefethen, SIAM Review 46, 501 (2004).
    """
    if count < 2:
        raise BadInput(f"an axis needs at least 2 Chebyshev nodes, one at each end, not {count}; 24 is a good start.")
    nodes = -np.cos(np.pi * np.arange(count) / (count - 1))
    weights = (-1.0) ** np.arange(count)
    weights[[0, -1]] *= 0.5
    # Differences by the sine formula, and the diagonal as minus the row's sum, keep constants exact to rounding.
    angle = np.pi * np.arange(count) / (count - 1)
    difference = 2 * np.sin((angle[:, None] + angle[None, :]) / 2) * np.sin((angle[:, None] - angle[None, :]) / 2)
    np.fill_diagonal(difference, 1.0)
    matrix = (weights[None, :] / weights[:, None]) / difference
    np.fill_diagonal(matrix, 0.0)
    np.fill_diagonal(matrix, -matrix.sum(axis=1))
    return frozen(nodes), frozen(matrix), frozen(weights)


@functools.cache
def fourier_grid(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Equispaced nodes on [-1, 1) and the differentiation matrix of period 2. Source: Trefethen (2000), chapter 3."""
    if count < 1:
        raise BadInput(f"a periodic axis needs at least 1 node, not {count}; 24 is a good start.")
    nodes = -1 + 2 * np.arange(count) / count
    lag = np.subtract.outer(np.arange(count), np.arange(count))
    sign = (-1.0) ** lag
    angle = np.where(lag == 0, 1.0, lag) * np.pi / count
    cotangent = 1 / np.tan(angle) if count % 2 == 0 else 1 / np.sin(angle)
    return frozen(nodes), frozen(np.where(lag == 0, 0.0, 0.5 * np.pi * sign * cotangent))


@functools.cache
def chebyshev_derivative(count: int, order: int) -> np.ndarray:
    """The matrix of the derivative of any order on the nodes of `chebyshev_grid`.

    By the recursion of Welfert, SIAM J. Numer. Anal. 34, 1640 (1997), which keeps more digits than powers of the first
    matrix; the diagonal as minus the row's sum keeps constants exact.
    """
    nodes, first, weights = chebyshev_grid(count)
    if order == 1:
        return first
    lower = chebyshev_derivative(count, order - 1)
    difference = np.subtract.outer(nodes, nodes)
    np.fill_diagonal(difference, 1.0)
    # The off-diagonal first derivatives are w_j / (w_i (x_i - x_j)), with differences from the sine formula.
    inverse = np.where(np.eye(count) > 0, 1.0, first * weights[:, None] / weights[None, :])
    matrix = order * inverse * (weights[None, :] / weights[:, None] * np.diag(lower)[:, None] - lower)
    np.fill_diagonal(matrix, 0.0)
    np.fill_diagonal(matrix, -matrix.sum(axis=1))
    return frozen(matrix)


@functools.cache
def fourier_derivative(count: int, order: int) -> np.ndarray:
    """The matrix of the derivative of any order on the nodes of `fourier_grid`.

    Each wave is multiplied by its factor, the highest one of an even number of nodes by that of its cosine: odd
    derivatives of it are not seen on the nodes, even ones are. Source: Trefethen (2000), chapter 3.
    """
    factor = (1j * np.pi * np.fft.fftfreq(count, 1 / count)) ** order
    if count % 2 == 0 and order % 2:
        factor[count // 2] = 0.0
    return frozen(np.fft.ifft(factor[:, None] * np.fft.fft(np.eye(count), axis=0), axis=0).real.copy())


def frozen(array: np.ndarray) -> np.ndarray:
    """What is kept for the next caller must not be changed by this one."""
    array.flags.writeable = False
    return array


def chebyshev_interpolate(values: Float[Array, "count *rest"], xi: Float[Array, ""]) -> Float[Array, "*rest"]:
    """The polynomial through values at `chebyshev_grid` nodes, at xi; differentiable in xi to any order.

    By the coefficients of the Chebyshev series rather than the barycentric quotient, which is 0/0 at the nodes.
    """
    count = values.shape[0]
    return jnp.tensordot(chebyshev(xi, count), chebyshev_coefficients(count) @ values.reshape(count, -1), 1).reshape(
        values.shape[1:]
    )


@functools.cache
def chebyshev_coefficients(count: int) -> np.ndarray:
    """The matrix from values at the nodes to Chebyshev coefficients (a discrete cosine transform)."""
    n = count - 1
    k = np.arange(count)
    matrix = 2.0 / n * np.cos(np.pi * np.outer(k, n - k) / n)
    matrix[:, [0, -1]] *= 0.5
    matrix[[0, -1], :] *= 0.5
    return frozen(matrix)


def fourier_interpolate(values: Float[Array, "count *rest"], xi: Float[Array, ""]) -> Float[Array, "*rest"]:
    """The trigonometric polynomial through values at `fourier_grid` nodes, at xi."""
    count = values.shape[0]
    return jnp.tensordot(trigonometric(xi, count), fourier_coefficients(count) @ values.reshape(count, -1), 1).reshape(
        values.shape[1:]
    )


@functools.cache
def fourier_coefficients(count: int) -> np.ndarray:
    """The matrix from values at equispaced nodes to the coefficients of `trigonometric`."""
    nodes = -1 + 2 * np.arange(count) / count
    waves = np.arange(1, count // 2 + 1)
    both = np.stack([np.cos(np.pi * np.outer(waves, nodes)), np.sin(np.pi * np.outer(waves, nodes))], axis=1)
    rows = np.concatenate([np.full((1, count), 0.5), both.reshape(-1, count)])[:count]
    matrix = 2.0 / count * rows
    if count % 2 == 0:
        matrix[-1] *= 0.5  # the highest cosine stands alone
    return frozen(matrix)
