"""Fewer points that look the same: extremes are kept, since they are what a reader looks for."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int


def kept(*columns: Float[np.ndarray, " n"], most: int = 900) -> Int[np.ndarray, " k"]:
    """Indices of at most about `most` rows: the ends, and the extremes of each column in every stretch."""
    count = len(columns[0])
    if count <= most:
        return np.arange(count)
    edges = np.linspace(0, count, max(most // (2 * len(columns)), 1) + 1).astype(int)
    found = {0, count - 1}
    for column in columns:
        low, high = (
            np.where(np.isfinite(column), column, np.inf),
            np.where(np.isfinite(column), column, -np.inf),
        )
        for start, stop in pairwise(edges):
            found |= {start + int(np.argmin(low[start:stop])), start + int(np.argmax(high[start:stop]))}
    return np.array(sorted(found))


def coarser(
    lines: tuple[Float[np.ndarray, " n"], Float[np.ndarray, " m"]],
    values: Float[np.ndarray, "n m"],
    most: int = 300,
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """A map of at most `most` cells a side: in each block the value of largest size stands for all."""
    first, second = (-(-line.size // most) for line in lines)
    if first == second == 1:
        return lines, values
    below, right = -lines[0].size % first, -lines[1].size % second
    padded = np.full((lines[0].size + below, lines[1].size + right), np.nan)
    padded[: lines[0].size, : lines[1].size] = values
    rows, columns = padded.shape[0] // first, padded.shape[1] // second
    blocks = padded.reshape(rows, first, columns, second).swapaxes(1, 2).reshape(rows, columns, -1)
    size = np.where(np.isfinite(blocks), np.abs(blocks), -1.0)
    taken = np.take_along_axis(blocks, np.argmax(size, axis=-1)[..., None], axis=-1)[..., 0]
    return (middles(lines[0], first), middles(lines[1], second)), taken


def middles(line: Float[np.ndarray, " n"], step: int) -> Float[np.ndarray, " k"]:
    """The mean place of each run of `step` places; the last run may be shorter."""
    return np.array([line[start : start + step].mean() for start in range(0, line.size, step)])
