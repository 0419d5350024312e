"""Derivatives of a motion by its variational equations, which move along with it.

    y' = f(t, y, p),    S' = f_y S + f_p,    S = dy/d(y0, p), which starts as [1, 0]

They are a motion like any other: they go as fast, choose their own steps, and can be differentiated again. The
derivative by the time of the start is -S f there, that by a time to look at is f then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

MOST = 24
"""Directions: the state's entries and the parameters'. With more, following the steps once more costs less."""

Rates = Callable[[Array, list[Array], list[Array]], list[Array]]
Slopes = list[Float[Array, "..."]]


class Variation(NamedTuple):
    """A motion with its slopes S: arrays (directions, *shape), at many times (times, directions, *shape).

    motion   rates of (y, S) as a function of t, (y, S) and the numbers that derivatives are taken by.
    start    of both.
    moving   these numbers.
    floats   which of all numbers they are.
    """

    motion: Callable
    start: tuple[list[Array], Slopes]
    moving: list[Array]
    floats: list[bool]

    def along(self, slopes: Slopes, y: list[Array], numbers: list[Array]) -> list[Float[Array, "times ..."]]:
        """S v at every time, v the tangents of the start and of all numbers."""
        moved = [x for x, is_float in zip(numbers, self.floats, strict=True) if is_float]
        by = jnp.concatenate([jnp.ravel(x) for x in (*y, *moved)])
        return [jnp.einsum("tm...,m->t...", s, by) for s in slopes]


def floats_of(numbers: list[Array]) -> list[bool]:
    return [bool(jnp.issubdtype(x.dtype, jnp.floating)) for x in numbers]


def directions(y: list[Array], numbers: list[Array]) -> int:
    return sum(x.size for x in y) + sum(x.size for x, m in zip(numbers, floats_of(numbers), strict=True) if m)


def variation_of(flow: Rates, y: list[Array], numbers: list[Array]) -> Variation:
    floats = floats_of(numbers)
    moving = [x for x, is_float in zip(numbers, floats, strict=True) if is_float]
    units = unit_vectors([*y, *moving])
    of_y, of_numbers = units[: len(y)], units[len(y) :]

    def rates(t, y: list[Array], moving: list[Array]) -> list[Array]:
        left = iter(moving)
        return flow(t, y, [next(left) if is_float else x for x, is_float in zip(numbers, floats, strict=True)])

    def motion(t, state: tuple[list[Array], Slopes], moving: list[Array]):
        y, slopes = state
        fixed = lambda y, moving: rates(t, y, moving)
        along = lambda slope, turned: jax.jvp(fixed, (y, moving), (slope, turned))[1]
        return fixed(y, moving), jax.vmap(along)(slopes, list(map(jnp.asarray, of_numbers)))

    return Variation(motion, (y, list(map(jnp.asarray, of_y))), moving, floats)


def unit_vectors(arrays: list[Array]) -> list[Float[np.ndarray, "m ..."]]:
    """Of the space of all entries, in the shapes of the arrays, one a row."""
    ends = np.cumsum([0, *(x.size for x in arrays)])
    rows = np.eye(int(ends[-1]))
    return [rows[:, a:b].reshape(-1, *x.shape) for a, b, x in zip(ends[:-1], ends[1:], arrays, strict=True)]
