"""Regions in a row: boxes that differ along one axis only, on one line of elements that meet where regions touch."""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._core.messages import BadInput, listing
from ..geometry import Box, Domain, Regions
from ..problem import Interface, Problem, expanded, interfaces, within
from ._grid import Grid
from ._scaling import Sizes, function_sizes, sizes_within


def in_a_row(domain: Domain) -> bool:
    """Whether a domain consists of regions in a row."""
    if not isinstance(domain, Regions):
        return False
    differing = [axis for axis in domain.axes if len({box.ends(axis) for box in domain.domains}) > 1]
    return all(isinstance(box, Box) for box in domain.domains) and len(differing) == 1


class Row(NamedTuple):
    """Boxes in a row along `axis`: `borders` from end to end, and which region lies between each two."""

    axis: str
    borders: tuple[float, ...]
    order: tuple[int, ...]


def row_of(domain: Domain) -> Row | None:
    """The row that regions form; None for a domain without regions. Raises `BadInput` for regions that form none."""
    if not isinstance(domain, Regions):
        return None
    if not in_a_row(domain):
        raise BadInput(
            "Collocation solves on regions that are boxes in a row, different along one axis only; use"
            f" method=lf.Neural() for these ({listing(domain.names)})."
        )
    boxes = domain.domains
    [axis] = [axis for axis in domain.axes if len({box.ends(axis) for box in boxes}) > 1]
    order = sorted(range(len(boxes)), key=lambda i: boxes[i].ends(axis)[0])
    borders = (*(boxes[i].ends(axis)[0] for i in order), boxes[order[-1]].ends(axis)[1])
    return Row(axis, borders, tuple(order))


def region_at_nodes(domain: Domain, grid: Grid) -> Int[Array, "*grid"]:
    """The number of the region that every node belongs to; nodes on a border come twice, once for either side."""
    row = row_of(domain)
    assert row is not None
    place = grid.axes.index(row.axis)
    line = grid.lines[place]
    middles = jnp.asarray(line.edges[1:] + line.edges[:-1]) / 2
    between = jnp.searchsorted(jnp.asarray(row.borders[1:-1]), middles, side="right")
    along = jnp.repeat(jnp.asarray(row.order)[between], line.count)
    shape = [1] * len(grid.lines)
    shape[place] = line.size
    return jnp.broadcast_to(along.reshape(shape), grid.shape)


class Junction(eqx.Module):
    """What agrees where two regions of a row touch, in place of a jump of the field or of one of its derivatives.

    owner, order   the field and the derivative whose jump it replaces.
    border         where on the axis.
    sign           of the normal of the interface along the axis.
    size           by which a jump is measured, so that it weighs as much as one of the field.
    """

    interface: Interface
    owner: str = eqx.field(static=True)
    order: int = eqx.field(static=True)
    border: float = eqx.field(static=True)
    sign: float = eqx.field(static=True)
    size: Float[np.ndarray, ""]


def junctions(problem: Problem, orders: dict[str, int], scale: Sizes) -> tuple[Junction, ...]:
    """The interface conditions of regions in a row, each with the jump that it replaces; `orders` counts the jumps of
    each field."""
    row = row_of(problem.domain)
    if row is None:
        return ()
    found: list[Junction] = []
    # What has fewer derivatives stands for the jump of lower order: the field itself for its value, a flux for a slope.
    for interface in sorted(interfaces(problem), key=lambda each: steepness(problem, each)):
        [face] = interface.part.faces
        border = float(interface.part.domain.ends(row.axis)[face.side])
        behind = sorted({base for base, _ in expanded(problem, interface.symbols(problem)) if base in problem.fields})
        taken = {name: sum(s.owner == name and s.border == border for s in found) for name in behind}
        owner = next(name for name in behind if taken[name] < orders[name])
        sign = 1.0 if face.side else -1.0
        size = interface_size(problem, interface, {row.axis: np.asarray(sign)}, scale)
        size = size / float(scale.fields[owner])
        found.append(Junction(interface, owner, taken[owner], border, sign, np.asarray(size)))
    return tuple(found)


def steepness(problem: Problem, interface: Interface) -> int:
    return max(len(partial) for _, partial in expanded(problem, interface.symbols(problem)))


def interface_size(problem: Problem, interface: Interface, normal: dict[str, np.ndarray], scale: Sizes) -> float:
    """A typical size of what must agree. Where materials differ much the side that feels less decides: what is small
    there must not be neglected."""
    found = []
    for name in (interface.first, interface.second):
        part = within(problem, name)
        own = sizes_within(part, scale)
        fields, lengths = ({k: float(v) for k, v in group.items()} for group in (own.fields, own.lengths))
        functions = {"it": (interface.facing(part, normal), interface.symbols(part))}
        found.append(function_sizes(part, functions, fields, lengths)["it"])
    return min(found)
