"""A piece of a circle or an ellipse."""

from __future__ import annotations

import functools
import math

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

from ._carrier import Curve
from ._sobol import Points

Scalar = Float[Array, ""]


class Arc(Curve):
    """The points centre + (a cos s, b sin s) for start <= s <= start + sweep; its inner side is that of the centre.

    level: for a circle (R^2 - r^2) / (2 R), a polynomial; for an ellipse q / sqrt(q^2 / b^2 + |grad q|^2) with
    q = (1 - x^2/a^2 - y^2/b^2) / 2 and b the shorter half-axis (Rvachev's normalisation). reach: the distance from the
    chord, positive on the arc's side of it, so that the arc is the part of the curve where it is positive.
    """

    axes: tuple[str, ...] = eqx.field(static=True)
    centre: tuple[float, float] = eqx.field(static=True)
    semi: tuple[float, float] = eqx.field(static=True)
    start: float = eqx.field(static=True, default=0.0)
    sweep: float = eqx.field(static=True, default=2 * math.pi)

    @property
    def circular(self) -> bool:
        return self.semi[0] == self.semi[1]

    @property
    def size(self) -> float:
        return min(min(self.semi), self.measure)

    @property
    def measure(self) -> float:
        return float(self._travelled(np.asarray(self.sweep)))

    @property
    def closed(self) -> bool:
        return self.sweep >= 2 * math.pi

    def level(self, **point: Scalar) -> Scalar:
        x, y = self._shifted(point)
        return ellipse_level(x, y, self.semi)

    def reach(self, **point: Scalar) -> Scalar | None:
        if self.closed:
            return None
        x, y = self._shifted(point)
        middle, half = self.start + self.sweep / 2, self.sweep / 2
        across, up = math.cos(middle) / self.semi[0], math.sin(middle) / self.semi[1]
        return (across * x + up * y - math.cos(half)) / math.hypot(across, up)

    def place(self, unit: Float[np.ndarray, "n 1"]) -> Points:
        angle = self._angle(unit[:, 0])
        return {
            self.axes[0]: self.centre[0] + self.semi[0] * np.cos(angle),
            self.axes[1]: self.centre[1] + self.semi[1] * np.sin(angle),
        }

    def outward(self, points: Points) -> Points:
        x, y = (points[axis] - c for axis, c in zip(self.axes, self.centre, strict=True))
        x, y = x / self.semi[0] ** 2, y / self.semi[1] ** 2
        norm = np.hypot(x, y)
        return {self.axes[0]: x / norm, self.axes[1]: y / norm}

    def cut(self, start: float, end: float) -> Arc:
        first, last = self._angle(np.array([start, end]))
        return Arc(self.axes, self.centre, self.semi, float(first), float(last - first))

    def swept(self, centre: tuple[float, float]) -> float:
        a, b = self.semi
        end = self.start + self.sweep
        x, y = self.centre[0] - centre[0], self.centre[1] - centre[1]
        shift = x * b * (math.sin(end) - math.sin(self.start)) - y * a * (math.cos(end) - math.cos(self.start))
        return 0.5 * (a * b * self.sweep + shift)

    def _shifted(self, point: dict[str, Scalar]) -> tuple[Scalar, Scalar]:
        return point[self.axes[0]] - self.centre[0], point[self.axes[1]] - self.centre[1]

    def _travelled(self, turn: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
        """Arc length from the start for an angle turned."""
        return self.semi[0] * turn if self.circular else travelled(self.semi, self.start, turn)

    def _angle(self, share: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """The angle at a share of the arc length."""
        if self.circular:
            return self.start + share * self.sweep
        upto, turns = table(self.semi, self.start, 2 * self.sweep)
        goal = share * self.measure
        cell = np.clip(np.searchsorted(upto, goal) - 1, 0, len(turns) - 2)
        turn = np.interp(goal, upto, turns)
        for _ in range(6):  # Newton's steps, kept between the neighbours in the table
            angle = self.start + turn
            speed = np.hypot(self.semi[0] * np.sin(angle), self.semi[1] * np.cos(angle))
            turn = np.clip(turn - (self._travelled(turn) - goal) / speed, turns[cell], turns[cell + 1])
        # whole shares are met exactly, so that a full turn stays one
        return self.start + np.where(share == np.round(share), share * self.sweep, turn)


def travelled(semi: tuple[float, float], start: float, turn: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Arc length of an ellipse from an angle on, by the incomplete elliptic integral of the second kind."""
    from scipy.special import ellipeinc

    a, b = semi
    m = 1 - (a / b) ** 2
    return b * (ellipeinc(start + turn, m) - ellipeinc(start, m))


@functools.lru_cache(maxsize=64)
def table(
    semi: tuple[float, float], start: float, most: float
) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
    """Arc lengths and the angles turned for them, up to an angle turned."""
    turns = np.linspace(0.0, most, 2049)
    return travelled(semi, start, turns), turns


def ellipse_level(x: Scalar, y: Scalar, semi: tuple[float, float]) -> Scalar:
    """The level function of an ellipse about the origin."""
    a, b = semi
    if a == b:
        return (a**2 - x**2 - y**2) / (2 * a)
    q = (1 - (x / a) ** 2 - (y / b) ** 2) / 2
    return q / (q**2 / min(semi) ** 2 + (x / a**2) ** 2 + (y / b**2) ** 2) ** 0.5
