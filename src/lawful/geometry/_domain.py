"""The contract of every domain: named axes, an inside, a boundary in labelled parts."""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import TYPE_CHECKING

import equinox as eqx
import numpy as np
from jaxtyping import Bool

from .._core.messages import BadInput, listing, nearest
from ._sobol import Points, collected, unit_points

if TYPE_CHECKING:
    from ._box import Box
    from ._part import Part


class Domain(eqx.Module):
    """A closed set of points with named axes. Time is an axis like any other."""

    axes: eqx.AbstractVar[tuple[str, ...]]

    @abc.abstractmethod
    def ends(self, axis: str) -> tuple[float, float]:
        """(lower, upper) of an axis, for the smallest box around the domain."""

    @abc.abstractmethod
    def contains(self, points: Points) -> Bool[np.ndarray, " n"]:
        """Which points lie in the closed domain, to rounding."""

    @abc.abstractmethod
    def boundary(self, label: str | None = None, where: Callable | None = None) -> Part:
        """The whole boundary, the pieces with one label, or where `where` of the axes is positive (or true)."""

    @abc.abstractmethod
    def at(self, /, **where: float | tuple[float, ...]) -> Part:
        """The faces where an axis has one of its end values: `at(t=0)`."""

    @abc.abstractmethod
    def without(self, axis: str) -> Domain | None:
        """The domain's section across an axis along which it is straight; None where no other axis is left."""

    @property
    @abc.abstractmethod
    def measure(self) -> float:
        """Length, area or volume, over all axes."""

    @property
    @abc.abstractmethod
    def labels(self) -> tuple[str, ...]:
        """The names of the labelled pieces of the boundary."""

    def length(self, axis: str) -> float:
        """The length of an axis, upper - lower."""
        lower, upper = self.ends(axis)
        return upper - lower

    def sample(self, count: int, seed: int) -> Points:
        """Exactly `count` low-discrepancy points inside, uniform in measure: Sobol points of the box around, kept where
        they lie inside. The same seed gives the same points."""
        return self.drawn(count, seed, unit_points)

    def drawn(self, count: int, seed: int, unit: Callable) -> Points:
        """Points inside from those that `unit(count, dimension, seed)` draws in the unit cube."""
        return collected(count, len(self.axes), seed, self.stretched, self.contains, unit)

    def stretched(self, unit: np.ndarray) -> Points:
        """Points of the unit cube brought into the box around the domain."""
        return {
            axis: self.ends(axis)[0] + self.length(axis) * column
            for axis, column in zip(self.axes, unit.T, strict=True)
        }

    def __mul__(self, other: Box) -> Domain:
        from ._product import product

        return product(self, other)

    def _index(self, axis: str) -> int:
        if axis not in self.axes:
            raise BadInput(f"the domain has no axis '{axis}'{nearest(axis, self.axes)} Axes: {listing(self.axes)}.")
        return self.axes.index(axis)
