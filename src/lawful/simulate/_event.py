"""Moments that a run should find: the zero of any function of the state, and what to do there."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from .._core.messages import BadInput, listing, shown
from ._contact import by_name
from ._system import Reaction, System

SAME = 1e-13  # time to a zero that counts as none
PASSED, RESET, ENDED = range(100, 103)
KINDS = {PASSED: "passed", RESET: "reset", ENDED: "end"}


class Event(eqx.Module):
    """A moment at which a function of the state is zero.

    when  a smooth function that returns a number, of any of t, y and args (t, q, v and args for a `SecondOrder`).
    then  what the state becomes, a function of the same names that returns a state; the event then happens where
          `when` falls through zero, and has to be positive again soon after. Without it the moment is only written
          down, whether `when` falls or rises.
    ends  whether the run ends there.
    name  what records call it.
    """

    when: Callable
    then: Callable | None = None
    ends: bool = eqx.field(static=True, default=False)
    name: str = eqx.field(static=True, default="event")

    def __check_init__(self):
        for what, function in (("when", self.when), ("then", self.then)):
            if not callable(function) and not (what == "then" and function is None):
                raise BadInput(f"event '{self.name}': {what} must be a function, but it is {shown(function)}.")

    def check_names(self, known: Sequence[str]) -> None:
        """Refuse arguments that there are none of."""
        for function in (self.when, self.then):
            if function is None:
                continue
            names = list(inspect.signature(function).parameters)
            strange = [name for name in names if name not in known]
            if strange or not names:
                raise BadInput(
                    f"event '{self.name}': its functions take any of {listing(known)}, but one takes {listing(names)}."
                )


class Watching(NamedTuple):
    """The mode of a system with events: on which side of zero each function is."""

    inner: Any
    sign: Float[Array, " events"]


class Watched:
    """A system with events added: their guards come after its own."""

    def __init__(self, inner: System, events: Sequence[Event], read: Callable, write: Callable, joined: Callable):
        """`read(t, y, args)` names what functions see, `write(state)` turns what `then` returns into leaves, and
        `joined(parameters)` returns motion, contacts, events and args."""
        self.inner, self.read, self.write, self.joined = inner, read, write, joined
        self.count = len(events)
        self.kinds = [ENDED if e.ends else RESET if e.then is not None else PASSED for e in events]

    @property
    def guards(self) -> tuple[int, int]:
        count, pieces = self.inner.guards
        return count + self.count, pieces

    def values(self, t, y, parameters) -> Float[Array, " events"]:
        _, _, events, args = self.joined(parameters)
        inputs = self.read(t, y, args)
        return jnp.stack([jnp.reshape(jnp.asarray(by_name(event.when, **inputs), float), ()) for event in events])

    def start(self, t, y, parameters):
        y, mode, fresh, sound = self.inner.start(t, y, parameters)
        values = self.values(t, y, parameters)
        rates = self.rates(t, y, mode, parameters)
        zero = values == 0
        sign = jnp.where(zero, jnp.where(rates < 0, -1.0, 1.0), jnp.sign(values))
        return y, Watching(mode, sign), jnp.concatenate([fresh, jnp.where(zero, 1, 0)]), sound

    def rates(self, t, y, mode, parameters) -> Float[Array, " events"]:
        """How fast each function changes along the motion."""
        slopes, _ = self.inner.flow(t, y, self.inner.data(mode), parameters)
        along = lambda t, y: self.values(t, y, parameters)
        return jax.jvp(along, (t, y), (jnp.ones_like(t), slopes))[1]

    def flow(self, t, y, data, parameters):
        rates, guards = self.inner.flow(t, y, data[:-1], parameters)
        values = data[-1] * self.values(t, y, parameters)
        pieces = self.inner.guards[1]
        return rates, jnp.concatenate([guards, jnp.broadcast_to(values[:, None], (self.count, pieces))])

    def data(self, mode: Watching) -> list[Array]:
        return [*self.inner.data(mode.inner), mode.sign]

    def watched(self, mode: Watching) -> Bool[Array, " guards"]:
        either_way = np.array([kind != RESET for kind in self.kinds])
        events = jnp.asarray(either_way) | (mode.sign > 0)
        return jnp.concatenate([self.inner.watched(mode.inner), events])

    def slack(self, mode: Watching) -> Float[Array, " guards"]:
        return jnp.concatenate([self.inner.slack(mode.inner), jnp.zeros(self.count)])

    def react(self, t, y, mode: Watching, which, parameters) -> Reaction:
        own = self.inner.guards[0]
        hit = which[own:]
        inner = self.inner.react(t, y, mode.inner, which[:own], parameters)
        _, _, events, args = self.joined(parameters)
        before = jnp.abs(self.values(t, y, parameters))
        after, sign, kind, ends = y, mode.sign, jnp.asarray(PASSED), jnp.zeros((), bool)
        for i, event in enumerate(events):
            inputs = self.read(t, after, args)
            new = after if event.then is None else self.write(by_name(event.then, **inputs))
            after = [jnp.where(hit[i], a, b) for a, b in zip(new, after, strict=True)]
            kind = jnp.where(hit[i], self.kinds[i], kind)
            ends = ends | (hit[i] & event.ends)
            if event.then is None:
                sign = jnp.where((jnp.arange(self.count) == i) & hit[i], -sign, sign)
        passed = jnp.any(hit)
        y = [jnp.where(passed, a, b) for a, b in zip(after, inner.y, strict=True)]
        kept = jax.tree.map(lambda a, b: jnp.where(passed, a, b), mode.inner, inner.mode)
        # A jump that leaves the function at zero has a fresh guard; one that takes it elsewhere has an ordinary one.
        now = jnp.abs(self.values(t, after, parameters))
        near = now <= 10 * before + SAME * jnp.abs(self.rates(t, after, mode, parameters))
        fresh_events = jnp.where(hit & (near | (np.array(self.kinds) != RESET)), 1, 0)
        fresh = jnp.concatenate([jnp.where(passed, jnp.zeros(own, int), inner.fresh), fresh_events])
        return Reaction(
            y, Watching(kept, sign), fresh, jnp.where(passed, kind, inner.kind), ends | (inner.ends & ~passed),
            inner.sound | passed,
        )  # fmt: skip


class Plain:
    """A right-hand side alone: no guards, no modes."""

    def __init__(self, joined: Callable, structure: Any):
        self.joined, self.structure = joined, structure

    @property
    def guards(self) -> tuple[int, int]:
        return 0, 1

    def start(self, t, y, parameters):
        return y, (), jnp.zeros(0, int), jnp.ones((), bool)

    def flow(self, t, y, data, parameters):
        f, _, _, args = self.joined(parameters)
        return jax.tree.leaves(f(t, jax.tree.unflatten(self.structure, y), args)), jnp.zeros((0, 1))

    def data(self, mode) -> list[Array]:
        return []

    def watched(self, mode) -> Bool[Array, " guards"]:
        return jnp.zeros(0, bool)

    def slack(self, mode) -> Float[Array, " guards"]:
        return jnp.zeros(0)

    def react(self, t, y, mode, which, parameters) -> Reaction:
        return Reaction(y, mode, jnp.zeros(0, int), jnp.asarray(PASSED), jnp.zeros((), bool), jnp.ones((), bool))
