"""Descents from many starts at once, on coarse views of the data."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.compilation import compiled
from ._misfit import Coarse

STEPS = 20
LONGEST = 0.7  # the most that a raw number moves in a step: a factor of two


@compiled(lambda *_: True)
def descend(coarse: Coarse, starts: Float[Array, "k n"]) -> tuple[Float[Array, "k n"], Float[Array, " k"]]:
    """Where `STEPS` damped Gauss-Newton steps lead from each start, and the cost there.

    One trial a step, normal equations, no stopping rule: all starts move in step, so that the work is one batch. What
    comes out lies in the right valley, not at its bottom.
    """

    def step(state, _):
        x, damping = state
        residual, jacobian = coarse.linearise(x)
        cost = jnp.sum(residual**2)
        gram = jacobian.T @ jacobian
        ridge = damping * jnp.diag(gram) + 1e-12 * jnp.trace(gram)
        move = -jnp.linalg.solve(gram + jnp.diag(ridge), jacobian.T @ residual)
        move *= jnp.minimum(1.0, LONGEST / jnp.max(jnp.abs(move)))
        ahead = jnp.sum(coarse.residual(x + move) ** 2)
        better = ahead < cost  # False for NaN
        state = jnp.where(better, x + move, x), jnp.where(better, damping / 4, damping * 3)
        return state, jnp.where(better, ahead, cost)

    def one(x):
        (x, _), costs = jax.lax.scan(step, (x, jnp.asarray(0.1)), None, length=STEPS)
        return x, jnp.where(jnp.isfinite(costs[-1]), costs[-1], jnp.inf)

    return jax.vmap(one)(starts)


def distinct(
    x: Float[np.ndarray, "k n"], cost: Float[np.ndarray, " k"], most: int, apart: float = 0.02
) -> Float[np.ndarray, "kept n"]:
    """The cheapest points, at most so many, no two of them within `apart` in every number."""
    kept: list[np.ndarray] = []
    for index in np.argsort(cost, kind="stable"):
        if np.isfinite(cost[index]) and all(np.max(np.abs(x[index] - other)) > apart for other in kept):
            kept.append(x[index])
        if len(kept) == most:
            break
    return np.stack(kept) if kept else x[:1]
