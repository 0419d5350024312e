"""Symmetry about the middle of an axis, imposed exactly."""

from __future__ import annotations

import equinox as eqx
import numpy as np

from .._core.messages import BadInput
from ..geometry import Part
from ._conditions import Condition, both_ends, checked_part
from ._corners import TOLERANCE, face_points, plain_target, target_on
from ._faces import FaceCondition
from ._problem import Problem


class Odd(Condition):
    """Fields change sign when the axis is reversed about its middle, u(-x) = -u(x): `Odd(domain.at(x=(-1, 1)))`.

    Without names it holds for every field. Imposed exactly, by N(x) - N(-x) in place of the trial field N, so that one
    half of the axis needs no points. What else is stated must have the same symmetry: `check()` looks.
    """

    part: Part
    fields: tuple[str, ...] = eqx.field(static=True)

    def __init__(self, part: Part, /, *fields: str):
        self.part, self.fields = both_ends("Odd", checked_part("Odd", part)), fields


class Even(Condition):
    """Fields stay the same when the axis is reversed about its middle, u(-x) = u(x): `Even(domain.at(x=(-1, 1)))`.

    Without names it holds for every field. Imposed exactly, by N(x) + N(-x) in place of the trial field N.
    """

    part: Part
    fields: tuple[str, ...] = eqx.field(static=True)

    def __init__(self, part: Part, /, *fields: str):
        self.part, self.fields = both_ends("Even", checked_part("Even", part)), fields


def parities(problem: Problem, name: str) -> dict[str, int]:
    """The axes about whose middle a field is odd (-1) or even (+1)."""
    found = {}
    for condition in problem.conditions:
        if isinstance(condition, Odd | Even) and (not condition.fields or name in condition.fields):
            found[condition.part.faces[0].axis] = -1 if isinstance(condition, Odd) else 1
    return found


def check_symmetry(problem: Problem, conditions: tuple[FaceCondition, ...]) -> None:
    """What is given on faces must have the symmetry that is stated."""
    for condition in conditions:
        if not (condition.exact and plain_target(problem, condition)):
            continue
        for axis, sign in parities(problem, condition.field).items():
            points = face_points(problem, [condition.face])
            here = target_on(problem, condition, points)
            if condition.face.axis == axis:
                there = mirrored_values(problem, conditions, condition)
                sign = sign * (-1) ** condition.order
            else:
                low, high = problem.domain.ends(axis)
                there = target_on(problem, condition, {**points, axis: low + high - points[axis]})
            if there is None:
                continue
            size = max(float(np.abs(here).max()), float(np.abs(there).max()))
            if np.any(np.abs(here - sign * there) > TOLERANCE * size):
                kind = "odd" if parities(problem, condition.field)[axis] < 0 else "even"
                raise BadInput(
                    f"{condition.field} is stated to be {kind} about the middle of {axis}, but {condition} is not;"
                    f" correct its formula, or drop lf.{kind.capitalize()}."
                )


def mirrored_values(
    problem: Problem, conditions: tuple[FaceCondition, ...], condition: FaceCondition
) -> np.ndarray | None:
    """What is given for the same quantity on the opposite face; None where nothing is."""
    opposite = condition.face._replace(side=1 - condition.face.side)
    for other in conditions:
        if other.quantity == condition.quantity and other.face == opposite and plain_target(problem, other):
            return target_on(problem, other, face_points(problem, [opposite]))
    return None


def folded(problem: Problem, places: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Points brought to the upper half of every axis about whose middle all fields are symmetric: the rest repeats."""
    common = set.intersection(*[set(parities(problem, name)) for name in problem.fields])
    middle = {axis: 0.5 * sum(problem.domain.ends(axis)) for axis in common}
    return {axis: middle[axis] + np.abs(v - middle[axis]) if axis in middle else v for axis, v in places.items()}
