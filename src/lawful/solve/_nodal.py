"""Laws on a grid: every named quantity as its values at the nodes, at one time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PyTree

from .._core.messages import BadInput
from .._core.names import Partial, Symbol
from ..calculus import partials
from ..geometry import Regions
from ..problem import FaceCondition, Model, Problem, expanded, scalar_values, unknown_field_values
from ._grid import Grid
from ._joints import joint_orders, joint_rows, junction_rows
from ._layers import Junction, Row, region_at_nodes, row_of

Levels = dict[str, list[Float[Array, "*grid"]]]
"""For each field its values and its derivatives along the marching axis, up to the order of its law."""


class Nodal(eqx.Module):
    """Named quantities on the grid at one time; space derivatives by spectral differentiation.

    `march` is the axis that is stepped along, None for a steady problem.
    """

    problem: Problem
    grid: Grid
    march: str | None = eqx.field(static=True)
    raw: dict[str, Array]
    time: Float[Array, ""]
    levels: Levels
    slopes: dict[tuple[str, Partial], Float[Array, "*grid"]] | None = None
    """Derivatives of fields at rest, where they are given instead of being taken from the levels."""

    def slope(self, name: str, partial: Partial) -> Float[Array, "*grid"]:
        """A derivative of a field along axes of the grid."""
        if self.slopes is not None:
            return self.slopes[name, partial]
        return self.along_axes(self.levels[name][0], partial)

    def along_axes(self, values: Float[Array, "*grid"], partial: Partial) -> Float[Array, "*grid"]:
        for axis in sorted(set(partial) - {self.march}):
            values = self.grid.differentiate(values, axis, partial.count(axis))
        return values

    def symbol(self, symbol: Symbol) -> Array:
        """The quantity behind a symbol: an array on the grid, or a plain number or vector."""
        problem, base = self.problem, symbol.base
        if self.is_composed(symbol):
            return self.by_chain_rule(
                lambda model, point: jnp.asarray(model.evaluate({"it": symbol}, point)["it"]), {"it": symbol}
            )
        if base in self.by_region:
            known = {**problem.constants, **scalar_values(problem, self.raw)}
            values = jnp.stack([jnp.asarray(known[key]) for key in self.by_region[base]])
            return values[region_at_nodes(problem.domain, self.grid)]
        if base in problem.constants:
            return jnp.asarray(problem.constants[base])
        if base in problem.unknown_scalars:
            return scalar_values(problem, self.raw)[base]
        if base in problem.domain.axes:
            return (
                jnp.broadcast_to(self.time, self.grid.shape)
                if base == self.march
                else jnp.asarray(self.grid.points()[base])
            )
        if base in problem.unknown_fields:
            return self.unknown_field(symbol)
        in_time = symbol.partial.count(self.march) if self.march else 0
        if base in problem.derived:
            return self.along_axes(self.derived(base, in_time), symbol.partial)
        return (
            self.along_axes(self.levels[base][in_time], symbol.partial) if in_time else self.slope(base, symbol.partial)
        )

    @property
    def by_region(self) -> dict[str, tuple[str, ...]]:
        """Constants and unknowns that differ by region, with the name of each region's."""
        return dict(self.problem.regional)

    def derived(self, name: str, in_time: int) -> Float[Array, "*grid"]:
        """A derived quantity at the nodes; its rate by the chain rule through the quantities that it uses."""
        function = self.problem.derived[name]
        if in_time == 0:
            return self.call(function)
        if in_time > 1:
            raise BadInput(
                f"Collocation takes one derivative of the derived quantity '{name}' along {self.march}, but the"
                f" laws use {in_time};"
                " write the law with derivatives of the fields, or use method=lf.Neural()."
            )
        symbols = self.problem.vocabulary.resolve_all(function, f"derived quantity '{name}'")
        moving = {
            a: s
            for a, s in symbols.items()
            if s.base not in self.problem.vocabulary.plain and s.base not in self.grid.axes
        }
        fixed = {a: self.symbol(s) for a, s in symbols.items() if a not in moving}

        def of_moving(values: dict[str, Array]) -> Array:
            return self.on_nodes(function, {**fixed, **values}, symbols)

        assert self.march is not None
        rates = {
            a: jnp.ones(self.grid.shape) if s.base == self.march else self.symbol(later(s, self.march))
            for a, s in moving.items()
        }
        return jax.jvp(of_moving, ({a: self.symbol(s) for a, s in moving.items()},), (rates,))[1]

    def is_composed(self, symbol: Symbol) -> bool:
        """Whether it is a derivative along an axis of the grid of a derived quantity, at rest. Not among regions: a
        point where two of them touch is in neither, the two nodes there are."""
        moves = self.march is not None and self.march in symbol.partial
        among = isinstance(self.problem.domain, Regions)
        return symbol.base in self.problem.derived and bool(symbol.partial) and not moves and not among

    def call(self, function: Callable) -> Float[Array, "*grid"]:
        """A pointwise function of named quantities, at every node."""
        symbols = self.problem.vocabulary.resolve_all(function, getattr(function, "__name__", "function"))
        resting = self.march is None or not any(self.march in s.partial for s in symbols.values())
        if resting and any(self.is_composed(s) for s in symbols.values()):
            return self.by_chain_rule(lambda model, point: model.call(function, point), symbols)
        return self.on_nodes(function, {a: self.symbol(s) for a, s in symbols.items()}, symbols)

    def by_chain_rule(
        self, quantity: Callable[[Model, dict[str, Array]], Array], symbols: dict[str, Symbol]
    ) -> Float[Array, "*grid"]:
        """A quantity that depends on derivatives of derived ones, from the derivatives of the fields at each node.

        The values of a derived quantity at the nodes could be differentiated like a field's, but the polynomial through
        them knows nothing between the nodes: where a formula brings in what no polynomial follows, such as the corner
        of a cavity, all digits would be lost.
        """
        found = below(expanded(self.problem, symbols), self.problem.fields)
        local = {
            name: {p: self.symbol(Symbol(name, p)).ravel() for p in sorted(parts)} for name, parts in found.items()
        }
        points = {axis: values.ravel() for axis, values in self.grid.points().items()}
        if self.march:
            points[self.march] = jnp.broadcast_to(self.time, (math.prod(self.grid.shape),))

        held, fixed = eqx.partition(self.problem, eqx.is_array)  # traced, if at all, as arguments: not closed over

        def one(here: tuple[dict, dict], everywhere: tuple[dict, dict], held: Problem) -> Float[Array, ""]:
            (point, local), (raw, constants) = here, everywhere
            whole = eqx.combine(held, fixed)
            problem = eqx.tree_at(lambda problem: problem.constants, whole, constants)

            def fields(**place: Array) -> dict[str, Array]:
                return {name: taylor_polynomial(slopes, point, place) for name, slopes in local.items()}

            return jnp.asarray(quantity(Model(problem, fields, raw), point))

        constants = {name: jnp.asarray(value) for name, value in self.problem.constants.items()}
        return over_nodes(one, (points, local), (self.raw, constants), held).reshape(self.grid.shape)

    def on_nodes(
        self, function: Callable, values: dict[str, Array], symbols: dict[str, Symbol]
    ) -> Float[Array, "*grid"]:
        numbers = set(self.problem.vocabulary.plain) - set(self.by_region)
        plain = {a: v for a, v in values.items() if symbols[a].base in numbers}
        nodal = {a: jnp.broadcast_to(v, self.grid.shape).ravel() for a, v in values.items() if a not in plain}
        if not nodal:
            return jnp.broadcast_to(jnp.asarray(function(**plain)), self.grid.shape)
        pointwise = jax.vmap(lambda arguments: jnp.asarray(function(**plain, **arguments)))(nodal)
        return pointwise.reshape(self.grid.shape)

    def unknown_field(self, symbol: Symbol) -> Float[Array, "*grid"]:
        points: dict[str, Array | np.ndarray] = {axis: values.ravel() for axis, values in self.grid.points().items()}
        count = next(iter(points.values())).size if points else 1
        if self.march:
            points[self.march] = jnp.broadcast_to(self.time, (count,))

        def at(point: dict[str, Array | np.ndarray]) -> Array:
            def everything(**place: Array) -> dict[str, Array]:
                return unknown_field_values(self.problem, self.raw, place)

            return partials(everything, (symbol.partial,))(**point)[symbol.partial][symbol.base]

        return jax.vmap(at)(points).reshape(self.grid.shape)

    def residuals(
        self, pairs: dict[str, str], boundary: tuple[FaceCondition, ...], junctions: tuple[Junction, ...]
    ) -> dict[str, Float[Array, "*grid"]]:
        """For each field the residual of the law that determines it, with jumps at the joints of elements and boundary
        conditions in place of the outermost rows. `pairs` maps field to law."""
        return self.bounded(self.jointed(self.laws(pairs), junctions), pairs, boundary)

    def laws(self, pairs: dict[str, str]) -> dict[str, Float[Array, "*grid"]]:
        """For each field the residual of its law at every node."""
        return {name: self.call(self.problem.laws[law]) for name, law in pairs.items()}

    def jointed(
        self, found: dict[str, Float[Array, "*grid"]], junctions: tuple[Junction, ...]
    ) -> dict[str, Float[Array, "*grid"]]:
        """The rows of every field with the jumps at the joints in their places, where regions touch those of what
        agrees there."""
        for place, axis in enumerate(self.grid.axes):
            if self.grid.lines[place].elements > 1:
                orders = joint_orders(self.problem, axis)
                found = {
                    name: joint_rows(rows, self.levels[name][0], self.grid, place, orders[name])
                    for name, rows in found.items()
                }
        for junction in junctions:
            function = junction.interface.facing(self.problem, {self.row.axis: np.asarray(junction.sign)})
            values = self.call(function) / junction.size
            rows = found[junction.owner]
            found = {
                **found,
                junction.owner: junction_rows(
                    rows, values, self.grid, self.grid.axes.index(self.row.axis), junction.border, junction.order
                ),
            }
        return found

    @property
    def row(self) -> Row:
        row = row_of(self.problem.domain)
        assert row is not None
        return row

    def where(self, condition: FaceCondition) -> Bool[Array, "*grid"] | None:
        """The nodes of the region that a condition is about; None where there is only one."""
        if condition.region is None:
            return None
        assert isinstance(self.problem.domain, Regions)
        return region_at_nodes(self.problem.domain, self.grid) == self.problem.domain.names.index(condition.region)

    def bounded(
        self, found: dict[str, Float[Array, "*grid"]], pairs: dict[str, str], boundary: tuple[FaceCondition, ...]
    ) -> dict[str, Float[Array, "*grid"]]:
        """The rows of every field with the boundary conditions in their places.

        On each face the condition of lowest order stands in the outermost row and the next one in the row beside it:
        values on the rim of the grid, slopes on the ring inside it. Where two rings cross, near a corner, one of the
        two slopes is left out: it follows from the other and from the values on both faces.
        """
        for seat in seats(self, pairs, boundary):
            at_end = jnp.take(self.miss(seat.condition), seat.end, axis=seat.place)
            if (own := self.where(seat.condition)) is not None:
                rows = jnp.take(found[seat.owner], seat.row, axis=seat.place)
                at_end = jnp.where(jnp.take(own, seat.end, axis=seat.place), at_end, rows)
            found[seat.owner] = put(found[seat.owner], at_end, seat)
        return found

    def miss(self, condition: FaceCondition) -> Float[Array, "*grid"]:
        """How far a condition is from being met, as if it stood at every node."""
        return self.symbol(condition.quantity) - condition.sign * self.call(condition.target)

    def owner(self, condition: FaceCondition, pairs: dict[str, str]) -> str:
        """The field in whose law's rows a condition goes: its own, or the one a derived quantity is made of."""
        if condition.field in pairs:
            return condition.field
        behind = [base for base, _ in sorted(expanded(self.problem, {"it": condition.quantity})) if base in pairs]
        return behind[0]


class Seat(NamedTuple):
    """A condition at the end of an axis and the row of its field's law whose place it takes."""

    condition: FaceCondition
    owner: str
    place: int
    end: int
    row: int


def seats(nodal: Nodal, pairs: dict[str, str], boundary: tuple[FaceCondition, ...]) -> list[Seat]:
    """Where each condition goes, in the order in which they are put there."""
    grid, ranked = nodal.grid, []
    taken: dict[tuple, int] = {}
    for condition in sorted(boundary, key=lambda c: c.order):
        owner = nodal.owner(condition, pairs)
        rank = taken.get((owner, condition.face, condition.region), 0)
        taken[owner, condition.face, condition.region] = rank + 1
        ranked.append((rank, owner, condition))
    found = []
    # Inner rows and derivatives first: at a corner the value condition of the other face has the last word.
    for rank, owner, condition in sorted(ranked, key=lambda c: (-c[0], -c[2].order)):
        place = grid.axes.index(condition.face.axis)
        end = grid.shape[place] - 1 if condition.face.side else 0
        found.append(Seat(condition, owner, place, end, end - rank if condition.face.side else rank))
    return found


def put(rows: Float[Array, "*grid *rest"], at_end: Array, seat: Seat) -> Float[Array, "*grid *rest"]:
    """The rows with one of them, across an axis, replaced."""
    return jnp.moveaxis(jnp.moveaxis(rows, seat.place, 0).at[seat.row].set(at_end), 0, seat.place)


def over_nodes(function: Callable, nodal: PyTree, shared: PyTree, held: PyTree) -> Float[Array, " nodes"]:
    """function(values at a node, values that all nodes share, held ones) at every node, with its slopes computed once:
    a matrix of thousands of columns then costs one product for each argument, however long the function is. Nothing is
    differentiated with respect to `held`."""

    @jax.custom_jvp
    def batch(nodal: PyTree, shared: PyTree, held: PyTree) -> Float[Array, " nodes"]:
        return jax.vmap(function, (0, None, None))(nodal, shared, held)

    @batch.defjvp
    def along(at: tuple, moves: tuple) -> tuple[Array, Array]:
        values, slopes = jax.vmap(jax.value_and_grad(function, (0, 1)), (0, None, None))(*at)
        here, everywhere = (
            list(zip(*map(jax.tree.leaves, pair), strict=True)) for pair in zip(slopes, moves[:2], strict=True)
        )
        change = sum((slope * move for slope, move in here), jnp.zeros_like(values))
        return values, sum((jnp.tensordot(slope, move, move.ndim) for slope, move in everywhere), change)

    return batch(nodal, shared, held)


def below(found: set[tuple[str, Partial]], fields: tuple[str, ...]) -> dict[str, set[Partial]]:
    """For each field the derivatives in `found`, and all those that they are derivatives of."""
    whole: dict[str, set[Partial]] = {}
    for base, partial in found:
        if base in fields:
            parts = (itertools.combinations(partial, count) for count in range(len(partial) + 1))
            whole.setdefault(base, set()).update(itertools.chain.from_iterable(parts))
    return whole


def taylor_polynomial(
    derivatives: Mapping[Partial, Float[Array, ""]], centre: Mapping[str, Array], place: Mapping[str, Array]
) -> Float[Array, ""]:
    """The sum over p of f_p (place - centre)^p / p!, which has the derivatives f_p at the centre.

    As products of one array with a vector of powers for every axis: few operations, however many derivatives.
    """
    axes = sorted({axis for partial in derivatives for axis in partial})
    most = [max(partial.count(axis) for partial in derivatives) for axis in axes]
    table = jnp.zeros([order + 1 for order in most])
    for partial, value in derivatives.items():
        table = table.at[tuple(partial.count(axis) for axis in axes)].set(value)
    for axis, order in zip(axes, most, strict=True):  # each pass consumes the first remaining axis
        away, powers = place[axis] - centre[axis], [jnp.ones(())]
        for k in range(1, order + 1):
            powers.append(powers[-1] * away / k)
        table = jnp.tensordot(jnp.stack(powers), table, 1)
    return table


def later(symbol: Symbol, march: str) -> Symbol:
    """The rate of a symbol."""
    return Symbol(symbol.base, tuple(sorted((*symbol.partial, march))))
