"""A right-hand side as a list of steps, each with its law: what a series expansion walks along, order by order.

A traced program is flattened: calls are followed, loops of fixed length are written out, choices become selections.
What does not depend on the state is computed once, before anything is expanded. Equal steps are made one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, JaxprEqn, Literal
from jax.extend.core import primitives as jp

from .._core.messages import BadInput
from ._laws import Law, moves
from ._operations import law_of, selected, smooth_form

LONGEST_LOOP = 1000  # steps of a loop that is written out


class Step(NamedTuple):
    """One operation: the places of its operands and results among all values."""

    law: Law
    operands: tuple[int, ...]
    results: tuple[int, ...]
    moving: bool
    """Whether the results have coefficients beyond the first."""


class Fixed(NamedTuple):
    """One operation on what is known before the start."""

    function: Callable
    operands: tuple[int, ...]
    results: tuple[int, ...]


class Recipe(NamedTuple):
    """Values are numbered: first the inputs, which are t, the state, the data of the mode, and the parameters."""

    moving: tuple[int, ...]  # t and the leaves of the state
    data: tuple[int, ...]
    fixed: tuple[int, ...]  # parameters, and arrays that the program closed over
    numbers: tuple  # that stand in the program
    number_places: tuple[int, ...]
    prelude: tuple[Fixed, ...]
    steps: tuple[Step, ...]
    outputs: tuple[int, ...]
    unproven: tuple[str, ...]
    """Operations that have no enclosure."""
    foreign: bool
    """Whether it needs linear algebra or the like."""

    @property
    def often(self) -> frozenset[int]:
        """The values whose coefficients are used more than once."""
        uses = [x for step in self.steps for x in step.operands if step.moving and step.law.linear]
        again = {x for i, x in enumerate(uses) if x in uses[:i]}
        return frozenset(again | {x for step in self.steps if not step.law.linear for x in step.operands})


FIXED, STILL, MOVING = range(3)


class Builder:
    """Numbers values and collects steps while a program is walked along."""

    def __init__(self):
        self.kinds: list[int] = []
        self.numbers: list = []
        self.number_places: list[int] = []
        self.arrays: list = []  # that the program closed over
        self.array_places: list[int] = []
        self.prelude: list[Fixed] = []
        self.steps: list[Step] = []
        self.memory: dict = {}
        self.unproven: list[str] = []
        self.foreign = False

    def value(self, kind: int) -> int:
        self.kinds.append(kind)
        return len(self.kinds) - 1

    def number(self, number) -> int:
        place = self.value(FIXED)
        self.numbers.append(number)
        self.number_places.append(place)
        return place

    def array(self, array) -> int:
        place = self.value(FIXED)
        self.arrays.append(array)
        self.array_places.append(place)
        return place

    def kind_of(self, operands: Sequence[int]) -> int:
        return max((self.kinds[x] for x in operands), default=FIXED)

    def emit(self, law: Law, operands: Sequence[int], key=None, results: int = 1, still: bool = False) -> list[int]:
        """A step with a law; `still` where the results never have coefficients beyond the first."""
        known = None if key is None else (key, tuple(operands))
        if known in self.memory:
            return self.memory[known]
        kind = STILL if still else max(STILL, self.kind_of(operands))
        found = [self.value(kind) for _ in range(results)]
        self.steps.append(Step(law, tuple(operands), tuple(found), kind == MOVING))
        if known is not None:
            self.memory[known] = found
        return found

    def settle(self, function: Callable, operands: Sequence[int], results: int) -> list[int]:
        """A step on what is known before the start."""
        found = [self.value(FIXED) for _ in range(results)]
        self.prelude.append(Fixed(function, tuple(operands), tuple(found)))
        return found

    def walk(self, program: ClosedJaxpr, operands: Sequence[int]) -> list[int]:
        """Follow a program; returns the places of its outputs."""
        jaxpr, known = program.jaxpr, {}
        known.update(zip(jaxpr.constvars, map(self.array, program.consts), strict=True))
        known.update(zip(jaxpr.invars, operands, strict=True))

        def read(atom) -> int:
            return self.number(atom.val) if isinstance(atom, Literal) else known[atom]

        for equation in jaxpr.eqns:
            results = self.follow(equation, [read(atom) for atom in equation.invars])
            known.update(zip(equation.outvars, results, strict=True))
        return [read(atom) for atom in jaxpr.outvars]

    def follow(self, equation: JaxprEqn, operands: list[int]) -> list[int]:
        primitive, params = equation.primitive, equation.params
        inner = smooth_form(equation) or inner_program(equation)
        if inner is not None:
            return self.walk(inner, operands[len(operands) - len(inner.jaxpr.invars) :])
        if self.kind_of(operands) == FIXED:
            bind = lambda *values: listed(primitive.bind(*values, **params), primitive.multiple_results)
            return self.settle(bind, operands, len(equation.outvars))
        if primitive is jp.scan_p:
            return self.loop(equation, operands)
        if primitive is jp.cond_p:
            return self.choice(equation, operands)
        return law_of(self, equation, operands)

    def loop(self, equation: JaxprEqn, operands: list[int]) -> list[int]:
        """A loop of fixed length, written out."""
        params = equation.params
        length, first = params["length"], params["num_consts"]
        last = first + params["num_carry"]
        if length > LONGEST_LOOP:
            raise BadInput(
                f"the right-hand side holds a loop of {length} steps; up to {LONGEST_LOOP} are expanded: write it with"
                " array operations, or use method=lf.Diffrax()."
            )
        consts, carry, columns = operands[:first], operands[first:last], operands[last:]
        rows: list[list[int]] = []
        for i in reversed(range(length)) if params["reverse"] else range(length):
            row = [self.entry(column, i) for column in columns]
            outputs = self.walk(params["jaxpr"], [*consts, *carry, *row])
            carry = outputs[: last - first]
            rows.append(outputs[last - first :])
        if params["reverse"]:
            rows.reverse()
        return [*carry, *(self.stacked(list(column)) for column in zip(*rows, strict=True))]

    def entry(self, column: int, i: int) -> int:
        pick = lambda x: x[i]
        if self.kinds[column] == FIXED:
            return self.settle(lambda x: [pick(x)], [column], 1)[0]
        return self.emit(moves(pick), [column], ("entry", i))[0]

    def stacked(self, parts: list[int]) -> int:
        stack = lambda *xs: jnp.stack(xs)
        if self.kind_of(parts) == FIXED:
            return self.settle(lambda *xs: [stack(*xs)], parts, 1)[0]
        return self.emit(moves(stack), parts, "stack")[0]

    def choice(self, equation: JaxprEqn, operands: list[int]) -> list[int]:
        """Every branch is followed, and the results of one are taken."""
        index, rest = operands[0], operands[1:]
        branches = [self.walk(program, rest) for program in equation.params["branches"]]
        return [selected(self, index, list(cases)) for cases in zip(*branches, strict=True)]


def inner_program(equation: JaxprEqn) -> ClosedJaxpr | None:
    """The program behind a call, in a form whose derivatives are the function's own."""
    primitive, params = equation.primitive, equation.params
    if primitive in (jp.jit_p, jp.closed_call_p):
        return params["jaxpr"] if primitive is jp.jit_p else params["call_jaxpr"]
    if primitive in (jp.custom_jvp_call_p, jp.custom_vjp_call_p):
        return params["call_jaxpr"]
    if primitive is jp.remat_p:
        return ClosedJaxpr(params["jaxpr"], ())
    return None


def listed(results, several: bool) -> list:
    return list(results) if several else [results]


def recipe_of(program: ClosedJaxpr, states: int, data: int) -> tuple[Recipe, list]:
    """The recipe of a program of t, `states` leaves of the state, `data` leaves of the mode, and parameters.

    The arrays that the program closed over are returned apart: they are parameters too, after the others.
    """
    builder = Builder()
    count = len(program.jaxpr.invars)
    kinds = [MOVING] * (1 + states) + [STILL] * data + [FIXED] * (count - 1 - states - data)
    places = [builder.value(kind) for kind in kinds]
    outputs = builder.walk(program, places)
    steps = needed(builder.steps, outputs)
    recipe = Recipe(
        tuple(places[: 1 + states]),
        tuple(places[1 + states : 1 + states + data]),
        (*places[1 + states + data :], *builder.array_places),
        tuple(builder.numbers),
        tuple(builder.number_places),
        tuple(builder.prelude),
        steps,
        tuple(outputs),
        tuple(dict.fromkeys(builder.unproven)),
        builder.foreign,
    )
    return recipe, builder.arrays


def needed(steps: list[Step], outputs: Sequence[int]) -> tuple[Step, ...]:
    """Without the steps whose results nobody uses."""
    wanted, kept = set(outputs), []
    for step in reversed(steps):
        if wanted & set(step.results):
            wanted |= set(step.operands)
            kept.append(step)
    return tuple(reversed(kept))
