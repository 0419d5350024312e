"""A flat piece of a boundary in space."""

from __future__ import annotations

from typing import TYPE_CHECKING

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

from ._carrier import Carrier
from ._sobol import Points

if TYPE_CHECKING:
    from ._shape import Shape

Scalar = Float[Array, ""]


class Flat(Carrier):
    """A plane shape (a box, a disk) at one end of a third axis: `side` 0 is the lower end, 1 the upper.

    level = axis - position (its negative at the upper end), reach = the level of the plane shape.
    """

    axes: tuple[str, ...] = eqx.field(static=True)
    shape: Shape
    axis: str = eqx.field(static=True)
    position: float = eqx.field(static=True)
    side: int = eqx.field(static=True)

    def __init__(self, shape: Shape, axis: str, position: float, side: int):
        self.axes = (*shape.axes, axis)
        self.shape, self.axis, self.position, self.side = shape, axis, position, side

    @property
    def size(self) -> float:
        return min(self.shape.length(axis) for axis in self.shape.axes)

    @property
    def measure(self) -> float:
        return self.shape.measure

    def level(self, **point: Scalar) -> Scalar:
        return self.position - point[self.axis] if self.side else point[self.axis] - self.position

    def reach(self, **point: Scalar) -> Scalar:
        return self.shape.level(**point)

    def place(self, unit: Float[np.ndarray, "n 2"]) -> Points:
        points = self.shape.drawn(len(unit), 0, lambda count, dimension, seed: unit)
        return {**points, self.axis: np.full(len(unit), self.position)}

    def outward(self, points: Points) -> Points:
        ones = np.ones_like(points[self.axis])
        return {**dict.fromkeys(self.shape.axes, 0 * ones), self.axis: ones if self.side else -ones}
