"""The proof of a step: no motion from the step's start strays from its polynomial by more than a bound.

Let p be the polynomial of degree N that was computed, r the radius of its coefficients summed over the step, and T the
tube |y - p(s)| <= E + r, 0 <= s <= h. The motion starts inside T, and up to where it leaves, Lagrange's remainder gives

    |y(s) - p(s)| <= r + max over T of |y^(N+1)| / (N+1)!  h^(N+1).

If the maximum times h^(N+1) is below E the motion cannot have left, so the bound holds on the whole step. The
derivative is enclosed by the same recurrences in ball arithmetic, from balls that cover the tube slice by slice.

Source: R. E. Moore, Interval Analysis, Prentice-Hall 1966; N. S. Nedialkov, K. R. Jackson and G. F. Corliss, Appl.
Math. Comput. 105 (1999), 21, section 5 (the same argument with one box for the whole step).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ._arithmetic import Balls
from ._ball import EPS, Ball, up
from ._expand import expand
from ._kept import Listed, Rolled
from ._polynomial import on_unit, powers, ranges
from ._recipe import Recipe

FLOOR = 1e-280  # where a whole leaf of the state stays zero, its tube has this radius


class Proof(NamedTuple):
    """What is proven about a step."""

    holds: Bool[Array, ""]
    excess: Float[Array, ""]  # the remainder over what was allowed, at the worst place; infinite where nothing is known
    remainder: list[Float[Array, "..."]]  # of each leaf of the state, entry by entry
    rounding: list[Float[Array, "..."]]  # what the radii of the coefficients add up to
    others: Float[Array, " m"]  # remainder of the further outputs


def prove(
    recipe: Recipe,
    keep: type[Rolled] | type[Listed],
    known: dict[int, Array],
    t: Float[Array, ""],
    h: Float[Array, ""],
    state: Sequence[Ball],
    data: Sequence[Array],
    allowed: Sequence[Float[Array, ""]] | None,
    tolerance: float,
    pieces: int,
) -> Proof:
    """Try to prove a step of length h for the polynomial with the coefficients `state`.

    `allowed` is the largest remainder of each leaf; None takes `tolerance` times the largest entry of the leaf.
    """
    order = state[0].mid.shape[0] - 1
    units = [on_unit(y, h) for y in state]
    rounding = [up(jnp.sum(y.rad, 0)) for y in units]
    covers = [ranges(y, pieces) for y in units]
    if allowed is None:
        allowed = [tolerance * jnp.max(y.most) if y.mid.size else jnp.zeros(()) for y in covers]
    allowed = [jnp.maximum(x, FLOOR) for x in allowed]
    tubes = [
        Ball(y.mid, up(y.rad + limit + r)) for y, limit, r in zip(covers, allowed, rounding, strict=True)
    ]  # fmt: skip
    middles = t + (jnp.arange(pieces) + 0.5) / pieces * h
    times = Ball(middles, up(0.5 / pieces * h + 4 * EPS * (jnp.abs(middles) + h)))

    def highest(time: Ball, tube: list[Ball]):
        arithmetic = Balls()
        found = expand(recipe, arithmetic, keep, time, tube, data, known, order + 1)
        last = [jnp.where(arithmetic.doubtful, jnp.inf, y.most[-1]) for y in found.state]
        return last, jnp.concatenate([jnp.zeros(0), *(jnp.ravel(y.most[-1]) for y in found.others)])

    last, others = jax.vmap(highest)(times, tubes)
    scale = up(powers(h, order + 2)[-1] * (1 + 2 * order * EPS))
    remainder = [up(jnp.max(y, 0) * scale) for y in last]
    excess = jnp.stack([
        jnp.max(r / limit, initial=0.0) for r, limit in zip(remainder, allowed, strict=True)
    ])  # fmt: skip
    worst = jnp.max(jnp.where(jnp.isnan(excess), jnp.inf, excess))
    inside = [jnp.all(r < limit) for r, limit in zip(remainder, allowed, strict=True)]
    return Proof(jnp.all(jnp.stack(inside)), worst, remainder, rounding, up(jnp.max(others, 0) * scale))
