"""Places where the exact solution itself is singular."""

from __future__ import annotations

from typing import TYPE_CHECKING

import equinox as eqx
import numpy as np
from jaxtyping import Bool, Float

from .._core.messages import BadInput, listing, nearest, shown
from .._core.numbers import real_array

if TYPE_CHECKING:
    from ..geometry import Domain


class Singular(eqx.Module):
    """A place where the exact solution is known to be singular: `Singular(reach=0.05, x=0, y=1)`, a corner.

    No polynomial and no network meets a law there. Whether a solution is to be trusted is judged by the laws' residual
    farther than `reach` away, and its status says so; the residual within is reported beside it. Declare what theory
    says of the place, not where a fit happens to fail.

    reach   how far around the place the laws are not judged, in the unit of the axes.
    place   coordinates by axis; along axes that are not named the place extends to both ends.

    Raises `BadInput` where something is not a finite number, or the reach not positive.
    """

    reach: float
    place: tuple[tuple[str, float], ...] = eqx.field(static=True)

    def __init__(self, *, reach: float, **place: float):
        given = f"Singular(reach={shown(reach)}, {', '.join(f'{axis}={shown(at)}' for axis, at in place.items())})"
        if not place:
            raise BadInput(f"Singular(reach={shown(reach)}) names no place; write lf.Singular(reach=0.05, x=0, y=1).")
        numbers = []
        for name, value in {"reach": reach, **place}.items():
            try:
                number = real_array(value)
            except TypeError as error:
                raise BadInput(f"{given}: {name} is {error}; give a number.") from None
            if number.shape or not np.isfinite(number):
                raise BadInput(f"{given}: {name} must be one finite number.")
            numbers.append(float(number))
        if numbers[0] <= 0:
            raise BadInput(f"{given}: the reach must be above zero, such as a twentieth of the domain.")
        self.reach, self.place = numbers[0], tuple(zip(place, numbers[1:], strict=True))

    def __str__(self) -> str:
        return ", ".join(f"{axis} = {value:.4g}" for axis, value in self.place)

    def check(self, domain: Domain) -> None:
        """Refuse an axis that the domain has not, and a place outside it."""
        for axis, value in self.place:
            if axis not in domain.axes:
                raise BadInput(
                    f"Singular names '{axis}', which is no axis{nearest(axis, domain.axes)} Axes:"
                    f" {listing(domain.axes)}."
                )
            low, high = domain.ends(axis)
            if not low <= value <= high:
                raise BadInput(
                    f"Singular at {self} lies outside the domain, where {axis} runs from {low:g} to {high:g}; correct"
                    " the place."
                )

    def near(self, points: dict[str, Float[np.ndarray, " n"]]) -> Bool[np.ndarray, " n"]:
        """Which points lie within reach."""
        return np.sqrt(sum((points[axis] - value) ** 2 for axis, value in self.place)) <= self.reach
