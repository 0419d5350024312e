"""The balance of mass in every cell of a film, from what flows through its faces."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ._cavitation import Split
from ._couette import Side
from ._ends import Ends, Open, Periodic, Pressure, Wall
from ._film import Film

Cells = Float[Array, "nx ny"]
XFaces = Float[Array, "nx1 ny"]
YFaces = Float[Array, "nx ny1"]


def on_two_axes(field: Float[Array, "*cells"]) -> Cells:
    """A film of endless width is one cell wide, and periodic across."""
    return field if field.ndim == 2 else field[:, None]


def spacing(film: Film) -> tuple[Float[Array, ""], Float[Array, ""]]:
    sizes = film.grid.spacing
    return sizes if len(sizes) == 2 else (sizes[0], jnp.ones(()))


class State(NamedTuple):
    """What the unknown of each cell says, and what it makes of the cell; all of shape (nx, ny).

    pressure Pa, over that of cavitation; fraction theta; conductance rho h^3/(12 mu); drag U rho h / 2 of a full film.
    """

    pressure: Cells
    fraction: Cells
    source: Cells
    full: Cells
    conductance: Cells
    drag: Cells
    density: Cells


def state(film: Film, w: Cells) -> State:
    split: Split = film.cavitation.split(w)
    h = on_two_axes(film.height)
    pressure = film.pressure_scale * split.pressure
    density = film.fluid.density(pressure)
    conductance = density * h**3 / (12 * film.fluid.viscosity(pressure))
    if film.flow_factor is not None:
        conductance = conductance * film.flow_factor(h)
    # Fluid from nowhere, which makes as large an entry in the matrix as pressure does.
    dx, _ = spacing(film)
    source = jax.lax.stop_gradient(film.pressure_scale * conductance / dx**2) * split.source
    drag = 0.5 * film.speed * density * h
    return State(pressure, split.fraction, source, split.full, conductance, drag, density)


class Pair(NamedTuple):
    """Both sides of every face along one axis, and which faces let something through."""

    left: Side
    right: Side
    open: Float[Array, "..."]


def sides(film: Film, cells: State, axis: int) -> Pair:
    """Of the faces across `axis`, ends included: one more than there are cells, on a periodic axis the first again."""
    half = 0.5 * spacing(film)[axis]
    drag = cells.drag if axis == 0 else jnp.zeros_like(cells.drag)
    inside = Side(cells.pressure, half / cells.conductance, drag, cells.fraction, cells.full)
    ends: Ends = film.x if axis == 0 else film.y
    first = jax.tree.map(lambda a: edge(a, axis, 0), inside)
    last = jax.tree.map(lambda a: edge(a, axis, -1), inside)
    if isinstance(ends, Periodic):
        before, after = last, first
    else:
        before, after = (
            beyond(film, end, cell, edge(on_two_axes(film.height), axis, k), axis)
            for end, cell, k in ((ends[0], first, 0), (ends[1], last, -1))
        )
    left = jax.tree.map(lambda a, b: jnp.concatenate([a, b], axis), before, inside)
    right = jax.tree.map(lambda b, a: jnp.concatenate([b, a], axis), inside, after)
    return Pair(left, right, passable(ends, left.pressure.shape, axis))


def edge(field: Float[Array, "..."], axis: int, which: int) -> Float[Array, "..."]:
    return jax.lax.slice_in_dim(field, which % field.shape[axis], which % field.shape[axis] + 1, axis=axis)


def beyond(film: Film, end: Open | Pressure | Wall, cell: Side, height: Cells, axis: int) -> Side:
    """What lies behind an end: full film at its pressure. Of a wall only the shape matters, nothing passes."""
    if isinstance(end, Wall):
        return cell
    pressure = film.pressure_at(end) - film.cavitation.pressure
    pressure = jnp.broadcast_to(jnp.expand_dims(pressure, axis) if pressure.ndim else pressure, cell.pressure.shape)
    drag = 0.5 * film.speed * film.fluid.density(pressure) * height if axis == 0 else jnp.zeros_like(cell.drag)
    none = jnp.zeros_like(pressure)
    return Side(pressure, none, drag, none, jnp.ones_like(cell.full))


def passable(ends: Ends, shape: tuple[int, ...], axis: int) -> Float[Array, "..."]:
    """One, and nought at walls."""
    if isinstance(ends, Periodic):
        return jnp.ones(shape)
    line = jnp.ones(shape[axis]).at[0].multiply(not isinstance(ends[0], Wall))
    line = line.at[-1].multiply(not isinstance(ends[1], Wall))
    return line[:, None] if axis == 0 else line[None]


class Fluxes(NamedTuple):
    """Volumes at the density of no pressure that pass through the faces, by length of face, m2/s."""

    x: XFaces
    y: YFaces


def fluxes(film: Film, cells: State) -> Fluxes:
    across = [
        pair.open * film.couette.flux(pair.left, pair.right, film.speed)
        for pair in (sides(film, cells, 0), sides(film, cells, 1))
    ]
    return Fluxes(*across)


def residual(film: Film, w: Cells) -> Cells:
    """What flows out of each cell, less what squeezing pushes out of it, m/s; nought where the film is in balance."""
    cells = state(film, w)
    q, (dx, dy) = fluxes(film, cells), spacing(film)
    pushed = (1 - cells.fraction) * cells.density * on_two_axes(film.squeeze)
    return jnp.diff(q.x, axis=0) / dx + jnp.diff(q.y, axis=1) / dy + pushed - cells.source


def flux_scale(film: Film, w: Cells) -> Float[Array, ""]:
    """The largest flow into a cell by its area, m/s: what a residual is small against."""
    cells = state(film, w)
    q, (dx, dy) = fluxes(film, cells), spacing(film)
    squeezed = jnp.max(jnp.abs(cells.density * on_two_axes(film.squeeze)))
    return jnp.max(jnp.abs(q.x)) / dx + jnp.max(jnp.abs(q.y)) / dy + squeezed
