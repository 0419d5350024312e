"""As many conditions on every piece of a shape's boundary as the laws ask for: half their order."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from .._core.messages import BadInput, listing
from ..geometry import Surface
from ._conditions import Free
from ._corners import TOLERANCE, plain_target
from ._counts import fields_behind
from ._problem import Problem
from ._structure import assigned, blocks, order_table, periodic_axes
from ._surfaces import Points, SurfaceCondition, lies_on
from ._walls import rights, size

MANY = 64
"""Points on every piece at which conditions are counted."""


def check_pieces(problem: Problem, conditions: tuple[SurfaceCondition, ...]) -> None:
    """Targets must be finite on their pieces, and close where the field does."""
    for condition in conditions:
        if condition.robin is None and not plain_target(problem, condition):
            continue
        points, _ = condition.border(MANY, 0)
        values = rights(problem, condition, points)
        if not np.all(np.isfinite(values)):
            where = place(points, ~np.isfinite(values))
            raise BadInput(f"the value of {condition} is not finite at {where}; check its formula.")
        for axis in periodic_axes(problem, condition.field):
            ends = [{**points, axis: np.full_like(points[axis], end)} for end in problem.domain.ends(axis)]
            one, two = (rights(problem, condition, each) for each in ends)
            if np.any(np.abs(one - two) > TOLERANCE * np.abs(values).max()):
                raise BadInput(
                    f"the value of {condition} differs between the two ends of {axis}, but {condition.field} is"
                    f" periodic along {axis}; make its formula periodic, or drop lf.Periodic."
                )


def check_boundary(problem: Problem, conditions: tuple[SurfaceCondition, ...]) -> None:
    """Refuse pieces, or parts of them, with too few or too many conditions, or the same one twice."""
    pieces = problem.domain.boundary().surfaces
    groups = blocks(problem)
    for piece in pieces:
        points = piece.sample(MANY, 0)
        check_repeated(problem, conditions, points)
        for fields, laws in groups or []:
            check_piece(problem, fields, laws, piece, points, conditions)


def check_piece(
    problem: Problem,
    fields: tuple[str, ...],
    laws: list[int],
    piece: Surface,
    points: Points,
    conditions: tuple[SurfaceCondition, ...],
) -> None:
    least, most = asked_for(problem, fields, laws, piece.carrier.axes)
    behind = [c for c in conditions if fields_behind(problem, c) & set(fields)]
    direct = [c for c in behind if fields_behind(problem, c) <= set(fields)]
    held = {id(c): c.holds(points, size(problem)) for c in behind}
    given = np.sum([held[id(c)] for c in behind], axis=0) if behind else np.zeros(MANY, dtype=int)
    bare = (given < least) & ~left_free(problem, fields, points)
    if bare.any():
        raise BadInput(missing(problem, fields, piece, least, int(given[bare].min()), place(points, bare)))
    count = np.sum([held[id(c)] for c in direct], axis=0) if direct else np.zeros(MANY, dtype=int)
    if np.any(count > most):
        there = count > most
        names = listing(str(c) for c in direct if held[id(c)][np.argmax(there)])
        verb, whose = ("has", "its law asks") if len(fields) == 1 else ("have", "their laws ask")
        number = f"{count.max()} condition{'s' if count.max() > 1 else ''}"
        raise BadInput(
            f"'{listing(fields)}' {verb} {number} on {piece.label} at {place(points, there)} ({names}), but {whose}"
            f" for {f'only {most}' if most else 'none'} there; drop {count.max() - most}."
        )


def asked_for(problem: Problem, fields: tuple[str, ...], laws: list[int], axes: tuple[str, ...]) -> tuple[int, int]:
    """(fewest, most) conditions of a group of fields at each point of the boundary: half the order of their laws along
    the axes of the shape; a law of first order may have one where something flows in, and needs none."""
    table = order_table(problem, *axes)
    owner = assigned(table)
    assert owner is not None  # there would be no groups
    columns = [problem.fields.index(name) for name in fields]
    least = sum(int(table[owner[column], column]) for column in columns) // 2
    highest = table[laws][:, columns].clip(0).max(axis=0)
    return least, max(least, int(np.sum(-(-highest // 2))))


def left_free(problem: Problem, fields: tuple[str, ...], points: Points) -> Bool[np.ndarray, " n"]:
    """Where the user said that nothing is known about one of the fields."""
    surfaces = tuple(
        surface
        for condition in problem.conditions
        if isinstance(condition, Free) and (not condition.fields or set(condition.fields) & set(fields))
        for surface in condition.part.surfaces
    )
    return lies_on(surfaces, points, size(problem))


def missing(problem: Problem, fields: tuple[str, ...], piece: Surface, least: int, given: int, where: str) -> str:
    """What is missing, and what to add."""
    which, verb = listing(fields), "needs" if len(fields) == 1 else "need"
    has = "has" if len(fields) == 1 else "have"
    kind = "Value" if given == 0 else "Flux"
    return (
        f"'{which}' {verb} {least} condition{'s' if least != 1 else ''} on {piece.label} but {has} {given or 'none'} at"
        f' {where}; add lf.{kind}(domain.boundary("{piece.label}"), {fields[0]}=...), or'
        f' lf.Free(domain.boundary("{piece.label}"), "{fields[0]}") where the data alone must fix it.'
    )


def check_repeated(problem: Problem, conditions: tuple[SurfaceCondition, ...], points: Points) -> None:
    """The same quantity must not be set twice on one piece."""
    seen: dict[tuple, list[SurfaceCondition]] = {}
    for condition in conditions:
        earlier = seen.setdefault((condition.quantity, condition.normal), [])
        here = condition.holds(points, size(problem))
        for other in earlier:
            twice = here & other.holds(points, size(problem))
            if twice.any():
                raise BadInput(
                    f"{other} is set twice at {place(points, twice)}; contradictory or repeated conditions must be"
                    " merged into one."
                )
        earlier.append(condition)


def place(points: Points, which: Bool[np.ndarray, " n"]) -> str:
    """The first of some points in words."""
    first = int(np.argmax(which))
    return ", ".join(f"{axis}={values[first]:.4g}" for axis, values in points.items())
