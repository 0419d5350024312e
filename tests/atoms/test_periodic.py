"""Periodic sums against crystals, published frames, other splittings of the same sum, and finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful.atoms as at
from lawful._core.precision import in_float64
from lawful.studies import ions
from lawful.studies.ions import CRYSTALS, madelung

CELL = np.array([[9.0, 0.0, 0.0], [2.0, 8.0, 0.0], [1.0, -1.5, 10.0]])


def melt(seed=0, count=20, total=0.0):
    """Charges anywhere in a triclinic cell."""
    rng = np.random.default_rng(seed)
    charges = rng.normal(size=count)
    positions = rng.uniform(0, 1, (count, 3)) @ CELL
    return at.Structure(positions, [11] * count, CELL), jnp.asarray(charges - charges.mean() + total / count)


def derivative(f, step=3e-4):
    """At zero, by central differences of the fourth order."""
    values = [float(f(k * step)) for k in (-2, -1, 1, 2)]
    return (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step)


@in_float64
@pytest.mark.parametrize("crystal", CRYSTALS, ids=lambda crystal: crystal.name)
def test_madelung_constants(crystal):
    assert madelung(crystal, at.Ewald.of(crystal.structure(), 1e-12)) == pytest.approx(crystal.published, rel=2e-10)
    mesh = at.MeshEwald.of(crystal.structure(), 1e-5)
    assert madelung(crystal, mesh) == pytest.approx(crystal.published, rel=1e-5)


@in_float64
@pytest.mark.parametrize("total", [0.0, 1.5])
def test_the_sum_does_not_depend_on_how_it_is_split(total):
    structure, charges = melt(total=total)
    widths = jnp.asarray(np.random.default_rng(1).uniform(0.3, 0.6, len(structure)))
    for smeared in (None, widths):
        one, two = (
            float(at.Ewald.of(structure, 1e-13, cutoff)(structure.positions, structure.cell, charges, smeared))
            for cutoff in (7.0, 9.0)
        )
        assert one == pytest.approx(two, rel=1e-11)
    wide = at.Ewald.of(structure, 1e-12, 3.0, widest=0.6)
    assert float(wide(structure.positions, structure.cell, charges, widths)) == pytest.approx(two, rel=1e-9)


@in_float64
@pytest.mark.parametrize("accuracy", [1e-3, 1e-6])
def test_a_mesh_reaches_the_accuracy_asked_for(accuracy):
    structure, charges = melt()
    exact, mesh = at.Ewald.of(structure, 1e-12), at.MeshEwald.of(structure, accuracy, cutoff=5.0)
    place = jnp.asarray(structure.positions), jnp.asarray(structure.cell), charges
    (e, f), (m, g) = (jax.value_and_grad(each)(*place) for each in (exact, mesh))
    assert float(m) == pytest.approx(float(e), rel=2 * accuracy)
    assert float(jnp.linalg.norm(f - g) / jnp.linalg.norm(f)) < 2 * accuracy


@in_float64
def test_moving_by_a_cell_or_repeating_it_changes_nothing():
    structure, charges = melt()
    energy = float(at.Ewald.of(structure, 1e-12)(structure.positions, structure.cell, charges))
    moved = structure.positions + np.random.default_rng(2).integers(-2, 3, structure.positions.shape) @ CELL
    elsewhere = at.Structure(moved, structure.numbers, CELL)
    assert float(at.Ewald.of(elsewhere, 1e-12)(moved, CELL, charges)) == pytest.approx(energy, rel=1e-11)
    doubled = at.Structure(
        np.concatenate([structure.positions, structure.positions + CELL[1]]),
        np.tile(structure.numbers, 2),
        CELL * np.array([[1.0], [2.0], [1.0]]),
    )
    twice = at.Ewald.of(doubled, 1e-12)(doubled.positions, doubled.cell, jnp.tile(charges, 2))
    assert float(twice) == pytest.approx(2 * energy, rel=1e-10)


@in_float64
def test_a_neutral_molecule_in_a_large_cell_is_alone():
    positions = np.array([[0.0, 0.0, 0.117], [0.0, 0.757, -0.469], [0.0, -0.757, -0.469]])
    charges, widths = jnp.array([-0.8, 0.4, 0.4]), jnp.full(3, 0.3)
    alone = float(at.coulomb_energy(positions, charges, widths, at.all_pairs(at.Structure(positions, [8, 1, 1]))))
    dipole = float(np.linalg.norm(charges @ positions))
    for edge in (20.0, 40.0):
        box = at.Structure(positions, [8, 1, 1], [edge] * 3)
        found = float(at.Ewald.of(box, 1e-10, widest=0.3)(positions, box.cell, charges, widths)) - alone
        images = -2 * np.pi / 3 * at.COULOMB * dipole**2 / edge**3  # a cubic array of dipoles in a conductor
        assert found == pytest.approx(images, rel=10 / edge**2)


@in_float64
def test_forces_and_stress_are_derivatives():
    structure, charges = ions.melt(8, seed=0)
    widths = jnp.full(8, 0.4)
    pairs = at.near_pairs(structure, 6.0)
    mesh, dispersion = at.MeshEwald.of(structure, 1e-4, 4.0), at.Dispersion.free_atoms(structure.numbers)
    potential = at.HybridPotential(
        {
            "coulomb": lambda r, cell: mesh(r, cell, charges, widths),
            "dispersion": lambda r, cell: dispersion(r, cell, pairs),
            "wall": lambda r, cell: at.wall_energy(r, cell, structure.numbers, pairs, reach=4.0),
        }
    )
    place, cell = jnp.asarray(structure.positions), jnp.asarray(structure.cell)
    answer = potential(place, cell)
    assert float(answer.energy) == pytest.approx(sum(float(term) for term in answer.terms.values()), rel=1e-13)
    assert answer.stress is not None
    rng = np.random.default_rng(3)
    way = jnp.asarray(rng.normal(size=place.shape))
    along = derivative(lambda s: potential(place + s * way, cell).energy)
    assert -float(jnp.sum(answer.forces * way)) == pytest.approx(along, abs=1e-6)
    strain = rng.normal(size=(3, 3))
    strain = 0.5 * (strain + strain.T)
    along = derivative(lambda s: potential(place @ (np.eye(3) + s * strain), cell @ (np.eye(3) + s * strain)).energy)
    volume = float(np.linalg.det(structure.cell))
    assert float(jnp.sum(answer.stress * strain)) == pytest.approx(along / volume, abs=1e-7)
    np.testing.assert_allclose(answer.stress, answer.stress.T, atol=1e-15)


@in_float64
def test_turning_and_renaming():
    structure, charges = melt(count=10)
    turn, _ = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    slope = jax.value_and_grad(at.Ewald.of(structure, 1e-12))
    energy, forces = slope(jnp.asarray(structure.positions), jnp.asarray(CELL), charges)
    turned = at.Structure(structure.positions @ turn, structure.numbers, CELL @ turn)
    e, f = jax.value_and_grad(at.Ewald.of(turned, 1e-12))(
        jnp.asarray(turned.positions), jnp.asarray(CELL @ turn), charges
    )
    assert float(e) == pytest.approx(float(energy), rel=1e-11)
    np.testing.assert_allclose(f, forces @ turn, atol=1e-9)
    order = np.random.default_rng(5).permutation(10)
    shuffled = at.Structure(structure.positions[order], structure.numbers, CELL)
    e = at.Ewald.of(shuffled, 1e-12)(shuffled.positions, CELL, charges[order])
    assert float(e) == pytest.approx(float(energy), rel=1e-12)


def test_every_pair_once():
    structure, _ = melt(count=6)
    pairs = at.near_pairs(structure, 14.0)  # beyond the cell: own images, and others several times
    brute = set()
    for shift in np.ndindex(7, 7, 7):
        s = np.array(shift) - 3
        for i in range(6):
            for j in range(6):
                r = np.linalg.norm(structure.positions[j] - structure.positions[i] + s @ CELL)
                if 0 < r < 14.0:
                    brute.add(min((i, j, *s), (j, i, *-s)))
    assert pairs.shift is not None
    found = [min((i, j, *s), (j, i, *-s)) for i, j, s in zip(pairs.i, pairs.j, pairs.shift.astype(int), strict=True)]
    assert len(found) == len(set(found)) == len(brute)
    assert set(found) == brute
