"""Guided creation by the command line at its quickest: rings, pieces that are kept, a whole design."""

import json

import jax.numpy as jnp
import numpy as np
import pytest
from typer.testing import CliRunner

from lawful import proteins as pr
from lawful.cli import app
from lawful.fields.equivariant import Frames
from lawful.studies import _bond_judge as bond_judge
from lawful.studies import _chains_judge as judge
from lawful.studies._chains import batched


def run(study, *options, out=None):
    words = [word for option in options for word in ("--set", option)]
    folder = [] if out is None else ["--out", str(out)]
    return CliRunner().invoke(
        app, ["run", study, "--effort", "quick", "--json", *folder, *words], catch_exceptions=False
    )


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """As on a machine without the natives."""
    monkeypatch.setenv("LAWFUL_DATA", str(tmp_path))
    return tmp_path


def test_a_ring_of_three_chains(alone):
    found = run("symmetric", "count=2", out=alone)
    numbers = json.loads(found.stdout)
    error = numbers["symmetry_error"]
    assert max(error["drawn"]["off"], error["relaxed"]["off"]) < 1e-4  # single precision, 50 A across
    assert error["in_file"]["off"] < 2e-3
    assert error["relaxed"]["degrees"] < 1e-3
    ways = numbers["ways"]
    assert ways["guided"]["contacts"]["value"] >= 12
    assert ways["guided"]["contacts"]["value"] > ways["unguided"]["contacts"]["value"]
    assert ways["guided"]["clashes_between"]["value"] <= 4
    assert numbers["scores"]["guided"]["bonds_inside"]["value"] > 0.99
    assert found.exit_code == (0 if numbers["status"].startswith("as asked for") else 1)
    # The file holds a ring: the same chain three times, a third of a turn apart.
    chains = judge.chains_of((alone / "ring_001.pdb").read_text())
    assert list(chains) == ["A", "B", "C"]
    assert judge.symmetric([each.xyz for each in chains.values()]).off < 2e-3
    assert [len(each) for each in pr.read(alone / "ring_001.pdb").backbones] == [40, 40, 40]
    assert (alone / "rings.png").stat().st_size > 10_000
    assert (alone / "interfaces.png").stat().st_size > 5_000


def test_a_piece_of_a_file_is_kept(alone):
    """A strand of the file, not a helix, with bonds of its own: no network would put it there by itself."""
    rng = np.random.default_rng(0)
    torsions = np.deg2rad([[-120.0], [130.0]]) * np.ones((2, 29))
    strand = np.asarray(pr.rebuild(pr.ideal_internal(*torsions))) + 0.02 * rng.normal(size=(30, 4, 3))
    numbered = np.arange(101, 131)
    pr.write(alone / "given.pdb", pr.Backbone(strand, "AGSTV" * 6, chain="B", numbers=numbered))
    out = alone / "out"
    found = run("motif", f"file={alone / 'given.pdb'}", "residues=111-118", "at=9", "count=2", out=out)
    numbers = json.loads(found.stdout)
    assert numbers["off"] < 2e-3
    assert numbers["motif"] == {"source": "residues 111 to 118 of chain B of given.pdb", "residues": 8, "at": 9}
    assert numbers["rest"]["kept"]["longest_bond"]["value"] < 1.5
    assert numbers["scores"]["kept"]["chain_breaks"]["value"] == 0
    assert numbers["rest"]["kept"]["clashes_per_100"]["value"] < 8  # three pairs a chain; eight steps leave one
    assert numbers["by_chance"]["value"] == 0  # the chains without the piece are others
    chain = pr.read(out / "motif_002.pdb").backbones[0]
    piece = pr.read(alone / "given.pdb").backbones[0][10:18]
    assert chain.sequence[8:16] == piece.sequence
    both = (np.asarray(each, float).reshape(-1, 3) for each in (chain[8:16].xyz, piece.xyz))
    assert float(pr.rmsd(*both)) < 1e-3
    assert (out / "backbones.png").stat().st_size > 10_000
    assert found.exit_code == (0 if numbers["status"].startswith("as asked for") else 1)


def test_a_whole_design(alone):
    found = run("joint", "count=2", out=alone)
    numbers = json.loads(found.stdout)
    assert numbers["written_as_chosen"]
    assert numbers["cysteines_right"]
    assert numbers["cysteines"] == [10, 20]
    assert abs(numbers["charge"] - 2.0) <= 0.5
    energy = numbers["contact_energy"]
    assert energy["guided"] < energy["unguided"]
    assert energy["below_shuffled"] > 0.75  # by chance half of them
    assert numbers["torsion_fit"]["guided"] < numbers["torsion_fit"]["unguided"]
    assert numbers["bond_formed"]
    text = (alone / "design.pdb").read_text()
    chain = judge.chains_of(text)["A"]
    sites = [np.stack([chain.at(k, name) for name in ("N", "CA", "C", "CB", "SG")]) for k in (9, 19)]
    assert bond_judge.written(*sites).formed
    assert np.linalg.norm(sites[0][4] - sites[1][4]) == pytest.approx(2.03, abs=0.16)
    assert chain.sequence == (alone / "design.fasta").read_text().splitlines()[1] == numbers["sequence"]
    assert sum(chain.names == "CB") == 40 - chain.sequence.count("G")
    assert (alone / "design.png").stat().st_size > 5_000


def test_batches_are_of_one_size():
    """Another size would be compiled anew: the last ones go with some that were done before, and come once."""
    sizes, frames = [], Frames(jnp.ones((20, 5, 3, 3)), jnp.arange(300.0).reshape(20, 5, 3))

    def doubled(some):
        sizes.append(len(some.origin))
        return some.map(lambda x: 2 * x)

    done = batched(doubled, frames, "chains", None, 8)
    assert sizes == [8, 8, 8]
    assert (done.origin == 2 * frames.origin).all()
    few = batched(doubled, frames.map(lambda x: x[:3]), "chains", None, 8)
    assert sizes[3:] == [3]
    assert few.origin.shape == (3, 5, 3)


def test_what_they_refuse(alone):
    xyz = np.asarray(pr.rebuild(pr.ideal_internal(*(np.deg2rad([[-60.0], [-45.0]]) * np.ones((2, 29))))))
    path = pr.write(alone / "given.pdb", pr.Backbone(xyz))
    for study, options, said in (
        ("symmetric", ["chains=9"], "whole number from 2 to 6"),
        ("symmetric", ["length=20"], "whole number from 40 to 128"),
        ("symmetric", ["weights=nowhere.npz"], "no such file"),
        ("motif", [f"file={path}"], "say which residues are kept"),
        ("motif", ["residues=3-9"], "add --set file"),
        ("motif", ["file=nowhere.pdb", "residues=3-9"], "does not exist"),
        ("motif", [f"file={path}", "residues=9-3"], "the first and the last are meant"),
        ("motif", [f"file={path}", "residues=20-40"], "no unbroken stretch with both; it has A 1 to 30"),
        ("motif", [f"file={path}", "residues=3-4"], "4 residues and more"),
        ("motif", [f"file={path}", "residues=3-28"], "keeps 20 for the rest"),
        ("motif", [f"file={path}", "residues=3-9", "chain=Z"], "no chain 'Z'"),
        ("motif", [f"file={path}", "residues=3-9", "at=39"], "begins at 1 to 34"),
        ("joint", ["pair=10-10"], "two different residues"),
        ("joint", ["charge=much"], "must be a number"),
    ):
        found = run(study, *options)
        assert found.exit_code == 2, (study, options, found.stdout)
        assert said in found.stderr, (options, found.stderr)
