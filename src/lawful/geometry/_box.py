"""A box of one or more named axes, and its faces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Bool, Float

from .._core.messages import BadInput, listing, nearest, shown
from .._core.names import declare
from .._core.numbers import real_array


class Face(NamedTuple):
    """One end of one axis: `side` 0 is the lower end, 1 the upper."""

    axis: str
    side: int


class Part(eqx.Module):
    """A labelled part of a box's boundary: one or more of its faces."""

    domain: Box
    faces: tuple[Face, ...] = eqx.field(static=True)

    def __str__(self) -> str:
        return listing(f"{face.axis} = {exact(self.domain.ends(face.axis)[face.side])}" for face in self.faces)


class Box(eqx.Module):
    """The set lower <= axis <= upper for each named axis: `Box(x=(-1, 1), t=(0, 1))`.

    Arguments: for each axis its name and (lower, upper), in the unit of that axis. Time is an axis like any other.
    Raises `BadInput` where an end is not finite or the upper does not exceed the lower.
    """

    axes: tuple[str, ...] = eqx.field(static=True)
    lower: tuple[float, ...] = eqx.field(static=True)
    upper: tuple[float, ...] = eqx.field(static=True)

    def __init__(self, **axes: tuple[float, float]):
        if not axes:
            raise BadInput("Box() has no axis; give at least one, such as Box(t=(0, 1)).")
        declare(dict.fromkeys(axes, "axis"))
        found = {name: checked_ends(name, ends) for name, ends in axes.items()}
        self.axes = tuple(found)
        self.lower = tuple(lower for lower, _ in found.values())
        self.upper = tuple(upper for _, upper in found.values())

    def ends(self, axis: str) -> tuple[float, float]:
        """(lower, upper) of an axis."""
        index = self._index(axis)
        return self.lower[index], self.upper[index]

    def length(self, axis: str) -> float:
        """The length of an axis, upper - lower."""
        lower, upper = self.ends(axis)
        return upper - lower

    def at(self, /, **where: float | tuple[float, ...]) -> Part:
        """The faces where an axis has one of its end values: `at(t=0)`, `at(x=(-1, 1))` for both ends.

        Raises `BadInput` for an unknown axis or a value that is not an end of the axis.
        """
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
        return Part(self, tuple(dict.fromkeys(faces)))

    def boundary(self) -> Part:
        """All faces."""
        return Part(self, tuple(Face(axis, side) for axis in self.axes for side in (0, 1)))

    def contains(self, points: dict[str, Float[np.ndarray, " n"]]) -> Bool[np.ndarray, " n"]:
        """Which points lie in the closed box, to rounding."""
        slack = {axis: 1e-9 * self.length(axis) for axis in self.axes}
        return np.logical_and.reduce(
            [
                (points[axis] >= self.ends(axis)[0] - slack[axis]) & (points[axis] <= self.ends(axis)[1] + slack[axis])
                for axis in self.axes
            ]
        )

    def _index(self, axis: str) -> int:
        if axis not in self.axes:
            raise BadInput(f"the domain has no axis '{axis}'{nearest(axis, self.axes)} Axes: {listing(self.axes)}.")
        return self.axes.index(axis)


def checked_ends(name: str, ends: object) -> tuple[float, float]:
    """(lower, upper) of an axis as floats."""
    if not isinstance(ends, Sequence | np.ndarray) or isinstance(ends, str) or len(ends) != 2:
        raise BadInput(f"Box axis '{name}' must be (lower, upper), but it is {shown(ends)}; write {name}=(0, 1).")
    try:
        lower, upper = (float(real_array(end)) for end in ends)
    except TypeError:
        raise BadInput(
            f"Box axis '{name}' must have two numbers, but it is {shown(ends)}; write {name}=(0, 1)."
        ) from None
    if not (np.isfinite(lower) and np.isfinite(upper) and upper > lower):
        raise BadInput(
            f"Box axis '{name}' runs from {lower:g} to {upper:g}; the second end must be larger and both finite."
        )
    return lower, upper


def exact(end: float) -> str:
    """An end of an axis as `at` takes it back, without the digits that are rounding."""
    return f"{end:.13g}"
