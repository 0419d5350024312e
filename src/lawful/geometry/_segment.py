"""A straight piece of a boundary in the plane."""

from __future__ import annotations

import math

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

from ._carrier import Curve
from ._sobol import Points

Scalar = Float[Array, ""]


class Segment(Curve):
    """The straight line from `start` to `stop`; its inner side is on the left.

    level = ((q - p) x (r - p)) / L, reach = (L^2/4 - d^2) / sqrt(d^2 + 3 L^2/4) with d the distance from the middle.
    Source: Biswas and Shapiro (2004), who divide by L; the root has the same slope at the ends and grows like d.
    """

    axes: tuple[str, ...] = eqx.field(static=True)
    start: tuple[float, float] = eqx.field(static=True)
    stop: tuple[float, float] = eqx.field(static=True)

    @property
    def size(self) -> float:
        return self.measure

    @property
    def measure(self) -> float:
        return math.dist(self.start, self.stop)

    @property
    def closed(self) -> bool:
        return False

    @property
    def direction(self) -> tuple[float, float]:
        return (self.stop[0] - self.start[0]) / self.measure, (self.stop[1] - self.start[1]) / self.measure

    def level(self, **point: Scalar) -> Scalar:
        along, up = self.direction
        return along * (point[self.axes[1]] - self.start[1]) - up * (point[self.axes[0]] - self.start[0])

    def reach(self, **point: Scalar) -> Scalar:
        return segment_reach(point[self.axes[0]], point[self.axes[1]], self.start, self.stop, self.measure)

    def place(self, unit: Float[np.ndarray, "n 1"]) -> Points:
        share = unit[:, 0]
        return {axis: (1 - share) * self.start[i] + share * self.stop[i] for i, axis in enumerate(self.axes)}

    def outward(self, points: Points) -> Points:
        along, up = self.direction
        ones = np.ones_like(points[self.axes[0]])
        return {self.axes[0]: up * ones, self.axes[1]: -along * ones}

    def cut(self, start: float, end: float) -> Segment:
        first, last = ([float(v[0]) for v in self.place(np.array([[share]])).values()] for share in (start, end))
        return Segment(self.axes, (first[0], first[1]), (last[0], last[1]))

    def swept(self, centre: tuple[float, float]) -> float:
        a, b = (self.start[0] - centre[0], self.start[1] - centre[1])
        c, d = (self.stop[0] - centre[0], self.stop[1] - centre[1])
        return 0.5 * (a * d - b * c)


def segment_reach(a: Scalar, b: Scalar, start: tuple, stop: tuple, length: float | Array) -> Scalar:
    """Positive in the disk over the segment as its diameter, with slope 1 at its ends."""
    # (r - p) . (q - r) is L^2/4 - d^2 without the cancellation of two squares near the ends
    product = (a - start[0]) * (stop[0] - a) + (b - start[1]) * (stop[1] - b)
    return product / (length**2 - product) ** 0.5
