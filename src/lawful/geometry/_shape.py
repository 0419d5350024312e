"""The contract of shapes that set operations combine: a depth, a smooth level, smooth pieces of boundary."""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import NoReturn

import numpy as np
from jaxtyping import Array, Bool, Float

from .._core.messages import BadInput, listing, nearest
from ._domain import Domain
from ._part import Part
from ._restricted import restricted
from ._sobol import Points
from ._surface import Surface

Scalar = Float[Array, ""]

ROUNDING = 1e-9
"""The share of a shape's size within which a point counts as lying on its boundary."""


class Shape(Domain):
    """A domain with an inside that can be united, intersected and subtracted: `a | b`, `a & b`, `a - b`."""

    @property
    @abc.abstractmethod
    def pieces(self) -> tuple[Surface, ...]:
        """The smooth pieces of the boundary."""

    @abc.abstractmethod
    def depth(self, points: Points) -> Float[np.ndarray, " n"]:
        """How deep points lie: positive inside, zero on the boundary, negative outside; near the boundary a length."""

    @abc.abstractmethod
    def level(self, **point: Scalar) -> Scalar:
        """A differentiable function that is positive inside, zero on the boundary with slope 1, negative outside."""

    @property
    def size(self) -> float:
        """The longest side of the box around the shape."""
        return max(self.length(axis) for axis in self.axes)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(piece.label for piece in self.pieces))

    def contains(self, points: Points) -> Bool[np.ndarray, " n"]:
        return self.depth(points) >= -ROUNDING * self.size

    def boundary(self, label: str | None = None, where: Callable | None = None) -> Part:
        """The whole boundary, the pieces with one label, or of these the part where `where` is positive or true.

        `where` is a function of some of the shape's axes, such as `lambda x, y: x < 0` or `lambda x: -x`; in space it
        must return a number. Raises `BadInput` for an unknown label or where nothing is left.
        """
        return Part(self, (), self.selected(label, where))

    def selected(self, label: str | None, where: Callable | None) -> tuple[Surface, ...]:
        """The pieces with a label where a function is positive."""
        if label is not None and label not in self.labels:
            raise BadInput(
                f"the boundary has no piece '{label}'{nearest(str(label), self.labels)} Pieces: {listing(self.labels)}."
            )
        chosen = tuple(piece for piece in self.pieces if label in (None, piece.label))
        if where is None:
            return chosen
        found = tuple(part for piece in chosen for part in restricted(piece, where))
        if not found:
            raise BadInput(
                f"where of boundary() is positive nowhere on {listing(dict.fromkeys(p.label for p in chosen))}; "
                "it must be positive (or true) on the part that is meant."
            )
        return found

    def at(self, /, **where: float | tuple[float, ...]) -> Part:
        self.no_ends()

    def without(self, axis: str) -> Domain | None:
        self.no_ends()

    def no_ends(self) -> NoReturn:
        raise BadInput(
            f"{type(self).__name__} has no face at the end of an axis; take a piece of its boundary by name, such as "
            f"boundary({self.labels[0]!r}). Pieces: {listing(self.labels)}."
        )

    def __or__(self, other: Shape) -> Shape:
        from ._combined import Union

        return Union(self, other)

    def __and__(self, other: Shape) -> Shape:
        from ._combined import Intersection

        return Intersection(self, other)

    def __sub__(self, other: Shape) -> Shape:
        from ._combined import Difference

        return Difference(self, other)
