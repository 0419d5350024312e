"""A potential that keeps up with the atoms: its neighbour lists are made anew before they are out of date."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput, listing
from ._hybrid import HybridPotential
from ._near_list import near_lists, with_room
from ._structure import Structure

Build = Callable[..., HybridPotential]
"""`build(structure)`, or `build(structure, charge=..., multiplicity=...)`: the potential of an arrangement."""

SPARE = 1.1  # room in lists, of what is needed at first


class Following:
    """What `build` says of an arrangement, asked again where atoms moved beyond its margin, or other things changed.

    Lists are padded, so that those made later fit the same compiled program; one that no longer fits gets more room.
    `built` counts.
    """

    def __init__(self, build: Build, rooms: tuple[int, ...] = ()):
        self.build, self.rooms, self.built = build, rooms, 0
        self.at: Structure | None = None
        self.info: dict[str, Any] = {}
        self.potential: HybridPotential | None = None

    def __call__(self, structure: Structure, **info: Any) -> HybridPotential:
        if self.potential is None or not self.holds(structure, info):
            self.renew(structure, info)
        assert self.potential is not None
        return self.potential

    def holds(self, structure: Structure, info: Mapping[str, Any]) -> bool:
        """Whether the potential at hand is right for an arrangement."""
        assert self.potential is not None
        before = self.at
        if before is None or info != self.info or not np.array_equal(before.numbers, structure.numbers):
            return False
        if (before.cell is None) != (structure.cell is None):
            return False
        if before.cell is not None and not np.array_equal(np.asarray(before.cell), np.asarray(structure.cell)):
            return False
        return farthest(before.positions, structure.positions) <= self.potential.margin

    def renew(self, structure: Structure, info: Mapping[str, Any] | None = None) -> HybridPotential:
        found = self.build(structure, **(info or {}))
        if not isinstance(found, HybridPotential):
            raise BadInput(f"build(structure) must return a HybridPotential, but returned {type(found).__name__}.")
        counts = [each.count for each in near_lists(found)]
        if len(counts) != len(self.rooms) or any(n > room for n, room in zip(counts, self.rooms, strict=True)):
            self.rooms = tuple(math.ceil(SPARE * n / 16) * 16 for n in counts)
        cell = None if structure.cell is None else np.asarray(structure.cell)
        padded: HybridPotential = with_room(found, self.rooms, cell)
        self.potential, self.at, self.info = padded, structure, dict(info or {})
        self.built += 1
        return padded


def farthest(before: Any, now: Any) -> float:
    """How far the atom has moved that has moved most, A. Positions are unwrapped."""
    apart: Float[np.ndarray, "atoms 3"] = np.asarray(now) - np.asarray(before)
    return float(np.sqrt(np.max(np.sum(apart**2, axis=-1))))


def told(build: Build, info: Mapping[str, Any]) -> dict[str, Any]:
    """What of a frame's charge and multiplicity `build` asks for by name.

    Raises `BadInput` where the frame has a charge or an open shell and `build` does not ask.
    """
    neutral = {"charge": 0, "multiplicity": 1}
    parameters = inspect.signature(build).parameters
    given = {name: info.get(name, usual) for name, usual in neutral.items()}
    deaf = [f"{name}={given[name]}" for name in neutral if name not in parameters and given[name] != neutral[name]]
    if deaf:
        raise BadInput(
            f"the frame says {listing(deaf)}, but the potential does not ask for it; write"
            " build(structure, charge, multiplicity), or remove it from atoms.info."
        )
    return {name: given[name] for name in neutral if name in parameters}
