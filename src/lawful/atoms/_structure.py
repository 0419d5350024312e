"""Atoms somewhere: what every energy is a function of, looked at before anything is computed."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float, Int

from .._core.messages import BadInput, shown
from .._core.numbers import real_array
from ._images import images_within, within

HEAVIEST = 118
FARTHEST = 1e9  # A: a tenth of a metre is no coordinate of an atom
CLOSEST = 1e-3  # A: nearer than this two atoms are one by mistake


class Structure(eqx.Module):
    """Positions (A), atomic numbers and, where the arrangement repeats in all three directions, the cell's vectors.

    positions   (atoms, 3), in A.
    numbers     atomic numbers, 1 to 118.
    cell        (3, 3), one vector a row, in A; None for a molecule or a cluster.

    Raises `BadInput` for numbers that are not finite, two atoms at one place, an unknown element, a cell without
    volume or left-handed.
    """

    positions: Float[Array | np.ndarray, "atoms 3"]
    numbers: Int[np.ndarray, " atoms"]
    cell: Float[Array | np.ndarray, "3 3"] | None

    def __init__(self, positions: object, numbers: object, cell: object = None):
        self.positions = checked_positions(positions)
        self.numbers = checked_numbers(numbers, len(self.positions))
        self.cell = None if cell is None else checked_cell(cell)
        refuse_coincident(self.positions, self.cell)

    @classmethod
    def from_ase(cls, atoms: Any) -> Structure:
        """From an `ase.Atoms`, which must be periodic in all directions or in none."""
        if any(atoms.pbc) and not all(atoms.pbc):
            raise BadInput(
                f"periodic in the directions {[bool(each) for each in atoms.pbc]} only; slabs and wires are not"
                " supported: set pbc=True with enough vacuum, or pbc=False."
            )
        return cls(atoms.get_positions(), atoms.get_atomic_numbers(), atoms.cell.array if all(atoms.pbc) else None)

    def __len__(self) -> int:
        return len(self.positions)


def checked_positions(given: object) -> Float[np.ndarray, "atoms 3"]:
    values = numbers_of("positions", given)
    if values.ndim != 2 or values.shape[1] != 3 or not len(values):
        raise BadInput(f"positions need one row (x, y, z) an atom, but have shape {values.shape}.")
    sound = np.all(np.abs(values) <= FARTHEST, axis=1)  # False for NaN
    if not np.all(sound):
        row = int(np.argmin(sound))
        raise BadInput(f"the position of atom {row} is {shown(values[row])}; remove the frame or repair it.")
    return values


def checked_numbers(given: object, count: int) -> Int[np.ndarray, " atoms"]:
    values = numbers_of("numbers", given)
    if values.shape != (count,):
        raise BadInput(f"{count} positions need as many atomic numbers, but their shape is {values.shape}.")
    wrong = (values != np.round(values)) | (values < 1) | (values > HEAVIEST)
    if np.any(wrong):
        raise BadInput(
            f"atom {int(np.argmax(wrong))} has the atomic number {values[wrong][0]:g}; give 1 to {HEAVIEST}."
        )
    return values.astype(int)


def checked_cell(given: object) -> Float[np.ndarray, "3 3"]:
    cell = numbers_of("cell", given)
    if cell.shape == (3,):
        cell = np.diag(cell)
    if cell.shape != (3, 3) or not np.all(np.abs(cell) <= FARTHEST):
        raise BadInput(f"a cell is three finite vectors, one a row, or three edge lengths, not {shown(given)}.")
    volume = float(np.linalg.det(cell))
    if abs(volume) < 1e-9:
        raise BadInput("the cell has no volume: its vectors lie in a plane. Give cell=None for a molecule.")
    if volume < 0:
        raise BadInput("the cell is left-handed (negative volume); swap two of its vectors.")
    return cell


def refuse_coincident(positions: np.ndarray, cell: np.ndarray | None) -> None:
    found = within(positions, CLOSEST) if cell is None else images_within(positions, cell, CLOSEST)[:2]
    pairs = [(int(min(pair)), int(max(pair))) for pair in zip(*found, strict=True)]
    if pairs:
        i, j = min(pairs)
        raise BadInput(f"atoms {i} and {j} are at the same place {shown(positions[i])}; remove one of them.")


def padded(values: object, rows: int, fill: float = 0.0, apart: bool = False) -> np.ndarray:
    """With rows of `fill` added; padding atoms are `apart` from others and each other, so that no length is zero."""
    array = np.asarray(values)
    more = rows - len(array)
    if apart:
        return np.concatenate([array, 1e3 + 10.0 * np.arange(more)[:, None] * np.ones(3)])
    return np.concatenate([array, np.full((more, *array.shape[1:]), fill, dtype=array.dtype)])


def numbers_of(name: str, given: object) -> np.ndarray:
    try:
        return real_array(given)
    except TypeError as error:
        raise BadInput(f"{name} must be numbers, but hold {error}.") from None
