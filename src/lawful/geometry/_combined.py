"""Unions, intersections and differences of shapes."""

from __future__ import annotations

import abc

import equinox as eqx
import numpy as np
from jaxtyping import Array, Bool, Float

from .._core.messages import BadInput, listing, shown
from ._carrier import Curve
from ._cutting import bounding_pieces
from ._rfunctions import both, either
from ._shape import ROUNDING, Shape
from ._sobol import Points, unit_points
from ._surface import Surface

Scalar = Float[Array, ""]


class Combined(Shape):
    """Two shapes over the same axes made one by a set operation.

    Raises `BadInput` for other axes, for what is no shape, and where nothing is left.
    """

    first: Shape
    second: Shape
    axes: tuple[str, ...] = eqx.field(static=True)
    outline: tuple[Surface, ...]
    box: tuple[tuple[float, float], ...] = eqx.field(static=True)

    def __init__(self, first: Shape, second: Shape):
        check_pair(type(self).__name__.lower(), first, second)
        self.first, self.second, self.axes = first, second, first.axes
        size = max(first.size, second.size)
        self.outline = bounding_pieces(first, second, self.depth, size)
        if not self.outline:
            raise BadInput(
                f"the {type(self).__name__.lower()} of {type(first).__name__} and {type(second).__name__} is a shape "
                "with no inside; check where the two lie."
            )
        self.box = tuple(self._ends(axis) for axis in first.axes)

    @abc.abstractmethod
    def _ends(self, axis: str) -> tuple[float, float]:
        """The ends of an axis from those of the two shapes."""

    @property
    def pieces(self) -> tuple[Surface, ...]:
        return self.outline

    def ends(self, axis: str) -> tuple[float, float]:
        return self.box[self._index(axis)]

    @property
    def measure(self) -> float:
        """In the plane the area, exact: half the integral of r . n along the boundary. In space an estimate from 2^16
        Sobol points of the box around, good to about 1e-3 of that box."""
        if all(isinstance(piece.carrier, Curve) for piece in self.pieces):
            middle = tuple(sum(self.ends(axis)) / 2 for axis in self.axes)
            return float(sum(swept(piece, dict(zip(self.axes, middle, strict=True))) for piece in self.pieces))
        inside = self.contains(self.stretched(unit_points(2**16, len(self.axes), 0)))
        return float(np.mean(inside) * np.prod([self.length(axis) for axis in self.axes]))


class Union(Combined):
    """`a | b`: the points of either."""

    def __init__(self, first: Shape, second: Shape):
        super().__init__(first, second)

    def _ends(self, axis: str) -> tuple[float, float]:
        (a, b), (c, d) = self.first.ends(axis), self.second.ends(axis)
        return min(a, c), max(b, d)

    def depth(self, points: Points) -> Float[np.ndarray, " n"]:
        return np.maximum(self.first.depth(points), self.second.depth(points))

    def level(self, **point: Scalar) -> Scalar:
        return either(self.first.level(**point), self.second.level(**point))

    def contains(self, points: Points) -> Bool[np.ndarray, " n"]:
        return self.first.contains(points) | self.second.contains(points)


class Intersection(Combined):
    """`a & b`: the points of both."""

    def __init__(self, first: Shape, second: Shape):
        super().__init__(first, second)

    def _ends(self, axis: str) -> tuple[float, float]:
        (a, b), (c, d) = self.first.ends(axis), self.second.ends(axis)
        return max(a, c), min(b, d)

    def depth(self, points: Points) -> Float[np.ndarray, " n"]:
        return np.minimum(self.first.depth(points), self.second.depth(points))

    def level(self, **point: Scalar) -> Scalar:
        return both(self.first.level(**point), self.second.level(**point))

    def contains(self, points: Points) -> Bool[np.ndarray, " n"]:
        return self.first.contains(points) & self.second.contains(points)


class Difference(Combined):
    """`a - b`: the points of the first that are not inside the second; the edge of the hole belongs to it."""

    def __init__(self, first: Shape, second: Shape):
        super().__init__(first, second)

    def _ends(self, axis: str) -> tuple[float, float]:
        return self.first.ends(axis)

    def depth(self, points: Points) -> Float[np.ndarray, " n"]:
        return np.minimum(self.first.depth(points), -self.second.depth(points))

    def level(self, **point: Scalar) -> Scalar:
        return both(self.first.level(**point), -self.second.level(**point))

    def contains(self, points: Points) -> Bool[np.ndarray, " n"]:
        return self.first.contains(points) & ~(self.second.depth(points) > ROUNDING * self.second.size)


def check_pair(name: str, first: Shape, second: object) -> None:
    """Raise `BadInput` for shapes that cannot be combined."""
    if not isinstance(second, Shape):
        cure = (
            "combine the shapes first and multiply by further axes afterwards"
            if hasattr(second, "axes")
            else ("give a shape such as Disk, Polygon or Box")
        )
        raise BadInput(f"the {name} takes two shapes, but got {type(second).__name__} {shown(second)}; {cure}.")
    if set(first.axes) != set(second.axes):
        raise BadInput(
            f"the {name} takes two shapes over the same axes, but {type(first).__name__} has {listing(first.axes)} and "
            f"{type(second).__name__} has {listing(second.axes)}; multiply a shape by Box(...) to add an axis."
        )


def swept(piece: Surface, middle: dict[str, float]) -> float:
    """The area between a piece and a point, negative where the domain lies on the outer side."""
    curve = piece.carrier
    assert isinstance(curve, Curve)
    # the signed area turns over with the order of the axes, which pieces of the second shape may have otherwise
    area = curve.swept((middle[curve.axes[0]], middle[curve.axes[1]]))
    return -area if piece.turned else area
