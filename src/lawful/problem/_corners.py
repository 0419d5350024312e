"""Where two faces meet: do the conditions on them agree?

If d^m u/da^m = f on a face of axis a, and d^n u/db^n = g on a face of axis b, then on the edge that both share
d^n f/db^n = d^m g/da^m. Where that fails no smooth field meets both, and no construction can.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.names import Partial
from .._core.precision import in_float64
from ..calculus import partials
from ..geometry import Face
from ._faces import FaceCondition
from ._problem import Problem

Points = dict[str, Float[np.ndarray, " n"]]

TOLERANCE = 1e-6  # of the sizes of what is compared: formulae for corners are rounded, or typed with few digits


class Clash(NamedTuple):
    """A place where two conditions say different things about the same derivative of the field."""

    place: dict[str, float]
    first: float
    second: float
    unknown: tuple[str, ...]
    """Unknowns on which it depends; without any the conditions contradict each other whatever is found."""


def clash(problem: Problem, first: FaceCondition, second: FaceCondition) -> Clash | None:
    """Where two conditions with plain targets on faces of different axes disagree most; None where they agree.

    Unknowns are tried at their guess and at two other values: agreement must not be an accident of the guess.
    """
    across_first = (first.face.axis,) * first.order
    across_second = (second.face.axis,) * second.order
    edge = face_points(problem, [first.face, second.face])
    used = tuple(n for c in (first, second) for n in arguments_of(problem, c) if n in problem.unknowns)
    for raw in (0.0, 0.3, -0.7) if used else (0.0,):
        one = target_on(problem, first, edge, across_second, raw)
        two = target_on(problem, second, edge, across_first, raw)
        size = max(
            np.abs(one).max(), np.abs(two).max(), size_of(problem, first, across_second, raw),
            size_of(problem, second, across_first, raw),
        )  # fmt: skip
        apart = np.abs(one - two)
        worst = int(np.argmax(np.where(np.isnan(apart), np.inf, apart)))
        if not apart[worst] <= TOLERANCE * size:
            place = {axis: float(values[worst]) for axis, values in edge.items()}
            return Clash(place, float(one[worst]), float(two[worst]), used)
    return None


def size_of(problem: Problem, condition: FaceCondition, along: Partial, raw: float) -> float:
    """The size of a target on its face, per length of each axis in `along`: what its derivative is measured against."""
    values = np.abs(target_on(problem, condition, face_points(problem, [condition.face]), (), raw))
    return float(values.max() / np.prod([problem.domain.length(axis) for axis in along]))


def open_ends(problem: Problem, condition: FaceCondition, axis: str) -> bool:
    """Whether a target differs between the two ends of an axis along which the field is periodic."""
    points = face_points(problem, [condition.face])
    ends = [{**points, axis: np.full_like(points[axis], end)} for end in problem.domain.ends(axis)]
    one, two = (target_on(problem, condition, places) for places in ends)
    size = max(np.abs(one).max(), np.abs(two).max(), size_of(problem, condition, (), 0.0))
    return not np.all(np.abs(one - two) <= TOLERANCE * size)


@in_float64
def target_on(
    problem: Problem, condition: FaceCondition, points: Points, partial: Partial = (), raw: float = 0.0
) -> Float[np.ndarray, " n"]:
    """A plain target, or a derivative of it along its face, at points; unknowns at a raw value, 0 for their guess."""
    known: dict[str, Array | np.ndarray] = {**problem.constants}
    for name in problem.unknown_scalars:
        unknown = problem.unknowns[name]
        known[name] = unknown.guess if raw == 0 else unknown.value(jnp.full(unknown.guess.shape, raw))
    names = arguments_of(problem, condition)

    def target(**point):
        here = {**known, **point}
        return jnp.asarray(condition.target(**{name: here[name] for name in names}), dtype=float)

    along = tuple(sorted(partial))
    values = jax.vmap(lambda point: partials(target, (along,))(**point)[along])(points)
    return condition.sign * np.asarray(values)


def plain_target(problem: Problem, condition: FaceCondition) -> bool:
    """Whether a target is known without the fields: a function of coordinates, constants and scalar unknowns."""
    known = (*problem.domain.axes, *problem.vocabulary.plain)
    return all(name in known for name in arguments_of(problem, condition))


def arguments_of(problem: Problem, condition: FaceCondition) -> tuple[str, ...]:
    return tuple(problem.vocabulary.resolve_all(condition.target, f"the value of {condition}"))


def face_points(problem: Problem, faces: list[Face], count: int = 16) -> Points:
    """Some points on the intersection of faces."""
    rng = np.random.default_rng(1)
    points = {axis: rng.uniform(*problem.domain.ends(axis), count) for axis in problem.domain.axes}
    for face in faces:
        points[face.axis] = np.full(count, problem.domain.ends(face.axis)[face.side])
    return points
