"""As many quantities agree where regions touch as the laws have derivatives across."""

from __future__ import annotations

import itertools

import numpy as np
from jaxtyping import Bool

from .._core.messages import BadInput, listing
from ..geometry import Part, Regions
from ._coverage import place
from ._interfaces import Interface, interfaces
from ._problem import Problem
from ._structure import assigned, blocks, expanded, order_table
from ._surfaces import Points, lies_on

SOME = 32
"""Points on every interface at which quantities are counted."""


def check_interfaces(problem: Problem) -> tuple[list[str], list[str]]:
    """Refuse interfaces about which too little or too much is said; say what holds: nothing exactly, all penalised."""
    regions, stated = problem.domain, interfaces(problem)
    assert isinstance(regions, Regions)
    for first, second in itertools.combinations(regions.names, 2):
        if second in regions.neighbours(first):
            here = [c for c in stated if {c.first, c.second} == {first, second}]
            for fields, _ in blocks(problem) or []:
                check_pair(problem, fields, regions.interface(first, second), (first, second), here)
    return [], [str(c) for c in stated]


def check_pair(
    problem: Problem, fields: tuple[str, ...], part: Part, pair: tuple[str, str], stated: list[Interface]
) -> None:
    """The order of the laws across the interface is what must agree there, of the fields of one group together."""
    needed, points = order_across(problem, fields, part), part.sample(SOME, 0)
    behind = [c for c in stated if fields_behind(problem, c) & set(fields)]
    count = np.sum([holds(problem, c, points) for c in behind], axis=0) if behind else np.zeros(SOME, dtype=int)
    between = f"on the interface of '{pair[0]}' and '{pair[1]}'"
    whose = "its law has" if len(fields) == 1 else "their laws have"
    if np.any(count < needed):
        few = count < needed
        example = f'lf.Continuous(domain.interface("{pair[0]}", "{pair[1]}"), "{fields[0]}"'
        flux = f", flux=lambda k, {fields[0]}_{problem.domain.axes[0]}: ...)" if needed > 1 else ")"
        raise BadInput(
            f"{needed} quantities of '{listing(fields)}' must agree {between}, as many as {whose} derivatives across,"
            f" but at {place(points, few)} there are {int(count[few].min()) or 'none'}; write {example}{flux}."
        )
    if np.any(count > needed):
        many = count > needed
        raise BadInput(
            f"{int(count[many].max())} quantities of '{listing(fields)}' ({listing(c.label for c in behind)}) agree"
            f" {between}, but {whose} {needed} derivatives across it; drop {int(count[many].max()) - needed}."
        )


def order_across(problem: Problem, fields: tuple[str, ...], part: Part) -> int:
    """The order of the laws of a group of fields along the axes across an interface."""
    axes = tuple({face.axis for face in part.faces}) or part.surfaces[0].carrier.axes
    table = order_table(problem, *axes)
    owner = assigned(table)
    assert owner is not None  # there would be no groups
    return sum(int(table[owner[column], column]) for column in (problem.fields.index(name) for name in fields))


def fields_behind(problem: Problem, interface: Interface) -> set[str]:
    """The fields whose values an interface condition ties together."""
    return {base for base, _ in expanded(problem, interface.symbols(problem)) if base in problem.fields}


def holds(problem: Problem, interface: Interface, points: Points) -> Bool[np.ndarray, " n"]:
    """At which points of an interface a condition stands."""
    part, size = interface.part, max(problem.domain.length(axis) for axis in problem.domain.axes)
    on_faces = [
        np.abs(points[face.axis] - part.domain.ends(face.axis)[face.side]) <= 1e-9 * size for face in part.faces
    ]
    return np.logical_or.reduce([lies_on(part.surfaces, points, size), *on_faces])
