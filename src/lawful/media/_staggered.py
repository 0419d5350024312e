"""What finite-difference solvers of a section share: staggered differences, edges that absorb, steps kept in pieces."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._section import STABLE, Shots

EDGE = 12
"""Cells of absorbing layer beyond each edge."""
ECHO = 1e-3
"""What a layer of that thickness would send back at normal incidence of the fastest wave that an interval can carry,
were it continuous; of slower waves less."""
C1, C2 = 9 / 8, -1 / 24  # the staggered difference of fourth order

Field = Float[Array, "shots nx ny"]


class Absorber(NamedTuple):
    """Along one axis, at nodes and half-way: psi' = b psi + a D is added to every derivative D.

    Source: D. Komatitsch and R. Martin, Geophysics 72, SM155 (2007), the convolutional perfectly matched layer.
    """

    a: Float[Array, " n"]
    b: Float[Array, " n"]
    a_half: Float[Array, " n"]
    b_half: Float[Array, " n"]


def absorber(n: int, edge: int, shots: Shots, axis: int, dtype: Any) -> Absorber:
    """Damping that grows with the square of the depth in the layer, and a shift that keeps slow waves from creeping
    along it, for fields of `n` nodes along an axis of the grid.

    It is made for the fastest wave that the interval can carry, not for the fastest that there is: so it does not
    depend on the moduli, and derivatives need not go through it.
    """
    highest = shots.highest()

    def coefficients(offset: float):
        place = np.arange(n) + offset
        depth = np.clip(np.maximum(edge - place, place - (n - 1 - edge)) / max(edge, 1), 0.0, 1.0)
        damping = -1.5 * STABLE * math.log(ECHO) / max(edge, 1) * depth**2  # of one step
        shift = math.pi / 2 * shots.interval * highest * (1 - depth)
        b = jnp.exp(-(damping + shift))
        along = (-1, 1) if axis == 0 else (-1,)
        return [jnp.asarray(each, dtype).reshape(along) for each in (damping / (damping + shift + 1e-30) * (b - 1), b)]

    return Absorber(*coefficients(0.0), *coefficients(0.5))


def absorbed(slope: Field, memory: Field, a: Array, b: Array) -> tuple[Field, Field]:
    """A derivative as the layer wants it, and what the layer then remembers."""
    memory = b * memory + a * slope
    return slope + memory, memory


def shifted(field: Field, axis: int, by: int) -> Field:
    """The field `by` cells further along, zero beyond."""
    pad = [(0, 0)] * 3
    pad[axis] = (max(-by, 0), max(by, 0))
    n = field.shape[axis]
    return jax.lax.slice_in_dim(jnp.pad(field, pad), max(by, 0), max(by, 0) + n, axis=axis)


def forward(field: Field, axis: int) -> Field:
    """Differences half a cell further along, times the spacing."""
    return C1 * (shifted(field, axis, 1) - field) + C2 * (shifted(field, axis, 2) - shifted(field, axis, -1))


def backward(field: Field, axis: int) -> Field:
    """Differences half a cell back."""
    return C1 * (field - shifted(field, axis, -1)) + C2 * (shifted(field, axis, 1) - shifted(field, axis, -2))


def ahead(field: Float[Array, "nx ny"], axis: int) -> Float[Array, "nx ny"]:
    """The next node's value, at the last its own."""
    last = jax.lax.slice_in_dim(field, field.shape[axis] - 1, None, axis=axis)
    return jnp.concatenate([jax.lax.slice_in_dim(field, 1, None, axis=axis), last], axis=axis)


def half_way(modulus: Float[Array, "nx ny"], axis: int) -> Float[Array, "nx ny"]:
    """Harmonic means of each node and the next, as of springs in a row: traction is continuous across a jump."""
    return 2 / (1 / modulus + 1 / ahead(modulus, axis))


def force(shots: Shots, dtype: Any) -> Float[Array, " count"]:
    """The pulse at half steps."""
    pulse = jnp.asarray(shots.pulse)
    return (0.5 * (pulse + jnp.append(pulse[1:], 0.0))).astype(dtype)


def marched(step: Callable[[Any, Array], tuple[Any, Array]], rest: Any, drive: Float[Array, " count"]) -> Array:
    """What is heard at every step, the time last. Steps are kept in pieces of about the square root of their number,
    and computed again for derivatives, so that memory grows with the root of the record's length."""
    count = len(drive)
    piece = max(math.isqrt(count), 1)
    pieces = -(-count // piece)
    drive = jnp.pad(drive, (0, pieces * piece - count)).reshape(pieces, piece)
    _, heard = jax.lax.scan(jax.checkpoint(lambda fields, part: jax.lax.scan(step, fields, part)), rest, drive)
    return jnp.moveaxis(heard.reshape(-1, *heard.shape[2:])[:count], 0, -1)
