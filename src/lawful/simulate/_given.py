"""What a run was given, taken apart: numbers that may be traced or differentiated, and everything else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from ._contact import Contact
from ._event import Event, Plain, Watched
from ._mechanics import Mechanics
from ._motion import SecondOrder
from ._system import System


class Given(NamedTuple):
    """A motion with everything that acts on it."""

    motion: Callable | SecondOrder
    contacts: tuple[Contact, ...]
    events: tuple[Event, ...]
    args: PyTree


class Parts(NamedTuple):
    """A `Given` without its numbers."""

    rest: Any
    structure: Any

    def joined(self, parameters: list[Array]) -> Given:
        return eqx.combine(jax.tree.unflatten(self.structure, parameters), self.rest)


def is_number(x) -> bool:
    """Arrays and floats are numbers; whole numbers and truth values of Python's own stay what they are."""
    return isinstance(x, jax.Array | np.ndarray | np.generic | float)


def as_array(x) -> Array:
    """Floats in double precision, others as they are."""
    array = jnp.asarray(x)
    return array.astype(float) if jnp.issubdtype(array.dtype, jnp.floating) else array


def numbered(given: Given) -> Given:
    """The same with every number an array of JAX."""
    return jax.tree.map(lambda x: as_array(x) if is_number(x) else x, given)


def taken_apart(given: Given) -> tuple[Parts, list[Array]]:
    arrays, rest = eqx.partition(given, is_number)
    leaves, structure = jax.tree.flatten(arrays)
    return Parts(rest, structure), [as_array(x) for x in leaves]


def leaves_of(start: PyTree) -> list[Array]:
    """The state as a list of arrays in double precision."""
    return [jnp.asarray(x, float) for x in jax.tree.leaves(start)]


def system_of(given: Given, start: PyTree, tolerance: float) -> tuple[System, list[Array]]:
    """The system of a motion, and its parameters."""
    parts, parameters = taken_apart(given)
    structure = jax.tree.structure(start)
    if isinstance(given.motion, SecondOrder):
        inner: System = Mechanics(parts.joined, given, start, tolerance)
    else:
        inner = Plain(parts.joined, structure)
    if not given.events:
        return inner, parameters
    second = isinstance(given.motion, SecondOrder)

    def read(t, y, args):
        state = jax.tree.unflatten(structure, y)
        names = {"q": state[0], "v": state[1]} if second else {"y": state}
        return {"t": t, **names, "args": args}

    return Watched(inner, given.events, read, leaves_of, parts.joined), parameters
