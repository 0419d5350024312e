"""Disks and ellipses."""

from __future__ import annotations

import math
from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput
from ._arc import Arc, ellipse_level
from ._numbers import centre_of, positive
from ._shape import Shape
from ._sobol import Points, unit_points
from ._surface import Surface

Scalar = Float[Array, ""]


class Ellipse(Shape):
    """The set ((x - x0)/a)^2 + ((y - y0)/b)^2 <= 1: `Ellipse(x=0, y=0, semi=(2, 1), label="edge")`.

    Arguments: the centre by axis, two axes; the half-axes `semi` along them. Its one piece of boundary is called
    `label`. Raises `BadInput` where there are not two axes, or a half-axis is not a positive number.
    """

    axes: tuple[str, ...] = eqx.field(static=True)
    centre: tuple[float, float] = eqx.field(static=True)
    semi: tuple[float, float] = eqx.field(static=True)
    label: str = eqx.field(static=True)

    def __init__(self, *, semi: tuple[float, float], label: str = "edge", **centre: float):
        what = type(self).__name__
        self.axes, self.centre = centre_of(what, centre, 2)  # pyright: ignore[reportAttributeAccessIssue]
        if not isinstance(semi, tuple | list | np.ndarray) or len(semi) != 2:
            raise BadInput(f"{what} semi must be two half-axes, but it is {semi!r}; write semi=(2, 1).")
        self.semi = (positive(what, "semi", semi[0]), positive(what, "semi", semi[1]))
        self.label = label

    def ends(self, axis: str) -> tuple[float, float]:
        index = self._index(axis)
        return self.centre[index] - self.semi[index], self.centre[index] + self.semi[index]

    @property
    def measure(self) -> float:
        """The area pi a b."""
        return math.pi * self.semi[0] * self.semi[1]

    @property
    def pieces(self) -> tuple[Surface, ...]:
        return (Surface(self.label, Arc(self.axes, self.centre, self.semi)),)

    def depth(self, points: Points) -> Float[np.ndarray, " n"]:
        x, y = (points[axis] - c for axis, c in zip(self.axes, self.centre, strict=True))
        if self.semi[0] == self.semi[1]:
            return self.semi[0] - np.hypot(x, y)
        return ellipse_level(x, y, self.semi)  # pyright: ignore[reportArgumentType, reportReturnType]

    def level(self, **point: Scalar) -> Scalar:
        x, y = (point[axis] - c for axis, c in zip(self.axes, self.centre, strict=True))
        return jnp.asarray(ellipse_level(x, y, self.semi))

    def drawn(self, count: int, seed: int, unit: Callable = unit_points) -> Points:
        """R = sqrt(u), angle = 2 pi v, which keeps areas."""
        radius, turn = unit(count, 2, seed).T
        radius, angle = np.sqrt(radius), 2 * math.pi * turn
        return {
            self.axes[0]: self.centre[0] + self.semi[0] * radius * np.cos(angle),
            self.axes[1]: self.centre[1] + self.semi[1] * radius * np.sin(angle),
        }


class Disk(Ellipse):
    """The set |r - centre| <= radius in the plane: `Disk(x=0, y=0, radius=1, label="edge")`.

    Arguments: the centre by axis, two axes. Its one piece of boundary is called `label`; the distance to it is
    (R^2 - r^2) / (2 R). Raises `BadInput` where there are not two axes, or the radius is not a positive number.
    """

    def __init__(self, *, radius: float, label: str = "edge", **centre: float):
        radius = positive(type(self).__name__, "radius", radius)
        super().__init__(semi=(radius, radius), label=label, **centre)

    @property
    def radius(self) -> float:
        return self.semi[0]
