"""What a film does: pressure, cavitation, load, friction and flow."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ._faces import Cells, Fluxes, State, fluxes, on_two_axes, sides, spacing, state
from ._film import Film
from ._newton import TIGHT, balanced, imbalance, missed

LEVEL = 100 * TIGHT  # of imbalance at which a flow still counts as found: rounding on fine grids
CLOSE = 1e-6


class Discharge(NamedTuple):
    """What leaves a film through its ends, m3/s (m2/s in a film of endless width), at the density of no pressure."""

    x_first: Float[Array, ""]
    x_last: Float[Array, ""]
    y_first: Float[Array, ""]
    y_last: Float[Array, ""]


class Flow(eqx.Module):
    """The steady flow in a film. Everything here can be differentiated by everything in the film.

    Loads and frictions are in newtons, in a film of endless width in newtons per metre of width.

    w           the unknown of each cell: pressure over that of cavitation where it is positive, in units of
                `film.pressure_scale`, and minus the fraction theta where it is negative (`JFO`).
    steps       of Newton's method, those on coarser grids included.
    """

    film: Film
    w: Cells
    steps: Int[Array, ""]

    @property
    def imbalance(self) -> Float[Array, ""]:
        """The largest gain or loss of mass in a cell, in units of the largest flow into a cell."""
        return imbalance_of(self)

    @property
    def converged(self) -> bool:
        """Whether mass is balanced in every cell to rounding; else nothing of the flow is to be believed."""
        return bool(self.imbalance < LEVEL)

    def on_grid(self, field: Cells) -> Float[Array, "*cells"]:
        return field.reshape(self.film.grid.cells)

    @property
    def pressure(self) -> Float[Array, "*cells"]:
        """Pa, on the scale of the film's ambient pressure."""
        return self.on_grid(cells_of(self).pressure) + self.film.cavitation.pressure

    @property
    def fraction(self) -> Float[Array, "*cells"]:
        """Theta, the part of the gap that is no fluid; 0 where the film is full."""
        return self.on_grid(cells_of(self).fraction)

    @property
    def cavitated(self) -> Float[Array, ""]:
        """The part of the film's area that is broken."""
        return jnp.mean(1 - cells_of(self).full)

    @property
    def load(self) -> Float[Array, ""]:
        """W = int (p - p_ambient) dA."""
        return jnp.sum(self.pressure - self.film.ambient) * self.film.grid.area

    @property
    def peak(self) -> Float[Array, ""]:
        """The highest pressure, Pa. Its derivative is that of one cell, and jumps where another takes over."""
        return jnp.max(self.pressure)

    def smooth_peak(self, power: float = 16.0) -> Float[Array, ""]:
        """A smooth highest pressure, Pa: p_cav + (mean of (p - p_cav)^power over the area)^(1 / power).

        Never above `peak`; above a half of it where the pressure is above that on 2^-power of the area.
        """
        over = jnp.maximum(self.pressure - self.film.cavitation.pressure, 0.0)
        top = jax.lax.stop_gradient(jnp.max(over))  # the unit, which falls out
        return self.film.cavitation.pressure + top * jnp.mean((over / top) ** power) ** (1 / power)

    def shear(self, moving: bool = True) -> Float[Array, "*cells"]:
        """What the fluid does to a wall against its sense of sliding, Pa: (1-theta) mu U/h + (h/2) dp/dx on the moving
        wall, with a minus on the other one.

        Only the part 1 - theta of a broken film shears, the convention of EHL-FBNS. In each cell dp/dx is that between
        its faces.
        """
        dragged, driven = shears(self)
        return self.on_grid(dragged + driven if moving else dragged - driven)

    @property
    def friction(self) -> Float[Array, ""]:
        """F = int tau dA on the moving wall."""
        return jnp.sum(self.shear()) * self.film.grid.area

    @property
    def friction_fixed(self) -> Float[Array, ""]:
        """F = int tau dA on the wall that stands still."""
        return jnp.sum(self.shear(moving=False)) * self.film.grid.area

    @property
    def coefficient(self) -> Float[Array, ""]:
        """F / W. To make it small is no design goal: it is smallest where the load passes through zero."""
        return self.friction / self.load

    @property
    def fluxes(self) -> Fluxes:
        """Through every face, m2/s."""
        return fluxes_of(self)

    @property
    def discharge(self) -> Discharge:
        """Through the ends, outward; both ends of a periodic axis are one face, counted against itself."""
        q, (dx, dy) = self.fluxes, spacing(self.film)
        x, y = q.x.sum(1) * dy, q.y.sum(0) * dx
        return Discharge(-x[0], x[-1], -y[0], y[-1])

    @property
    def side_flow(self) -> Float[Array, ""]:
        """What leaves through both ends of y, m3/s."""
        return self.discharge.y_first + self.discharge.y_last

    @property
    def undecided(self) -> Bool[Array, "*cells"]:
        """Cells that are about to rupture or reform: both pressure and fraction vanish. Where there is one, a
        derivative holds on one side only."""
        return self.on_grid(jnp.abs(self.w) < CLOSE * jnp.max(jnp.abs(self.w)))


# Compiled as one piece each: one operation after the other takes seconds.


@eqx.filter_jit
def cells_of(flow: Flow) -> State:
    return state(flow.film, flow.w)


@eqx.filter_jit
def fluxes_of(flow: Flow) -> Fluxes:
    return fluxes(flow.film, state(flow.film, flow.w))


@eqx.filter_jit
def imbalance_of(flow: Flow) -> Float[Array, ""]:
    return imbalance(flow.film, flow.w, missed(flow.film, flow.w))


@eqx.filter_jit
def shears(flow: Flow) -> tuple[Cells, Cells]:
    """By the sliding, and by the pressure on the moving wall, Pa."""
    film = flow.film
    cells, h = state(film, flow.w), on_two_axes(film.height)
    pair = sides(film, cells, 0)
    slope = jnp.diff(film.couette.face_pressure(pair.left, pair.right), axis=0) / spacing(film)[0]
    dragged = (1 - cells.fraction) * film.fluid.viscosity(cells.pressure) * film.speed / h
    return dragged, 0.5 * h * slope


@eqx.filter_jit
def flow(film: Film) -> Flow:
    """The steady flow in a film: its equation is in `Film`.

    Newton's method on the active set with sparse LU on the host; works under `jax.jit`, `jax.grad`, `jax.jvp`, `vmap`
    and second derivatives. Derivatives are implicit ones on the cells that are full and broken at the end, exact as
    long as none changes; `reach` says how far that is.

    Look at `Flow.converged`: a film that was not found has a large `imbalance`, NaN where its equations are singular.
    """
    found = balanced(film)
    return Flow(film, found.w, found.steps)


class Reach(NamedTuple):
    """How far the cells that are full and broken stay what they are along a line of films.

    step    at which, by linear prediction, the first cell ruptures or reforms; infinite where none does.
    cell    which one.
    """

    step: float
    cell: tuple[int, ...]


def reach(film_at: Callable[[Float[Array, ""]], Film]) -> Reach:
    """How large a step t along a line of films, from t = 0 on, a derivative at t = 0 can be trusted for.

        reach(lambda t: Film(grid, height - t * gradient, ...))

    film_at  the film at t, a differentiable function.
    """
    start = jnp.zeros(())
    w, slope = jax.jit(lambda t: jax.jvp(lambda t: flow(film_at(t)).w, (t,), (jnp.ones_like(t),)))(start)
    film = film_at(start)
    if film.cavitation.split(-jnp.ones(())).full:  # nothing ever breaks
        return Reach(np.inf, ())
    towards = w * slope < 0
    steps = np.where(towards, -w / jnp.where(towards, slope, 1.0), np.inf)
    first = np.unravel_index(int(np.argmin(steps)), steps.shape)[: len(film.grid.cells)]
    return Reach(float(np.min(steps)), tuple(int(i) for i in first))
