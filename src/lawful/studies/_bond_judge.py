"""Whether two residues of a PDB file can be joined by a disulfide: geometry of its own, in NumPy and double precision.

Nothing here is shared with the energy that guides: coordinates come from the text of the file, to its 0.001 A; sulphurs
are built for chi1 in steps of 5 degrees on both sides, and the best pair of rotamers is judged.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

GRID = np.deg2rad(np.arange(0.0, 360.0, 5.0))
CB_SG, CA_CB_SG, SG_SG = 1.81, np.deg2rad(114.2), 2.03
BOND = 0.15  # A off 2.03: half a step of the grid moves S by 0.07 A on either side
BENDS = np.deg2rad((90.0, 120.0))  # CB-S-S, 1st to 99th percentile of real ones about
CA_CA, CB_CB = (3.8, 6.8), (3.4, 4.5)
CHI3, OFF = np.deg2rad(90.0), np.deg2rad(30.0)
SLIGHT = 0.02  # A off 1.81, which the file's digits allow
WORST = 7.93  # kcal/mol: 95th percentile of 520 real bonds

Sites = tuple[Float[np.ndarray, "4 3"], Float[np.ndarray, "4 3"]]


class Bond(NamedTuple):
    """The best pair of rotamers: A, radians, kcal/mol. forms: whether it meets every limit."""

    forms: bool
    ca_ca: float
    cb_cb: float
    s_s: float
    chi3: float
    energy: float
    sulphurs: Float[np.ndarray, "2 3"]


def sites(text: str, i: int, j: int) -> Sites:
    """N, CA, C and CB of residues i and j (their numbers) of a PDB file."""
    found: dict[tuple[int, str], list[float]] = {}
    for line in text.splitlines():
        if line.startswith("ATOM"):
            where = [float(line[k : k + 8]) for k in (30, 38, 46)]
            found[int(line[22:26]), line[12:16].strip()] = where
    one, other = (np.array([found[k, atom] for atom in ("N", "CA", "C", "CB")]) for k in (i, j))
    return one, other


def judged(one: Float[np.ndarray, "4 3"], other: Float[np.ndarray, "4 3"], worst: float = WORST) -> Bond:
    """Of N, CA, C, CB of two residues."""
    s, t = (np.stack([placed(atoms[0], atoms[1], atoms[3], chi) for chi in GRID]) for atoms in (one, other))
    s, t = np.broadcast_arrays(s[:, None], t[None, :])
    (_, ca, _, cb), (_, ca2, _, cb2) = one, other
    length = np.linalg.norm(s - t, axis=-1)
    chi3 = torsion(cb, s, t, cb2)
    energy = katz(GRID[:, None], torsion(ca, cb, s, t), chi3, torsion(s, t, cb2, ca2), GRID[None, :])
    bends = np.stack([bend(cb, s, t), bend(cb2, t, s)])
    joined = (np.abs(length - SG_SG) <= BOND) & np.all((bends >= BENDS[0]) & (bends <= BENDS[1]), axis=0)
    gauche = np.abs(np.abs(chi3) - CHI3) <= OFF
    ca_ca, cb_cb = float(np.linalg.norm(ca - ca2)), float(np.linalg.norm(cb - cb2))
    near = CA_CA[0] <= ca_ca <= CA_CA[1] and CB_CB[0] <= cb_cb <= CB_CB[1]
    # The lowest torsion energy among rotamers that join; where none does, the nearest sulphurs.
    rank = np.where(joined & gauche, energy, np.where(joined, 100 + energy, 1000 + length))
    best = np.unravel_index(int(np.argmin(rank)), rank.shape)
    forms = bool(near and (joined & gauche)[best] and energy[best] <= worst)
    at = lambda values: float(values[best])
    return Bond(forms, ca_ca, cb_cb, at(length), at(chi3), at(energy), np.stack([s[best], t[best]]))


class Written(NamedTuple):
    """A bond as its sulphurs stand in a file: A, degrees, kcal/mol."""

    s_s: float
    cb_s: float
    ca_cb_s: float
    cb_s_s: float
    chi3: float
    energy: float

    @property
    def formed(self) -> bool:
        near = abs(self.s_s - SG_SG) <= BOND and abs(self.cb_s - CB_SG) <= SLIGHT
        return near and abs(abs(self.chi3) - np.rad2deg(CHI3)) <= np.rad2deg(OFF) and self.energy <= WORST


def written(one: Float[np.ndarray, "5 3"], other: Float[np.ndarray, "5 3"]) -> Written:
    """Of N, CA, C, CB and SG of two cysteines; of bonds and angles that both have, the one further off."""
    (n, ca, _, cb, s), (n2, ca2, _, cb2, t) = one, other
    chi3 = torsion(cb, s, t, cb2)
    energy = katz(torsion(n, ca, cb, s), torsion(ca, cb, s, t), chi3, torsion(s, t, cb2, ca2), torsion(t, cb2, ca2, n2))
    length = lambda a, b: float(np.linalg.norm(a - b))
    worse = lambda values, ideal: max(map(float, values), key=lambda value: abs(value - ideal))
    return Written(
        length(s, t),
        worse((length(cb, s), length(cb2, t)), CB_SG),
        worse(np.rad2deg([bend(ca, cb, s), bend(ca2, cb2, t)]), np.rad2deg(CA_CB_SG)),
        worse(np.rad2deg([bend(cb, s, t), bend(cb2, t, s)]), 104.8),
        float(np.rad2deg(chi3)),
        float(energy),
    )


def katz(chi1, chi2, chi3, chi4, chi5):
    """B. Katz and A. Kossiakoff, J. Biol. Chem. 261, 15480 (1986), kcal/mol."""
    threefold = 2 * np.cos(3 * chi1) + 2 * np.cos(3 * chi5) + np.cos(3 * chi2) + np.cos(3 * chi4)
    return threefold + 3.5 * np.cos(2 * chi3) + 0.6 * np.cos(3 * chi3) + 10.1


def placed(n, ca, cb, chi):
    """S at 1.81 A from CB, 114.2 degrees from CA, turned by chi against N."""
    back = (ca - cb) / np.linalg.norm(ca - cb)
    side = (n - ca) - np.dot(n - ca, back) * back
    side /= np.linalg.norm(side)
    up = np.cross(side, back)
    return cb + CB_SG * (np.cos(CA_CB_SG) * back + np.sin(CA_CB_SG) * (np.cos(chi) * side + np.sin(chi) * up))


def bend(a, b, c):
    u, v = a - b, c - b
    return np.arccos(np.clip(np.sum(u * v, -1) / np.linalg.norm(u, axis=-1) / np.linalg.norm(v, axis=-1), -1, 1))


def torsion(a, b, c, d):
    """Signed as IUPAC has it, from the projections on the plane across b-c."""
    axis = (c - b) / np.linalg.norm(c - b, axis=-1, keepdims=True)
    flat = lambda v: v - np.sum(v * axis, -1, keepdims=True) * axis
    u, v = flat(a - b), flat(d - c)
    return np.arctan2(np.sum(np.cross(axis, u) * v, -1), np.sum(u * v, -1))
