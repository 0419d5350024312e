"""Symplectic steps: for long runs whose energy stays where it was.

A step is a drift of the positions, a kick of the velocities by the acceleration there, and a drift again; higher orders
compose such steps of different lengths, some of them backwards. What is conserved exactly is a motion with a slightly
different energy, which is why the error of the energy does not grow.

Source: H. Yoshida, Phys. Lett. A 150 (1990), 262 (equations 2.11 and table 1, solution A).
"""

from __future__ import annotations

import abc
import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.core import Tracer
from jax.extend.core import Literal
from jaxtyping import Array, Float, PyTree

from .._core.compilation import compiled
from .._core.messages import BadInput, shown
from ._base import Method, Steps
from ._given import Given, as_array, is_number, numbered
from ._motion import SecondOrder
from ._progress import Watcher

CHUNK = 4096  # steps between two looks at the clock
CUBE = 2 ** (1 / 3)
FOURTH = (1 / (2 - CUBE), -CUBE / (2 - CUBE), 1 / (2 - CUBE))
OUTER = (0.784513610477560, 0.235573213359357, -1.17767998417887)
SIXTH = (*OUTER, 1 - 2 * sum(OUTER), *reversed(OUTER))


class Symplectic(Method):
    """The contract of steps that are composed of drifts and kicks: a length, and the shares of it."""

    step: eqx.AbstractVar[float]

    @property
    @abc.abstractmethod
    def shares(self) -> tuple[float, ...]:
        """The lengths of the composed steps, as shares of the whole, that add up to 1."""

    def advanced(self, acceleration: Callable[[PyTree], PyTree], q: PyTree, v: PyTree) -> tuple[PyTree, PyTree]:
        """Positions and velocities a step later, for loops of one's own; `acceleration` is a function of q alone."""
        motion = SecondOrder(lambda t, q, v, args: acceleration(q))
        return one(Given(motion, (), (), None), (q, v), 0.0, self.step, self.shares)

    def check(self, given: Given, start: PyTree) -> None:
        if not isinstance(self.step, int | float) or not 0 < self.step < math.inf:
            raise BadInput(f"the step must be a positive number, but it is {shown(self.step)}.")
        name = type(self).__name__
        if not isinstance(given.motion, SecondOrder):
            raise BadInput(
                f"{name} advances motions of second order; state yours as lf.SecondOrder(a), or use lf.Taylor()."
            )
        if given.contacts or given.events:
            raise BadInput(f"{name} takes steps of fixed length and would miss contacts and events; use lf.Taylor().")
        if uses_velocity(given, start):
            raise BadInput(
                f"{name} is for accelerations that do not depend on the velocity, since only then energy is kept; use"
                " lf.Taylor()."
            )

    def run(self, given: Given, start: PyTree, t: float, until: float, watch: Watcher) -> Steps:
        given, start = numbered(given), jax.tree.map(lambda x: jnp.asarray(x, float), start)
        count = max(1, math.ceil((until - t) / self.step * (1 - 1e-12)))
        h = (until - t) / count
        state, pieces = start, []
        for first in range(0, count, CHUNK):
            many = min(CHUNK, count - first)
            begin = jnp.asarray(t + first * h, float)
            state, passed = advance(given, state, begin, jnp.asarray(h, float), self.shares, many)
            pieces.append(jax.tree.map(np.asarray, passed))
            watch(t + (first + many) * h, first + many)
            if not all(np.all(np.isfinite(leaf[-1])) for leaf in jax.tree.leaves(pieces[-1])):
                break
        whole = jax.tree.map(lambda *parts: np.concatenate(parts), *pieces)
        return interpolated(given, whole, state, t, h, until)

    def states(self, given: Given, start: PyTree, t, times: Float[Array, " n"], most: int) -> PyTree:
        if not (is_known(times) and is_known(t)):
            raise BadInput(
                f"{type(self).__name__} counts its steps beforehand; give times and t as numbers, not traced."
            )
        edges = np.concatenate([np.atleast_1d(np.asarray(t, float)), np.asarray(times)])
        count = max(1, math.ceil(float(np.max(np.diff(edges))) / self.step * (1 - 1e-12)))
        if count * (len(edges) - 1) > most:
            return jax.tree.map(lambda x: jnp.full((len(edges) - 1, *jnp.shape(x)), jnp.nan), start)

        def between(state, ends):
            begin, end = ends
            h = (end - begin) / count
            body = lambda i, y: one(given, y, begin + i * h, h, self.shares)
            state = lax.fori_loop(0, count, body, state)
            return state, state

        return lax.scan(between, tuple(start), (jnp.asarray(edges[:-1]), jnp.asarray(edges[1:])))[1]


class Leapfrog(Symplectic):
    """Leapfrog steps of fixed length, of second order: one acceleration a step.

    step  the longest step; a run is divided evenly. Good values: a fiftieth of the fastest period and less.
    """

    step: float = eqx.field(static=True)

    @property
    def shares(self) -> tuple[float, ...]:
        return (1.0,)

    @property
    def words(self) -> str:
        return f"leapfrog, steps of {self.step:g}"


class Yoshida(Symplectic):
    """Yoshida's compositions of leapfrog steps: order 4 with three accelerations a step, order 6 with seven.

    step   the longest step; a run is divided evenly. Good values: a twentieth of the fastest period for order 4, a
           tenth for order 6.
    order  4 or 6.
    """

    step: float = eqx.field(static=True)
    order: int = eqx.field(static=True, default=4)

    def __check_init__(self):
        if self.order not in (4, 6):
            raise BadInput(f"Yoshida(order={shown(self.order)}): the order is 4 or 6.")

    @property
    def shares(self) -> tuple[float, ...]:
        return FOURTH if self.order == 4 else SIXTH

    @property
    def words(self) -> str:
        return f"Yoshida's steps of order {self.order}, {self.step:g} long"


def one(given: Given, state: tuple, t, h, shares: tuple[float, ...]) -> tuple:
    """One whole step; drifts that follow each other are made one."""
    assert isinstance(given.motion, SecondOrder)
    q, v = state
    held = 0.5 * shares[0]
    for i, share in enumerate(shares):
        q, t = jax.tree.map(lambda q, v, s=held: q + s * h * v, q, v), t + held * h
        a = given.motion.acceleration(t, q, v, given.args)
        v = jax.tree.map(lambda v, a, s=share: v + s * h * a, v, a)
        held = 0.5 * share + (0.5 * shares[i + 1] if i + 1 < len(shares) else 0.0)
    return jax.tree.map(lambda q, v: q + held * h * v, q, v), v


@compiled(lambda *_: True)
def advance(given: Given, state: PyTree, begin, h, shares: tuple[float, ...], count: int) -> tuple[PyTree, PyTree]:
    """`count` steps; the state after them, and the states before each."""

    def body(state, i):
        return one(given, state, begin + i * h, h, shares), state

    return lax.scan(body, tuple(state), jnp.arange(count))


@compiled(lambda *_: False)
def accelerations(given: Given, states: PyTree, times: Float[Array, " n"]) -> PyTree:
    assert isinstance(given.motion, SecondOrder)
    motion = given.motion
    return jax.vmap(lambda t, q, v: motion.acceleration(t, q, v, given.args))(times, *states)


def interpolated(given: Given, states: PyTree, last: PyTree, t: float, h: float, until: float) -> Steps:
    """Cubic polynomials between the states: positions from their velocities, velocities from the accelerations."""
    ends = jax.tree.map(lambda x, y: np.concatenate([x, np.asarray(y)[None]]), states, last)
    count = len(jax.tree.leaves(states)[0])
    times = t + h * np.arange(count + 1)
    q, v = (jax.tree.leaves(part) for part in ends)
    arrays = jax.tree.map(jnp.asarray, ends)
    a = [np.asarray(x) for x in jax.tree.leaves(accelerations(given, tuple(arrays), jnp.asarray(times)))]
    unit = [hermite(x, rate * h) for x, rate in (*zip(q, v, strict=True), *zip(v, a, strict=True))]
    final = [x[-1] for x in (*q, *v)]
    nothing = np.full((count, len(final)), np.nan)
    finite = all(np.all(np.isfinite(x)) for x in final)
    stopped = (
        "" if finite else f"the state is not finite before t = {times[-1]:.9g}: the step is too long, or bodies met"
    )
    return Steps(
        times[:-1], np.full(count, h), unit, until if finite else float(times[-1]), final, nothing, nothing,
        np.zeros(count, bool), (), stopped, "symplectic steps have no bound",
    )  # fmt: skip


def is_known(value) -> bool:
    """Whether numbers are at hand, not traced."""
    return not isinstance(value, Tracer)


def hermite(x: Float[np.ndarray, "n1 ..."], rate: Float[np.ndarray, "n1 ..."]) -> Float[np.ndarray, "n 4 ..."]:
    """The cubics on [0, 1] through values and rates at both ends."""
    x0, x1, r0, r1 = x[:-1], x[1:], rate[:-1], rate[1:]
    return np.stack([x0, r0, 3 * (x1 - x0) - 2 * r0 - r1, 2 * (x0 - x1) + r0 + r1], axis=1)


def uses_velocity(given: Given, start: PyTree) -> bool:
    """Whether the acceleration depends on the velocity, as far as its program shows."""
    assert isinstance(given.motion, SecondOrder)
    q, v = start
    numbers, rest = eqx.partition(given.args, is_number)

    def of(v, q, numbers):
        return given.motion.acceleration(0.0, q, v, eqx.combine(numbers, rest))

    as_arrays = lambda tree: jax.tree.map(as_array, tree)
    program = jax.make_jaxpr(of)(as_arrays(v), as_arrays(q), as_arrays(numbers))
    used = {id(atom) for e in program.jaxpr.eqns for atom in e.invars if not isinstance(atom, Literal)}
    used |= {id(atom) for atom in program.jaxpr.outvars}
    count = len(jax.tree.leaves(v))
    return any(id(x) in used for x in program.jaxpr.invars[:count])
