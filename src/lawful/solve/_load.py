"""A solution that was saved, for the problem and method that it was saved with."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from .._core.files import read_arrays
from .._core.messages import BadInput
from .._core.precision import in_float64
from ..problem import Problem
from ._collocation import Collocation
from ._fit import Fitted, history_of
from ._keeper import fingerprint
from ._neural import Neural
from ._solution import Solution
from ._solve import MOST_REFINEMENTS, assemble, default_method, refined
from ._task import Task
from ._uncertainty import Uncertainty


@in_float64
def load(folder: str | os.PathLike, problem: Problem, method: Neural | Collocation | None = None) -> Solution:
    """A saved solution, for the same problem and method. The numbers come from the file, the functions from `problem`.

    Raises `BadInput` for a damaged file or another problem's.
    """
    method = method or default_method(problem)
    path = Path(folder) / "solution.npz"
    if not path.exists():
        raise BadInput(
            f"{path} does not exist; give the folder that `solution.save(folder)` or `solve(..., out=folder)` wrote."
        )
    arrays, meta = read_arrays(path)
    digest = fingerprint(problem, method)
    if meta.get("fingerprint") != digest:
        raise BadInput(f"{path} belongs to another problem or method; load it with the ones that it was saved with.")
    try:
        refinements = int(meta["refinements"])
        if not 0 <= refinements <= MOST_REFINEMENTS:
            raise ValueError(refinements)
        task = refined(method.task(problem), refinements)
        fitted = told_fit(arrays, meta, task)
        accuracy, seconds = (None if meta[name] is None else float(meta[name]) for name in ("accuracy", "seconds"))
        return assemble(problem, method, task, fitted, accuracy, refinements, seconds or 0.0, digest)
    except BadInput:
        raise
    # Checksums are right where a program wrote nonsense, and nonsense raises what it likes.
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        kind = type(error).__name__
        raise BadInput(f"{path} holds no solution of this problem ({kind}); delete it and run again.") from error


def told_fit(arrays: dict[str, np.ndarray], meta: dict, task: Task) -> Fitted:
    """The fit that a file tells of. Raises `ValueError` or `LookupError` where they are not of the task."""
    rows, count = max((part.stop for part in task.blocks.values()), default=0), task.layout.unknown_count
    shapes = {
        "x": np.shape(task.start),
        "levels": np.shape(task.noise.labels),
        "residual": (rows,),
        "covariance": (count, count),
        "loose": (count, arrays["loose"].shape[-1]),
        "leverage": (rows,),
    }
    for name, shape in shapes.items():
        if arrays[name].shape != shape or arrays[name].dtype != float:
            raise ValueError(f"{name} of shape {arrays[name].shape}")
    uncertain = Uncertainty(arrays["covariance"], arrays["loose"], arrays["leverage"])
    return Fitted(
        arrays["x"],
        arrays["levels"],
        float(meta["weight"]),
        arrays["residual"],
        uncertain,
        bool(meta["converged"]),
        str(meta["reason"]),
        history_of(meta["history"]),
    )
