"""The best design by a model's own gradients, from several starts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._core.messages import BadInput, NotTrusted
from ._descend import Unit, Walk, Walker, linear_programs
from ._goal import Goal
from ._simulator import Model
from ._space import Units


@dataclass(frozen=True)
class Best:
    """What came of the search.

    walks   one for each start, the best first: those that keep all bounds by `least`, then the others by what they
            miss, then those without an answer.
    kept    whether the best keeps all bounds.
    """

    goal: Goal
    walks: tuple[Walk, ...]

    @property
    def walk(self) -> Walk:
        return self.walks[0]

    @property
    def unit(self) -> Unit:
        return self.walk.unit

    @property
    def kept(self) -> bool:
        return bool(self.walk.sample.values) and self.goal.kept(self.walk.sample.values)

    @property
    def solves(self) -> int:
        return sum(walk.solves for walk in self.walks)

    @property
    def failures(self) -> tuple[str, ...]:
        """Every answer that the model did not have."""
        return tuple(failure for walk in self.walks for failure in walk.failures)


def optimise(model: Model, goal: Goal, starts: Units, walker: Walker | None = None) -> Best:
    """Walk downhill from every start.

        optimise(Simulator(simulate, space, slopes=("load", "friction")), goal, latin(space, 5))
        optimise(surrogate, goal, latin(space, 50))

    model   a `Simulator` with slopes, which is direct design by its adjoint, or a `Surrogate`: see `improve` for what
            to do with its winners.
    starts  rows of unit vectors.
    walker  `linear_programs(...)`, by default, or `quadratic_programs(...)`.

    Raises `NotTrusted` where no start has an answer.
    """
    starts = np.asarray(starts, float)
    if starts.ndim != 2 or starts.shape[1] != model.space.size or not len(starts):
        raise BadInput(f"optimise: starts of shape {starts.shape}; rows of {model.space.size} numbers are expected.")
    walker = walker or linear_programs()
    walks = sorted((walker(model, goal, start) for start in starts), key=lambda walk: rank(goal, walk))
    if not walks[0].sample.values:
        raise NotTrusted(f"optimise: no start has values; the first: {walks[0].reason}")
    return Best(goal, tuple(walks))


def rank(goal: Goal, walk: Walk) -> tuple[int, float]:
    values = walk.sample.values
    if not values:
        return 2, 0.0
    if goal.kept(values):
        return 0, float(values[goal.least])
    return 1, float(np.max(goal.lacks(values)))
