"""The matrix of a film: every cell and its four neighbours; solved by sparse LU on the host."""

from __future__ import annotations

import functools
import hashlib
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

if TYPE_CHECKING:
    from scipy.sparse.linalg import SuperLU

Cells = Float[Array, "nx ny"]

LEAF = 16  # cells that are put in order without being parted further
KEPT = 2  # factors, so that a transposed solve or a refinement finds its matrix


class Stencil(eqx.Module):
    """A linear map of fields on a grid: row i of `west` multiplies the value of the cell before i along x, and so on.

    Neighbours wrap around; an axis that is not periodic has zeros there.
    """

    middle: Cells
    west: Cells
    east: Cells
    south: Cells
    north: Cells

    def __call__(self, v: Cells) -> Cells:
        return (
            self.middle * v
            + self.west * jnp.roll(v, 1, 0)
            + self.east * jnp.roll(v, -1, 0)
            + self.south * jnp.roll(v, 1, 1)
            + self.north * jnp.roll(v, -1, 1)
        )

    @property
    def entries(self) -> Float[Array, "5 nx ny"]:
        return jnp.stack([self.middle, self.west, self.east, self.south, self.north])

    def solve(self, right: Cells) -> Cells:
        """The field that is mapped to `right`; differentiable both ways, NaN where the matrix is singular."""
        entries = jax.lax.stop_gradient(self.entries)
        return jax.lax.custom_linear_solve(
            self,
            right,
            lambda _, b: on_host(entries, b, False),
            lambda _, b: on_host(entries, b, True),
        )


def on_host(entries: Float[Array, "5 nx ny"], right: Cells, transposed: bool) -> Cells:
    """Numbers cross to the host and back as words of 32 bits: a callback runs in a thread of its own, where the double
    precision that was asked for here does not hold, and would round them."""
    words = as_words(right)
    solve = functools.partial(lu_solve, kind=np.dtype(right.dtype), transposed=transposed)
    shape = jax.ShapeDtypeStruct(words.shape, words.dtype)
    return from_words(jax.pure_callback(solve, shape, as_words(entries), words, vmap_method="sequential"), right)


def as_words(field: Float[Array, "..."]) -> Int[Array, "..."]:
    return jax.lax.bitcast_convert_type(field, jnp.uint32)


def from_words(words: Int[Array, "..."], like: Float[Array, "..."]) -> Float[Array, "..."]:
    return jax.lax.bitcast_convert_type(words, like.dtype)


def lu_solve(entries: np.ndarray, right: np.ndarray, kind: np.dtype, transposed: bool) -> np.ndarray:
    """By a factor that is kept, since the solves that follow each other share their matrix."""
    entries, right = (np.ascontiguousarray(words).view(kind) for words in (entries, right))
    entries, right = (field[..., 0] if kind.itemsize == 8 else field for field in (entries, right))
    key = hashlib.blake2b(entries.tobytes(), digest_size=16).digest()
    if key not in FACTORS:
        FACTORS[key] = factor(entries)
        while len(FACTORS) > KEPT:
            FACTORS.popitem(last=False)
    FACTORS.move_to_end(key)
    lu, order = FACTORS[key], pattern(*right.shape).order
    found = np.full(right.size, np.nan)
    if lu is not None:
        found[order] = lu.solve(right.ravel()[order].astype(float), "T" if transposed else "N")
    words = found.astype(kind).view(np.uint32)
    return words.reshape(*right.shape, *([2] if kind.itemsize == 8 else []))


FACTORS: OrderedDict[bytes, SuperLU | None] = OrderedDict()


class Pattern(NamedTuple):
    """Where a grid's entries lie once its cells are in order: columns compressed, `take` from `entries`."""

    order: Int[np.ndarray, " cells"]
    take: Int[np.ndarray, " entries"]
    rows: Int[np.ndarray, " entries"]
    starts: Int[np.ndarray, " cells1"]


@functools.lru_cache(16)
def pattern(nx: int, ny: int) -> Pattern:
    order = np.concatenate(dissected(np.arange(nx * ny).reshape(nx, ny)))
    place = np.empty(nx * ny, np.int32)
    place[order] = np.arange(nx * ny)
    cells = np.arange(nx * ny).reshape(nx, ny)
    neighbours = [cells, np.roll(cells, 1, 0), np.roll(cells, -1, 0), np.roll(cells, 1, 1), np.roll(cells, -1, 1)]
    rows = np.tile(place[cells.ravel()], 5)
    columns = np.concatenate([place[each.ravel()] for each in neighbours])
    sorting = np.lexsort((rows, columns)).astype(np.int32)
    starts = np.searchsorted(columns[sorting], np.arange(nx * ny + 1)).astype(np.int32)
    return Pattern(order, sorting, rows[sorting], starts)


def dissected(cells: Int[np.ndarray, "nx ny"]) -> list[Int[np.ndarray, " some"]]:
    """Nested dissection: halves first, then the line between them, which keeps the factor thin.

    Source: A. George, SIAM J. Numer. Anal. 10, 345 (1973).
    """
    if cells.size <= LEAF or min(cells.shape) == 1:
        return [cells.ravel()]
    if cells.shape[0] < cells.shape[1]:
        cells = cells.T
    middle = cells.shape[0] // 2
    return [*dissected(cells[:middle]), *dissected(cells[middle + 1 :]), cells[middle]]


def factor(entries: np.ndarray) -> SuperLU | None:
    """Without pivots where they are not needed: the matrix is as good as dominated by its diagonal."""
    from scipy.sparse import csc_matrix
    from scipy.sparse.linalg import splu

    size = entries[0].size
    if not np.all(np.isfinite(entries)):
        return None
    at = pattern(*entries[0].shape)
    matrix = csc_matrix((entries.ravel()[at.take].astype(float), at.rows, at.starts), (size, size), copy=True)
    matrix.sum_duplicates()  # a periodic axis of one or two cells
    matrix.eliminate_zeros()  # the wrap of an axis that is not periodic
    options = {"SymmetricMode": True, "Equil": False}
    try:
        return splu(matrix, permc_spec="NATURAL", diag_pivot_thresh=1e-3, relax=20, panel_size=20, options=options)
    except RuntimeError:  # exactly singular
        return None
