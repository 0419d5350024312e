"""Magnitudes that hint at other units."""

from __future__ import annotations

import numpy as np

from .._core.messages import BadInput
from ._images import images_within, within
from ._structure import Structure

SHORTEST = 0.5  # A; the shortest bond, of H2, has 0.74
LONELY = 20.0  # A
BONDED = (6, 7, 8, 9)  # C, N, O, F hold hydrogen within 1.3 A
LOOSE = 1.6  # A; bonds of hydrogen in bohr are longer when they are taken for A


def check_units(structure: Structure) -> None:
    """Refuse an arrangement that looks like another unit than A. Raises `BadInput` with the cure.

    No two atoms are nearer than the shortest of bonds; among three and more not all are further apart than atoms ever
    are; and where there are hydrogens among C, N, O and F, not each is further from all others than any bond.
    """
    from scipy.spatial import KDTree

    positions = np.asarray(structure.positions)

    def nearest(reach: float) -> np.ndarray:
        """Pairs within reach, as (pairs, 2)."""
        if structure.cell is None:
            return np.stack(within(positions, reach), axis=1)
        return np.stack(images_within(positions, np.asarray(structure.cell), reach)[:2], axis=1)

    close = nearest(SHORTEST)
    if len(close):
        i, j = close[0]
        raise BadInput(
            f"atoms {i} and {j} are nearer than {SHORTEST} A; positions in nm? Multiply positions and cell by 10 (nm),"
            " or by the cell's lengths (fractions)."
        )
    if len(structure) < 3:
        return
    if structure.cell is None and np.min(KDTree(positions).query(positions, k=2)[0][:, 1]) > LONELY:
        raise BadInput(
            f"no two of {len(structure)} atoms are nearer than {LONELY:g} A; positions in pm? Divide them by 100."
        )
    hydrogens = np.flatnonzero(structure.numbers == 1)
    bonded = len(hydrogens) and np.any(np.isin(structure.numbers, BONDED))
    if bonded and not np.any(np.isin(nearest(LOOSE), hydrogens)):
        raise BadInput(
            f"no hydrogen has a neighbour within {LOOSE} A; positions in bohr? Multiply positions and cell by 0.529177."
        )
