"""Fields of a steady problem: one nonlinear system on the grid, by Newton's method with a line search."""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from .._core.compilation import compiled
from ..problem import FaceCondition, Problem
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


class Steady(eqx.Module):
    """Fields through their values at the nodes."""

    scheme: SteadyScheme
    values: dict[str, Float[Array, "*grid"]]

    def __call__(self, **point: Float[Array, ""]) -> dict[str, Float[Array, ""]]:
        return {name: self.scheme.grid.interpolate(values, point) for name, values in self.values.items()}


def balance(scheme: SteadyScheme, raw: dict[str, Array]) -> Steady:
    """All laws and boundary conditions at once; NaN where Newton's method does not converge."""
    flat, unravel = ravel_pytree({name: jnp.zeros(scheme.grid.shape) for name in scheme.pairs})

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


def damped_newton(residual: Callable, guess: Float[Array, " n"]) -> Float[Array, " n"]:
    """Newton's method with a natural damping: a share of the step is taken after which the next correction, by the same
    matrix, is shorter. NaN where it does not converge.

    Corrections rather than residuals are compared, whose size says nothing where rows of a law have very different
    scales. Source: Deuflhard, Newton Methods for Nonlinear Problems (2004), 3.3.
    """

    def body(carry):
        x, before, count, _ = carry
        value = residual(x)
        factors = jax.scipy.linalg.lu_factor(jax.jacfwd(residual)(x))
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
