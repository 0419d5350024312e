"""The matrix of a film: every cell and its four neighbours; solved by sparse LU on the host."""

from __future__ import annotations

import functools
import hashlib
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu

from .._core.host import on_host

if TYPE_CHECKING:
    from scipy.sparse.linalg import SuperLU

Cells = Float[Array, "nx ny"]

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
            lambda _, b: solved(entries, b, False),
            lambda _, b: solved(entries, b, True),
        )


def solved(entries: Float[Array, "5 nx ny"], right: Cells, transposed: bool) -> Cells:
    solve = functools.partial(lu_solve, transposed=transposed)
    return on_host(solve, jax.ShapeDtypeStruct(right.shape, right.dtype), entries, right)


def lu_solve(entries: np.ndarray, right: np.ndarray, transposed: bool) -> np.ndarray:
    return WORKER.submit(by_kept_factor, entries, right, transposed).result()


WORKER = ThreadPoolExecutor(1, "sparse-lu")
"""All factors are made and let go in one thread: SuperLU's memory is given back only in the thread that took it."""


def by_kept_factor(entries: np.ndarray, right: np.ndarray, transposed: bool) -> np.ndarray:
    """By a factor that is kept, since the solves that follow each other share their matrix."""
    key = hashlib.blake2b(entries.tobytes(), digest_size=16).digest()
    if key not in FACTORS:
        while len(FACTORS) >= KEPT:
            FACTORS.popitem(last=False)
        FACTORS[key] = factor(entries)
    FACTORS.move_to_end(key)
    found = np.full(right.size, np.nan)
    if (known := FACTORS[key]) is not None:
        order, lu = known
        found[order] = lu.solve(right.ravel()[order].astype(float), "T" if transposed else "N")
    return found.astype(right.dtype).reshape(right.shape)


FACTORS: OrderedDict[bytes, tuple[Int[np.ndarray, " cells"], SuperLU] | None] = OrderedDict()


class Pattern(NamedTuple):
    """Where a grid's entries lie once its cells are in order: columns compressed, `take` from `entries`."""

    order: Int[np.ndarray, " cells"]
    take: Int[np.ndarray, " entries"]
    rows: Int[np.ndarray, " entries"]
    starts: Int[np.ndarray, " cells1"]


@functools.lru_cache(16)
def pattern(nx: int, ny: int, wraps: tuple[bool, bool]) -> Pattern:
    """Of a grid that wraps around along some axes, in the order of least fill that SuperLU finds for it."""
    natural = ordered(np.arange(nx * ny), nx, ny, wraps)
    values = np.where(natural.take < nx * ny, 5.0, -1.0)
    columns = splu(matrix(natural, values), permc_spec="MMD_AT_PLUS_A", **OPTIONS).perm_c
    return ordered(np.argsort(columns), nx, ny, wraps)


def ordered(order: Int[np.ndarray, " cells"], nx: int, ny: int, wraps: tuple[bool, bool]) -> Pattern:
    place = np.empty(nx * ny, np.int32)
    place[order] = np.arange(nx * ny)
    cells = np.arange(nx * ny).reshape(nx, ny)
    neighbours = [cells, np.roll(cells, 1, 0), np.roll(cells, -1, 0), np.roll(cells, 1, 1), np.roll(cells, -1, 1)]
    kept = np.ones((5, nx, ny), bool)
    kept[1, 0] = kept[2, -1] = wraps[0]
    kept[3, :, 0] = kept[4, :, -1] = wraps[1]
    take = np.flatnonzero(kept)
    rows = np.tile(place[cells.ravel()], 5)[take]
    columns = np.concatenate([place[each.ravel()] for each in neighbours])[take]
    sorting = np.lexsort((rows, columns))
    starts = np.searchsorted(columns[sorting], np.arange(nx * ny + 1)).astype(np.int32)
    return Pattern(order, take[sorting], rows[sorting].astype(np.int32), starts)


# Without pivots where they are not needed: the matrix is as good as dominated by its diagonal.
OPTIONS: Any = {
    "diag_pivot_thresh": 1e-3, "relax": 20, "panel_size": 4, "options": {"SymmetricMode": True, "Equil": False},
}  # fmt: skip


def matrix(at: Pattern, values: Float[np.ndarray, " entries"]) -> csc_matrix:
    size = len(at.order)
    found = csc_matrix((values, at.rows, at.starts), (size, size), copy=True)
    found.sum_duplicates()  # a periodic axis of one or two cells
    found.eliminate_zeros()
    return found


def factor(entries: Float[np.ndarray, "5 nx ny"]) -> tuple[Int[np.ndarray, " cells"], SuperLU] | None:
    """The order of the cells and the factors in it; None where the matrix is singular."""
    if not np.all(np.isfinite(entries)):
        return None
    _, west, east, south, north = entries
    wraps = bool(np.any(west[0]) or np.any(east[-1])), bool(np.any(south[:, 0]) or np.any(north[:, -1]))
    at = pattern(*west.shape, wraps)
    try:
        return at.order, splu(matrix(at, entries.ravel()[at.take].astype(float)), permc_spec="NATURAL", **OPTIONS)
    except RuntimeError:  # exactly singular
        return None
