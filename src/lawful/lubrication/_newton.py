"""The signed unknown of every cell: found by Newton's method on the active set, differentiated implicitly."""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ._ends import Ends
from ._faces import Cells, State, flux_scale, on_two_axes, residual, sides, spacing, state
from ._film import Film
from ._grid import Grid
from ._stencil import Stencil

MOST = 60  # steps of one stage
BARELY = 1e-12
COARSEST = 48  # cells along the shorter axis
TIGHT = 1e-11  # of the flow through a cell


def stencil(film: Film, w: Cells) -> Stencil:
    """The derivative of `residual` in w: that of each face's flow in the two cells beside it."""
    cells, slopes = jax.jvp(lambda w: state(film, w), (w,), (jnp.ones_like(w),))
    dx, dy = spacing(film)
    middle = jnp.zeros_like(w)
    outer: list[Cells] = []
    for axis, size in ((0, dx), (1, dy)):
        by_left, by_right = face_slopes(film, cells, slopes, axis)
        first, last = (slice(None, -1), slice(1, None))
        at = (lambda a, s: a[s]) if axis == 0 else (lambda a, s: a[:, s])
        middle = middle + (at(by_left, last) - at(by_right, first)) / size
        outer += [-at(by_left, first) / size, at(by_right, last) / size]
    squeeze = on_two_axes(film.squeeze)
    pushed = squeeze * ((1 - cells.fraction) * slopes.density - slopes.fraction * cells.density)
    return Stencil(middle + pushed - slopes.source, *outer)


def face_slopes(film: Film, cells: State, slopes: State, axis: int) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """Derivatives of the flow through every face in the unknown on its left and on its right."""
    (pair, moved) = jax.jvp(lambda c: sides(film, c, axis)[:2], (cells,), (slopes,))
    still = jax.tree.map(jnp.zeros_like, moved)
    flux = lambda left, right: film.couette.flux(left, right, film.speed)
    by_left = jax.jvp(flux, tuple(pair), (moved[0], still[1]))[1]
    by_right = jax.jvp(flux, tuple(pair), (still[0], moved[1]))[1]
    open_ = sides(film, cells, axis).open
    return open_ * by_left, open_ * by_right


class Found(NamedTuple):
    """w > 0: pressure over that of cavitation in units of `film.pressure_scale`; w < 0: how far the film is broken."""

    w: Cells
    steps: Int[Array, ""]


class Trial(NamedTuple):
    """With the imbalance before the last step: the one that ends is a refinement, by a factor that is still there."""

    w: Cells
    steps: Int[Array, ""]
    before: Float[Array, ""]


class Missed(NamedTuple):
    """By the balance of each cell, m/s, and by the mean pressure, if one is given, Pa."""

    residual: Cells
    mean: Float[Array, ""] | None


def missed(film: Film, w: Cells) -> Missed:
    mean = None if film.mean is None else mean_pressure(film, w) - film.mean
    return Missed(residual(film, w), mean)


def mean_pressure(film: Film, w: Cells) -> Float[Array, ""]:
    return jnp.mean(state(film, w).pressure) + film.cavitation.pressure


def imbalance(film: Film, w: Cells, left: Missed) -> Float[Array, ""]:
    cells = jnp.max(jnp.abs(left.residual)) / flux_scale(film, w)
    return cells if left.mean is None else jnp.maximum(cells, jnp.abs(left.mean) / film.pressure_scale)


def correction(film: Film, w: Cells, left: Missed) -> Cells:
    """What `w` must lose for nothing to be missed, in first order.

    A film of which no end gives a pressure keeps its fluid: the balances of its cells add up to nothing, so that their
    matrix A is singular. With one entry more on the diagonal, A' = A + a e e', it is not, and A'^-1 (a e) is the null
    vector of A, of which as much is added as the mean asks for.
    """
    matrix = stencil(film, w)
    if left.mean is None:
        return matrix.solve(left.residual)
    pin = jnp.where(jnp.arange(w.size).reshape(w.shape) == jnp.argmax(w), jnp.max(jnp.abs(matrix.middle)), 0.0)
    pin = jax.lax.stop_gradient(pin)
    matrix = eqx.tree_at(lambda m: m.middle, matrix, matrix.middle + pin)
    one, null = matrix.solve(left.residual), matrix.solve(pin)
    by = lambda moved: jax.jvp(lambda w: mean_pressure(film, w), (w,), (moved,))[1]
    return one + (left.mean - by(one)) / by(null) * null


def newton(film: Film, w: Cells) -> Found:
    """From a guess until the balance holds to rounding and one step more, or until nothing helps."""

    def step(at: Trial) -> Trial:
        left = missed(film, at.w)
        to = at.w - correction(film, at.w, left)
        # A cell that ruptures or reforms takes the sign alone: how far the step went was in the unit of the other side.
        crossed = film.cavitation.split(to).full != film.cavitation.split(at.w).full
        w = jnp.where(crossed, jnp.where(to > 0, BARELY, -BARELY), to)
        return Trial(w, at.steps + 1, imbalance(film, at.w, left))

    def goes_on(at: Trial) -> Array:
        return (at.steps < MOST) & (at.before > TIGHT)

    end = jax.lax.while_loop(goes_on, step, Trial(w, jnp.zeros((), int), jnp.asarray(jnp.inf, w.dtype)))
    return Found(end.w, end.steps)


def search(film: Film) -> Found:
    """First of a fluid that does not answer to pressure, whose balance is piecewise linear: no guess is too far. Then
    of the fluid as it is."""
    if film.fluid.answers:
        start = levelled(eqx.tree_at(lambda f: f.fluid, film, film.fluid.at_rest))
        end = newton(film, start.w)
        return Found(end.w, start.steps + end.steps)
    return levelled(film)


def levelled(film: Film) -> Found:
    """From a coarser grid where there are many cells, else from a full film."""
    shape = on_two_axes(film.height).shape
    if min(film.grid.cells) < COARSEST:
        return newton(film, jnp.ones(shape))
    coarse = coarsened(film)
    start = levelled(coarse)
    guess = start.w[nearest_to(shape[0], start.w.shape[0])][:, nearest_to(shape[1], start.w.shape[1])]
    guess = guess * jnp.where(guess > 0, coarse.pressure_scale / film.pressure_scale, 1.0)
    end = newton(film, guess)
    return Found(end.w, start.steps + end.steps)


def coarsened(film: Film) -> Film:
    """The film in every eighth cell of each axis: each grid is compiled for itself, and more of them save no steps."""
    cells = tuple(-(-count // 8) for count in film.grid.cells)
    grid = Grid(cells, film.grid.length)
    picks = [nearest_to(few, many) for few, many in zip(cells, film.grid.cells, strict=True)]
    thin = lambda field: field[picks[0]] if len(picks) == 1 else field[picks[0]][:, picks[1]]
    film = eqx.tree_at(lambda f: (f.grid, f.height, f.squeeze), film, (grid, thin(film.height), thin(film.squeeze)))
    return eqx.tree_at(lambda f: (f.x, f.y), film, (thinned(film.x, picks[-1]), thinned(film.y, picks[0])))


def thinned(ends: Ends, picks: Int[np.ndarray, " few"]) -> Ends:
    """Pressures that differ along an end, in the cells that are left."""
    along = lambda a: a[picks] if a.ndim else a
    return jax.tree.map(along, ends)


def nearest_to(few: int, many: int) -> Int[np.ndarray, " few"]:
    """Of `many` equal cells those that lie nearest to the middles of `few`; `few` may be the greater number."""
    return ((np.arange(few) + 0.5) * many / few).astype(int)


@eqx.filter_custom_jvp
def balanced(film: Film) -> Found:
    """The unknown for which every cell is in balance, as a differentiable function of everything in the film.

    With F(w, film) = 0 follows dw = -(dF/dw)^-1 dF/dfilm: one solve forwards, one transposed solve backwards.
    """
    return search(film)


@balanced.def_jvp
def balanced_jvp(primals: tuple[Film], tangents: tuple[Film]) -> tuple[Found, Found]:
    (film,), (moved,) = primals, tangents
    found = balanced(film)
    arrays, rest = eqx.partition(film, eqx.is_inexact_array)
    moved = jax.tree.map(lambda a, t: jnp.zeros_like(a) if t is None else t, arrays, moved)
    _, driven = jax.jvp(lambda a: missed(eqx.combine(a, rest), found.w), (arrays,), (moved,))
    slope = -correction(film, found.w, driven)
    whole: Any = None  # a number of steps has no derivative
    return found, Found(slope, whole)
