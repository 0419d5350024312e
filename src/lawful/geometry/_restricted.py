"""The part of a piece of boundary where a function of the axes is positive."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput, listing, nearest, shown
from .._core.names import arguments
from .._core.precision import float64
from ._carrier import Curve
from ._crossings import intervals
from ._cuts import ByFunction
from ._sobol import Points
from ._surface import Surface

WHERE = "where of boundary()"


def restricted(piece: Surface, where: Callable) -> tuple[Surface, ...]:
    """The parts of a piece on which `where` is positive or true: curves are cut exactly at its sign changes (parts
    shorter than about a thousandth of the curve may be missed), surfaces in space keep it as a level."""
    names = arguments(where, WHERE)
    for name in names:
        if name not in piece.carrier.axes:
            raise BadInput(
                f"{WHERE} uses '{name}', which is no axis of the shape{nearest(name, piece.carrier.axes)} "
                f"Axes: {listing(piece.carrier.axes)}."
            )
    if not names:
        raise BadInput(f"{WHERE} takes no axis; write it as a function such as lambda {piece.carrier.axes[0]}: ...")

    def values(points: Points) -> Float[np.ndarray, " n"]:
        return evaluated(where, {name: points[name] for name in names}).astype(float)

    if isinstance(curve := piece.carrier, Curve):
        found = intervals(curve, values, lambda points: np.sign(values(points)), slack=0.0)
        return tuple(dataclasses.replace(piece, carrier=part) for part, verdict in found if verdict > 0)
    points = piece.sample(2**10, 0)
    raw = evaluated(where, {name: points[name] for name in names})
    if raw.dtype == bool:
        raise BadInput(
            f"{WHERE} returns true or false; on a surface in space it must return a number about the size of a length, "
            "positive on the part that is meant: write `lambda x: 0.5 - x` for `lambda x: x < 0.5`."
        )
    if not np.any(raw > 0):
        return ()
    if np.all(raw > 0):
        return (piece,)
    return (dataclasses.replace(piece, cuts=(*piece.cuts, ByFunction(where, names))),)


def evaluated(where: Callable, points: Points) -> np.ndarray:
    """The values of the function at all points, numbers or booleans."""
    count = len(next(iter(points.values())))
    try:
        with float64():
            values = np.asarray(where(**points))
        values = np.broadcast_to(values, (count,))
    except (TypeError, ValueError) as error:
        raise BadInput(
            f"{WHERE} fails on arrays of points ({error}); use jax.numpy functions, and & and | for `and` and `or`."
        ) from None
    if values.dtype.kind not in "biuf" or np.any(np.isnan(values)):
        raise BadInput(f"{WHERE} must return a real number at each point, but it returns {shown(values)}.")
    return values
