"""From noise to backbones: what noise is, what errors cost, how chains are joined, and a training that is killed."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lawful._core.messages import BadInput
from lawful._core.precision import in_float64
from lawful.fields.equivariant import Frames, angle_between, uniform_rotations
from lawful.proteins import (
    Backbone,
    Denoiser,
    Schedule,
    generate,
    ideal_internal,
    internal,
    learn,
    load,
    losses_of,
    place_atoms,
    rebuild,
    relaxed,
    save,
)
from lawful.proteins._flow import between, noise, step_along
from lawful.proteins._relax import joint, solve_tridiagonal

LENGTH = 48
REAL = np.ones(LENGTH, bool)


@functools.cache
def tiny():
    return Denoiser(jax.random.key(0), channels=8, pair=4, blocks=2, heads=2)


def chain(seed, length=LENGTH):
    """Helix, turn and strand with ideal bonds, a little different for each seed."""
    rng = np.random.default_rng(seed)
    helix = np.arange(length - 1) < length // 2
    phi, psi = np.where(helix, -57, -120), np.where(helix, -47, 130)
    noisy = lambda x: np.deg2rad(x + 5 * rng.normal(size=length - 1))
    return Backbone(np.asarray(rebuild(ideal_internal(noisy(phi), noisy(psi)))))


def frames_of(backbone):
    xyz = jnp.asarray(backbone.xyz)
    return Frames.from_points(xyz[:, 0], xyz[:, 1], xyz[:, 2])


def test_noise_is_a_centred_chain_as_large_as_a_protein():
    for length in (40, 80, 128):
        real = jnp.arange(128) < length
        found = jax.jit(jax.vmap(lambda key, real=real: noise(key, real)))(jax.random.split(jax.random.key(1), 300))
        places = np.asarray(found.origin)
        assert np.abs(places[:, length:]).max(initial=0.0) == 0
        assert np.abs(places[:, :length].mean(axis=1)).max() < 1e-4
        size = np.sqrt((places[:, :length] ** 2).sum(-1).mean()) / (2.2 * length**0.38)
        steps = np.sqrt((np.diff(places[:, :length], axis=1) ** 2).sum(-1).mean())
        assert size == pytest.approx(1.1, abs=0.06)
        assert steps == pytest.approx(3.8, abs=0.05)


@in_float64
def test_the_way_begins_at_noise_and_ends_at_the_answer():
    true = frames_of(chain(0))
    start = Frames(uniform_rotations(jax.random.key(2), (LENGTH,)), jax.random.normal(jax.random.key(3), (LENGTH, 3)))
    for t, wanted in ((0.0, start), (1.0, true)):
        there = between(start, true, jnp.asarray(t))
        np.testing.assert_allclose(there.origin, wanted.origin, atol=1e-12)
        np.testing.assert_allclose(there.rotation, wanted.rotation, atol=1e-12)
    half, schedule = between(start, true, jnp.asarray(0.5)), Schedule(steps=2, turning=0.0)
    for answer, other in ((true, half), (start, half)):  # whatever the answer is, the last step lands on it
        last = step_along(other, answer, jnp.asarray(0.5), jnp.asarray(1.0), schedule)
        np.testing.assert_allclose(last.origin, answer.origin, atol=1e-12)
        assert angle_between(last.rotation, answer.rotation).max() < 1e-7


@in_float64
def test_losses_vanish_for_the_truth_and_do_not_care_for_motions():
    true, t = frames_of(chain(1)), jnp.asarray(0.3)
    said = true.moved(0.1 * jnp.ones((LENGTH, 3)), 0.2 * jnp.ones((LENGTH, 3)))
    cost = jax.jit(losses_of)
    assert all(value < 2e-3 for value in cost(true, true, t, REAL))
    turn = uniform_rotations(jax.random.key(4), ())
    world = Frames(jnp.broadcast_to(turn, (LENGTH, 3, 3)), jnp.ones((LENGTH, 3)))
    np.testing.assert_allclose(
        cost(world.compose(said), world.compose(true), t, REAL), cost(said, true, t, REAL), rtol=1e-10
    )
    longer = lambda frames: frames.map(lambda x: jnp.concatenate([x, jnp.ones_like(x[:16])]))
    padded = np.arange(LENGTH + 16) < LENGTH
    np.testing.assert_allclose(cost(longer(said), longer(true), t, padded), cost(said, true, t, REAL), rtol=1e-10)
    assert cost(said, true, t, REAL).places == pytest.approx(0.01 * 0.12 / 0.49, rel=1e-9)


@in_float64
def test_a_block_tridiagonal_system_is_solved():
    rng = np.random.default_rng(0)
    n, k = 5, 3
    above = rng.normal(size=(n - 1, k, k))
    whole = np.zeros((n * k, n * k))
    for i in range(n):
        square = rng.normal(size=(k, k))
        whole[i * k : i * k + k, i * k : i * k + k] = square @ square.T + 10 * np.eye(k)
    diagonal = np.stack([whole[i * k : i * k + k, i * k : i * k + k] for i in range(n)])
    for i in range(n - 1):
        whole[i * k : i * k + k, (i + 1) * k : (i + 2) * k] = above[i]
        whole[(i + 1) * k : (i + 2) * k, i * k : i * k + k] = above[i].T
    right = rng.normal(size=(n, k))
    found = solve_tridiagonal(*map(jnp.asarray, (diagonal, above, right)))
    np.testing.assert_allclose(found.reshape(-1), np.linalg.solve(whole, right.reshape(-1)), atol=1e-12)


@in_float64
def test_relaxation_joins_a_chain_and_moves_it_little():
    true = frames_of(chain(2))
    rng = np.random.default_rng(0)
    jolted = true.moved(
        jnp.asarray(0.1 * rng.normal(size=(LENGTH, 3))), jnp.asarray(0.2 * rng.normal(size=(LENGTH, 3)))
    )
    found = relaxed(jolted, REAL)
    off = lambda frames: np.asarray(jax.vmap(joint)(frames.map(lambda x: x[:-1]), frames.map(lambda x: x[1:])))
    assert np.abs(off(true)).max() < 1e-6
    assert np.abs(off(jolted)).max() > 20
    assert np.abs(off(found)).max() < 0.5  # standard deviations of real bonds
    bonds = internal(place_atoms(found.rotation, found.origin))
    assert np.abs(np.asarray(bonds.c_n) - 1.330).max() < 0.006
    move = lambda a, b: float(jnp.sqrt(jnp.mean(jnp.sum((a.origin - b.origin) ** 2, -1))))
    assert move(found, jolted) < 1.2 * move(true, jolted)
    still = relaxed(true, REAL)
    assert move(still, true) < 1e-6


def test_lengths_outside_the_trained_range_are_refused():
    for length in (39, 129):
        with pytest.raises(BadInput, match=f"{length} residues.*40 to 128"):
            generate(tiny(), [80, length])


def test_chains_do_not_care_how_many_are_computed_at_once():
    lengths, schedule = [48, 41, 44], Schedule(steps=2)
    two, three = (generate(tiny(), lengths, relax=False, schedule=schedule, together=n) for n in (2, 3))
    assert [len(each) for each in two] == lengths
    for one, other in zip(two, three, strict=True):
        np.testing.assert_allclose(one.xyz, other.xyz, atol=1e-3)


def test_a_killed_training_goes_on_bit_for_bit(tmp_path):
    backbones = [chain(seed) for seed in range(6)]
    teach = lambda updates, folder: learn(
        tiny(), backbones, backbones[:2], updates=updates, residues=128, folder=folder, every=1000, progress=False
    )
    straight, told = teach(4, None)
    teach(2, tmp_path)
    resumed, told_again = teach(4, tmp_path)
    assert told_again["step"] == [2, 4]
    assert told["chains"] == told_again["chains"][1:] == [8]
    assert told["loss"] == told_again["loss"][1:]
    for one, other in zip(jax.tree.leaves(straight), jax.tree.leaves(resumed), strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.abs(straight.first.weights[0] - tiny().first.weights[0]).max() > 0
    with pytest.raises(BadInput, match="another"):
        learn(tiny(), backbones, backbones[:2], updates=4, residues=256, folder=tmp_path, progress=False)
    save(tmp_path / "w.npz", straight, {"chains": 8})
    back, about = load(tmp_path / "w.npz", tiny())
    assert about == {"chains": 8}
    np.testing.assert_allclose(back.first.weights[0], straight.first.weights[0], rtol=1e-3)
    with pytest.raises(BadInput, match="another shape"):
        load(tmp_path / "w.npz", Denoiser(jax.random.key(0), channels=12, pair=4, blocks=2, heads=2))
