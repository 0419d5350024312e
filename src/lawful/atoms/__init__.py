"""Atoms: classical physics for the far field, exact by construction. Electronvolts, angstroms, elementary charges."""

from ._charges import Fragments
from ._dispersion import Dispersion
from ._electrostatics import coulomb_energy, smeared_inverse
from ._ensemble import Ensemble, Errors, Prediction
from ._ewald import ChargeSum, Ewald
from ._frames import Frame, Frames, Labels
from ._hybrid import Answer, HybridPotential
from ._mesh import MeshEwald
from ._neighbours import Neighbours
from ._network import NetworkEnergy, ShortRangeNetwork
from ._pairs import Pairs, all_pairs, near_pairs
from ._structure import Structure
from ._switch import cutoff_quintic, fade_in
from ._training import Tolerances, train
from ._units import BOHR, COULOMB, HARTREE, KCAL_PER_MOL
from ._wall import wall_energy

__all__ = [
    "BOHR",
    "COULOMB",
    "HARTREE",
    "KCAL_PER_MOL",
    "Answer",
    "ChargeSum",
    "Dispersion",
    "Ensemble",
    "Errors",
    "Ewald",
    "Fragments",
    "Frame",
    "Frames",
    "HybridPotential",
    "Labels",
    "MeshEwald",
    "Neighbours",
    "NetworkEnergy",
    "Pairs",
    "Prediction",
    "ShortRangeNetwork",
    "Structure",
    "Tolerances",
    "all_pairs",
    "coulomb_energy",
    "cutoff_quintic",
    "fade_in",
    "near_pairs",
    "smeared_inverse",
    "train",
    "wall_energy",
]
