"""Linear systems by repeated use of a matrix that is nearly the inverse."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Operator = Callable[[Float[Array, " n"]], Float[Array, " n"]]

TINY = 1e-300


def conjugate_residuals(
    matrix: Operator,
    right: Float[Array, " n"],
    nearly_inverse: Operator,
    tolerance: float,
    directions: int,
    restarts: int,
) -> Float[Array, " n"]:
    """X with matrix(x) = right, to `tolerance` of the first correction, which is nearly_inverse(right).

    The generalised conjugate residual method on nearly_inverse(matrix(x)) = nearly_inverse(right): the smallest
    residual in the space of all directions since the last restart, like GMRES. The residual is measured after
    `nearly_inverse`, that is as an error of x. There are `directions` between restarts.
    Source: Eisenstat, Elman and Schultz, SIAM J. Numer. Anal. 20, 345 (1983).
    """
    first = nearly_inverse(right)
    goal = tolerance * jnp.linalg.norm(first)

    def cycle(carry):
        x, left, before, count, _ = carry
        found, rest = one_cycle(lambda v: nearly_inverse(matrix(v)), left, goal, directions)
        x = x + found
        # Afresh from the true residual: rounding in the recursion does not add up.
        again = nearly_inverse(right - matrix(x)) if restarts > 1 else rest
        norm = jnp.linalg.norm(again)
        return x, again, norm, count + 1, norm > 0.3 * before  # rounding: no more is to be had

    def more(carry):
        return (carry[2] > goal) & (carry[3] < restarts) & ~carry[4]

    begin = (jnp.zeros_like(right), first, jnp.asarray(jnp.inf, goal.dtype), 0, False)
    return jax.lax.while_loop(more, cycle, begin)[0]


def one_cycle(
    operator: Operator, residual: Float[Array, " n"], goal: Float[Array, ""], most: int
) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
    """The correction and what is left of the residual after at most `most` directions."""
    size = residual.shape[0]

    def body(carry):
        x, rest, directions, images, count = carry
        direction, image = rest, operator(rest)
        for _ in range(2):  # once leaves rounding behind
            shares = images @ image
            direction, image = direction - shares @ directions, image - shares @ images
        norm = jnp.maximum(jnp.linalg.norm(image), TINY)
        direction, image = direction / norm, image / norm
        share = image @ rest
        x, rest = x + share * direction, rest - share * image
        return x, rest, directions.at[count].set(direction), images.at[count].set(image), count + 1

    def more(carry):
        return (jnp.linalg.norm(carry[1]) > goal) & (carry[4] < most)

    empty = jnp.zeros((most, size), residual.dtype)
    x, rest, *_ = jax.lax.while_loop(more, body, (jnp.zeros_like(residual), residual, empty, empty, 0))
    return x, rest
