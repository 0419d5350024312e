"""Where regions touch: what agrees on both sides."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput, listing, shown
from .._core.names import Symbol, arguments, named
from ..geometry import Part, Regions
from ._conditions import Condition, checked_part

if TYPE_CHECKING:
    from ._model import Model, Point
    from ._problem import Problem


class Continuous(Condition):
    """Quantities are the same on both sides of an interface between two regions:

        Continuous(regions.interface("steel", "wool"), "T", heat=lambda k, T_x: -k * T_x)

    By name: fields, their derivatives, derived quantities. By function, under a label of one's own: anything made of
    the quantities of one side, and of the components n_x, n_y, ... of the unit normal that points out of the first
    region: `heat=lambda k, T_x, T_y, n_x, n_y: -k * (T_x * n_x + T_y * n_y)`. Constants and unknowns that differ by
    region take the value of their side. As many quantities are needed as the law has derivatives across the interface:
    two for conduction. Raises `BadInput` where nothing is named.
    """

    part: Part
    names: tuple[str, ...] = eqx.field(static=True)
    functions: dict[str, Callable]

    def __init__(self, part: Part, /, *names: str, **functions: Callable):
        self.part, self.names, self.functions = checked_part("Continuous", part), names, functions
        if not names and not functions:
            raise BadInput(
                'Continuous names no quantity; write lf.Continuous(interface, "T", heat=lambda k, T_x: -k * T_x).'
            )
        for name in names:
            if not isinstance(name, str):
                raise BadInput(
                    f"Continuous at {part} names {shown(name)}; quantities come by name, functions under a label, such"
                    " as heat=lambda k, T_x: -k * T_x."
                )


class Interface(NamedTuple):
    """One quantity that agrees on both sides of one interface; `part` belongs to the boundary of the first region, and
    normals point out of it."""

    label: str
    function: Callable
    first: str
    second: str
    part: Part

    def __str__(self) -> str:
        return f"{self.label} continuous across {self.part} between {self.first} and {self.second}"

    def symbols(self, problem: Problem) -> dict[str, Symbol]:
        """The quantities behind it, by argument."""
        names = [name for name in arguments(self.function, str(self)) if normal_axis(problem, name) is None]
        return {name: problem.vocabulary.resolve(name, str(self)) for name in names}

    def facing(self, problem: Problem, normal: Mapping[str, Array | np.ndarray]) -> Callable:
        """The function with the components of a normal put in, 0 along axes that it does not name."""
        asked = {name: normal_axis(problem, name) for name in arguments(self.function, str(self))}
        given = {name: normal.get(axis, np.zeros(())) for name, axis in asked.items() if axis is not None}
        return functools.partial(self.function, **given) if given else self.function

    def value(self, model: Model, point: Point, normal: Point) -> Float[Array, ""]:
        """The quantity by the model of one side."""
        problem = model.problem
        return jnp.asarray(self.facing(problem, normal)(**model.evaluate(self.symbols(problem), point)))


def normal_axis(problem: Problem, name: str) -> str | None:
    """The axis of an argument that is a component of the normal, n_x; None for every other one."""
    if name in problem.vocabulary.declared or not name.startswith("n_"):
        return None
    return name[2:] if name[2:] in problem.domain.axes else None


def interfaces(problem: Problem) -> tuple[Interface, ...]:
    """All `Continuous` conditions, one entry for each quantity."""
    found = []
    for condition in problem.conditions:
        if isinstance(condition, Continuous):
            first, second = sides(problem, condition.part)
            functions = {**{name: named(name) for name in condition.names}, **condition.functions}
            found += [Interface(label, each, first, second, condition.part) for label, each in functions.items()]
    return tuple(found)


def sides(problem: Problem, part: Part) -> tuple[str, str]:
    """The regions on both sides of an interface, the one whose boundary it is a part of first."""
    regions = problem.domain
    if not isinstance(regions, Regions):
        raise BadInput(
            f"Continuous at {part} stands on no interface: the domain has no regions; state it as lf.Regions(left=...,"
            " right=...)."
        )
    first = next((name for name in regions.names if part.domain == regions[name]), None)
    if first is None:
        raise BadInput(
            f"Continuous at {part} needs an interface of the problem's own regions ({listing(regions.names)}); take it"
            " with interface(first, second)."
        )
    points = part.sample(16, 0) if part.faces or part.surfaces else {}
    touching = [name for name in regions.names if name != first and bool(regions[name].contains(points).all())]
    if len(touching) != 1:
        raise BadInput(
            f"Continuous at {part} is no interface of '{first}' with one other region; take it with"
            f" interface({first!r}, {(touching or regions.neighbours(first))[0]!r})."
        )
    return first, touching[0]
