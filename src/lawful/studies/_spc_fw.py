"""Liquid water by SPC/Fw: three charged points a molecule on springs and a hinge, oxygen a Lennard-Jones sphere.

Source: Y. Wu, H. L. Tepper and G. A. Voth, J. Chem. Phys. 124, 024503 (2006), table I.
"""

from __future__ import annotations

import math

import equinox as eqx
import numpy as np
from scipy.spatial.transform import Rotation

from .._core.messages import BadInput
from ..atoms import (
    KCAL_PER_MOL,
    Hinges,
    HybridPotential,
    LennardJones,
    MeshEwald,
    Pairs,
    Springs,
    Structure,
    Unfelt,
    all_pairs,
    coulomb_energy,
    near_pairs,
)

BOND, ANGLE = 1.012, math.radians(113.24)  # A, rad
STIFFNESS, BENDING = 1059.162 * KCAL_PER_MOL, 75.90 * KCAL_PER_MOL  # eV/A^2, eV/rad^2
OXYGEN, HYDROGEN = -0.82, 0.41  # e
EPSILON, SIGMA = 0.1554253 * KCAL_PER_MOL, 3.165492  # eV, A
MASSES = {8: 15.9994, 1: 1.008}  # amu
SKIN = 1.5  # A: hydrogens are fast
ORDER = (8, 1, 1)


def masses(structure: Structure) -> np.ndarray:
    return np.array([MASSES[int(number)] for number in structure.numbers])


def build(
    structure: Structure, accuracy: float = 1e-6, cutoff: float = 7.0, reach: float = 9.0, skin=SKIN
) -> HybridPotential:
    """The potential of molecules given as O, H, H, each in one piece.

    accuracy, cutoff   of the sum of charges in a cell; `reach` where the spheres' attraction ends, A.
    """
    if len(structure) % 3 or not np.array_equal(structure.numbers.reshape(-1, 3), [ORDER] * (len(structure) // 3)):
        raise BadInput("water molecules are listed as O, H, H, one after another.")
    oxygens = np.arange(0, len(structure), 3)
    charges = np.tile([OXYGEN, HYDROGEN, HYDROGEN], len(oxygens))
    bonds = np.concatenate([np.stack([oxygens, oxygens + k], axis=1) for k in (1, 2)])
    hinges = np.stack([oxygens + 1, oxygens, oxygens + 2], axis=1)
    spheres = pairs_of(oxygens, structure, reach, skin)
    within = np.concatenate([bonds, hinges[:, [0, 2]]])
    terms = {
        "stretch": Springs(bonds, np.asarray(STIFFNESS), np.asarray(BOND)),
        "bend": Hinges(hinges, np.asarray(BENDING), np.asarray(ANGLE)),
        "spheres": LennardJones(np.full(len(structure), EPSILON), np.full(len(structure), SIGMA), spheres),
    }
    if structure.cell is None:
        terms["charges"] = eqx.Partial(between, charges=charges, pairs=all_pairs(structure))
    else:
        terms["charges"] = eqx.Partial(MeshEwald.of(structure, accuracy, cutoff, skin=skin), charges=charges)
    terms["unfelt"] = Unfelt(within, charges)
    return HybridPotential(terms, charges)


def between(positions, cell, charges, pairs: Pairs):
    """Charges of a cluster; as good as points, since molecules keep apart."""
    return coulomb_energy(positions, charges, 1e-3 + 0 * charges, pairs)


def pairs_of(chosen: np.ndarray, structure: Structure, cutoff: float, skin: float) -> Pairs:
    """The near pairs of some of the atoms; all of theirs where nothing repeats."""
    part = Structure(np.asarray(structure.positions)[chosen], structure.numbers[chosen], structure.cell)
    pairs = all_pairs(part) if structure.cell is None else near_pairs(part, cutoff, skin)
    return Pairs(chosen[pairs.i], chosen[pairs.j], pairs.shift, pairs.cutoff, pairs.skin)


def monomer() -> np.ndarray:
    """Positions of one molecule at rest, the oxygen at the origin."""
    half = ANGLE / 2
    return np.array([[0.0, 0.0, 0.0], *([s * BOND * math.sin(half), 0.0, BOND * math.cos(half)] for s in (-1, 1))])


def box(per_edge: int, edge: float, seed: int) -> Structure:
    """Molecules on a cubic lattice, turned at random."""
    spacing = edge / per_edge
    places = spacing * (
        np.stack(np.meshgrid(*[np.arange(per_edge)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 3) + 0.5
    )
    turned = Rotation.random(len(places), rng=np.random.default_rng(seed)).as_matrix()
    molecules = places + np.einsum("mij,aj->mai", turned, monomer())
    return Structure(molecules.reshape(-1, 3), list(ORDER) * len(places), [edge] * 3)


def in_one_piece(structure: Structure) -> Structure:
    """Hydrogens moved by whole cells to their oxygen."""
    cell = np.asarray(structure.cell)
    positions = np.asarray(structure.positions).reshape(-1, 3, 3)
    apart = positions - positions[:, :1]
    apart = apart - np.round(apart @ np.linalg.inv(cell)) @ cell
    return Structure((positions[:, :1] + apart).reshape(-1, 3), structure.numbers, cell)
