"""Where laws are asked to hold: points inside a box."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ._box import Box


def grid(box: Box, counts: dict[str, int]) -> dict[str, Float[np.ndarray, " n"]]:
    """A regular grid with both ends included, flattened; `counts` points on each axis."""
    lines = [np.linspace(*box.ends(axis), counts[axis]) for axis in box.axes]
    return {axis: values.ravel() for axis, values in zip(box.axes, np.meshgrid(*lines, indexing="ij"), strict=True)}


def chebyshev_points(box: Box, count: int) -> dict[str, Float[np.ndarray, " n"]]:
    """The roots of the Chebyshev polynomial of degree `count` on a box of one axis: denser at the ends, where a
    trial field that is only held inside would be loosest."""
    [axis] = box.axes
    lower, upper = box.ends(axis)
    angle = (np.arange(count) + 0.5) * np.pi / count
    return {axis: lower + (upper - lower) * 0.5 * (1 - np.cos(angle))}


def sobol_points(box: Box, count: int, seed: int) -> dict[str, Float[np.ndarray, " n"]]:
    """Scrambled Sobol points, low discrepancy in every dimension. Source: Joe and Kuo (2008), by way of SciPy."""
    from scipy.stats import qmc

    # A power of two keeps the balance of the sequence; the surplus is cut afterwards.
    power = int(np.ceil(np.log2(max(count, 2))))
    unit = qmc.Sobol(len(box.axes), rng=np.random.default_rng(seed)).random_base2(power)[:count]
    return {
        axis: low + (up - low) * unit[:, i]
        for i, (axis, low, up) in enumerate(zip(box.axes, box.lower, box.upper, strict=True))
    }
