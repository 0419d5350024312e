"""A smooth piece of a boundary."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from ._carrier import Carrier
from ._rfunctions import both, trimmed
from ._sobol import Points, collected, unit_points

if TYPE_CHECKING:
    from ._box import Box
    from ._cuts import Cut

Scalar = Float[Array, ""]


class Surface(eqx.Module):
    """A smooth piece of the boundary of a shape: a curve in the plane, a surface in space.

    `label` is its name, several pieces may share one; `carrier` is the curve or surface it lies on; `turned` says that
    the domain lies on the outer side of the carrier, as around a hole; `cuts` are levels that are positive where the
    piece is kept (in space; curves are cut exactly); `span` holds further axes that the piece extends along unchanged,
    such as time.
    """

    label: str = eqx.field(static=True)
    carrier: Carrier
    turned: bool = eqx.field(static=True, default=False)
    cuts: tuple[Cut, ...] = ()
    span: Box | None = None

    @property
    def axes(self) -> tuple[str, ...]:
        """All axes of the piece: those of the shape, then those of the span."""
        return self.carrier.axes + (self.span.axes if self.span is not None else ())

    @property
    def measure(self) -> float:
        """Arc length or area, times the measure of the span. Exact, but for pieces cut in space: there the share that
        is kept is counted on 2^14 Sobol points."""
        along = 1.0 if self.span is None else self.span.measure
        if not self.cuts:
            return self.carrier.measure * along
        unit = unit_points(2**14, len(self.carrier.axes) - 1, 0)
        return self.carrier.measure * along * float(np.mean(self.kept(self.carrier.place(unit))))

    def distance(self, **point: Scalar) -> Scalar:
        """Zero on the piece and positive elsewhere in the closed domain, of slope 1 inwards on the piece; smooth but at
        its ends. Not the distance in a straight line away from the piece. Takes the point by axis; axes that it does
        not need may come with it."""
        level = self.level(**point)
        reaches = [
            reach for reach in (self.carrier.reach(**point), *(cut(**point) for cut in self.cuts)) if reach is not None
        ]
        if not reaches:
            return jnp.asarray(level)
        return trimmed(level, functools.reduce(both, reaches), self.carrier.size)

    def level(self, **point: Scalar) -> Scalar:
        """Zero on the whole curve or surface of the piece, of slope 1 there, positive on the domain's side."""
        found = self.carrier.level(**point)
        return -found if self.turned else found

    def normal(self, points: Points) -> Points:
        """The outward unit normal at points on the piece, for each axis of the shape (not of the span)."""
        normal = self.carrier.outward(points)
        return {axis: -values for axis, values in normal.items()} if self.turned else normal

    def sample(self, count: int, seed: int) -> Points:
        """Exactly `count` low-discrepancy points on the piece, uniform in arc length or area (and over the span)."""
        return self.drawn(count, seed, unit_points)

    def drawn(self, count: int, seed: int, unit: Callable) -> Points:
        """Points on the piece from those that `unit(count, dimension, seed)` draws in the unit cube."""
        dimension = len(self.axes) - 1
        if not self.cuts:
            return self._place(unit(count, dimension, seed))
        return collected(count, dimension, seed, self._place, self.kept, unit)

    def kept(self, points: Points) -> Bool[np.ndarray, " n"]:
        """Which points of the carrier the cuts keep."""
        everything = np.ones(len(points[self.carrier.axes[0]]), dtype=bool)
        return functools.reduce(np.logical_and, (cut.keeps(points) for cut in self.cuts), everything)

    def _place(self, unit: Float[np.ndarray, "n k"]) -> Points:
        own = len(self.carrier.axes) - 1
        points = self.carrier.place(unit[:, :own])
        return points if self.span is None else {**points, **self.span.stretched(unit[:, own:])}
