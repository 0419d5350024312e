"""Maps brought to what is asked for by the shortest step that a calculator's slopes allow."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Map = Float[Array, "nx ny"]
Missed = Callable[[Map, Float[Array, " wishes"]], Float[Array, " misses"]]
"""What a map misses of a wish: nought where nothing; one-sided bounds are nought inside."""


def shortest(r: Float[Array, " misses"], slopes: Float[Array, "misses nx ny"], x: Map, most: float = 0.25) -> Map:
    """The next map of Gauss and Newton's method: the smallest smooth change d with r + J d = 0, between 0 and 1.

    The size of d is measured as |B^-1 d|, B a blur, so that what is fine stays as fine. Entries at a bound that d would
    push beyond it are held, and no entry moves by more than `most`.
    """
    held = jnp.ones_like(x)
    d = jnp.zeros_like(x)
    for _ in range(2):
        rows = slopes * held
        spread = jax.vmap(blurred)(rows) * held
        gram = jnp.einsum("ixy,jxy->ij", rows, spread)
        gram = gram + (1e-4 * jnp.trace(gram) + 1e-9) * jnp.eye(len(r), dtype=x.dtype)
        d = -jnp.einsum("i,ixy->xy", jnp.linalg.solve(gram, r), spread)
        held = jnp.where(((x <= 0) & (d < 0)) | ((x >= 1) & (d > 0)), 0.0, 1.0).astype(x.dtype)
    d = d * jnp.minimum(1.0, most / jnp.maximum(jnp.max(jnp.abs(d)), 1e-12))
    return jnp.clip(x + d, 0.0, 1.0)


def blurred(v: Map) -> Map:
    """Means of neighbours by 1/4, 1/2, 1/4: around the first axis, up to the edges of the second."""
    v = 0.5 * v + 0.25 * (jnp.roll(v, 1, 0) + jnp.roll(v, -1, 0))
    wide = jnp.pad(v, ((0, 0), (1, 1)), mode="edge")
    return 0.5 * v + 0.25 * (wide[:, :-2] + wide[:, 2:])


def steered(missed: Missed, x: Map, wish: Float[Array, " wishes"], steps: int = 6) -> Map:
    """`steps` of `shortest` by the calculator behind `missed`; NaN nowhere it had none."""

    def step(x: Map, _: None) -> tuple[Map, None]:
        r, slopes = missed(x, wish), jax.jacrev(missed)(x, wish)
        return shortest(r, slopes, x), None

    return jax.lax.scan(step, x, None, length=steps)[0]
