"""Where laws and conditions are asked to hold: points inside a domain and on its boundary."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ._box import Box
from ._domain import Domain
from ._part import Part


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


def sobol_points(domain: Domain, count: int, seed: int) -> dict[str, Float[np.ndarray, " n"]]:
    """Scrambled Sobol points inside, low discrepancy in every dimension. Source: Joe and Kuo (2008), as in SciPy."""
    return domain.sample(count, seed)


def arcsine_points(box: Box, count: int, seed: int, axes: tuple[str, ...]) -> dict[str, Float[np.ndarray, " n"]]:
    """Low-discrepancy points of a box, with the density 1 / sqrt((x - a) (b - x)) along some of its axes: that of the
    zeros of polynomials, where a least-squares fit of polynomials loses fewest digits.

    Source: A. Cohen and G. Migliorati, SMAI J. Comput. Math. 3, 181 (2017).
    """
    points = sobol_points(box, count, seed)
    for axis in axes:
        lower, upper = box.ends(axis)
        share = (points[axis] - lower) / (upper - lower)
        points = {**points, axis: lower + (upper - lower) * 0.5 * (1 - np.cos(np.pi * share))}
    return points


def uniform_points(domain: Domain, count: int, seed: int) -> dict[str, Float[np.ndarray, " n"]]:
    """Independent random points inside, uniform in measure: what Monte Carlo error bars ask for."""
    return domain.drawn(count, seed, random_unit)


def boundary_points(part: Part, count: int, seed: int) -> dict[str, Float[np.ndarray, " n"]]:
    """Low-discrepancy points on a part of the boundary, each face and surface by its share of the measure."""
    return part.sample(count, seed)


def random_unit(count: int, dimension: int, seed: int) -> Float[np.ndarray, "count dimension"]:
    """Independent points of the unit cube."""
    return np.random.default_rng(seed).random((count, dimension))
