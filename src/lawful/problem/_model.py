"""A problem with everything filled in: named quantities at a point."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.names import Partial, Symbol
from ..calculus import partials
from ..geometry import Regions
from ._problem import Problem
from ._robin import under_own_names
from ._unknowns import axes_of, field_value

Point = Mapping[str, Float[Array | np.ndarray, ""]]
Raw = Mapping[str, Float[Array, "..."]]


class Model(eqx.Module):
    """Fields as functions of a point, and unknowns as raw numbers: enough to evaluate any law anywhere.

    `fields(**point)` returns a dict with a scalar for each field. Everything here is pointwise; batches come by vmap.
    """

    problem: Problem
    fields: Callable[..., dict[str, Float[Array, ""]]]
    raw: Raw

    def scalars(self, point: Point) -> dict[str, Array | np.ndarray]:
        """Constants and the values of scalar and vector unknowns, those of the region that the point lies in."""
        return known_at_point(self.problem, {**self.problem.constants, **scalar_values(self.problem, self.raw)}, point)

    def continuous(self, **point: Float[Array, ""]) -> dict[str, Float[Array, ""]]:
        """Fields and unknown fields at a point."""
        return {**self.fields(**point), **unknown_field_values(self.problem, self.raw, point)}

    def evaluate(self, symbols: dict[str, Symbol], point: Point) -> dict[str, Array | np.ndarray]:
        """The value behind each name, all derivatives of the fields in one evaluation with shared work."""
        problem = self.problem
        plain = {**self.scalars(point), **point}
        wanted: dict[str, set[Partial]] = {}
        for symbol in symbols.values():
            if symbol.base not in plain:
                wanted.setdefault(symbol.base, set()).add(symbol.partial)
        base = {name: orders for name, orders in wanted.items() if name not in problem.derived}
        found: dict[str, dict[Partial, Array]] = {}
        if base:
            orders = tuple(sorted(set().union(*base.values()), key=lambda p: (len(p), p)))
            values = partials(self.continuous, orders)(**point)
            found = {name: {partial: values[partial][name] for partial in base[name]} for name in base}
        for name in wanted.keys() & problem.derived.keys():
            found[name] = partials(lambda _name=name, **p: self.call(problem.derived[_name], p), tuple(wanted[name]))(
                **point
            )
        return {
            argument: plain[symbol.base] if symbol.base in plain else found[symbol.base][symbol.partial]
            for argument, symbol in symbols.items()
        }

    def call(self, function: Callable, point: Point) -> Array:
        """A function of named quantities at a point."""
        symbols = self.problem.vocabulary.resolve_all(function, getattr(function, "__name__", "function"))
        return function(**self.evaluate(symbols, point))

    def quantity(self, name: str, point: Point) -> Array | np.ndarray:
        """One named quantity, derivative names included."""
        symbol = self.problem.vocabulary.resolve(name, "the quantity")
        return self.evaluate({name: symbol}, point)[name]


def known_at_point(
    problem: Problem, known: Mapping[str, Array | np.ndarray], point: Point
) -> dict[str, Array | np.ndarray]:
    """Constants and unknowns under the names that laws use, of the region that the point lies in."""
    if not isinstance(problem.domain, Regions):
        return under_own_names(problem, known)
    if not problem.regional:
        return dict(known)
    place = problem.domain.index(**{axis: jnp.asarray(point[axis]) for axis in problem.domain.axes})
    found = {name: jnp.stack([jnp.asarray(known[key]) for key in keys])[place] for name, keys in problem.regional}
    return {**known, **found}


def scalar_values(problem: Problem, raw: Raw) -> dict[str, Array]:
    """The unknown numbers and arrays of numbers in their own units, from the raw ones that an optimiser moves."""
    return {name: problem.unknowns[name].value(raw[name]) for name in problem.unknown_scalars}


def unknown_field_values(problem: Problem, raw: Raw, point: Point) -> dict[str, Array]:
    """Unknown fields at a point (their coordinate may also be an array of places when vmapped outside)."""
    values = {}
    for name in problem.unknown_fields:
        unknown = problem.unknowns[name]
        values[name] = field_value(unknown, raw[name], shares(problem.ends, axes_of(unknown), point))
    return values


def shares(ends: Callable[[str], tuple[float, float]], axes: tuple[str, ...], point: Point) -> dict[str, Array]:
    """Coordinates as fractions of their axes, whose ends are given by a function."""
    found = {}
    for axis in axes:
        lower, upper = ends(axis)
        found[axis] = (point[axis] - lower) / (upper - lower)
    return found
