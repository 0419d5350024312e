"""Where a march starts: its axis, its initial conditions, and names for what the user left free there."""

from __future__ import annotations

import numpy as np

from .._core.messages import BadInput, listing
from .._core.names import join_derivative, named
from ..problem import (
    FaceCondition,
    Free,
    Problem,
    Real,
    Value,
    all_face_conditions,
    changed,
    face_conditions,
    is_free,
    needed_conditions,
    periodic_axes,
)
from ._scaling import sizes


def marching_axis(problem: Problem) -> str | None:
    """The axis with as many conditions at its lower end as the laws have derivatives, and none at the upper."""
    conditions = all_face_conditions(problem)
    candidates = []
    for axis in problem.domain.axes:
        needed = needed_conditions(problem, axis) or {}
        upper = any(c.face.axis == axis and c.face.side == 1 for c in conditions)
        closed = any(axis in periodic_axes(problem, name) for name in problem.fields)
        if any(needed.values()) and not upper and not closed:
            candidates.append(axis)
    named = [axis for axis in candidates if axis in ("t", "time")]
    return (named or candidates or [None])[0]


def periodic_lines(problem: Problem, space: list[str]) -> tuple[str, ...]:
    closed = {axis for axis in space for name in problem.fields if axis in periodic_axes(problem, name)}
    for axis in closed:
        if not all(axis in periodic_axes(problem, name) for name in problem.fields):
            raise BadInput(
                f"Collocation needs every field periodic along {axis}, or none; give Periodic without field names."
            )
    return tuple(axis for axis in space if axis in closed)


def check_initial(problem: Problem, axis: str, orders: dict[str, int], initial: tuple[FaceCondition, ...]) -> None:
    for condition in initial:
        if not condition.exact:
            raise BadInput(
                f"Collocation needs {condition} as a plain value of a field or its rate; use method=lf.Neural()"
                " for anything else."
            )
    for name, order in orders.items():
        given = {c.order for c in initial if c.field == name}
        if given != set(range(order)):
            missing = (
                join_derivative(name, (axis,) * min(set(range(order)) - given), problem.domain.axes)
                if set(range(order)) - given
                else name
            )
            raise BadInput(
                f"Collocation starts from {order} initial value(s) of '{name}'; give"
                f" lf.Value(domain.at({axis}=...), {missing}=...)."
            )


def with_named_start(problem: Problem, axis: str | None) -> Problem:
    """An initial state that was left `Free` becomes unknowns of its own, so that it is found with error bars."""
    if axis is None:
        return problem
    needed = needed_conditions(problem, axis) or {}
    loose = [name for name, count in needed.items() if count and is_free(problem, name, axis)]
    if not loose:
        return problem
    if len(problem.domain.axes) > 1:
        raise BadInput(
            f"Collocation cannot find a whole initial field ({listing(loose)}); give it, or use method=lf.Neural()."
        )
    unknowns, conditions = (
        dict(problem.unknowns),
        [c for c in problem.conditions if not (isinstance(c, Free) and c.part.faces[0].axis == axis)],
    )
    part, scale = problem.domain.at(**{axis: problem.domain.ends(axis)[0]}), sizes(problem)
    given = {(c.field, c.order) for c in face_conditions(problem) if c.face.axis == axis}
    for name in loose:
        for order in range(needed[name]):
            if (name, order) in given:
                continue
            key = f"{join_derivative(name, (axis,) * order, problem.domain.axes)}_start"
            size = scale.fields[name] / scale.lengths[axis] ** order
            unknowns[key] = Real(guess=first_value(problem, name, axis) if order == 0 else 0.0, scale=size)
            conditions.append(Value(part, **{join_derivative(name, (axis,) * order, problem.domain.axes): named(key)}))
    return changed(problem, conditions=tuple(conditions), unknowns=unknowns)


def first_value(problem: Problem, name: str, axis: str) -> float:
    """The earliest measured value of a field, 0 where it was not measured."""
    for data in problem.data:
        if name in data.columns and name not in data.observe:
            return float(data.columns[name][np.argmin(data.columns[axis])])
    return 0.0
