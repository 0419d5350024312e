"""Downhill between bounds: linear programs within a radius, for free forms whose entries mostly end at a bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import linprog, minimize

from ._goal import Goal
from ._simulator import Model, Sample

Unit = Float[np.ndarray, " d"]


@dataclass(frozen=True)
class Walk:
    """One way downhill.

    path      unit vectors, the start first; of each step that helped.
    sample    what the model says of the last.
    reason    why it ended.
    solves    how often the model was asked.
    failures  why it had no answer on the way, where it had none.
    """

    path: tuple[Unit, ...]
    sample: Sample
    reason: str
    solves: int
    failures: tuple[str, ...] = ()

    @property
    def unit(self) -> Unit:
        return self.path[-1]


Walker = Callable[[Model, Goal, Unit], Walk]


def linear_programs(
    most: int = 120, radius: float = 0.2, finest: float = 1e-5, better: float = 1e-10, widest: float = 0.3
) -> Walker:
    """Sequential linear programs:

        min  s . g  +  sum of weight * missed
        over |s| <= radius,  0 <= u + s <= 1,  lacks + G s <= missed,  0 <= missed

    A step is taken where the same sum, computed again, falls by more than `better` of the size of what is made small;
    the radius then grows by a half, up to `widest`, and is halved otherwise until it is below `finest`. The weights
    rise with the prices of the bounds, so that in the end no bound is missed. Entries that belong at a bound are put
    there at once. A place of which the model has no answer counts as worse.

    Source: R. Fletcher, Practical Methods of Optimization, 2nd ed. (1987), ch. 14, for the idea.
    """

    def walk(model: Model, goal: Goal, start: Unit) -> Walk:
        u, sample = start, model.sample(start)
        if sample.failure:
            return Walk((u,), sample, f"the start has no values: {sample.failure}", 1, (sample.failure,))
        goal.known(sample)
        path, reach, solves, failures = [u], radius, 1, []
        weight = np.full(len(goal.sides()), abs(float(sample.values[goal.least])))
        while reach > finest and solves < most:
            step, prices = program(goal, sample, u, reach, weight)
            weight = np.maximum(weight, 2 * prices)
            trial = np.clip(u + step, 0.0, 1.0)
            there = model.sample(trial)
            solves += 1
            cost = lambda s, weight=weight: float(s.values[goal.least]) + weight @ np.maximum(goal.lacks(s.values), 0.0)
            if there.failure:
                failures.append(there.failure)
            if not there.failure and cost(there) < cost(sample) - better * abs(float(sample.values[goal.least])):
                u, sample, reach = trial, there, min(1.5 * reach, widest)
                path.append(u)
            else:
                reach /= 2
        reason = f"no step longer than {finest:g} helps" if reach <= finest else f"{most} solves are spent"
        return Walk(tuple(path), sample, reason, solves, tuple(failures))

    return walk


def program(goal: Goal, sample: Sample, u: Unit, reach: float, weight: np.ndarray) -> tuple[Unit, np.ndarray]:
    """The step of one linear program, and the prices of the bounds."""
    d, m = len(u), len(weight)
    size = max(float(np.max(np.abs(sample.slopes[goal.least]))), 1e-300)  # the unit of all costs
    slope = np.concatenate([sample.slopes[goal.least], weight]) / size
    rows = np.concatenate([goal.slopes(sample.slopes), -np.eye(m)], axis=1)
    low, high = np.maximum(-u, -reach), np.minimum(1.0 - u, reach)
    bounds = np.stack([np.append(low, np.zeros(m)), np.append(high, np.full(m, np.inf))], axis=1)
    if not m:
        return np.where(slope > 0, low, high), np.zeros(0)
    # The bounds themselves: a kept one may be used up, a missed one is mended as far as the radius lets it.
    found = linprog(slope, A_ub=rows, b_ub=-goal.lacks(sample.values), bounds=bounds, method="highs")
    if found.x is None:
        return np.zeros(d), np.zeros(m)
    return found.x[:d], -found.ineqlin.marginals * size


def quadratic_programs(most: int = 100, finest: float = 1e-10) -> Walker:
    """Sequential least-squares quadratic programs of SciPy (SLSQP): for up to about a hundred parameters with optima
    inside their bounds, where it converges faster than linear programs.

    A failure of the model ends the walk, at the last place that was known.
    """

    def walk(model: Model, goal: Goal, start: Unit) -> Walk:
        asked: list[tuple[Unit, Sample]] = []

        def at(u: Unit) -> Sample:
            if not asked or not np.array_equal(asked[-1][0], u):
                asked.append((np.array(u), model.sample(np.clip(u, 0.0, 1.0))))
            if asked[-1][1].failure:
                raise StopIteration(asked[-1][1].failure)
            return asked[-1][1]

        sample = model.sample(start)
        if sample.failure:
            return Walk((start,), sample, f"the start has no values: {sample.failure}", 1, (sample.failure,))
        goal.known(sample)
        scale = max(abs(float(sample.values[goal.least])), 1e-300)
        kept = {
            "type": "ineq",
            "fun": lambda u: -goal.lacks(at(u).values),
            "jac": lambda u: -goal.slopes(at(u).slopes),
        }
        path, failure = [start], ""
        try:
            found = minimize(
                lambda u: float(at(u).values[goal.least]) / scale,
                start,
                jac=lambda u: at(u).slopes[goal.least] / scale,
                bounds=[(0.0, 1.0)] * len(start),
                constraints=[kept] if goal.sides() else [],
                method="SLSQP",
                callback=lambda u: path.append(np.clip(u, 0.0, 1.0)),
                options={"maxiter": most, "ftol": finest},
            )
            end, reason = np.clip(found.x, 0.0, 1.0), str(found.message).lower()
        except StopIteration as stop:
            end, failure = path[-1], str(stop)
            reason = f"the model failed: {failure}"
        return Walk((*path, end), model.sample(end), reason, len(asked) + 2, (failure,) if failure else ())

    return walk
