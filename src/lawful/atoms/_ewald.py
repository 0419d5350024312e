"""Coulomb energy of charges that repeat in a cell of any shape: Ewald's sums."""

from __future__ import annotations

import abc
import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erfc
from jaxtyping import Array, Float

from .._core.messages import BadInput
from ._blocks import summed
from ._electrostatics import smeared_inverse
from ._pairs import Pairs, near_pairs
from ._structure import Structure
from ._switch import fade_out
from ._units import COULOMB

BLOCK = 16_384  # pairs
UNFADED = 0.95  # of the cutoff: up to there near pairs count in full, and accuracy is reckoned


class ChargeSum(eqx.Module):
    """The energy of charges that repeat, near by pairs and far by waves: `far` says how the waves are summed."""

    pairs: Pairs
    smear: float = eqx.field(static=True)

    @abc.abstractmethod
    def far(
        self, positions: Float[Array, "atoms 3"], cell: Float[Array, "3 3"], charges: Float[Array, " atoms"]
    ) -> Float[Array, ""]:
        """Half the energy of all Gaussians of width `smear` with all, their own included, over k."""

    @eqx.filter_jit
    def __call__(
        self,
        positions: Float[Array, "atoms 3"],
        cell: Float[Array, "3 3"],
        charges: Float[Array, " atoms"],
        widths: Float[Array, " atoms"] | None = None,
    ) -> Float[Array, ""]:
        """Energy in eV per cell. widths of Gaussian charges in A; None: points."""
        return COULOMB * (
            self.near(positions, cell, charges, widths)
            + self.far(positions, cell, charges)
            - jnp.sum(charges**2) / (math.sqrt(2 * math.pi) * self.smear)
            - background(cell, charges, widths, self.smear)
        )

    def near(self, positions, cell, charges, widths) -> Float[Array, ""]:
        """Pairs fade out just before the cutoff, so that one that comes or goes is not felt at all."""
        charges = jnp.asarray(charges)
        widths = None if widths is None else jnp.asarray(widths)

        def of(rows) -> Float[Array, ""]:
            i, j, shift = rows
            return self.near_of(Pairs(i, j, shift, self.pairs.cutoff), positions, cell, charges, widths)

        return summed(of, (self.pairs.i, self.pairs.j, self.pairs.shift), BLOCK)

    def near_of(self, pairs, positions, cell, charges, widths) -> Float[Array, ""]:
        square, end = pairs.squares(positions, cell), pairs.cutoff
        if widths is None:
            r = jnp.sqrt(square)
            lacking = erfc(r / (math.sqrt(2) * self.smear)) / r
        else:
            width = jnp.sqrt(widths[pairs.i] ** 2 + widths[pairs.j] ** 2)
            lacking = smeared_inverse(square, width) - smeared_inverse(square, jnp.asarray(self.smear))
        lacking = lacking * fade_out(square, UNFADED * end, end)
        return jnp.sum(charges[pairs.i] * charges[pairs.j] * lacking)


def background(
    cell: Float[Array, "3 3"], charges: Float[Array, " atoms"], widths: Float[Array, " atoms"] | None, smear: float
) -> Float[Array, ""]:
    """The mean of what the near sum adds, times the charge of the background; zero for a neutral cell. Over k."""
    total = jnp.sum(charges)
    own = 0.0 if widths is None else 2 * total * jnp.sum(charges * widths**2)
    return math.pi / jnp.linalg.det(cell) * (total**2 * smear**2 - own)


class Ewald(ChargeSum):
    """Energy of a periodic structure's charges; made once, then a plain function of positions, cell and charges.

        E = sum over pairs within the cutoff of what Gaussians of width `smear` lack
          + k / (2 V) sum_{K != 0} 4 pi / K^2 exp(-smear^2 K^2 / 2) |S(K)|^2 - self energies of the Gaussians

    The surroundings are a conductor; a net charge is made up for by an even background. Positions may move and the cell
    be strained by what the pairs' margin allows; beyond, make it anew.

    Ewald.of(structure, accuracy)   chooses cutoff, smear and wave vectors.
    Source: P. P. Ewald, Ann. Phys. 369, 253 (1921).
    """

    waves: Float[np.ndarray, "waves 3"]

    @classmethod
    def of(
        cls,
        structure: Structure,
        accuracy: float = 1e-9,
        cutoff: float | None = None,
        widest: float = 0.0,
        skin: float = 0.0,
    ) -> Ewald:
        """Choose the sums for a structure.

        accuracy   relative size of what either sum leaves out: 1e-9 for derivatives, 1e-5 for a look.
        cutoff     A; by default that which makes both sums cost about the same.
        widest     width of the widest Gaussian charge, A: beyond the cutoff two of them must act like points.
        skin       A: how much further pairs are listed; they hold until an atom has moved by half of it.
        """
        if structure.cell is None:
            raise BadInput("Ewald's sums are for periodic structures; use coulomb_energy for a molecule.")
        if not 1e-15 < accuracy < 0.1:
            raise BadInput(f"accuracy={accuracy}: a small relative error is meant, such as 1e-9.")
        cell = np.asarray(structure.cell)
        decay = math.sqrt(-2 * math.log(accuracy))  # a Gaussian has fallen to `accuracy` at so many widths
        volume = float(np.linalg.det(cell))
        balanced = 0.8 * decay * (volume**2 / len(structure)) ** (1 / 6) / math.sqrt(2 * math.pi)
        reach = max(cutoff or balanced, decay * math.sqrt(2) * widest / UNFADED)
        smear = UNFADED * reach / decay
        return cls(near_pairs(structure, reach, skin), smear, wave_vectors(cell, decay / smear))

    def far(self, positions, cell, charges) -> Float[Array, ""]:
        vectors, weights = weighted(self.waves, cell, self.smear)
        phase = vectors @ positions.T
        strength = (jnp.cos(phase) @ charges) ** 2 + (jnp.sin(phase) @ charges) ** 2
        return jnp.sum(weights * strength)


def weighted(
    waves: Float[np.ndarray, "waves 3"], cell: Float[Array, "3 3"], smear: float
) -> tuple[Float[Array, "waves 3"], Float[Array, " waves"]]:
    """Wave vectors K (1/A), and what |S(K)|^2 counts: only one of K and -K is kept, so that the sum counts twice."""
    vectors = 2 * math.pi * waves @ jnp.linalg.inv(cell).T
    square = jnp.sum(vectors**2, axis=1)
    return vectors, 4 * math.pi / square * jnp.exp(-0.5 * smear**2 * square) / jnp.linalg.det(cell)


def wave_vectors(cell: Float[np.ndarray, "3 3"], longest: float) -> Float[np.ndarray, "waves 3"]:
    """Whole numbers n with |2 pi cell^-1 n| up to `longest`, one of each n and -n, without 0."""
    most = np.floor(longest * np.linalg.norm(cell, axis=1) / (2 * math.pi)).astype(int)
    grid = np.stack(np.meshgrid(*[np.arange(-m, m + 1) for m in most], indexing="ij"), axis=-1).reshape(-1, 3)
    ahead = (grid[:, 0] > 0) | ((grid[:, 0] == 0) & ((grid[:, 1] > 0) | ((grid[:, 1] == 0) & (grid[:, 2] > 0))))
    grid = grid[ahead]
    lengths = np.linalg.norm(2 * math.pi * grid @ np.linalg.inv(cell).T, axis=1)
    return grid[lengths <= longest].astype(float)
