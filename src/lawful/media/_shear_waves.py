"""Shear waves in a section, by finite differences in time, with edges that swallow what leaves."""

from __future__ import annotations

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._section import Section, Shots
from ._staggered import EDGE, Field, absorbed, absorber, backward, force, forward, half_way, marched


class Fields(NamedTuple):
    """Velocity at nodes, stresses half-way along x and y, and what the absorbing layers remember of four slopes."""

    v: Field
    sx: Field
    sy: Field
    memory: tuple[Field, Field, Field, Field]


def shear_records(section: Section, shots: Shots, *, edge: int = EDGE) -> Float[Array, "shots receivers count"]:
    """The velocity at all receivers for all shots, m/s.

    Staggered leapfrog, second order in time and fourth in space; moduli half-way are harmonic means of their
    neighbours. The section goes on beyond its edges as it is there, into layers that absorb. Derivatives take memory
    that grows with the root of the record's length.

    section   modulus and density may be traced and differentiated.
    edge      cells of absorbing layer.

    Compute in single precision for speed, in double for derivatives to many digits.
    Raises `BadInput` for shots outside the section, an unstable interval, waves shorter than 5 cells.
    """
    shots.check(section)
    return march(section, shots, edge)


@functools.partial(jax.jit, static_argnums=2)
def march(section: Section, shots: Shots, edge: int) -> Float[Array, "shots receivers count"]:
    """All steps, from rest."""
    h, dt = section.spacing, shots.interval
    modulus, density = section.padded(edge)
    dtype = modulus.dtype
    stiff_x, stiff_y = dt / h * half_way(modulus, 0), dt / h * half_way(modulus, 1)
    light = dt / h / density
    x, y = (absorber(n, edge, shots, axis, dtype) for axis, n in enumerate(modulus.shape))
    (i, j), (k, m) = (jnp.asarray(places).T + edge for places in (shots.sources, shots.receivers))
    rows, push = np.arange(len(i)), dt / (h * h) / density[i, j]  # a node stands for a cell

    def step(fields: Fields, strength):
        v, (m1, m2, m3, m4) = fields.v, fields.memory
        slope, m1 = absorbed(forward(v, 1), m1, x.a_half, x.b_half)
        sx = fields.sx + stiff_x * slope
        slope, m2 = absorbed(forward(v, 2), m2, y.a_half, y.b_half)
        sy = fields.sy + stiff_y * slope
        from_x, m3 = absorbed(backward(sx, 1), m3, x.a, x.b)
        from_y, m4 = absorbed(backward(sy, 2), m4, y.a, y.b)
        new = (v + light * (from_x + from_y)).at[rows, i, j].add(strength * push)
        return Fields(new, sx, sy, (m1, m2, m3, m4)), v[:, k, m]

    zero = jnp.zeros((len(rows), *modulus.shape), dtype)
    return marched(step, Fields(zero, zero, zero, (zero, zero, zero, zero)), force(shots, dtype))
