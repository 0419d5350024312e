"""Fields by stepping: implicit Radau steps of a system of laws, with exact derivatives with respect to everything."""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from ._nodal import Nodal
from ._radau import step_polynomial
from ._scheme import Scheme, levels_at_stages
from ._step import structured, structured_step

NEWTON_STEPS = 20


class Marched(eqx.Module):
    """Fields of a march: one polynomial per step. `starts[f]` is (steps, order, *grid), `highest[f]` (steps,"
    " stages, *grid)."""

    scheme: Scheme
    edges: Float[Array, " steps+1"]
    starts: dict[str, Float[Array, "steps order *grid"]]
    highest: dict[str, Float[Array, "steps stages *grid"]]

    def __call__(self, **point: Float[Array, ""]) -> dict[str, Float[Array, ""]]:
        time, edges = point[self.scheme.march], jnp.asarray(self.edges)
        count = edges.shape[0] - 1
        index = jnp.clip(jnp.searchsorted(edges, jax.lax.stop_gradient(time), side="right") - 1, 0, count - 1)
        step = edges[index + 1] - edges[index]
        s = (time - edges[index]) / step
        values, grid = {}, self.scheme.grid
        for name in self.scheme.orders:
            start, highest = (grid.interpolate(rows[name], point, index) for rows in (self.starts, self.highest))
            values[name] = step_polynomial(start, highest, step, s, self.scheme.tables(name))
        return values


def march(scheme: Scheme, raw: dict[str, Array], edges: Float[Array, " steps+1"]) -> Marched:
    """Step from the initial conditions along all edges; NaN from the step on whose equations were not solved."""
    state = initial_state(scheme, raw, edges[0])
    guess = first_guess(scheme)

    def one(carry, ends):
        state, guess = carry
        highest = solve_step(scheme, raw, state, guess, ends[0], ends[1] - ends[0])
        after = end_of_step(scheme, state, highest, ends[1] - ends[0])
        constant = {name: jnp.broadcast_to(values[-1], values.shape) for name, values in highest.items()}
        return (after, constant), (state, highest)

    _, (starts, highest) = jax.lax.scan(one, (state, guess), jnp.stack([edges[:-1], edges[1:]], axis=1))
    return Marched(scheme, edges, starts, highest)


def first_guess(scheme: Scheme) -> dict[str, Float[Array, "stages *grid"]]:
    """The highest derivatives of the first step: none; a field that is nowhere differentiated has its typical size."""
    nothing = jnp.zeros((scheme.stages, *scheme.grid.shape))
    return {name: nothing if order else nothing + scheme.sizes[name] for name, order in scheme.orders.items()}


def initial_state(
    scheme: Scheme, raw: dict[str, Array], start: Float[Array, ""]
) -> dict[str, Float[Array, "order *grid"]]:
    """The fields and their lower time derivatives at the start, from the initial conditions."""
    nodal = Nodal(scheme.problem, scheme.grid, scheme.march, raw, start, {})
    state = {name: [jnp.zeros(scheme.grid.shape)] * order for name, order in scheme.orders.items()}
    for condition in scheme.initial:
        given, own = condition.sign * nodal.call(condition.target), nodal.where(condition)
        rows = state[condition.field]
        rows[condition.order] = given if own is None else jnp.where(own, given, rows[condition.order])
    return {name: jnp.stack(rows) if rows else jnp.zeros((0, *scheme.grid.shape)) for name, rows in state.items()}


def end_of_step(scheme: Scheme, state, highest, step) -> dict[str, Float[Array, "order *grid"]]:
    """The last Radau point is the end of the step."""
    levels = levels_at_stages(scheme, state, highest, step)
    return {
        name: jnp.stack([level[-1] for level in levels[name][:order]]) if order else state[name]
        for name, order in scheme.orders.items()
    }


def solve_step(scheme: Scheme, raw, state, guess, begin, step) -> dict[str, Float[Array, "stages *grid"]]:
    """The highest time derivatives at the stages, such that every law and boundary condition holds at every stage."""
    rule = structured_step if structured(scheme) else dense_step
    return rule(scheme, raw, state, guess, begin, step)


def dense_step(scheme: Scheme, raw, state, guess, begin, step) -> dict[str, Float[Array, "stages *grid"]]:
    """All stages at once, with one full matrix: for few unknowns, and for laws of any order in time."""
    sizes = {name: scheme.sizes[name] / step**order for name, order in scheme.orders.items()}
    flat, unravel = ravel_pytree({name: guess[name] / sizes[name] for name in guess})
    times = begin + scheme.tables(next(iter(scheme.orders))).nodes * step

    def at_stage(time: Float[Array, ""], levels: dict[str, list[Array]]) -> dict[str, Array]:
        nodal = Nodal(scheme.problem, scheme.grid, scheme.march, raw, time, levels)
        rows = nodal.residuals(scheme.pairs, scheme.boundary, scheme.junctions)
        return {name: values / scheme.law_sizes[scheme.pairs[name]] for name, values in rows.items()}

    def residual(unknown: Float[Array, " n"]) -> Float[Array, " n"]:
        scaled = unravel(unknown)
        highest = {name: scaled[name] * sizes[name] for name in scaled}
        # One law evaluation for all stages: unrolled, the same code would be compiled once for each.
        rows = jax.vmap(at_stage)(times, levels_at_stages(scheme, state, highest, step))
        return ravel_pytree(rows)[0]

    solved = unravel(jax.lax.custom_root(residual, flat, newton, dense_solve))
    return {name: solved[name] * sizes[name] for name in solved}


def newton(residual: Callable, guess: Float[Array, " n"]) -> Float[Array, " n"]:
    """Newton's method to the rounding floor: stops when a step no longer shrinks. NaN where it does not converge."""

    def body(carry):
        x, _, count, _ = carry
        step = jnp.linalg.solve(jax.jacfwd(residual)(x), residual(x))
        size = jnp.max(jnp.abs(step)) / (1.0 + jnp.max(jnp.abs(x)))
        # Quadratic convergence: below 1e-9 the step just taken has already reached rounding.
        done = (size < 1e-9) | ~jnp.isfinite(size)
        return x - step, size, count + 1, done

    def cond(carry):
        return ~carry[3] & (carry[2] < NEWTON_STEPS)

    x, size, _, _ = jax.lax.while_loop(cond, body, (guess, jnp.asarray(jnp.inf, guess.dtype), 0, False))
    return jnp.where(size < 1e-6, x, jnp.nan)


def dense_solve(linear: Callable, right: Float[Array, " n"]) -> Float[Array, " n"]:
    """A dense linear solve with the matrix of a linear function."""
    return jnp.linalg.solve(jax.jacfwd(linear)(jnp.zeros_like(right)), right)
