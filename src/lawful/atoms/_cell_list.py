"""Neighbours found where the atoms are, on any device and inside compiled code, in time linear in their number."""

from __future__ import annotations

import itertools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from .._core.messages import BadInput
from ._neighbours import Neighbours
from ._structure import Structure

SPARE = 1.3  # room in boxes and rows, of what is needed at first


class CellList(eqx.Module):
    """How to find neighbours: space in boxes no narrower than the cutoff, so that they lie in a box or those around it.

        find = CellList.of(structure, cutoff=5.0)
        neighbours = jax.jit(find)(positions, cell)

    The number of boxes and how much fits in one are fixed by the structure that it is made for, and so is the room in a
    row; atoms and cell may move. What no longer fits, or a cell that has become too narrow for the boxes, raises an
    error with what to do (`eqx.EquinoxRuntimeError`), never a list that lacks somebody.

    boxes     along each vector of the cell; of a cluster, along x, y and z.
    low, wide  A: the corner of a cluster's boxes, and their widths. Atoms beyond belong to the outermost boxes.
    most      atoms that a box has room for.
    room      neighbours that a row has room for.
    """

    cutoff: float = eqx.field(static=True)
    boxes: tuple[int, int, int] = eqx.field(static=True)
    most: int = eqx.field(static=True)
    room: int = eqx.field(static=True)
    skin: float = eqx.field(static=True)
    low: Float[np.ndarray, "3"] | None
    wide: Float[np.ndarray, "3"] | None

    @classmethod
    def of(cls, structure: Structure, cutoff: float, skin: float = 0.0, spare: float = SPARE) -> CellList:
        """Raises `BadInput` for a cell narrower than three cutoffs, where an atom could meet two images of another:
        `Neighbours.of` lists those on the host."""
        if not (0 < cutoff < math.inf and 0 <= skin < math.inf and spare >= 1):
            raise BadInput(f"cutoff={cutoff}, skin={skin}, spare={spare}: lengths in A and a factor of at least 1.")
        positions, reach, low, wide = np.asarray(structure.positions), cutoff + skin, None, None
        if structure.cell is None:
            low = np.min(positions, axis=0)
            spread = np.max(positions, axis=0) - low
            boxes = np.maximum(np.floor(spread / reach), 1).astype(int)
            wide = np.maximum(spread / boxes, reach)
        else:
            boxes = np.floor(1 / (reach * np.linalg.norm(np.linalg.inv(np.asarray(structure.cell)), axis=0))).astype(
                int
            )
            if np.min(boxes) < 3:
                raise BadInput(
                    f"the cell holds {' x '.join(map(str, boxes))} boxes of {reach:g} A, but at least three are needed"
                    " along each vector; use Neighbours.of, which finds images on the host, or a larger cell."
                )
        count = len(positions)
        found = cls(cutoff, (int(boxes[0]), int(boxes[1]), int(boxes[2])), count, count, skin, low, wide)
        cell = None if structure.cell is None else jnp.asarray(structure.cell)
        fullest = int(np.max(np.bincount(np.asarray(found.box_of(jnp.asarray(positions), cell)[0]))))
        rows = Neighbours.of(structure, reach).count
        more = lambda n: math.ceil(spare * max(n, 1))
        return cls(cutoff, found.boxes, more(fullest), more(rows), skin, low, wide)

    def box_of(
        self, positions: Float[Array, "atoms 3"], cell: Float[Array, "3 3"] | None
    ) -> tuple[Int[Array, " atoms"], Int[Array, "atoms 3"]]:
        """The box that each atom is in, and how many cells away it is from the first one."""
        counts = jnp.array(self.boxes)
        if cell is None:
            assert self.low is not None
            assert self.wide is not None
            at = jnp.floor((positions - self.low) / self.wide).astype(int)
            at, home = jnp.clip(at, 0, counts - 1), jnp.zeros_like(at)
        else:
            fractions = positions @ jnp.linalg.inv(cell)
            home = jnp.floor(fractions).astype(int)
            at = jnp.clip(jnp.floor((fractions - home) * counts).astype(int), 0, counts - 1)
        return jnp.ravel_multi_index(tuple(at.T), self.boxes, mode="clip"), home

    def __call__(self, positions: Float[Array, "atoms 3"], cell: Float[Array, "3 3"] | None = None) -> Neighbours:
        """The neighbours of each atom within cutoff + skin, in no order."""
        positions = jax.lax.stop_gradient(jnp.asarray(positions))
        cell = None if cell is None else jax.lax.stop_gradient(jnp.asarray(cell))
        atoms, (box, home) = len(positions), self.box_of(positions, cell)
        inside, crowded = self.filled(box, atoms)
        candidates, shifts = self.around(box)
        j = inside[candidates].reshape(atoms, -1)  # the places of 27 boxes
        shift = jnp.repeat(shifts, self.most, axis=1)
        real = j < atoms
        j = jnp.where(real, j, 0)
        shift = shift - home[j] + home[:, None]
        apart = positions[j] - positions[:, None] + (0.0 if cell is None else shift.astype(positions.dtype) @ cell)
        near = real & (jnp.sum(apart**2, axis=-1) < (self.cutoff + self.skin) ** 2) & (j != jnp.arange(atoms)[:, None])
        found = jnp.cumsum(near, axis=1)  # the n-th that is near is where this becomes n
        order = jax.vmap(lambda row: jnp.searchsorted(row, jnp.arange(1, self.room + 1)))(found)
        order = jnp.minimum(order, near.shape[1] - 1)
        kept = jnp.arange(self.room) < found[:, -1:]
        kept = self.checked(kept, crowded, jnp.max(found[:, -1]), cell)
        which, moved = jnp.take_along_axis(j, order, axis=1), None
        if cell is not None:
            shift = jnp.take_along_axis(shift, order[..., None], axis=1)
            moved = jnp.where(kept[..., None], shift, 0).astype(positions.dtype)
        return Neighbours(jnp.where(kept, which, 0).astype(jnp.int32), kept, moved, self.skin)

    def filled(self, box: Int[Array, " atoms"], atoms: int) -> tuple[Int[Array, "boxes most"], Int[Array, ""]]:
        """Which atoms are in each box, `atoms` where there is none, and how many in the fullest."""
        order = jnp.argsort(box)
        place = jnp.arange(atoms) - jnp.searchsorted(box[order], box[order])
        table = jnp.full((math.prod(self.boxes) + 1, self.most), atoms)  # the last box stays empty
        return table.at[box[order], place].set(order, mode="drop"), jnp.max(place) + 1

    def around(self, box: Int[Array, " atoms"]) -> tuple[Int[Array, "atoms around"], Int[Array, "atoms around 3"]]:
        """The boxes around that of each atom, itself too, and the cells they are moved by."""
        counts = np.array(self.boxes)
        at = np.stack(np.unravel_index(np.arange(math.prod(self.boxes)), self.boxes), axis=-1)
        steps = np.array(list(itertools.product((-1, 0, 1), repeat=3)))
        there = at[:, None] + steps
        if self.low is None:
            cells = np.floor_divide(there, counts)
            index = np.ravel_multi_index(tuple(np.moveaxis(there - cells * counts, -1, 0)), self.boxes)
        else:  # beyond the outermost boxes there is nobody
            cells, index = (
                np.zeros_like(there),
                np.ravel_multi_index(tuple(np.moveaxis(there, -1, 0)), self.boxes, "clip"),
            )
            outside = np.any((there < 0) | (there >= counts), axis=-1)
            index = np.where(outside, math.prod(self.boxes), index)
        return jnp.asarray(index)[box], jnp.asarray(cells)[box]

    def checked(
        self,
        kept: Bool[Array, "atoms room"],
        crowded: Int[Array, ""],
        needed: Int[Array, ""],
        cell: Float[Array, "3 3"] | None,
    ) -> Bool[Array, "atoms room"]:
        advice = "make it anew by CellList.of(structure, ...), with more spare."
        kept = eqx.error_if(
            kept, crowded > self.most, f"more than {self.most} atoms are in one box of the list: {advice}"
        )
        kept = eqx.error_if(kept, needed > self.room, f"an atom has more than {self.room} neighbours: {advice}")
        if cell is None:
            return kept
        width = 1 / (jnp.linalg.norm(jnp.linalg.inv(cell), axis=0) * jnp.array(self.boxes))
        narrow = jnp.any(width < (self.cutoff + self.skin) * (1 - 1e-9))
        return eqx.error_if(kept, narrow, f"the cell has shrunk, its boxes are narrower than the cutoff: {advice}")
