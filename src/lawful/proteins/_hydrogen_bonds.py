"""Hydrogen bonds of the main chain."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from ._apart import squares_apart
from ._ideal import numpy_of

COUPLING = 332.0 * 0.42 * 0.20  # kcal/mol A, from charges of 0.42 and 0.20 e
CUTOFF = -0.5  # kcal/mol: a bond below it
NEAREST = 0.5  # A; closer than that is an overlap, and counts as STRONGEST
STRONGEST = -9.9
FARTHEST = 9.0  # A between the alpha carbons
PEPTIDE = 2.5  # a longer C-N distance is a chain break, A


def hydrogen_bond_energies(
    xyz: Float[Array | np.ndarray, "L 4 3"], sequence: str | None = None
) -> Float[Array | np.ndarray, "L L"]:
    """Energies of C=O of residue i with N-H of residue j, in kcal/mol.

        E(i, j) = 27.9 (1/r_ON + 1/r_CH - 1/r_OH - 1/r_CN)

    H stands 1 A from N, against the C=O before it. The energy is zero for prolines, behind chain breaks (C-N above
    2.5 A), within a residue and its neighbour j = i + 1, and where alpha carbons are 9 A apart or more; it is -9.9
    where two atoms are closer than 0.5 A. Differentiable but for these steps.

    W. Kabsch and C. Sander, Biopolymers 22, 2577 (1983).
    """
    xp = numpy_of(xyz)
    n, ca, c, o = (xyz[:, k] for k in range(4))
    length = len(xyz)
    h, able = hydrogens(xyz, sequence)

    def inverse(a, b):
        # The diagonal is masked below; its distance is kept away from zero, where a root has no derivative.
        squared = squares_apart(a, b)
        return 1 / xp.sqrt(xp.maximum(squared, 1e-12))

    on, ch, oh, cn = inverse(o, n), inverse(c, h), inverse(o, h), inverse(c, n)
    energy = COUPLING * (on + ch - oh - cn)
    overlap = xp.maximum(xp.maximum(on, ch), xp.maximum(oh, cn)) > 1 / NEAREST
    energy = xp.where(overlap, STRONGEST, energy)
    i, j = np.arange(length)[:, None], np.arange(length)[None, :]
    near = squares_apart(ca, ca) < FARTHEST**2
    return xp.where(able[None, :] & (i != j) & (i + 1 != j) & near, energy, 0.0)


def hydrogens(xyz: Float[Array | np.ndarray, "L 4 3"], sequence: str | None):
    """H of each residue, and which residues have one."""
    xp = numpy_of(xyz)
    n, c, o = xyz[:, 0], xyz[:, 2], xyz[:, 3]
    away = c[:-1] - o[:-1]
    h = xp.concatenate([n[:1], n[1:] + away / xp.linalg.norm(away, axis=-1, keepdims=True)])
    proline = np.array([letter == "P" for letter in sequence or "A" * len(xyz)], dtype=bool)
    return h, xp.concatenate([np.zeros(1, bool), bound(xyz)]) & ~proline


def bound(xyz: Float[Array | np.ndarray, "L atoms 3"], longest: float = PEPTIDE) -> Bool[Array | np.ndarray, " L-1"]:
    """Whether each residue is bound to the next: C and N at most `longest` apart, A. Atoms are N, CA, C and others."""
    xp = numpy_of(xyz)
    return xp.linalg.norm(xyz[1:, 0] - xyz[:-1, 2], axis=-1) <= longest


def hydrogen_bonds(xyz: Float[Array | np.ndarray, "L 4 3"], sequence: str | None = None) -> Bool[np.ndarray, "L L"]:
    """Whether C=O of residue i and N-H of residue j are bonded: below -0.5 kcal/mol, among the two best of that N-H."""
    energy = np.asarray(hydrogen_bond_energies(xyz, sequence))
    energy = np.round(energy * 1000) / 1000  # as DSSP keeps them
    best = np.argsort(energy, axis=0, kind="stable")[:2]
    among = np.zeros(energy.shape, dtype=bool)
    np.put_along_axis(among, best, True, axis=0)
    return among & (energy < CUTOFF)


def bond_count(energy: Float[Array, "L L"], width: float = 0.1) -> Float[Array, ""]:
    """How many hydrogen bonds there are, smoothly: sum of 1 / (1 + exp((E + 0.5)/width)). For guidance and fits."""
    return jnp.sum(1 / (1 + jnp.exp((energy - CUTOFF) / width)))
