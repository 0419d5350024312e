"""A condition as a solver meets it: one quantity on one face."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .._core.names import Symbol, join_derivative
from ..geometry import Face


class FaceCondition(NamedTuple):
    """One scalar condition on one face: `quantity` = sign * `target` there.

    `order` is the number of derivatives across the face. `exact` says whether a construction imposes it: the quantity
    is a field or its derivative across the face, and the target depends on no field.
    """

    quantity: Symbol
    face: Face
    target: Callable
    sign: float
    exact: bool

    @property
    def field(self) -> str:
        return self.quantity.base

    @property
    def order(self) -> int:
        return len(self.quantity.partial)

    def __str__(self) -> str:
        name = join_derivative(self.field, self.quantity.partial, self.quantity.partial)
        return f"{name} on the {('lower', 'upper')[self.face.side]} end of {self.face.axis}"
