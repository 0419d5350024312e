"""A condition as a solver meets it: one quantity on smooth pieces of the boundary of a shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from .._core.messages import listing
from .._core.names import Symbol, join_derivative
from ..geometry import Surface, together

if TYPE_CHECKING:
    from ._model import Model, Point

Points = dict[str, Float[np.ndarray, " n"]]

ON = 1e-7
"""The share of a domain's size within which a point counts as lying on a piece."""


class SurfaceCondition(NamedTuple):
    """One scalar condition on the pieces of one part: `quantity`, or with `normal` its derivative along the outward
    normal, equals `target` there.

    `exact` says whether a construction imposes it: the quantity is a field, the target depends on no field and goes on
    smoothly inside. `robin` names the argument of a target b + c u that is the field itself. `apart` are, for
    a derivative, the other pieces on which the value of the field is imposed. `number` tells conditions apart that read
    alike.
    """

    quantity: Symbol
    surfaces: tuple[Surface, ...]
    target: Callable
    normal: bool
    exact: bool
    robin: str | None = None
    apart: tuple[Surface, ...] = ()
    number: int = 1

    @property
    def field(self) -> str:
        return self.quantity.base

    @property
    def sign(self) -> float:
        """Targets are along the outward normal, as users state them."""
        return 1.0

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes of the shape."""
        return self.surfaces[0].carrier.axes

    def __str__(self) -> str:
        name = join_derivative(self.field, self.quantity.partial, self.quantity.partial)
        where = listing(dict.fromkeys(surface.label for surface in self.surfaces))
        again = f" ({self.number})" if self.number > 1 else ""
        return f"{'outward derivative of ' if self.normal else ''}{name} on {where}{again}"

    def border(self, count: int, seed: int) -> tuple[Points, Points]:
        """Points on it, by the share of each piece, and the outward normals there."""
        measures = np.array([surface.measure for surface in self.surfaces])
        most = np.maximum(1, np.round(count * measures / measures.sum())).astype(int)
        places = [
            surface.sample(int(many), seed + i)
            for i, (surface, many) in enumerate(zip(self.surfaces, most, strict=True))
        ]
        normals = [surface.normal(found) for surface, found in zip(self.surfaces, places, strict=True)]
        return together(places), together(normals)

    def holds(self, points: Points, size: float) -> Bool[np.ndarray, " n"]:
        """Which points lie on it, in a domain of a given size."""
        return lies_on(self.surfaces, points, size)

    def miss(self, model: Model, point: Point, normal: Point) -> Float[Array, ""]:
        """How far a model is from it at a point of the boundary where the outward normal is given."""
        if not self.normal:
            return jnp.asarray(model.evaluate({"it": self.quantity}, point)["it"]) - model.call(self.target, point)
        base, partial = self.quantity.base, self.quantity.partial
        slopes = {axis: Symbol(base, tuple(sorted((*partial, axis)))) for axis in self.axes}
        values = model.evaluate(slopes, point)
        along = jnp.sum(jnp.stack([normal[axis] * values[axis] for axis in self.axes]))
        return along - model.call(self.target, point)


def lies_on(surfaces: tuple[Surface, ...], points: Points, size: float) -> Bool[np.ndarray, " n"]:
    """Which points lie on one of several pieces."""
    found = [surface.carrier.holds(points, ON * size) & surface.kept(points) for surface in surfaces]
    nowhere = np.zeros(len(next(iter(points.values()))), dtype=bool)
    return np.logical_or.reduce([nowhere, *found])
