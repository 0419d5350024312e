"""The first time in a step at which a guard may reach zero, with a proof that none did before.

A guard is a quantity that is positive as long as nothing happens, such as the gap between two bodies. Along a step
it is a polynomial with a bounded error. It may have several pieces, of which one above zero is enough (a point is
outside a box where it is outside one of its faces). A fresh guard has just left zero, so that its first coefficient is
zero (its first three, where a contact has opened without an impact); of it g(s) / s, or g(s) / s^3, is looked at.

Bernstein's form proves a guard positive on an interval. The interval is halved until it is proven free, and the next
one begins where it ends. Where not even a tiny interval is free, the guard either is below zero a little later, and
its root is found between the two, or rises again, and whether it touched is beyond what can be decided.

Source: J. M. Lane and R. F. Riesenfeld, IEEE Trans. Pattern Anal. Mach. Intell. 2 (1980), 35 (subdivision in
Bernstein's form); for collisions from the left: J. M. Snyder, SIGGRAPH 1992, 121.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from ._ball import EPS, up
from ._polynomial import derivative, horner, lowest

SMALLEST = 2.0**-26  # of the step: the shortest interval that is looked at alone
FREE, CROSSED, UNDECIDED, UNPROVEN = range(4)
"""What stopped the search: nothing; a root; a guard too close to zero to tell; an error too large to prove anything."""


class Guards(NamedTuple):
    """Guards along a step, in s from 0 to 1."""

    unit: Float[Array, "n1 guards pieces"]
    rounding: Float[Array, "guards pieces"]  # error of the coefficients, summed
    remainder: Float[Array, "guards pieces"]  # error that grows like s^(n+1)
    watched: Bool[Array, " guards"]
    fresh: Int[Array, " guards"]  # how many of the first coefficients are zero, although they were computed
    resolution: Float[Array, " guards"]  # errors above it are no reason to believe in a contact
    slack: Float[
        Array, " guards"
    ]  # a fresh guard that moves no farther from zero than this stays closed, and is let be


class First(NamedTuple):
    """Where the search ended, in s from 0 to 1."""

    kind: Int[Array, ""]
    root: Float[Array, ""]  # of the first guard that crosses; else where the step may end
    lower: Float[Array, ""]  # proven free up to here
    upper: Float[Array, ""]  # proven below zero here, where a guard crossed
    guard: Int[Array, ""]  # the one that crosses first; else one that comes too close to tell
    slope: Float[Array, ""]  # of the first guard at its root, by s
    curvature: Float[Array, ""]


def without_start(guards: Guards) -> Float[Array, "n1 guards pieces"]:
    """The polynomials that are tested, without the powers of s that fresh ones begin with.

    The first coefficient of a fresh guard is zero in any case, the next ones where they look it.
    """
    count, size = guards.unit.shape[0], jnp.sum(jnp.abs(guards.unit), 0)
    none = jnp.abs(guards.unit[:3]) <= guards.rounding + 64 * EPS * size
    second = (guards.fresh[:, None] > 1) & none[1]
    third = (guards.fresh[:, None] > 2) & second & none[2]
    gone = jnp.minimum(guards.fresh[:, None], 1) + second + third
    places = jnp.arange(count)[:, None, None] + gone[None]
    chosen = jnp.take_along_axis(guards.unit, jnp.minimum(places, count - 1), 0)
    return jnp.where(places < count, chosen, 0.0)


def first_crossing(guards: Guards) -> First:
    """Search [0, 1] from the left."""
    tested = without_start(guards)
    count, size, pieces = tested.shape
    flat = tested.reshape(count, size * pieces)

    def error(place):
        return up(guards.rounding + guards.remainder * place ** (count - 3))

    # A closed contact in which nothing moves.
    still = jnp.max(jnp.sum(jnp.abs(guards.unit), 0) + guards.rounding + guards.remainder, 1) <= guards.slack
    let_be = ~guards.watched | ((guards.fresh > 0) & still)

    def free(start, width) -> Bool[Array, " guards"]:
        low = lowest(flat, error(start + width).reshape(-1), start, width).reshape(size, pieces)
        return jnp.any(low > 0, 1) | let_be

    def looking(carry):
        start, width, _ = carry
        return (start < 1) & (width >= SMALLEST)

    def look(carry):
        start, width, _ = carry
        width = jnp.minimum(width, 1 - start)
        clear = free(start, width)
        done = jnp.all(clear)
        # Halved exactly, so that the pieces fit together without gaps.
        return jnp.where(done, start + width, start), jnp.where(done, 2 * width, 0.5 * width), clear

    start, _, clear = lax.while_loop(looking, look, (jnp.zeros(()), jnp.ones(()), jnp.ones(size, bool)))
    ended = start >= 1
    return lax.cond(ended, nothing_found, lambda: _decide(guards, tested, error, free, start, ~clear))


def nothing_found() -> First:
    one = jnp.ones(())
    return First(jnp.asarray(FREE), one, one, one, jnp.zeros((), int), one, jnp.zeros(()))


def _decide(guards: Guards, tested, error, free, start, doubtful: Bool[Array, " guards"]) -> First:
    """Look on from `start`, where the doubtful guards are close to zero, for the first place that decides."""

    def values(place):
        """The best piece of each guard, and its error."""
        at, wrong = horner(tested, place), error(place)
        best = jnp.argmax(at, 1)[:, None]
        return jnp.take_along_axis(at, best, 1)[:, 0], jnp.take_along_axis(wrong, best, 1)[:, 0]

    def state(place):
        at, wrong = values(place)
        return doubtful & (at < -wrong), doubtful & ~(at > wrong)

    def undecided(carry):
        place, _ = carry
        below, near = state(place)
        return ~jnp.any(below) & jnp.any(near) & (place < 1)

    def further(carry):
        _, width = carry
        return jnp.minimum(start + 2 * width, 1.0), 2 * width

    width = jnp.minimum(SMALLEST, 1 - start)
    place, _ = lax.while_loop(undecided, further, (start + width, width))
    below, _ = state(place)
    root, slope, curvature, guard = _root(tested, start, place, below)
    which = jnp.arange(doubtful.shape[0]) == guard
    crossed = jnp.any(below)
    # How far a root can be off: the error of the guard, and of the test, over its slope; and the rounding of s.
    _, wrong = values(root)
    wrong = wrong + rounding_of_test(tested)
    spread = jnp.max(jnp.where(which, wrong, 0.0)) / jnp.maximum(jnp.abs(slope), 1e-300) + 4 * EPS
    before = jnp.maximum(root - 2 * spread, start)
    proven = jnp.all(free(start, jnp.maximum(before - start, 0.0)))
    lower = jnp.where(proven, before, start)
    after = jnp.minimum(root + 2 * spread, place)
    upper = jnp.where(jnp.any(state(after)[0] & which), after, place)
    _, wrong_here = values(place)
    blurred = jnp.any(doubtful & (wrong_here > guards.resolution)) & (start > 0)
    kind = jnp.where(blurred, UNPROVEN, jnp.where(crossed, CROSSED, UNDECIDED))
    end = jnp.where(blurred, start, jnp.where(crossed, root, place))
    guard = jnp.where(crossed, guard, jnp.argmax(doubtful))
    return First(kind, end, jnp.where(crossed, lower, start), upper, guard, slope, curvature)


def rounding_of_test(tested: Float[Array, "n1 guards pieces"]) -> Float[Array, " guards"]:
    """About what the Bernstein form of a polynomial loses by rounding."""
    return (6 * tested.shape[0] + 12) * EPS * jnp.max(jnp.sum(jnp.abs(tested), 0), 1)


def _root(tested, low, high, below):
    """The earliest root among the guards that are below zero at `high`, by bisection and Newton's steps."""

    def best(coefficients, place):
        return jnp.max(horner(coefficients, place), 1)

    def halve(_, carry):
        low, high = carry
        middle = 0.5 * (low + high)
        negative = jnp.any(below & (best(tested, middle) < 0))
        return jnp.where(negative, low, middle), jnp.where(negative, middle, high)

    low, high = lax.fori_loop(0, 30, halve, (low, high))
    below = below & (best(tested, high) < 0)
    first = jnp.argmax(below)
    rates, bends = derivative(tested), derivative(derivative(tested))
    piece = jnp.argmax(horner(tested, high)[first])
    of = lambda coefficients, place: horner(coefficients[:, first, piece], place)

    def newton(_, place):
        slope = of(rates, place)
        step = of(tested, place) / jnp.where(slope == 0, 1.0, slope)
        return jnp.clip(place - jnp.where(slope == 0, 0.0, step), low, high)

    root = lax.fori_loop(0, 4, newton, 0.5 * (low + high))
    return root, of(rates, root), of(bends, root), first
