"""Circular cylinders."""

from __future__ import annotations

import math

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput, listing
from .._core.names import declare
from ._box import checked_ends
from ._carrier import Carrier
from ._disk import Disk
from ._flat import Flat
from ._numbers import positive
from ._rfunctions import both
from ._shape import Shape
from ._sobol import Points
from ._surface import Surface

Scalar = Float[Array, ""]


class Tube(Carrier):
    """The side of a cylinder: level = (R^2 - r^2) / (2 R), reach = (z - a) (b - z) / (b - a)."""

    axes: tuple[str, ...] = eqx.field(static=True)
    disk: Disk
    axis: str = eqx.field(static=True)
    span: tuple[float, float] = eqx.field(static=True)

    def __init__(self, disk: Disk, axis: str, span: tuple[float, float]):
        self.axes = (*disk.axes, axis)
        self.disk, self.axis, self.span = disk, axis, span

    @property
    def size(self) -> float:
        return min(self.disk.radius, self.span[1] - self.span[0])

    @property
    def measure(self) -> float:
        return 2 * math.pi * self.disk.radius * (self.span[1] - self.span[0])

    def level(self, **point: Scalar) -> Scalar:
        return self.disk.pieces[0].carrier.level(**point)

    def reach(self, **point: Scalar) -> Scalar:
        return slab(point[self.axis], self.span)

    def place(self, unit: Float[np.ndarray, "n 2"]) -> Points:
        low, up = self.span
        return {**self.disk.pieces[0].carrier.place(unit[:, :1]), self.axis: low + (up - low) * unit[:, 1]}

    def outward(self, points: Points) -> Points:
        return {**self.disk.pieces[0].carrier.outward(points), self.axis: np.zeros_like(points[self.axis])}


class Cylinder(Shape):
    """A round bar: `Cylinder(x=0, y=0, radius=1, z=(0, 2))`.

    Arguments: the centre along two axes, (lower, upper) along the third, in any order. Its pieces are called "side",
    "lower end" and "upper end", or all `label`. Raises `BadInput` for other axes, or a radius that is not positive.
    """

    axes: tuple[str, ...] = eqx.field(static=True)
    disk: Disk
    axis: str = eqx.field(static=True)
    span: tuple[float, float] = eqx.field(static=True)
    label: str | None = eqx.field(static=True)

    def __init__(self, *, radius: float, label: str | None = None, **axes: float | tuple[float, float]):
        long = [name for name, value in axes.items() if isinstance(value, tuple | list) or np.ndim(value)]  # pyright: ignore[reportArgumentType]
        if len(axes) != 3 or len(long) != 1:
            raise BadInput(
                "Cylinder takes a centre along two axes and two ends along the third, such as Cylinder(x=0, y=0, "
                f"radius=1, z=(0, 2)), but got ends for {listing(long)} of {listing(axes)}."
            )
        declare(dict.fromkeys(axes, "axis"))
        [self.axis] = long
        self.span = checked_ends(f"Cylinder axis '{self.axis}'", self.axis, axes[self.axis])
        self.axes = tuple(axes)
        centre = {name: value for name, value in axes.items() if name != self.axis}
        self.disk = Disk(radius=positive("Cylinder", "radius", radius), **centre)  # pyright: ignore[reportArgumentType]
        self.label = label

    def ends(self, axis: str) -> tuple[float, float]:
        self._index(axis)
        return self.span if axis == self.axis else self.disk.ends(axis)

    @property
    def measure(self) -> float:
        """The volume pi R^2 (b - a)."""
        return self.disk.measure * (self.span[1] - self.span[0])

    @property
    def pieces(self) -> tuple[Surface, ...]:
        lower, upper = (Flat(self.disk, self.axis, self.span[side], side) for side in (0, 1))
        names = ("side", "lower end", "upper end") if self.label is None else (self.label,) * 3
        tube = Tube(self.disk, self.axis, self.span)
        return tuple(Surface(name, piece) for name, piece in zip(names, (tube, lower, upper), strict=True))

    def depth(self, points: Points) -> Float[np.ndarray, " n"]:
        along = points[self.axis]
        return np.minimum(self.disk.depth(points), np.minimum(along - self.span[0], self.span[1] - along))

    def level(self, **point: Scalar) -> Scalar:
        return both(self.disk.level(**point), slab(point[self.axis], self.span))


def slab(along: Scalar, ends: tuple[float, float]) -> Scalar:
    """Positive between two ends, with slope 1 at both."""
    return (along - ends[0]) * (ends[1] - along) / (ends[1] - ends[0])
