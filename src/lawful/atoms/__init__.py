"""Atoms: classical physics for the far field, exact by construction. Electronvolts, angstroms, elementary charges."""

from ._ase import calculator, standard_masses
from ._cell_list import CellList
from ._charges import Fragments
from ._coordination import CoordinationDispersion
from ._dispersion import Dispersion
from ._dynamics import Trajectory, dynamics
from ._electrostatics import coulomb_energy, smeared_inverse
from ._ensemble import Ensemble, Errors, Prediction
from ._ewald import ChargeSum, Ewald
from ._export import Exported, export, load
from ._following import Build, Following
from ._frames import Frame, Frames
from ._hybrid import Answer, HybridPotential
from ._labels import Labels
from ._learned import AtomsInMolecules, HybridNetwork, Interactions, NetworkAlone
from ._mesh import MeshEwald
from ._molecular import Hinges, LennardJones, Springs, Unfelt
from ._molecules import MolecularEnergy, molecular_potential
from ._multipole_ewald import MultipoleEwald
from ._multipoles import Multipoles
from ._near_list import NearList, WithoutPairs, near_lists, with_room
from ._neighbours import Neighbours
from ._network import NetworkEnergy, ShortRangeNetwork
from ._pairs import Pairs, all_pairs, near_pairs
from ._plausible import check_units
from ._relax import Relaxed, relax
from ._steppers import NVE, Langevin, thermal_velocities
from ._structure import Structure
from ._switch import cutoff_quintic, fade_in, fade_out
from ._training import Tolerances, train
from ._units import BOHR, BOLTZMANN, COULOMB, EV_PER_AMU, HARTREE, KCAL_PER_MOL, LIGHT
from ._vibrations import Modes, Phonons, hessian, normal_modes, phonons
from ._wall import wall_energy

__all__ = [
    "BOHR",
    "BOLTZMANN",
    "COULOMB",
    "EV_PER_AMU",
    "HARTREE",
    "KCAL_PER_MOL",
    "LIGHT",
    "NVE",
    "Answer",
    "AtomsInMolecules",
    "Build",
    "CellList",
    "ChargeSum",
    "CoordinationDispersion",
    "Dispersion",
    "Ensemble",
    "Errors",
    "Ewald",
    "Exported",
    "Following",
    "Fragments",
    "Frame",
    "Frames",
    "Hinges",
    "HybridNetwork",
    "HybridPotential",
    "Interactions",
    "Labels",
    "Langevin",
    "LennardJones",
    "MeshEwald",
    "Modes",
    "MolecularEnergy",
    "MultipoleEwald",
    "Multipoles",
    "NearList",
    "Neighbours",
    "NetworkAlone",
    "NetworkEnergy",
    "Pairs",
    "Phonons",
    "Prediction",
    "Relaxed",
    "ShortRangeNetwork",
    "Springs",
    "Structure",
    "Tolerances",
    "Trajectory",
    "Unfelt",
    "WithoutPairs",
    "all_pairs",
    "calculator",
    "check_units",
    "coulomb_energy",
    "cutoff_quintic",
    "dynamics",
    "export",
    "fade_in",
    "fade_out",
    "hessian",
    "load",
    "molecular_potential",
    "near_lists",
    "near_pairs",
    "normal_modes",
    "phonons",
    "relax",
    "smeared_inverse",
    "standard_masses",
    "thermal_velocities",
    "train",
    "wall_energy",
    "with_room",
]
