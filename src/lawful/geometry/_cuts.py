"""Levels that keep a part of a surface in space."""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import TYPE_CHECKING

import equinox as eqx
import numpy as np
from jaxtyping import Array, Bool, Float

from .._core.precision import float64
from ._sobol import Points

if TYPE_CHECKING:
    from ._shape import Shape

Scalar = Float[Array, ""]


class Cut(eqx.Module):
    """A level, positive where the piece is kept."""

    @abc.abstractmethod
    def __call__(self, **point: Scalar) -> Scalar:
        """The level, differentiable."""

    @abc.abstractmethod
    def keeps(self, points: Points) -> Bool[np.ndarray, " n"]:
        """Where it is positive."""


class ByShape(Cut):
    """What lies inside another shape, or outside where `sign` is -1."""

    shape: Shape
    sign: int = eqx.field(static=True)

    def __call__(self, **point: Scalar) -> Scalar:
        return self.sign * self.shape.level(**point)

    def keeps(self, points: Points) -> Bool[np.ndarray, " n"]:
        return self.sign * self.shape.depth(points) > 0


class ByFunction(Cut):
    """Where the user's function of some of the axes is positive."""

    function: Callable = eqx.field(static=True)
    names: tuple[str, ...] = eqx.field(static=True)

    def __call__(self, **point: Scalar) -> Scalar:
        return self.function(**{name: point[name] for name in self.names})

    def keeps(self, points: Points) -> Bool[np.ndarray, " n"]:
        with float64():
            values = np.asarray(self.function(**{name: points[name] for name in self.names}))
        return np.broadcast_to(values, points[self.names[0]].shape) > 0
