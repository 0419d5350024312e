"""Fields of a steady problem: one nonlinear system on the grid, by Newton's method with a line search."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float

from .._core.compilation import compiled
from ..problem import FaceCondition, Problem
from ._continuation import Continuation
from ._grid import Grid
from ._layers import Junction
from ._linearised import matrix, reads_node_by_node
from ._march import dense_solve
from ._nodal import Nodal

NEWTON_STEPS = 60
MOST_STUCK = 3  # matrices along whose correction no share was any good, before the search is given up
LEAST = 2.0**-6  # of a correction
SMALLEST_SHARE = 0.1  # of the way from one lesson to the next


class SteadyScheme(eqx.Module):
    """What is solved and on which grid."""

    problem: Problem
    grid: Grid
    pairs: dict[str, str]
    boundary: tuple[FaceCondition, ...]
    junctions: tuple[Junction, ...]
    sizes: dict[str, Array]
    law_sizes: dict[str, Array]
    begin: dict[str, Float[Array, "*grid"]] | None = None
    """Where Newton's method starts; None for fields that are zero."""

    def on(self, grid: Grid) -> SteadyScheme:
        """The same on another grid, where nothing is known to start from."""
        return dataclasses.replace(self, grid=grid, begin=None)


class Steady(eqx.Module):
    """Fields through their values at the nodes."""

    scheme: SteadyScheme
    values: dict[str, Float[Array, "*grid"]]

    def __call__(self, **point: Float[Array, ""]) -> dict[str, Float[Array, ""]]:
        return {name: self.scheme.grid.interpolate(values, point) for name, values in self.values.items()}


def balance(scheme: SteadyScheme, raw: dict[str, Array]) -> Steady:
    """All laws and boundary conditions at once; NaN where Newton's method does not converge."""
    begin = scheme.begin or {name: jnp.zeros(scheme.grid.shape) for name in scheme.pairs}
    flat, unravel = ravel_pytree({name: begin[name] / scheme.sizes[name] for name in scheme.pairs})
    units = {name: scheme.law_sizes[law] for name, law in scheme.pairs.items()}

    def nodal(unknown: Float[Array, " n"]) -> Nodal:
        levels = {name: [values * scheme.sizes[name]] for name, values in unravel(unknown).items()}
        return Nodal(scheme.problem, scheme.grid, None, raw, jnp.zeros(()), levels)

    def residual(unknown: Float[Array, " n"]) -> Float[Array, " n"]:
        rows = nodal(unknown).residuals(scheme.pairs, scheme.boundary, scheme.junctions)
        return ravel_pytree({name: rows[name] / units[name] for name in rows})[0]

    def slopes(unknown: Float[Array, " n"]) -> Float[Array, "n n"]:
        if not reads_node_by_node(scheme.problem, scheme.grid):
            return jax.jacfwd(residual)(unknown)
        blocks, size = matrix(nodal(unknown), scheme.pairs, scheme.boundary), flat.size // len(units)
        names = sorted(units)  # the order in which a dictionary is made one vector
        return jnp.block(
            [[blocks[own][of].reshape(size, size) * (scheme.sizes[of] / units[own]) for of in names] for own in names]
        )

    def solve(residual: Callable, guess: Float[Array, " n"]) -> Float[Array, " n"]:
        return damped_newton(residual, slopes, guess)

    solved = unravel(jax.lax.custom_root(residual, flat, solve, dense_solve))
    return Steady(scheme, {name: solved[name] * scheme.sizes[name] for name in solved})


@compiled(lambda *_: False)
def steady_on(scheme: SteadyScheme, raw: dict[str, Array]) -> Steady:
    """The fields computed once."""
    return balance(scheme, raw)


def moved_to(fields: Steady, grid: Grid) -> SteadyScheme:
    """The scheme on another grid, where Newton's method starts from these fields if they were found."""
    scheme = fields.scheme.on(grid)
    return dataclasses.replace(scheme, begin=at_nodes(fields, grid)) if found(fields) else scheme


@compiled(lambda *_: False)
def at_nodes(fields: Steady, grid: Grid) -> dict[str, Float[Array, "*grid"]]:
    points = {axis: values.ravel() for axis, values in grid.points().items()}
    values = jax.vmap(lambda point: fields(**point))(points)
    return {name: values[name].reshape(grid.shape) for name in values}


def found(fields: Steady) -> bool:
    """Whether Newton's method converged."""
    return all(bool(jnp.all(jnp.isfinite(values))) for values in fields.values.values())


def led_up_to(scheme: SteadyScheme, continuation: Continuation) -> SteadyScheme:
    """The scheme with a start for Newton's method from easier problems, each solved from the last one's fields.

    Where a lesson is too hard a one, another is put half-way to it; the stated problem is the last one of all.
    """
    values = [{**scheme.problem.constants, **continuation.at(lesson)} for lesson in range(continuation.lessons + 1)]
    begin = scheme.begin or {name: jnp.zeros(scheme.grid.shape) for name in scheme.pairs}
    now, target, share = values[0], 0, 1.0
    while target < len(values):
        ahead = values[target]
        constants = {name: between(now[name], ahead[name], share) for name in ahead}
        problem = eqx.tree_at(lambda problem: problem.constants, scheme.problem, constants)
        fields = steady_on(dataclasses.replace(scheme, problem=problem, begin=begin), {})
        if found(fields):
            now, begin = constants, fields.values
            target, share = (target + 1, 1.0) if share == 1 else (target, min(1.0, 2 * share))
        elif target == 0 or share <= SMALLEST_SHARE:
            break
        else:
            share /= 2
    return dataclasses.replace(scheme, begin=begin)


def between(now: Array | np.ndarray, ahead: Array | np.ndarray, share: float) -> Array | np.ndarray:
    return ahead if share == 1 else now + share * (np.asarray(ahead) - now)


class Search(NamedTuple):
    """Steps by one matrix; `step` is the correction at x, `length` its norm, `size` its largest share of x."""

    x: Float[Array, " n"]
    value: Float[Array, " n"]
    step: Float[Array, " n"]
    length: Float[Array, ""]
    size: Float[Array, ""]
    share: Float[Array, ""]
    best: tuple[Float[Array, " n"], Float[Array, " n"], Float[Array, ""]]  # of those tried: x, value, length to come
    going: Bool[Array, ""]
    floor: Bool[Array, ""]


def damped_newton(residual: Callable, slopes: Callable, guess: Float[Array, " n"]) -> Float[Array, " n"]:
    """Newton's method with a natural damping: a share of the step is taken after which the next correction, by the same
    matrix, is shorter. NaN where it does not converge.

    A matrix is kept for as long as each correction by it is a quarter of the last, since a step costs a thousandth of
    what its factors cost. Corrections rather than residuals are compared, whose size says nothing where rows of a law
    have very different scales. Source: Deuflhard, Newton Methods for Nonlinear Problems (2004), 3.3.
    """

    def body(carry):
        x, value, _, count, stuck, _ = carry
        factors = jax.scipy.linalg.lu_factor(slopes(x))
        step = jax.scipy.linalg.lu_solve(factors, value)
        length, size = jnp.linalg.norm(step), relative(step, x)
        start = Search(
            x, value, step, length, size, jnp.ones_like(size), (x, value, inf), jnp.isfinite(size), jnp.array(False)
        )
        found = jax.lax.while_loop(lambda search: search.going, lambda search: tried(search, factors), start)
        stuck = stuck + (found.share < LEAST)
        done = (found.size < 1e-11) | found.floor | ~jnp.isfinite(found.size) | (stuck >= MOST_STUCK)
        return found.x, found.value, found.size, count + 1, stuck, done

    def tried(search: Search, factors) -> Search:
        trial = search.x - search.share * search.step
        ahead = residual(trial)
        step = jax.scipy.linalg.lu_solve(factors, ahead)
        length, size = jnp.linalg.norm(step), relative(step, trial)
        length = jnp.where(jnp.isfinite(length), length, inf)
        # The full step is taken near the solution, where rounding makes comparisons meaningless.
        near = jnp.isfinite(length) & (search.size < 1e-6)
        good = near | (length <= (1 - search.share / 4) * search.length)
        best = jax.tree.map(
            lambda new, old: jnp.where(length < search.best[2], new, old), (trial, ahead, length), search.best
        )
        last = ~good & (search.share <= LEAST)
        falling = length <= search.length / 4
        onward = good & falling & (search.share == 1) & (size >= 1e-15)
        # What is as small and falls no more is rounding, of the matrix or of the rows.
        floor = good & ~falling & (search.size < 1e-7)
        moved = lambda new, tried, old: jnp.where(good, new, jnp.where(last, tried, old))
        return Search(
            x=moved(trial, best[0], search.x),
            value=moved(ahead, best[1], search.value),
            step=jnp.where(good, step, search.step),
            length=jnp.where(good, length, search.length),
            size=jnp.where(good, size, jnp.where(last & ~jnp.isfinite(best[2]), jnp.nan, search.size)),
            share=jnp.where(good, search.share, search.share / 2),
            best=best,
            going=onward | (~good & ~last),
            floor=floor,
        )

    def more(carry):
        *_, count, _, done = carry
        return ~done & (count < NEWTON_STEPS)

    inf = jnp.asarray(jnp.inf, guess.dtype)
    x, _, size, *_ = jax.lax.while_loop(more, body, (guess, residual(guess), inf, 0, 0, False))
    return jnp.where(size < 1e-6, x, jnp.nan)


def relative(step: Float[Array, " n"], x: Float[Array, " n"]) -> Float[Array, ""]:
    """The largest entry of a step, as a share of the unknowns."""
    return jnp.max(jnp.abs(step)) / (1.0 + jnp.max(jnp.abs(x)))
