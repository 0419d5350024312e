"""Fields that are odd or even about the middle of an axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jaxtyping import Array, Float

from ..geometry import Domain

ScalarField = Callable[..., Float[Array, ""]]


def symmetric(field: ScalarField, signs: Mapping[str, int], domain: Domain) -> ScalarField:
    """N(x) + sign N(-x) about the middle of each axis that has a sign: exactly even where it is +1, odd where it is -1.

    field  of the coordinates by name; what comes back is one, too.
    signs  by axis; axes without one are left alone.
    """
    for axis, sign in signs.items():
        field = mirrored(field, axis, sign, sum(domain.ends(axis)))
    return field


def mirrored(field: ScalarField, axis: str, sign: int, ends: float) -> ScalarField:
    def both(**point: Float[Array, ""]) -> Float[Array, ""]:
        return field(**point) + sign * field(**{**point, axis: ends - point[axis]})

    return both
