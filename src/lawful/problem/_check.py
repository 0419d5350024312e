"""The door: everything that would make a solve meaningless is refused here, with the cure."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from .._core.messages import BadInput, listing, nearest, shown
from ..geometry import Box, Regions
from ._conditions import Free, Periodic
from ._corners import clash, face_points, open_ends, plain_target, target_on
from ._counts import check_counts
from ._coverage import check_boundary, check_pieces
from ._data import Data
from ._faces import FaceCondition
from ._functions import check_functions
from ._meetings import check_meetings
from ._problem import Problem
from ._regional import within
from ._structure import expanded, face_conditions, law_symbols, names_used, periodic_axes
from ._symmetry import Even, Odd, check_symmetry, parities
from ._touching import check_interfaces
from ._walls import surface_conditions


@dataclass(frozen=True)
class Check:
    """What a problem states, in words: `exact` and `penalised` conditions, what is observed, what is to be found."""

    exact: tuple[str, ...]
    penalised: tuple[str, ...]
    observed: tuple[str, ...]
    unknown: tuple[str, ...]

    def __str__(self) -> str:
        rows = {
            "imposed exactly": self.exact,
            "penalised": self.penalised,
            "observed": self.observed,
            "to be found": self.unknown,
        }
        return "\n".join(f"{label:16} {'; '.join(texts) or 'nothing'}" for label, texts in rows.items())


def check(problem: Problem) -> Check:
    """Raise `BadInput` for the first fault found, or return what holds."""
    if not problem.laws:
        raise BadInput('the problem states no law; write laws={"decay": lambda u, u_t, k: u_t + k * u}.')
    check_functions(problem)
    check_laws(problem)
    check_condition_names(problem)
    if isinstance(problem.domain, Regions):
        held = [named(check_conditions(within(problem, name)), name) for name in problem.domain.names]
        held.append(check_interfaces(problem))
    else:
        held = [check_conditions(problem)]
    check_data_names(problem)
    for data in problem.data:
        check_data(problem, data)
    check_unknowns(problem)
    return Check(
        exact=tuple(text for exact, _ in held for text in exact),
        penalised=tuple(text for _, penalised in held for text in penalised),
        observed=tuple(
            f"{listing(k for k in data.columns if k not in problem.domain.axes)} in {len(data)} rows of {data.name}"
            for data in problem.data
        ),
        unknown=tuple(problem.unknowns),
    )


Held = tuple[list[str], list[str]]
"""What is imposed exactly and what is penalised, in words."""


def check_conditions(problem: Problem) -> Held:
    """Too few, too many, contradictory: everything about the conditions of one domain."""
    conditions, walls = face_conditions(problem), surface_conditions(problem)
    check_repeated(problem, conditions)
    check_counts(problem, conditions)
    check_values(problem, conditions)
    check_corners(problem, conditions)
    check_symmetry(problem, conditions)
    check_pieces(problem, walls)
    check_boundary(problem, walls)
    check_meetings(problem, walls, conditions)
    exact = [str(c) for c in (*walls, *conditions) if c.exact] + [
        f"{name} periodic along {axis}" for name in problem.fields for axis in periodic_axes(problem, name)
    ]
    exact += [
        f"{name} {'odd' if sign < 0 else 'even'} about the middle of {axis}"
        for name in problem.fields
        for axis, sign in parities(problem, name).items()
    ]
    return exact, [str(c) for c in (*walls, *conditions) if not c.exact]


def named(held: Held, region: str) -> Held:
    """The same, with the region in which it holds."""
    exact, penalised = ([f"{text}, {region}" for text in texts] for texts in held)
    return exact, penalised


def check_laws(problem: Problem) -> None:
    """Every law must use a field; every field must be in some law."""
    in_laws: set[str] = set()
    for name, symbols in law_symbols(problem).items():
        fields = {base for base, _ in expanded(problem, symbols) if base in problem.fields}
        in_laws |= fields
        if not fields:
            raise BadInput(
                f"law '{name}' uses no field ({listing(problem.fields)}); a law is a residual of the fields, zero where"
                " it holds."
            )
    for name in problem.fields:
        if name not in in_laws:
            raise BadInput(f"field '{name}' occurs in no law; add the law that governs it, or drop it from fields.")


def check_condition_names(problem: Problem) -> None:
    """Conditions must stand on the problem's own domain and name fields of it."""
    own = (problem.domain, *(problem.domain.domains if isinstance(problem.domain, Regions) else ()))
    for condition in problem.conditions:
        if condition.part.domain not in own:
            raise BadInput(
                f"a condition at {condition.part} belongs to another domain; build it from the problem's own"
                " domain.at(...) or domain.boundary(...)."
            )
        if condition.part.surfaces and isinstance(problem.domain, Box):
            raise BadInput(
                f"a condition stands on a part of a face of a Box ({condition.part}); state the domain as a Polygon"
                " times further axes, whose sides can be divided, or give one formula for the whole face."
            )
        if isinstance(condition, Periodic | Free | Odd | Even):
            for name in condition.fields:
                if name not in problem.fields:
                    raise BadInput(
                        f"{type(condition).__name__} names {shown(name)}, which is not a field"
                        f"{nearest(str(name), problem.fields)} Fields: {listing(problem.fields)}."
                    )


def check_repeated(problem: Problem, conditions: tuple[FaceCondition, ...]) -> None:
    """The same quantity must not be set twice on one face."""
    seen: set[tuple] = set()
    for condition in conditions:
        key = (condition.quantity, condition.face)
        if key in seen:
            raise BadInput(f"{condition} is set twice; contradictory or repeated conditions must be merged into one.")
        seen.add(key)
        if condition.face.axis in periodic_axes(problem, condition.field):
            raise BadInput(
                f"{condition} is set although {condition.field} is periodic along {condition.face.axis}; drop"
                " one of the two."
            )


def check_values(problem: Problem, conditions: tuple[FaceCondition, ...]) -> None:
    """Targets must be finite along their face, and close where the field does."""
    for condition in conditions:
        if not plain_target(problem, condition) and condition.robin is None:
            continue
        if not np.all(np.isfinite(target_on(problem, condition, face_points(problem, [condition.face])))):
            raise BadInput(f"the value of {condition} is not finite somewhere on that face; check its formula.")
        for axis in periodic_axes(problem, condition.field):
            if open_ends(problem, condition, axis):
                raise BadInput(
                    f"the value of {condition} differs between the two ends of {axis}, but {condition.field} is"
                    f" periodic along {axis}; make its formula periodic, or drop lf.Periodic."
                )


def check_corners(problem: Problem, conditions: tuple[FaceCondition, ...]) -> None:
    """Where two faces meet, two values of the same field must agree."""
    values = [c for c in conditions if c.exact and c.order == 0]
    for first, second in itertools.combinations(values, 2):
        if first.field != second.field or first.face.axis == second.face.axis:
            continue
        found = clash(problem, first, second)
        if found is not None:
            where = ", ".join(f"{axis}={value:g}" for axis, value in found.place.items())
            chance = f" (they agree for one value of {listing(found.unknown)} only)" if found.unknown else ""
            raise BadInput(
                f"conditions contradict each other at the corner {where}: {first} says {found.first:.6g}, {second} says"
                f" {found.second:.6g}{chance}; make them agree there, for example by a short ramp."
            )


def check_data_names(problem: Problem) -> None:
    """Messages, noise levels and terms of the loss go by the names of the data sets."""
    names = [data.name for data in problem.data]
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise BadInput(
            f"{names.count(repeated[0])} data sets are called '{repeated[0]}'; tell them apart by name=\"...\" in each"
            " lf.Data."
        )


def check_data(problem: Problem, data: Data) -> None:
    axes = problem.domain.axes
    absent = [axis for axis in axes if axis not in data.columns]
    if absent:
        raise BadInput(
            f"{data.name} has no column for the coordinate {listing(absent)}; add it, or rename one of its columns"
            f" ({listing(data.columns)})."
        )
    measured = [key for key in data.columns if key not in axes]
    if not measured:
        raise BadInput(
            f"{data.name} holds coordinates only; add a column with measured values, named like the field"
            f" ({listing(problem.fields)})."
        )
    for key in data.observe:
        if key in axes:
            raise BadInput(f"{data.name}: observe names the coordinate '{key}'; coordinates are where, not what.")
    for key in measured:
        if key not in data.observe:
            check_observed_name(problem, data, key)
    outside = np.flatnonzero(~problem.domain.contains({axis: data.columns[axis] for axis in axes}))
    if outside.size:
        row = outside[0]
        shape = type(problem.domain).__name__
        place = ", ".join(f"{axis} = {data.columns[axis][row]:g}" for axis in axes)
        box = ", ".join("{} in [{:g}, {:g}]".format(axis, *problem.domain.ends(axis)) for axis in axes)
        within = box if isinstance(problem.domain, Box) else f"a {shape} within {box}"
        raise BadInput(
            f"{data.name}: row {row} ({place}) lies outside the domain ({within});"
            f" widen the {shape.lower()} or drop {outside.size} row(s)."
        )


def check_observed_name(problem: Problem, data: Data, key: str) -> None:
    """A measured column must be called like something that can be predicted."""
    known = problem.vocabulary
    try:
        symbol = known.resolve(key, data.name)
    except BadInput:
        raise BadInput(
            f"{data.name}: column '{key}' is neither an axis nor a quantity of the problem"
            f"{nearest(key, known.declared)} Quantities: {listing(known.differentiable)}, axes: {listing(known.axes)};"
            f" rename the column, leave it out, or say what it measures: observe={{'{key}': lambda"
            f" {problem.fields[0]}: ...}}."
        ) from None
    if symbol.base in known.plain:
        raise BadInput(
            f"{data.name}: column '{key}' has the name of a constant or unknown; a known value belongs in constants or"
            " in a prior."
        )


def check_unknowns(problem: Problem) -> None:
    used = names_used(problem)
    for name in (*problem.unknowns, *problem.derived):
        if name not in used:
            raise BadInput(f"'{name}' is declared but no law, condition or observation uses it; use it or drop it.")
    if problem.unknowns and not problem.data:
        raise BadInput(
            f"{listing(problem.unknowns)} cannot be found without data; give data=[...] or move them to constants."
        )
