"""The same steps once more, differentiably: what the march did is known, and only states and times of events move.

Lengths of steps that end at no event are numbers; a step that ends at an event ends where its guard is zero, and
follows it by Newton's rule, t = t* - g / g', applied twice so that second derivatives are right too. The last step ends
at the end asked for. This is the saltation of the derivative at an impact: states and times change together.

Only the start of each step is kept for the backward pass; the rest is computed again.

Source: N. J. Kong, J. J. Payne, J. Zhu and A. M. Johnson, Saltation matrices, Proc. IEEE 112 (2024), 585.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from equinox.internal import unvmap_any
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from ._arithmetic import Points
from ._expand import expand
from ._kept import Rolled
from ._machine import Inputs, Machine
from ._march import GRAZE, Line, Log
from ._polynomial import derivative, horner, powers

STEEP = 1e-8
"""An event whose guard would have gone less far beyond zero, relative to its size, has no derivative worth the name."""


class Plan(NamedTuple):
    """What is fixed about a step."""

    h: Float[Array, ""]
    length: Float[Array, ""]
    event: Bool[Array, ""]
    lands: Bool[Array, ""]  # ends at the end of the run
    guard: Int[Array, ""]
    grazes: Bool[Array, ""]
    mode: Any
    used: Bool[Array, ""]


def plan_of(log: Log, arrived: Bool[Array, ""]) -> Plan:
    """The plan of every line of a log."""
    lines: Line = log.lines
    count = lines.t.shape[0]
    places = jnp.arange(count)
    used = places < log.filled  # the others are blank, and say nothing of events
    event = used & (lines.kind >= 0)
    grazes = used & ((lines.kind == GRAZE) | (event & (lines.steepness < STEEP)))
    plan = Plan(
        lines.h, lines.length, event, arrived & (places == log.filled - 1) & ~event, lines.guard, grazes, lines.mode,
        used,
    )  # fmt: skip
    return jax.tree.map(lax.stop_gradient, plan)


class Path(NamedTuple):
    """Where the steps began, their polynomials in (time - t) / h, and where the last one ended."""

    t: Float[Array, " count"]
    unit: list[Float[Array, "count n1 ..."]]
    final_t: Float[Array, ""]
    final_y: list[Float[Array, "..."]]


def replay(machine: Machine, plan: Plan, t, y: list[Array], end, inputs: Inputs) -> Path:
    """Follow a plan; differentiable by everything but the plan."""
    known = machine.known(inputs)

    def step(carry, one: Plan):
        t, y = carry

        def taken():
            return follow(machine, one, t, y, end, known, inputs)

        def skipped():
            return t, y, [jnp.zeros((machine.settings.order + 1, *jnp.shape(x))) for x in y]

        # Mapped over many runs, the step is skipped where none of them takes it.
        new_t, new_y, unit = lax.cond(unvmap_any(one.used), taken, skipped)
        kept = jax.tree.map(lambda new, old: jnp.where(one.used, new, old), (new_t, new_y), (t, y))
        return kept, (t, unit)

    (final_t, final_y), (ts, units) = lax.scan(jax.checkpoint(step), (t, y), plan)
    return Path(ts, units, final_t, final_y)


def follow(machine: Machine, plan: Plan, t, y: list[Array], end, known, inputs):
    """One step of a plan."""
    system, order = machine.system, machine.settings.order
    data = system.data(plan.mode)
    found = expand(machine.recipe, Points(), Rolled, t, y, data, known, order)
    length = jnp.where(plan.lands, end - t, plan.length)
    guards, _ = system.guards
    if guards:
        length = jnp.where(plan.event, root(found.others[0], plan), length)
    after = [horner(c, length) for c in found.state]
    if guards:
        which = jnp.arange(guards) == plan.guard
        bounced = machine.react(t + length, after, plan.mode, which, inputs).y
        after = [jnp.where(plan.event, new, old) for new, old in zip(bounced, after, strict=True)]
    after = [marked(x, plan.grazes) for x in after]
    scales = powers(plan.h, order + 1)
    unit = [c * scales.reshape(-1, *[1] * (c.ndim - 1)) for c in found.state]
    return t + length, after, unit


def root(guards: Float[Array, "n1 guards pieces"], plan: Plan) -> Float[Array, ""]:
    """When the guard that ended the step is zero, as a differentiable function of its coefficients."""
    pieces = guards[:, plan.guard]
    best = jnp.argmax(horner(lax.stop_gradient(pieces), plan.length))
    g = pieces[:, best]
    time = plan.length
    for _ in range(2):
        slope = horner(derivative(g), time)
        time = time - horner(g, time) / jnp.where(plan.event & (slope != 0), slope, 1.0)
    return time


@jax.custom_jvp
def marked(x: Array, bad: Bool[Array, ""]) -> Array:
    """x, whose derivative is NaN where it does not exist."""
    del bad
    return x


@marked.defjvp
def _marked_jvp(primals, tangents):
    x, bad = primals
    return x, tangents[0] * jnp.where(bad, jnp.nan, 1.0)
