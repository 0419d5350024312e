"""Learned near, exact far: what a network with charges and dispersion says of molecules apart."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import hyp1f1

import lawful as lf
import lawful.atoms as at
from lawful._core.precision import in_float64
from lawful.atoms._multipoles import boys
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
    distances = (2.9, 6.0, 1e3, 1e4)
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
    assert abs(sum(float(term[3]) for term in terms.values())) < 1e-9


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


def test_single_precision_keeps_the_digits_of_molecules_far_apart():
    """Charges of neutral molecules cancel far away, and with them their digits, unless taken about their centres."""
    i, j = (each.ravel() for each in np.meshgrid(np.arange(3), np.arange(3, 6), indexing="ij"))
    charges, nothing = np.tile([-0.8, 0.4, 0.4], 2), np.zeros((6, 3))
    away, off = np.array([0.0, 120.0, 160.0]), np.concatenate([WATER, TILTED])

    def told(more):
        multipoles = at.Multipoles(*map(jnp.asarray, (charges, nothing, np.zeros((6, 3, 3)), np.full(6, 0.5))))

        def energy(r):
            vectors = jnp.asarray(away * r / 200) + (off[j] - off[i])
            between = jnp.asarray(off[i] - off[j]) if more else None
            return jnp.sum(multipoles.energies_and_fields(vectors, (i, j), between)[0])

        value, slope = jax.jvp(energy, (jnp.asarray(200.0),), (jnp.asarray(1.0),))
        return float(value), -200 * float(slope) / float(value)

    with jax.enable_x64(True):
        exact = told(False)
        np.testing.assert_allclose(told(True), exact, rtol=1e-9)
    np.testing.assert_allclose(told(True), exact, rtol=1e-4)
    assert abs(told(False)[1] / exact[1] - 1) > 1e-3


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
    fixed = lambda m: [getattr(m.model.free, name) for name in ("c6", "alpha", "quotient", "s8")]  # not learned
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
def test_charges_dipoles_and_terms_are_learned_from_where_they_are_known():
    """The loss, put together by hand; what is known of no frame is not asked for, and what no model says is refused."""
    point = np.zeros((1, 3))
    pairs = [pair(point, point, [10, 8], r, (1.0, -2.0)) for r in (3.0, 4.0)]
    structures, parts = zip(*pairs, strict=True)
    charges, dipole = [[0.9, -2.0], [np.nan, np.nan]], [np.full(3, np.nan), np.array([0.0, 0.0, -8.5])]
    terms = {"coulomb": [-9.0, np.nan], "dispersion": [np.nan, np.nan]}
    frames = at.Frames(structures, charges=charges, dipole=dipole, terms=terms, fragments=parts)
    held = frames.labels.held()
    assert (held.energy, held.forces, held.stress) == (None, None, None)
    assert list(held.terms) == ["coulomb"]
    model = at.Interactions(hybrid())
    scene = jax.tree.map(jnp.asarray, frames.seen(model.species(frames.numbers), model.cutoff))
    tolerances = at.Tolerances(charges=0.1, dipole=0.5, terms=0.2, share=0.1)
    parameters, rest = eqx.partition(model, eqx.is_inexact_array)
    loss = jax.jit(jax.value_and_grad(lambda p: loss_of(eqx.combine(p, rest), scene, held, tolerances)))
    said, slope = loss(parameters)
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(slope))  # of what is not known too
    lost = eqx.tree_at(lambda m: m.model.widths, parameters, replace_fn=lambda x: x * np.nan)
    assert np.isnan(loss(lost)[0])  # an answer that is no number is not a label that is missing
    coulomb = float(interactions(model.model, scene)[0]["coulomb"][0])
    # charges of lone atoms are those of the fragments; lone atoms have no dipoles
    by_hand = np.mean([1.0, 0.0]) + np.mean([0.0, 0.0, 1.0]) + ((coulomb + 9.0) / (0.2 + 0.1 * 9.0)) ** 2
    assert float(said) == pytest.approx(by_hand, rel=1e-9)
    learn = lambda build, frames: at.train(build, frames, frames, epochs=1)
    with pytest.raises(lf.BadInput, match="ShortRangeNetwork does not say them: its energy has no terms"):
        learn(lambda key: at.ShortRangeNetwork((8, 10), key, channels=2, layers=1), frames)
    only = at.Frames(structures, charges=charges, fragments=parts)
    with pytest.raises(lf.BadInput, match="says no charges"):
        learn(lambda key: at.ShortRangeNetwork((8, 10), key, channels=2, layers=1), only)
    wrong = at.Frames(structures, terms={"overlap": [0.0, 0.0]}, fragments=parts)
    with pytest.raises(lf.BadInput, match="overlap"):
        learn(lambda key: model, wrong)
    with pytest.raises(lf.BadInput, match="charges of frame 1"):
        at.Frames(structures, charges=[[1.0, -2.0], [1.0]], fragments=parts)


@in_float64
def test_multipoles_are_derivatives_of_charges():
    """Up to quadrupoles, against derivatives of the law of smeared charges; fields; all orders of approach."""
    rng = np.random.default_rng(3)
    places = rng.normal(size=(2, 3)) + np.array([[0.0], [2.0]])
    tensors = rng.normal(size=(2, 3, 3))
    tensors = tensors + tensors.transpose(0, 2, 1)
    tensors = tensors - np.trace(tensors, axis1=1, axis2=2)[:, None, None] * np.eye(3) / 3
    widths = np.array([0.6, 0.9])
    parts = (rng.normal(size=2), rng.normal(size=(2, 3)), tensors, widths)
    multipoles = at.Multipoles(*(jnp.asarray(part) for part in parts))
    charge = lambda a, b: at.smeared_inverse(jnp.sum((b - a) ** 2)[None], jnp.array([np.hypot(*widths)]))[0]

    def measured(k, of):
        """By the multipoles of atom k, of what a unit charge at its place would have."""
        q, p, tensor, _ = (part[k] for part in parts)
        return lambda r: q * of(r) + p @ jax.grad(of)(r) + jnp.sum(tensor * jax.hessian(of)(r))

    first, second = jnp.asarray(places)
    expected = jax.jit(measured(0, lambda a: measured(1, lambda b: charge(a, b))(second)))(first)
    ends = jnp.array([0]), jnp.array([1])
    said = jax.jit(lambda m, r: m.energies_and_fields(r[1:] - r[:1], ends))
    energy, at_i, at_j = said(multipoles, jnp.asarray(places))
    assert float(energy[0]) == pytest.approx(at.COULOMB * float(expected), rel=1e-12)
    # the field at i is what a unit dipole there would feel
    for k, field in ((0, at_i), (1, at_j)):
        probe = lambda axis, k=k: eqx.tree_at(
            lambda m: (m.charges, m.dipoles, m.quadrupoles),
            multipoles,
            (
                multipoles.charges.at[k].set(0.0),
                multipoles.dipoles.at[k].set(jnp.eye(3)[axis]),
                multipoles.quadrupoles.at[k].set(0.0),
            ),
        )
        felt = [-float(said(probe(a), jnp.asarray(places))[0][0]) for a in range(3)]
        np.testing.assert_allclose(at.COULOMB * np.asarray(field[0]), felt, rtol=1e-12)
    nearer = jax.jit(jax.vmap(lambda s: said(multipoles, jnp.asarray(places) * jnp.array([[0.0], [1.0]]) * s)[0][0]))
    near = np.asarray(nearer(jnp.geomspace(1e-9, 1.0, 400)))
    assert np.all(np.isfinite(near))
    assert np.max(np.abs(np.diff(near[:200]))) < 1e-4 * np.max(np.abs(near))


@in_float64
def test_functions_of_boys():
    x = np.array([0.0, 1e-9, 0.3, 1.0, 1.999, 2.001, 3.0, 10.0, 200.0])
    expected = [hyp1f1(n + 0.5, n + 1.5, -x) / (2 * n + 1) for n in range(5)]
    np.testing.assert_allclose(boys(jnp.asarray(x), 5), expected, rtol=5e-15)
    np.testing.assert_allclose(boys(jnp.asarray(x, jnp.float32), 5), expected, rtol=1e-6)
