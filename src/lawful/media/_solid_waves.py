"""Compression and shear in the plane of a section (P-SV), by finite differences in time."""

from __future__ import annotations

import functools
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput
from .._core.numbers import real_array
from ._section import Section, Shots, positive_field
from ._stack import is_traced
from ._staggered import EDGE, Field, absorbed, absorber, ahead, backward, force, forward, half_way, marched

BETWEEN = np.array([-1 / 16, 9 / 16, 9 / 16, -1 / 16])
"""Weights of a value in the middle of four, of fourth order."""
AROUND = np.arange(-2, 2)


class Solid(Section):
    """Moduli and density on a grid of square cells, of an isotropic solid that is strained in the plane only.

        rho v_t = div s + f,   s_xx,t = M vx_x + (M - 2 mu) vy_y,   s_xy,t = mu (vx_y + vy_x)

    modulus       shear modulus mu at every node, Pa, shape (nx, ny).
    compression   modulus M = lambda + 2 mu of compression waves at every node, Pa.
    density       kg/m3, one number or one for each node.
    spacing       of the nodes, m.

    Raises `BadInput` for what is not positive and finite, shapes that do not fit, and where M is below 4/3 mu: no
    stable solid has that.
    """

    compression: Float[Array | np.ndarray, "nx ny"]

    def __init__(self, modulus, compression, density, spacing: float):
        super().__init__(modulus, density, spacing)
        self.compression = positive_field("modulus of compression", compression, "Pa", 2)
        if np.shape(self.compression) != self.shape:
            raise BadInput(
                f"the modulus of compression has shape {np.shape(self.compression)}, the shear modulus {self.shape};"
                " give one number for each node."
            )
        if is_traced(self.modulus, self.compression):
            return
        soft = np.asarray(self.compression) < 4 / 3 * np.asarray(self.modulus)
        if np.any(soft):
            place = tuple(int(i) for i in np.argwhere(soft)[0])
            raise BadInput(
                f"at node {place} the modulus of compression is {float(self.compression[place]):.4g} Pa and the shear"
                f" modulus {float(self.modulus[place]):.4g} Pa; a stable solid has at least 4/3 of it."
            )

    def speeds(self):
        root = [np.sqrt(np.asarray(m) / np.asarray(self.density)) for m in (self.modulus, self.compression)]
        return float(root[0].min()), float(root[1].max())

    def stiffened(self, modulus):
        """Another shear modulus, and one of compression that keeps Poisson's ratio."""
        scaled = self.compression * (modulus / self.modulus)
        return eqx.tree_at(lambda solid: (solid.modulus, solid.compression), self, (modulus, scaled))

    def moduli(self):
        return self.modulus, self.compression


class Blows(Shots):
    """Forces in the plane of a section on nodes, one after the other, and receivers that hear them all.

    directions   of the forces, shape (shots, 2): along x and y, times the pulse. The rest is as for `Shots`.
    """

    directions: Float[np.ndarray, "shots 2"]

    def __init__(self, sources, receivers, pulse, interval: float, directions):
        super().__init__(sources, receivers, pulse, interval)
        self.directions = real_array(directions)
        if self.directions.shape != self.sources.shape or not np.all(np.isfinite(self.directions)):
            raise BadInput(
                f"directions have shape {self.directions.shape}; give two finite numbers (x, y) for each of the"
                f" {len(self.sources)} sources."
            )


class Fields(NamedTuple):
    """Velocities half-way along x and y, pressures at nodes, shear half-way along both, and what the absorbing layers
    remember of eight slopes."""

    vx: Field
    vy: Field
    sxx: Field
    syy: Field
    sxy: Field
    memory: tuple[Field, ...]


def solid_records(solid: Solid, blows: Blows, *, edge: int = EDGE) -> Float[Array, "shots receivers 2 count"]:
    """The velocity (x, y) at all receivers for all blows, m/s.

    Staggered leapfrog for velocity and stress, second order in time and fourth in space. Forces act on nodes and
    velocities are heard there, though they live half-way between: by weights of fourth order, the same for both, so
    that they may change places. Edges, derivatives and precision are as for `shear_records`.

    Raises `BadInput` for blows outside the section, an unstable interval, shear waves shorter than 5 cells.
    Source: J. Virieux, Geophysics 51, 889 (1986); A. R. Levander, Geophysics 53, 1425 (1988), for the fourth order.
    """
    for what, given, wanted in (("solid", solid, Solid), ("blows", blows, Blows)):
        if not isinstance(given, wanted):
            raise BadInput(f"{what} is a {type(given).__name__}; give media.{wanted.__name__}(...).")
    blows.check(solid)
    return march(solid, blows, edge)


@functools.partial(jax.jit, static_argnums=2)
def march(solid: Solid, blows: Blows, edge: int) -> Float[Array, "shots receivers 2 count"]:
    """All steps, from rest."""
    h, dt = solid.spacing, blows.interval
    mu, stiff, density = solid.padded(edge)
    dtype = mu.dtype
    stiff, lame, shear = dt / h * stiff, dt / h * (stiff - 2 * mu), dt / h * half_way(half_way(mu, 0), 1)
    light_x, light_y = (dt / h / (0.5 * (density + ahead(density, axis))) for axis in (0, 1))
    x, y = (absorber(n, edge, blows, axis, dtype) for axis, n in enumerate(mu.shape))
    at_nodes, half = lambda along: (along.a, along.b), lambda along: (along.a_half, along.b_half)
    weights = jnp.asarray(BETWEEN, dtype)

    def four(places, axis: int):
        """The four neighbours half-way along an axis of each node."""
        i, j = (jnp.asarray(places).T + edge)[:, :, None]
        return (i + AROUND, j) if axis == 0 else (i, j + AROUND)

    rows = np.arange(len(blows.sources))[:, None]
    struck, heard = ([four(places, axis) for axis in (0, 1)] for places in (blows.sources, blows.receivers))
    push = [
        light[at] / h * weights * jnp.asarray(blows.directions, dtype)[:, axis, None]
        for axis, (light, at) in enumerate(zip((light_x, light_y), struck, strict=True))
    ]

    def step(fields: Fields, strength):
        vx, vy, sxx, syy, sxy, memory = fields
        slopes, kept = [], []
        for field, difference, axis, (a, b), m in (
            (vx, backward, 1, at_nodes(x), memory[0]),
            (vy, backward, 2, at_nodes(y), memory[1]),
            (vx, forward, 2, half(y), memory[2]),
            (vy, forward, 1, half(x), memory[3]),
        ):
            slope, m = absorbed(difference(field, axis), m, a, b)
            slopes.append(slope)
            kept.append(m)
        xx, yy, xy, yx = slopes
        sxx, syy, sxy = sxx + stiff * xx + lame * yy, syy + lame * xx + stiff * yy, sxy + shear * (xy + yx)
        slopes = []
        for field, difference, axis, (a, b), m in (
            (sxx, forward, 1, half(x), memory[4]),
            (sxy, backward, 2, at_nodes(y), memory[5]),
            (sxy, backward, 1, at_nodes(x), memory[6]),
            (syy, forward, 2, half(y), memory[7]),
        ):
            slope, m = absorbed(difference(field, axis), m, a, b)
            slopes.append(slope)
            kept.append(m)
        now = jnp.stack([v[:, *at] @ weights for v, at in zip((vx, vy), heard, strict=True)], axis=-1)
        vx, vy = (
            (v + light * (one + other)).at[rows, *at].add(strength * kick)
            for v, light, one, other, at, kick in (
                (vx, light_x, *slopes[:2], struck[0], push[0]),
                (vy, light_y, *slopes[2:], struck[1], push[1]),
            )
        )
        return Fields(vx, vy, sxx, syy, sxy, tuple(kept)), now

    zero = jnp.zeros((len(rows), *mu.shape), dtype)
    return marched(step, Fields(zero, zero, zero, zero, zero, (zero,) * 8), force(blows, dtype))
