"""Shear waves in a section, by finite differences in time, with edges that swallow what leaves."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._section import Section, Shots

EDGE = 12
"""Cells of absorbing layer beyond each edge."""
ECHO = 1e-4
"""What a layer of that thickness would send back at normal incidence, were it continuous."""
C1, C2 = 9 / 8, -1 / 24  # the staggered difference of fourth order


class Absorber(NamedTuple):
    """Along one axis, at nodes and half-way: psi' = b psi + a D is added to every derivative D.

    Source: D. Komatitsch and R. Martin, Geophysics 72, SM155 (2007), the convolutional perfectly matched layer.
    """

    a: Float[Array, " n"]
    b: Float[Array, " n"]
    a_half: Float[Array, " n"]
    b_half: Float[Array, " n"]


class Fields(NamedTuple):
    """Velocity at nodes, stresses half-way along x and y, and what the absorbing layers remember of four slopes."""

    v: Float[Array, "shots nx ny"]
    sx: Float[Array, "shots nx ny"]
    sy: Float[Array, "shots nx ny"]
    memory: tuple[Float[Array, "shots nx ny"], ...]


def shear_records(section: Section, shots: Shots, *, edge: int = EDGE) -> Float[Array, "shots receivers count"]:
    """The velocity at all receivers for all shots, m/s.

    Staggered leapfrog, second order in time and fourth in space; moduli half-way are harmonic means of their
    neighbours, so that traction is continuous across a jump. The section goes on beyond its edges as it is there, into
    layers that absorb. For derivatives, the steps are kept in pieces of about the square root of their number and
    computed again, so that memory grows with the root of the record's length.

    section   modulus and density may be traced and differentiated.
    edge      cells of absorbing layer.

    Compute in single precision for speed, in double for derivatives to many digits.
    Raises `BadInput` for shots outside the section, an unstable interval, waves shorter than 5 cells.
    """
    shots.check(section)
    modulus = jnp.asarray(section.modulus)
    density = jnp.broadcast_to(jnp.asarray(section.density), section.shape)
    # Force at half steps; a node stands for a cell.
    force = jnp.asarray(0.5 * (shots.pulse + np.append(shots.pulse[1:], 0.0)), jnp.result_type(modulus, density))
    grid = Grid(section.spacing, shots.interval, edge)
    highest = jnp.asarray(shots.highest(), force.dtype)
    return march(grid, modulus, density, force, highest, shots.sources + edge, shots.receivers + edge)


class Grid(NamedTuple):
    """What compiled code depends on besides arrays: spacing, interval, cells of absorbing layer."""

    spacing: float
    interval: float
    edge: int


@functools.partial(jax.jit, static_argnums=0)
def march(grid: Grid, modulus, density, force, highest, source, receiver) -> Float[Array, "shots receivers count"]:
    """All steps, from rest."""
    h, dt, edge = grid
    modulus, density = (jnp.pad(field, edge, mode="edge") for field in (modulus, density))
    stiff_x, stiff_y = dt / h * half_way(modulus, 0), dt / h * half_way(modulus, 1)
    light = dt / h / density
    speed = jnp.sqrt(jnp.max(modulus / density))
    x, y = (absorber(n, edge, h, dt, highest, speed) for n in modulus.shape)
    rows, count = np.arange(len(source)), len(force)
    push = force[:, None] * (dt / (h * h) / density[source[:, 0], source[:, 1]])

    def step(fields: Fields, push):
        heard = fields.v[:, receiver[:, 0], receiver[:, 1]]
        m1, m2, m3, m4 = fields.memory
        slope, m1 = absorbed(forward(fields.v, 1), m1, x.a_half[:, None], x.b_half[:, None])
        sx = fields.sx + stiff_x * slope
        slope, m2 = absorbed(forward(fields.v, 2), m2, y.a_half, y.b_half)
        sy = fields.sy + stiff_y * slope
        from_x, m3 = absorbed(backward(sx, 1), m3, x.a[:, None], x.b[:, None])
        from_y, m4 = absorbed(backward(sy, 2), m4, y.a, y.b)
        v = (fields.v + light * (from_x + from_y)).at[rows, source[:, 0], source[:, 1]].add(push)
        return Fields(v, sx, sy, (m1, m2, m3, m4)), heard

    zero = jnp.zeros((len(source), *modulus.shape), force.dtype)
    piece = max(math.isqrt(count), 1)
    pieces = -(-count // piece)
    push = jnp.pad(push, ((0, pieces * piece - count), (0, 0))).reshape(pieces, piece, -1)
    start = Fields(zero, zero, zero, (zero, zero, zero, zero))
    _, heard = jax.lax.scan(jax.checkpoint(lambda fields, part: jax.lax.scan(step, fields, part)), start, push)
    return jnp.moveaxis(heard.reshape(-1, *heard.shape[2:])[:count], 0, -1)


def absorbed(slope, memory, a, b):
    memory = b * memory + a * slope
    return slope + memory, memory


def shifted(field: Float[Array, "shots nx ny"], axis: int, by: int) -> Float[Array, "shots nx ny"]:
    """The field `by` cells further along, zero beyond."""
    pad = [(0, 0)] * 3
    pad[axis] = (max(-by, 0), max(by, 0))
    n = field.shape[axis]
    return jax.lax.slice_in_dim(jnp.pad(field, pad), max(by, 0), max(by, 0) + n, axis=axis)


def forward(field: Float[Array, "shots nx ny"], axis: int) -> Float[Array, "shots nx ny"]:
    """Differences half a cell further along, times the spacing."""
    return C1 * (shifted(field, axis, 1) - field) + C2 * (shifted(field, axis, 2) - shifted(field, axis, -1))


def backward(field: Float[Array, "shots nx ny"], axis: int) -> Float[Array, "shots nx ny"]:
    """Differences half a cell back."""
    return C1 * (field - shifted(field, axis, -1)) + C2 * (shifted(field, axis, 1) - shifted(field, axis, -2))


def half_way(modulus: Float[Array, "nx ny"], axis: int) -> Float[Array, "nx ny"]:
    """Harmonic means of each node and the next."""
    ahead = jnp.concatenate(
        [
            jax.lax.slice_in_dim(modulus, 1, None, axis=axis),
            jax.lax.slice_in_dim(modulus, modulus.shape[axis] - 1, None, axis=axis),
        ],
        axis=axis,
    )
    return 2 * modulus * ahead / (modulus + ahead)


def absorber(n: int, edge: int, spacing: float, dt: float, highest, speed) -> Absorber:
    """Damping that grows with the square of the depth in the layer, and a shift that keeps slow waves from creeping
    along it."""

    dtype = speed.dtype

    def coefficients(offset: float):
        place = np.arange(n) + offset
        depth = np.clip(np.maximum(edge - place, place - (n - 1 - edge)) / max(edge, 1), 0.0, 1.0)
        damping = -1.5 * speed * math.log(ECHO) / (max(edge, 1) * spacing) * depth**2
        shift = math.pi * highest / 2 * (1 - depth)
        b = jnp.exp(-(damping + shift) * dt)
        return (damping / (damping + shift + 1e-30) * (b - 1)).astype(dtype), b.astype(dtype)

    return Absorber(*coefficients(0.0), *coefficients(0.5))
