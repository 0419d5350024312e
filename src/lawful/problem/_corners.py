"""Where two faces meet: do the conditions on them agree?

If d^m u/da^m = f on a face of axis a, and d^n u/db^n = g on a face of axis b, then on the edge that both share
d^n f/db^n = d^m g/da^m; with Robin conditions du/da = f + c u the left-hand sides are d/da - c. Where that fails no
smooth field meets both, and no construction can.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .._core.names import Partial
from .._core.precision import in_float64
from ..calculus import partials
from ..geometry import Box, Face
from ._faces import FaceCondition
from ._problem import Problem
from ._robin import is_plain, known_at, right_hand_side
from ._surfaces import SurfaceCondition

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
    """Where two conditions on faces of different axes disagree most; None where they agree.

    Unknowns are tried at their guess and at two other values: agreement must not be an accident of the guess.
    """
    edge = face_points(problem, [first.face, second.face])
    used = tuple(n for c in (first, second) for n in arguments_of(problem, c) if n in problem.unknowns)
    for raw in (0.0, 0.3, -0.7) if used else (0.0,):
        one, two = crossed(problem, second, first, edge, raw), crossed(problem, first, second, edge, raw)
        size = max(
            np.abs(one).max(), np.abs(two).max(), size_of(problem, first, second.quantity.partial, raw),
            size_of(problem, second, first.quantity.partial, raw),
        )  # fmt: skip
        apart = np.abs(one - two)
        worst = int(np.argmax(np.where(np.isnan(apart), np.inf, apart)))
        if not apart[worst] <= TOLERANCE * size:
            place = {axis: float(values[worst]) for axis, values in edge.items()}
            return Clash(place, float(one[worst]), float(two[worst]), used)
    return None


@in_float64
def crossed(
    problem: Problem, by: FaceCondition, of: FaceCondition, points: Points, raw: float = 0.0
) -> Float[np.ndarray, " n"]:
    """What the left-hand side of one condition, d^m/da^m - c, makes of the right-hand side of another."""
    known = known_at(problem, raw)
    (_, slope), (value, _) = right_hand_side(problem, by, known), right_hand_side(problem, of, known)
    along = by.quantity.partial

    def one(point):
        found = partials(value, (along,))(**point)[along]
        return found if slope is None else found - slope(**point) * value(**point)

    return np.asarray(jax.vmap(one)(points))


@in_float64
def varies(problem: Problem, condition: FaceCondition, axis: str) -> bool:
    """Whether the factor c of a Robin condition b + c u changes along an axis."""
    _, slope = right_hand_side(problem, condition, known_at(problem))
    if slope is None:
        return False
    points = face_points(problem, [condition.face])
    changes = jax.vmap(lambda point: partials(slope, ((axis,),))(**point)[(axis,)])(points)
    size = jnp.max(jnp.abs(jax.vmap(lambda point: slope(**point))(points))) / problem.domain.length(axis)
    return bool(jnp.max(jnp.abs(changes)) > TOLERANCE * size)


def commute(problem: Problem, first: FaceCondition, second: FaceCondition) -> bool:
    """Whether the left-hand sides d^m/da^m - c of two conditions may be applied in either order, as constructions do.

    A factor c may change along the other axis where the other condition gives a value there, for axes with a Robin
    condition are built last.
    """
    both = first.robin is not None and second.robin is not None
    return not any(
        varies(problem, one, other.face.axis) and (both or other.order > 0)
        for one, other in ((first, second), (second, first))
    )


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
    """A plain target, or the part b of b + c u, or a derivative of it along its face, at points; unknowns at a raw
    value, 0 for their guess."""
    value, _ = right_hand_side(problem, condition, known_at(problem, raw))
    along = tuple(sorted(partial))
    return np.asarray(jax.vmap(lambda point: partials(value, (along,))(**point)[along])(points))


def plain_target(problem: Problem, condition: FaceCondition | SurfaceCondition) -> bool:
    """Whether a target is known without the fields: a function of coordinates, constants and scalar unknowns."""
    symbols = problem.vocabulary.resolve_all(condition.target, f"the value of {condition}")
    return all(is_plain(problem, symbol) for symbol in symbols.values())


def arguments_of(problem: Problem, condition: FaceCondition) -> tuple[str, ...]:
    return tuple(problem.vocabulary.resolve_all(condition.target, f"the value of {condition}"))


def face_points(problem: Problem, faces: list[Face], count: int = 16) -> Points:
    """Some points on the intersection of faces."""
    domain, rng = problem.domain, np.random.default_rng(1)
    if isinstance(domain, Box):
        points = {axis: rng.uniform(*domain.ends(axis), count) for axis in domain.axes}
    else:
        points = domain.sample(count, 1)
    for face in faces:
        points[face.axis] = np.full(count, domain.ends(face.axis)[face.side])
    return points
