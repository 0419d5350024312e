"""The structure of a problem, read from names alone: which derivatives occur, how many conditions are needed, and
which conditions a construction can impose exactly."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from .._core.messages import BadInput
from .._core.names import Partial, Symbol, arguments
from .._core.once import once_for_each
from ..geometry import Face
from ._conditions import Flux, Free, Periodic, Value
from ._corners import clash, commute
from ._faces import FaceCondition
from ._interfaces import interfaces
from ._problem import Problem
from ._robin import is_plain, robin_argument

Symbols = dict[str, Symbol]


def law_symbols(problem: Problem) -> dict[str, Symbols]:
    """For each law what its arguments mean: fields, derivatives, coordinates, constants, unknowns. Raises `BadInput`
    for a name that nothing declares, with the nearest one that is."""
    return {name: problem.vocabulary.resolve_all(law, f"law '{name}'") for name, law in problem.laws.items()}


def expanded(problem: Problem, symbols: Symbols) -> set[tuple[str, Partial]]:
    """The (field, partial) pairs behind a function's arguments, derived quantities followed to the fields they use."""
    found: set[tuple[str, Partial]] = set()
    for symbol in symbols.values():
        if symbol.base in problem.derived:
            inner = problem.vocabulary.resolve_all(problem.derived[symbol.base], f"derived quantity '{symbol.base}'")
            found |= {(base, tuple(sorted(partial + symbol.partial))) for base, partial in expanded(problem, inner)}
        else:
            found.add((symbol.base, symbol.partial))
    return found


def order_table(problem: Problem, *axes: str) -> np.ndarray:
    """Highest derivative along `axes`, counted together, of each field (columns) in each law (rows); -1 where the law
    lacks the field."""
    table = np.full((len(problem.laws), len(problem.fields)), -1)
    for row, symbols in enumerate(law_symbols(problem).values()):
        for base, partial in expanded(problem, symbols):
            if base in problem.fields:
                column = problem.fields.index(base)
                table[row, column] = max(table[row, column], sum(axis in axes for axis in partial))
    return table


def assigned(score: np.ndarray) -> np.ndarray | None:
    """For each field (column) the law (row) that determines it: the pairing with the highest total score.

    None where laws and fields differ in number or some field cannot be paired with a law that contains it (-1).
    """
    if score.shape[0] != score.shape[1]:
        return None
    rows, columns = linear_sum_assignment(np.where(score < 0, -1e6, score), maximize=True)
    return None if score[rows, columns].min() < 0 else rows[np.argsort(columns)]


def matching(problem: Problem) -> dict[str, str] | None:
    """Which field each law determines: the pairing with the highest total order, over all axes at once.

    Of pairings with equal totals the one with the highest single orders: v = u_t and v_t = u_xx leave u to the second
    law, whose boundary conditions it has. None where laws and fields differ in number or some field cannot be paired
    with a law that contains it.
    """
    tables = np.stack([order_table(problem, axis) for axis in problem.domain.axes])
    score = np.where(tables[0] < 0, -1.0, tables.sum(axis=0) + 1e-3 * (tables**2).sum(axis=0))
    laws, owner = list(problem.laws), assigned(score)
    return None if owner is None else {name: laws[row] for name, row in zip(problem.fields, owner, strict=True)}


def needed_conditions(problem: Problem, axis: str) -> dict[str, int] | None:
    """How many conditions each field needs along an axis: the order of the law that determines it there.

    Laws are paired with fields for each axis by itself, so that the numbers add up to what the system needs; in a
    coupled system only their sum over the fields of a block is meaningful (see `blocks`). For one law and one field it
    is the order of the law. Source: Pryce, BIT 41, 364 (2001), whose structural index counts in the same way.
    """
    table = order_table(problem, axis)
    owner = assigned(table)
    if owner is None:
        return None
    return {name: int(table[owner[column], column]) for column, name in enumerate(problem.fields)}


def blocks(problem: Problem) -> list[tuple[tuple[str, ...], list[int]]] | None:
    """The groups of fields that determine each other, with the rows of their laws; None where `matching` is None."""
    table = order_table(problem, problem.domain.axes[0])
    owner = assigned(table)
    if owner is None:
        return None
    # Field j leads to field k where the law of j contains k; fields on a circle are solved for together.
    count, group = connected_components(csr_array(table[owner] >= 0), directed=True, connection="strong")
    members = [np.flatnonzero(group == g) for g in range(count)]
    return [(tuple(problem.fields[i] for i in found), [int(owner[i]) for i in found]) for found in members]


def stated(problem: Problem) -> list[tuple[Value | Flux, Symbol, Callable, str]]:
    """Everything that `Value` and `Flux` set: (condition, quantity, target, where in words)."""
    found = []
    for condition in problem.conditions:
        for name, target in condition.targets.items() if isinstance(condition, Value | Flux) else ():
            symbol = problem.vocabulary.resolve(name, f"{type(condition).__name__} at {condition.part}")
            if symbol.base not in problem.fields and symbol.base not in problem.derived:
                raise BadInput(
                    f"{type(condition).__name__} at {condition.part} sets '{name}', which is not a field or a"
                    " derived quantity."
                )
            found.append((condition, symbol, target, f"the value of '{name}' at {condition.part}"))
    return found


@once_for_each
def face_conditions(problem: Problem) -> tuple[FaceCondition, ...]:
    """All `Value` and `Flux` conditions, one entry for each face and quantity."""
    found = []
    for condition, symbol, target, where in stated(problem):
        for face in condition.part.faces:
            sign, quantity = 1.0, symbol
            if isinstance(condition, Flux):
                sign = 1.0 if face.side else -1.0
                quantity = Symbol(symbol.base, tuple(sorted((*symbol.partial, face.axis))))
            found.append(face_condition(problem, quantity, face, target, sign, where))
    found = [robin_beside_value(c, found) for c in found]
    losers = penalised_at_corners(problem, found)
    return tuple(c._replace(exact=False) if c in losers else c for c in found)


def face_condition(
    problem: Problem, quantity: Symbol, face: Face, target: Callable, sign: float, where: str
) -> FaceCondition:
    """A condition with what its target allows: exact where it is plain, or linear in the field for a derivative."""
    used = problem.vocabulary.resolve_all(target, where)
    exact = quantity.base in problem.fields and all(axis == face.axis for axis in quantity.partial)
    robin = None
    if exact and not all(is_plain(problem, symbol) for symbol in used.values()):
        robin = robin_argument(problem, quantity.base, target, where) if len(quantity.partial) == 1 else None
        exact = robin is not None
    return FaceCondition(quantity, face, target, sign, exact, robin)


def robin_beside_value(condition: FaceCondition, conditions: list[FaceCondition]) -> FaceCondition:
    """Where the value is given at the same end, b + c u is penalised: its construction needs the value to be free."""
    fixed = {(c.field, c.face) for c in conditions if c.order == 0}
    if condition.robin is not None and (condition.field, condition.face) in fixed:
        return condition._replace(exact=False, robin=None)
    return condition


def penalised_at_corners(problem: Problem, conditions: list[FaceCondition]) -> list[FaceCondition]:
    """Conditions that cannot hold exactly because a derivative disagrees with another condition where faces meet.

    A heat flux that is switched on at the start, u = 0 at t = 0 and u_x = q at x = 0: near the corner no smooth field
    meets both, and a construction would spoil one of them along its whole face. The initial condition stays exact (the
    one on an axis with conditions at one end only), of others the one of lower order. Values that disagree are refused
    by `check`.
    """
    losers = []
    exact = [c for c in conditions if c.exact]
    for first, second in itertools.combinations(exact, 2):
        if first.field != second.field or first.face.axis == second.face.axis or not first.order + second.order:
            continue
        if not commute(problem, first, second) or clash(problem, first, second) is not None:
            losers.append(max(first, second, key=lambda c: (two_sided(exact, c), c.order)))
    return losers


def two_sided(conditions: list[FaceCondition], condition: FaceCondition) -> bool:
    """Whether the field has conditions at both ends of the condition's axis."""
    axis = condition.face.axis
    return len({c.face.side for c in conditions if c.field == condition.field and c.face.axis == axis}) == 2


def periodic_axes(problem: Problem, name: str) -> tuple[str, ...]:
    """The axes along which a field is periodic."""
    closed = {
        condition.part.faces[0].axis
        for condition in problem.conditions
        if isinstance(condition, Periodic) and (not condition.fields or name in condition.fields)
    }
    return tuple(axis for axis in problem.domain.axes if axis in closed)


def is_free(problem: Problem, name: str, axis: str) -> bool:
    """Whether the user said that nothing is known about a field at some end of an axis."""
    return any(
        isinstance(condition, Free)
        and (not condition.fields or name in condition.fields)
        and any(face.axis == axis for face in condition.part.faces)
        for condition in problem.conditions
    )


def names_used(problem: Problem) -> set[str]:
    """Every declared name that a law, a derived quantity, a condition or an observation uses."""
    stated = [c for c in problem.conditions if isinstance(c, Value | Flux)]
    functions = [*problem.laws.values(), *problem.derived.values()]
    functions += [target for condition in stated for target in condition.targets.values()]
    functions += [f for data in problem.data for f in data.observe.values()]
    names = {name for function in functions for name in arguments(function, "a function")}
    names |= {name for condition in stated for name in condition.targets}
    for data in problem.data:
        names |= set(data.columns) - set(data.observe) - set(problem.domain.axes)
    bases = {problem.vocabulary.resolve(name, "a function").base for name in names}
    bases |= {symbol.base for interface in interfaces(problem) for symbol in interface.symbols(problem).values()}
    return bases | {key for name, keys in problem.regional if name in bases for key in keys}
