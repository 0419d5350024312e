"""A whole run as a function that can be compiled, mapped and differentiated."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Int, PyTree

from ._given import Given, leaves_of, system_of
from ._glide import Flow, glided, glides
from ._machine import Inputs, Machine, Start, opened, prepared
from ._march import ARRIVED, ENDED, Line, Log, Place, march, placed
from ._polynomial import horner
from ._replay import plan_of, replay
from ._system import Settings
from ._variational import MOST, directions, variation_of


class Course(eqx.Module):
    """A run as polynomials, one a step; `course(time)` is the state then, NaN where the run did not get.

    It is a pytree, differentiable by everything that went in, in both modes. Derivatives pass through impacts and
    events; where one grazed, the derivative does not exist and is NaN.
    """

    begin: Float[Array, " count"]  # of the steps, infinite beyond the last
    h: Float[Array, " count"]  # the polynomials are in (time - begin) / h
    unit: list[Float[Array, "count n1 ..."]]
    final_t: Float[Array, ""]
    final_y: list[Float[Array, "..."]]
    status: Int[Array, ""]
    lines: Line
    filled: Int[Array, ""]
    structure: Any = eqx.field(static=True)

    @property
    def arrived(self) -> Bool[Array, ""]:
        """Whether the run came to its end, or to an event that ends it."""
        return (self.status == ARRIVED) | (self.status == ENDED)

    @property
    def final(self) -> PyTree:
        return jax.tree.unflatten(self.structure, self.final_y)

    def __call__(self, time: Float[Array, ""]) -> PyTree:
        """The state at one time; after the impact where one falls on it."""
        time = jnp.asarray(time, float)
        i = jnp.clip(jnp.searchsorted(lax.stop_gradient(self.begin), lax.stop_gradient(time), side="right") - 1, 0)
        s = (time - self.begin[i]) / self.h[i]
        slack = 1e-12 * jnp.abs(self.h[i])
        inside = (time >= self.begin[0] - slack) & (time <= self.final_t + slack)
        known = jnp.where(inside, 1.0, jnp.nan)  # a factor, so that derivatives are NaN where values are
        values = [known * horner(u[i], s) for u in self.unit]
        return jax.tree.unflatten(self.structure, values)


def states(given: Given, start: PyTree, t, times: Float[Array, " n"], settings: Settings, count: int) -> PyTree:
    """The states at rising times, in at most `count` steps from `start` at `t`; differentiable in both modes."""
    t = jnp.asarray(t, float)
    system, parameters = system_of(given, start, settings.tolerance)
    machine, inputs, begin = prepared(system, settings, t, leaves_of(start), parameters)
    structure = jax.tree.structure(start)
    if not glides(settings, system.guards[0]):
        return jax.vmap(course(machine, begin, times[-1], inputs, count, structure))(times)

    rates, arrays = opened(lambda t, y, given: system.flow(t, y, [], given)[0], t, begin.y, parameters)
    numbers = [*parameters, *map(jnp.asarray, arrays)]

    def flow(t, y: list[Array], numbers: list[Array]) -> list[Array]:
        return rates(numbers[len(parameters) :], t, y, numbers[: len(parameters)])

    @jax.custom_jvp
    def light(begin: Start, times: Array, inputs: Inputs, numbers: list[Array]):
        return glided(machine, Flow(flow, numbers), begin.t, begin.y, times, inputs, count)

    @light.defjvp
    def rule(primals, tangents):
        if directions(begin.y, numbers) <= MOST:
            found, moved = light(*primals), varied(primals, tangents)
            # what is not known has no slope, however far the slopes' own steps got
            return found, [jnp.where(jnp.isnan(x), jnp.nan, d) for x, d in zip(found, moved, strict=True)]

        def written(begin: Start, times: Array, inputs: Inputs, numbers: list[Array]):
            found = course(machine, begin, times[-1], inputs, count, structure)
            return jax.tree.leaves(jax.vmap(found)(times))

        return jax.jvp(written, primals, tangents)

    def varied(primals, tangents) -> list[Array]:
        begin, times, _, numbers = primals
        d_begin, d_times, _, d_numbers = tangents
        absolute = None if settings.absolute is None else 2 * settings.absolute  # y and its slopes
        variation = variation_of(flow, begin.y, numbers)
        both = states(
            Given(variation.motion, (), (), variation.moving), variation.start, begin.t, times,
            settings._replace(absolute=absolute), 2 * count,
        )  # fmt: skip
        at_start = flow(begin.t, begin.y, numbers)
        d_y = [d - f * d_begin.t for d, f in zip(d_begin.y, at_start, strict=True)]
        later = jax.vmap(lambda t, y: flow(t, y, numbers))(times, both[0])
        moved = variation.along(both[1], d_y, d_numbers)
        return [d + f * d_times.reshape(-1, *[1] * (f.ndim - 1)) for d, f in zip(moved, later, strict=True)]

    return jax.tree.unflatten(structure, light(begin, times, inputs, numbers))


def course(machine: Machine, begin: Start, end, inputs: Inputs, count: int, structure: Any) -> Course:
    """Run to `end` in at most `count` steps."""
    place, log = differentiable(machine, count)(begin, jnp.asarray(end, float), inputs)
    used = jnp.arange(count) < log.filled
    return Course(
        jnp.where(used, log.lines.t, jnp.inf), log.lines.h, log.lines.unit, place.t, place.y, place.status,
        log.lines, log.filled, structure,
    )  # fmt: skip


def differentiable(machine: Machine, count: int):
    """The march, with the derivatives of its replay."""

    @jax.custom_jvp
    def forward(start: Start, end: Array, inputs: Inputs) -> tuple[Place, Log]:
        return march(machine, inputs, placed(start), end, count)

    @forward.defjvp
    def rule(primals, tangents):
        start, end, inputs = primals
        d_start, d_end, d_inputs = tangents
        place, log = forward(start, end, inputs)
        plan = plan_of(log, place.status == ARRIVED)

        def again(t, y, end, inputs):
            return replay(machine, plan, t, y, end, inputs)

        _, path = jax.jvp(again, (start.t, start.y, end, inputs), (d_start.t, d_start.y, d_end, d_inputs))
        d_place, d_log = jax.tree.map(unmoved, (place, log))
        d_place = d_place._replace(t=path.final_t, y=path.final_y)
        d_log = d_log._replace(lines=d_log.lines._replace(t=path.t, unit=path.unit))
        return (place, log), (d_place, d_log)

    return forward


def unmoved(x: Array):
    """The tangent of what does not move."""
    if jnp.issubdtype(x.dtype, jnp.floating):
        return jnp.zeros_like(x)
    return np.zeros(jnp.shape(x), jax.dtypes.float0)
