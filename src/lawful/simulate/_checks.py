"""What is refused at the door, each with the cure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from .._core.messages import BadInput, shown
from ._base import Method
from ._contact import Contact
from ._event import Event
from ._given import Given
from ._motion import SecondOrder


def check_given(given: Given, start: PyTree, method: Method) -> None:
    """Everything that can be told without numbers: kinds, shapes, names. Works on traced values too."""
    if not callable(given.motion) and not isinstance(given.motion, SecondOrder):
        raise BadInput(
            f"the motion must be a function f(t, y, args) or lf.SecondOrder(a), but it is {shown(given.motion)}."
        )
    if not isinstance(method, Method):
        raise BadInput(f"method must be lf.Taylor(...), lf.Leapfrog(...) or the like, but it is {shown(method)}.")
    check_each("contacts", given.contacts, Contact, "lf.Contact(lf.Plane((0, 1)))")
    check_each("events", given.events, Event, "lf.Event(lambda t: t - 1.0)")
    check_state(start)
    if isinstance(given.motion, SecondOrder):
        check_second_order(given, start)
        names: Sequence[str] = ("t", "q", "v", "args")
    else:
        check_first_order(given, start)
        names = ("t", "y", "args")
    for event in given.events:
        event.check_names(names)
    method.check(given, start)


def check_each(what: str, values: object, kind: type, example: str) -> None:
    for value in values if isinstance(values, tuple) else ():
        if not isinstance(value, kind):
            raise BadInput(f"{what} must hold objects like {example}, but got {type(value).__name__} {shown(value)}.")


def check_state(start: PyTree) -> None:
    leaves = jax.tree.leaves(start)
    if not leaves:
        raise BadInput(f"the start must hold numbers, such as (1.0, 0.0), but it is {shown(start)}.")
    for leaf in leaves:
        try:
            kind = jnp.result_type(leaf)
        except TypeError:
            raise BadInput(f"the start must hold numbers, but it holds {shown(leaf)}.") from None
        if jnp.issubdtype(kind, jnp.complexfloating):
            raise BadInput("the start holds complex numbers; give real and imaginary parts as separate entries.")


def check_first_order(given: Given, start: PyTree) -> None:
    if given.contacts:
        raise BadInput(
            "contacts need positions and velocities; state the motion as lf.SecondOrder(a) with a start (q, v), or use"
            " lf.Event(when, then=...)."
        )
    motion: Any = given.motion
    found = traced("f", lambda: motion(0.0, as_floats(start), given.args))
    same_shape("the right-hand side f(t, y, args)", found, start, "the state")


def check_second_order(given: Given, start: PyTree) -> None:
    if not (isinstance(start, tuple | list) and len(start) == 2):
        raise BadInput(f"a motion of second order starts from a pair (q, v), but the start is {shown(start)}.")
    q, v = start
    same_shape("the velocity v of the start", v, q, "the position q")
    motion = given.motion
    assert isinstance(motion, SecondOrder)
    if not callable(motion.acceleration):
        raise BadInput(f"lf.SecondOrder takes a function a(t, q, v, args), but got {shown(motion.acceleration)}.")
    found = traced("a", lambda: motion.acceleration(0.0, as_floats(q), as_floats(v), given.args))
    same_shape("the acceleration a(t, q, v, args)", found, q, "the position q")
    for contact in given.contacts:
        shape = traced(f"the gap of contact '{contact.name}'", lambda c=contact: c.gaps(0.0, as_floats(q), given.args))
        if 0 in shape.shape:
            raise BadInput(f"contact '{contact.name}': there is nothing to touch; it has no bodies or no gaps.")
        points = contact.points(as_floats(q)) if contact.frictional and contact.rests else None
        if points is not None and points.shape[1] != 2:
            dim = points.shape[1]
            raise BadInput(
                f"contact '{contact.name}': resting with friction is for two dimensions, and these bodies have {dim};"
                " give rests=False, or friction=0."
            )


def as_floats(tree: PyTree) -> PyTree:
    return jax.tree.map(lambda x: jnp.asarray(x, float), tree)


def traced(what: str, function: Callable) -> Any:
    """The shapes of what a function returns; its own errors in one line."""
    try:
        return jax.eval_shape(function)
    except BadInput:
        raise
    except (TypeError, ValueError, IndexError, KeyError, AttributeError, NameError) as error:
        first = (str(error).splitlines() or ["no message"])[0]
        raise BadInput(
            f"{what} cannot be evaluated at the start: {type(error).__name__}: {first}; correct it."
        ) from error


def same_shape(what: str, found: PyTree, wanted: PyTree, like: str) -> None:
    if jax.tree.structure(found) != jax.tree.structure(wanted):
        raise BadInput(
            f"{what} has the structure {shown(jax.tree.structure(found))}, but {like} has"
            f" {shown(jax.tree.structure(wanted))}; let them be alike."
        )
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        if jnp.shape(one) != jnp.shape(other):
            raise BadInput(
                f"{what} has the shape {jnp.shape(one)}, but {like} has {jnp.shape(other)}; let them be alike."
            )


def check_numbers(given: Given, start: PyTree, t: float, until: float) -> None:
    """What can only be told from numbers: what is not finite, and bodies that overlap."""
    for name, value in (("t", t), ("until", until)):
        if not isinstance(value, int | float | np.generic | np.ndarray | jax.Array) or not math.isfinite(float(value)):
            raise BadInput(f"{name} must be a finite time, but it is {shown(value)}.")
    if until <= t:
        raise BadInput(f"until = {until:g} must lie after the start at t = {t:g}; to go back, turn the sign of time.")
    for leaf in jax.tree.leaves(start):
        if not np.all(np.isfinite(np.asarray(leaf, dtype=float))):
            raise BadInput(f"the start must be finite, but it holds {shown(np.asarray(leaf))}.")
    for leaf in jax.tree.leaves(given.args):
        if isinstance(leaf, float | np.ndarray | jax.Array) and not np.all(np.isfinite(np.asarray(leaf, dtype=float))):
            raise BadInput(f"args must be finite, but they hold {shown(leaf)}.")
    if isinstance(given.motion, SecondOrder):
        q, _ = start
        for contact in given.contacts:
            check_gap(contact, given, as_floats(q), t)


def check_gap(contact: Contact, given: Given, q: PyTree, t: float) -> None:
    pieces = np.asarray(contact.gaps(jnp.asarray(t, float), q, given.args))
    if not np.all(np.isfinite(pieces)):
        i = int(np.argwhere(~np.isfinite(pieces))[0][0])
        raise BadInput(
            f"contact '{contact.name}': gap {i} is {pieces[i].max():g} at the start; a gap must be finite, so write it"
            " without dividing by zero or taking roots of negative numbers there."
        )
    gaps = pieces.max(axis=1)
    size = max((float(np.max(np.abs(x), initial=0.0)) for x in jax.tree.leaves(q)), default=0.0)
    deep = int(np.argmin(gaps))
    if gaps[deep] < -1e-9 * size:
        raise BadInput(
            f"contact '{contact.name}': the bodies of gap {deep} overlap by {-gaps[deep]:.6g} at the start; move them"
            " apart, or turn the sign of the gap if it is positive inside."
        )


def check_invariants(invariants: object) -> Mapping[str, Callable]:
    if not isinstance(invariants, Mapping) or not all(callable(f) for f in invariants.values()):
        raise BadInput(
            "invariants must be a mapping from names to functions, such as {'energy': lambda q, v: ...}; got"
            f" {shown(invariants)}."
        )
    return invariants
