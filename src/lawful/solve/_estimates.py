"""What was found for each unknown, in its own unit."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.estimates import Estimate
from ._task import Task
from ._uncertainty import Uncertainty
from ._unknown_field import FieldEstimate


def estimates(
    task: Task, x: Float[np.ndarray, " n"] | Float[Array, " n"], found: Uncertainty, freedom: float
) -> dict[str, Estimate | FieldEstimate]:
    """Each unknown at the numbers x: value, and sd by the slope of its transform; `freedom` is that of the noise."""
    problem, layout, covariance = task.problem, task.layout, found.covariance
    answer: dict[str, Estimate | FieldEstimate] = {}
    raw = layout.raw(jnp.asarray(x))
    for name in layout.names:
        unknown, part = problem.unknowns[name], layout.slice(name)
        if unknown.over is not None:
            answer[name] = FieldEstimate(
                name, problem.domain, unknown, np.asarray(raw[name]), covariance[part, part], freedom
            )
            continue
        value, slope = jax.jvp(unknown.value, (raw[name],), (jnp.ones_like(raw[name]),))
        sd = np.abs(np.asarray(slope)) * np.sqrt(np.diag(covariance)[part]).reshape(unknown.guess.shape)
        free = np.any(np.abs(found.loose[part]) > 1e-3, axis=1).reshape(unknown.guess.shape)
        sd = np.where(free, np.inf, sd)
        scalar = unknown.guess.ndim == 0
        answer[name] = Estimate(
            name, float(value) if scalar else np.asarray(value), float(sd) if scalar else sd, freedom
        )
    return answer
