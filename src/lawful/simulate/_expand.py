"""The series of a motion: y' = f(t, y) gives y_(k+1) = f_k / (k + 1), and f_k needs no more of y than y_0 ... y_k.

Each order costs one pass over the recipe in which every step adds one coefficient, so that all N orders cost O(N^2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from ._arithmetic import Arithmetic
from ._ball import Ball
from ._kept import Kept, Listed, Rolled, Still, Value
from ._recipe import Recipe


class Expanded(NamedTuple):
    """Coefficients by order along a first axis: of each leaf of the state, and of each further output."""

    state: list[Value]
    others: list[Value]


def settled(recipe: Recipe, fixed: Sequence[Array], one: Float[Array, ""]) -> dict[int, Array]:
    """All values that are known before the start, by place.

    `one` is 1, which the compiler must not know: numbers that it sees as constants it may reassociate, as in
    (x + a) + b = x + (a + b), and then the bounds of rounding would not hold.
    """
    numbers = zip(recipe.number_places, recipe.numbers, strict=True)
    known = {place: hidden(x, one) for place, x in (*zip(recipe.fixed, fixed, strict=True), *numbers)}
    for step in recipe.prelude:
        known |= zip(step.results, step.function(*(known[place] for place in step.operands)), strict=True)
    return known


def expand(
    recipe: Recipe,
    arithmetic: Arithmetic,
    keep: type[Rolled] | type[Listed],
    t: Value,
    state: Sequence[Value],
    data: Sequence[Array],
    known: dict[int, Array],
    order: int,
) -> Expanded:
    """The coefficients up to `order` of the motion through `state` at `t`, and of the outputs beyond the rates."""
    positions, others = series(recipe, arithmetic, keep, t, state, data, known, order)
    return Expanded([y.ascending() for y in positions], [rows(arithmetic, x, order) for x in others])


def series(
    recipe: Recipe,
    arithmetic: Arithmetic,
    keep: type[Rolled] | type[Listed],
    t: Value,
    state: Sequence[Value],
    data: Sequence[Array],
    known: dict[int, Array],
    order: int,
) -> tuple[list[Kept], list[Kept]]:
    """The same as it is kept."""
    values = first_values(recipe, arithmetic, keep, t, state, data, known, order)
    own: list[tuple[Kept, ...]] = []
    for step in recipe.steps:
        found = step.law.head(arithmetic, [values[place].at(0) for place in step.operands])
        own.append(tuple(begun(keep, x, order) if step.moving else Still(x) for x in found))
        values |= zip(step.results, own[-1], strict=False)
    count = len(state)
    places = recipe.moving[1:]
    rates, others = recipe.outputs[:count], recipe.outputs[count:]
    moving = [i for i, step in enumerate(recipe.steps) if step.moving]
    often = recipe.often

    def one_order(k, carry: tuple[list[Kept], list[tuple[Kept, ...]]]):
        positions, found = carry
        values.update(zip(places, positions, strict=True))
        for i, mine in zip(moving, found, strict=True):
            values.update(zip(recipe.steps[i].results, mine, strict=False))
        positions = [
            y.having(k, arithmetic.once(arithmetic.over(coefficient(arithmetic, values[rate], k - 1), k)))
            for y, rate in zip(positions, rates, strict=True)
        ]
        values.update(zip(places, positions, strict=True))
        new = []
        for i, mine in zip(moving, found, strict=True):
            step = recipe.steps[i]
            mine = step.law.step(arithmetic, k, [values[place] for place in step.operands], mine)
            if keep is Listed and (len(mine) > 1 or step.results[0] in often):
                mine = tuple(x if isinstance(x, Still) else x.settled(arithmetic.once) for x in mine)
            values.update(zip(step.results, mine, strict=False))
            new.append(mine)
        return positions, new

    carry = [values[place] for place in places], [own[i] for i in moving]
    if keep is Rolled:
        before = dict(values)
        carry = lax.fori_loop(1, order + 1, one_order, carry)
        values.update(before)  # what was traced inside the loop stays there
    else:
        for k in range(1, order + 1):
            carry = one_order(k, carry)
    positions, found = carry
    values.update(zip(places, positions, strict=True))
    for i, mine in zip(moving, found, strict=True):
        values.update(zip(recipe.steps[i].results, mine, strict=False))
    return positions, [values[x] for x in others]


def hidden(x, one: Float[Array, ""]) -> Array:
    array = jnp.asarray(x)
    return array * one if jnp.issubdtype(array.dtype, jnp.floating) else array


def first_values(recipe, arithmetic, keep, t, state, data, known, order) -> dict[int, Kept]:
    """The inputs as series: t moves at the rate 1."""
    time = keep.begin(t, order)
    one = arithmetic.exact(jnp.ones_like(t.mid if isinstance(t, Ball) else t))
    time = time.having(1, one)
    if keep is Listed:
        for k in range(2, order + 1):
            time = time.having(k, arithmetic.scale(one, 0.0))
    values: dict[int, Kept] = {recipe.moving[0]: time}
    values |= {place: keep.begin(y, order) for place, y in zip(recipe.moving[1:], state, strict=True)}
    values |= {place: Still(as_number(arithmetic, x)) for place, x in zip(recipe.data, data, strict=True)}
    values |= {place: Still(as_number(arithmetic, x)) for place, x in known.items()}
    return values


def as_number(arithmetic: Arithmetic, x: Array) -> Value:
    return arithmetic.exact(x) if jnp.issubdtype(jnp.result_type(x), jnp.floating) else x


def begun(keep, x: Value, order: int) -> Kept:
    """A result of a moving step; a choice that was made on the way stands still."""
    moves = isinstance(x, Ball) or jnp.issubdtype(jnp.result_type(x), jnp.floating)
    return keep.begin(x, order) if moves else Still(x)


def coefficient(arithmetic: Arithmetic, kept: Kept, k) -> Value:
    """The k-th coefficient, zero beyond the first of what stands still."""
    if not isinstance(kept, Still):
        return kept.at(k)
    return arithmetic.each(lambda x: jnp.where(k == 0, x, jnp.zeros_like(x)), kept.value)


def rows(arithmetic: Arithmetic, kept: Kept, order: int) -> Value:
    if not isinstance(kept, Still):
        return kept.ascending()

    def padded(x: Array) -> Array:
        return jnp.concatenate([x[None], jnp.zeros((order, *x.shape), x.dtype)])

    return arithmetic.each(padded, kept.value)
