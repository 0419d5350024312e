"""An independent reference for periodic equations: Fourier modes and exponential time differencing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Complex, Float

CIRCLE = 32  # points of the contour integrals


def etdrk4(
    linear: Complex[np.ndarray, " k"],
    nonlinear: Callable[[Complex[np.ndarray, " k"]], Complex[np.ndarray, " k"]],
    start: Complex[np.ndarray, " k"],
    span: float,
    steps: int,
    keep: int,
) -> Complex[np.ndarray, "kept k"]:
    """The modes v of v_t = L v + N(v) at `keep` + 1 equidistant times from 0 to `span`, by `steps` steps of order 4.

    `steps` must be a multiple of `keep`. The coefficients come by contour integrals.
    Source: A.-K. Kassam and L. N. Trefethen, SIAM J. Sci. Comput. 26, 1214 (2005).
    """
    step = span / steps
    roots = np.exp(1j * np.pi * (np.arange(1, CIRCLE + 1) - 0.5) * 2 / CIRCLE)
    z = step * linear[:, None] + roots
    whole, half = np.exp(step * linear), np.exp(step * linear / 2)
    mean = lambda values: step * np.mean(values, axis=1)
    middle = mean((np.exp(z / 2) - 1) / z)
    first = mean((-4 - z + np.exp(z) * (4 - 3 * z + z**2)) / z**3)
    second = mean((2 + z + np.exp(z) * (-2 + z)) / z**3)
    third = mean((-4 - 3 * z - z**2 + np.exp(z) * (4 - z)) / z**3)
    found, v = [start], start
    for count in range(1, steps + 1):
        n = nonlinear(v)
        a = half * v + middle * n
        na = nonlinear(a)
        b = half * v + middle * na
        nb = nonlinear(b)
        c = half * a + middle * (2 * nb - n)
        v = whole * v + first * n + 2 * second * (na + nb) + third * nonlinear(c)
        if count % (steps // keep) == 0:
            found.append(v)
    return np.stack(found)


def periodic_reference(
    symbol: Callable[[Float[np.ndarray, " k"]], np.ndarray],
    nonlinear: Callable[[Float[np.ndarray, " n"], Float[np.ndarray, " n"]], Float[np.ndarray, " n"]],
    start: Callable[[Float[np.ndarray, " n"]], Float[np.ndarray, " n"]],
    ends: tuple[float, float],
    span: float,
    modes: int,
    steps: int,
    keep: int,
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n kept"]]:
    """The real solution of u_t = L u + N(u, u_x), periodic between two ends: nodes, and values at `keep` + 1 times.

    `symbol(k)` is L for exp(i k x). Products are freed from aliasing by padding with half as many modes again.
    """
    length = ends[1] - ends[0]
    x = ends[0] + length * np.arange(modes) / modes
    k = 2 * np.pi / length * np.arange(modes // 2 + 1)
    fine = 3 * modes // 2

    def products(v: np.ndarray) -> np.ndarray:
        wide = np.zeros(fine // 2 + 1, dtype=complex)
        wide[: len(v) - 1] = v[:-1]
        slope = np.zeros_like(wide)
        slope[: len(v) - 1] = 1j * k[:-1] * v[:-1]
        scale = fine / modes
        values = nonlinear(np.fft.irfft(wide, fine) * scale, np.fft.irfft(slope, fine) * scale)
        return np.fft.rfft(values)[: len(v)] / scale

    found = etdrk4(np.asarray(symbol(k), dtype=complex), products, np.fft.rfft(start(x)), span, steps, keep)
    return x, np.stack([np.fft.irfft(v, modes) for v in found], axis=1)
