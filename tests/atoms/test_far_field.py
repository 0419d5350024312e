"""What classical physics says far away, exactly."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
import lawful.atoms as at
from lawful._core.precision import in_float64

WATER = np.array([[0.0, 0.0, 0.117], [0.0, 0.757, -0.469], [0.0, -0.757, -0.469]])
CHARGES = np.array([-0.8, 0.4, 0.4])
DISTANCES = np.geomspace(15, 200, 40)


def apart(r, first, second):
    """The second molecule moved by r along z, the axis of the dipoles."""
    return jnp.concatenate([jnp.asarray(first), jnp.asarray(second) + jnp.array([0.0, 0.0, 1.0]) * r])


def exponents(energy, distances):
    """-d ln|E| / d ln r."""
    values, slopes = jax.jit(jax.vmap(jax.value_and_grad(energy)))(jnp.asarray(distances))
    return -np.asarray(distances) * slopes / values


def coulomb(first, q_first, second, q_second):
    charges = jnp.concatenate([jnp.asarray(q_first), jnp.asarray(q_second)])
    n = len(q_first)
    i, j = (each.ravel() for each in np.meshgrid(np.arange(n), np.arange(n, len(charges)), indexing="ij"))
    between = at.Pairs(i, j, None, np.inf)
    widths = jnp.full(len(charges), 0.5)
    return lambda r: at.coulomb_energy(apart(r, first, second), charges, widths, between)


@in_float64
def test_two_charges_and_two_atoms_have_exact_tails():
    point = np.zeros((1, 3))
    charged = coulomb(point, [1.0], point, [-0.5])
    dispersed = at.Dispersion(np.array([40.0, 60.0]), np.array([1.0, 2.0]), np.array([1.0, 1.0]), s8=0.0)
    one = at.Pairs(np.array([0]), np.array([1]), None, np.inf)
    attraction = lambda r: dispersed(apart(r, point, point), None, one)
    c6 = float(dispersed.coefficients(one.i, one.j)[0][0])
    assert c6 == pytest.approx(2 * 40 * 60 / (40 * 2 + 60 / 2), rel=1e-14)
    assert np.max(np.abs(exponents(charged, DISTANCES) - 1)) < 1e-8
    radius = float(dispersed.a1 * np.sqrt(3.0) + dispersed.a2)
    assert np.all(np.abs(exponents(attraction, DISTANCES) - 6) < 6.1 * (radius / DISTANCES) ** 6)
    np.testing.assert_allclose(-jax.vmap(attraction)(DISTANCES) * (DISTANCES**6 + radius**6), c6, rtol=1e-12)


@in_float64
@pytest.mark.parametrize(("power", "first", "rate"), [(2, ([[0.0, 0.0, 0.0]], [1.0]), 4), (3, (WATER, CHARGES), 16)])
def test_dipoles_fall_with_their_power(power, first, rate):
    """The slope tends to its power as d / r; between two equal molecules the first correction cancels."""
    energy = coulomb(*first, WATER, CHARGES)
    errors = np.abs(exponents(energy, [400.0, 1600.0]) - power)
    assert errors[-1] < 1e-3
    assert errors[0] / errors[1] == pytest.approx(rate, rel=0.1)


@in_float64
def test_molecules_a_thousand_angstroms_apart_do_not_know_of_each_other():
    both = np.asarray(apart(1000.0, WATER, WATER + np.array([0.3, 0.1, 0.0])))
    structure = at.Structure(both, [8, 1, 1] * 2)
    fragments = at.Fragments.connected(structure, bond=1.3)
    assert fragments.of.tolist() == [0, 0, 0, 1, 1, 1]
    raw = jnp.array([-0.9, 0.5, 0.3, -0.7, 0.2, 0.4])  # as a network would say them, adding up to nothing round
    charges = fragments.neutralised(raw)
    np.testing.assert_allclose([charges[:3].sum(), charges[3:].sum()], 0.0, atol=1e-15)
    np.testing.assert_array_equal(fragments.neutralised(raw.at[4].add(0.3))[:3], charges[:3])  # nothing leaks

    def total(positions, charges, numbers):
        part = at.Structure(positions, numbers)
        pairs = at.all_pairs(part)
        free = at.Dispersion.free_atoms(part.numbers)
        widths = jnp.full(len(part), 0.5)
        return float(at.coulomb_energy(jnp.asarray(positions), charges, widths, pairs) + free(positions, None, pairs))

    whole = total(both, charges, [8, 1, 1] * 2)
    parts = total(both[:3], charges[:3], [8, 1, 1]) + total(both[3:], charges[3:], [8, 1, 1])
    dipole = float(jnp.sum(charges[:3] * both[:3, 2])), float(jnp.sum(charges[3:] * (both[3:, 2] - 1000.0)))
    across = [np.asarray(charges[k : k + 3]) @ (both[k : k + 3, :2] - both[k : k + 3, :2].mean(0)) for k in (0, 3)]
    left = at.COULOMB * (across[0] @ across[1] - 2 * dipole[0] * dipole[1]) / 1000.0**3
    assert abs(left) < 1e-8
    assert whole - parts == pytest.approx(left, abs=5e-12)  # all that is left is what dipoles do to each other


@in_float64
def test_smeared_charges_are_smooth_where_they_meet():
    width = jnp.asarray(0.7)
    near = at.smeared_inverse(jnp.asarray(0.0), width)
    assert float(near) == pytest.approx(np.sqrt(2 / np.pi) / 0.7, rel=1e-14)
    edge = 2 * 0.7**2 * 0.1**2
    for order in range(3):  # both branches agree where they meet, derivatives too
        f = lambda x: at.smeared_inverse(x, width)
        for _ in range(order):
            f = jax.grad(f)
        below, above = float(f(edge * (1 - 1e-9))), float(f(edge * (1 + 1e-9)))
        assert below == pytest.approx(above, rel=10 ** (-9 + 2 * order))
    assert np.isfinite(float(jax.grad(jax.grad(lambda x: at.smeared_inverse(x, width)))(0.0)))
    single = at.smeared_inverse(jnp.float32(1e-12), jnp.float32(0.7))
    assert float(single) == pytest.approx(float(near), rel=1e-6)


@in_float64
def test_cutoff_and_fade_are_smooth():
    for f, ends in ((lambda r: at.cutoff_quintic(r, 5.0), (5.0,)), (lambda r: at.fade_in(r, 2.0, 4.0), (2.0, 4.0))):
        for end in ends:
            first, second = jax.grad(f), jax.grad(jax.grad(f))
            for each in (first, second):
                assert abs(float(each(end - 1e-6)) - float(each(end + 1e-6))) < 1e-4
                assert np.isfinite(float(each(end)))
    assert float(at.cutoff_quintic(jnp.asarray(0.0), 5.0)) == 1.0
    assert float(at.fade_in(jnp.asarray(3.0), 2.0, 4.0)) == pytest.approx(0.5, abs=1e-15)


@pytest.mark.parametrize("double", [False, True])
def test_nothing_overflows_where_atoms_meet(double):
    def derivatives():
        dispersion = at.Dispersion.free_atoms(np.array([18, 18]))
        one = at.Pairs(np.array([0]), np.array([1]), None, np.inf)
        energy = lambda r: dispersion(jnp.stack([jnp.zeros_like(r), r])[:, None] * jnp.eye(3)[0], None, one)
        return jax.vmap(jax.value_and_grad(energy))(jnp.array([0.0, 1e-8, 1e-3, 4.0, 1e4]))

    values, slopes = in_float64(derivatives)() if double else derivatives()
    assert values.dtype == (jnp.float64 if double else jnp.float32)
    assert np.all(np.isfinite(values))
    assert np.all(np.isfinite(slopes))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([[0, 0, 0], [0, 0, 0]], [1, 1]), "same place"),
        (([[0, 0, 0], [9.9999, 0, 0]], [1, 1], [10, 10, 10]), "same place"),
        (([[0, 0, 0]], [119]), "1 to 118"),
        (([[0, 0, 0]], [0]), "1 to 118"),
        (([[0, np.nan, 0]], [1]), "atom 0"),
        (([[0, 0, 0]], [1, 1]), "as many atomic numbers"),
        (([0, 0, 0], [1]), "one row"),
        (([[0, 0, 0]], [1], -np.eye(3)), "left-handed"),
        (([[0, 0, 0]], [1], np.ones((3, 3))), "no volume"),
        (([["a", 0, 0]], [1]), "must be numbers"),
    ],
)
def test_bad_structures(arguments, words):
    with pytest.raises(lf.BadInput, match=words):
        at.Structure(*arguments)


def test_bad_requests():
    box = at.Structure([[0, 0, 0], [2, 0, 0]], [11, 17], [6, 6, 6])
    molecule = at.Structure([[0, 0, 0], [2, 0, 0]], [11, 17])
    for call, words in (
        (lambda: at.Ewald.of(molecule), "periodic"),
        (lambda: at.MeshEwald.of(molecule), "periodic"),
        (lambda: at.Ewald.of(box, accuracy=0.5), "1e-9"),
        (lambda: at.MeshEwald.of(box, accuracy=1e-12), "use Ewald"),
        (lambda: at.all_pairs(box), "near_pairs"),
        (lambda: at.near_pairs(box, -1.0), "positive"),
        (lambda: at.Dispersion.free_atoms(np.array([92])), "92"),
        (lambda: at.Fragments.connected(molecule, 1.0, [0.0, 0.0, 0.0]), "2 fragments"),
    ):
        with pytest.raises(lf.BadInput, match=words):
            call()
