"""Thicknesses of the classical films, as functions of a place; sums of them with textures are films too."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

Field = Float[Array, "..."]


def wedge(x: Field, length: Any, inlet: Any, outlet: Any) -> Field:
    """Plane slider: from `inlet` at x = 0 straight to `outlet` at x = length, m."""
    return inlet + (outlet - inlet) * x / length


def step(x: Field, place: Any, inlet: Any, outlet: Any) -> Field:
    """Rayleigh's step: `inlet` before `place`, `outlet` behind it, m.

    The film is constant within a cell: a step inside one is moved to its nearest face, so derivatives in `place` are
    zero. Differentiate in the heights of the cells.
    """
    return jnp.where(x < place, inlet, outlet)


def parabola(x: Field, length: Any, inlet: Any, outlet: Any) -> Field:
    """From `inlet` at x = 0 to `outlet` at x = length, where it is flat, m."""
    return outlet + (inlet - outlet) * (1 - x / length) ** 2


def exponential(x: Field, length: Any, inlet: Any, outlet: Any) -> Field:
    """From `inlet` at x = 0 to `outlet` at x = length, each part of the length by the same factor, m."""
    return inlet * (outlet / inlet) ** (x / length)


def journal(angle: Field, clearance: Any, right: Any, up: Any) -> Field:
    """The gap around a shaft: c - X cos(angle) - Y sin(angle), m.

    angle      from the positive X axis, the way the shaft turns, rad: x / R of a film's grid, counted from its start.
    clearance  radius of the bearing less that of the shaft, m.
    right, up  X and Y, where the middle of the shaft stands in the bearing, m.
    """
    return clearance - right * jnp.cos(angle) - up * jnp.sin(angle)
