"""Taylor steps of any order, each with a proof."""

from __future__ import annotations

import math
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from .._core.compilation import compiled
from .._core.messages import BadInput, listing, shown
from ._base import Happening, Method, Steps
from ._course import states
from ._event import KINDS as EVENT_KINDS
from ._event import Watched
from ._given import Given, leaves_of, numbered, system_of
from ._machine import prepared
from ._march import (
    ARRIVED,
    CHATTERING,
    ENDED,
    FULL,
    GRAZE,
    NOT_FINITE,
    PENETRATING,
    RUNNING,
    STALLED,
    Log,
    Place,
    march,
    placed,
)
from ._mechanics import KINDS as CONTACT_KINDS
from ._mechanics import Mechanics
from ._progress import Watcher
from ._system import Settings

FINEST = 4e-16
CHUNK = 64  # steps between two looks at the clock
LONG_CHUNK = 1024


class Taylor(Method):
    """The Taylor series of the motion itself, in steps whose error is proven.

    Every step is a polynomial whose coefficients follow from the right-hand side, order by order. Its remainder is
    enclosed over the whole step by interval methods, rounding included; steps are shortened until the proof holds, so
    that "certified" means: no motion that starts where the step does strays from its polynomial by more than the bound.
    What cannot be enclosed (a kink, a function without an enclosure) is "estimated", and said to be.

    tolerance  the largest remainder of a step, relative to the largest entry of each leaf of the state during the step.
    order      of the polynomials; by default 1 - log(tolerance) / 2, which costs the least work.
    scale      makes the tolerance absolute: tolerance * scale, one number or one for each leaf of the state.
    certify    False leaves out the proofs: the same steps, estimated.
    longest    the longest step.
    fast       compile for long runs: seconds more before the first step, and steps that run several times faster. A
               `rollout` without proofs, contacts and events, compiled with `jax.jit`, then runs a hundred times faster
               where the state is small.
    """

    tolerance: float = eqx.field(static=True, default=1e-12)
    order: int | None = eqx.field(static=True, default=None)
    scale: float | tuple[float, ...] | None = eqx.field(static=True, default=None)
    certify: bool = eqx.field(static=True, default=True)
    longest: float | None = eqx.field(static=True, default=None)
    fast: bool = eqx.field(static=True, default=False)

    def __check_init__(self):
        given = f"Taylor(tolerance={shown(self.tolerance)})"
        if not isinstance(self.tolerance, float | int) or not 0 < self.tolerance < 1:
            raise BadInput(f"{given}: the tolerance must be a number between 0 and 1, such as 1e-12.")
        if self.tolerance < FINEST and self.scale is None:
            raise BadInput(
                f"{given}: below {FINEST:g} of the state's size no double tells anything apart; give 1e-15 or more."
            )
        if self.order is not None and not (isinstance(self.order, int) and 4 <= self.order <= 60):
            raise BadInput(f"Taylor(order={shown(self.order)}): the order must be a whole number from 4 to 60.")
        if self.longest is not None and not self.longest > 0:
            raise BadInput(f"Taylor(longest={shown(self.longest)}): the longest step must be above zero.")
        sizes = self.scale if isinstance(self.scale, tuple) else () if self.scale is None else (self.scale,)
        if not all(isinstance(size, float | int) and 0 < size < math.inf for size in sizes):
            raise BadInput(f"Taylor(scale={shown(self.scale)}): sizes must be positive and finite.")

    @property
    def words(self) -> str:
        return f"Taylor steps of order {self.degree}, tolerance {self.tolerance:g}"

    @property
    def degree(self) -> int:
        return self.order or max(6, math.ceil(1 - math.log(self.tolerance) / 2))

    def settings(self, leaves: int) -> Settings:
        sizes = self.scale if isinstance(self.scale, tuple) or self.scale is None else (self.scale,) * leaves
        if sizes is not None and len(sizes) != leaves:
            raise BadInput(f"Taylor(scale={shown(self.scale)}): the state has {leaves} leaves; give one size for each.")
        return Settings(
            order=self.degree,
            tolerance=float(self.tolerance),
            pieces=4,
            certify=self.certify,
            unroll=self.fast and not self.certify,
            absolute=None if sizes is None else tuple(map(float, sizes)),
            longest=self.longest or math.inf,
        )

    def check(self, given: Given, start: PyTree) -> None:
        self.settings(len(jax.tree.leaves(start)))

    def run(self, given: Given, start: PyTree, t: float, until: float, watch: Watcher) -> Steps:
        given, start = numbered(given), jax.tree.map(lambda x: jnp.asarray(x, float), start)
        settings = self.settings(len(jax.tree.leaves(start)))
        end = jnp.asarray(until, float)
        place, unproven = begin(given, start, jnp.asarray(t, float), settings)
        logs: list[Log] = []
        taken, chunk = 0, LONG_CHUNK if self.fast else CHUNK
        while int(place.status) == RUNNING:
            place, log = advance(given, start, place, end, settings, chunk, self.fast)
            logs.append(jax.tree.map(np.asarray, log))
            taken += int(log.filled)
            watch(float(place.t), taken)
        return gathered(given, start, place, logs, settings, unproven)

    def states(self, given: Given, start: PyTree, t, times: Float[Array, " n"], most: int) -> PyTree:
        settings = self.settings(len(jax.tree.leaves(start)))
        return states(given, start, t, times, settings, most)


class Begun(NamedTuple):
    """The place where a run begins, and which operations have no enclosure."""

    place: Place
    unproven: tuple[str, ...]


@compiled(lambda *_: False)
def begin(given: Given, start: PyTree, t: Float[Array, ""], settings: Settings) -> Begun:
    machine, _, at = machine_of(given, start, t, settings)
    return Begun(placed(at), machine.recipe.unproven)


def machine_of(given: Given, start: PyTree, t, settings: Settings) -> tuple:
    system, parameters = system_of(given, start, settings.tolerance)
    return prepared(system, settings, t, leaves_of(start), parameters)


@compiled(lambda *given: 3 if given[-1] else 0)
def advance(
    given: Given, start: PyTree, place: Place, end: Float[Array, ""], settings: Settings, count: int, fast: bool
) -> tuple[Place, Log]:
    """At most `count` steps."""
    machine, inputs, _ = machine_of(given, start, place.t, settings)
    return march(machine, inputs, place, end, count)


def gathered(
    given: Given, start: PyTree, place: Place, logs: list[Log], settings: Settings, unproven: tuple[str, ...]
) -> Steps:
    """The log of a run, in arrays of NumPy."""

    def whole(pick) -> np.ndarray:
        return np.concatenate([np.asarray(pick(log.lines))[: int(log.filled)] for log in logs])

    if not logs:
        return nothing(place, settings)
    leaves = len(place.y)
    return Steps(
        begin=whole(lambda x: x.t),
        h=whole(lambda x: x.h),
        unit=[whole(lambda x, i=i: x.unit[i]) for i in range(leaves)],
        final_t=float(place.t),
        final_y=[np.asarray(y) for y in place.y],
        remainder=whole(lambda x: x.remainder),
        rounding=whole(lambda x: x.rounding),
        proven=whole(lambda x: x.proven),
        happenings=happenings(given, start, whole),
        stopped=reason(place, settings),
        doubt=f"{listing(unproven)} has no enclosure" if unproven else "",
    )


def nothing(place: Place, settings: Settings) -> Steps:
    """A run that did not begin."""
    y = [np.asarray(y) for y in place.y]
    empty, none = np.zeros(0), np.zeros((0, len(y)))
    unit = [np.zeros((0, settings.order + 1, *x.shape)) for x in y]
    return Steps(empty, empty, unit, float(place.t), y, none, none, empty.astype(bool), (), reason(place, settings))


def happenings(given: Given, start: PyTree, whole) -> tuple[Happening, ...]:
    """Every event of a log, in words."""
    kind, begin, guard = whole(lambda x: x.kind), whole(lambda x: x.t), whole(lambda x: x.guard)
    lower, upper, length = whole(lambda x: x.lower), whole(lambda x: x.upper), whole(lambda x: x.length)
    proven = whole(lambda x: x.proven)
    names = guard_names(given, start)
    found = []
    for i in np.flatnonzero((kind >= 0) | (kind == GRAZE)):
        code = int(kind[i])
        word = "graze" if code == GRAZE else EVENT_KINDS[code] if code in EVENT_KINDS else CONTACT_KINDS[code]
        name, which = names[int(guard[i])]
        found.append(
            Happening(
                float(begin[i] + length[i]),
                float(begin[i] + lower[i]),
                float(begin[i] + upper[i]),
                word,
                name,
                which,
                bool(proven[i]),
                int(i),
            )
        )
    return tuple(found)


def guard_names(given: Given, start: PyTree) -> list[tuple[str, int]]:
    """The contact or event behind each guard, and its number there."""
    system, _ = system_of(given, start, FINEST)
    inner = system.inner if isinstance(system, Watched) else system
    names: list[tuple[str, int]] = []
    if isinstance(inner, Mechanics):
        gaps = [(c.name, i) for c, n in zip(given.contacts, inner.counts, strict=True) for i in range(n)]
        names = [*gaps, *(gaps[i] for i in inner.resting), *([gaps[i] for i in inner.frictional] * 3)]
    return [*names, *((event.name, 0) for event in given.events)]


def reason(place: Place, settings: Settings) -> str:
    """Why a run stopped short, as a sentence."""
    at = f"at t = {float(place.t):.9g}"
    status = int(place.status)
    if status in (ARRIVED, ENDED):
        return ""
    bad = [i for i, y in enumerate(place.y) if not np.all(np.isfinite(np.asarray(y)))]
    where = f"leaf {bad[0]} of the state" if bad else "the state"
    return {
        NOT_FINITE: f"{where} is not finite {at}, in step {int(place.steps)}: the motion runs away, or the right-hand"
        " side divides by zero there",
        STALLED: f"steps became too small to move time {at}: the motion has a singularity there",
        CHATTERING: f"events follow each other without end {at}: bounces accumulate; let the contact rest"
        " (rests=True), or give settle, the height below which a bounce counts as rest",
        PENETRATING: f"impacts among several bodies did not come to an end {at}",
        FULL: f"the steps allowed ran out {at}",
    }.get(status, f"stopped {at}")
