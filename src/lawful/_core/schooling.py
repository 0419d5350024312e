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

MINUTE = 60.0
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
    look: Callable[[Any, dict[str, float]], dict[str, float]] | None = None,
) -> tuple[Any, dict[str, list[float]]]:
    """The state after `steps`, and what was told every `every` of them and in the end: "step" and "seconds" of all
    calls together, what the last step said, and what a look found.

    path      where the state is kept, at these times and every minute; a second call with the same `stamp` goes on from
              there. Ctrl-C keeps it too.
    seconds   after which this call stops, however many steps are done.
    look      is called at the same times with the state and what is told so far: to draw a sheet of samples, or to tell
              more numbers, such as the loss of what is not learned from.

    Raises `BadInput` for a file of another training, `ArithmeticError` where a number that is told is not finite.
    """
    done, told, spent = 0, {}, 0.0
    if path is not None and path.exists():
        found, meta = read_arrays(path)
        back = put_back(found, state)
        if back is None or meta["stamp"] != stamp:
            raise BadInput(f"{path} belongs to another training; choose another folder, or delete it.")
        state, done, told = jax.tree.map(jnp.asarray, back), int(meta["step"]), meta["told"]
        spent = meta["seconds"]
    begin, bar, label = time.monotonic(), Progress(what, steps, progress, done), ""
    last, since = begin, lambda: time.monotonic() - begin

    def kept() -> None:
        if path is not None:
            so_far = {"step": done, "stamp": stamp, "told": told, "seconds": spent + since()}
            write_arrays(path, by_name(state), so_far)

    try:
        while done < steps and since() < seconds:
            state, said = step(state, done)
            done += 1
            if done % every == 0 or done == steps:
                said = {name: float(value) for name, value in said.items()}
                notes = {"step": float(done), "seconds": spent + since(), **said}
                found = {} if look is None else look(state, notes)
                lost = [name for name, value in (said | found).items() if not math.isfinite(value)]
                if lost:
                    raise ArithmeticError(f"{what}: '{lost[0]}' is not finite at step {done}.")
                for name, value in (notes | found).items():
                    told.setdefault(name, []).append(value)
                label = " ".join(f"{name} {value:.3g}" for name, value in (said | found).items())
                kept()
                last = time.monotonic()
            elif time.monotonic() - last > MINUTE:
                kept()
                last = time.monotonic()
            bar.at(done, label)
    except KeyboardInterrupt:
        kept()
        raise
    finally:
        bar.close()
    if done < steps:
        kept()
    return state, told
