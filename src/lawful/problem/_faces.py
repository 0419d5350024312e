"""A condition as a solver meets it: one quantity on one face."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._core.names import Symbol, join_derivative
from ..geometry import Face

if TYPE_CHECKING:
    from ._model import Model, Point


class FaceCondition(NamedTuple):
    """One scalar condition on one face: `quantity` = sign * `target` there.

    `order` is the number of derivatives across the face. `exact` says whether a construction imposes it: the quantity
    is a field or its derivative across the face, and the target depends on no field. `robin` names the argument of a
    target b + c u that is the field itself, where the quantity is its first derivative. `region` is the one whose
    boundary it stands on, where there are several.
    """

    quantity: Symbol
    face: Face
    target: Callable
    sign: float
    exact: bool
    robin: str | None = None
    region: str | None = None

    @property
    def field(self) -> str:
        return self.quantity.base

    @property
    def order(self) -> int:
        return len(self.quantity.partial)

    def __str__(self) -> str:
        name = join_derivative(self.field, self.quantity.partial, self.quantity.partial)
        return f"{name} on the {('lower', 'upper')[self.face.side]} end of {self.face.axis}"

    def miss(self, model: Model, point: Point, normal: Point) -> Float[Array, ""]:
        """How far a model is from it at a point of the face; the normal is not needed."""
        return jnp.asarray(model.evaluate({"it": self.quantity}, point)["it"]) - self.sign * model.call(
            self.target, point
        )
