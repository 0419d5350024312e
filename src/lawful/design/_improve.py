"""Designs by a surrogate that never has the last word: every winner is simulated, and trust follows what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .._core.messages import NotTrusted
from ._descend import Unit, Walk, Walker, linear_programs
from ._goal import Goal
from ._optimise import optimise
from ._simulator import Model, Sample, Simulator
from ._space import Space, Units


@dataclass(frozen=True)
class Verified:
    """A winner of the surrogate beside the simulator. `gap`: of what is made small, simulated over predicted, less 1;
    `missed`: the furthest that a bound is missed in truth, in units of it; NaN where the simulation failed."""

    unit: Unit
    predicted: dict[str, float]
    simulated: dict[str, float]
    gap: float
    missed: float
    failure: str = ""


@dataclass(frozen=True)
class Improved:
    """What came of it.

    unit, sample  the best design that was simulated, and what the simulator says of it.
    winners       of the bare surrogate, each simulated.
    path          simulated designs on the way, each better than the one before.
    steps         what was predicted and what came, of every step within the radius.
    simulations   that the search took, beside the data; each with slopes where the simulator has them.
    """

    goal: Goal
    unit: Unit
    sample: Sample
    winners: tuple[Verified, ...]
    path: tuple[Unit, ...]
    steps: tuple[Verified, ...]
    reason: str
    simulations: int

    @property
    def kept(self) -> bool:
        return self.goal.kept(self.sample.values)

    @property
    def failures(self) -> tuple[str, ...]:
        return tuple(v.failure for v in (*self.winners, *self.steps) if v.failure)


class Trusted:
    """The surrogate, and how far it can be believed: `doubt` of a place is its widest sd among the outputs of a goal,
    in units of what the bars are on designs like those it learned."""

    def __init__(self, surrogate: Model, goal: Goal, usual: dict[str, float]):
        self.surrogate, self.goal, self.usual = surrogate, goal, usual
        self.space: Space = surrogate.space

    def sample(self, u: Unit) -> Sample:
        said = self.surrogate.sample(u)
        names = [name for name in self.usual if f"sd {name}" in said.values]
        if not names:
            return Sample({**said.values, "doubt": np.zeros(())}, {**said.slopes, "doubt": np.zeros(len(u))})
        widest = max(names, key=lambda name: float(said.values[f"sd {name}"]) / self.usual[name])
        doubt = {kind: table[f"sd {widest}"] / self.usual[widest] for kind, table in zip("vs", said[:2], strict=True)}
        return Sample({**said.values, "doubt": doubt["v"]}, {**said.slopes, "doubt": doubt["s"]})


class Anchored:
    """The surrogate, moved so that at a simulated place it has the simulator's values, and its slopes where known.

        s(u) + [f(c) - s(c)] + [f'(c) - s'(c)] . (u - c)

    Near c it is then as good as the simulator, so that steps that are short enough cannot be misled. Source: N. M.
    Alexandrov et al., Structural Optimization 15, 16 (1998), for the idea.
    """

    def __init__(self, surrogate: Model, centre: Unit, truth: Sample):
        self.surrogate, self.centre, self.space = surrogate, centre, surrogate.space
        said = surrogate.sample(centre)
        names = [name for name in said.slopes if name in truth.values]
        self.shift = {name: truth.values[name] - said.values[name] for name in names}
        turn = lambda name: truth.slopes[name] - said.slopes[name] if name in truth.slopes else np.zeros(len(centre))
        self.turn = {name: turn(name) for name in names}

    def sample(self, u: Unit) -> Sample:
        said, away = self.surrogate.sample(u), u - self.centre
        values = {n: said.values[n] + self.shift[n] + self.turn[n] @ away for n in self.shift}
        return Sample(values, {n: said.slopes[n] + self.turn[n] for n in self.shift})


class Near:
    """A model within a radius of a place, in unit vectors of that box."""

    def __init__(self, model: Model, centre: Unit, radius: float):
        self.low, self.high = np.maximum(centre - radius, 0.0), np.minimum(centre + radius, 1.0)
        self.model, self.space = model, model.space

    def whole(self, v: Unit) -> Unit:
        return self.low + (self.high - self.low) * v

    def unit(self, u: Unit) -> Unit:
        return np.clip((u - self.low) / (self.high - self.low), 0.0, 1.0)

    def sample(self, u: Unit) -> Sample:
        found = self.model.sample(self.whole(u))
        return Sample(found.values, {n: s * (self.high - self.low) for n, s in found.slopes.items()}, found.failure)


def improve(
    surrogate: Model,
    simulator: Simulator,
    goal: Goal,
    starts: Units,
    *,
    usual: dict[str, float] | None = None,
    doubt: float = 2.0,
    simulate: int = 3,
    most: int = 30,
    radius: float = 0.2,
    finest: float = 1e-3,
    close: float = 1e-5,
    walker: Walker | None = None,
) -> Improved:
    """The best design by way of a surrogate.

    First walks on the bare surrogate from all starts, kept to where its sd is at most `doubt` times its `usual` one
    (the typical sd by output, such as the median over held-out designs; without it everywhere). The best `simulate` of
    them are simulated, and the gap is told. From the best one in truth on, steps within a radius on the surrogate that
    is anchored there; each is simulated, and the radius follows how much of the promise was kept.

    most     simulations of the second part.
    radius   the first, in unit vectors; the search ends below `finest`, or where a step promises less than `close`.

    A simulation that fails is told in `failures` and counts as a broken promise. Raises `NotTrusted` where none of the
    winners can be simulated.
    """
    walker = walker or linear_programs(better=1e-8)
    held = replace(goal, within={**goal.within, "doubt": (None, doubt)})
    best = optimise(Trusted(surrogate, goal, usual or {}), held, starts, walker)
    picked = apart(best.walks)[:simulate]
    winners = [verified(goal, walk.unit, walk.sample, simulator.sample(walk.unit)) for walk in picked]
    truths = [(w, s) for w, s in winners if not s.failure]
    if not truths:
        raise NotTrusted(f"improve: none of {len(winners)} winners could be simulated; {winners[0][1].failure}")
    weight = np.full(len(goal.sides()), 2 * abs(float(truths[0][1].values[goal.least])))
    cost = lambda values: float(values[goal.least]) + weight @ np.maximum(goal.lacks(values), 0.0)  # as weighed then
    (first, sample) = min(truths, key=lambda each: cost(each[1].values))
    u, path, steps, reach, reason = first.unit, [first.unit], [], radius, f"{most} simulations are spent"
    while len(steps) < most:
        near = Near(Anchored(surrogate, u, sample), u, reach)
        walk = walker(near, goal, near.unit(u))
        trial = near.whole(walk.unit)
        promised = cost(sample.values) - cost(walk.sample.values)
        if goal.kept(walk.sample.values) and not goal.kept(sample.values):
            for _ in range(12):  # what mends a bound must be worth its price
                if promised > 0:
                    break
                weight = 10 * weight
                promised = cost(sample.values) - cost(walk.sample.values)
        # A bound that is missed by a little is mended first, however little that promises.
        if promised <= (close * abs(float(sample.values[goal.least])) if goal.kept(sample.values) else 0.0):
            reason = f"no step promises more than {close:g} of it"
            break
        each, there = verified(goal, trial, walk.sample, simulator.sample(trial))
        steps.append(each)
        kept = -1.0 if there.failure else (cost(sample.values) - cost(there.values)) / promised
        if kept > 1e-3:
            u, sample = trial, there
            path.append(u)
        reach = reach * (0.4 if kept < 0.25 else 1.0 if kept < 0.75 else 2.0)
        if reach < finest:
            reason = f"the radius fell below {finest:g}"
            break
    told = tuple(w for w, _ in winners)
    return Improved(goal, u, sample, told, tuple(path), tuple(steps), reason, len(winners) + len(steps))


def verified(goal: Goal, u: Unit, said: Sample, truth: Sample) -> tuple[Verified, Sample]:
    scalars = lambda values: {n: float(v) for n, v in values.items() if np.shape(v) == ()}
    predicted, simulated = scalars(said.values), scalars(truth.values)
    gap = simulated[goal.least] / predicted[goal.least] - 1 if simulated else np.nan
    missed = float(np.max(goal.lacks(simulated), initial=-np.inf)) if simulated else np.nan
    return Verified(u, predicted, simulated, gap, missed, truth.failure), truth


def apart(walks: Sequence[Walk], distance: float = 0.02) -> list[Walk]:
    """Walks that ended in different places, in the same order."""
    found: list[Walk] = []
    for walk in walks:
        if walk.sample.values and all(np.mean(np.abs(walk.unit - other.unit)) > distance for other in found):
            found.append(walk)
    return found
