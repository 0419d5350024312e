"""An elastic half-space under pressure on equal cells: how its surface sinks, by convolution."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from .._core.messages import BadInput, shown
from .._core.once import being_traced
from ._grid import Grid

Cells = Float[Array, "nx ny"]
Spectrum = Complex[Array, "kx ky"]


def contact_modulus(young: Any, poisson: Any, other_young: Any = jnp.inf, other_poisson: Any = 0.0) -> Float[Array, ""]:
    """The modulus with which two bodies meet, by default on a rigid one.

        1/E* = (1 - nu1^2)/E1 + (1 - nu2^2)/E2

    young, other_young      Young's moduli, Pa.
    poisson, other_poisson  Poisson's ratios.

    Source: K. L. Johnson, Contact Mechanics (1985), section 4.2.
    """
    return 1 / ((1 - poisson**2) / young + (1 - other_poisson**2) / other_young)


class HalfSpace(eqx.Module):
    """An elastic half-space whose surface is a grid of cells, each under one pressure.

        space = HalfSpace(Grid((128, 128), (1e-3, 1e-3)), contact_modulus(210e9, 0.3))

    grid      of two axes.
    modulus   E* = E / (1 - nu^2), or that of two bodies in contact, Pa.
    poisson   nu of the body whose stresses are asked for.
    periodic  whether the surface repeats itself along both axes; else it is free beyond the grid.

    Not periodic, the displacement is the exact one of uniform pressures on rectangles; periodic, that of each wave of
    the pressure, u(q) = 2 p(q) / (E* |q|), whose mean is zero.
    Source: A. E. H. Love, Phil. Trans. R. Soc. A 228, 377 (1929); K. L. Johnson, Contact Mechanics, 3.3, 13.2 (1985).

    Raises `BadInput` for a grid of one axis, a modulus not above 0, a ratio of Poisson outside [0, 0.5].
    """

    grid: Grid
    modulus: Float[Array, ""]
    poisson: Float[Array, ""]
    periodic: bool = eqx.field(static=True)

    def __init__(self, grid: Grid, modulus: Any, poisson: Any = 0.3, *, periodic: bool = False):
        if len(grid.cells) != 2:
            raise BadInput(
                f"HalfSpace: the grid has cells={shown(grid.cells)}; give it two axes, Grid((nx, ny), (lx, ly))."
            )
        if not being_traced((modulus, poisson)):
            if not (np.isfinite(modulus) and modulus > 0):
                raise BadInput(f"HalfSpace: modulus={shown(modulus)} must be above 0, in pascal.")
            if not 0 <= poisson <= 0.5:
                raise BadInput(f"HalfSpace: poisson={shown(poisson)} must lie from 0 to 0.5.")
        self.grid, self.periodic = grid, bool(periodic)
        self.modulus, self.poisson = jnp.asarray(modulus, float), jnp.asarray(poisson, float)

    def displacement(self, pressure: Cells) -> Cells:
        """How far the surface sinks, m; in the middle of each cell."""
        return convolved(self, pressure, sinking(self))


def sinking(space: HalfSpace) -> Spectrum:
    """The response of the displacement to pressure, in wavenumbers."""
    if space.periodic:
        q = wavenumber(space.grid)
        return jnp.where(q > 0, 2 / (space.modulus * jnp.where(q > 0, q, 1.0)), 0.0) + 0j
    return response(space.grid, lambda x, y: patch(x, y) / (jnp.pi * space.modulus))


def patch(x: Array, y: Array) -> Array:
    """Of the integral of 1/r over a rectangle what one corner contributes."""
    return x * jnp.arcsinh(y / jnp.abs(x)) + y * jnp.arcsinh(x / jnp.abs(y))


def response(grid: Grid, corner: Any) -> Complex[Array, "... kx ky"]:
    """In wavenumbers of a grid twice as large, the response in the middles of the cells to the pressure on one, from
    what a corner of a rectangle contributes at a distance (x, y)."""
    (nx, ny), (dx, dy) = grid.cells, grid.spacing
    # Corners lie half a cell off: positions from -n to n, of which a circle of 2 n cells has each but one.
    x, y = (jnp.arange(-n, n + 1)[:, None] * d - 0.5 * d for n, d in ((nx, dx), (ny, dy)))
    at = corner(x, y.T)
    each = at[..., 1:, 1:] - at[..., 1:, :-1] - at[..., :-1, 1:] + at[..., :-1, :-1]
    return jnp.fft.rfft2(jnp.roll(each, (-nx, -ny), (-2, -1)))


def convolved(space: HalfSpace, pressure: Cells, spectrum: Complex[Array, "... kx ky"]) -> Float[Array, "... nx ny"]:
    nx, ny = space.grid.cells
    size = (nx, ny) if space.periodic else (2 * nx, 2 * ny)
    return jnp.fft.irfft2(jnp.fft.rfft2(pressure, size) * spectrum, size)[..., :nx, :ny]


def waves(grid: Grid) -> tuple[Float[Array, "kx 1"], Float[Array, "1 ky"]]:
    """Wavenumbers along both axes, 1/m."""
    (nx, ny), (dx, dy) = grid.cells, grid.spacing
    return 2 * jnp.pi * jnp.fft.fftfreq(nx)[:, None] / dx, 2 * jnp.pi * jnp.fft.rfftfreq(ny)[None] / dy


def wavenumber(grid: Grid) -> Float[Array, "kx ky"]:
    qx, qy = waves(grid)
    # Where it is zero it has no slope.
    square = qx**2 + qy**2
    return jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1.0)), 0.0)


def smoothing_undone(grid: Grid, field: Cells) -> Cells:
    """|q| times a field that repeats itself: near to the inverse of the displacement, for linear solvers."""
    q = jax.lax.stop_gradient(wavenumber(grid))
    lowest = jnp.min(jnp.where(q > 0, q, jnp.inf))
    return jnp.fft.irfft2(jnp.fft.rfft2(field) * jnp.maximum(q, lowest), grid.cells)
