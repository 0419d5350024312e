"""The film that carries a load."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._core.messages import BadInput
from .._core.once import being_traced
from ._film import Film
from ._flow import Flow, flow

MOST = 60
TIGHT = 1e-12


class Support(NamedTuple):
    """gap: what `film_at` was asked with, m; flow: the flow in that film."""

    gap: Float[Array, ""]
    flow: Flow


class Bracket(NamedTuple):
    """Logarithms of gaps between which the load lies, the last guess and what its load misses."""

    low: Float[Array, ""]
    high: Float[Array, ""]
    at: Float[Array, ""]
    miss: Float[Array, ""]
    step: Float[Array, ""]


def support(
    film_at: Callable[[Float[Array, ""]], Film],
    load: Float[Array, ""] | float,
    low: float,
    high: float,
    carried: Callable[[Flow], Float[Array, ""]] = lambda flow: flow.load,
) -> Support:
    """The gap at which a film carries a load, between `low` and `high`.

        support(lambda gap: Film(grid, gap + texture, speed, oil), load=50.0, low=1e-7, high=1e-4).gap

    film_at    the film at a gap in metres, thinner films carrying more.
    load       N, as `Flow.load`.
    low, high  gaps that carry more and less than the load, m.
    carried    by a flow; more than its own load where asperities help, see `Mixed`.

    Newton's method on the logarithms, kept inside the bracket. The gap and the flow are differentiable in the load and
    in all that `film_at` uses, by the implicit function theorem.

    Raises `BadInput` where the film does not carry more than the load at `low`, less at `high`; NaN where JAX traces.
    """
    load = jnp.asarray(load, float)
    # Of the logarithm, in which thin films follow a power law; a load may also be negative.
    miss = lambda s: jnp.arcsinh(carried(flow(film_at(jnp.exp(s)))) / load) - jnp.arcsinh(1.0)
    ends = jnp.log(jnp.asarray([low, high], float))
    over, under = jax.lax.map(miss, ends)
    if not being_traced((over, under)) and not (over > 0 > under):
        borne = [float(load * jnp.sinh(each + jnp.arcsinh(1.0))) for each in (over, under)]
        raise BadInput(
            f"support: no film from {low:g} to {high:g} m need carry {float(load):g}: it carries {borne[0]:g} at the"
            f" thin end and {borne[1]:g} at the thick one. Ask for a load between these, or widen the bracket."
        )
    solved = lambda f, start: narrowed(f, ends[0], ends[1], start)
    start = jnp.where((over > 0) & (under < 0), jnp.mean(ends), jnp.nan)
    s = jax.lax.custom_root(miss, start, solved, lambda g, y: y / g(jnp.ones_like(y)))
    return Support(jnp.exp(s), flow(film_at(jnp.exp(s))))


def narrowed(
    miss: Callable[[Float[Array, ""]], Float[Array, ""]],
    low: Float[Array, ""],
    high: Float[Array, ""],
    start: Float[Array, ""],
) -> Float[Array, ""]:
    def step(b: Bracket) -> Bracket:
        value, slope = jax.jvp(miss, (b.at,), (jnp.ones_like(b.at),))
        low, high = jnp.where(value > 0, b.at, b.low), jnp.where(value > 0, b.high, b.at)
        to = b.at - value / slope
        to = jnp.where((to > low) & (to < high), to, 0.5 * (low + high))
        return Bracket(low, high, jnp.where(jnp.abs(value) > TIGHT, to, b.at), jnp.abs(value), b.step + 1)

    begin = Bracket(low, high, start, jnp.full_like(start, jnp.inf), jnp.zeros_like(start))
    return jax.lax.while_loop(lambda b: (b.miss > TIGHT) & (b.step < MOST) & (b.high - b.low > 1e-15), step, begin).at
