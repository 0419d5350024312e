"""What is worked out once for each object that cannot change."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
from jax.core import Tracer

T = TypeVar("T")
R = TypeVar("R")


def once_for_each(function: Callable[[T], R]) -> Callable[[T], R]:
    """Decorator for a function of one frozen object: its result is kept as long as the object lives.

    Objects are told apart by what they are, not by what they are equal to: they may hold arrays and functions. What is
    worked out while JAX traces is not kept: numbers made there belong to that trace and may not be seen by another.
    """
    kept: dict[int, tuple[weakref.ref, R]] = {}

    @functools.wraps(function)
    def call(held: T) -> R:
        known = kept.get(id(held))
        if known is not None and known[0]() is held:
            return known[1]
        result = function(held)
        if being_traced(held):
            return result
        key = id(held)
        kept[key] = weakref.ref(held, lambda _: kept.pop(key, None)), result
        return result

    return call


def being_traced(held: object) -> bool:
    """Whether the object holds traced numbers, or whether numbers made here would be traced ones."""
    return any(isinstance(leaf, Tracer) for leaf in (*jax.tree.leaves(held), jnp.zeros(())))
