"""A box of one or more named axes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from .._core.messages import BadInput, listing, nearest, shown
from .._core.names import declare
from .._core.numbers import real_array
from ._flat import Flat
from ._part import Face, Part, end_label, exact, face_label
from ._rfunctions import both
from ._segment import Segment
from ._shape import Shape
from ._sobol import Points, unit_points
from ._surface import Surface

Scalar = Float[Array, ""]


class Box(Shape):
    """The set lower <= axis <= upper for each named axis: `Box(x=(-1, 1), t=(0, 1))`.

    Arguments: for each axis its name and (lower, upper), in the unit of that axis. Time is an axis like any other.
    Its boundary parts are faces; with two or three axes it can also be combined with other shapes (`|`, `&`, `-`), and
    its sides are then pieces like any other, labelled "x = -1".
    Raises `BadInput` where an end is not finite or the upper does not exceed the lower.
    """

    axes: tuple[str, ...] = eqx.field(static=True)
    lower: tuple[float, ...] = eqx.field(static=True)
    upper: tuple[float, ...] = eqx.field(static=True)

    def __init__(self, **axes: tuple[float, float]):
        if not axes:
            raise BadInput("Box() has no axis; give at least one, such as Box(t=(0, 1)).")
        declare(dict.fromkeys(axes, "axis"))
        found = {name: checked_ends(f"Box axis '{name}'", name, ends) for name, ends in axes.items()}
        self.axes = tuple(found)
        self.lower = tuple(lower for lower, _ in found.values())
        self.upper = tuple(upper for _, upper in found.values())

    def ends(self, axis: str) -> tuple[float, float]:
        """(lower, upper) of an axis."""
        index = self._index(axis)
        return self.lower[index], self.upper[index]

    @property
    def measure(self) -> float:
        """The product of the lengths."""
        return float(np.prod([self.length(axis) for axis in self.axes]))

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the faces: "x = -1"."""
        return tuple(face_label(self, face) for face in self.boundary().faces)

    @property
    def pieces(self) -> tuple[Surface, ...]:
        """The sides as segments in the plane, as rectangles in space."""
        if len(self.axes) == 2:
            (a, c), (b, d) = self.lower, self.upper
            corners = {
                (0, 0): ((a, d), (a, c)),
                (0, 1): ((b, c), (b, d)),
                (1, 0): ((a, c), (b, c)),
                (1, 1): ((b, d), (a, d)),
            }
            sides = {key: Segment(self.axes, *ends) for key, ends in corners.items()}
        elif len(self.axes) == 3:
            sides = {
                (i, side): Flat(self._section(axis), axis, self.ends(axis)[side], side)
                for i, axis in enumerate(self.axes)
                for side in (0, 1)
            }
        else:
            raise BadInput(
                f"a Box of {len(self.axes)} axes ({listing(self.axes)}) has no curved pieces; only boxes of two or "
                "three axes are shapes: add time afterwards, as in (a - b) * Box(t=(0, 1))."
            )
        return tuple(
            Surface(end_label(self.axes[i], self.ends(self.axes[i])[side]), carrier)
            for (i, side), carrier in sides.items()
        )

    def at(self, /, **where: float | tuple[float, ...]) -> Part:
        """The faces where an axis has one of its end values: `at(t=0)`, `at(x=(-1, 1))` for both ends.

        Raises `BadInput` for an unknown axis or a value that is not an end of the axis.
        """
        return Part(self, self.faces_at(**where))

    def faces_at(self, /, **where: float | tuple[float, ...]) -> tuple[Face, ...]:
        """The faces that `at` names."""
        if len(where) != 1:
            raise BadInput(
                f"at() takes one axis, such as at({self.axes[0]}={self.lower[0]:g}), but got {listing(where)}."
            )
        [(axis, given)] = where.items()
        lower, upper = self.ends(axis)
        example = f"at({axis}={exact(lower)})"
        try:
            values = real_array(given).ravel().tolist()
        except TypeError as error:
            raise BadInput(f"at({axis}={shown(given)}) holds {error}; give a number, such as {example}.") from None
        if not values:
            raise BadInput(f"at({axis}={shown(given)}) names no place; give an end of the axis, such as {example}.")
        faces = []
        for value in values:
            if not any(np.isclose(value, end, rtol=1e-12, atol=1e-12 * (upper - lower)) for end in (lower, upper)):
                raise BadInput(
                    f"at({axis}={value:g}) is not on the boundary: '{axis}' ends at {exact(lower)} and {exact(upper)};"
                    " what is known inside belongs in data."
                )
            faces.append(Face(axis, int(abs(value - upper) < abs(value - lower))))
        return tuple(dict.fromkeys(faces))

    def boundary(self, label: str | None = None, where: Callable | None = None) -> Part:
        """All faces, the one with a label ("x = -1"), or, of a box of two or three axes, the part of them where `where`
        of the axes is positive or true; that part is made of surfaces, for it is no whole face."""
        if where is not None:
            return Part(self, (), self.selected(label, where))
        faces = tuple(Face(axis, side) for axis in self.axes for side in (0, 1))
        if label is None:
            return Part(self, faces)
        chosen = tuple(face for face in faces if face_label(self, face) == label)
        if not chosen:
            raise BadInput(
                f"the box has no face '{label}'{nearest(str(label), self.labels)} Faces: {listing(self.labels)}."
            )
        return Part(self, chosen)

    def contains(self, points: Points) -> Bool[np.ndarray, " n"]:
        """Which points lie in the closed box, to rounding."""
        slack = {axis: 1e-9 * self.length(axis) for axis in self.axes}
        return np.logical_and.reduce(
            [
                (points[axis] >= self.ends(axis)[0] - slack[axis]) & (points[axis] <= self.ends(axis)[1] + slack[axis])
                for axis in self.axes
            ]
        )

    def drawn(self, count: int, seed: int, unit: Callable = unit_points) -> Points:
        return self.stretched(unit(count, len(self.axes), seed))

    def depth(self, points: Points) -> Float[np.ndarray, " n"]:
        """The distance to the nearest face's plane."""
        gaps = [(points[axis] - self.ends(axis)[0], self.ends(axis)[1] - points[axis]) for axis in self.axes]
        return functools.reduce(np.minimum, (gap for pair in gaps for gap in pair))

    def level(self, **point: Scalar) -> Scalar:
        """The intersection of the slabs (x - a) (b - x) / (b - a)."""
        slabs = [
            (point[axis] - low) * (up - point[axis]) / (up - low)
            for axis, low, up in zip(self.axes, self.lower, self.upper, strict=True)
        ]
        return jnp.asarray(functools.reduce(both, slabs))

    def without(self, axis: str) -> Box | None:
        self._index(axis)
        return self._section(axis) if len(self.axes) > 1 else None

    def _section(self, axis: str) -> Box:
        return Box(**{other: self.ends(other) for other in self.axes if other != axis})


def checked_ends(what: str, name: str, ends: object) -> tuple[float, float]:
    """(lower, upper) of an axis as floats."""
    if not isinstance(ends, Sequence | np.ndarray) or isinstance(ends, str) or len(ends) != 2:
        raise BadInput(f"{what} must be (lower, upper), but it is {shown(ends)}; write {name}=(0, 1).")
    try:
        lower, upper = (float(real_array(end)) for end in ends)
    except TypeError:
        raise BadInput(f"{what} must have two numbers, but it is {shown(ends)}; write {name}=(0, 1).") from None
    if not (np.isfinite(lower) and np.isfinite(upper) and upper > lower):
        raise BadInput(f"{what} runs from {lower:g} to {upper:g}; the second end must be larger and both finite.")
    return lower, upper
