"""Where laws and conditions are asked to hold: points inside a domain and on its boundary."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ._box import Box
from ._domain import Domain
from ._part import Part
from ._sobol import collected

RAY = 65  # places on a ray where it is asked whether the domain holds them
HALVINGS = 30  # that find the ends of a ray in it, to 1e-9 of their distance


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
    """`count` scrambled Sobol points inside, low discrepancy in every dimension: coordinates by axis, each (count,).

    The same `seed` gives the same points. Source: Joe and Kuo (2008), as in SciPy.
    """
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


def radial_points(
    domain: Domain, count: int, seed: int, centre: dict[str, float], radii: tuple[float, float]
) -> dict[str, Float[np.ndarray, " n"]]:
    """Low-discrepancy points on the rays from a centre, all directions alike, with the density of `arcsine_points`
    between where a ray enters the domain and where it last leaves it.

    centre   two coordinates outside the domain, such as the middle of a hole.
    radii    distances from the centre between which the domain lies.
    """

    def at(r: np.ndarray, angle: np.ndarray) -> dict[str, np.ndarray]:
        (one, x), (two, y) = centre.items()
        return {one: x + r * np.cos(angle), two: y + r * np.sin(angle)}

    def placed(unit: np.ndarray) -> dict[str, np.ndarray]:
        angle = 2 * np.pi * unit[:, 0]
        steps = np.linspace(*radii, RAY)
        inside = domain.contains({axis: v.ravel() for axis, v in at(steps, angle[:, None]).items()})
        inside = inside.reshape(len(angle), RAY)
        first, last = inside.argmax(axis=1), RAY - 1 - inside[:, ::-1].argmax(axis=1)
        near = bisected(steps[first], steps[np.maximum(first - 1, 0)], angle)
        far = bisected(steps[last], steps[np.minimum(last + 1, RAY - 1)], angle)
        return at(near + (far - near) * 0.5 * (1 - np.cos(np.pi * unit[:, 1])), angle)

    def bisected(within: np.ndarray, without: np.ndarray, angle: np.ndarray) -> np.ndarray:
        for _ in range(HALVINGS):
            middle = 0.5 * (within + without)
            inside = domain.contains(at(middle, angle))
            within, without = np.where(inside, middle, within), np.where(inside, without, middle)
        return within

    return collected(count, 2, seed, placed, domain.contains)


def uniform_points(domain: Domain, count: int, seed: int) -> dict[str, Float[np.ndarray, " n"]]:
    """`count` independent random points inside, uniform in measure: what Monte Carlo error bars ask for.

    Coordinates by axis, each (count,); the same `seed` gives the same points.
    """
    return domain.drawn(count, seed, random_unit)


def boundary_points(part: Part, count: int, seed: int) -> dict[str, Float[np.ndarray, " n"]]:
    """`count` low-discrepancy points on a part of the boundary, each face and surface by its share of the measure.

    Coordinates by axis, each (count,); the same `seed` gives the same points.
    """
    return part.sample(count, seed)


def random_unit(count: int, dimension: int, seed: int) -> Float[np.ndarray, "count dimension"]:
    """Independent points of the unit cube."""
    return np.random.default_rng(seed).random((count, dimension))
