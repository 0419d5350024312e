"""Small motions about an arrangement at rest: the Hessian, normal modes, and waves in crystals."""

from __future__ import annotations

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex, Float

from .._core.compilation import compiled
from .._core.messages import BadInput
from ._following import Build
from ._hybrid import HybridPotential
from ._structure import Structure
from ._units import EV_PER_AMU, LIGHT

AT_ONCE = 32  # columns


class Modes(eqx.Module):
    """Normal modes, in rising order.

    wave_numbers   1/cm; negative where the square of the frequency is: there the arrangement is not at rest.
    shapes         one mode a row, (modes, atoms, 3), displacements of unit length (A), not weighed by masses.
    """

    wave_numbers: Float[np.ndarray, " modes"]
    shapes: Float[np.ndarray, "modes atoms 3"]


def hessian(
    potential: HybridPotential, positions: Float[Array, "atoms 3"], cell: Float[Array, "3 3"] | None = None
) -> Float[Array, "atoms 3 atoms 3"]:
    """Second derivatives of the energy, eV/A^2: exact, by forward over reverse differentiation, a block at a time.

        H[i, a, j, b] = d^2 E / (d x_ia d x_jb)

    positions  A.
    cell       rows are the edges, A; None for a molecule.
    """
    return hessian_rows(potential, jnp.asarray(positions), cell, np.arange(len(positions)))


@compiled(lambda *_: 3)
def hessian_rows(potential, positions, cell, atoms) -> Float[Array, "rows 3 atoms 3"]:
    """The rows of some atoms."""
    slope = jax.grad(lambda q: potential.energy(q, cell))

    def along(index):
        way = jnp.zeros(positions.size, positions.dtype).at[index].set(1.0).reshape(positions.shape)
        return jax.jvp(slope, (positions,), (way,))[1]

    indices = (3 * jnp.asarray(atoms)[:, None] + jnp.arange(3)).ravel()
    return lax.map(along, indices, batch_size=AT_ONCE).reshape(-1, 3, *positions.shape)


def normal_modes(
    potential: HybridPotential,
    positions: Float[Array, "atoms 3"],
    masses: Float[np.ndarray, " atoms"],
    cell: Float[Array, "3 3"] | None = None,
) -> Modes:
    """All 3 n modes of an arrangement at rest, those that move or turn it as a whole (about 0) included.

        M^-1/2 H M^-1/2 e = omega^2 e

    positions  A, at a minimum of the energy.
    masses     amu.
    cell       rows are the edges, A; None for a molecule. Of a crystal these are the modes at the zone's centre.

    Wants double precision: inside `with jax.enable_x64(True):`. Relax first.
    """
    count = 3 * len(positions)
    second = np.asarray(hessian(potential, positions, cell), dtype=float).reshape(count, count)
    weights = np.repeat(np.asarray(masses, dtype=float), 3) ** -0.5
    squares, vectors = np.linalg.eigh(EV_PER_AMU * weights[:, None] * 0.5 * (second + second.T) * weights)
    shapes = (weights[:, None] * vectors).T
    shapes /= np.linalg.norm(shapes, axis=1, keepdims=True)
    return Modes(wave_numbers_of(squares), shapes.reshape(count, -1, 3))


def wave_numbers_of(squares: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """1/cm from squares of angular frequencies in 1/fs^2, keeping the sign."""
    return np.sign(squares) * np.sqrt(np.abs(squares)) / (2 * math.pi * LIGHT)


class Phonons(eqx.Module):
    """Waves in a crystal: call with a wave vector for the wave numbers of its branches.

    constants   (atoms, 3, images, 3), eV/A^2: what moving an atom of the cell does to the atoms of a supercell.
    steps       (atoms, images, 3) whole cells from the first to the second, nearest images; `shares` of each, for those
                that are nearest several times: a list of such tables, equally weighed where they count.
    """

    cell: Float[np.ndarray, "3 3"]
    masses: Float[np.ndarray, " atoms"]
    constants: Float[np.ndarray, "atoms 3 images 3"]
    steps: Float[np.ndarray, "atoms images tied 3"]
    shares: Float[np.ndarray, "atoms images tied"]

    def dynamical_matrix(self, wave: Float[np.ndarray, "3"]) -> Complex[np.ndarray, "modes modes"]:
        """1/fs^2, at a wave vector in units of reciprocal cell vectors: (1/2, 0, 0) is on the zone's edge."""
        count = len(self.masses)
        phases = np.sum(self.shares * np.exp(2j * math.pi * self.steps @ np.asarray(wave, dtype=float)), axis=-1)
        images = self.constants.shape[2] // count
        summed = (self.constants * phases[:, None, :, None]).reshape(count, 3, images, count, 3).sum(axis=2)
        weights = np.repeat(self.masses, 3) ** -0.5
        matrix = EV_PER_AMU * weights[:, None] * summed.reshape(3 * count, 3 * count) * weights
        return 0.5 * (matrix + matrix.conj().T)

    def __call__(self, wave: Float[np.ndarray, "3"]) -> Float[np.ndarray, " modes"]:
        """Wave numbers in 1/cm, rising; negative where the crystal is not stable."""
        return wave_numbers_of(np.linalg.eigvalsh(self.dynamical_matrix(wave)))


def phonons(
    build: Build, structure: Structure, masses: Float[np.ndarray, " atoms"], repeats: tuple[int, int, int]
) -> Phonons:
    """Phonons of a crystal at rest, from second derivatives in a supercell.

    structure   the cell; `build` is asked for the potential of the supercell.
    masses      of the atoms of the cell, amu.
    repeats     cells along each vector. Exact at the wave vectors that fit the supercell; elsewhere too where forces
                end within half of it. In ionic crystals the splitting of the branches at 0 is not added.
    """
    if structure.cell is None:
        raise BadInput("phonons are waves in a crystal; use normal_modes for a molecule.")
    if len(repeats) != 3 or any(not isinstance(n, int) or n < 1 for n in repeats):
        raise BadInput(f"repeats={repeats}: three whole numbers above 0 are meant, such as (2, 2, 2).")
    cell, count = np.asarray(structure.cell), len(structure)
    cells = np.stack(np.meshgrid(*map(np.arange, repeats), indexing="ij"), axis=-1).reshape(-1, 1, 3)
    places = (np.asarray(structure.positions) + cells @ cell).reshape(-1, 3)
    size = np.diag(repeats)
    large = Structure(places, np.tile(structure.numbers, len(cells)), size @ cell)
    with jax.enable_x64(True):
        potential = build(large)
        rows = hessian_rows(potential, jnp.asarray(places), jnp.asarray(large.cell), np.arange(count))
    steps, shares = nearest_images(places[:count], places, cells, size, cell)
    return Phonons(cell, np.asarray(masses, dtype=float), np.asarray(rows), steps, shares)


def nearest_images(first, places, cells, size, cell):
    """Whole cells from each atom of the first cell to the nearest images of each of the supercell, and equal shares."""
    around = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3) @ size
    apart = places[None, :, None] - first[:, None, None] + (around @ cell)[None, None]
    lengths = np.linalg.norm(apart, axis=-1)
    near = lengths < np.min(lengths, axis=-1, keepdims=True) + 1e-6
    tied = int(np.max(np.sum(near, axis=-1)))
    order = np.argsort(~near, axis=-1, kind="stable")[..., :tied]
    kept = np.take_along_axis(near, order, axis=-1)
    home = np.repeat(cells[:, 0], len(places) // len(cells), axis=0)  # which cell each atom of the supercell lies in
    steps = home[None, :, None] + around[order]
    return steps.astype(float), kept / np.sum(kept, axis=-1, keepdims=True)
