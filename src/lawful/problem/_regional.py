"""Problems on several regions: the problem that each region is by itself."""

from __future__ import annotations

from .._core.messages import BadInput
from ..geometry import Part, Regions
from ._conditions import Condition, Flux, Free, Periodic, Value
from ._faces import FaceCondition
from ._interfaces import Continuous
from ._problem import Problem, changed
from ._structure import face_conditions
from ._symmetry import Even, Odd


def within(problem: Problem, name: str) -> Problem:
    """The problem of one region: its laws and conditions with the constants of the region, without data. Where it
    touches other regions nothing is stated."""
    regions = problem.domain
    assert isinstance(regions, Regions)
    own, place = regions[name], regions.names.index(name)
    conditions = [c for condition in problem.conditions for c in restated(regions, condition, name)]
    conditions += [Free(regions.interface(name, other)) for other in regions.neighbours(name)]
    return changed(
        problem,
        domain=own,
        conditions=tuple(conditions),
        regional=tuple((base, (keys[place],)) for base, keys in problem.regional),
        data=(),
        extent=tuple((axis, regions.ends(axis)) for axis in regions.axes),
    )


def all_face_conditions(problem: Problem) -> tuple[FaceCondition, ...]:
    """Those on the faces of a domain, or of each of its regions."""
    if not isinstance(problem.domain, Regions):
        return face_conditions(problem)
    return tuple(
        condition._replace(region=name)
        for name in problem.domain.names
        for condition in face_conditions(within(problem, name))
    )


def restated(regions: Regions, condition: Condition, name: str) -> list[Condition]:
    """What a condition says on the boundary of one region."""
    if isinstance(condition, Continuous):
        return []
    if condition.part.domain not in (regions, regions[name]):
        return []
    part = regions.within(condition.part, name)
    if not (part.faces or part.surfaces):
        return []
    if isinstance(condition, Value | Flux):
        return [moved(condition, part)]
    if isinstance(condition, Free):
        return [Free(part, *condition.fields)]
    assert isinstance(condition, Periodic | Odd | Even)
    if len(part.faces) != 2:
        kind, axis = type(condition).__name__, part.faces[0].axis
        raise BadInput(
            f"{kind} along {axis} reaches over several regions; that is possible only along axes on which every region"
            " has both ends."
        )
    return [type(condition)(part, *condition.fields)]


def moved(condition: Value | Flux, part: Part) -> Value | Flux:
    """The same on another part."""
    return type(condition)(part, **condition.targets)
