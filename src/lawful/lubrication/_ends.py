"""What happens where a film ends."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._core.messages import BadInput, shown


class Open(eqx.Module):
    """An end at the ambient pressure of the film, full of fluid where it flows in."""


class Pressure(eqx.Module):
    """An end at a given pressure, full of fluid where it flows in, such as a feed groove.

    value  Pa, one number or one for each cell along the end.
    """

    value: Float[Array, "..."]

    def __init__(self, value: Any):
        self.value = jnp.asarray(value, float)


class Wall(eqx.Module):
    """An end through which nothing flows: a seal, or a plane of symmetry."""


class Periodic(eqx.Module):
    """Both ends of an axis at once: what leaves on one side comes in on the other."""


End = Open | Pressure | Wall
Ends = tuple[End, End] | Periodic


def ends_of(axis: str, given: Any) -> Ends:
    """The ends of an axis from one for both, or a pair."""
    if isinstance(given, Periodic):
        return given
    pair = (given, given) if isinstance(given, Open | Pressure | Wall) else given
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise BadInput(
            f"Film: {axis}={shown(given)} must be Periodic(), one of Open(), Pressure(p), Wall() for both ends, or a"
            f" pair of these."
        )
    for each in pair:
        if isinstance(each, Periodic):
            raise BadInput(
                f"Film: {axis}={shown(given)} mixes Periodic with another end: an axis is periodic as a whole. Say"
                f" {axis}=Periodic(), or give both ends Open(), Pressure(p) or Wall()."
            )
        if not isinstance(each, Open | Pressure | Wall):
            raise BadInput(f"Film: an end of {axis} is {shown(each)}; expected Open(), Pressure(p) or Wall().")
    return pair[0], pair[1]


def gives_pressure(ends: Ends) -> bool:
    return not isinstance(ends, Periodic) and any(isinstance(end, Open | Pressure) for end in ends)
