"""Descents from many starts at once, on coarse views of the data."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.compilation import compiled
from ._misfit import Coarse, Misfit

STEPS = 20
LONGEST = 0.7  # the most that a raw number moves in a step: a factor of two
LEASH = 0.02
"""Pull towards the guess, a fiftieth of a raw step: for what coarse views do not feel."""
FOLLOWED = 8
"""How many candidates of a search are followed to the bottom."""
LEAST, HOPEFUL = 3, 10.0
"""Fewer where the others cost more than so many times the cheapest, but at least so many."""
TOGETHER = 2 * FOLLOWED
"""How many descend in one piece of compiled code: batches of one size compile once, however many starts are left."""


@compiled(lambda *_: True)
def descend(
    coarse: Coarse, starts: Float[Array, "k n"]
) -> tuple[Float[Array, "k n"], Float[Array, " k"], Float[Array, "k n"]]:
    """Where `STEPS` damped Gauss-Newton steps lead from each start, the cost there, and how well each number is known.

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
        return state, (jnp.where(better, ahead, cost), gram)

    def one(x):
        (x, _), (costs, grams) = jax.lax.scan(step, (x, jnp.asarray(0.1)), None, length=STEPS)
        spread = jnp.sqrt(jnp.abs(jnp.diag(jnp.linalg.inv(grams[-1] + 1e-12 * jnp.eye(x.size)))))
        return x, jnp.where(jnp.isfinite(costs[-1]), costs[-1], jnp.inf), spread

    return jax.vmap(one)(starts)


def candidates(misfit: Misfit, starts: Float[np.ndarray, "k n"]) -> Float[np.ndarray, "few n"]:
    """Points in promising valleys, the cheapest first: where starts end on one coarse view after the other, the better
    half of them going on. The number of starts is `TOGETHER` times a power of two."""
    count = misfit.guess.parameters.count
    medium, _ = misfit.guess(jnp.zeros(count))
    views = zip(
        *(
            survey.screens(medium, {name: float(level) for name, level in sd.items()})
            for survey, sd in zip(misfit.surveys, misfit.sd, strict=True)
        ),
        strict=True,
    )
    x, cost, spread = starts, np.zeros(len(starts)), np.ones(starts.shape)
    for screens in views:
        coarse = Coarse(misfit.guess, tuple(screens), np.full(count, LEASH))
        groups = [descend(coarse, jnp.asarray(group)) for group in np.split(x, len(x) // TOGETHER)]
        x, cost, spread = (np.concatenate(parts) for parts in zip(*groups, strict=True))
        order = np.argsort(cost, kind="stable")[: max(len(x) // 2, TOGETHER)]
        x, cost, spread = x[order], cost[order], spread[order]
    hopeful = cost <= HOPEFUL * cost[0]
    hopeful[:LEAST] = True
    return distinct(x[hopeful], spread[hopeful])


def distinct(x: Float[np.ndarray, "k n"], spread: Float[np.ndarray, "k n"]) -> Float[np.ndarray, "kept n"]:
    """The first points, at most `FOLLOWED`, no two of them alike in every number that is known well enough to tell."""
    kept: list[int] = []
    for index in range(len(x)):
        if all(np.any(np.abs(x[index] - x[other]) > 0.02 + 2 * spread[other]) for other in kept):
            kept.append(index)
        if len(kept) == FOLLOWED:
            break
    return x[kept]


def cubes(count: int, dimensions: int, seed: int, batch: int) -> Sequence[Float[np.ndarray, "batch dimensions"]]:
    """`count` evenly spread points of the unit cube, in batches of one size (the last is filled up)."""
    from scipy.stats import qmc

    batches = -(-count // batch)
    points = qmc.Sobol(dimensions, rng=seed).random_base2(max(batches * batch - 1, 1).bit_length())
    return np.split(points[: batches * batch], batches)
