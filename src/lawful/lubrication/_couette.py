"""How the fluid that a moving wall drags along is counted at a face between two cells."""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float


class Side(NamedTuple):
    """What lies on one side of a face, from its cell's middle to the face; of the shape of the faces.

    pressure    Pa.
    resistance  of the half cell, (dx/2) 12 mu / (rho h^3), Pa s/m2; 0 where the face is an end of the film.
    drag        U rho h / 2 of the full film, m2/s.
    fraction    theta.
    full        1 where the film is whole, else 0.
    """

    pressure: Float[Array, "..."]
    resistance: Float[Array, "..."]
    drag: Float[Array, "..."]
    fraction: Float[Array, "..."]
    full: Float[Array, "..."]


class Upwind(eqx.Module):
    """Everything that is dragged comes from the cell upstream, (1 - theta) rho h U/2: of first order, and monotone."""

    def flux(self, left: Side, right: Side, speed: Float[Array, ""]) -> Float[Array, "..."]:
        dragged = upstream((1 - left.fraction) * left.drag, (1 - right.fraction) * right.drag, speed)
        return dragged - (right.pressure - left.pressure) / (left.resistance + right.resistance)

    def face_pressure(self, left: Side, right: Side) -> Float[Array, "..."]:
        return between(left, right)


class Elrod(eqx.Module):
    """Where the film is full the exact flow through two halves of constant thickness, where it is broken upwind.

        q = (R_l U h_l/2 + R_r U h_r/2 + p_l - p_r) / (R_l + R_r) - (theta h U/2 upstream),    R = (dx/2) 12 mu / h^3

    Of second order in full films, and exact for steps that lie on faces; upwind for the fraction, as transport asks.
    Source: the idea to switch is of H. G. Elrod, J. Lubr. Technol. 103, 350 (1981).
    """

    def flux(self, left: Side, right: Side, speed: Float[Array, ""]) -> Float[Array, "..."]:
        whole = left.resistance + right.resistance
        full = (left.resistance * left.drag + right.resistance * right.drag) / whole
        missing = upstream(left.fraction * left.drag, right.fraction * right.drag, speed)
        return full - missing - (right.pressure - left.pressure) / whole

    def face_pressure(self, left: Side, right: Side) -> Float[Array, "..."]:
        jump = (left.drag - right.drag) * left.resistance * right.resistance / (left.resistance + right.resistance)
        return between(left, right) + jump * left.full * right.full


Couette = Upwind | Elrod


def upstream(left: Float[Array, "..."], right: Float[Array, "..."], speed: Float[Array, ""]) -> Float[Array, "..."]:
    return jnp.where(speed >= 0, left, right)


def between(left: Side, right: Side) -> Float[Array, "..."]:
    """The pressure at the face of a film that only the pressure drives."""
    return (left.pressure * right.resistance + right.pressure * left.resistance) / (left.resistance + right.resistance)
