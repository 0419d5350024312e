"""Atoms that stand in one another's way."""

from __future__ import annotations

import functools
import itertools

import numpy as np
from jaxtyping import Array, Bool, Float

from ._apart import squares_apart
from ._ideal import ideal_cb, numpy_of

# Van der Waals radii in angstrom as MolProbity's Probe has them, carbonyl C apart.
# J. M. Word et al., J. Mol. Biol. 285, 1711 (1999).
RADII = np.array([1.55, 1.70, 1.65, 1.40, 1.70])  # N, CA, C, O, CB
CLASH = 0.4  # A of overlap

# Bonds among N, CA, C, O, CB of a residue (0 to 4) and the next one (5 to 9).
BONDS = ((0, 1), (1, 2), (2, 3), (1, 4), (2, 5), (5, 6), (6, 7), (7, 8), (6, 9))


@functools.cache
def bonds_apart() -> np.ndarray:
    """How many bonds lie between the ten atoms of two residues in a row."""
    apart = np.full((10, 10), 99)
    np.fill_diagonal(apart, 0)
    for a, b in BONDS:
        apart[a, b] = apart[b, a] = 1
    for k, i, j in itertools.product(range(10), repeat=3):
        apart[i, j] = min(apart[i, j], apart[i, k] + apart[k, j])
    return apart


def overlaps(
    xyz: Float[Array | np.ndarray, "L 4 3"], sequence: str | None = None
) -> Float[Array | np.ndarray, "L 5 L 5"]:
    """By how much the spheres of N, CA, C, O and the ideal CB of any two residues overlap, in angstrom.

        r_a + r_b - |x_a - x_b|

    Negative where they do not touch; -inf for atoms that at most three bonds part, for atoms of one residue, for CB of
    glycine, and where a pair stands in the upper half already (residue j <= i). Differentiable where it is finite.
    """
    xp = numpy_of(xyz)
    length = len(xyz)
    atoms = xp.concatenate([xyz, ideal_cb(xyz)[:, None]], axis=1).reshape(5 * length, 3)
    counts = counted(length, sequence)
    squared = squares_apart(atoms, atoms)
    distance = xp.sqrt(xp.where(counts, squared, 1.0))
    radii = np.tile(RADII, length).astype(xyz.dtype)
    overlap = xp.where(counts, radii[:, None] + radii[None, :] - distance, -np.inf)
    return overlap.reshape(length, 5, length, 5)


def counted(length: int, sequence: str | None) -> Bool[np.ndarray, "atoms atoms"]:
    """Which pairs of atoms are looked at, each once."""
    i, j = np.arange(length)[:, None], np.arange(length)[None, :]
    near = np.tile(bonds_apart()[:5, 5:] > 3, (length, length))
    residue = np.repeat(np.repeat(j - i, 5, axis=0), 5, axis=1)
    pairs = (residue > 1) | ((residue == 1) & near)
    has = np.ones((length, 5), dtype=bool)
    has[:, 4] = [letter != "G" for letter in sequence or "A" * length]
    return pairs & has.reshape(-1)[:, None] & has.reshape(-1)[None, :]


def clashes(xyz: Float[Array | np.ndarray, "L 4 3"], sequence: str | None = None) -> int:
    """How many pairs of main-chain atoms and CB overlap by 0.4 A or more: those of `overlaps`, near residues only."""
    xyz = np.asarray(xyz, dtype=float)
    length, ca = len(xyz), xyz[:, 1]
    atoms = np.concatenate([xyz, np.asarray(ideal_cb(xyz))[:, None]], axis=1)
    reach = np.max(np.linalg.norm(atoms - ca[:, None], axis=-1))
    far = squares_apart(ca, ca) > (2 * reach + 2 * np.max(RADII)) ** 2
    i, j = np.nonzero(np.triu(~far, 1))
    counts = (j - i > 1)[:, None, None] | (bonds_apart()[:5, 5:] > 3)
    has = np.ones((length, 5), dtype=bool)
    has[:, 4] = [letter != "G" for letter in sequence or "A" * length]
    distance = np.linalg.norm(atoms[i][:, :, None] - atoms[j][:, None, :], axis=-1)
    overlap = RADII[:, None] + RADII[None, :] - distance
    return int(np.sum((overlap >= CLASH) & counts & has[i][:, :, None] & has[j][:, None, :]))
