"""A potential out of what was learned of molecules: in a cluster, and in a cell full of them."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
import lawful.atoms as at
from lawful._core.precision import in_float64

CELL = np.array([[7.2, 0.0, 0.0], [0.8, 7.0, 0.0], [-0.5, 0.3, 7.4]])
WATER = np.array([[0.0, 0.0, 0.117], [0.0, 0.757, -0.469], [0.0, -0.757, -0.469]])
TURNS = np.array(
    [[[1.0, 0, 0], [0, 1, 0], [0, 0, 1]], [[0, 1, 0], [0, 0, 1], [1, 0, 0]], [[0, 0, 1], [1, 0, 0], [0, 1, 0]]]
)
PLACES = np.array([[1.0, 1.0, 1.0], [4.4, 1.5, 2.0], [2.0, 4.5, 5.0]])
MANY = (WATER @ TURNS + PLACES[:, None]).reshape(-1, 3)
NUMBERS = [8, 1, 1] * 3


def model():
    return at.HybridNetwork((1, 8), jax.random.key(1), cutoff=3.5, sight=2.5, channels=4, layers=1)


def liquid(positions=MANY, repeats=1):
    moved = [np.asarray(positions) + k * CELL[0] for k in range(repeats)]
    return at.Structure(np.concatenate(moved), NUMBERS * repeats, CELL * np.array([[repeats], [1], [1]]))


def potential(structure, **settings):
    return at.molecular_potential(model(), structure, cutoff=8.0, **settings)


def where(structure):
    return jnp.asarray(structure.positions), None if structure.cell is None else jnp.asarray(structure.cell)


@eqx.filter_jit
def energies(potential, positions, cell):
    return potential.energies(positions, cell)


def multipoles(count, seed=0):
    """Charges that are neutral on each molecule of three, dipoles and traceless quadrupoles."""
    rng = np.random.default_rng(seed)
    charges = rng.normal(size=(count // 3, 3))
    charges = 0.4 * (charges - charges.mean(axis=1, keepdims=True)).ravel()
    tensors = rng.normal(size=(count, 3, 3))
    tensors = 0.1 * (tensors + tensors.transpose(0, 2, 1))
    tensors -= np.trace(tensors, axis1=1, axis2=2)[:, None, None] * np.eye(3) / 3
    return at.Multipoles(
        *map(jnp.asarray, (charges, 0.2 * rng.normal(size=(count, 3)), tensors, rng.uniform(0.4, 0.7, count)))
    )


def sums(structure, cutoff, accuracy):
    pairs = at.near_pairs(structure, cutoff)
    of = np.arange(len(structure)) // 3
    apart = (of[pairs.i] != of[pairs.j]) | np.any(pairs.shift != 0, axis=1)
    between = at.Pairs(pairs.i[apart], pairs.j[apart], pairs.shift[apart], cutoff)
    i, j = np.nonzero(np.triu(of == of[:, None], k=1))
    return at.MultipoleEwald.of(structure.cell, between, at.Pairs(i, j, np.zeros((len(i), 3)), np.inf), accuracy)


@in_float64
def test_charges_alone_are_as_in_the_sums_of_ewald():
    structure, some = liquid(), multipoles(9)
    bare = eqx.tree_at(lambda m: (m.dipoles, m.quadrupoles), some, (0 * some.dipoles, 0 * some.quadrupoles))
    whole = at.Ewald.of(structure, 1e-11, widest=0.7)(*where(structure), some.charges, some.widths)
    i, j = np.array([[0, 1], [0, 2], [1, 2]]).T
    ends = [np.concatenate([each + 3 * k for k in range(3)]) for each in (i, j)]
    within = at.coulomb_energy(jnp.asarray(MANY), some.charges, some.widths, at.Pairs(*ends, None, np.inf))
    assert float(sums(structure, 10.0, 1e-11)(*where(structure), bare)) == pytest.approx(
        float(whole - within), abs=1e-9
    )


@in_float64
def test_sums_of_multipoles_do_not_depend_on_how_they_are_split():
    structure, some = liquid(), multipoles(9)
    values = [sums(structure, cutoff, 1e-12)(*where(structure), some) for cutoff in (9.0, 12.0)]
    assert abs(float(values[0])) > 0.01
    assert float(values[0]) == pytest.approx(float(values[1]), abs=1e-8)
    fields = [sums(structure, cutoff, 1e-12).energy_and_field(*where(structure), some)[1] for cutoff in (9.0, 12.0)]
    np.testing.assert_allclose(*fields, atol=1e-7)


@in_float64
def test_molecules_are_told_by_their_bonds_wherever_their_atoms_lie():
    moved = MANY + np.random.default_rng(0).integers(-2, 3, (9, 3)) @ CELL
    for positions in (MANY, moved):
        fragments = at.Fragments.connected(liquid(positions))
        assert fragments.of.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
        whole = positions + fragments.images(liquid(positions)) @ CELL
        bonds = np.linalg.norm((whole - whole[[0, 0, 0, 3, 3, 3, 6, 6, 6]])[[1, 2, 4, 5, 7, 8]], axis=1)
        np.testing.assert_allclose(bonds, np.hypot(0.757, 0.586), rtol=1e-12)
    hydrogen_bonded = np.concatenate([WATER, WATER - [0.0, 0.757, 2.2]])  # 1.74 A from a hydrogen
    pair = at.Structure(hydrogen_bonded, [8, 1, 1] * 2)
    assert len(at.Fragments.connected(pair).totals) == 2


@in_float64
def test_a_cell_twice_as_long_has_twice_the_energy_and_wrapped_atoms_change_nothing():
    wrapped = liquid(MANY + np.random.default_rng(0).integers(-2, 3, (9, 3)) @ CELL)
    one, two, moved = (energies(potential(s), *where(s)) for s in (liquid(), liquid(repeats=2), wrapped))
    for name, energy in one.items():
        assert float(two[name]) == pytest.approx(2 * float(energy), abs=1e-10)
        assert float(moved[name]) == pytest.approx(float(energy), abs=1e-10)


@in_float64
def test_forces_and_stress_are_slopes():
    structure, h = liquid(), 2e-5
    there, (place, cell) = potential(structure, skin=0.5), where(structure)
    answer, rng = there(place, cell), np.random.default_rng(0)
    total = lambda place, cell: float(sum(energies(there, place, cell).values()))
    way = jnp.asarray(rng.normal(size=place.shape))
    slope = (total(place + h * way, cell) - total(place - h * way, cell)) / (2 * h)
    assert float(jnp.sum(answer.forces * way)) == pytest.approx(-slope, rel=1e-6)
    strain = np.array([[0.0, 0.5, 0.0], [0.5, 0.0, 0.0], [0.0, 0.0, 0.0]])
    up, down = (total(place @ (np.eye(3) + s * strain), cell @ (np.eye(3) + s * strain)) for s in (h, -h))
    assert float(answer.stress[0, 1]) == pytest.approx((up - down) / (2 * h) / np.linalg.det(CELL), rel=1e-6)
    assert np.ptp(answer.charges) > 1e-6
    assert answer.dipole is None


@in_float64
def test_a_great_cell_is_a_cluster():
    """What images add in a conductor is that of the whole dipole, -2 pi k |M|^2 / (3 V)."""
    some, of, cell = multipoles(9), np.arange(9) // 3, np.eye(3) * 50.0
    some = eqx.tree_at(lambda m: m.quadrupoles, some, 0 * some.quadrupoles)  # which see each other a hundred A off
    i, j = np.nonzero(np.triu(of != of[:, None], k=1))
    alone = jnp.sum(some.energies_and_fields(jnp.asarray(MANY[j] - MANY[i]), (jnp.asarray(i), jnp.asarray(j)))[0])
    structure = at.Structure(MANY, NUMBERS, cell)
    images = float(sums(structure, 8.0, 1e-11)(*where(structure), some) - alone)
    whole = np.asarray(some.charges) @ MANY + np.sum(np.asarray(some.dipoles), axis=0)
    assert images == pytest.approx(-2 * np.pi * at.COULOMB * whole @ whole / (3 * 50.0**3), rel=2e-3)


def test_ase_moves_molecules_and_sees_their_dipole():
    ase = pytest.importorskip("ase")
    atoms = ase.Atoms(NUMBERS, positions=MANY)
    atoms.calc = at.calculator(lambda structure: at.molecular_potential(model(), structure, skin=1.0))
    dipole, charges = atoms.get_dipole_moment(), atoms.get_charges()
    assert np.linalg.norm(dipole - charges @ atoms.positions) > 1e-3  # atoms have dipoles of their own
    assert set(atoms.calc.terms) == {"short", "repulsion", "coulomb", "induction", "dispersion"}
    cluster = at.Structure(MANY, NUMBERS)
    frames = at.Frames([cluster], np.zeros(1), fragments=[at.Fragments.connected(cluster)])
    with jax.enable_x64(True):
        one = jax.tree.map(lambda x: jnp.asarray(x)[0], frames.seen(model().species(frames.numbers), model().cutoff))
        for name, term in model().terms(one).items():
            assert atoms.calc.terms[name] == pytest.approx(float(term), abs=1e-9)
    built = atoms.calc.following.built
    atoms.positions += 0.1
    atoms.get_potential_energy()
    assert atoms.calc.following.built == built


def test_what_was_not_learned_is_refused():
    with pytest.raises(lf.BadInput, match="7"):
        at.molecular_potential(model(), at.Structure([[0.0, 0, 0], [0, 0, 1.1]], [7, 8]))
    frames = at.Frames([liquid()], np.zeros(1), fragments=[at.Fragments.connected(liquid())])
    one = jax.tree.map(lambda x: x[0], frames.seen(model().species(frames.numbers), model().cutoff))
    assert model().atoms(one).charges.shape == (9,)
    with pytest.raises(lf.BadInput, match="molecular_potential"):
        model().terms(one)
