"""Tail probabilities of quadratic forms in standard normal numbers."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float


def tail(weights: Float[np.ndarray, " n"], value: float) -> float:
    """P(sum_i w_i z_i^2 > value) for independent standard normal z_i.

    By a saddlepoint of the cumulant generating function, K(s) = -1/2 sum log(1 - 2 s w_i): relative errors of a few
    percent far into the tail, where a series or a simulation has nothing left. Weights may have either sign.
    Source: Lugannani and Rice, Adv. Appl. Prob. 12, 475 (1980); Kuonen, Biometrika 86, 929 (1999).
    """
    w = np.asarray(weights, dtype=float)
    w = w[np.abs(w) > 1e-14 * np.max(np.abs(w), initial=1e-300)]
    if not w.size:
        return 1.0 if value < 0 else 0.0
    scale = float(np.max(np.abs(w)))
    w, q = w / scale, value / scale
    mean = float(np.sum(w))
    if np.all(w > 0) and q <= 0:
        return 1.0
    if np.all(w < 0) and q >= 0:
        return 0.0

    def slope(s: float) -> float:
        return float(np.sum(w / (1 - 2 * s * w))) - q

    low = 0.5 / np.min(w) if np.min(w) < 0 else -1e8
    high = 0.5 / np.max(w) if np.max(w) > 0 else 1e8
    s = root_between(slope, low, high)
    curvature = float(2 * np.sum((w / (1 - 2 * s * w)) ** 2))
    exponent = 2 * (s * q + 0.5 * float(np.sum(np.log1p(-2 * s * w))))
    spread = math.sqrt(2 * float(np.sum(w**2)))
    if abs(q - mean) < 1e-3 * spread or exponent <= 0:  # at the mean the formula is 0 / 0; its limit has the skewness
        skewness = 8 * float(np.sum(w**3)) / spread**3
        return 0.5 - skewness / (6 * math.sqrt(2 * math.pi))
    r = math.copysign(math.sqrt(exponent), s)
    v = s * math.sqrt(curvature)
    return float(np.clip(normal_tail(r + math.log(v / r) / r), 0.0, 1.0))


def root_between(slope, low: float, high: float) -> float:
    """Where a rising function passes zero, inside an open interval at whose ends it may be infinite."""
    inner = 1e-12 * (high - low)
    low, high = low + inner, high - inner
    for _ in range(200):
        middle = 0.5 * (low + high)
        if slope(middle) > 0:
            high = middle
        else:
            low = middle
        if high - low <= 1e-13 * max(abs(low), abs(high), 1e-12):
            break
    return 0.5 * (low + high)


def normal_tail(z: float) -> float:
    """P(Z > z), accurate far out."""
    return 0.5 * math.erfc(z / math.sqrt(2))
