"""How much designs differ: from each other, and from those that were learned from."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

Maps = Float[np.ndarray, "n nx ny"]


def aligned(one: Maps, other: Maps) -> Float[np.ndarray, "n m"]:
    """Root mean square differences of all pairs, turned around the first axis to where they differ least, and mirrored
    across the second where that is nearer: a map begun elsewhere is no other design."""
    size = one[0].size
    first = np.fft.rfft(one, axis=1)
    squares = np.sum(one**2, (1, 2))[:, None] + np.sum(other**2, (1, 2))[None]
    best = np.full((len(one), len(other)), -np.inf)
    for maps in (other, other[:, :, ::-1]):
        second = np.conj(np.fft.rfft(maps, axis=1))
        overlap = np.fft.irfft(np.einsum("nky,mky->nmk", first, second), one.shape[1], axis=2)
        best = np.maximum(best, overlap.max(2))
    return np.sqrt(np.maximum(squares - 2 * best, 0.0) / size)


def pairwise(maps: Maps) -> float:
    """The mean distance of two different maps; NaN for fewer than two."""
    if len(maps) < 2:
        return float("nan")
    distances = aligned(maps, maps)
    return float(distances[~np.eye(len(maps), dtype=bool)].mean())


def vendi(maps: Maps, width: float = 0.2) -> float:
    """The effective number of different maps, exp of the entropy of the eigenvalues of K / n, with
    K = exp(-d^2 / 2 width^2): 1 where all are the same, n where none is like another. NaN for none.

    Source: D. Friedman and A. B. Dieng, The Vendi score, TMLR 2023.
    """
    if not len(maps):
        return float("nan")
    kernel = np.exp(-(aligned(maps, maps) ** 2) / (2 * width**2)) / len(maps)
    values = np.clip(np.linalg.eigvalsh(kernel), 1e-12, None)  # aligned distances need not be those of a space
    values = values / values.sum()
    return float(np.exp(-np.sum(values * np.log(values))))


def novelty(maps: Maps, known: Maps) -> Float[np.ndarray, " n"]:
    """The distance of each map to the nearest known one."""
    return np.concatenate([aligned(maps[i : i + 64], known).min(1) for i in range(0, len(maps), 64)])
