"""Which term is missing: candidates refitted jointly with the parameters, and ranked by what they gain."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ._base import ForwardModel, Measurements
from ._family import Alarm, alarm
from ._fitting import Fit, fit
from ._misfit import Misfit, leaning, misfit
from ._scores import Scores, gain_p, scores

GROUP = 2 * math.log(20)  # of deviance: two terms whose likelihoods differ by less than 20 to 1 are not told apart
MOST_TERMS = 3
LOOKED = 12  # steps after which a refit that is FAR times the width of a group behind is given up
FAR = 30.0


@dataclass(frozen=True)
class Stage:
    """A model as fitted, with all its tests."""

    terms: tuple[str, ...]
    found: Fit
    seen: Misfit
    scored: Scores
    alarm: Alarm


@dataclass(frozen=True)
class Search:
    """What was found beside the model as it stands.

    stages     the model as it stands, then with each term that was added.
    rivals     for the last term, every candidate refitted in its place: name -> fit.
    group      candidates in the place of the last term that these readings do not tell from the best.
    """

    stages: tuple[Stage, ...]
    rivals: dict[str, Fit]
    group: tuple[str, ...]

    @property
    def null(self) -> Stage:
        return self.stages[0]

    @property
    def best(self) -> Stage:
        return self.stages[-1]

    @property
    def terms(self) -> tuple[str, ...]:
        return self.best.terms


def stage(model: ForwardModel, data: Measurements, terms: tuple[str, ...], found: Fit, level: float) -> Stage:
    leans = leaning(found, data)
    seen, scored = misfit(found, data, leans), scores(model, data, found)
    names = tuple(c.name for c in model.candidates)
    return Stage(terms, found, seen, scored, alarm(found, data, seen, scored, leans, names, level))


def as_it_stands(model: ForwardModel, data: Measurements, level: float) -> Stage:
    """The model without any candidate, fitted and tested."""
    return stage(model, data, (), fit(model, data, tuple(range(len(model.parameters))), model.start), level)


def search(model: ForwardModel, data: Measurements, null: Stage, level: float, most_refits: int) -> Search:
    """Add the term that gains most until nothing is left that the tests see, or no term gains; then drop what later
    terms made needless.

    Scores choose whom to refit, since a linear model far from the truth may rank wrongly; refits decide.
    """
    stages, rivals, group = [null], {}, ()
    while stages[-1].alarm.p < level and len(stages) <= MOST_TERMS:
        tried = refits(model, data, stages[-1], most_refits)
        if not tried:
            break
        best = min(tried, key=lambda name: tried[name].deviance)
        if gain_p(gain_over(stages[-1].found, tried[best], data), data, tried[best].dof) > stages[-1].alarm.single:
            break
        rivals = tried
        near = [name for name in tried if gain_over(tried[name], tried[best], data) < GROUP]
        group = tuple(sorted(near, key=lambda name: tried[name].deviance))
        stages.append(stage(model, data, (*stages[-1].terms, best), tried[best], level))
    if len(stages) > 2:
        stages = pruned(model, data, stages, level)
    return Search(tuple(stages), rivals, group)


def gain_over(before: Fit, after: Fit, data: Measurements) -> float:
    """The fall of the deviance, in units of the misfit that remains where that is larger than the noise stated: a gain
    must stand out from what is left."""
    gain = before.deviance - after.deviance
    return gain if data.estimated else gain / max(after.chi2 / max(after.dof, 1.0), 1.0)


def refits(model: ForwardModel, data: Measurements, now: Stage, most: int) -> dict[str, Fit]:
    """The candidates of the largest scores, each fitted jointly with everything that is fitted already."""
    names = [c.name for c in model.candidates]
    order = [k for k in np.argsort(-np.abs(now.scored.z)) if not now.scored.absorbed[k]][:most]
    found, least = {}, math.inf
    for k in order:
        free = (*now.found.free, len(model.parameters) + int(k))
        refit = fit(model, data, free, now.found.x, steps=LOOKED)
        if not refit.converged and refit.deviance < least + FAR * GROUP:
            refit = fit(model, data, free, refit.x)
        # One that is far behind the best after many steps will not catch up, wherever exactly it ends.
        if math.isfinite(refit.deviance) and (refit.converged or refit.deviance > least):
            found[names[k]], least = refit, min(least, refit.deviance)
    return found


def pruned(model: ForwardModel, data: Measurements, stages: list[Stage], level: float) -> list[Stage]:
    """Without the terms that the others made needless."""
    last = stages[-1]
    for name in last.terms[:-1]:
        kept = tuple(t for t in last.terms if t != name)
        x = last.found.x.copy()
        x[model.place_of(name)] = 0.0
        free = (*range(len(model.parameters)), *(model.place_of(t) for t in kept))
        fewer = fit(model, data, free, x)
        if fewer.converged and gain_p(fewer.deviance - last.found.deviance, data, last.found.dof) > last.alarm.single:
            last = stage(model, data, kept, fewer, level)
    return stages if last is stages[-1] else [stages[0], last]
