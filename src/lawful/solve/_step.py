"""One implicit step of laws on a grid: Newton's method whose linear systems are solved with the structure of the
stages and of the grid."""

from __future__ import annotations

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ._joints import joint_orders
from ._krylov import conjugate_residuals
from ._nodal import Nodal
from ._scheme import Scheme, levels_at_stages
from ._shifted import CondensedInverse, DenseInverse, condensable, condensed_inverse, dense_inverse, spectrum

MOST_DENSE = 128  # rows of a step that one full matrix serves better
NEWTON_STEPS = 12
SMALL = 1e-11  # a correction relative to the fields, after which the next one would be rounding
INNER = 1e-3  # of a correction, to which each is found
EXACT = 1e-13  # of a tangent, to which it is found


def separable(scheme: Scheme) -> bool:
    """Whether the stages of a step come apart: some space, and no field with a rate of higher order than one."""
    return bool(scheme.grid.lines) and max(scheme.orders.values()) == 1


def structured(scheme: Scheme) -> bool:
    """Whether that pays: one full matrix for all stages is quicker to compile, and to solve where it is small."""
    return separable(scheme) and scheme.stages * len(scheme.orders) * math.prod(scheme.grid.shape) > MOST_DENSE


def structured_step(scheme: Scheme, raw, state, guess, begin, step) -> dict[str, Float[Array, "stages *grid"]]:
    """The highest time derivatives at the stages, by Newton's method.

    The law is linearised once, in the middle of the step, where the eigenvectors of the Radau matrix take the stages
    apart (Butcher 1976, Bickart 1977; Hairer and Wanner 1996, IV.8). Its inverse is not used as the Jacobian but to
    precondition the exact one: Newton's method stays quadratic, and derivatives of the step are exact.
    """
    names = tuple(scheme.orders)
    shape = (scheme.stages, len(names), *scheme.grid.shape)
    units = {name: scheme.sizes[name] / step**order for name, order in scheme.orders.items()}
    times = begin + scheme.tables(names[0]).nodes * step

    def highest(flat: Float[Array, " n"]) -> dict[str, Float[Array, "stages *grid"]]:
        stacked = flat.reshape(shape)
        return {name: stacked[:, i] * units[name] for i, name in enumerate(names)}

    def residual(flat: Float[Array, " n"]) -> Float[Array, " n"]:
        levels = levels_at_stages(scheme, state, highest(flat), step)
        return jax.vmap(lambda time, levels: stacked_rows(scheme, raw, time, levels))(times, levels).ravel()

    nearly = nearly_inverse(scheme, raw, state, guess, begin, step)

    def solve(residual: Callable, start: Float[Array, " n"]) -> Float[Array, " n"]:
        return newton_krylov(residual, start, nearly)

    def tangent(linear: Callable, right: Float[Array, " n"]) -> Float[Array, " n"]:
        return exact_solve(linear, right, nearly)

    start = jnp.stack([guess[name] / units[name] for name in names], axis=1).ravel()
    return highest(jax.lax.custom_root(residual, start, solve, tangent))


def stacked_rows(scheme: Scheme, raw, time, levels, joints: bool = True) -> Float[Array, "fields *grid"]:
    """The rows of all fields at one time, in units of their laws."""
    nodal = Nodal(scheme.problem, scheme.grid, scheme.march, raw, time, levels)
    rows = nodal.laws(scheme.pairs)
    rows = nodal.bounded(nodal.jointed(rows, scheme.junctions) if joints else rows, scheme.pairs, scheme.boundary)
    return jnp.stack([rows[name] / scheme.law_sizes[scheme.pairs[name]] for name in scheme.orders])


def newton_krylov(residual: Callable, guess: Float[Array, " n"], nearly: Callable) -> Float[Array, " n"]:
    """Newton's method to the rounding floor, corrections by conjugate residuals. NaN where it does not converge."""

    def body(carry):
        x, _, count, _ = carry
        value, linear = jax.linearize(residual, x)
        step = conjugate_residuals(linear, value, nearly, INNER, 6, 1)
        size = jnp.max(jnp.abs(step)) / (1.0 + jnp.max(jnp.abs(x)))
        return x - step, size, count + 1, (size < SMALL) | ~jnp.isfinite(size) | (size > 1e6)

    def more(carry):
        return ~carry[3] & (carry[2] < NEWTON_STEPS)

    x, size, _, _ = jax.lax.while_loop(more, body, (guess, jnp.asarray(jnp.inf, guess.dtype), 0, False))
    return jnp.where(size < 1e-6, x, jnp.nan)


def exact_solve(linear: Callable, right: Float[Array, " n"], nearly: Callable) -> Float[Array, " n"]:
    """A linear solve to rounding, differentiable forwards and backwards."""

    def backwards(vector: Float[Array, " n"]) -> Float[Array, " n"]:
        return jax.linear_transpose(nearly, vector)(vector)[0]

    return jax.lax.custom_linear_solve(
        linear,
        right,
        lambda matrix, b: conjugate_residuals(matrix, b, nearly, EXACT, 10, 8),
        lambda matrix, b: conjugate_residuals(matrix, b, backwards, EXACT, 10, 8),
    )


def nearly_inverse(
    scheme: Scheme, raw, state, guess, begin, step
) -> Callable[[Float[Array, " n"]], Float[Array, " n"]]:
    """The inverse of the step's Jacobian, were the law's the same at all stages as in the middle of the step."""
    parts = spectrum(scheme.stages)
    inverse = jax.lax.stop_gradient(middle_inverse(scheme, raw, state, guess, begin, step, parts.values))

    def apply(right: Float[Array, " n"]) -> Float[Array, " n"]:
        found = inverse(jnp.asarray(parts.left) @ right.reshape(scheme.stages, -1))
        return jnp.real(jnp.asarray(parts.right) @ found).ravel()

    return apply


def middle_inverse(scheme: Scheme, raw, state, guess, begin, step, values) -> DenseInverse | CondensedInverse:
    names = tuple(scheme.orders)
    stepped = {name: scheme.orders[name] == 1 for name in names}
    rate = {name: guess[name][-1] for name in names}
    middle = {n: [state[n][0] + 0.5 * step * rate[n], rate[n]] if stepped[n] else [rate[n]] for n in names}

    def response(joints: bool) -> Callable:
        def rows(change):
            highest, below = change
            levels = {}
            for i, name in enumerate(names):
                size = scheme.sizes[name]
                if stepped[name]:
                    levels[name] = [middle[name][0] + size * below[i], middle[name][1] + size / step * highest[i]]
                else:
                    levels[name] = [middle[name][0] + size * highest[i]]
            return stacked_rows(scheme, raw, begin + 0.5 * step, levels, joints)

        nothing = jnp.zeros((len(names), *scheme.grid.shape))
        linear = jax.linearize(rows, (nothing, nothing))[1]
        return lambda highest, below: linear((highest, below))

    if condensable(scheme.problem, scheme.grid) and not scheme.junctions:
        orders = joint_orders(scheme.problem, scheme.grid.axes[0])
        units = jnp.stack([scheme.sizes[n] / scheme.law_sizes[scheme.pairs[n]] for n in names])
        return condensed_inverse(
            response(False), values, scheme.grid, {n: orders[n] for n in names}, tuple(stepped.values()), units
        )
    return dense_inverse(response(True), values, len(names), scheme.grid)
