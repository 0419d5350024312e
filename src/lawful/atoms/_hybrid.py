"""Energies by name, summed and differentiated once."""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Term = Callable[[Float[Array, "atoms 3"], "Float[Array, '3 3'] | None"], Float[Array, ""]]


class Answer(eqx.Module):
    """What a potential says of one arrangement.

    energy   eV; `terms` by name sum to it.
    forces   (atoms, 3), eV/A.
    stress   (3, 3), eV/A^3, dE/dstrain / volume, positive where the cell wants to shrink; None for a molecule.
    """

    energy: Float[Array, ""]
    terms: dict[str, Float[Array, ""]]
    forces: Float[Array, "atoms 3"]
    stress: Float[Array, "3 3"] | None


class HybridPotential(eqx.Module):
    """A sum of energies, each a plain function of positions and cell in eV and A.

        potential = HybridPotential({"coulomb": lambda r, cell: coulomb_energy(r, q, w, pairs), "dispersion": ...})
        potential(positions, cell).forces

    Any function will do: a network near, classical physics far, a user's own term.
    """

    terms: dict[str, Term]

    def energies(self, positions: Float[Array, "atoms 3"], cell: Float[Array, "3 3"] | None = None) -> dict[str, Array]:
        return {name: term(positions, cell) for name, term in self.terms.items()}

    @eqx.filter_jit
    def __call__(self, positions: Float[Array, "atoms 3"], cell: Float[Array, "3 3"] | None = None) -> Answer:
        """Energy, terms, forces and stress, by one backward pass."""

        def strained(positions, strain):
            moved = positions + positions @ strain
            terms = self.energies(moved, None if cell is None else cell + cell @ strain)
            return jnp.sum(jnp.stack(list(terms.values()))), terms

        positions = jnp.asarray(positions)
        (energy, terms), (slope, virial) = jax.value_and_grad(strained, argnums=(0, 1), has_aux=True)(
            positions, jnp.zeros((3, 3), positions.dtype)
        )
        stress = None if cell is None else 0.5 * (virial + virial.T) / jnp.abs(jnp.linalg.det(cell))
        return Answer(energy, terms, -slope, stress)
