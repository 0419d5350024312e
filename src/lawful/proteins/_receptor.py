"""What a binder is to lie against: the heavy atoms of a receptor, as spheres and as smooth fields around them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._core.messages import BadInput
from ..fields.equivariant import Frames
from ._reading import MODELS, MODIFIED, MOLECULES, UNKNOWN, Report, names_that_are_text, parsed

if TYPE_CHECKING:
    import gemmi

RADII = {"C": 1.70, "N": 1.55, "O": 1.52, "S": 1.80, "SE": 1.90, "P": 1.80}
"""Van der Waals radii, angstrom. A. Bondi, J. Phys. Chem. 68, 441 (1964)."""
TOUCH = 5.0
"""Residues touch where a binder's atom comes so near to a receptor's, angstrom."""
SMOOTH = 0.7
"""How gradually a contact begins, angstrom."""
OTHER_ELEMENTS = "atoms of other elements"
HYDROGENS = "hydrogens"
ALTERNATIVE_ATOMS = "atoms of alternative positions"
PARTIAL = "residues that lack main-chain atoms, kept as far as they go"


class Spheres(eqx.Module):
    """Atoms with radii, and to which residue each belongs. Angstrom."""

    xyz: Float[np.ndarray, "atoms 3"]
    radii: Float[np.ndarray, " atoms"]
    residue: Int[np.ndarray, " atoms"]

    def __len__(self) -> int:
        return len(self.xyz)

    def at(self, pose: Frames) -> Float[Array, "atoms 3"]:
        """Where they are in a pose."""
        return pose.apply(jnp.asarray(self.xyz))


def read_receptor(path: str | Path) -> tuple[Spheres, Report]:
    """All heavy atoms of the amino acids of a PDB or mmCIF file's first model, and what was left out.

    Waters, ligands, ions and hydrogens are left out; of alternative positions the first is kept; modified and unknown
    residues and such that lack atoms are kept as they stand, and counted: what is there is in the way.

    Raises `BadInput` for a file that is not there or holds no protein. Needs the extra `proteins`.
    """
    with names_that_are_text(path):
        return spheres_in(Path(path), parsed(Path(path)))


def spheres_in(path: Path, structure: gemmi.Structure) -> tuple[Spheres, Report]:
    import gemmi

    left, noted = Counter({MODELS: len(structure) - 1}), Counter()
    xyz, radii, residue = [], [], []
    count = 0
    for chain in structure[0]:
        for one in chain:
            info = gemmi.find_tabulated_residue(one.name)
            names = {atom.name for atom in one}
            if not info.is_amino_acid() and not ("CA" in names and len(names) > 1):
                left[MOLECULES] += 1
                continue
            noted[MODIFIED] += info.is_amino_acid() and not info.is_standard()
            noted[UNKNOWN] += not info.is_amino_acid()
            noted[PARTIAL] += not {"N", "CA", "C", "O"} <= names
            taken = set()
            for atom in one:
                element = atom.element.name.upper()
                if element in ("H", "D"):
                    left[HYDROGENS] += 1
                elif element not in RADII:
                    left[OTHER_ELEMENTS] += 1
                elif atom.name in taken:
                    left[ALTERNATIVE_ATOMS] += 1
                else:
                    taken.add(atom.name)
                    xyz.append(atom.pos.tolist())
                    radii.append(RADII[element])
                    residue.append(count)
            count += 1
    report = Report(path.name, len(structure[0]), count, +left, +noted)
    if not xyz:
        raise BadInput(f"{path} holds no amino acid with coordinates ({report}).")
    return Spheres(np.array(xyz), np.array(radii), np.array(residue)), report


class Field(eqx.Module):
    """A number at every point of space, from values on a regular grid, linear between them; the edge's beyond.

    corner   the grid's first point;  step: between points, angstrom.
    """

    corner: Float[Array, "3"]
    step: float = eqx.field(static=True)
    values: Float[Array, "x y z"]

    def __call__(self, places: Float[Array, "n 3"]) -> Float[Array, " n"]:
        shape = self.values.shape
        at = jnp.clip((places - self.corner) / self.step, 0.0, jnp.asarray(shape) - 1.001)
        low = jnp.floor(at).astype(jnp.int32)
        part = (at - low)[:, None]
        corners = np.array(list(np.ndindex(2, 2, 2)))
        weight = jnp.prod(jnp.where(corners == 1, part, 1 - part), axis=-1)
        stride = np.array([shape[1] * shape[2], shape[2], 1])
        # One look-up for all eight corners compiles in a fraction of the time that eight take.
        which = (low @ stride)[:, None] + corners @ stride
        return jnp.sum(weight * self.values.reshape(-1)[which], axis=1)

    def about(self, origin: Float[np.ndarray, "3"]) -> Field:
        """The same in coordinates whose origin is there."""
        return Field(self.corner - jnp.asarray(origin, self.corner.dtype), self.step, self.values)


class Surroundings(eqx.Module):
    """A receptor as two fields, made once: what a pose costs then does not grow with the receptor.

    depth   max_j (r_j - |x - x_j|): by how much a point lies inside the nearest sphere, negative outside; an atom of
            radius r overlaps by depth + r.
    touch   how many of the receptor's residues an atom here would touch, smoothed.
    """

    depth: Field
    touch: Field

    def about(self, origin: Float[np.ndarray, "3"]) -> Surroundings:
        """The same in coordinates whose origin is there."""
        return Surroundings(self.depth.about(origin), self.touch.about(origin))


def surroundings(receptor: Spheres, middle: Float[np.ndarray, "3"], reach: float, step: float = 0.8) -> Surroundings:
    """The fields in a cube around `middle`.

    reach   half its side, angstrom: the farthest that an atom of a binder may come.
    step    of the grid; 0.8 keeps depth to 0.1 A, and to 0.3 between atoms that are alike near.
    """
    from scipy.spatial import KDTree

    axis = np.arange(-reach, reach + step, step)
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1) + middle
    points = grid.reshape(-1, 3)
    near = np.min(np.abs(receptor.xyz - middle), axis=1) <= 3 * reach
    spheres = Spheres(receptor.xyz[near], receptor.radii[near], receptor.residue[near])
    tree = KDTree(spheres.xyz)
    nearest = 4
    away, which = tree.query(points, k=nearest, distance_upper_bound=TOUCH + 8.0)
    radii = np.append(spheres.radii, -50.0)  # none within reach
    depth = np.max(radii[which] - np.where(np.isfinite(away), away, 0.0), axis=1)
    depth = np.maximum(depth, -(TOUCH + 8.0))
    # Each residue counts once, by its nearest atom.
    touch = np.zeros(len(points))
    close = np.flatnonzero(away[:, 0] < TOUCH + 3.0)
    for part in np.array_split(close, max(len(close) // 50_000, 1)):
        found = tree.query_ball_point(points[part], TOUCH + 3.0)
        owner = np.repeat(np.arange(len(part)), [len(each) for each in found])
        atom = np.concatenate([np.asarray(each, dtype=int) for each in found])
        distance = np.linalg.norm(points[part][owner] - spheres.xyz[atom], axis=1)
        pair = owner * (receptor.residue.max() + 1) + spheres.residue[atom]
        order = np.lexsort((distance, pair))
        first = order[np.unique(pair[order], return_index=True)[1]]
        np.add.at(touch, part[owner[first]], 1 / (1 + np.exp((distance[first] - TOUCH) / SMOOTH)))
    shape = grid.shape[:3]
    field = lambda values: Field(jnp.asarray(middle - reach), step, jnp.asarray(values.reshape(shape)))
    return Surroundings(field(depth), field(touch))
