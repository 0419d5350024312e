"""What any chain should obey, as energies of its frames: no atoms in each other, usual torsions, ideal bonds, size."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from ..fields.equivariant import Frames, centre
from ._apart import squares_apart
from ._chain_atoms import chain_atoms, spread_out
from ._clashes import RADII, counted
from ._hydrogen_bonds import hydrogen_bond_energies
from ._ideal import CA_C, N_CA, N_CA_C
from ._ramachandran import GENERAL, cubic, log_grids
from ._relax import joint
from ._torsions import dihedral

KT = 0.593
"""kcal/mol at 298 K."""
STIFF, GRACE = 10.0, 0.2
"""Of spheres that overlap: kcal/mol/A^2 beyond an overlap (A) that real chains often have."""
BLURS = ((12.0, 0.1), (40.0, 0.01))
"""Degrees, share: what is added to the grids, so that the way to the usual is known from everywhere."""
CORE = 0.3
"""The share beyond which one place is as good as another."""


def clash_energy(frames: Frames, real: Bool[Array, " n"] | None = None) -> Float[Array, ""]:
    """Main-chain atoms and CB that stand in one another, kcal/mol: zero where none does.

        E = 10 kcal/mol/A^2 sum over pairs of max(r_a + r_b - |x_a - x_b| - 0.2 A, 0)^2

    Pairs and radii are those of `overlaps`; a clash is an overlap of 0.4 A, and costs 0.4 kcal/mol and more.
    J. M. Word et al., J. Mol. Biol. 285, 1711 (1999), for the radii.
    """
    atoms = chain_atoms(frames, real)
    n = len(atoms)
    flat = atoms.reshape(5 * n, 3)
    return overlap_energy(flat, flat, jnp.asarray(counted(n, None)))


def overlap_energy(
    one: Float[Array, "a 3"], other: Float[Array, "b 3"], counts: Bool[Array, "a b"]
) -> Float[Array, ""]:
    """The same of any pairs of atoms, both in the order N, CA, C, O, CB of whole residues."""
    squared = squares_apart(one, other)
    radii = [np.tile(RADII, len(atoms) // 5) for atoms in (one, other)]
    touch = (radii[0][:, None] + radii[1][None, :] - GRACE).astype(one.dtype)
    near = counts & (squared < touch**2)
    distance = jnp.sqrt(jnp.where(near, jnp.maximum(squared, 1e-6), 1.0))
    return STIFF * jnp.sum(jnp.where(near, touch - distance, 0.0) ** 2)


def ramachandran_energy(
    frames: Frames, real: Bool[Array, " n"] | None = None, blurred: bool = True
) -> Float[Array, ""]:
    """How unusual the torsions are, kT: sum over inner residues of log(1 + 0.3/p), p of the general grid.

    p is the share of real residues whose torsions are less usual (`ramachandran`); the energy is -log p where it is
    small, and flat where p is above 0.3, so that not all residues are drawn to one place. Where there are no real
    residues the grid is flat; `blurred` adds a tenth and a hundredth of the grid blurred by 12 and 40 degrees.
    """
    phi, psi = torsions(spread_out(frames, real))
    grids = jnp.asarray(wide_grid() if blurred else log_grids()[GENERAL], phi.dtype)
    rows, row_weights = cubic(phi[:-1])
    columns, column_weights = cubic(psi[1:])
    logs = jnp.einsum("...ij,...i,...j->...", grids[rows[..., :, None], columns[..., None, :]], row_weights,
                      column_weights)  # fmt: skip
    inner = True if real is None else real[2:]
    return jnp.sum(jnp.where(inner, jax.nn.softplus(jnp.log(CORE) - logs), 0.0))


@functools.cache
def wide_grid() -> Float[np.ndarray, "180 180"]:
    """The logarithm of the general grid and its blurred copies."""
    share = np.exp(log_grids()[GENERAL])
    wave = np.fft.fftfreq(180) * 180  # turns of the circle
    found = share.copy()
    for degrees, part in BLURS:
        damp = np.exp(-0.5 * (np.deg2rad(degrees) * wave) ** 2)
        found += part * np.maximum(np.fft.ifft2(np.fft.fft2(share) * damp[:, None] * damp[None, :]).real, 0.0)
    return np.log(found)


def torsions(frames: Frames) -> tuple[Float[Array, " n-1"], Float[Array, " n-1"]]:
    """Phi of each residue but the first, psi of each but the last."""
    n, ca, c = (frames.apply(jnp.asarray(x, frames.origin.dtype)) for x in PLACES)
    return dihedral(c[:-1], n[1:], ca[1:], c[1:]), dihedral(n[:-1], ca[:-1], c[:-1], n[1:])


PLACES = ((N_CA * np.cos(N_CA_C), N_CA * np.sin(N_CA_C), 0.0), (0.0, 0.0, 0.0), (CA_C, 0.0, 0.0))


def peptide_energy(frames: Frames, real: Bool[Array, " n"] | None = None) -> Float[Array, ""]:
    """How far peptide bonds are from ideal and trans, kT: half the sum of squares of C-N, CA-C-N, C-N-CA and omega in
    standard deviations of real chains (0.012 A, 1.6, 1.8 and 5 degrees)."""
    frames = spread_out(frames, real)
    off = jax.vmap(joint)(frames.map(lambda x: x[:-1]), frames.map(lambda x: x[1:]))
    both = jnp.ones(len(off), bool) if real is None else real[:-1] & real[1:]
    return 0.5 * jnp.sum(jnp.where(both[:, None], off, 0.0) ** 2)


def hydrogen_bond_energy(frames: Frames, real: Bool[Array, " n"] | None = None) -> Float[Array, ""]:
    """Hydrogen bonds of the main chain that are formed or nearly so, kcal/mol.

        E = -2 kcal/mol sum over C=O, N-H of 1 / (1 + exp((E_ij + 0.5)/0.3))

    E_ij in kcal/mol by Kabsch and Sander, who call it a bond below -0.5; far from that nothing pulls.
    """
    energies = hydrogen_bond_energies(chain_atoms(frames, real)[:, :4])
    return -2.0 * jnp.sum(jax.nn.sigmoid(-(energies + 0.5) / 0.3) - jax.nn.sigmoid(-0.5 / 0.3))


def radius_energy(
    frames: Frames, wanted: float, width: float, real: Bool[Array, " n"] | None = None
) -> Float[Array, ""]:
    """A radius of gyration as wanted, kT: half the square of the difference in `width`s, A."""
    real = jnp.ones(frames.origin.shape[0], bool) if real is None else real
    away = (frames.origin - centre(frames.origin, real)) * real[:, None]
    radius = jnp.sqrt(jnp.sum(away**2) / jnp.sum(real))
    return 0.5 * ((radius - wanted) / width) ** 2
