"""Fields of a steady problem: one nonlinear system on the grid, by Newton's method with a line search."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from .._core.compilation import compiled
from ..problem import FaceCondition, Problem
from ._continuation import Continuation
from ._grid import Grid
from ._layers import Junction
from ._march import dense_solve
from ._nodal import Nodal

NEWTON_STEPS = 60


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

    def residual(unknown: Float[Array, " n"]) -> Float[Array, " n"]:
        levels = {name: [values * scheme.sizes[name]] for name, values in unravel(unknown).items()}
        nodal = Nodal(scheme.problem, scheme.grid, None, raw, jnp.zeros(()), levels)
        rows = nodal.residuals(scheme.pairs, scheme.boundary, scheme.junctions)
        return ravel_pytree({name: rows[name] / scheme.law_sizes[scheme.pairs[name]] for name in rows})[0]

    solved = unravel(jax.lax.custom_root(residual, flat, damped_newton, dense_solve))
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
    """The scheme with a start for Newton's method from easier problems, each solved from the last one's fields."""
    stated = scheme
    for lesson in range(continuation.lessons):
        constants = {**stated.problem.constants, **continuation.at(lesson)}
        problem = eqx.tree_at(lambda problem: problem.constants, stated.problem, constants)
        fields = steady_on(dataclasses.replace(scheme, problem=problem), {})
        if not found(fields):
            return scheme  # the last lesson that could be solved is the best start
        scheme = dataclasses.replace(stated, begin=fields.values)
    return scheme


def damped_newton(residual: Callable, guess: Float[Array, " n"]) -> Float[Array, " n"]:
    """Newton's method with a natural damping: a share of the step is taken after which the next correction, by the same
    matrix, is shorter. NaN where it does not converge.

    Corrections rather than residuals are compared, whose size says nothing where rows of a law have very different
    scales. Source: Deuflhard, Newton Methods for Nonlinear Problems (2004), 3.3.
    """

    def body(carry):
        x, before, count, _ = carry
        matrix, value = jax.jacfwd(lambda x: (residual(x),) * 2, has_aux=True)(x)
        factors = jax.scipy.linalg.lu_factor(matrix)
        step = jax.scipy.linalg.lu_solve(factors, value)
        length = jnp.linalg.norm(step)
        shares = 0.5 ** jnp.arange(10)
        ahead = jax.vmap(lambda share: residual(x - share * step), out_axes=1)(shares)
        norms = jnp.linalg.norm(jax.scipy.linalg.lu_solve(factors, ahead), axis=0)
        norms = jnp.where(jnp.isfinite(norms), norms, jnp.inf)
        shorter = norms <= (1 - shares / 4) * length
        chosen = jnp.where(jnp.any(shorter), jnp.argmax(shorter), jnp.argmin(norms))
        # The full step is taken near the solution, where rounding makes comparisons meaningless.
        size = jnp.max(jnp.abs(step)) / (1.0 + jnp.max(jnp.abs(x)))
        share = jnp.where(size < 1e-6, 1.0, shares[chosen])
        floor = (size < 1e-7) & (size > 0.3 * before)  # rounding of the matrix itself
        return x - share * step, size, count + 1, (size < 1e-11) | floor | ~jnp.isfinite(size)

    def cond(carry):
        return ~carry[3] & (carry[2] < NEWTON_STEPS)

    x, size, _, _ = jax.lax.while_loop(cond, body, (guess, jnp.asarray(jnp.inf, guess.dtype), 0, False))
    return jnp.where(size < 1e-6, x, jnp.nan)
