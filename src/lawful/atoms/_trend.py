"""The slope of a series whose neighbouring values resemble each other, with an honest error bar."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float


def trend(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> tuple[float, float]:
    """Slope of the straight line through evenly spaced values, and its standard deviation; infinite for three or fewer.

    The variance is that of independent errors times 1 + 2 sum_k rho_k, rho the correlation of the residuals, summed up
    to a lag that is six times the sum so far. Source: A. D. Sokal, Monte Carlo methods in statistical mechanics (1996).
    """
    n = len(x)
    if n <= 3:
        return (float((y[-1] - y[0]) / (x[-1] - x[0])) if n > 1 else math.nan), math.inf
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    left = y - y.mean() - slope * centred
    spread = float(left @ left)
    if spread == 0.0:
        return slope, 0.0
    size = 2 ** math.ceil(math.log2(2 * n))
    correlation = np.fft.irfft(np.abs(np.fft.rfft(left, size)) ** 2)[:n] / spread
    times = 1 + 2 * np.cumsum(correlation[1:])
    enough = np.arange(1, n) >= 6 * times / 2
    inflation = max(float(times[int(np.argmax(enough))] if np.any(enough) else times[-1]), 1.0)
    return slope, math.sqrt(inflation * spread / (n - 2) / float(centred @ centred))
