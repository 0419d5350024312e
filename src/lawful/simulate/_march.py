"""Step after step: expand, prove, look for the first contact, go there, let the system react.

Everything here is one compiled loop over arrays of fixed shape. What happens at a contact is the system's affair; this
file knows states, guards and modes only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from ._arithmetic import Balls, Points
from ._ball import EPS, Ball, exact, up
from ._certificate import prove
from ._crossing import CROSSED, FREE, UNDECIDED, First, Guards, first_crossing, nothing_found
from ._expand import Expanded, expand
from ._kept import Rolled
from ._machine import Inputs, Machine, Start
from ._polynomial import horner, on_unit, powers
from ._system import Reaction, Settings

RUNNING, ARRIVED, ENDED, NOT_FINITE, STALLED, CHATTERING, PENETRATING, FULL = range(8)
MOST_ATTEMPTS = 40
MARGIN = 0.9
SHORTEST = 1e-3  # of the step that the size of the coefficients suggests: a shorter one is taken without a proof
GUARD_TOLERANCE = 1e-7  # of a guard's size: where it is near zero, the next step is shorter and its error smaller
MOST_EVENTS = 200  # at one and the same time
GRAZE = -1  # the kind of an event that no system reacted to: a guard came too close to zero to tell


class Place(NamedTuple):
    """Where a run stands."""

    t: Float[Array, ""]
    y: list[Array]
    mode: Any
    fresh: Int[Array, " guards"]  # see `Guards`
    pace: Float[Array, ""]  # the proven step over the one that the coefficients suggest
    steps: Int[Array, ""]
    events: Int[Array, ""]  # in a row, without any progress
    status: Int[Array, ""]


class Line(NamedTuple):
    """What is written down about a step. Times of an event are measured from the step's start."""

    t: Float[Array, ""]
    h: Float[Array, ""]  # the polynomials are in (time - t) / h
    length: Float[Array, ""]
    unit: list[Float[Array, "n1 ..."]]
    remainder: Float[Array, " leaves"]
    rounding: Float[Array, " leaves"]
    proven: Bool[Array, ""]
    kind: Int[Array, ""]  # of the event at its end, -2 where there is none
    guard: Int[Array, ""]
    lower: Float[Array, ""]
    upper: Float[Array, ""]
    steepness: Float[
        Array, ""
    ]  # how far beyond zero the guard would have gone, over its size; small at a grazing contact
    mode: Any  # at the start of the step


NOTHING = -2


def one_step(machine: Machine, place: Place, end: Float[Array, ""], known: dict[int, Array], inputs: Inputs):
    """One step; returns the new place and the line to write down."""
    system = machine.system
    data = system.data(place.mode)
    point = expanded(machine, place, data, known)
    h, holds, remainder, guard_error, pace = certified(machine, place, end, data, known, point)
    units = [on_unit(y, h) for y in point.state]
    found, steep = searched(machine, place, h, point, guard_error)
    length = jnp.where(found.kind == FREE, h, found.root * h)
    whole = found.kind == FREE
    t = jnp.where(whole & (h >= end - place.t), end, place.t + length)
    y = [horner(u.mid, jnp.where(whole, 1.0, found.root)) for u in units]
    fine = jnp.all(jnp.stack([jnp.all(jnp.isfinite(x)) for x in y])) & jnp.isfinite(t)
    crossed = found.kind == CROSSED

    def react():
        which = jnp.arange(system.guards[0]) == found.guard
        return machine.react(t, y, place.mode, which, inputs)

    # What has just left zero and is still there has left it all the same.
    fresh = jnp.where(still_fresh(machine, point, h, length), jnp.minimum(place.fresh, 1), 0)

    def pass_on():
        kind = jnp.where(found.kind == UNDECIDED, GRAZE, NOTHING)
        return Reaction(y, place.mode, fresh, kind, jnp.zeros((), bool), jnp.ones((), bool))

    if system.guards[0]:
        reaction = lax.cond(crossed, react, pass_on)
        reaction = reaction._replace(fresh=jnp.maximum(reaction.fresh, fresh))
    else:
        reaction = pass_on()
    progress = t > place.t
    events = jnp.where(crossed, jnp.where(progress, 1, place.events + 1), 0)
    status = first_true(
        (~fine, NOT_FINITE),
        (~reaction.sound, PENETRATING),
        (reaction.ends & crossed, ENDED),
        (events > MOST_EVENTS, CHATTERING),
        (~progress & ~crossed, STALLED),
        (t >= end, ARRIVED),
    )
    new = Place(t, reaction.y, reaction.mode, reaction.fresh, pace, place.steps + 1, events, status)
    share = jnp.where(whole, 1.0, found.root)
    line = Line(
        place.t, h, length, [u.mid for u in units], remainder * share ** (machine.settings.order + 1),
        most([horner(u.rad, share) for u in units]),
        holds & (found.kind != UNDECIDED), reaction.kind, found.guard, found.lower * h, found.upper * h,
        steep, place.mode,
    )  # fmt: skip
    return new, line


def first_true(*cases: tuple[Array, int]) -> Int[Array, ""]:
    """The code of the first case that holds, RUNNING where none does."""
    code = jnp.asarray(RUNNING)
    for holds, value in reversed(cases):
        code = jnp.where(holds, value, code)
    return code


def expanded(machine: Machine, place: Place, data: list[Array], known: dict[int, Array]) -> Expanded:
    """The coefficients at the start of the step, with their rounding where it is to be proven."""
    settings = machine.settings
    if settings.certify:
        y = [exact(x) for x in place.y]
        return expand(machine.recipe, Balls(), Rolled, exact(place.t), y, data, known, settings.order)
    found = expand(machine.recipe, Points(), settings.keep, place.t, place.y, data, known, settings.order)
    state = [Ball(y, 8 * EPS * jnp.abs(y)) for y in found.state]
    return Expanded(state, [Ball(g, 8 * EPS * jnp.abs(g)) for g in found.others])


def suggested(
    settings: Settings, state: Sequence[Ball], guards: Ball, watched: Bool[Array, " guards"], longest: Float[Array, ""]
) -> Float[Array, ""]:
    """The step at which the last two coefficients reach the tolerance, relative to the largest term of low order.

    Guards, whose error only decides where steps end, are given more room.
    """
    order = settings.order
    sizes = [
        jnp.max(jnp.abs(y.mid).reshape(order + 1, -1), 1) if y.mid.size else jnp.zeros(order + 1) for y in state
    ]  # fmt: skip
    sizes_of_guards = jnp.abs(guards.mid) * watched[:, None]

    def closer(_, h):
        scales, best = powers(h, order // 2 + 1), longest
        if sizes_of_guards.size:
            low = jnp.einsum("k,kgp->gp", scales, sizes_of_guards[: order // 2 + 1])
            for k in (order - 1, order):
                last = sizes_of_guards[k]
                ratio = GUARD_TOLERANCE * low / jnp.where(last > 0, last, 1.0)
                best = jnp.minimum(best, jnp.min(jnp.where((last > 0) & (low > 0), ratio ** (1 / k), jnp.inf)))
        for i, size in enumerate(sizes):
            low = jnp.max(size[: order // 2 + 1] * scales) if settings.absolute is None else settings.absolute[i]
            for k in (order - 1, order):
                some = size[k] > 0
                ratio = settings.tolerance * low / jnp.where(some, size[k], 1.0)
                best = jnp.minimum(best, jnp.where(some & (low > 0), ratio ** (1 / k), jnp.inf))
        return best

    return lax.fori_loop(0, 4, closer, longest)


def certified(machine: Machine, place: Place, end, data, known, point: Expanded):
    """A step length with its proof: shorter and shorter until it holds, or until it is no use."""
    settings = machine.settings
    order = settings.order
    longest = jnp.minimum(end - place.t, settings.longest)
    watched = machine.system.watched(place.mode)
    # Without a proof a step is taken at nine tenths of what is suggested, except where the end is nearer.
    hint = suggested(settings, point.state, point.others[0], watched, longest if settings.certify else 2 * longest)
    start = jnp.minimum(hint * place.pace, longest)
    allowed = None if settings.absolute is None else [jnp.asarray(settings.tolerance * s) for s in settings.absolute]

    @jax.jit  # traced once, although its shapes are asked for first
    def proof_of(h):
        return prove(
            machine.recipe, Rolled, known, place.t, h, point.state, data, allowed, settings.tolerance, settings.pieces
        )

    if not settings.certify:
        h = jnp.minimum(MARGIN * hint, longest)
        units = [on_unit(y, h) for y in point.state]
        remainder = most([jnp.abs(u.mid[-1]) for u in units])
        guard_units = [on_unit(g, h) for g in point.others]
        guard_error = jnp.concatenate([jnp.zeros(0), *(jnp.ravel(jnp.abs(g.mid[-1])) for g in guard_units)])
        return h, jnp.zeros((), bool), remainder, guard_error, place.pace

    def failing(carry):
        h, proof, attempts = carry
        good = proof.holds & sharp(proof.others, h)
        return ~good & (attempts < MOST_ATTEMPTS) & ((attempts == 0) | (h > SHORTEST * hint))

    def sharp(error, h):
        """Whether guards are known well enough to look for their roots."""
        if not machine.system.guards[0]:
            return jnp.ones((), bool)
        guards = point.others[0]
        size = jnp.einsum("k,kgp->gp", powers(h, order + 1), jnp.abs(guards.mid))
        slack = machine.system.slack(place.mode)[:, None]
        enough = error.reshape(size.shape) <= jnp.maximum(1e3 * GUARD_TOLERANCE * size, jnp.maximum(slack, 1e-280))
        return jnp.all(enough | ~watched[:, None])

    def attempt(carry):
        """Shorter by what the last excess suggests, by half where nothing is known; the first one as it is."""
        h, proof, attempts = carry
        factor = jnp.clip(0.9 * jnp.maximum(proof.excess, 1e-300) ** (-1 / (order + 1)), 0.2, 0.9)
        factor = jnp.where(jnp.isfinite(proof.excess) & ~proof.holds, factor, 0.5)
        h = h * jnp.where(attempts == 0, 1.0, factor)
        return h, proof_of(h), attempts + 1

    shapes = jax.eval_shape(proof_of, start)
    none = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
    h, proof, _ = lax.while_loop(failing, attempt, (start, none, jnp.zeros((), int)))
    # The pace follows what was proven: a little more is tried where the remainder was far below what is allowed.
    room = jnp.clip((0.3 / jnp.maximum(proof.excess, 1e-30)) ** (1 / (order + 1)), 0.5, 1.5)
    pace = jnp.clip(h / jnp.maximum(hint, 1e-300) * room, 0.01, 2.0)
    pace = jnp.where(proof.holds & (h < longest), pace, place.pace)
    return h, proof.holds, most(proof.remainder), proof.others, pace


def most(parts: list[Array]) -> Float[Array, " leaves"]:
    """The largest entry of each."""
    return jnp.stack([jnp.max(x, initial=0.0) for x in parts])


def searched(machine: Machine, place: Place, h, point: Expanded, guard_error) -> tuple[First, Float[Array, ""]]:
    """Where the first guard reaches zero, and how steeply."""
    size, pieces = machine.system.guards
    if not size:
        return nothing_found(), jnp.ones(())
    unit = on_unit(point.others[0], h)
    scale = jnp.max(jnp.abs(unit.mid), 0)
    guards = Guards(
        unit.mid,
        up(jnp.sum(unit.rad, 0)),
        guard_error.reshape(size, pieces),
        machine.system.watched(place.mode),
        place.fresh,
        (4 * machine.settings.tolerance + 256 * EPS) * jnp.max(scale, 1),
        machine.system.slack(place.mode),
    )
    found = first_crossing(guards)
    # A guard with slope a < 0 and curvature b > 0 would turn back at the depth a^2 / 2b.
    depth = found.slope**2 / (2 * jnp.maximum(found.curvature, 1e-300))
    largest = jnp.maximum(jnp.max(scale, 1)[found.guard], 1e-300)
    steep = jnp.where(found.curvature > 0, depth, jnp.abs(found.slope)) / largest
    return found, jnp.where(found.kind == CROSSED, steep, 1.0)


def still_fresh(machine: Machine, point: Expanded, h, length) -> Bool[Array, " guards"]:
    """Whether a guard that had just left zero is still so close to it that its sign drowns in rounding."""
    if not machine.system.guards[0]:
        return jnp.zeros(0, bool)
    unit = on_unit(point.others[0], h)
    at = jnp.max(horner(unit.mid, length / h), 1)
    return at <= 1e3 * EPS * jnp.max(jnp.abs(unit.mid), (0, 2))


class Log(NamedTuple):
    """Lines side by side; `filled` of them are written."""

    lines: Line
    filled: Int[Array, ""]


def march(machine: Machine, inputs: Inputs, place: Place, end, count: int) -> tuple[Place, Log]:
    """At most `count` steps towards `end`."""
    known = machine.known(inputs)

    @jax.jit  # traced once, although the shapes of a line are asked for first
    def step(place: Place):
        return one_step(machine, place, end, known, inputs)

    shapes = jax.eval_shape(step, place)[1]
    blank = Log(jax.tree.map(lambda s: jnp.zeros((count, *s.shape), s.dtype), shapes), jnp.zeros((), int))

    def going(carry: tuple[Place, Log]):
        place, log = carry
        return (place.status == RUNNING) & (log.filled < count)

    def go(carry: tuple[Place, Log]):
        place, log = carry
        place, line = step(place)
        lines = jax.tree.map(lambda all, one: lax.dynamic_update_index_in_dim(all, one, log.filled, 0), log.lines, line)
        return place, Log(lines, log.filled + 1)

    return lax.while_loop(going, go, (place, blank))


def placed(start: Start) -> Place:
    """The place where a run begins."""
    zero = jnp.zeros((), int)
    status = jnp.where(start.sound, RUNNING, PENETRATING)
    return Place(start.t, start.y, start.mode, start.fresh, jnp.ones(()), zero, zero, status)
