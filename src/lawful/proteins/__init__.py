"""Proteins: backbones in and out, their geometry and how native it looks. Angstroms and radians."""

from ._backbone import AMINO_ACIDS, Backbone, padded
from ._clashes import clashes, overlaps
from ._hydrogen_bonds import bond_count, hydrogen_bond_energies, hydrogen_bonds
from ._ideal import ideal_cb, place_atoms, place_oxygens
from ._picture import picture
from ._ramachandran import ramachandran, ramachandran_kinds
from ._reading import Read, Report, read
from ._scores import Native, Score, ScoreSheet, measured_natives, scores, usual_natives
from ._secondary import run_lengths, secondary_structure
from ._sets import ChainSet, read_set, representatives, split
from ._shape import Handedness, compactness, contact_map, distance_map, handedness, radius_of_gyration
from ._similar import Nearest, nearest_tm, pairwise_tm
from ._superpose import Superposition, best_rotation, rmsd, superpose
from ._tm import Alignment, tm_align, tm_score
from ._torsions import Internal, angle, dihedral, ideal_internal, internal, rebuild
from ._writing import write

__all__ = [
    "AMINO_ACIDS",
    "Alignment",
    "Backbone",
    "ChainSet",
    "Handedness",
    "Internal",
    "Native",
    "Nearest",
    "Read",
    "Report",
    "Score",
    "ScoreSheet",
    "Superposition",
    "angle",
    "best_rotation",
    "bond_count",
    "clashes",
    "compactness",
    "contact_map",
    "dihedral",
    "distance_map",
    "handedness",
    "hydrogen_bond_energies",
    "hydrogen_bonds",
    "ideal_cb",
    "ideal_internal",
    "internal",
    "measured_natives",
    "nearest_tm",
    "overlaps",
    "padded",
    "pairwise_tm",
    "picture",
    "place_atoms",
    "place_oxygens",
    "radius_of_gyration",
    "ramachandran",
    "ramachandran_kinds",
    "read",
    "read_set",
    "rebuild",
    "representatives",
    "rmsd",
    "run_lengths",
    "scores",
    "secondary_structure",
    "split",
    "superpose",
    "tm_align",
    "tm_score",
    "usual_natives",
    "write",
]
