"""Are we solving the right equations? One call from a solution to the verdict on its laws."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping

import numpy as np

from .._core.messages import BadInput, listing, nearest
from .._core.precision import in_float64
from ..geometry import Box
from ..problem import Problem
from ..verify import (
    LEVEL,
    ForwardModel,
    Kind,
    Measurements,
    Profile,
    Verification,
    assess,
    budget,
    fit,
    posterior,
    quantities_of,
)
from ..verify import profile as profile_of
from . import _candidates
from ._candidates import Candidate, extended
from ._collocation import Collocation, CollocationTask, collocation_task
from ._forward import forward_model, measurements, probe_of
from ._quantity import At, quantity_budget
from ._solution import Solution

MOST_MESHES = 3
"""Times that a mesh of the solver's own choice is refined where it is too coarse to judge the law."""


@in_float64
def verify(
    solution: Solution,
    candidates: Mapping[str, Candidate] | None = None,
    *,
    quantities: Mapping[str, Callable[[At], object]] | None = None,
    level: float = LEVEL,
    correlated: bool = False,
    placebo: int = 0,
    sample: int = 0,
    seed: int = 0,
    watch: Callable[[int, int], None] = lambda done, of: None,
) -> Verification:
    """Judge the laws of a solution by the data it was fitted to: are they wrong, and which term do they lack?

    solution    what `lf.solve` found; by `Neural` it is first solved again by `Collocation`.
    candidates  terms that may be missing, by name: functions of named quantities (`"u_x": lambda u_x: u_x`),
                `lf.Term(function, law=...)` where there are several laws, `lf.AtBoundary(part, u=...)` for leaks and
                slip. By default `lf.candidates(problem)`.
    quantities  quantities of interest by name, functions of `at`, which evaluates named quantities at places:
                `{"outlet": lambda at: jnp.mean(at("u", x=1.0, t=jnp.linspace(0, 1, 50)))}`. Their discretisation error
                is found by an adjoint-weighted residual.
    level       probability of a false alarm.
    correlated  whether the noise of a sensor may be correlated from reading to reading (a tracker that drifts): then a
                slow error of the law and a slow error of the sensor look alike, and only terms of a definite shape
                count.
    placebo     so many placebo runs tell how often the whole procedure errs at these sensors.
    sample      so many draws of the posterior (NUTS, extra `bayes`) take the place of the Gaussian error bars in the
                budget; 0 for none.
    watch       called with (done, of) after each placebo run.

    First the mesh is judged; where it is too coarse to say anything, it is refined, or blamed where you chose it
    yourself (`nodes` or `steps` of `Collocation`). Then the model as a whole is tested, and each candidate by its
    score: one linearised solve, no differentiation of data. Raises `BadInput` where there are no data or the domain is
    no box.
    """
    begin = time.monotonic()
    problem = solution.problem
    check(problem)
    base, method = by_collocation(solution)
    wanted = _candidates.candidates(problem) if candidates is None else dict(candidates)
    stated, names = extended(base.problem, wanted)
    task = on_its_mesh(base, stated, method)
    for refinement in range(MOST_MESHES + 1):
        model = named(forward_model(task, len(names)), names)
        model = dataclasses.replace(model, probe=probe_of(task, measured := measurements(task)))
        found = assess(model, measured, level=level, correlated=correlated, runs=placebo, seed=seed, watch=watch)
        chosen = method.nodes is not None or method.steps is not None
        if found.kind not in (Kind.GRID, Kind.NOT_VERIFIED) or chosen or refinement == MOST_MESHES:
            break
        task = task.finer()
    if sample:
        found = sampled(found, model, sample, seed)
    if quantities:
        values, lines = quantities_of(quantity_budget(task, found, quantities))
        found = dataclasses.replace(found, quantities=values, budget=(*found.budget, *lines))
    how = f"Collocation on {' x '.join(map(str, task.scheme.grid.shape)) or 'one'} nodes"
    return dataclasses.replace(found, seconds=time.monotonic() - begin, how=how)


@in_float64
def at_sensors(
    problem: Problem, candidates: Mapping[str, Candidate], method: Collocation
) -> tuple[ForwardModel, Measurements]:
    """A problem as plain functions of its numbers, and its readings: what `lawful.verify` works on. Nothing is fitted.

    For many sets of readings at the same sensors: `judge(model, data.like(readings, noise))` costs no new compilation.
    """
    stated, names = extended(problem, candidates)
    task = collocation_task(stated, method)
    return named(forward_model(task, len(names)), names), measurements(task)


@in_float64
def profile(solution: Solution, name: str, count: int = 15) -> Profile:
    """The profile likelihood of an unknown: how much worse the fit becomes when it is held at each of `count` places
    and all others give way. Its interval holds far from the linear case; where it is flat, the data determine nothing.

    name  of a scalar unknown, or "k[0]" for an entry of a vector.

    Raises `BadInput` for a name that is no unknown of the solution, and where there are no data.
    """
    check(solution.problem)
    base, _ = by_collocation(solution)
    task = base.task
    assert isinstance(task, CollocationTask)
    model, data = forward_model(task, 0), measurements(task)
    names = [c.name for c in model.parameters]
    if name not in names:
        raise BadInput(f"'{name}' is not an unknown of this solution{nearest(name, names)} Unknowns: {listing(names)}.")
    found = fit(model, data, tuple(range(len(names))), base.fitted.x)
    return profile_of(model, data, found, name, count)


def check(problem: Problem) -> None:
    if not isinstance(problem.domain, Box):
        raise BadInput(
            f"verify works through Collocation, which needs a Box, but the domain is a {type(problem.domain).__name__}."
        )
    if not problem.data:
        raise BadInput("verify needs measurements to judge the laws by; give the problem data=lf.Data(...).")


def by_collocation(solution: Solution) -> tuple[Solution, Collocation]:
    """The solution by the method that gives exact derivatives with respect to every coefficient."""
    if isinstance(solution.method, Collocation):
        return solution, solution.method
    from ._solve import solve

    method = Collocation(tolerance=1e-6)
    return solve(solution.problem, method, progress=False), method


def on_its_mesh(solution: Solution, stated: Problem, method: Collocation) -> CollocationTask:
    """The task of another problem of the same fields on the mesh of a solution, started at what was found."""
    task, fresh = solution.task, collocation_task(stated, method)
    assert isinstance(task, CollocationTask)
    start = np.concatenate([solution.fitted.x, np.zeros(fresh.layout.unknown_count - len(solution.fitted.x))])
    return dataclasses.replace(fresh.on_mesh_of(task), start=start, sizes=task.sizes)


def named(model, names: Mapping[str, str]):
    """Candidates under the names that the user gave them."""
    renamed = [dataclasses.replace(c, name=n) for c, n in zip(model.candidates, names, strict=True)]
    return dataclasses.replace(model, candidates=tuple(renamed))


def sampled(found: Verification, model, draws: int, seed: int) -> Verification:
    """With the covariance of the posterior's draws in place of the Gaussian one in the budget."""
    judgement = found.judgement
    final = judgement.search.best if judgement.search is not None else judgement.null
    drawn = posterior(model, found.data, final.found, draws, seed)
    lines = budget(found.data, final.found, judgement.mesh_after or judgement.mesh, drawn.covariance)
    return dataclasses.replace(found, budget=lines, posterior=drawn)
