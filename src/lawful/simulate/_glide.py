"""The march with nothing to prove, nothing to meet and nothing to write down: from time to time, as fast as it goes.

Without contacts, events and proofs a step is the series and the choice of its length. With `fast`, small motions are
written out entry by entry and compiled as one piece; many at once go through it in lanes, as many as the processor
takes in one instruction or two, block by block, so that all of a step stays in its nearest memory.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.custom_batching import custom_vmap
from jaxtyping import Array, Bool, Float, Int

from .._core.compilation import in_one_piece, walled
from ._arithmetic import Points
from ._entries import TooLong, entry_by_entry
from ._expand import series, settled
from ._machine import Inputs, Machine
from ._march import MARGIN
from ._recipe import Recipe, recipe_of
from ._system import Settings

LANES = 8
SHORT = 30  # steps of a recipe: what is longer takes minutes to compile for lanes, and gains little by them
TINY = 1e-6  # of the run: the first guess of a step


class Flight(NamedTuple):
    """Where a run stands."""

    t: Float[Array, ""]
    y: list[Array]
    guess: Float[Array, ""]  # of the next step, on the short side
    steps: Int[Array, ""]


class Glider(NamedTuple):
    """A motion made ready: its recipe, in arrays or in single numbers, and how its leaves lie among them."""

    recipe: Recipe
    shapes: tuple[tuple[int, ...], ...] | None  # of the leaves, where they are written out
    settings: Settings

    def taken_apart(self, y: list[Array]) -> list[Array]:
        if self.shapes is None:
            return y
        flat = [jnp.ravel(x) for x in y]
        return [x[i] for x in flat for i in range(x.size)]

    def joined(self, numbers: Sequence[Array]) -> list[Array]:
        if self.shapes is None:
            return list(numbers)
        leaves = zip(self.leaves(len(numbers)), self.shapes, strict=True)
        return [jnp.stack([numbers[i] for i in leaf]).reshape(shape) for leaf, shape in leaves]

    def leaves(self, count: int) -> list[range]:
        """The places of each leaf among the numbers."""
        if self.shapes is None:
            return [range(i, i + 1) for i in range(count)]
        ends = list(itertools.accumulate(map(math.prod, self.shapes), initial=0))
        return [range(*both) for both in itertools.pairwise(ends)]


def glides(settings: Settings, guards: int) -> bool:
    """Whether a run asks for nothing but states."""
    return not settings.certify and not guards


class Flow(NamedTuple):
    """A right-hand side that closes over nothing, and the numbers it takes: parameters and what it closed over."""

    rates: Callable[[Array, list[Array], list[Array]], list[Array]]
    numbers: list[Array]


def glider(machine: Machine, t, y: list[Array], flow: Flow) -> tuple[Glider, list[Array]] | None:
    """The motion of a machine written out entry by entry, and its numbers; None where it is too long for that."""
    shapes = tuple(jnp.shape(x) for x in y)
    rates = entry_by_entry(flow.rates, shapes, flow.numbers)
    entries = Glider(machine.recipe, shapes, machine.settings).taken_apart(y)
    try:
        recipe, arrays = recipe_of(jax.make_jaxpr(rates)(t, *entries, *flow.numbers), len(entries), 0)
    except TooLong:
        return None
    return Glider(recipe, shapes, machine.settings), [*flow.numbers, *arrays]


def glided(
    machine: Machine, flow: Flow, t, y: list[Array], times: Float[Array, " n"], inputs: Inputs, most: int
) -> list[Array]:
    """The state at each time, NaN where `most` steps do not suffice; to be compiled and mapped, not differentiated."""
    written_out = glider(machine, t, y, flow) if machine.settings.unroll else None
    in_arrays = Glider(machine.recipe, None, machine.settings), [*inputs.parameters, *inputs.flow]
    ready, numbers = written_out or in_arrays
    known = {place: x for place, x in settled(ready.recipe, numbers, inputs.one).items() if place in used(ready.recipe)}

    def flown(flight: Flight, time, beyond, known):
        return reached(ready, flight, time, beyond, known, most)

    # Code of one piece cannot hold constant arrays, so that only single numbers go into it.
    whole = in_one_piece if ready.shapes is not None else lambda f: f
    fly = in_lanes(whole, flown, LANES if len(ready.recipe.steps) <= SHORT or ready.shapes is None else 1)
    beyond = 2 * (times[-1] - t)  # longer steps are of no use
    begin = Flight(t, ready.taken_apart(y), TINY * beyond, jnp.zeros((), int))
    return jax.vmap(ready.joined)(lax.scan(lambda flight, time: fly(flight, time, beyond, known), begin, times)[1])


def used(recipe: Recipe) -> frozenset[int]:
    """The values that steps take: an array among what code of one piece is given makes XLA (jaxlib 0.10) abort."""
    return frozenset(itertools.chain(recipe.outputs, *(step.operands for step in recipe.steps)))


class Walled(Points):
    """Floats that are computed once, however many coefficients they enter."""

    def once(self, a):
        return held(a)


@walled
def held(x: Array) -> Array:
    return x * 1.0


def in_lanes(whole: Callable, one: Callable, lanes: int) -> Callable:
    """A function that runs alone as it is, and mapped in blocks of lanes, or one after another where there is one."""
    function = custom_vmap(whole(one))

    @function.def_vmap
    def rule(size: int, mapped, *args):
        mapped = tuple(mapped)
        axes = jax.tree.map(lambda is_mapped: 0 if is_mapped else None, mapped)
        if lanes == 1:
            moving, still = partitioned(mapped, args)
            found = lax.map(lambda one: function(*joined(mapped, one, still)), moving)
            return found, jax.tree.map(lambda _: True, found)
        width = min(lanes, size)
        blocks = -(-size // width)

        def cut(is_mapped: bool, x: Array) -> Array:
            """The last block is filled up with what stands at its end."""
            if not is_mapped:
                return x
            rest = jnp.broadcast_to(x[-1:], (blocks * width - size, *x.shape[1:]))
            return jnp.concatenate([x, rest]).reshape(blocks, width, *x.shape[1:])

        pieces = jax.tree.map(cut, mapped, args)
        moving, still = partitioned(mapped, pieces)
        run = whole(jax.vmap(one, axes))

        def block(one):
            return run(*joined(mapped, one, still))

        found = lax.map(block, moving)
        found = jax.tree.map(lambda x: x.reshape(blocks * width, *x.shape[2:])[:size], found)
        return found, jax.tree.map(lambda _: True, found)

    return function


def partitioned(mapped, values) -> tuple[list, list]:
    """Those that are mapped, and the others."""
    pairs = list(zip(jax.tree.leaves(mapped), jax.tree.leaves(values), strict=True))
    return [x for is_mapped, x in pairs if is_mapped], [x for is_mapped, x in pairs if not is_mapped]


def joined(mapped, moving: list, still: list):
    leaves, structure = jax.tree.flatten(mapped)
    some, others = iter(moving), iter(still)
    return jax.tree.unflatten(structure, [next(some) if is_mapped else next(others) for is_mapped in leaves])


def reached(glider: Glider, flight: Flight, time, beyond, known, most: int) -> tuple[Flight, list[Array]]:
    """On to a time, and the state then. What is carried along is little: coefficients are found anew after a time."""

    def looking(carry: tuple[Flight, list[Array], Bool[Array, ""]]) -> Bool[Array, ""]:
        flight, _, there = carry
        return ~there & (flight.steps < most)

    def onward(carry: tuple[Flight, list[Array], Bool[Array, ""]]):
        (t, y, guess, steps), _, _ = carry
        terms = coefficients(glider, t, y, known)
        h = length(glider, terms, guess, beyond)
        s = time - t
        inside = (s <= h * (1 + 1e-9)) & (s >= -1e-12 * jnp.abs(time))
        found = [jnp.where(inside, x, jnp.nan) for x in value(terms, s)]
        goes_on = (t + h < time) & (h > 0)
        ahead = [jnp.where(goes_on, new, old) for new, old in zip(value(terms, h), y, strict=True)]
        new = Flight(
            jnp.where(goes_on, t + h, t),
            ahead,
            jnp.where(goes_on, 0.5 * h, guess),
            jnp.where(goes_on, steps + 1, steps),
        )
        return new, found, ~goes_on

    nothing = [jnp.full_like(x, jnp.nan) for x in flight.y]
    flight, found, _ = lax.while_loop(looking, onward, (flight, nothing, jnp.zeros((), bool)))
    return flight, found


def value(terms: list[list[Array]], s) -> list[Array]:
    """The state a time s after the start of a step, by Horner's rule."""
    found = terms[-1]
    for row in terms[-2::-1]:
        found = [v * s + c for v, c in zip(found, row, strict=True)]
    return found


def coefficients(glider: Glider, t, y: list[Array], known) -> list[list[Array]]:
    """By order, then by number."""
    order, keep = glider.settings.order, glider.settings.keep
    arithmetic = Walled() if glider.settings.unroll else Points()
    found, _ = series(glider.recipe, arithmetic, keep, t, y, [], known, order)
    return [[x.at(k) for x in found] for k in range(order + 1)]


def length(glider: Glider, terms: list[list[Array]], guess, beyond) -> Float[Array, ""]:
    """The step at which the last two coefficients reach the tolerance, relative to the largest term of low order.

    The largest term depends on the step: a guess that is too short errs to the safe side.
    """
    settings, order = glider.settings, glider.settings.order
    leaves = glider.leaves(len(terms[0]))
    sizes = [[size([row[i] for i in leaf]) for leaf in leaves] for row in terms]

    def closer(h):
        best = beyond
        for i in range(len(leaves)):
            low = settings.absolute[i] if settings.absolute is not None else largest([s[i] for s in sizes], order, h)
            for k in (order - 1, order):
                last = sizes[k][i]
                ratio = settings.tolerance * low / jnp.where(last > 0, last, 1.0)
                best = jnp.minimum(best, jnp.where((last > 0) & (low > 0), root(ratio, k), jnp.inf))
        return best

    h = jnp.minimum(MARGIN * closer(closer(guess)), settings.longest)
    bad = functools.reduce(operator.or_, [jnp.isnan(s) for s in sizes[order]])
    return jnp.where(bad, jnp.nan, h)


def largest(sizes: list[Array], order: int, h) -> Array:
    """The largest of the terms of low order after a time h."""
    found, power = sizes[0], h
    for s in sizes[1 : order // 2 + 1]:
        found, power = jnp.maximum(found, s * power), power * h
    return found


def size(numbers: list[Array]) -> Array:
    """The largest of the numbers of a leaf, or of the entries of its array."""
    return functools.reduce(jnp.maximum, [jnp.max(jnp.abs(x), initial=0.0) if x.ndim else jnp.abs(x) for x in numbers])


def root(x: Float[Array, ""], k: int) -> Float[Array, ""]:
    """x^(1/k) to half a percent: the bits of a float, read as a number, are nearly its logarithm."""
    log = lax.bitcast_convert_type(x, jnp.int64).astype(float) * 2.0**-52 - 1023
    part = log - jnp.floor(log)
    log = (log + BEND * part * (1 - part)) / k
    part = log - jnp.floor(log)
    bits = (log - BEND * part * (1 - part) + 1023) * 2.0**52
    return lax.bitcast_convert_type(bits.astype(jnp.int64), jnp.float64)


BEND = 0.344  # between log2(1 + m) and m, over m (1 - m)
