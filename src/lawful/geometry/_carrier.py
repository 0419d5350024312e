"""The contract of what a piece of a boundary lies on: a curve in the plane or a surface in space."""

from __future__ import annotations

import abc

import equinox as eqx
import numpy as np
from jaxtyping import Array, Bool, Float

from ._sobol import Points

Scalar = Float[Array, ""]


class Carrier(eqx.Module):
    """A smooth curve or surface of finite extent, with an inner and an outer side."""

    axes: eqx.AbstractVar[tuple[str, ...]]

    @property
    @abc.abstractmethod
    def size(self) -> float:
        """A length that says how large it is."""

    @property
    @abc.abstractmethod
    def measure(self) -> float:
        """Arc length or area."""

    @abc.abstractmethod
    def level(self, **point: Scalar) -> Scalar:
        """Zero on the carrier, of slope 1 there, positive on its inner side. Plain arithmetic: it takes NumPy too."""

    @abc.abstractmethod
    def reach(self, **point: Scalar) -> Scalar | None:
        """Positive beside the carrier, negative beyond its ends; None where it has none (a circle, a sphere)."""

    @abc.abstractmethod
    def place(self, unit: Float[np.ndarray, "n k"]) -> Points:
        """Points on it, uniform in arc length or area, from points of the unit cube of one dimension less."""

    @abc.abstractmethod
    def outward(self, points: Points) -> Points:
        """The unit normal, away from the inner side, at points on it."""

    def holds(self, points: Points, slack: float) -> Bool[np.ndarray, " n"]:
        """Which points lie on it, to a length `slack`."""
        near = np.abs(np.asarray(self.level(**points))) <= slack  # pyright: ignore[reportArgumentType]
        reach = self.reach(**points)  # pyright: ignore[reportArgumentType]
        return near if reach is None else near & (np.asarray(reach) >= -slack)


class Curve(Carrier):
    """A carrier in the plane that can be cut exactly, since a place on it is one number: its share of the length."""

    @property
    @abc.abstractmethod
    def closed(self) -> bool:
        """Whether its two ends are one point."""

    @abc.abstractmethod
    def cut(self, start: float, end: float) -> Curve:
        """The part between two shares of its length; `end` may pass 1 on a closed curve."""

    @abc.abstractmethod
    def swept(self, centre: tuple[float, float]) -> float:
        """The area between it and a point: half the integral of (p - centre) . n over it."""
