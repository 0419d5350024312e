"""Learned near, exact far: what a network with charges and dispersion says of molecules apart."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
import lawful.atoms as at
from lawful._core.precision import in_float64
from lawful.atoms._training import loss_of

WATER = np.array([[0.0, 0.0, 0.117], [0.0, 0.757, -0.469], [0.0, -0.757, -0.469]])
TILTED = WATER @ np.array([[0.8, 0.6, 0.0], [-0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])


def hybrid():
    return at.HybridNetwork((1, 8, 10), jax.random.key(0), channels=4, layers=1)


def pair(first, second, numbers, r, totals=(0.0, 0.0)):
    places = np.concatenate([first, np.asarray(second) + np.array([0.0, 0.0, r])])
    structure = at.Structure(places, numbers)
    return structure, at.Fragments(np.repeat([0, 1], [len(first), len(second)]), np.array(totals))


def scene(model, *pairs):
    frames = at.Frames([each for each, _ in pairs], np.zeros(len(pairs)), fragments=[parts for _, parts in pairs])
    return jax.tree.map(jnp.asarray, frames.seen(model.species(frames.numbers), model.cutoff))


@eqx.filter_jit
def interactions(model, frames):
    return jax.vmap(model.interaction)(frames), jax.vmap(lambda frame: model.atoms(frame).charges)(frames)


@in_float64
def test_molecules_apart_keep_their_charges_and_the_laws_of_the_far_field():
    model, numbers = hybrid(), [8, 1, 1, 8, 1, 1]
    distances = (2.9, 6.0, 40.0, 1000.0)
    terms, charges = interactions(model, scene(model, *(pair(WATER, TILTED, numbers, r) for r in distances)))
    assert np.max(np.abs(charges[0])) > 1e-3
    np.testing.assert_allclose(charges[:, :6], np.tile(charges[0, :6], (4, 1)), atol=1e-14)  # whoever comes near
    np.testing.assert_allclose(charges[:, :3].sum(axis=1), 0.0, atol=1e-14)
    np.testing.assert_allclose(charges[:, 3:6].sum(axis=1), 0.0, atol=1e-14)
    assert abs(terms["short"][0]) > 1e-5
    np.testing.assert_allclose(terms["short"][2:], 0.0, atol=1e-13)
    sixth = terms["dispersion"] * np.array(distances) ** 6
    assert float(sixth[3]) == pytest.approx(float(sixth[2]), rel=0.01)
    third = terms["coulomb"] * np.array(distances) ** 3
    assert float(third[3]) == pytest.approx(float(third[2]), rel=0.01)
    assert abs(sum(float(term[3]) for term in terms.values())) < 1e-9 * max(1.0, abs(float(third[3])))


@in_float64
def test_tails_are_exact():
    model, point = hybrid(), np.zeros((1, 3))
    one = jax.tree.map(lambda x: x[0], scene(model, pair(point, point, [10, 8], 20.0, (1.0, -2.0))))

    def term(name, r):
        moved = eqx.tree_at(lambda f: f.positions, one, jnp.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]) * r)
        return model.interaction(moved)[name]

    distances = jnp.geomspace(15.0, 200.0, 20)
    for name, power, error in (("coulomb", 1, 1e-8), ("dispersion", 6, 0.1)):
        value, slope = jax.jit(jax.vmap(jax.value_and_grad(lambda r, name=name: term(name, r))))(distances)
        exponents = -np.asarray(distances * slope / value)
        assert np.max(np.abs(exponents - power)) < error  # dispersion has a C8 as well, which has gone far away
        assert abs(exponents[-1] - power) < max(1e-8, error / 100)
    assert float(term("coulomb", 50.0)) == pytest.approx(-2.0 * at.COULOMB / 50.0, rel=1e-12)


@in_float64
def test_padding_is_not_felt_and_slopes_are_those_of_the_energy():
    model = hybrid()
    whole, small = pair(WATER, TILTED, [8, 1, 1, 8, 1, 1], 3.0), pair(WATER[:1], WATER[:1], [10, 8], 3.0)
    together, alone = interactions(model, scene(model, whole, small))[0], interactions(model, scene(model, small))[0]
    for name, term in alone.items():
        assert float(term[0]) == pytest.approx(float(together[name][1]), abs=1e-13)
    frame = jax.tree.map(lambda x: x[0], scene(model, whole))
    move = np.random.default_rng(0).normal(size=(6, 3))
    energy = jax.jit(lambda s: model.energy(eqx.tree_at(lambda f: f.positions, frame, frame.positions + s * move)))
    slope = float(energy(1e-5) - energy(-1e-5)) / 2e-5
    assert float(jax.jit(jax.grad(energy))(0.0)) == pytest.approx(slope, abs=1e-7)


@in_float64
def test_what_is_learned_has_the_slopes_of_its_loss():
    """Two neon atoms, energies alone: the loss along a random change of all parameters; weights count."""
    point, near = np.zeros((1, 3)), (2.6, 3.0, 4.0)
    pairs = [pair(point, point, [10, 10], r) for r in near]
    structures, parts = zip(*pairs, strict=True)
    frames = at.Frames(structures, [0.1, -0.02, np.nan], fragments=parts, weight=[1.0, 4.0, 1.0])
    model = at.Interactions(at.HybridNetwork((10,), jax.random.key(0), channels=4, layers=1))
    scene = jax.tree.map(jnp.asarray, frames.seen(model.species(frames.numbers), model.cutoff))
    parameters, rest = eqx.partition(model, eqx.is_inexact_array)
    leaves, shape = jax.tree.flatten(parameters)
    rng = np.random.default_rng(0)
    move = jax.tree.unflatten(shape, [jnp.asarray(rng.normal(size=x.shape)) for x in leaves])
    fixed = lambda m: (m.model.free.c6, m.model.free.alpha, m.model.free.quotient)  # tabulated, not learned
    move = eqx.tree_at(fixed, move, replace_fn=jnp.zeros_like)

    @jax.jit
    def loss(s):
        moved = jax.tree.map(lambda p, m: p + s * m, parameters, move)
        labels = jax.tree.map(jnp.asarray, frames.labels)
        return loss_of(eqx.combine(moved, rest), scene, labels, at.Tolerances(energy=0.01))

    slope = float(loss(1e-6) - loss(-1e-6)) / 2e-6
    assert float(jax.jit(jax.grad(loss))(0.0)) == pytest.approx(slope, rel=1e-6)
    said = [float(sum(each)) for each in zip(*interactions(model.model, scene)[0].values(), strict=True)]
    errors = (np.array(said[:2]) - np.array([0.1, -0.02])) / 2 / 0.01 * np.array([1.0, 2.0])
    assert float(loss(0.0)) == pytest.approx(np.mean(errors**2), rel=1e-12)
    with pytest.raises(lf.BadInput, match="belong together"):
        model.energy(eqx.tree_at(lambda f: f.fragments, jax.tree.map(lambda x: x[0], scene), None))


@in_float64
def test_multipoles_are_charges_close_together():
    """Dipoles against two opposite charges a little apart, energies, fields, and all orders of approach."""
    rng = np.random.default_rng(3)
    places, charges, dipoles = (
        rng.normal(size=(2, 3)) + np.array([[0.0], [2.0]]),
        rng.normal(size=2),
        rng.normal(size=(2, 3)),
    )
    widths, step = np.array([0.6, 0.9]), 1e-4

    def sites(k):
        half = 0.5 * step * dipoles[k] / np.linalg.norm(dipoles[k])
        strength = np.linalg.norm(dipoles[k]) / step
        return np.stack([places[k], places[k] + half, places[k] - half]), np.array([charges[k], strength, -strength])

    (r1, q1), (r2, q2) = sites(0), sites(1)
    square = np.sum((r1[:, None] - r2) ** 2, axis=-1)
    width = np.full(square.shape, np.hypot(*widths))
    expected = at.COULOMB * float(q1 @ np.asarray(at.smeared_inverse(square, width)) @ q2)
    ends = jnp.array([0]), jnp.array([1])
    multipoles = at.Multipoles(jnp.asarray(charges), jnp.asarray(dipoles), jnp.asarray(widths))
    energies = jax.jit(lambda r: multipoles.energies_and_fields(r[1:] - r[:1], ends)[0][0])
    energy, at_i, at_j = multipoles.energies_and_fields(jnp.asarray(places[1:] - places[:1]), ends)
    assert float(energy[0]) == pytest.approx(expected, rel=1e-5)
    # the field at i is what a unit dipole there would feel
    for k, field in ((0, at_i), (1, at_j)):
        probe = lambda axis, k=k: eqx.tree_at(
            lambda m: (m.charges, m.dipoles),
            multipoles,
            (multipoles.charges.at[k].set(0.0), multipoles.dipoles.at[k].set(jnp.eye(3)[axis])),
        )
        felt = [
            -float(probe(a).energies_and_fields(jnp.asarray(places[1:] - places[:1]), ends)[0][0]) for a in range(3)
        ]
        np.testing.assert_allclose(at.COULOMB * np.asarray(field[0]), felt, rtol=1e-12)
    gentle = jax.jit(jax.vmap(lambda s: energies(jnp.asarray(places) * jnp.array([[0.0], [1.0]]) * s)))
    near = np.asarray(gentle(jnp.geomspace(1e-9, 1.0, 400)))
    assert np.all(np.isfinite(near))
    assert np.max(np.abs(np.diff(near[:200]))) < 1e-4 * np.max(np.abs(near))  # no step where the series ends
