"""As many conditions along each axis as the laws have derivatives there."""

from __future__ import annotations

from .._core.messages import BadInput, listing
from .._core.names import join_derivative
from ._faces import FaceCondition
from ._problem import Problem
from ._structure import blocks, expanded, is_free, needed_conditions, order_table, periodic_axes
from ._surfaces import SurfaceCondition


def check_counts(problem: Problem, conditions: tuple[FaceCondition, ...]) -> None:
    """Too few leave the answer open, too many leave none. Fields that determine each other are counted together."""
    groups = blocks(problem)
    if groups is None:
        check_determined(problem)
        return
    for axis in straight_axes(problem):
        here = [c for c in conditions if c.face.axis == axis]
        for fields, laws in groups:
            check_block(problem, axis, fields, laws, here)


def straight_axes(problem: Problem) -> tuple[str, ...]:
    """The axes with two ends: all of a box, those of the box that a shape is multiplied by."""
    pieces = problem.domain.boundary().surfaces
    shape = pieces[0].carrier.axes if pieces else ()
    return tuple(axis for axis in problem.domain.axes if axis not in shape)


def check_block(
    problem: Problem, axis: str, fields: tuple[str, ...], laws: list[int], here: list[FaceCondition]
) -> None:
    needed = needed_conditions(problem, axis) or {}
    open_fields = [name for name in fields if axis not in periodic_axes(problem, name)]
    if not open_fields or any(is_free(problem, name, axis) for name in fields):
        return
    count = sum(needed[name] for name in open_fields)
    behind = [c for c in here if fields_behind(problem, c) & set(open_fields)]
    if len(behind) < count:
        raise BadInput(missing_condition(problem, open_fields, axis, needed, behind))
    # Initial values of all velocities are given, although continuity leaves fewer of them free.
    columns = [problem.fields.index(name) for name in open_fields]
    most = max(count, int(order_table(problem, axis)[laws][:, columns].clip(0).max(axis=0).sum()))
    direct = [c for c in behind if fields_behind(problem, c) <= set(open_fields)]
    if len(direct) > most:
        whose = "its law has" if len(open_fields) == 1 else "their laws have"
        number = f"only {most} derivative{'s' if most != 1 else ''}" if most else "no derivative"
        verb = "has" if len(open_fields) == 1 else "have"
        raise BadInput(
            f"'{listing(open_fields)}' {verb} {len(direct)} condition{'s' if len(direct) != 1 else ''} along {axis}"
            f" ({listing(map(str, direct))}), but {whose} {number} there; drop {len(direct) - most}."
        )


def check_determined(problem: Problem) -> None:
    """Where laws and fields cannot be paired, something else must tell about the fields."""
    if len(problem.laws) < len(problem.fields) and not problem.data:
        laws = f"{len(problem.laws)} law{'s' if len(problem.laws) != 1 else ''}"
        raise BadInput(
            f"{laws} cannot determine {len(problem.fields)} fields ({listing(problem.fields)}) without data; add the"
            " missing law, or data=[...] that observe them."
        )


def fields_behind(problem: Problem, condition: FaceCondition | SurfaceCondition) -> set[str]:
    """The fields that a condition restrains, through derived quantities."""
    return {base for base, _ in expanded(problem, {"it": condition.quantity}) if base in problem.fields}


def missing_condition(
    problem: Problem, fields: list[str], axis: str, needed: dict[str, int], here: list[FaceCondition]
) -> str:
    """What is missing, for the field of the block that lacks most, and what to add."""
    mine = {name: [c for c in here if name in fields_behind(problem, c)] for name in fields}
    name = max(fields, key=lambda field: needed[field] - len(mine[field]))
    count, ends = needed[name], [f"{end:.13g}" for end in problem.domain.ends(axis)]
    taken = {(c.face.side, c.order) for c in mine[name]}
    free = [(0, 0)]
    if (0, 0) in taken or count == 0:
        # A second value belongs at the other end, or is the rate at the same: the lowest order that is free.
        lowest = [next(order for order in range(count + 2) if (side, order) not in taken) for side in (0, 1)]
        free = [(0, lowest[0]), (1, lowest[1])] if count > 1 else [(0, lowest[0])]
        free = [(side, order) for side, order in free if order < max(count, 1)]
    added = [
        f"lf.Value(domain.at({axis}={ends[side]}), {join_derivative(name, (axis,) * order, problem.domain.axes)}=...)"
        for side, order in free
    ]
    total = sum(needed[field] for field in fields)
    whole = f" ({listing(fields)} together need {total} and have {len(here)})" if len(fields) > 1 else ""
    return (
        f"'{name}' needs {count} condition{'s' if count != 1 else ''} along {axis} but has {len(mine[name])}{whole};"
        f' add {" or ".join(added)}, or lf.Free(domain.at({axis}={ends[0]}), "{name}") where the data alone must fix'
        " it."
    )
