"""Conditions on smooth pieces of a boundary, and which of them a construction can impose exactly."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from .._core.precision import in_float64
from ..calculus import partials
from ._conditions import Flux
from ._corners import TOLERANCE, Clash, face_points, target_on
from ._faces import FaceCondition
from ._inside import goes_on_inside
from ._problem import Problem
from ._robin import is_plain, known_at, right_hand_side, robin_argument
from ._structure import face_conditions, stated
from ._surfaces import Points, SurfaceCondition, lies_on

SOME = 32
"""Points on each condition at which it is compared with others."""


def surface_conditions(problem: Problem) -> tuple[SurfaceCondition, ...]:
    """All `Value` and `Flux` conditions on pieces of a shape, one entry for each part and quantity.

    Exact are values and outward derivatives of a field whose right-hand side is known without the fields, or b + c u
    for a derivative; goes on smoothly inside, as constructions need it there; and agrees with what is imposed at the
    ends of further axes, such as the start. Of two that disagree the one at the end stays exact.
    """
    found = []
    for condition, symbol, target, where in stated(problem):
        if condition.part.surfaces:
            normal, robin = isinstance(condition, Flux), None
            plain = all(is_plain(problem, s) for s in problem.vocabulary.resolve_all(target, where).values())
            exact = symbol.base in problem.fields and not symbol.partial
            if exact and not plain:
                robin = robin_argument(problem, symbol.base, target, where) if normal else None
                exact = robin is not None
            one = SurfaceCondition(symbol, condition.part.surfaces, target, normal, exact, robin)
            found.append(one._replace(number=1 + sum(str(one) == str(c._replace(number=1)) for c in found)))
    faces = [c for c in face_conditions(problem) if c.exact] if found else []
    found = [c._replace(exact=c.exact and goes_on_inside(problem, c) and agrees(problem, c, faces)) for c in found]
    return tuple(beside_values(problem, c, found) for c in found)


def agrees(problem: Problem, condition: SurfaceCondition, faces: list[FaceCondition]) -> bool:
    """Whether no condition at the end of a further axis contradicts it; values against values are for `check`."""
    here = [face for face in faces if face.field == condition.field]
    return not any(
        not commute(problem, condition, face)
        or ((condition.normal or face.order) and clash_at_end(problem, condition, face) is not None)
        for face in here
    )


def beside_values(
    problem: Problem, condition: SurfaceCondition, conditions: list[SurfaceCondition]
) -> SurfaceCondition:
    """A derivative with the pieces on which values are imposed and which are not its own; penalised where values are
    imposed on a part of its pieces, or on all of them while its right-hand side uses the field."""
    if not (condition.exact and condition.normal):
        return condition
    points, _ = condition.border(SOME, 0)
    apart = []
    for other in conditions:
        if other.exact and not other.normal and other.field == condition.field:
            for surface in other.surfaces:
                share = np.mean(lies_on((surface,), points, size(problem)))
                if share == 0:
                    apart.append(surface)
    given = [c for c in conditions if c.exact and not c.normal and c.field == condition.field]
    shared = float(np.mean(covered(problem, given, points)))
    if 0 < shared < 1 or (shared and condition.robin is not None):
        return condition._replace(exact=False)
    return condition._replace(apart=tuple(apart))


def covered(problem: Problem, conditions: list[SurfaceCondition], points: Points) -> Bool[np.ndarray, " n"]:
    """Which points lie on any of several conditions."""
    return lies_on(tuple(surface for c in conditions for surface in c.surfaces), points, size(problem))


def size(problem: Problem) -> float:
    """The longest side of the box around the shape."""
    shape = problem.domain.boundary().surfaces[0].carrier.axes
    return max(problem.domain.length(axis) for axis in shape)


@in_float64
def commute(problem: Problem, condition: SurfaceCondition, face: FaceCondition) -> bool:
    """Whether factors c of b + c u are constant where the other condition's construction must not feel them: on pieces
    along the face's axis, at the end of an axis along the shape if a derivative is imposed on its pieces."""
    checks = [(condition, (face.face.axis,))] if condition.robin is not None else []
    checks += [(face, condition.axes)] if face.robin is not None and condition.normal else []
    points, _ = at_end(problem, condition, face)
    for one, axes in checks:
        _, slope = right_hand_side(problem, one, known_at(problem))
        assert slope is not None
        for axis in axes:
            changes = jax.vmap(lambda point, axis=axis, c=slope: partials(c, ((axis,),))(**point)[(axis,)])(points)
            largest = jnp.max(jnp.abs(jax.vmap(lambda point, c=slope: c(**point))(points)))
            if jnp.max(jnp.abs(changes)) > TOLERANCE * largest / problem.domain.length(axis):
                return False
    return True


def clash_at_end(problem: Problem, condition: SurfaceCondition, face: FaceCondition) -> Clash | None:
    """Where a condition on pieces and one at the end of a further axis disagree most; None where they agree."""
    points, normals = at_end(problem, condition, face)
    used = tuple(name for c in (condition, face) for name in names_of(problem, c) if name in problem.unknowns)
    length = problem.domain.length(face.face.axis) ** face.order
    for raw in (0.0, 0.3, -0.7) if used else (0.0,):
        one, two = both_ways(problem, condition, face, points, normals, raw)
        given = np.abs(target_on(problem, face, face_points(problem, [face.face]), raw=raw)).max()
        own = np.abs(rights(problem, condition, condition.border(SOME, 0)[0], raw)).max()
        given, own = given / (size(problem) if condition.normal else 1.0), own / length
        bound = max(np.abs(one).max(), np.abs(two).max(), given, own)
        apart = np.abs(one - two)
        worst = int(np.argmax(np.where(np.isnan(apart), np.inf, apart)))
        if not apart[worst] <= TOLERANCE * bound:
            place = {axis: float(values[worst]) for axis, values in points.items()}
            return Clash(place, float(one[worst]), float(two[worst]), used)
    return None


def at_end(problem: Problem, condition: SurfaceCondition, face: FaceCondition) -> tuple[Points, Points]:
    """Points where a piece meets the end of an axis, with the normals of the piece."""
    points, normals = condition.border(SOME, 0)
    axis, side = face.face
    return {**points, axis: np.full_like(points[axis], problem.domain.ends(axis)[side])}, normals


@in_float64
def both_ways(
    problem: Problem, condition: SurfaceCondition, face: FaceCondition, points: Points, normals: Points, raw: float
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """What each left-hand side makes of the other's right-hand side."""
    known = known_at(problem, raw)
    (on_piece, factor), (at_face, rate) = (right_hand_side(problem, c, known) for c in (condition, face))

    def one(point, normal):
        along = face.quantity.partial
        first = partials(on_piece, (along,))(**point)[along]
        second = value = at_face(**point)
        if rate is not None:
            first = first - rate(**point) * on_piece(**point)
        if condition.normal:
            slopes = partials(at_face, tuple((axis,) for axis in condition.axes))(**point)
            second = sum(normal[axis] * slopes[(axis,)] for axis in condition.axes)
            second = second if factor is None else second - factor(**point) * value
        return first, second

    first, second = jax.vmap(one)(points, normals)
    return np.asarray(first), np.asarray(second)


@in_float64
def rights(problem: Problem, condition: SurfaceCondition, points: Points, raw: float = 0.0) -> Float[np.ndarray, " n"]:
    """The right-hand side at points, of b + c u the part b."""
    value, _ = right_hand_side(problem, condition, known_at(problem, raw))
    return np.asarray(jax.vmap(lambda point: value(**point))(points))


def names_of(problem: Problem, condition: SurfaceCondition | FaceCondition) -> tuple[str, ...]:
    return tuple(problem.vocabulary.resolve_all(condition.target, f"the value of {condition}"))
