"""The verb."""

from __future__ import annotations

import dataclasses
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array, Float

from .._core.compilation import compiled
from .._core.mesh import leads, row_of
from .._core.messages import BadInput, listing
from .._core.precision import in_float64
from .._core.record import Status
from ..problem import Problem
from ._audit import Audit, audits, beyond
from ._collocation import Collocation
from ._estimates import estimates
from ._evaluate import model_at
from ._fit import FitState, Fitted, fit, hyper_of, law_weight, restored
from ._keeper import Keeper, fingerprint
from ._live import Live
from ._neural import Neural
from ._observations import imperceptible, spread
from ._optimiser import Optimiser
from ._progress import Watcher, watcher
from ._simulated import Identified, Simulated, identify
from ._solution import Solution
from ._task import Task, WeightedSystem
from ._uncertainty import correlation, describe_loose, labels

MOST_REFINEMENTS = 6
LOOKED_AT = 4096  # points of each look at the laws' residual, once a solution is found
MOST_RESCUES = 2  # where the laws cannot be solved at all, which a finer mesh may cure


@overload
def solve(
    problem: Problem,
    method: Neural | Collocation | None = None,
    *,
    optimiser: Optimiser | None = None,
    mesh: Mesh | Sequence[Any] | None = None,
    out: str | os.PathLike | None = None,
    resume: bool = False,
    progress: bool | Watcher | None = None,
) -> Solution: ...


@overload
def solve(problem: Simulated) -> Identified: ...


@in_float64
def solve(
    problem: Problem | Simulated,
    method: Neural | Collocation | None = None,
    *,
    optimiser: Optimiser | None = None,
    mesh: Mesh | Sequence[Any] | None = None,
    out: str | os.PathLike | None = None,
    resume: bool = False,
    progress: bool | Watcher | None = None,
) -> Solution | Identified:
    """Find the fields and unknowns of a problem, in double precision.

    problem    what is known; or `Simulated(...)`, a motion with unknown numbers in it, whose answer is an `Identified`
               (the other arguments are for fields).
    method     `Neural(...)` or `Collocation(...)`; by default `Collocation` for problems on one axis, `Neural` beyond.
    optimiser  `LevenbergMarquardt(...)`, `GaussNewton(...)`, `SelfScaledBroyden(...)` or `Adam(...)`; by default the
               first, the second for networks on several axes, the last for more parameters than a Jacobian can serve.
    mesh       devices that share the points of `Neural`, such as `jax.devices()`: each evaluates and linearises its
               own, normal equations, gradients and losses are summed over all. By default one device works alone.
    out        folder in which a long run keeps a checkpoint, says how it stands (`live.json`, for `lawful view`) and,
               at the end, writes the solution.
    resume     continue from the checkpoint in `out`, to the same answer bit for bit.
    progress   None shows a bar on a terminal; True always says something; False never; a `Watcher` of your own is
               called with every `Moment`.

    Raises `BadInput` for a problem that cannot be solved as stated. A fit that did not converge does not raise: its
    `status` says so.
    """
    begin = time.monotonic()
    if isinstance(problem, Simulated):
        if not (method is None and optimiser is None and mesh is None and out is None):
            raise BadInput("a simulated problem is solved by least squares through its motion; give the problem alone.")
        return identify(problem)
    method = method or default_method(problem)
    problem.check()
    if mesh is not None and not isinstance(method, Neural):
        raise BadInput("mesh=... shares the points of Neural; give method=lf.Neural(), or leave out mesh.")
    if resume and out is None:
        raise BadInput("resume=True needs out=..., the folder of the run to continue.")
    digest = fingerprint(problem, method)
    folder = Path(out) if out is not None else None
    devices = None if mesh is None else row_of(mesh)
    keeper = Keeper(folder, fingerprint(problem, (method, optimiser)), resume)
    live = Live(folder if leads() else None, type(method).__name__)
    watch = watcher(progress)
    try:
        task, fitted, accuracy, refinements = run(problem, method, optimiser, keeper, watch, live, devices)
        seconds = time.monotonic() - begin
        solution = assemble(problem, method, task, fitted, accuracy, refinements, seconds, digest)
        if folder is not None and leads():
            solution.save(folder)
    except BaseException as error:
        live.stop(f"the run was broken off ({type(error).__name__}); with resume it goes on")
        raise
    finally:
        watch.close()
    if folder is not None and leads():
        keeper.clear()
        live.end(solution)
    return solution


def run(
    problem: Problem,
    method,
    optimiser: Optimiser | None,
    keeper: Keeper,
    watch: Watcher,
    live: Live,
    mesh: Mesh | None = None,
) -> tuple[Task, Fitted, float | None, int]:
    """Fit, and refine the mesh until it no longer matters."""
    task = method.task(problem)
    optimiser = optimiser or method.optimiser(task)
    levels = 0.05 * spread(task.observed)
    state = FitState(np.asarray(task.start), levels, law_weight(task, levels, 1))
    saved = keeper.load()
    if saved is not None:
        system = WeightedSystem(task, hyper_of(task, state))
        like = jax.eval_shape(lambda x: optimiser.init(system, x), jnp.asarray(state.x))
        state = taken_up(keeper, saved, like, task)
        task = refined(task, state.refinement)
    while True:
        fitted = fit(task, optimiser, state, keeper, watch, live, mesh)
        finer = task.finer()
        if finer is None:
            return task, fitted, None, 0
        error = disagreement(task, finer, fitted.x)
        enough = good_enough(task, fitted, method.tolerance)
        most = MOST_REFINEMENTS if math.isfinite(error) else MOST_RESCUES
        if not error > enough or state.refinement >= most:
            return task, judged(fitted, error, enough), error, state.refinement
        task = finer
        state = FitState(
            fitted.x,
            fitted.levels,
            state.weight,
            state.stage + 1,
            refinement=state.refinement + 1,
            history=state.history,
        )


def taken_up(keeper: Keeper, saved: tuple[dict[str, np.ndarray], dict], like: Any, task: Task) -> FitState:
    """The state that a checkpoint holds. Raises `BadInput` where it is none of this task: files can be forged."""
    try:
        state = restored(*saved, like)
        kinds = [(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(like)]
        fits = state.x.shape == np.shape(task.start) and state.levels.shape == np.shape(task.noise.labels)
        fits = fits and 0 <= state.refinement <= MOST_REFINEMENTS
        if fits and kinds == [(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(state.now or like)]:
            return state
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        pass
    raise BadInput(f"{keeper.path} holds no state of this fit; delete it and run again.")


def refined(task: Task, times: int) -> Task:
    """The same task on a mesh doubled so many times."""
    for _ in range(times):
        finer = task.finer()
        if finer is None:
            raise BadInput("the file tells of a finer mesh, which this method does not have; delete it and run again.")
        task = finer
    return task


def default_method(problem: Problem) -> Neural | Collocation:
    return Collocation() if len(problem.domain.axes) == 1 else Neural()


@compiled(lambda task, *_: task.long_loops)
def fields_at(
    task: Task, x: Float[Array, " n"], points: dict[str, np.ndarray], names: tuple[str, ...]
) -> dict[str, Float[Array, " points"]]:
    model = task.model(x)
    return jax.vmap(lambda point: {name: jnp.asarray(model.quantity(name, point)) for name in names})(points)


def disagreement(task: Task, finer: Task, x: np.ndarray) -> float:
    """The largest difference of the fields between a mesh and its refinement, relative to the fields' sizes.

    Beyond the reach of places declared singular, and then of derived quantities too: a singularity spoils the residual
    of a law far around, so that what is made of the fields has to speak for them.
    """
    problem, rng = task.problem, np.random.default_rng(0)
    points = {axis: rng.uniform(*problem.domain.ends(axis), 512) for axis in problem.domain.axes}
    names = (*problem.fields, *problem.derived) if problem.singular else problem.fields
    apart = beyond(problem, points)
    points = {axis: values[apart] for axis, values in points.items()}
    one, two = (fields_at(which, jnp.asarray(x), points, names) for which in (task, finer))
    worst = max(float(jnp.max(jnp.abs(one[n] - two[n]))) / max(float(jnp.max(jnp.abs(two[n]))), 1e-300) for n in one)
    return worst if math.isfinite(worst) else math.inf


def good_enough(task: Task, fitted: Fitted, tolerance: float) -> float:
    """The accuracy of the fields beyond which nothing changes: the tolerance, or what no estimate feels, whichever is
    larger."""
    if not task.observed:
        return tolerance
    return max(tolerance, imperceptible(task.observed, task.noise.sd(fitted.levels)))


def judged(fitted: Fitted, error: float, tolerance: float) -> Fitted:
    if error <= tolerance:
        return fitted
    why = (
        f"the fields still change by {error:.1e} of their size on a finer mesh, more than the tolerance {tolerance:g}"
        if math.isfinite(error)
        else "the laws cannot be solved on the whole domain, or not on a finer mesh"
    )
    return dataclasses.replace(fitted, converged=False, reason=f"{why}; {fitted.reason}")


def assemble(
    problem: Problem,
    method,
    task: Task,
    fitted: Fitted,
    accuracy,
    refinements: int,
    seconds: float,
    digest: str,
) -> Solution:
    """The solution in the user's names and units."""
    part = task.data_rows
    rows = fitted.residual[part]
    with np.errstate(over="ignore"):  # an infinite misfit says enough
        chi2 = float(np.sum(rows**2))
    dof = float(len(rows) - fitted.uncertain.leverage[part].sum())
    sd = task.noise.sd(fitted.levels) if len(rows) else np.ones(0)
    covariance = fitted.uncertain.covariance
    freedom = task.noise.freedom(fitted.uncertain.leverage[part])
    named = problem if task.problem is problem else task.problem
    loose = fitted.uncertain.loose
    names = tuple(labels(named, task.layout))
    shown = [i for i, name in enumerate(names) if " mode " not in name]
    model = model_at(task, jnp.asarray(fitted.x))
    audited = audits(model, task.sizes, LOOKED_AT) if len(named.domain.axes) > 1 else ()
    return Solution(
        problem=named,
        method=method,
        model=model,
        status=trusted(named, fitted, audited, accuracy),
        estimates=estimates(task, fitted.x, fitted.uncertain, freedom),
        noise={label: float(level) for label, level in zip(task.noise.labels, fitted.levels, strict=True)},
        chi2=chi2,
        dof=dof,
        correlation=(tuple(names[i] for i in shown), correlation(covariance)[np.ix_(shown, shown)]),
        undetermined=tuple(describe_loose(named, task.layout, loose[:, i]) for i in range(loose.shape[1])),
        history=tuple(fitted.history),
        log_likelihood=float(-0.5 * chi2 - np.sum(np.log(sd * math.sqrt(2 * math.pi)))),
        accuracy=accuracy,
        audits=audited,
        seconds=seconds,
        sizes=task.sizes,
        task=task,
        fitted=fitted,
        refinements=refinements,
        digest=digest,
    )


def trusted(problem: Problem, fitted: Fitted, audited: tuple[Audit, ...], accuracy: float | None) -> Status:
    """Converged, unless a law is far from met at some place, out of proportion to the rest of the domain.

    Where places are declared singular and the fields were solved for again on a finer mesh, that is the judge: near
    walls that lead to the place the residual of a law of high order does not fall, however right the fields are.
    """
    if not problem.singular:
        found = next((a for a in audited if a.cheats), None)
        if found is None:
            return Status(fitted.converged, fitted.reason)
        return Status(False, f"the worst place is out of proportion to the rest: {found}; {fitted.reason}")
    reach = listing(f"{place.reach:g} of {place}" for place in problem.singular)
    if accuracy is None:
        found = next((a for a in audited if a.cheats), None)
        why = f"the worst place is out of proportion to the rest: {found}; " if found else ""
        return Status(
            fitted.converged and found is None, f"{why}{fitted.reason}; not judged within {reach}, declared singular"
        )
    worst = listing(f"{a.worst:.1e} for law '{a.law}'" for a in audited)
    return Status(
        fitted.converged,
        f"{fitted.reason}; judged by a finer mesh, with which fields and derived quantities agree to {accuracy:.1e}"
        f" farther than {reach}, declared singular; not by the residual, up to {worst} of the size of its terms",
    )
