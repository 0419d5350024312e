"""A shape times further axes: a disk times time, a polygon times height."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import equinox as eqx
import numpy as np
from jaxtyping import Bool

from .._core.messages import BadInput, listing, nearest, shown
from ._box import Box
from ._domain import Domain
from ._part import Part, face_label
from ._shape import Shape
from ._sobol import Points
from ._surface import Surface


class Product(Domain):
    """`shape * box`: the axes of the shape, then those of the box: `Disk(x=0, y=0, radius=1) * Box(t=(0, 1))`.

    `at(t=0)` gives faces of the box, `boundary("edge")` the pieces of the shape, extended along the box.
    """

    axes: tuple[str, ...] = eqx.field(static=True)
    shape: Shape
    box: Box

    def __init__(self, shape: Shape, box: Box):
        self.axes, self.shape, self.box = shape.axes + box.axes, shape, box

    def ends(self, axis: str) -> tuple[float, float]:
        self._index(axis)
        return (self.box if axis in self.box.axes else self.shape).ends(axis)

    @property
    def measure(self) -> float:
        """The measure of the shape times that of the box."""
        return self.shape.measure * self.box.measure

    @property
    def labels(self) -> tuple[str, ...]:
        return self.shape.labels + self.box.labels

    def contains(self, points: Points) -> Bool[np.ndarray, " n"]:
        return self.shape.contains(points) & self.box.contains(points)

    def at(self, /, **where: float | tuple[float, ...]) -> Part:
        for axis in where:
            self._index(axis)
            if axis in self.shape.axes:
                self.shape.no_ends()
        return Part(self, self.box.faces_at(**where))

    def boundary(self, label: str | None = None, where: Callable | None = None) -> Part:
        """The pieces of the shape and the faces of the box; or those with one label; or, with `where`, a function of
        the shape's axes, only that part of the shape's pieces."""
        faces = self.box.boundary().faces
        if label is None and where is None:
            return Part(self, faces, self.extended(self.shape.pieces))
        chosen = tuple(face for face in faces if face_label(self, face) == label)
        if label is None or label in self.shape.labels:
            return Part(self, chosen if where is None else (), self.extended(self.shape.selected(label, where)))
        if not chosen:
            raise BadInput(
                f"the boundary has no piece '{label}'{nearest(str(label), self.labels)} Pieces: {listing(self.labels)}."
            )
        if where is not None:
            raise BadInput(
                f"where of boundary() restricts pieces of the shape ({listing(self.shape.labels)}), not '{label}'; "
                "leave it out, and let the value given there depend on the place."
            )
        return Part(self, chosen)

    def without(self, axis: str) -> Domain:
        self._index(axis)
        if axis in self.shape.axes:
            self.shape.no_ends()
        rest = self.box.without(axis)
        return self.shape if rest is None else Product(self.shape, rest)

    def extended(self, pieces: tuple[Surface, ...]) -> tuple[Surface, ...]:
        return tuple(dataclasses.replace(piece, span=self.box) for piece in pieces)


def product(first: Domain, second: object) -> Domain:
    """`first * second`. Raises `BadInput` where the second is no box or an axis is in both."""
    if not isinstance(second, Box):
        raise BadInput(
            f"a domain can be multiplied by a Box of further axes, such as * Box(t=(0, 1)), but got "
            f"{type(second).__name__} {shown(second)}; write the shape first and the Box last."
        )
    twice = [axis for axis in first.axes if axis in second.axes]
    if twice:
        raise BadInput(f"both factors have the axis {listing(twice)}; give every axis once.")
    match first:
        case Box():
            return Box(**{axis: part.ends(axis) for part in (first, second) for axis in part.axes})
        case Product(shape=shape, box=box):
            return Product(shape, Box(**{axis: part.ends(axis) for part in (box, second) for axis in part.axes}))
        case Shape():
            return Product(first, second)
    raise BadInput(f"{type(first).__name__} cannot be multiplied by further axes.")
