"""What a backbone asks of its sequence: pairs of letters that like to touch where it touches, and letters that suit its
torsions. As energies that steer, and letter by letter apart from them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ..guidance import Constant, Term
from ..proteins import Backbone, TorsionCosts, contact_energy, contacts, torsion_costs, torsion_fit_energy
from ..proteins._backbone import AMINO_ACIDS
from ._sequence_model import preferences


class Fold(NamedTuple):
    """Which residues touch, what pairs of letters in contact cost, and what letters cost by their torsions, kT."""

    touching: Float[np.ndarray, "L L"]
    table: Float[np.ndarray, "letters letters"]
    costs: TorsionCosts

    @classmethod
    def of(cls, backbone: Backbone) -> Fold:
        return cls(contacts(backbone), preferences()[0], torsion_costs(backbone))

    @property
    def terms(self) -> dict[str, Term]:
        return {
            "contacts": Term(lambda p: contact_energy(p, self.touching, self.table), schedule=Constant()),
            "torsions": Term(lambda p: torsion_fit_energy(p, self.costs), schedule=Constant()),
        }

    def contacts_in(self, sequence: str) -> float:
        """Of pairs that touch, in kT, letter by letter."""
        letters = [AMINO_ACIDS.index(letter) for letter in sequence]
        return math.fsum(float(self.table[letters[i], letters[j]]) for i, j in np.argwhere(self.touching > 0))

    def misfit_in(self, sequence: str) -> float:
        """How badly the letters suit the torsions, in kT, residue by residue."""
        following = [*sequence[1:], ""]
        return math.fsum(
            float((self.costs.before if after == "P" else self.costs.alone)[k, AMINO_ACIDS.index(letter)])
            for k, (letter, after) in enumerate(zip(sequence, following, strict=True))
        )
