"""Each method checks the other: the same laws, the unknowns that were found, solved again another way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..fields import MLP, Spectral
from ..geometry import Box, sobol_points
from ..problem import Data, Free, Problem, Value, changed
from ._collocation import Collocation
from ._layers import in_a_row
from ._neural import Neural

if TYPE_CHECKING:
    from ._solution import CrossCheck, Solution


def crosscheck(solution: Solution) -> CrossCheck:
    """Re-solve forward with the other method and compare the fields on a grid.

    An all-at-once fit of nonlinear laws needs to know in whose neighbourhood to look: it starts from samples of the
    solution with a noise of one percent, whose pull vanishes as the weight of the laws rises.

    A solution by `Collocation` is checked by an all-at-once spectral fit of the laws (no stepping), one by `Neural` by
    `Collocation`. On a shape there is no other method: there a network is checked by a spectral trial field, and one
    by a network. Unknown fields keep their found values.
    """
    from ._solution import CrossCheck
    from ._solve import solve

    method = other(solution)
    problem = forward(solution, near=samples(solution) if isinstance(method, Neural) else ())
    again = solve(problem, method, progress=False)
    lines = solution.lines()
    difference = {}
    for name in problem.fields:
        one, two = solution.on_grid(name, lines), again.on_grid(name, lines)
        if not isinstance(problem.domain, Box):
            one, two = one[~np.isnan(one)], two[~np.isnan(one)]
        difference[name] = float(np.max(np.abs(one - two)) / max(float(np.max(np.abs(one))), 1e-300))
    name = type(method).__name__
    if isinstance(solution.method, Neural) and isinstance(method, Neural):
        name = f"{name} with {type(method.trial).__name__}, for there is no other method on a shape"
    return CrossCheck(name, difference, again.status)


def other(solution: Solution) -> Neural | Collocation:
    if not (isinstance(solution.problem.domain, Box) or in_a_row(solution.problem.domain)):
        count = {1: 24, 2: 16}.get(len(solution.problem.domain.axes), 8)
        return Neural(trial=MLP() if isinstance(solution.method.trial, Spectral) else Spectral(count))
    if isinstance(solution.method, Neural):
        return Collocation()
    waves = max(
        float(solution.problem.domain.length(a) / solution.sizes.lengths[a]) for a in solution.problem.domain.axes
    )
    return Neural(trial=Spectral(int(np.clip(24 + 6 * waves, 24, 160))))


def samples(solution: Solution) -> list[Data]:
    """The fields at a few hundred places, as if measured to one percent of their size."""
    problem, count = solution.problem, 200 if len(solution.problem.domain.axes) == 1 else 400
    places = sobol_points(problem.domain, count, seed=0)
    columns = {name: solution.evaluate(name, **places) for name in problem.fields}
    noise = {name: 0.01 * max(float(np.max(np.abs(values))), 1e-300) for name, values in columns.items()}
    return [Data({**places, **columns}, noise=noise, name="the solution")]


def forward(solution: Solution, near: Sequence[Data] = ()) -> Problem:
    """The problem with everything found put in as known. A free start takes the value that was found."""
    problem = solution.problem
    known = {name: np.asarray(solution[name].value) for name in problem.unknown_scalars}
    fields = {name: solution[name] for name in problem.unknown_fields}
    conditions = [c for c in problem.conditions if not isinstance(c, Free)]
    for condition in problem.conditions:
        if isinstance(condition, Free):
            conditions += found_values(solution, condition)
    return changed(
        problem,
        conditions=tuple(conditions),
        unknowns={},
        constants={**problem.constants, **known},
        derived={**problem.derived, **{name: found.law() for name, found in fields.items()}},
        data=tuple(near),
    )


def found_values(solution: Solution, condition: Free) -> list[Value | Free]:
    """Values on a part of a one-axis domain that was left free; what is free on more axes stays so."""
    problem = solution.problem
    axis, *others = problem.domain.axes
    if others:
        return [condition]
    names = condition.fields or problem.fields
    place = {axis: problem.domain.ends(axis)[condition.part.faces[0].side]}
    return [Value(condition.part, **{name: float(solution.evaluate(name, **place))}) for name in names]
