"""The model that numbers stand for, and named quantities of a model at many points."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.compilation import compiled
from ..problem import Model
from ._task import Task


@compiled(lambda task, *_: task.long_loops)
def model_at(task: Task, x: Float[Array, " n"]) -> Model:
    return task.model(x)


@compiled(lambda *_: False)
def evaluate_batch(
    model: Model, what: str | Callable, points: dict[str, Float[np.ndarray, " n"]]
) -> Float[Array, " n"]:
    def one(point):
        return jnp.asarray(model.quantity(what, point) if isinstance(what, str) else model.call(what, point))

    return jax.vmap(one)(points)
