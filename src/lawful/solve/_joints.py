"""Joints of elements: what makes neighbouring polynomials one field."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..problem import Problem, order_table
from ._grid import Grid, Line

Elements = Int[np.ndarray, " joints"] | Int[Array, ""]


def joint_orders(problem: Problem, axis: str) -> dict[str, int]:
    """For each field how many conditions hold at a joint on `axis`: equal values and derivatives below this order.

    It is the order of the laws along the axis, at least 2 where a field is differentiated at all: a law of first order
    would need to know from which side its waves come, while equal slopes suit both. A field that is nowhere
    differentiated has a law at every node and needs none.
    """
    table = order_table(problem, axis)
    highest = {name: int(table[:, i].max()) for i, name in enumerate(problem.fields)}
    return {name: max(2, order) if order > 0 else 0 for name, order in highest.items()}


def neighbours(line: Line) -> tuple[Int[np.ndarray, " joints"], Int[np.ndarray, " joints"]]:
    """The elements on the left and on the right of each joint."""
    left = np.arange(line.elements if line.periodic else line.elements - 1)
    return left, (left + 1) % line.elements


def half_width(line: Line) -> Float[Array, " joints"]:
    """A length at each joint by which jumps of derivatives are measured."""
    left, right = neighbours(line)
    return (line.widths[left] + line.widths[right]) / 4


def joint_rows(
    rows: Float[Array, "*grid"], values: Float[Array, "*grid"], grid: Grid, place: int, order: int
) -> Float[Array, "*grid"]:
    """The rows of a law, with the jumps of `values` and its derivatives at the joints in place of the outermost ones.

    Even derivatives stand in rows of the element on the right, odd ones in rows of the element on the left.
    """
    line = grid.lines[place]
    if line.fourier or line.elements == 1:
        return rows
    left, right = neighbours(line)
    pieces, inner = in_elements(rows, line, place), jnp.moveaxis(values, place, 0)
    for d in range(order):
        slope = line.differentiate(inner, d) if d else inner
        slope = slope.reshape(pieces.shape)
        unit = (half_width(line) ** d).reshape(-1, *[1] * (inner.ndim - 1))
        jump = (slope[right, 0] - slope[left, -1]) * unit
        owner, row = place_of_jump(line, left, right, d)
        pieces = pieces.at[owner, row].set(jump)
    return jnp.moveaxis(pieces.reshape(inner.shape), 0, place)


def junction_rows(
    rows: Float[Array, "*grid"], values: Float[Array, "*grid"], grid: Grid, place: int, border: float, order: int
) -> Float[Array, "*grid"]:
    """The rows with the jump of `values` at one border in place of that of the derivative of this order."""
    line = grid.lines[place]
    right = jnp.argmin(jnp.abs(jnp.asarray(line.edges) - border))
    left = right - 1
    pieces, both = in_elements(rows, line, place), in_elements(values, line, place)
    owner, row = place_of_jump(line, left, right, order)
    pieces = pieces.at[owner, row].set(both[right, 0] - both[left, -1])
    shape = jnp.moveaxis(rows, place, 0).shape
    return jnp.moveaxis(pieces.reshape(shape), 0, place)


def in_elements(values: Float[Array, "*grid"], line: Line, place: int) -> Float[Array, "elements count *rest"]:
    moved = jnp.moveaxis(values, place, 0)
    return moved.reshape(line.elements, line.count, *moved.shape[1:])


def place_of_jump(line: Line, left: Elements, right: Elements, order: int) -> tuple[Elements, int]:
    """The elements and the row of each in which the jump of a derivative stands."""
    return (left, line.count - 1 - order // 2) if order % 2 else (right, order // 2)
