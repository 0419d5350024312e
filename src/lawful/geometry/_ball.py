"""Balls."""

from __future__ import annotations

import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._carrier import Carrier
from ._numbers import centre_of, positive
from ._shape import Shape
from ._sobol import Points
from ._surface import Surface

Scalar = Float[Array, ""]


class Sphere(Carrier):
    """The points at one distance from a centre; level = (R^2 - r^2) / (2 R)."""

    axes: tuple[str, ...] = eqx.field(static=True)
    centre: tuple[float, ...] = eqx.field(static=True)
    radius: float = eqx.field(static=True)

    @property
    def size(self) -> float:
        return self.radius

    @property
    def measure(self) -> float:
        return 4 * math.pi * self.radius**2

    def level(self, **point: Scalar) -> Scalar:
        squares = [(point[axis] - c) ** 2 for axis, c in zip(self.axes, self.centre, strict=True)]
        return (self.radius**2 - squares[0] - squares[1] - squares[2]) / (2 * self.radius)

    def reach(self, **point: Scalar) -> None:
        return None

    def place(self, unit: Float[np.ndarray, "n 2"]) -> Points:
        """Heights are uniform on a sphere (Archimedes)."""
        height, angle = 1 - 2 * unit[:, 0], 2 * math.pi * unit[:, 1]
        across = np.sqrt(1 - height**2)
        directions = (across * np.cos(angle), across * np.sin(angle), height)
        return {axis: c + self.radius * d for axis, c, d in zip(self.axes, self.centre, directions, strict=True)}

    def outward(self, points: Points) -> Points:
        shifted = {axis: points[axis] - c for axis, c in zip(self.axes, self.centre, strict=True)}
        norm = np.sqrt(sum(values**2 for values in shifted.values()))
        return {axis: values / norm for axis, values in shifted.items()}


class Ball(Shape):
    """The set |r - centre| <= radius in space: `Ball(x=0, y=0, z=0, radius=1, label="surface")`.

    Arguments: the centre by axis, three axes. Its one piece of boundary is called `label`; the distance to it is
    (R^2 - r^2) / (2 R). Raises `BadInput` where there are not three axes, or the radius is not a positive number.
    """

    axes: tuple[str, ...] = eqx.field(static=True)
    centre: tuple[float, ...] = eqx.field(static=True)
    radius: float = eqx.field(static=True)
    label: str = eqx.field(static=True)

    def __init__(self, *, radius: float, label: str = "surface", **centre: float):
        self.axes, self.centre = centre_of("Ball", centre, 3)
        self.radius = positive("Ball", "radius", radius)
        self.label = label

    def ends(self, axis: str) -> tuple[float, float]:
        centre = self.centre[self._index(axis)]
        return centre - self.radius, centre + self.radius

    @property
    def measure(self) -> float:
        """The volume 4/3 pi R^3."""
        return 4 / 3 * math.pi * self.radius**3

    @property
    def pieces(self) -> tuple[Surface, ...]:
        return (Surface(self.label, Sphere(self.axes, self.centre, self.radius)),)

    def depth(self, points: Points) -> Float[np.ndarray, " n"]:
        squares = [(points[axis] - c) ** 2 for axis, c in zip(self.axes, self.centre, strict=True)]
        return self.radius - np.sqrt(squares[0] + squares[1] + squares[2])

    def level(self, **point: Scalar) -> Scalar:
        return jnp.asarray(Sphere(self.axes, self.centre, self.radius).level(**point))
