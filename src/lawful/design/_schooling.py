"""Training that a kill does not undo: step by step, kept as it goes, to the same numbers bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .._core.files import read_arrays, write_arrays
from .._core.leaves import by_name, put_back
from .._core.messages import BadInput
from ._progress import Progress

Step = Callable[[Any, Any], tuple[Any, dict[str, Any]]]
"""`step(state, i) -> state, {"loss": ...}`: pure, and random only by i."""


def schooled(
    step: Step,
    state: Any,
    steps: int,
    *,
    what: str,
    path: Path | None = None,
    stamp: str = "",
    every: int = 100,
    progress: bool | None = None,
    shown: Callable[[Any, int], None] | None = None,
) -> tuple[Any, dict[str, list[float]]]:
    """The state after `steps`, and what was told every `every` of them.

    path   where the state is kept; a second call with the same `stamp` goes on from there.
    shown  is called at the same times with the state and the step, such as to draw a sheet of samples.

    Raises `BadInput` for a file of another training.
    """
    begin, told = 0, {}
    if path is not None and path.exists():
        found, meta = read_arrays(path)
        back = put_back(found, state)
        if back is None or meta["stamp"] != stamp:
            raise BadInput(f"{path} belongs to another training; choose another folder, or delete it.")
        state, begin, told = jax.tree.map(jnp.asarray, back), int(meta["step"]), meta["told"]
    bar = Progress(what, steps, progress)
    for i in range(begin, steps):
        state, notes = step(state, jnp.asarray(i, jnp.int32))
        if (i + 1) % every == 0 or i + 1 == steps:
            notes = {name: float(value) for name, value in notes.items()}
            lost = [name for name, value in notes.items() if not np.isfinite(value)]
            if lost:
                raise ArithmeticError(f"{what}: '{lost[0]}' is not finite at step {i + 1}.")
            told.setdefault("step", []).append(float(i + 1))
            for name, value in notes.items():
                told.setdefault(name, []).append(value)
            if path is not None:
                write_arrays(path, by_name(state), {"step": i + 1, "stamp": stamp, "told": told})
            if shown is not None:
                shown(state, i + 1)
            bar.at(i + 1, " ".join(f"{name} {value:.3g}" for name, value in notes.items()))
    bar.close()
    return state, told
