"""Lists of who is near whom, wherever a potential holds them: how far atoms may move before one is out of date."""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float, PyTree


class NearList(eqx.Module):
    """The contract of a list of neighbours: how long it holds, how long it is, and what fills it up."""

    @property
    @abc.abstractmethod
    def margin(self) -> float:
        """How far (A) every atom may move before one that counts could be missing; infinite where all are listed."""

    @property
    @abc.abstractmethod
    def count(self) -> int:
        """How much room the list takes."""

    @abc.abstractmethod
    def padded(self, room: int, cell: Float[np.ndarray, "3 3"] | None) -> NearList:
        """The same in more room, so that lists of different lengths share one compiled program."""


def is_list(value: Any) -> bool:
    return isinstance(value, NearList)


def near_lists(tree: PyTree) -> list[NearList]:
    """All lists that a potential, a term or any pytree holds."""
    return [leaf for leaf in jax.tree.leaves(tree, is_leaf=is_list) if is_list(leaf)]


def with_room(tree: PyTree, rooms: Sequence[int], cell: Float[np.ndarray, "3 3"] | None) -> PyTree:
    """The same with its near lists padded, so that frames of different length share one compiled program.

    rooms  pairs that each list is to hold, in the order of `near_lists`; at least as many as it holds.
    cell   of the frame, A; None for molecules.
    """
    left = iter(rooms)
    return jax.tree.map(lambda leaf: leaf.padded(next(left), cell) if is_list(leaf) else leaf, tree, is_leaf=is_list)


class WithoutPairs(eqx.Module):
    """A term from a plain function that holds no list of neighbours, and so is right wherever the atoms go.

    A plain function could hide one: without these words its list is taken to be out of date as soon as an atom moves.
    """

    function: Any = eqx.field(static=True)

    def __call__(self, positions, cell):
        return self.function(positions, cell)


def margin_of(terms: dict[str, Any], *others: Any) -> float:
    """How far atoms may move: the smallest margin of all lists, and none where a plain function could hide one."""
    if any(may_hide(term) for term in (*terms.values(), *others)):
        return 0.0
    return min((each.margin for each in near_lists((terms, others))), default=math.inf)


def may_hide(term: Any) -> bool:
    """Whether a list could be where it is not seen: in a plain function, or behind one inside a pytree."""
    if term is None or eqx.is_array(term):
        return False
    if not isinstance(term, eqx.Module | jax.tree_util.Partial):
        return True
    return any(near_lists(hidden(leaf)) for leaf in jax.tree.leaves(term, is_leaf=is_list) if callable(leaf))


def hidden(function: Any) -> list[Any]:
    """What a function closes over, or holds as defaults."""
    cells = getattr(function, "__closure__", None) or ()
    defaults = getattr(function, "__defaults__", None) or ()
    named = (getattr(function, "__kwdefaults__", None) or {}).values()
    return [*(cell.cell_contents for cell in cells), *defaults, *named]
