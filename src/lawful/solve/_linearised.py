"""The matrix of a steady problem on a grid: what each law makes of each derivative at a node, times how that derivative
is made of the values on the grid.

    J = sum_p diag(dR/du_p) D_p,    D_xxy = D_x^2 (x) D_y

A law is read node by node, so that its slopes are found for all nodes at once, by one direction for each derivative.
The matrices of the derivatives are products of one matrix for each axis. Differentiating the residual along every
unknown instead would hold a matrix of this size for every operation of the law.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._core.names import Partial
from ..geometry import Regions
from ..problem import FaceCondition, Problem, expanded
from ._grid import Grid
from ._nodal import Nodal, Seat, below, put, seats

Slot = tuple[str, Partial]
"""A derivative of a field."""
Orders = tuple[int, ...]
"""How often it is taken along each axis of the grid."""


def reads_node_by_node(problem: Problem, grid: Grid) -> bool:
    """Whether no row joins elements or regions."""
    return not isinstance(problem.domain, Regions) and all(line.elements == 1 for line in grid.lines)


def matrix(
    nodal: Nodal, pairs: dict[str, str], boundary: tuple[FaceCondition, ...]
) -> dict[str, dict[str, Float[Array, "*grid *grid"]]]:
    """Of `nodal.residuals`: for the rows of each field the slopes along the values of each field."""
    grid, taken = nodal.grid, seats(nodal, pairs, boundary)
    slots = read_slots(nodal.problem, pairs, boundary)

    def read(slopes: dict[Slot, Array]) -> tuple[dict[str, Array], list[Array]]:
        known = dataclasses.replace(nodal, slopes=slopes)
        return known.laws(pairs), [at_end(known.miss(seat.condition), seat) for seat in taken]

    values = {slot: nodal.slope(*slot) for slot in slots}
    _, along = jax.linearize(read, values)
    nothing = {slot: jnp.zeros(grid.shape) for slot in slots}
    effects = {slot: along({**nothing, slot: jnp.ones(grid.shape)}) for slot in slots}

    def blocks(effect: Callable[[tuple[dict, list]], Array], seat: Seat | None) -> dict[str, Array]:
        found = {}
        for name in pairs:
            parts = {
                orders_of(partial, grid): effect(effects[field, partial]) for field, partial in slots if field == name
            }
            found[name] = spread(parts, grid, seat) if parts else None
        return found

    rows = {owner: blocks(lambda found, owner=owner: found[0][owner], None) for owner in pairs}
    shape = (*grid.shape, *grid.shape)
    rows = {
        owner: {name: jnp.zeros(shape) if block is None else block for name, block in own.items()}
        for owner, own in rows.items()
    }
    for index, seat in enumerate(taken):
        for name, block in blocks(lambda found, index=index: found[1][index], seat).items():
            miss = jnp.zeros(shape[: seat.place] + shape[seat.place + 1 :]) if block is None else block
            rows[seat.owner][name] = put(rows[seat.owner][name], miss, seat)
    return rows


def read_slots(problem: Problem, pairs: dict[str, str], boundary: tuple[FaceCondition, ...]) -> tuple[Slot, ...]:
    """Every derivative of a field that laws and conditions read, and all those below it."""
    resolve = problem.vocabulary.resolve_all
    read = [resolve(problem.laws[law], f"law '{law}'") for law in pairs.values()]
    for condition in boundary:
        read += [{"it": condition.quantity}, resolve(condition.target, f"the value of {condition}")]
    found = set().union(*(expanded(problem, symbols) for symbols in read))
    return tuple((name, partial) for name, parts in below(found, problem.fields).items() for partial in sorted(parts))


def at_end(miss: Float[Array, "*grid"], seat: Seat) -> Float[Array, "*grid"]:
    """What a condition misses at its end of the axis, which is kept with length 1."""
    return jax.lax.slice_in_dim(miss, seat.end, seat.end + 1, axis=seat.place)


def orders_of(partial: Partial, grid: Grid) -> Orders:
    return tuple(partial.count(axis) for axis in grid.axes)


def spread(parts: Mapping[Orders, Float[Array, "*rows"]], grid: Grid, seat: Seat | None) -> Float[Array, "*rows *grid"]:
    """sum_p diag(parts_p) D_p; with a seat the rows of its end only, without their axis."""
    axes = len(grid.lines)
    for place in reversed(range(axes)):  # of those that share their orders along the axes before, one product each
        grouped: dict[Orders, Array] = {}
        for orders, part in parts.items():
            rows = derivative(grid, place, orders[-1])
            if seat is not None and seat.place == place:
                rows = rows[seat.end : seat.end + 1]
            shape = [1] * part.ndim
            shape[place] = rows.shape[0]
            term = part[..., None] * rows.reshape(*shape, rows.shape[1])
            grouped[orders[:-1]] = grouped[orders[:-1]] + term if orders[:-1] in grouped else term
        parts = grouped
    whole = parts[()]  # (*rows, columns of the last axis, ..., of the first)
    whole = whole.transpose(*range(axes), *reversed(range(axes, 2 * axes)))
    return whole if seat is None else whole.squeeze(seat.place)


def derivative(grid: Grid, place: int, order: int) -> Float[Array, "n n"]:
    line = grid.lines[place]
    unit = jnp.eye(line.size)
    return line.differentiate(unit, order) if order else unit
