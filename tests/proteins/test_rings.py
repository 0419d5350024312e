"""Rings of identical chains, pieces that are kept, and the judge of both, against direct sums and motions by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful._core.messages import BadInput
from lawful._core.precision import in_float64
from lawful.fields.equivariant import Frames
from lawful.proteins import (
    Backbone,
    Denoiser,
    RingFlow,
    Schedule,
    Symmetry,
    ideal_cb,
    ideal_internal,
    place_atoms,
    rebuild,
    ring_clash_energy,
    ring_contact_energy,
    ring_contacts,
    settled,
)
from lawful.studies import _chains_judge as judge
from lawful.studies._motif_source import of
from lawful.studies._pdb import pdb_text
from lawful.studies._sequence_wish import helix

LENGTH = 12
PADDED = np.arange(16) < LENGTH


def beside(away=4.0, seed=0):
    """A jolted helix some way from the axis, padded by nothing sensible."""
    xyz = helix(LENGTH) + np.array([0.0, away, 1.0])
    frames = Frames.from_points(*(jnp.asarray(xyz[:, k]) for k in range(3)))
    frames = frames.map(lambda x: jnp.concatenate([x, jnp.zeros((4, *x.shape[1:]), x.dtype)]))
    frames = Frames(frames.rotation.at[LENGTH:].set(jnp.eye(3)), frames.origin)
    rng = np.random.default_rng(seed)
    return frames.moved(*(jnp.asarray(0.1 * rng.normal(size=(16, 3))) for _ in range(2)))


def atoms_of(frames):
    xyz = np.asarray(place_atoms(frames.rotation[:LENGTH], frames.origin[:LENGTH]), float)
    return np.concatenate([xyz, np.asarray(ideal_cb(xyz))[:, None]], axis=1)


@pytest.mark.parametrize("fold", [2, 3, 5])
@in_float64
def test_a_ring_is_its_first_chain_turned(fold):
    ring = Symmetry(fold).ring(beside())
    chains = [atoms_of(ring.map(lambda x, k=k: x[k])).reshape(-1, 3) for k in range(fold)]
    found = judge.symmetric(chains)
    assert max(found) < 1e-6  # degrees, from an arc cosine; distances are better
    assert found.off < 1e-12
    for k in range(fold):
        angle = 2 * np.pi * k / fold
        by = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
        np.testing.assert_allclose(chains[k], chains[0] @ by.T, atol=1e-12)
    # The judge sees a chain that is turned by a tenth of a degree too much, moved, or mirrored.
    tilt = np.deg2rad(0.1)
    more = np.array([[np.cos(tilt), -np.sin(tilt), 0], [np.sin(tilt), np.cos(tilt), 0], [0, 0, 1]])
    for spoiled in (chains[1] @ more.T, chains[1] + [0, 0, 0.05], chains[1] * [1, 1, -1]):
        assert judge.symmetric([chains[0], spoiled, *chains[2:]]).off > 5e-3
    with pytest.raises(BadInput, match="at least 2"):
        Symmetry(1)


@pytest.mark.parametrize("fold", [2, 3, 4])
@in_float64
def test_energies_of_a_ring_are_sums_over_its_pairs(fold):
    symmetry, frames = Symmetry(fold), beside(3.0)
    ring = symmetry.ring(frames)
    chains = [atoms_of(ring.map(lambda x, k=k: x[k])) for k in range(fold)]
    radii = np.array([1.55, 1.70, 1.65, 1.40, 1.70])
    total = 0.0
    for i in range(fold):
        for j in range(i):
            gap = radii[:, None, None] + radii[None, None, :] - 0.2
            away = np.linalg.norm(chains[i][:, :, None, None] - chains[j][None, None], axis=-1)
            total += 10 * np.sum(np.maximum(gap[None] - away, 0.0) ** 2)
    assert total > 1.0
    # The last oxygen of a padded chain lies where it does of one that ends.
    assert float(ring_clash_energy(frames, symmetry, PADDED)) == pytest.approx(total / fold, rel=1e-9)
    away = np.linalg.norm(chains[0][:, None, 4] - chains[1][None, :, 4], axis=-1)
    assert float(ring_contacts(frames, symmetry, PADDED)) == pytest.approx(np.sum(1 / (1 + (away / 8) ** 6)), rel=1e-9)
    # Along the axis and about it a ring may lie as it likes.
    turned = symmetry.chain(frames, 1)
    lifted = Frames(turned.rotation, turned.origin + jnp.asarray([0.0, 0.0, 7.0]) * PADDED[:, None])
    assert float(ring_clash_energy(lifted, symmetry, PADDED)) == pytest.approx(total / fold, rel=1e-9)


ENERGIES = {
    "clash": lambda frames: ring_clash_energy(frames, Symmetry(3), PADDED),
    "contacts": lambda frames: ring_contact_energy(frames, Symmetry(3), 60.0, PADDED),
}


@pytest.mark.parametrize("name", ENERGIES)
@in_float64
def test_gradients_agree_with_differences_rotations_included(name):
    at = beside(3.0)
    energy = jax.jit(lambda by: ENERGIES[name](at.moved(by[:, :3], by[:, 3:])))
    found = lf.check_gradient(energy, 1e-2 * np.random.default_rng(1).normal(size=(16, 6)))
    assert found.passed
    assert found.error < 1e-6
    slope = jax.grad(energy)(jnp.zeros((16, 6)))
    assert np.abs(slope[:LENGTH, :3]).max() > 1e-3  # turns count
    assert np.abs(slope[LENGTH:]).max() == 0  # padding does not


@in_float64
def test_a_ring_moves_as_a_whole_and_back():
    tiny = Denoiser(jax.random.key(0), channels=8, pair=4, blocks=1, heads=2)
    tiny = jax.tree.map(lambda x: x.astype(float) if isinstance(x, jax.Array) else x, tiny)
    flow = RingFlow(tiny, jnp.asarray(PADDED), Schedule(steps=4))
    one, other = beside(8.0), beside(3.0, seed=1)
    there = flow.moved(one, flow.apart(one, other))
    np.testing.assert_allclose(there.origin[:LENGTH], other.origin[:LENGTH], atol=1e-10)
    np.testing.assert_allclose(there.rotation[:LENGTH], other.rotation[:LENGTH], atol=1e-7)
    # The network's answer does not hang on where the chain lies, and lies there too.
    start = flow.start(jax.random.key(1))
    middle = lambda frames: np.asarray(frames.origin)[:LENGTH].mean(axis=0)
    assert np.linalg.norm(middle(start)[:2]) == pytest.approx(1.5 * 2.2 * LENGTH**0.38, rel=1e-5)
    moved = Frames(start.rotation, start.origin + jnp.asarray([1.0, -2.0, 3.0]) * PADDED[:, None])
    said, then = (flow.answer(each, jnp.asarray(1), each) for each in (start, moved))
    np.testing.assert_allclose(middle(then) - middle(said), [1.0, -2.0, 3.0], atol=1e-6)
    np.testing.assert_allclose(then.rotation[:LENGTH], said.rotation[:LENGTH], atol=1e-6)


def test_what_is_held_stays_to_the_bit_while_its_neighbours_come():
    frames = jax.tree.map(lambda x: x.astype(jnp.float32), beside())
    held = (np.arange(16) >= 3) & (np.arange(16) < 8)
    found = settled(frames, jnp.asarray(PADDED), None, 40, jnp.asarray(held))
    np.testing.assert_array_equal(found.origin[held], frames.origin[held])
    np.testing.assert_array_equal(found.rotation[held], frames.rotation[held])
    gone = np.linalg.norm(np.asarray(found.origin - frames.origin), axis=1)
    assert gone[PADDED & ~held].min() > 1e-3
    bonds = lambda frames: np.linalg.norm(atoms_of(frames)[1:, 0] - atoms_of(frames)[:-1, 2], axis=1) - 1.33
    outside = [0, 1, 2, 7, 8, 9, 10]  # those that touch a residue that is free
    assert np.abs(bonds(found))[outside].max() < 0.03 < np.abs(bonds(frames))[outside].max()


def test_a_piece_keeps_its_own_bonds_and_angles():
    rng = np.random.default_rng(0)
    piece = of(Backbone(helix(8) + 0.05 * rng.normal(size=(8, 4, 3))), "shaken")
    frames = piece.frames()
    rotation, origin = np.asarray(frames.rotation, float), np.asarray(frames.origin, float)
    again = np.einsum("mij,maj->mai", rotation, piece.inside()) + origin[:, None]
    np.testing.assert_allclose(again, piece.xyz, atol=1e-5)


def test_the_judge_reads_files_and_counts():
    one = rebuild(ideal_internal(*(np.deg2rad([[-62.0], [-43.0]]) * np.ones((2, 9)))))
    first = Backbone(np.asarray(one), "ACDEFGHIKL", chain="A")
    up = np.array([0.0, 0.0, 1.0])
    second = Backbone(np.asarray(one) + 9 * up, "ACDEFGHIKL", chain="B")
    chains = judge.chains_of(pdb_text([first, second]))
    assert {name: each.sequence for name, each in chains.items()} == {"A": "ACDEFGHIKL", "B": "ACDEFGHIKL"}
    motion = judge.superposed(chains["A"].xyz, chains["B"].xyz)
    np.testing.assert_allclose(motion.shift, [0.0, 0.0, 9.0], atol=2e-3)
    assert motion.off < 2e-3
    assert motion.degrees < 0.01
    betas = np.asarray(ideal_cb(np.asarray(one)))
    away = np.linalg.norm(betas[:, None] - (betas + 9 * up)[None], axis=-1)
    glycine = np.array(list(first.sequence)) == "G"
    counts = away[~glycine][:, ~glycine]
    assert judge.contacts_between(chains["A"], chains["B"]) == np.sum(counts < 8.0) > 0
    atoms = np.concatenate([np.asarray(one), betas[:, None]], axis=1).reshape(-1, 3)
    there = np.ones((10, 5), bool)
    there[glycine, 4] = False
    radii = np.tile([1.55, 1.70, 1.65, 1.40, 1.70], 10)[there.ravel()]
    atoms = atoms[there.ravel()]
    away = np.linalg.norm(atoms[:, None] - (atoms + 9 * up)[None], axis=-1)
    by_hand = np.sum(radii[:, None] + radii - away >= 0.4)
    assert judge.clashes_between(chains["A"], chains["B"]) == by_hand > 0
    far = judge.chains_of(pdb_text([first, Backbone(np.asarray(one) + 40 * up, chain="B")]))
    assert judge.clashes_between(far["A"], far["B"]) == 0
    n, ca, c = (np.asarray(one)[:, k] for k in range(3))
    assert np.linalg.norm(judge.tetrahedral(n, ca, c) - betas, axis=1).max() < 0.1
    np.testing.assert_allclose(chains["A"].betas()[~glycine], betas[~glycine], atol=1e-3)
