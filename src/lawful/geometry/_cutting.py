"""The pieces of two shapes that bound their union, intersection or difference."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput
from ._carrier import Curve
from ._crossings import intervals
from ._cuts import ByShape
from ._shape import ROUNDING, Shape
from ._sobol import Points
from ._surface import Surface

Depth = Callable[[Points], Float[np.ndarray, " n"]]

EQUAL = 1e-12  # of a shape's size: boundaries closer than this run along each other
STEP = 1e-7  # of a shape's size: how far to either side one looks
LOOKS = 2**11  # points on a surface in space that decide how it is cut


def bounding_pieces(first: Shape, second: Shape, whole: Depth, size: float) -> tuple[Surface, ...]:
    """The pieces of both shapes, cut to what bounds the composed shape of depth `whole`.

    A point belongs to its boundary if it has the inside on one side and the outside on the other. Where the boundaries
    of both run along each other, the first shape's piece is kept.
    """
    kept: list[Surface] = []
    for own, other in ((first, second), (second, first)):
        before = tuple(kept)
        for piece in own.pieces:
            kept += cut(piece, other, whole, size, before)
    return tuple(kept)


def cut(piece: Surface, other: Shape, whole: Depth, size: float, before: tuple[Surface, ...]) -> list[Surface]:
    """What is left of a piece when its shape is composed with another; `before` are pieces already there."""

    def verdict(points: Points) -> Float[np.ndarray, " n"]:
        """1 where the piece bounds the whole as it bounded its own shape, -1 where inside out, 0 where not at all."""
        normal = piece.carrier.outward(points)
        inner, outer = (
            whole({axis: points[axis] + step * normal[axis] for axis in normal}) > 0
            for step in (-STEP * size, STEP * size)
        )
        found = inner.astype(float) - outer.astype(float)
        if before and np.any(np.abs(other.depth(points)) <= ROUNDING * size):
            for earlier in before:
                found[earlier.carrier.holds(points, ROUNDING * size)] = 0.0
        return found

    curve = piece.carrier
    if not isinstance(curve, Curve):
        return cut_in_space(piece, other, verdict, size)
    middle = curve.place(np.array([[0.5]]))
    if abs(other.depth(middle)[0]) > curve.measure:  # too far away to cross it
        found = verdict(middle)[0]
        return [dataclasses.replace(piece, turned=bool(found < 0))] if found else []
    parts = intervals(curve, other.depth, verdict, EQUAL * size)
    return [dataclasses.replace(piece, carrier=part, turned=bool(found < 0)) for part, found in parts if found]


def cut_in_space(piece: Surface, other: Shape, verdict: Depth, size: float) -> list[Surface]:
    """A surface in space keeps the other shape's level as its cut."""
    points = piece.sample(LOOKS, 0)
    verdicts, depth = verdict(points), other.depth(points)
    found = set(verdicts.tolist())
    if len(found) == 1:
        [only] = found
        return [dataclasses.replace(piece, turned=only < 0)] if only else []
    if np.mean(np.abs(depth) <= ROUNDING * size) > 4 / LOOKS:
        raise BadInput(
            f"the piece '{piece.label}' runs along the boundary of the other shape over an area, and where it ends "
            "cannot be told; let one shape reach a little beyond the other there."
        )
    kept = verdicts != 0
    sides = set(np.sign(depth[kept]).tolist())
    if len(sides) != 1 or len(found) > 2:
        raise BadInput(
            f"the piece '{piece.label}' is cut by the other shape in a way that is not supported; move the shapes a "
            "little so that no surfaces coincide."
        )
    [side] = sides
    turned = bool(verdicts[kept][0] < 0)
    return [dataclasses.replace(piece, turned=turned, cuts=(*piece.cuts, ByShape(other, int(side))))]
