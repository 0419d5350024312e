"""Chains that are steered: the sampler as a process, energies of frames, wishes that cannot all be met."""

import functools
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful._core.messages import BadInput
from lawful._core.precision import in_float64
from lawful.fields.equivariant import Frames, uniform_rotations
from lawful.guidance import Constant, Energy, Pull, Term, guided
from lawful.proteins import (
    ChainFlow,
    Denoiser,
    Distance,
    Disulfide,
    Keep,
    Motif,
    Schedule,
    clash_energy,
    clashes,
    drawn,
    hydrogen_bond_energy,
    ideal_cb,
    ideal_internal,
    internal,
    peptide_energy,
    place_atoms,
    radius_energy,
    ramachandran,
    ramachandran_energy,
    rebuild,
    refuse_contradictions,
    rmsd,
    settled,
    starts,
    torsion_energy,
)
from lawful.proteins._generate import keys_of
from lawful.studies import _bond_judge as judge

LENGTH = 20
PADDED = np.arange(24) < LENGTH


@functools.cache
def tiny():
    with jax.enable_x64(False):  # whichever test asks first, in single or in double precision
        return Denoiser(jax.random.key(0), channels=8, pair=4, blocks=1, heads=2)


def frames_of(phi, psi):
    xyz = jnp.asarray(rebuild(ideal_internal(np.deg2rad(phi), np.deg2rad(psi))))
    return Frames.from_points(xyz[:, 0], xyz[:, 1], xyz[:, 2])


def shaken(size=0.1):
    """A helix and a strand, padded by nothing sensible, jolted so that no energy is at a minimum or zero."""
    helix = np.arange(LENGTH - 1) < LENGTH // 2
    frames = frames_of(np.where(helix, -57.0, -120.0), np.where(helix, -47.0, 130.0))
    frames = frames.map(lambda x: jnp.concatenate([x, jnp.zeros((4, *x.shape[1:]), x.dtype)]))
    rng = np.random.default_rng(0)
    return frames.moved(*(jnp.asarray(size * rng.normal(size=(24, 3))) for _ in range(2)))


BITS = "test_without_guides_it_is_the_unguided_sampler_bit_for_bit"


def test_without_guides_it_is_the_unguided_sampler_bit_for_bit():
    if os.environ.get("XLA_FLAGS"):
        # How loops are written decides the last bit: in a process of its own, as users have it.
        alone = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", f"{__file__}::{BITS}"]
        done = subprocess.run(alone, env={**os.environ, "XLA_FLAGS": ""}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
        return
    schedule, real = Schedule(steps=3), np.arange(48) < 44
    energy = Energy(size=lambda frames: radius_energy(frames, 9.0, 1.0, real))
    known = drawn(tiny(), [44, 44], seed=3, schedule=schedule)[0].frames
    begin = starts(keys_of(3, 2), jnp.stack([real, real]), schedule)
    flow = ChainFlow(tiny(), jnp.asarray(real), schedule)
    found = guided(flow, energy, jax.random.key(7), 2, start=begin).designs
    np.testing.assert_array_equal(found.origin, known.origin)
    np.testing.assert_array_equal(found.rotation, known.rotation)
    with pytest.raises(BadInput, match="as many designs to begin with"):
        guided(flow, energy, jax.random.key(7), 3, start=begin)


@in_float64
def test_a_steered_chain_turns_with_its_start_and_is_led():
    wide = jax.tree.map(lambda x: x.astype(float) if isinstance(x, jax.Array) else x, tiny())
    flow = ChainFlow(wide, jnp.asarray(PADDED), Schedule(steps=4))
    one = starts(keys_of(0, 1), jnp.asarray(PADDED)[None], flow.schedule)
    one = jax.tree.map(lambda x: x.astype(float), one)
    one = Frames(jnp.linalg.qr(one.rotation)[0], one.origin)
    one = Frames(one.rotation * jnp.linalg.det(one.rotation)[..., None, None], one.origin)
    turn = uniform_rotations(jax.random.key(1), ()).astype(float)
    turn = jnp.linalg.qr(turn)[0]
    turn = turn * jnp.linalg.det(turn)
    both = Frames(
        jnp.concatenate([one.rotation, turn @ one.rotation]), jnp.concatenate([one.origin, one.origin @ turn.T])
    )
    far = Energy(apart=Term(Distance(2, 15, 30.0, 31.0), schedule=Constant()))
    designs = guided(flow, far, jax.random.key(2), 2, guides=[Pull(least=0.0, steps=3)], start=both).designs
    np.testing.assert_allclose(designs.origin[1], designs.origin[0] @ turn.T, atol=1e-9)
    np.testing.assert_allclose(designs.rotation[1], turn @ designs.rotation[0], atol=1e-9)
    plain = guided(flow, far, jax.random.key(2), 2, start=both).designs
    apart = lambda frames: float(jnp.linalg.norm(frames.origin[0, 2] - frames.origin[0, 15]))
    assert abs(apart(designs) - 30.5) < 1.0 < abs(apart(plain) - 30.5)


@in_float64
def test_what_is_apart_is_what_moves():
    flow = ChainFlow(tiny(), jnp.asarray(PADDED), Schedule(steps=4), churn=1.0)
    one, other = shaken(), shaken(0.2)
    there = jax.jit(lambda one, other: flow.moved(one, flow.apart(one, other)))(one, other)
    middle = lambda x: x[PADDED] - x[PADDED].mean(axis=0)
    np.testing.assert_allclose(middle(there.origin), middle(other.origin), atol=1e-10)
    np.testing.assert_allclose(there.rotation[PADDED], other.rotation[PADDED], atol=1e-7)
    still = jax.jit(lambda one: flow.moved(one, flow.still(one)))(one)
    np.testing.assert_array_equal(still.origin, one.origin)
    np.testing.assert_array_equal(still.rotation, one.rotation)


ENERGIES = {
    "clash": lambda frames: clash_energy(frames.map(lambda x: x.at[3].set(x[12])), PADDED),
    "ramachandran": lambda frames: ramachandran_energy(frames, PADDED),
    "peptide": lambda frames: peptide_energy(frames, PADDED),
    "hydrogen": lambda frames: hydrogen_bond_energy(frames, PADDED),
    "radius": lambda frames: radius_energy(frames, 9.0, 1.0, PADDED),
    "distance": Distance(2, 15, 4.0, 5.0),
    "motif": lambda frames: Motif([2, 3, 4, 9], frames_of(np.full(3, -57.0), np.full(3, -47.0)))(frames),
    "disulfide": Disulfide(1, 4),
}


@pytest.mark.parametrize("name", ENERGIES)
@in_float64
def test_gradients_agree_with_differences_rotations_included(name):
    at = shaken()
    energy = jax.jit(lambda by: ENERGIES[name](at.moved(by[:, :3], by[:, 3:])))
    found = lf.check_gradient(energy, 1e-2 * np.random.default_rng(1).normal(size=(24, 6)))
    assert found.passed
    assert found.error < 1e-6
    if name == "clash":
        slope = jax.grad(energy)(jnp.zeros((24, 6)))
        assert np.abs(slope[:, :3]).max() > 1e-3  # turns count
        assert np.abs(slope[LENGTH:]).max() == 0  # padding does not


@in_float64
def test_energies_tell_good_chains_from_bad():
    helix, left = frames_of(np.full(19, -60.0), np.full(19, -45.0)), frames_of(np.full(19, 60.0), np.full(19, -90.0))
    assert float(clash_energy(helix)) < 0.1
    assert float(peptide_energy(helix)) < 1e-8
    assert float(hydrogen_bond_energy(helix)) < -20
    assert float(ramachandran_energy(helix)) < 10 < 60 < float(ramachandran_energy(left))
    whole, padded = float(clash_energy(left)), left.map(lambda x: jnp.concatenate([x, x[:4]]))
    assert float(clash_energy(padded, PADDED)) == pytest.approx(whole, rel=1e-9)
    chi = np.random.default_rng(0).uniform(-np.pi, np.pi, (5, 9))
    np.testing.assert_allclose(torsion_energy(*chi), judge.katz(*chi), rtol=1e-12)


def test_a_motif_is_kept_to_rounding():
    """A helix that was given, in a chain out of noise, whatever the network says of these residues."""
    helix = frames_of(np.full(9, -57.0), np.full(9, -47.0)).map(lambda x: x.astype(jnp.float32))
    motif, real = Motif(range(20, 30), helix), jnp.arange(48) < 44
    flow = ChainFlow(tiny(), real, Schedule(steps=3))
    found = guided(flow, Energy(motif=Term(motif)), jax.random.key(0), 2, guides=[Keep(motif)])
    assert found.terms["motif"].max() < 1e-4  # half of ten times (rmsd/0.5)^2: 2 mA at most, float32
    assert found.course["motif"][-1].min() > 1.0  # of the network's own last answers
    place = lambda frames: place_atoms(frames.rotation, frames.origin)[:, :3].reshape(-1, 3)
    for k in range(2):
        inside = found.designs.map(lambda x, k=k: x[k, 20:30])
        assert float(rmsd(place(inside), place(helix))) < 1e-4  # A
    with pytest.raises(BadInput, match="10 frames came for 3"):
        Motif([1, 2, 3], helix)


def test_spoiled_chains_settle_into_a_bond():
    """Bonds, torsions and clashes are mended; two residues that were asked for are joined, by the judge's geometry.
    Where a chain comes to rest hangs on rounding, hence three of them: 10 spoils left 0.94 +- 0.03 of 28 favoured."""
    phi, psi = np.full(29, -120.0), np.full(29, 130.0)
    phi[13:16], psi[13:16] = (60.0, -90.0, -100.0), (30.0, 0.0, 100.0)  # about a hairpin
    bond, before, after = Disulfide(10, 18), [], []
    for seed in (3, 4, 5):
        rng = np.random.default_rng(seed)
        frames = frames_of(phi, psi)
        frames = frames.moved(*(jnp.asarray(0.3 * rng.normal(size=(30, 3)), jnp.float32) for _ in range(2)))
        assert not joined(frames)[1].forms
        before.append(favoured(frames))
        found = settled(frames, jnp.ones(30, bool), lambda at: 3 * bond(at) / 0.593, 300)
        after.append(favoured(found))
        xyz, judgement = joined(found)
        assert np.abs(np.asarray(internal(xyz).c_n) - 1.330).max() < 0.03
        assert clashes(xyz) <= 1
        assert judgement.forms, judgement
    assert np.mean(before) < 0.7
    assert np.mean(after) > 0.88, after


def favoured(frames):
    bonds = internal(joined(frames)[0])
    return np.mean(np.asarray(ramachandran(bonds.phi[:-1], bonds.psi[1:])) > 0.02)


def joined(frames):
    xyz = np.asarray(place_atoms(frames.rotation, frames.origin), float)
    sites = [np.concatenate([xyz[k, :3], ideal_cb(xyz)[k : k + 1]]) for k in (10, 18)]
    return xyz, judge.judged(*sites)


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ([Distance(9, 39, 4.5, 5.5), Distance(9, 39, 49.5, 50.5)], "contradict each other.*10 and 40"),
        ([Disulfide(9, 39), Distance(9, 39, 49.5, 50.5)], "at least 49.5 and at most 6.8 A"),
        ([Disulfide(9, 39), Disulfide(39, 54)], "residue 40 is asked for in two disulfides, 10-40 and 40-55"),
        ([Distance(3, 8, 25.0, 30.0)], "at most 20.0 A"),
        ([Disulfide(9, 39), Disulfide(10, 50), Distance(39, 50, 30.0, 40.0)], "contradict"),
        ([Disulfide(9, 60)], "residue 61 was asked for, but the chain has 60"),
    ],
)
def test_contradictions_are_refused_in_a_sentence(wishes, said):
    with pytest.raises(BadInput, match=said):
        refuse_contradictions(wishes, 60)


def test_what_can_be_had_is_let_through():
    refuse_contradictions([Disulfide(9, 39), Disulfide(11, 50), Distance(9, 50, 3.5, 20.0), Disulfide(39, 9)], 60)
    for wrong, said in ((lambda: Disulfide(3, 3), "two different"), (lambda: Distance(1, 2, 9.0, 3.0), "low <= high")):
        with pytest.raises(BadInput, match=said):
            wrong()
