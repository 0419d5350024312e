"""The study of pockets, by the command line at its quickest, and its pieces against direct sums."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from typer.testing import CliRunner

from lawful import BadInput
from lawful import proteins as pr
from lawful.cli import app
from lawful.fields.equivariant import Frames
from lawful.studies._pocket_cases import made
from lawful.studies._sequence_wish import bundle

CASE = made()


def run(folder, *options):
    words = [word for option in options for word in ("--set", option)]
    words = ["run", "pocket", "--effort", "quick", "--json", "--out", str(folder), *words]
    found = CliRunner().invoke(app, words, catch_exceptions=False)
    numbers = json.loads(found.stdout)
    assert found.exit_code == (0 if numbers["satisfied"] >= 0.8 else 1)
    # The file holds what was judged.
    parts = pr.read(folder / "binder_made.pdb").backbones
    binder = pr.Backbone(np.concatenate([each.xyz for each in parts]))
    atoms = np.concatenate([binder.xyz, np.asarray(pr.ideal_cb(binder.xyz))[:, None]], axis=1).reshape(-1, 3)
    again = pr.fit(atoms, pr.spheres_of(binder), CASE.receptor)
    assert again.overlap == pytest.approx(numbers["overlap"], abs=0.02)  # places are kept to 0.001 A
    assert again.contacts == pytest.approx(numbers["contacts"], abs=2)
    assert (folder / "poses.png").stat().st_size > 20_000
    return numbers, parts


def test_a_binder_takes_its_form_in_the_groove(tmp_path):
    numbers, parts = run(tmp_path, "count=8")
    assert numbers["satisfied"] == 1
    assert numbers["overlap"] <= 0.4
    assert numbers["contacts"] >= 26 > numbers["contacts_by_touch"]
    assert numbers["satisfied_by_touch"] == 0
    assert numbers["ramachandran_favoured"]["guided"]["value"] > 0.9
    assert [len(each) for each in parts] == [40]  # one chain, not broken


def test_a_rigid_binder_finds_the_groove(tmp_path):
    numbers, parts = run(tmp_path, "binders=bundle", "length=48")
    assert numbers["overlap"] <= 0.4
    assert numbers["contacts"] > numbers["contacts_by_touch"]
    assert [len(each) for each in parts] == [16, 16, 16]


def test_what_pocket_refuses(tmp_path, monkeypatch):
    monkeypatch.setenv("LAWFUL_DATA", str(tmp_path))
    for option, said in (
        ("receptors=3", "set LAWFUL_DATA"),
        ("length=20-90", "40 to 80"),
        ("binders=magic", "must be grown"),
    ):
        found = CliRunner().invoke(app, ["run", "pocket", "--effort", "quick", "--set", option])
        assert found.exit_code == 2
        assert said in found.stderr


@pytest.fixture(scope="module")
def around() -> pr.Surroundings:
    return pr.surroundings(CASE.receptor, CASE.middle, 24.0, 0.8)


def test_fields_say_what_the_atoms_say(around):
    rng = np.random.default_rng(0)
    places = CASE.middle + rng.uniform(-12, 12, (300, 3))
    away = np.linalg.norm(places[:, None] - CASE.receptor.xyz, axis=-1)
    depth = np.max(CASE.receptor.radii - away, axis=1)
    outside = depth < 0
    off = np.abs(around.depth(jnp.asarray(places)) - depth)[outside]
    assert np.max(off) < 0.4
    assert np.quantile(off, 0.95) < 0.15
    touched = [len(np.unique(CASE.receptor.residue[row < 5.0])) for row in away]
    assert np.corrcoef(around.touch(jnp.asarray(places)), touched)[0, 1] > 0.97


def test_slopes_of_a_pose_against_differences(around):
    """Turns included, in double precision."""
    with jax.enable_x64(True):
        body = pr.spheres_of(bundle(8), 30)
        process = pr.Placing(body, around, jnp.asarray(CASE.middle), jnp.asarray(CASE.out), jnp.asarray(8.0))
        pose = process.start(jax.random.key(0))
        energy = pr.pose_energy(body, around)
        at = jax.jit(lambda by: energy(process.moved(pose, (by[:3], by[3:]))))
        slope, step = jax.grad(at)(jnp.zeros(6)), 1e-6
        for k in range(6):
            way = step * jnp.eye(6)[k]
            assert float(slope[k]) == pytest.approx(float(at(way) - at(-way)) / (2 * step), rel=1e-5, abs=1e-6)
        there = process.moved(pose, (jnp.asarray([0.3, -0.2, 0.1]), jnp.asarray([1.0, 2.0, -1.0])))
        back = process.moved(pose, process.apart(pose, there))
        np.testing.assert_allclose(back.rotation, there.rotation, atol=1e-12)


def test_slopes_of_a_chain_against_differences(around):
    """Every residue by itself, in double precision, in coordinates of the chain's own."""
    with jax.enable_x64(True):
        xyz = pr.rebuild(pr.ideal_internal(*(np.deg2rad([[-60.0], [-45.0]]) * np.ones((2, 11)))))
        xyz = xyz - np.mean(xyz, (0, 1))
        frames = Frames.from_points(*(jnp.asarray(xyz[:, k]) for k in range(3)))
        frames = frames.map(lambda x: jnp.concatenate([x, x[-1:]]))  # and one that fills the room
        here = around.about(CASE.middle + 3.0 * CASE.out)
        chain = pr.Chain(jnp.arange(13) < 12)
        rng = np.random.default_rng(0)
        for energy in (pr.Overlap(chain, here), pr.Touching(chain, here), pr.Nearby(chain, here)):
            at = jax.jit(lambda by, energy=energy: energy(frames.moved(by[:, :3], by[:, 3:])))
            slope, step = jax.grad(at)(jnp.zeros((13, 6))), 1e-6
            assert float(jnp.abs(slope).max()) > 0.01
            for _ in range(4):
                way = jnp.asarray(rng.normal(size=(13, 6)))
                told = float(at(step * way) - at(-step * way)) / (2 * step)
                assert float(jnp.sum(slope * way)) == pytest.approx(told, rel=1e-5, abs=1e-5)
        # What stands at a place says the same wherever the origin is.
        origin = jnp.asarray(CASE.middle + 3.0 * CASE.out)
        away = pr.Overlap(chain, around)(frames.map(lambda x: x + origin if x.ndim == 2 else x))
        assert float(away) == pytest.approx(float(pr.Overlap(chain, here)(frames)), rel=1e-5)


def test_fit_by_hand():
    one = pr.Spheres(np.array([[0.0, 0, 0], [9.0, 0, 0]]), np.array([1.7, 1.5]), np.array([0, 1]))
    other = pr.Spheres(np.array([[3.0, 0, 0], [0.0, 4.5, 0]]), np.array([1.7, 1.7]), np.array([0, 1]))
    found = pr.fit(one.xyz, one, other)
    assert found.overlap == pytest.approx(0.4)
    assert found.contacts == 2
    far = pr.fit(one.xyz + 100.0, one, other)
    assert far.contacts == 0
    assert far.overlap < -100
    room = pr.spheres_of(bundle(8), 30)
    assert np.sum(room.radii > 0) == 24 * 5
    poses = Frames(jnp.eye(3), jnp.zeros(3))
    np.testing.assert_allclose(room.at(poses)[:120], room.xyz[:120], atol=1e-5)


def test_a_receptor_as_it_stands(tmp_path):
    line = "ATOM  {:5d} {:<4s}{}{:>3s} A{:4d}    {:8.3f}{:8.3f}{:8.3f}  {:4.2f}  0.00          {:>2s}\n"
    rows = [
        ("N", " ", "ALA", 1, 0.0, 1.0, "N"), ("CA", " ", "ALA", 1, 1.5, 1.0, "C"), ("C", " ", "ALA", 1, 2.5, 1.0, "C"),
        ("O", " ", "ALA", 1, 3.0, 1.0, "O"), ("H", " ", "ALA", 1, 0.5, 1.0, "H"),
        ("N", " ", "XYZ", 2, 4.0, 1.0, "N"), ("CA", " ", "XYZ", 2, 5.0, 1.0, "C"),
        ("CA", "A", "SER", 3, 7.0, 0.6, "C"), ("CA", "B", "SER", 3, 7.5, 0.4, "C"), ("O", " ", "HOH", 4, 9.0, 1.0, "O"),
    ]  # fmt: skip
    path = tmp_path / "receptor.pdb"
    lines = [
        line.format(k, f" {name}" if len(name) < 4 else name, alternative, residue, number, x, 0.0, 0.0, share, element)
        for k, (name, alternative, residue, number, x, share, element) in enumerate(rows, 1)
    ]
    path.write_text("".join(lines) + "END\n")
    found, report = pr.read_receptor(path)
    assert len(found) == 7
    assert report.left_out == {"waters, ligands and ions": 1, "hydrogens": 1, "atoms of alternative positions": 1}
    assert report.noted["residues of unknown kind"] == 1
    assert report.noted["residues that lack main-chain atoms, kept as far as they go"] == 2
    with pytest.raises(BadInput, match="does not exist"):
        pr.read_receptor(tmp_path / "none.pdb")
