"""Training that a kill does not undo: step by step, kept as it goes, to the same numbers bit for bit."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from .files import read_arrays, write_arrays
from .leaves import by_name, put_back
from .messages import BadInput
from .progress import Progress

Step = Callable[[Any, int], tuple[Any, dict[str, Any]]]
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
    seconds: float = math.inf,
    progress: bool | None = None,
    look: Callable[[Any, int], dict[str, float] | None] | None = None,
) -> tuple[Any, dict[str, list[float]]]:
    """The state after `steps`, and what was told every `every` of them.

    path      where the state is kept; a second call with the same `stamp` goes on from there. Ctrl-C keeps it too.
    seconds   after which this call stops, however many steps are done.
    look      is called at the same times with the state and the step: to draw a sheet of samples, or to tell more
              numbers, such as the loss of what is not learned from.

    Raises `BadInput` for a file of another training, `ArithmeticError` where a number that is told is not finite.
    """
    done, told = 0, {}
    if path is not None and path.exists():
        found, meta = read_arrays(path)
        back = put_back(found, state)
        if back is None or meta["stamp"] != stamp:
            raise BadInput(f"{path} belongs to another training; choose another folder, or delete it.")
        state, done, told = jax.tree.map(jnp.asarray, back), int(meta["step"]), meta["told"]
    begin, bar = time.monotonic(), Progress(what, steps, progress, done)

    def kept() -> None:
        if path is not None:
            write_arrays(path, by_name(state), {"step": done, "stamp": stamp, "told": told})

    try:
        while done < steps and time.monotonic() - begin < seconds:
            state, notes = step(state, done)
            done += 1
            if done % every and done != steps:
                continue
            notes = {name: float(value) for name, value in notes.items()} | ((look and look(state, done)) or {})
            lost = [name for name, value in notes.items() if not math.isfinite(value)]
            if lost:
                raise ArithmeticError(f"{what}: '{lost[0]}' is not finite at step {done}.")
            for name, value in {"step": float(done), **notes}.items():
                told.setdefault(name, []).append(value)
            kept()
            bar.at(done, " ".join(f"{name} {value:.3g}" for name, value in notes.items()))
    except KeyboardInterrupt:
        kept()
        raise
    finally:
        bar.close()
    if done < steps:
        kept()
    return state, told
