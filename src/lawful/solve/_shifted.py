"""Nearly inverse matrices of one step: the law linearised once, inverted for each eigenvalue of the Radau matrix."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from ._grid import Grid
from ._joints import half_width, joint_orders, neighbours
from ._radau import radau

Response = Callable[[Float[Array, "fields grid"], Float[Array, "fields grid"]], Float[Array, "fields grid"]]
"""What changes in the rows of the laws when the highest time derivatives and the fields below them change, each by one
of the two arguments."""


class Spectrum(NamedTuple):
    """The Radau matrix A = right diag(values) left, one of each conjugate pair: x = Re(right w) for real x.

    Source: Hairer and Wanner, Solving Ordinary Differential Equations II (1996), IV.8.
    """

    values: Complex[np.ndarray, " pairs"]
    left: Complex[np.ndarray, "pairs stages"]
    right: Complex[np.ndarray, "stages pairs"]


@functools.cache
def spectrum(stages: int) -> Spectrum:
    values, vectors = np.linalg.eig(radau(stages, 1).integrals[1])
    inverse = np.linalg.inv(vectors)
    kept = [i for i, value in enumerate(values) if np.imag(value) > -1e-12]
    twice = np.where(np.abs(np.imag(values[kept])) < 1e-12, 1.0, 2.0)
    return Spectrum(values[kept], inverse[kept], vectors[:, kept] * twice)


class DenseInverse(eqx.Module):
    """Of any grid: one full matrix for each eigenvalue."""

    inverse: Complex[Array, "pairs n n"]

    def __call__(self, right: Complex[Array, "pairs n"]) -> Complex[Array, "pairs n"]:
        return jnp.einsum("lij,lj->li", self.inverse, right)


class CondensedInverse(eqx.Module):
    """Of a line of elements that meet in their outermost nodes only: the inner nodes are eliminated in each element by
    itself (static condensation), what remains couples the outer ones.

    Rows and unknowns of an element are numbered field by field; `inner` and `outer` are the two kinds.
    """

    inner: tuple[int, ...] = eqx.field(static=True)
    outer: tuple[int, ...] = eqx.field(static=True)
    shape: tuple[int, int, int] = eqx.field(static=True)  # fields, elements, count
    solved: Complex[Array, "pairs elements i i"]
    follow: Complex[Array, "pairs elements i o"]
    own: Complex[Array, "pairs elements o i"]
    beyond: Complex[Array, "pairs elements o i"]
    frame: Complex[Array, "pairs eo eo"]

    def __call__(self, right: Complex[Array, "pairs n"]) -> Complex[Array, "pairs n"]:
        pairs, (fields, elements, count) = right.shape[0], self.shape
        local = right.reshape(pairs, fields, elements, count).transpose(0, 2, 1, 3).reshape(pairs, elements, -1)
        inner, outer = np.asarray(self.inner, int), np.asarray(self.outer, int)
        bare = jnp.einsum("leij,lej->lei", self.solved, local[..., inner])
        rest = local[..., outer] - jnp.einsum("leoi,lei->leo", self.own, bare)
        rest = rest - jnp.einsum("leoi,lei->leo", self.beyond, jnp.roll(bare, -1, axis=1))
        frame = jnp.einsum("lij,lj->li", self.frame, rest.reshape(pairs, -1)).reshape(rest.shape)
        both = jnp.concatenate([bare - jnp.einsum("leio,leo->lei", self.follow, frame), frame], axis=-1)
        found = both[..., np.argsort(np.concatenate([inner, outer]))]
        return found.reshape(pairs, elements, fields, count).transpose(0, 2, 1, 3).reshape(right.shape)


def dense_inverse(response: Response, values: Complex[Array, " pairs"], fields: int, grid: Grid) -> DenseInverse:
    """Of (rows by highest) + value (rows by fields)."""
    size = fields * int(np.prod(grid.shape))

    def rows(highest: Array, below: Array) -> Array:
        return response(highest.reshape(fields, *grid.shape), below.reshape(fields, *grid.shape)).ravel()

    nothing = jnp.zeros(size)
    first = jax.vmap(lambda v: rows(v, nothing), out_axes=1)(jnp.eye(size))
    second = jax.vmap(lambda v: rows(nothing, v), out_axes=1)(jnp.eye(size))
    return DenseInverse(jnp.linalg.inv(first + values[:, None, None] * second))


def condensable(problem, grid: Grid) -> bool:
    """Whether elements meet in their outermost nodes only."""
    if len(grid.lines) != 1 or grid.lines[0].fourier or grid.lines[0].count < 4:
        return False
    return max(joint_orders(problem, grid.axes[0]).values()) <= 2


def condensed_inverse(
    response: Response,
    values: Complex[Array, " pairs"],
    grid: Grid,
    orders: dict[str, int],
    stepped: tuple[bool, ...],
    units: Float[Array, " fields"],
) -> CondensedInverse:
    """Of (rows by highest) + value (rows by fields), from the response of single elements.

    orders     conditions at a joint, for each field in order.
    stepped    whether a field has a rate: where not, its own value counts as the highest.
    units      of the jumps of each field, as the rows of the step have them.

    `response` is that of laws and boundary conditions alone; the rows of the joints are known beforehand.
    """
    line = grid.lines[0]
    fields, elements, count = len(orders), line.elements, line.count
    local = fields * count

    def rows(highest: Array, below: Array) -> Array:
        spread = [jnp.tile(v.reshape(fields, 1, count), (1, elements, 1)).reshape(fields, -1) for v in (highest, below)]
        found = response(*spread)
        return found.reshape(fields, elements, count).transpose(1, 0, 2).reshape(elements, local)

    nothing = jnp.zeros(local)
    first = jax.vmap(lambda v: rows(v, nothing), out_axes=2)(jnp.eye(local))
    second = jax.vmap(lambda v: rows(nothing, v), out_axes=2)(jnp.eye(local))
    shape = (elements, local, local)
    joints = [jnp.zeros(shape) for _ in range(3)]  # an element's own share, that of the next, that of the one before
    taken = np.zeros((elements, local))
    left, right = neighbours(line)
    ends = line.derivative(1)
    half, widths = half_width(line), line.widths
    level = np.zeros(local, bool)
    for f, order in enumerate(orders.values()):
        level[f * count : (f + 1) * count] = stepped[f]
        if order == 0 or elements == 1:
            continue
        low, high, part = f * count, (f + 1) * count - 1, slice(f * count, (f + 1) * count)
        taken[right, low], taken[left, high] = 1, 1
        unit = units[f]
        joints[0] = joints[0].at[right, low, low].add(unit)
        joints[2] = joints[2].at[right, low, high].add(-unit)
        slope = (2 * half / widths[left])[:, None] * ends[-1] * unit
        joints[0] = joints[0].at[left, high, part].add(-slope)
        joints[1] = joints[1].at[left, high, part].add((2 * half / widths[right])[:, None] * ends[0] * unit)
    kept = (1 - taken)[:, :, None]
    first, second = first * kept, second * kept
    factor = jnp.where(level, values[:, None], 1.0)[:, None, None, :]  # of a jump, by column
    blocks = first + values[:, None, None, None] * second + factor * joints[0]
    return eliminated(blocks, factor * joints[1], factor * joints[2], (fields, elements, count))


def eliminated(blocks: Array, after: Array, before: Array, shape: tuple[int, int, int]) -> CondensedInverse:
    """Static condensation of block rows (pairs, elements, n, n) with those of the element after and before."""
    fields, elements, count = shape
    outer = [f * count + end for f in range(fields) for end in (0, count - 1)]
    inner = [i for i in range(fields * count) if i not in outer]
    i, o = np.asarray(inner), np.asarray(outer)

    def part(matrix: Array, rows: np.ndarray, columns: np.ndarray) -> Array:
        return matrix[:, :, rows[:, None], columns[None, :]]

    solved = jnp.linalg.inv(part(blocks, i, i))
    follow = solved @ part(blocks, i, o)
    own, beyond = part(blocks, o, i), part(after, o, i)
    here = part(blocks, o, o) - own @ follow
    there = part(after, o, o) - beyond @ jnp.roll(follow, -1, axis=1)
    pairs, size = blocks.shape[0], len(outer)
    places = np.arange(elements)
    frame = jnp.zeros((pairs, elements, elements, size, size), blocks.dtype)
    frame = frame.at[:, places, places].add(here).at[:, places, (places + 1) % elements].add(there)
    frame = frame.at[:, places, (places - 1) % elements].add(part(before, o, o))
    frame = frame.transpose(0, 1, 3, 2, 4).reshape(pairs, elements * size, elements * size)
    return CondensedInverse(tuple(inner), tuple(outer), shape, solved, follow, own, beyond, jnp.linalg.inv(frame))
