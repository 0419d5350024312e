"""The short-range network: what may not matter does not, and it learns."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
import lawful.atoms as at
from lawful._core.precision import in_float64

NUMBERS = np.array([8, 1, 1, 6])
PLACES = np.array([[0.0, 0.0, 0.0], [0.96, 0.0, 0.0], [-0.24, 0.93, 0.0], [0.3, -0.4, 1.4]])


def network(**more):
    return at.ShortRangeNetwork((1, 6, 8), jax.random.key(0), cutoff=3.0, channels=4, radial=4, **more)


@eqx.filter_jit
def said(term, positions, cell=None):
    return jax.value_and_grad(term)(positions, cell)


def energy_and_slope(net, positions, numbers=NUMBERS, room=8):
    return said(net.term(at.Structure(positions, numbers), room), jnp.asarray(positions))


@in_float64
def test_motions_and_padding_change_nothing():
    net, rng = network(), np.random.default_rng(1)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    energy, slope = energy_and_slope(net, PLACES)
    assert np.max(np.abs(slope)) > 0.01
    order = np.array([2, 0, 3, 1])
    for places, numbers, room, expected in (
        (PLACES @ turn.T, NUMBERS, 8, slope @ turn.T),  # a rotation, or one with a reflection
        (-PLACES, NUMBERS, 8, -slope),
        (PLACES + 7.0, NUMBERS, 8, slope),
        (PLACES[order], NUMBERS[order], 8, slope[order]),
        (PLACES, NUMBERS, 3, slope),
    ):
        e, g = energy_and_slope(net, places, numbers, room)
        assert abs(float(e - energy)) < 1e-12
        np.testing.assert_allclose(g, expected, atol=1e-12)
    frame = at.Frames([at.Structure(PLACES, NUMBERS), at.Structure(PLACES[:2], NUMBERS[:2])], [0.0, 0.0]).seen(
        net.species(np.array([[8, 1, 1, 6], [8, 1, 0, 0]])), net.cutoff
    )
    both = jax.vmap(net.energy)(jax.tree.map(jnp.asarray, frame))
    np.testing.assert_allclose(both, [energy, energy_and_slope(net, PLACES[:2], NUMBERS[:2])[0]], atol=1e-12)


@in_float64
def test_molecules_apart_add_up_and_the_cutoff_is_smooth():
    net = network(layers=1)
    far = np.concatenate([PLACES, PLACES[:2] + np.array([0.0, 0.0, 50.0])])
    numbers = np.concatenate([NUMBERS, NUMBERS[:2]])
    whole, _ = energy_and_slope(net, far, numbers)
    apart = energy_and_slope(net, PLACES)[0] + energy_and_slope(net, PLACES[:2], NUMBERS[:2])[0]
    assert abs(float(whole - apart)) < 1e-13
    pair = at.Structure([[0, 0, 0], [0, 0, 2.9]], [8, 1])
    term = net.term(pair)
    along = jax.jit(jax.grad(lambda r: term(jnp.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]) * r, None)))
    bend = lambda r: (along(r + 1e-5) - along(r - 1e-5)) / 2e-5
    for f in (along, bend):
        assert abs(float(f(3.0 - 1e-4))) < 2e-3 * max(abs(float(f(2.0))), 0.1)
        assert float(f(3.0 + 1e-4)) == 0.0


@in_float64
def test_slopes_and_stress_are_those_of_the_energy():
    net, rng = network(layers=1), np.random.default_rng(2)
    cell = np.array([[3.0, 0.0, 0.0], [0.4, 3.2, 0.0], [-0.3, 0.2, 3.4]])  # smaller than two cutoffs: images count
    structure = at.Structure(PLACES + 0.1 * rng.normal(size=PLACES.shape), NUMBERS, cell)
    term, places = net.term(structure), jnp.asarray(structure.positions)
    found = at.HybridPotential({"network": term})(places, jnp.asarray(cell))
    value = eqx.filter_jit(lambda x, h: term(x, h))
    step, way = 1e-5, rng.normal(size=PLACES.shape)
    slope = (value(places + step * way, cell) - value(places - step * way, cell)) / (2 * step)
    assert float(-jnp.sum(found.forces * way)) == pytest.approx(float(slope), abs=1e-7)
    strain = np.array([[0.3, 0.1, 0.0], [0.1, -0.2, 0.4], [0.0, 0.4, 0.5]])
    moved = lambda s: value(places @ (np.eye(3) + s * strain), cell @ (np.eye(3) + s * strain))
    rate = float(moved(step) - moved(-step)) / (2 * step) / np.linalg.det(cell)
    assert float(jnp.sum(found.stress * strain)) == pytest.approx(rate, abs=1e-7)
    twice = np.diag([2.0, 1.0, 1.0]) @ cell
    doubled = at.Structure(np.concatenate([places, places + cell[0]]), np.tile(NUMBERS, 2), twice)
    assert float(net.term(doubled)(doubled.positions, twice)) == pytest.approx(2 * float(found.energy), abs=1e-11)


def clusters(count, seed=0):
    """Three atoms that a Morse potential holds together."""
    rng, structures, energies, forces = np.random.default_rng(seed), [], [], []
    for _ in range(count):
        places = np.array([[0, 0, 0], [1.2, 0, 0], [0.6, 1.0, 0]]) + 0.12 * rng.normal(size=(3, 3))
        i, j = np.triu_indices(3, 1)
        apart = places[j] - places[i]
        r = np.linalg.norm(apart, axis=1)
        well = np.exp(-2.0 * (r - 1.2))
        pull = 2 * 2.0 * (well**2 - well) / r
        push = np.zeros((3, 3))
        np.add.at(push, j, pull[:, None] * apart)
        np.add.at(push, i, -pull[:, None] * apart)
        structures.append(at.Structure(places, [6, 6, 6]))
        energies.append(np.sum(well**2 - 2 * well) - 1000.0)
        forces.append(push)
    return structures, energies, forces


def test_it_learns_and_a_killed_training_goes_on_to_the_same_answer(tmp_path):
    structures, energies, forces = clusters(60)
    energies[3], forces[5] = np.nan, np.full((3, 3), np.nan)  # not everything is known
    frames, tested = at.Frames(structures, energies, forces), at.Frames(*clusters(40, seed=1))
    build = lambda key: at.ShortRangeNetwork((6,), key, cutoff=4.0, channels=6, layers=1, radial=4)

    seen = []

    def trained(folder, stop=None, resume=False, rate=1e-2):
        seen.clear()

        def watch(moment):
            seen.append(moment.step)
            if moment.step == stop:
                raise KeyboardInterrupt

        watch.close = lambda: None
        settings = {"epochs": 40, "members": 2, "rate": rate, "folder": folder, "resume": resume}
        return at.train(build, frames, **settings, progress=watch)

    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "killed", stop=25)
    again = trained(tmp_path / "killed", resume=True)
    assert seen[0] > 1  # it did go on
    with pytest.raises(lf.BadInput, match="another problem"):
        trained(tmp_path / "killed", resume=True, rate=2e-2)
    whole = trained(tmp_path / "whole")
    for one, other in zip(jax.tree.leaves(whole.models), jax.tree.leaves(again.models), strict=True):
        np.testing.assert_array_equal(one, other)
    errors, spread = whole.errors(tested), np.std(tested.labels.energy)
    assert errors.energy < 0.1 * spread
    assert errors.forces < 0.1 * np.std(tested.labels.forces)
    said = whole.predict(tested)
    assert 0.5 < np.mean(np.abs(said.energy - tested.labels.energy) < 2 * said.energy_sd) <= 1.0
    whole.save(tmp_path / "weights.npz")
    back = at.Ensemble.load(tmp_path / "weights.npz", build(jax.random.key(9)))
    np.testing.assert_allclose(back.predict(tested).energy, said.energy, rtol=1e-12)
    with pytest.raises(lf.BadInput, match="another shape"):
        at.Ensemble.load(tmp_path / "weights.npz", network())


def test_frames_from_a_file(tmp_path):
    ase = pytest.importorskip("ase")
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.io import write

    images = []
    for structure, energy, forces in zip(*clusters(3), strict=True):
        image = ase.Atoms(numbers=structure.numbers, positions=structure.positions)
        image.calc = SinglePointCalculator(image, energy=energy, forces=forces, dipole=np.array([0.0, 0.1, 0.2]))
        image.new_array("REF_charges", np.array([0.25, -0.5, 0.25]))
        images.append(image)
    images.append(ase.Atoms("C2", positions=[[0, 0, 0], [0, 0, 1.3]]))
    write(tmp_path / "frames.extxyz", images)
    frames = at.Frames.read(tmp_path / "frames.extxyz", charges="REF_charges")
    np.testing.assert_allclose(frames.labels.charges[:3], [[0.25, -0.5, 0.25]] * 3)
    np.testing.assert_allclose(frames.labels.dipole[:3], [[0.0, 0.1, 0.2]] * 3)
    assert np.all(np.isnan(frames.labels.charges[3]))
    assert frames.numbers.tolist() == [[6, 6, 6]] * 3 + [[6, 6, 0]]
    np.testing.assert_allclose(frames.labels.energy[:3], clusters(3)[1])
    np.testing.assert_allclose(frames.labels.forces[:3], clusters(3)[2], atol=1e-7)
    assert np.all(np.isnan(frames.labels.forces[3]))
    assert np.isnan(frames.labels.energy[3])
    assert len(frames[1:3]) == 2
    assert frames[[3]].labels.forces.shape == (1, 2, 3)
    with pytest.raises(lf.BadInput, match="no frames are left"):
        frames[[]]
    (tmp_path / "broken.extxyz").write_text("3\nno frame\nC 0 0\n")
    for path in ("absent.extxyz", "broken.extxyz"):
        with pytest.raises(lf.BadInput, match=path):
            at.Frames.read(tmp_path / path)


def test_bad_requests():
    box = at.Structure([[0, 0, 0], [2, 0, 0]], [6, 6], [6, 6, 6])
    pair = at.Structure([[0, 0, 0], [2, 0, 0]], [6, 6])
    build = lambda key: at.ShortRangeNetwork((6,), key, channels=2, layers=1)
    for call, words in (
        (lambda: network().species(np.array([92])), "has not seen the atomic numbers 92"),
        (lambda: at.ShortRangeNetwork((0,), jax.random.key(0)), "1 to 118"),
        (lambda: network(layers=0), "counts of at least 1"),
        (lambda: at.Neighbours.of(pair, 5.0, room=0), "give room=1"),
        (lambda: at.Frames([], []), "no structures"),
        (lambda: at.Frames([pair, box], [0.0, 0.0]), "repeat in a cell"),
        (lambda: at.Frames([pair], [0.0, 1.0]), "needs the shape"),
        (lambda: at.Frames([pair], [np.inf]), "infinite"),
        (lambda: at.Frames([pair]), "neither an energy nor a force"),
        (lambda: at.Frames([pair], forces=[np.zeros((3, 3))]), "forces of frame 0"),
        (lambda: at.train(build, at.Frames([pair], [0.0])), "one frame is not enough"),
        (lambda: at.train(build, at.Frames([pair] * 9, np.zeros(9)), epochs=0), "epochs=0"),
    ):
        with pytest.raises(lf.BadInput, match=words):
            call()
