"""Energies by name, summed and differentiated once."""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float

from .._core.compilation import compiled
from ._near_list import margin_of
from ._slopes import slopes

Energy = Float[Array, ""]
Term = Callable[[Float[Array, "atoms 3"], "Float[Array, '3 3'] | None"], Energy | dict[str, Energy]]


class Answer(eqx.Module):
    """What a potential says of one arrangement.

    energy   eV; `terms` by name sum to it.
    forces   (atoms, 3), eV/A.
    stress   (3, 3), eV/A^3, dE/dstrain / volume, positive where the cell wants to shrink; None for a molecule.
    charges  (atoms,), e, where the potential says them.
    dipole   (3,), e A, sum of charge times position and of the atoms' dipoles, where nothing repeats.
    """

    energy: Float[Array, ""]
    terms: dict[str, Float[Array, ""]]
    forces: Float[Array, "atoms 3"]
    stress: Float[Array, "3 3"] | None
    charges: Float[Array, " atoms"] | None = None
    dipole: Float[Array, "3"] | None = None


class HybridPotential(eqx.Module):
    """A sum of energies, each a plain function of positions and cell in eV and A.

        potential = HybridPotential({"coulomb": lambda r, cell: coulomb_energy(r, q, w, pairs), "dispersion": ...})
        potential(positions, cell).forces

    Any function will do: a network near, classical physics far, a user's own term. Where atoms move, near pairs have to
    be found again now and then, which goes by itself and fast where the terms show their pairs: pytrees do
    (`eqx.Partial(dispersion, pairs=pairs)`), lambdas hide them.

    terms     by name; one may also say several energies at once, by names of their own.
    charges   (atoms,), e, or a function of positions and cell that says them, alone or with the atoms' dipoles (e A);
              for answers only, no energy follows.
    """

    terms: dict[str, Term]
    charges: Float[Array | np.ndarray, " atoms"] | Callable | None = None

    @property
    def margin(self) -> float:
        """How far (A) every atom may move before a pair that counts could be missing: half the smallest skin, 0 where a
        plain function could hide pairs, infinite where there is no end of pairs."""
        return margin_of(self.terms, self.charges)

    def energies(self, positions: Float[Array, "atoms 3"], cell: Float[Array, "3 3"] | None = None) -> dict[str, Array]:
        found = {}
        for name, term in self.terms.items():
            said = term(positions, cell)
            found |= said if isinstance(said, dict) else {name: said}
        return found

    def energy(self, positions: Float[Array, "atoms 3"], cell: Float[Array, "3 3"] | None = None) -> Float[Array, ""]:
        """The sum of all terms, eV: the function to differentiate where stress is not asked for."""
        return jnp.sum(jnp.stack(list(self.energies(positions, cell).values())))

    def __call__(self, positions: Float[Array, "atoms 3"], cell: Float[Array, "3 3"] | None = None) -> Answer:
        """Energy, terms, forces and stress, by one backward pass."""
        if any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves((self, positions, cell))):
            return answered(self, positions, cell)
        return answered_at_once(self, jnp.asarray(positions), None if cell is None else jnp.asarray(cell))


def answered(potential: HybridPotential, positions, cell) -> Answer:
    def energy(positions, cell):
        terms = potential.energies(positions, cell)
        return jnp.sum(jnp.stack(list(terms.values()))), terms

    positions = jnp.asarray(positions)
    total, terms, forces, stress = slopes(energy, positions, cell)
    said = potential.charges(positions, cell) if callable(potential.charges) else potential.charges
    charges, dipoles = said if isinstance(said, tuple) else (said, jnp.zeros_like(positions))
    if charges is None:
        return Answer(total, terms, forces, stress)
    charges = jnp.asarray(charges)
    dipole = charges @ positions + jnp.sum(dipoles, axis=0) if cell is None else None
    return Answer(total, terms, forces, stress, charges, dipole)


answered_at_once = compiled(lambda *_: 3)(answered)
