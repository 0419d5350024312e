"""Simple polygons."""

from __future__ import annotations

import os
from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from .._core.messages import BadInput, listing, shown
from .._core.names import declare
from .._core.numbers import real_array
from ._joined import equivalence
from ._segment import Segment
from ._shape import Shape
from ._sobol import Points
from ._stacked import stacked
from ._surface import Surface

Scalar = Float[Array, ""]
Corners = Float[np.ndarray, "n 2"]

AT_ONCE = 2**20  # pairs of points and sides in memory at a time


class Polygon(Shape):
    """A polygon by its corners in order, either way round: `Polygon(x=[0, 1, 0], y=[0, 0, 1])`.

    Arguments: the coordinates of the corners along two axes; the first corner may be repeated at the end. Side i runs
    from corner i to the next and is called "side i", or all are called `label`.
    Raises `BadInput` for fewer than three corners, repeated ones, sides that cross or touch, and no area.
    """

    axes: tuple[str, ...] = eqx.field(static=True)
    corners: tuple[tuple[float, float], ...] = eqx.field(static=True)
    label: str | None = eqx.field(static=True)

    def __init__(self, *, label: str | None = None, **corners: Sequence[float]):
        what = type(self).__name__
        self.axes, points = checked_corners(what, corners)
        refuse_crossings(what, points)
        self.corners = tuple((float(a), float(b)) for a, b in points)
        self.label = label

    @classmethod
    def from_shapely(cls, shape: object, axes: tuple[str, str] = ("x", "y"), label: str | None = None) -> Shape:
        """A shapely Polygon or MultiPolygon: holes become differences ("hole 0", ...), several polygons a union.

        Raises `BadInput` where the extra `mesh` is missing, and for other, invalid or empty geometries.
        """
        from ._outlines import from_shapely

        return from_shapely(shape, axes, label)

    @classmethod
    def read(cls, path: str | os.PathLike, axes: tuple[str, str] = ("x", "y"), label: str | None = None) -> Shape:
        """The plane shape that the triangles of a mesh file cover (gmsh, VTK, ...: what meshio reads).

        Raises `BadInput` where the extra `mesh` is missing, the file cannot be read, or the mesh is not plane.
        """
        from ._outlines import outline

        return outline(path, axes, label)

    def ends(self, axis: str) -> tuple[float, float]:
        values = [corner[self._index(axis)] for corner in self.corners]
        return min(values), max(values)

    @property
    def measure(self) -> float:
        """The area, by the shoelace formula."""
        return abs(signed_area(np.array(self.corners)))

    @property
    def pieces(self) -> tuple[Surface, ...]:
        ends = list(zip(self.corners, (*self.corners[1:], self.corners[0]), strict=True))
        if signed_area(np.array(self.corners)) < 0:  # the inside must be on the left of every side
            ends = [(stop, start) for start, stop in ends]
        return tuple(
            Surface(f"side {i}" if self.label is None else self.label, Segment(self.axes, start, stop))
            for i, (start, stop) in enumerate(ends)
        )

    def depth(self, points: Points) -> Float[np.ndarray, " n"]:
        """The signed distance to the nearest side."""
        places = np.stack([np.asarray(points[axis], dtype=float) for axis in self.axes], axis=-1)
        start = np.array(self.corners)
        side = np.roll(start, -1, axis=0) - start
        blocks = np.array_split(places, max(1, len(places) * len(start) // AT_ONCE))
        return np.concatenate([signed_distance(block, start, side) for block in blocks])

    def level(self, **point: Scalar) -> Scalar:
        """The joint distance to all sides, with the sign of the inside."""
        x, y = (jnp.asarray(point[axis], dtype=jnp.result_type(point[axis], float)) for axis in self.axes)
        distance = equivalence(stacked(self.pieces)(**point), 1)
        corners = np.array(self.corners)
        (a, b), (c, d) = (jnp.asarray(ends.T, dtype=x.dtype) for ends in (corners, np.roll(corners, -1, axis=0)))
        above = (b > y) != (d > y)
        right = x < a + (y - b) * (c - a) / jnp.where(above, d - b, 1.0)
        inside = jnp.sum(above & right) % 2 == 1
        # on the boundary itself the sign is already in the distance, see `trimmed`
        near = float(jnp.finfo(x.dtype).eps) ** 0.6 * self.size
        return jnp.where(inside | (distance < near), distance, -distance)


class Triangle(Polygon):
    """A polygon of three corners: `Triangle(x=(0, 1, 0), y=(0, 0, 1))`."""

    def __init__(self, *, label: str | None = None, **corners: Sequence[float]):
        super().__init__(label=label, **corners)
        if len(self.corners) != 3:
            raise BadInput(f"Triangle takes three corners, but got {len(self.corners)}; for more, use Polygon.")


def checked_corners(what: str, corners: dict[str, Sequence[float]]) -> tuple[tuple[str, ...], Corners]:
    """The axes and the corners, one row each."""
    if len(corners) != 2:
        raise BadInput(
            f"{what} takes its corners along two axes, such as {what}(x=[0, 1, 0], y=[0, 0, 1]), "
            f"but got {listing(corners)}."
        )
    declare(dict.fromkeys(corners, "axis"))
    columns = []
    for axis, values in corners.items():
        try:
            columns.append(real_array(values))
        except TypeError as error:
            raise BadInput(f"{what} {axis} holds {error}: {shown(values)}; give numbers.") from None
        if columns[-1].ndim != 1 or not np.all(np.isfinite(columns[-1])):
            raise BadInput(f"{what} {axis} must be a list of finite numbers, but it is {shown(values)}.")
    if len(columns[0]) != len(columns[1]):
        first, second = corners
        raise BadInput(
            f"{what} has {len(columns[0])} values of {first} and {len(columns[1])} of {second}; give one of each."
        )
    points = np.stack(columns, axis=1)
    if len(points) > 1 and np.array_equal(points[0], points[-1]):
        points = points[:-1]
    if len(points) < 3:
        raise BadInput(f"{what} has {len(points)} corners; three or more make an inside.")
    return tuple(corners), points


def refuse_crossings(what: str, points: Corners) -> None:
    """Raise `BadInput` where the polygon has no area or its sides meet elsewhere than at their common corners."""
    extent = float(np.ptp(points, axis=0).max())
    step = np.roll(points, -1, axis=0) - points
    short = np.flatnonzero(np.hypot(*step.T) <= 1e-12 * extent)
    if len(short):
        i = int(short[0])
        raise BadInput(f"{what} corners {i} and {(i + 1) % len(points)} are the same point; drop one of them.")
    if abs(signed_area(points)) <= 1e-12 * extent**2:
        raise BadInput(f"{what} has no inside: its corners lie on a line or its sides cancel; check their order.")
    for i in range(len(points)):
        meets = touched(points, i, 1e-12 * extent)
        if len(meets):
            raise BadInput(
                f"{what} side {i} meets side {int(meets[0])} away from a common corner; give the corners in order "
                "along the outline, and cut holes out with `-`."
            )


def touched(points: Corners, i: int, slack: float) -> np.ndarray:
    """The later sides that side i crosses, touches or runs back along."""
    count = len(points)
    others = np.arange(i + 1, count)
    p, q = points[i], points[(i + 1) % count]
    r, s = points[others], points[(others + 1) % count]
    length = np.hypot(*(q - p))

    def off(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
        """The signed distance of c from the line through a and b."""
        d = b - a
        return (d[..., 0] * (c - a)[..., 1] - d[..., 1] * (c - a)[..., 0]) / np.hypot(d[..., 0], d[..., 1])

    def apart(one: np.ndarray, two: np.ndarray) -> np.ndarray:
        return ((one > slack) & (two > slack)) | ((one < -slack) & (two < -slack))

    crossing = ~apart(off(p, q, r), off(p, q, s)) & ~apart(off(r, s, p), off(r, s, q))
    in_line = (np.abs(off(p, q, r)) <= slack) & (np.abs(off(p, q, s)) <= slack)
    from_r, from_s = (r - p) @ (q - p) / length, (s - p) @ (q - p) / length
    overlap = np.minimum(np.maximum(from_r, from_s), length) - np.maximum(np.minimum(from_r, from_s), 0.0)
    neighbour = (others == i + 1) | ((others + 1) % count == i)
    # neighbours share a corner, and must not share more; others in line must not overlap
    bad = np.where(in_line, overlap > np.where(neighbour, slack, -slack), crossing & ~neighbour)
    return others[bad]


def signed_area(points: Corners) -> float:
    """Positive where the corners run anticlockwise."""
    x, y = (points - points.mean(axis=0)).T
    return 0.5 * float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))


def signed_distance(places: Corners, start: Corners, side: Corners) -> Float[np.ndarray, " n"]:
    """To the nearest side, positive inside by the even-odd rule."""
    offset = places[:, None, :] - start
    share = np.clip(np.sum(offset * side, axis=-1) / np.sum(side**2, axis=-1), 0, 1)
    gap = offset - share[..., None] * side
    distance = np.sqrt(np.min(np.sum(gap**2, axis=-1), axis=-1))
    return np.where(even_odd(places, start, side), distance, -distance)


def even_odd(places: Corners, start: Corners, side: Corners) -> Bool[np.ndarray, " n"]:
    """Whether a ray to the right crosses an odd number of sides."""
    x, y = places[:, :1], places[:, 1:]
    stop = np.roll(start[:, 1], -1)  # start + side may be rounded to the other side of a place at a corner's height
    above = (start[:, 1] > y) != (stop > y)
    rise = np.where(side[:, 1] == 0, 1.0, side[:, 1])
    right = x < start[:, 0] + (y - start[:, 1]) * side[:, 0] / rise
    return np.sum(above & right, axis=1) % 2 == 1
