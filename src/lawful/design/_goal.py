"""What is wanted of a design: one output as small as can be, others within bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput, nearest, shown
from ._simulator import Sample

Bounds = tuple[float | None, float | None]


@dataclass(frozen=True)
class Goal:
    """The smallest `least` subject to `within`.

        Goal("friction", {"load": (50.0, None), "peak": (None, 2e7)})

    least   a scalar output.
    within  scalar outputs that must lie between two numbers, None for no bound. What is to be carried, held or kept
            belongs here and never into a ratio to be made small: friction by load is smallest where the load vanishes.

    Raises `BadInput` for bounds that contradict each other.
    """

    least: str
    within: Mapping[str, Bounds] = field(default_factory=dict)

    def __post_init__(self):
        for name, (low, high) in self.within.items():
            if low is not None and high is not None and not low < high:
                raise BadInput(f"Goal: '{name}' must be between {low:g} and {high:g}, which no number is.")
            if low is None and high is None:
                raise BadInput(f"Goal: '{name}' has no bound; give (low, None), (None, high) or (low, high).")

    def known(self, sample: Sample) -> None:
        """Refuse outputs that a model does not have, or has without slopes."""
        for name in (self.least, *self.within):
            if name not in sample.values:
                raise BadInput(f"Goal: there is no output '{name}'{nearest(name, sample.values)}")
            if np.shape(sample.values[name]) != ():
                raise BadInput(f"Goal: '{name}' is a field, {shown(np.shape(sample.values[name]))}; scalars are meant.")
            if name not in sample.slopes:
                raise BadInput(
                    f"Goal: there are no slopes of '{name}': give Simulator(..., slopes=('{name}', ...)), or learn a"
                    f" surrogate, which has its own."
                )

    def lacks(self, values: Mapping[str, Any]) -> Float[np.ndarray, " bounds"]:
        """How far each bound is missed, in units of it; negative where it is kept."""
        return np.array([sign * (values[name] - bound) / size for name, bound, sign, size in self.sides()])

    def slopes(self, slopes: Mapping[str, Float[np.ndarray, " d"]]) -> Float[np.ndarray, "bounds d"]:
        rows = [sign * slopes[name] / size for name, _, sign, size in self.sides()]
        return np.stack(rows) if rows else np.empty((0, len(slopes[self.least])))

    def sides(self) -> list[tuple[str, float, float, float]]:
        """Each bound: of which output, where, with which sign it is missed, and its unit."""
        found = []
        for name, (low, high) in self.within.items():
            for bound, sign in ((low, -1.0), (high, 1.0)):
                if bound is not None:
                    found.append((name, bound, sign, abs(bound) or 1.0))
        return found

    def kept(self, values: Mapping[str, Any], slack: float = 1e-5) -> bool:
        """Whether all bounds hold, to a part of them that is far below what any film is known to."""
        return bool(np.all(self.lacks(values) <= slack))
