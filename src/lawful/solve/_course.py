"""The course of a fit: when its points, their emphasis and its constants change, and to what."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.compilation import compiled
from ..problem import Problem, folded
from ._continuation import Continuation
from ._emphasis import Emphasis
from ._ground import Ground, Points
from ._sampling import Fixed, Sampling

UNLIKE = 1.5  # times the residual at the fitted points: what new points may show where a fit ends
LOOK = 5  # steps between looks at how far a lesson has come


class Course(eqx.Module):
    """What decides on the next ground."""

    sampling: Sampling
    emphasis: Emphasis | None
    continuation: Continuation | None
    tolerance: float
    seed: int
    constants: dict[str, np.ndarray]
    """Of the problem itself, where the continuation ends."""

    def at(self, lesson: int) -> dict[str, np.ndarray]:
        """The constants of a lesson."""
        return {**self.constants, **({} if self.continuation is None else self.continuation.at(lesson))}

    @property
    def lessons(self) -> int:
        """How many lessons come before the problem itself."""
        return 0 if self.continuation is None else self.continuation.lessons


class Taught(Protocol):
    """What a course needs of a task."""

    @property
    def problem(self) -> Problem: ...

    @property
    def course(self) -> Course: ...

    def on(self, ground: Ground) -> Taught: ...

    def unmet(self, x: Float[Array, " n"], point: dict[str, Array]) -> Float[Array, " laws"]: ...


@compiled(lambda *_: True)
def unmet_at(task: Taught, x: Float[Array, " n"], points: Points) -> Float[Array, " points"]:
    """The size of the laws' residual at points: the root of the sum of squares over the laws."""
    return jax.vmap(lambda point: jnp.sqrt(jnp.sum(task.unmet(x, point) ** 2)))(points)


def next_ground(task: Taught, ground: Ground, x: Float[Array, " n"], step: int, stopped: bool) -> Ground | None:
    """The ground from here on; None to go on as it is or, where the optimiser has stopped, to end.

    `step` counts the steps of the whole fit, x is where it stands.
    """
    course, in_lesson = task.course, step - ground.began
    if ground.lesson < course.lessons:
        continuation = course.continuation
        assert continuation is not None
        late = stopped or in_lesson >= continuation.steps
        if late or (in_lesson % LOOK == 0 and rms(task, ground, x) < continuation.enough):
            following = dataclasses.replace(ground, lesson=ground.lesson + 1, began=step)
            return drawn(task.on(following), following, x, step)
    if stopped:
        fresh = drawn(task, ground, x, step)
        return fresh if rms(task, fresh, x) > UNLIKE * rms(task, ground, x) else None
    every = course.sampling.every
    if every and step - ground.drawn >= every:
        return drawn(task, ground, x, step)
    if course.emphasis is not None and in_lesson % course.emphasis.every == 0:
        factors = course.emphasis.factors(ground.emphasis, residual(task, ground, x), ground.places)
        return dataclasses.replace(ground, emphasis=factors)
    return None


def residual(task: Taught, ground: Ground, x: Float[Array, " n"]) -> Float[np.ndarray, " points"]:
    return np.asarray(unmet_at(task, x, ground.places))


def rms(task: Taught, ground: Ground, x: Float[Array, " n"]) -> float:
    """Of the laws' residual, as the fit weighs it."""
    return float(np.sqrt(np.mean((ground.emphasis * residual(task, ground, x)) ** 2)))


def drawn(task: Taught, ground: Ground, x: Float[Array, " n"], step: int) -> Ground:
    """New points where the laws are unmet; the same ones where the sampling is fixed."""
    sampling, seed = task.course.sampling, (task.course.seed, ground.draws)
    if isinstance(sampling, Fixed):
        return ground
    count = len(ground.emphasis)
    pool = folded(task.problem, sampling.pool(task.problem.domain, ground.places, count, seed))
    size = np.asarray(unmet_at(task, x, pool))
    size = np.where(np.isfinite(size), size, 0.0)  # the fit itself will name what is not finite
    picked, factors = sampling.chosen(size, count, seed)
    even = size[: len(size) // 2]  # the first half fills the domain evenly
    return Ground(
        {axis: values[picked] for axis, values in pool.items()},
        factors,
        ground.lesson,
        ground.began,
        ground.draws + 1,
        step,
        float(np.sqrt(np.mean(even**2))),
    )
