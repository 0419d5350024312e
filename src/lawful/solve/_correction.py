"""A second network for what the first one left."""

from __future__ import annotations

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from .._core.messages import BadInput, shown
from .._core.precision import in_float64
from ..fields import MLP, Corrected, Fourier, Trial
from ._course import unmet_at
from ._neural import Neural, NeuralTask
from ._solution import Solution


@in_float64
def correction(
    solution: Solution, trial: Trial | None = None, *, points: int | None = None, tolerance: float | None = None
) -> Neural:
    """The method by which a second network corrects a solution of a first: u = u_1 + size * u_2, u_1 kept as it is.

        better = lf.solve(problem, lf.correction(solution))

    The size is the residual that the first left, relative to the laws' terms; unknowns start where they were found.
    A second stage can itself be corrected. Conditions that were built into the first are built into the sum.

    trial       the second network; by default two layers of 24 with sixteen Fourier features, since what a network
                leaves swings more often than what it fits. A network as large as the first is a good start.
    points      collocation points; by default what resolves the second network. At least three for each parameter.
    tolerance   of the laws' residual; by default a hundredth of the first one's.

    Raises `BadInput` for a solution that is no network's, or one on several regions, and for a trial
    field that is none.
    """
    method, task = solution.method, solution.task
    if not (isinstance(method, Neural) and isinstance(task, NeuralTask) and task.trial.nonlinear):
        raise BadInput(
            "correction() takes the solution of one network, as lf.solve(problem, lf.Neural(trial=lf.MLP())) gives it"
            " on one region; a solution by Collocation or Spectral is refined by more nodes or modes."
        )
    trial = MLP(width=24, depth=2, fourier=Fourier(count=16, scale=8.0)) if trial is None else trial
    if not (isinstance(trial, Trial) and trial.nonlinear):
        raise BadInput(f"correction(trial={shown(trial)}): give a network, such as lf.MLP(width=24, depth=2).")
    x = jnp.asarray(solution.fitted.x)
    left = float(np.sqrt(np.mean(np.asarray(unmet_at(task, x, task.places)) ** 2)))
    second = Corrected(
        first=task.trial,
        known=ravel_pytree(task.like)[1](x[: task.layout.field_count]),
        second=trial.on(solution.problem.domain),
        size=jnp.asarray(left),
    )
    unknowns = np.asarray(x[task.layout.field_count :])
    return replace(
        method,
        trial=second,
        points=points,
        continuation=None,
        seed=method.seed + 1,
        tolerance=0.01 * method.tolerance if tolerance is None else tolerance,
        unknowns=unknowns,
    )
