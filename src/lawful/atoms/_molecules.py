"""What was learned of molecules, put to use: a potential of a cluster or of a cell full of them."""

from __future__ import annotations

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float, Int

from .._core.messages import BadInput
from ._charges import Fragments, same_piece
from ._frames import Frame
from ._hybrid import HybridPotential
from ._learned import HybridNetwork, Interactions
from ._multipole_ewald import MultipoleEwald
from ._neighbours import Neighbours
from ._pairs import Pairs, near_pairs
from ._structure import Structure

CUTOFF = 10.0  # A


def molecular_potential(
    model: HybridNetwork | Interactions,
    structure: Structure,
    fragments: Fragments | None = None,
    *,
    cutoff: float = CUTOFF,
    accuracy: float = 1e-9,
    skin: float = 0.0,
) -> HybridPotential:
    """A potential out of a `HybridNetwork`, every term by name, with charges and dipole.

        build = lambda structure: molecular_potential(model, structure, skin=1.0)
        atoms.calc = at.calculator(build)

    fragments   which atoms belong together; by default those that bonds join, neutral: `Fragments.connected`. Atoms
                of one molecule need not lie in one piece.
    cutoff      A, in a cell: where near pairs of different molecules end. Charges to quadrupoles go on, in Ewald's
                sums; of dispersion what is beyond is missing, a percent at 12 A. In a cluster nothing ends.
    accuracy    of Ewald's sums.
    skin        A: for how much motion lists of neighbours hold, 1 in a liquid.

    `Interactions` know nothing of what holds a molecule together: add springs, or hold the molecules stiff.
    Raises `BadInput` for elements that the model does not know.
    """
    parts = Fragments.connected(structure) if fragments is None else fragments
    if len(parts.of) != len(structure):
        raise BadInput(f"{len(structure)} atoms need as many entries in fragments.of, but {len(parts.of)} were given.")
    homes = parts.images(structure)
    neighbours = Neighbours.of(structure, model.cutoff, skin=skin)
    own = neighbours.only(
        same_piece(parts.of, homes, np.arange(len(structure))[:, None], neighbours.j, neighbours.shift)
    )
    sums = None
    if structure.cell is not None:
        pairs = near_pairs(structure, cutoff, skin)
        assert pairs.shift is not None
        apart = ~same_piece(parts.of, homes, pairs.i, pairs.j, pairs.shift)
        between = Pairs(pairs.i[apart], pairs.j[apart], pairs.shift[apart], cutoff, skin)
        i, j = np.nonzero(np.triu(np.asarray(parts.of) == np.asarray(parts.of)[:, None], k=1))
        within = Pairs(i, j, (homes[j] - homes[i]).astype(float), np.inf)
        sums = MultipoleEwald.of(np.asarray(structure.cell), between, within, accuracy)
    species = model.species(structure.numbers)
    energy = MolecularEnergy(model, species, parts, neighbours, own, sums)
    return HybridPotential({"molecules": energy}, energy.moments)


class MolecularEnergy(eqx.Module):
    """A `HybridNetwork`'s terms as functions of positions and cell; its lists are those it was made with."""

    model: HybridNetwork | Interactions
    species: Int[np.ndarray, " atoms"]
    fragments: Fragments
    neighbours: Neighbours
    own: Neighbours
    sums: MultipoleEwald | None

    def __call__(
        self, positions: Float[Array, "atoms 3"], cell: Float[Array, "3 3"] | None
    ) -> dict[str, Float[Array, ""]]:
        return self.model.terms(self.frame(positions, cell), self.sums)

    def moments(
        self, positions: Float[Array, "atoms 3"], cell: Float[Array, "3 3"] | None
    ) -> tuple[Float[Array, " atoms"], Float[Array, "atoms 3"]]:
        """Charges (e) and dipoles (e A) of the atoms in their molecules, without what the field of others adds."""
        atoms = self.model.atoms(self.frame(positions, cell))
        return atoms.charges, atoms.dipoles

    def frame(self, positions: Float[Array, "atoms 3"], cell: Float[Array, "3 3"] | None) -> Frame:
        return Frame(positions, self.species, self.neighbours, cell, self.fragments, self.own)
