"""What PDB files hold, by geometry of its own: NumPy and double precision, nothing shared with energies or samplers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

Points = Float[np.ndarray, "n 3"]

RADII = {"N": 1.55, "CA": 1.70, "C": 1.65, "O": 1.40, "CB": 1.70, "SG": 1.80}
"""Van der Waals, A. J. M. Word et al., J. Mol. Biol. 285, 1711 (1999); sulphur: A. Bondi, J. Phys. Chem. 68, 441."""
CLASH, TOUCH = 0.4, 8.0
LETTERS = {
    "ALA": "A", "CYS": "C", "ASP": "D", "GLU": "E", "PHE": "F", "GLY": "G", "HIS": "H", "ILE": "I", "LYS": "K",
    "LEU": "L", "MET": "M", "ASN": "N", "PRO": "P", "GLN": "Q", "ARG": "R", "SER": "S", "THR": "T", "VAL": "V",
    "TRP": "W", "TYR": "Y",
}  # fmt: skip


class Chain(NamedTuple):
    """Atoms of a chain: their places, names and the rank (from 0) of their residues; the sequence in letters."""

    xyz: Points
    names: np.ndarray
    residue: np.ndarray
    sequence: str

    def only(self, *names: str) -> Points:
        return self.xyz[np.isin(self.names, names)]

    def at(self, k: int, name: str) -> Float[np.ndarray, "3"]:
        return self.xyz[(self.residue == k) & (self.names == name)][0]

    def betas(self) -> Float[np.ndarray, "L 3"]:
        """CB of each residue, of glycine where it would be: in the tetrahedron about CA."""
        n, ca, c = (self.only(name) for name in ("N", "CA", "C"))
        found = tetrahedral(n, ca, c)
        has = self.names == "CB"
        found[self.residue[has]] = self.xyz[has]
        return found


def chains_of(text: str) -> dict[str, Chain]:
    """By name, from the text of a PDB file."""
    rows: dict[str, list] = {}
    for line in text.splitlines():
        if line.startswith("ATOM"):
            place = [float(line[k : k + 8]) for k in (30, 38, 46)]
            rows.setdefault(line[21], []).append((line[22:27], line[17:20], line[12:16].strip(), place))
    found = {}
    for name, atoms in rows.items():
        numbers = list(dict.fromkeys(number for number, *_ in atoms))
        kinds = {number: kind for number, kind, *_ in atoms}
        found[name] = Chain(
            np.array([place for *_, place in atoms]),
            np.array([atom for _, _, atom, _ in atoms]),
            np.array([numbers.index(number) for number, *_ in atoms]),
            "".join(LETTERS[kinds[number]] for number in numbers),
        )
    return found


def tetrahedral(n: Points, ca: Points, c: Points) -> Points:
    """1.53 A from CA, between N and C on the other side: L amino acids. Within 0.1 A of real ones."""
    unit = lambda v: v / np.linalg.norm(v, axis=-1, keepdims=True)
    back = -unit(unit(n - ca) + unit(c - ca))
    up = unit(np.cross(n - ca, c - ca))
    tilt = np.deg2rad(54.0)
    return ca + 1.53 * (np.cos(tilt) * back + np.sin(tilt) * up)


class Motion(NamedTuple):
    """x -> rotation x + shift, which brings points nearest to others; off: the largest distance left; rmsd."""

    rotation: Float[np.ndarray, "3 3"]
    shift: Float[np.ndarray, "3"]
    off: float
    rmsd: float

    def __call__(self, points: Points) -> Points:
        return points @ self.rotation.T + self.shift

    @property
    def degrees(self) -> float:
        return float(np.rad2deg(np.arccos(np.clip((np.trace(self.rotation) - 1) / 2, -1, 1))))

    @property
    def slide(self) -> float:
        """Along the axis of the turn, A: 0 for a turn without a screw."""
        r = self.rotation
        axis = np.array([r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]])
        return float(abs(axis @ self.shift) / np.linalg.norm(axis))


def superposed(points: Points, others: Points) -> Motion:
    """W. Kabsch, Acta Cryst. A 32, 922 (1976)."""
    points, others = np.asarray(points, float), np.asarray(others, float)
    middle, other = points.mean(axis=0), others.mean(axis=0)
    u, _, vt = np.linalg.svd((others - other).T @ (points - middle))
    rotation = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
    shift = other - rotation @ middle
    left = np.linalg.norm(points @ rotation.T + shift - others, axis=1)
    return Motion(rotation, shift, float(left.max()), float(np.sqrt(np.mean(left**2))))


class Symmetric(NamedTuple):
    """How far chains are from a ring: the one motion from first to second also takes each to its next.

    off       the largest distance of an atom from where the motion puts it, A.
    degrees   what the turn lacks of 360/m, absolute.
    slide     along the axis, A.
    """

    off: float
    degrees: float
    slide: float


def symmetric(chains: list[Points]) -> Symmetric:
    motion = superposed(chains[0], chains[1])
    following = [*chains[1:], chains[0]]
    off = max(
        float(np.linalg.norm(motion(np.asarray(one, float)) - other, axis=1).max())
        for one, other in zip(chains, following, strict=True)
    )
    return Symmetric(off, abs(motion.degrees - 360 / len(chains)), motion.slide)


def clashes_between(one: Chain, other: Chain) -> int:
    """Pairs of atoms of two chains that overlap by 0.4 A and more."""
    radii = [np.array([RADII[name] for name in chain.names]) for chain in (one, other)]
    away = np.linalg.norm(one.xyz[:, None] - other.xyz[None, :], axis=-1)
    return int(np.sum(radii[0][:, None] + radii[1][None, :] - away >= CLASH))


def clashes_of(chain: Chain, k: int, name: str, but: set[int]) -> int:
    """Atoms of other residues that one atom overlaps by 0.4 A and more; `but` those of some residues."""
    others = ~np.isin(chain.residue, list(but))
    radii = np.array([RADII[atom] for atom in chain.names])
    away = np.linalg.norm(chain.xyz - chain.at(k, name), axis=1)
    return int(np.sum((RADII[name] + radii - away >= CLASH) & others))


def contacts_between(one: Chain, other: Chain) -> int:
    """Pairs of residues of two chains whose beta carbons are within 8 A."""
    away = np.linalg.norm(one.only("CB")[:, None] - other.only("CB")[None, :], axis=-1)
    return int(np.sum(away < TOUCH))
