"""Proteins: backbones in and out, their geometry and how native it looks. Angstroms and radians."""

from ._against import Chain, Nearby, Overlap, Touching
from ._aims import charge_near, moment_near, near
from ._backbone import AMINO_ACIDS, Backbone, padded
from ._chain_energies import (
    clash_energy,
    hydrogen_bond_energy,
    peptide_energy,
    radius_energy,
    ramachandran_energy,
)
from ._chain_flow import ChainFlow, Move, starts
from ._clashes import clashes, overlaps
from ._composing import Composed, Exact, Slopes, Tilt, Trials, compose, enumerated
from ._contradictions import refuse_contradictions
from ._denoiser import Denoiser
from ._disulfide import Disulfide, torsion_energy
from ._families import families, read_fasta
from ._flow import LONGEST, SHORTEST, Schedule
from ._generate import Drawn, built, drawn, equivariance_error, generate
from ._hydrogen_bonds import bond_count, hydrogen_bond_energies, hydrogen_bonds
from ._ideal import ideal_cb, place_atoms, place_oxygens
from ._language import SequenceModel, masked, pseudo_perplexities, surprise
from ._learning import learn
from ._lessons import perplexity, teach
from ._letters import Soft, charges, decoded, encoded, soft
from ._losses import Losses, losses_of
from ._motif import Keep, Motif
from ._ngrams import NGram
from ._picture import picture
from ._placing import Fit, Placing, fit, pose_energy, spheres_of
from ._quantities import contact_energy, contact_table, contacts, hydrophobic_moment, net_charge
from ._ramachandran import ramachandran, ramachandran_kinds
from ._reach import reachable
from ._reading import Read, Report, read
from ._receptor import Field, Spheres, Surroundings, read_receptor, surroundings
from ._relax import relaxed
from ._restraints import Distance, window
from ._ring import RingFlow, Symmetry, ring_clash_energy, ring_contact_energy, ring_contacts
from ._scores import Native, Score, ScoreSheet, measured_natives, scores, usual_natives
from ._secondary import run_lengths, secondary_structure
from ._sets import ChainSet, read_set, representatives, split
from ._settle import settled
from ._shape import Handedness, compactness, contact_map, distance_map, handedness, radius_of_gyration
from ._similar import Nearest, nearest_tm, pairwise_tm
from ._superpose import Superposition, best_rotation, rmsd, superpose
from ._tm import Alignment, tm_align, tm_score
from ._torsion_fit import TorsionCosts, torsion_costs, torsion_fit_energy
from ._torsions import Internal, angle, dihedral, ideal_internal, internal, rebuild
from ._weights import load, save
from ._writing import write

__all__ = [
    "AMINO_ACIDS",
    "LONGEST",
    "SHORTEST",
    "Alignment",
    "Backbone",
    "Chain",
    "ChainFlow",
    "ChainSet",
    "Composed",
    "Denoiser",
    "Distance",
    "Disulfide",
    "Drawn",
    "Exact",
    "Field",
    "Fit",
    "Handedness",
    "Internal",
    "Keep",
    "Losses",
    "Motif",
    "Move",
    "NGram",
    "Native",
    "Nearby",
    "Nearest",
    "Overlap",
    "Placing",
    "Read",
    "Report",
    "RingFlow",
    "Schedule",
    "Score",
    "ScoreSheet",
    "SequenceModel",
    "Slopes",
    "Soft",
    "Spheres",
    "Superposition",
    "Surroundings",
    "Symmetry",
    "Tilt",
    "TorsionCosts",
    "Touching",
    "Trials",
    "angle",
    "best_rotation",
    "bond_count",
    "built",
    "charge_near",
    "charges",
    "clash_energy",
    "clashes",
    "compactness",
    "compose",
    "contact_energy",
    "contact_map",
    "contact_table",
    "contacts",
    "decoded",
    "dihedral",
    "distance_map",
    "drawn",
    "encoded",
    "enumerated",
    "equivariance_error",
    "families",
    "fit",
    "generate",
    "handedness",
    "hydrogen_bond_energies",
    "hydrogen_bond_energy",
    "hydrogen_bonds",
    "hydrophobic_moment",
    "ideal_cb",
    "ideal_internal",
    "internal",
    "learn",
    "load",
    "losses_of",
    "masked",
    "measured_natives",
    "moment_near",
    "near",
    "nearest_tm",
    "net_charge",
    "overlaps",
    "padded",
    "pairwise_tm",
    "peptide_energy",
    "perplexity",
    "picture",
    "place_atoms",
    "place_oxygens",
    "pose_energy",
    "pseudo_perplexities",
    "radius_energy",
    "radius_of_gyration",
    "ramachandran",
    "ramachandran_energy",
    "ramachandran_kinds",
    "reachable",
    "read",
    "read_fasta",
    "read_receptor",
    "read_set",
    "rebuild",
    "refuse_contradictions",
    "relaxed",
    "representatives",
    "ring_clash_energy",
    "ring_contact_energy",
    "ring_contacts",
    "rmsd",
    "run_lengths",
    "save",
    "scores",
    "secondary_structure",
    "settled",
    "soft",
    "spheres_of",
    "split",
    "starts",
    "superpose",
    "surprise",
    "surroundings",
    "teach",
    "tm_align",
    "tm_score",
    "torsion_costs",
    "torsion_energy",
    "torsion_fit_energy",
    "usual_natives",
    "window",
    "write",
]
