"""What the user says about nodes in space, and the grid that a solution starts on."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import equinox as eqx
import numpy as np

from .._core.messages import BadInput, listing
from ..problem import Problem, order_table
from ._grid import Grid, Line
from ._layers import row_of

NODES = 24  # on an axis that is not divided
FEWEST = 4
ELEMENT_NODES = 16
FIRST_ELEMENTS = 8
FIRST_WAVES = 32


class Elements(eqx.Module):
    """Elements of one axis, as the user wants them: `nodes={"x": Elements([-1, -0.1, 0.1, 1], nodes=16)}`.

    edges   where they begin and end, the ends of the axis included.
    nodes   Chebyshev nodes on each.
    """

    edges: tuple[float, ...] = eqx.field(static=True)
    nodes: int = eqx.field(static=True)

    def __init__(self, edges: Sequence[float], nodes: int = ELEMENT_NODES):
        self.edges = tuple(float(edge) for edge in edges)
        self.nodes = int(nodes)
        if len(self.edges) < 2 or not np.all(np.diff(self.edges) > 0):
            raise BadInput(f"the edges of Elements must rise, but they are {listing(map(str, self.edges))}.")
        if self.nodes < FEWEST:
            raise BadInput(f"an element needs at least {FEWEST} nodes, not {self.nodes}; 16 is a good start.")


Nodes = int | tuple[tuple[str, int | Elements], ...] | None


def wanted(nodes: Nodes, axis: str) -> int | Elements | None:
    """What the user said about one axis."""
    return dict(nodes).get(axis) if isinstance(nodes, tuple) else nodes


def first_grid(problem: Problem, march: str | None, periodic: tuple[str, ...], nodes: Nodes) -> Grid:
    """Lines for every axis but the one that is marched along."""
    space = [axis for axis in problem.domain.axes if axis != march]
    if isinstance(nodes, tuple):
        for axis, _ in nodes:
            if axis not in space:
                raise BadInput(f"Collocation has nodes for '{axis}', which is no axis of space ({listing(space)}).")
    lines = [first_line(problem, axis, axis in periodic, wanted(nodes, axis), len(space) == 1) for axis in space]
    if sum(line.elements > 1 for line in lines) > 1:
        raise BadInput(
            "Collocation divides one axis into elements, not several; give a number of nodes for the others."
        )
    return Grid(tuple(lines))


def first_line(problem: Problem, axis: str, periodic: bool, nodes: int | Elements | None, alone: bool) -> Line:
    ends, row = problem.domain.ends(axis), row_of(problem.domain)
    borders = row.borders if row is not None and row.axis == axis else ends
    if isinstance(nodes, Elements):
        if (nodes.edges[0], nodes.edges[-1]) != tuple(ends):
            raise BadInput(f"Elements of '{axis}' must reach from {ends[0]:g} to {ends[1]:g}, the ends of the axis.")
        if not set(borders) <= set(nodes.edges):
            raise BadInput(f"Elements of '{axis}' must have edges where regions touch: {listing(map(str, borders))}.")
        return Line(axis, nodes.nodes, periodic, np.asarray(nodes.edges), borders[1:-1])
    if nodes is not None or not alone:
        return Line(axis, NODES if nodes is None else nodes, periodic, np.asarray(borders), borders[1:-1])
    if borders != ends:
        parts = [max(2, round(FIRST_ELEMENTS * (b - a) / (ends[1] - ends[0]))) for a, b in itertools.pairwise(borders)]
        pieces = [np.linspace(a, b, n + 1)[1:] for (a, b), n in zip(itertools.pairwise(borders), parts, strict=True)]
        return Line(axis, ELEMENT_NODES, periodic, np.concatenate([np.asarray(ends[:1]), *pieces]), borders[1:-1])
    if periodic and order_table(problem, axis).max() > 2:
        return Line(axis, FIRST_WAVES, True, np.asarray(ends))
    return Line(axis, ELEMENT_NODES, periodic, np.linspace(*ends, FIRST_ELEMENTS + 1))


def movable_axes(grid: Grid, nodes: Nodes) -> tuple[str, ...]:
    """The axes on which the solver chooses the elements: a single one, about which the user said nothing."""
    return tuple(axis for axis in grid.axes if len(grid.axes) == 1 and wanted(nodes, axis) is None)
