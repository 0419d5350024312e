"""The verbs: simulate hands back a run, rollout is a function to compile, map and differentiate."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from .._core.messages import BadInput, shown
from .._core.precision import in_float64
from ._base import Method
from ._checks import check_given, check_invariants, check_numbers
from ._contact import Contact, by_name
from ._event import Event
from ._given import Given
from ._motion import SecondOrder
from ._progress import Progress, Watcher
from ._run import Run, drifts, status_of
from ._taylor import Taylor


@in_float64
def simulate(
    motion: Callable | SecondOrder,
    start: PyTree,
    until: float,
    *,
    t: float = 0.0,
    args: PyTree = None,
    contacts: Contact | Sequence[Contact] = (),
    events: Event | Sequence[Event] = (),
    method: Method | None = None,
    invariants: Mapping[str, Callable] | None = None,
    progress: bool | Watcher | None = None,
) -> Run:
    """Follow a motion from its start to a time, in double precision.

        y' = f(t, y, args)        or        q'' = a(t, q, v, args) with contacts

    motion      `f(t, y, args)` that returns the rate of y, or `SecondOrder(a, mass)`.
    start       y, an array or any pytree of arrays; the pair (q, v) for a motion of second order.
    until       the time to get to.
    t           the time at the start.
    args        parameters: any pytree. Floats and arrays among them may change without a new compilation.
    contacts    `Contact`, one or several; for motions of second order.
    events      `Event`, one or several: moments to find, jumps, ends.
    method      `Taylor(...)` by default, with a proof for every step; `Leapfrog`, `Yoshida`, `Diffrax` without.
    invariants  functions by name of any of t, y (or q, v) and args that should not change, such as the energy; the
                record says how far they did.
    progress    None shows a bar on a terminal, True lines elsewhere; a function is called with (time, steps).

    Raises `BadInput` for what cannot be simulated as stated. A run that stopped short does not raise: its `status`
    says where and why.
    """
    begin = time.monotonic()
    method = Taylor() if method is None else method
    given = Given(motion, several(contacts, Contact), several(events, Event), args)
    check_given(given, start, method)
    check_numbers(given, start, t, until)
    checked = check_invariants(invariants or {})
    watch = Progress(progress, float(t), float(until))
    try:
        steps = method.run(given, start, float(t), float(until), watch)
    finally:
        watch.close()
    second = isinstance(motion, SecondOrder)
    structure = jax.tree.structure(start)
    run = Run(steps, status_of(steps), method.words, time.monotonic() - begin, {}, structure, second)
    found = drifts(
        run, checked, lambda function, times, states: along(function, times, states, structure, second, args)
    )
    return Run(steps, run.status, method.words, time.monotonic() - begin, found, structure, second)


def along(function: Callable, times: np.ndarray, leaves: list, structure, second: bool, args: PyTree) -> np.ndarray:
    """A function of named parts of the state, at many times."""

    def at(t, leaves):
        state = jax.tree.unflatten(structure, leaves)
        parts = {"q": state[0], "v": state[1]} if second else {"y": state}
        return by_name(function, t=t, **parts, args=args)

    return np.asarray(jax.vmap(at)(jnp.asarray(times), [jnp.asarray(x) for x in leaves]))


def rollout(
    motion: Callable | SecondOrder,
    start: PyTree,
    times: Float[Array, " n"],
    *,
    t: float | Array = 0.0,
    args: PyTree = None,
    contacts: Contact | Sequence[Contact] = (),
    events: Event | Sequence[Event] = (),
    method: Method | None = None,
    most: int = 1024,
) -> PyTree:
    """The states at rising times: a pure function, to be compiled, mapped and differentiated in either mode.

    Derivatives are those of the motion itself, through impacts and events too: with respect to the start, args, the
    numbers in contacts (restitution, friction, radii), `t` and the times, and whatever the functions close over.
    Second derivatives are right as well. Where the motion grazes something they do not exist, and are NaN.

    Arguments as for `simulate`, but
    times  (n,) rising, from `t` on.
    most   steps; the states are NaN where they do not suffice, or where the run ends before.

    Returns the structure of `start`, each array with a first axis of length n. An impact at one of the times counts
    as past.

    Double precision has to be on: `with jax.enable_x64(True): ...` around the compiled function, not inside it.
    Raises `BadInput` for what cannot be simulated as stated; overlap at the start, which depends on numbers, makes the
    states NaN.
    """
    if jnp.result_type(float) != jnp.float64:
        raise BadInput(
            "rollout computes in double precision; call it, or what it is compiled into, inside"
            " `with jax.enable_x64(True):`."
        )
    method = Taylor() if method is None else method
    given = Given(motion, several(contacts, Contact), several(events, Event), args)
    check_given(given, start, method)
    line = jnp.asarray(times, float)
    if line.ndim != 1 or not line.shape[0]:
        raise BadInput(f"times must be a row of rising times, such as jnp.linspace(0, 1, 11); got {shown(times)}.")
    return method.states(given, jax.tree.map(lambda x: jnp.asarray(x, float), start), t, line, most)


def several(values, kind: type) -> tuple:
    """One or several as a tuple."""
    if isinstance(values, kind):
        return (values,)
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise BadInput(f"give one lf.{kind.__name__}(...) or a list of them, not {shown(values)}.")
    return tuple(values)
