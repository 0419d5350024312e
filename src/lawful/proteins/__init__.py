"""Proteins: backbones in and out, their geometry and how native it looks. Angstroms and radians."""

from ._backbone import AMINO_ACIDS, Backbone, padded
from ._ideal import ideal_cb, place_atoms, place_oxygens
from ._reading import Read, Report, read
from ._sets import ChainSet, read_set, split
from ._torsions import Internal, angle, dihedral, ideal_internal, internal, rebuild
from ._writing import write

__all__ = [
    "AMINO_ACIDS",
    "Backbone",
    "ChainSet",
    "Internal",
    "Read",
    "Report",
    "angle",
    "dihedral",
    "ideal_cb",
    "ideal_internal",
    "internal",
    "padded",
    "place_atoms",
    "place_oxygens",
    "read",
    "read_set",
    "rebuild",
    "split",
    "write",
]
