"""The studies on proteins, by the command line at their quickest."""

import json

import numpy as np
from typer.testing import CliRunner

from lawful.cli import app


def backbone(*options):
    return CliRunner().invoke(app, ["run", "backbone", "--effort", "quick", *options], catch_exceptions=False)


def test_backbones_out_of_noise(tmp_path, monkeypatch):
    monkeypatch.setenv("LAWFUL_DATA", str(tmp_path))  # as on a machine without the natives
    found = backbone("--json", "--out", str(tmp_path), "--set", "count=2", "--set", "length=48", "--set", "steps=3")
    assert found.exit_code == 1, found.stderr  # three steps are too few, and it says so
    numbers = json.loads(found.stdout)
    assert numbers["equivariance_error"]["float64"] < 1e-12  # of the trained weights
    assert numbers["equivariance_error"]["float32"] < 1e-5
    assert numbers["mirror_difference"] > 0.01
    assert numbers["unlike"]
    assert all(name in numbers["status"] for name in numbers["unlike"])
    raw = numbers["before_relaxation"]
    assert numbers["bonds_inside"]["value"] > raw["bonds_inside"]
    assert numbers["ca_ca_inside"]["value"] > 0.99
    assert numbers["ramachandran_favoured"]["value"] > max(raw["ramachandran_favoured"], 0.9)
    assert numbers["clashes_per_100"]["value"] < 0.1 * raw["clashes_per_100"]
    atoms = [line for line in (tmp_path / "backbone_001.pdb").read_text().splitlines() if line.startswith("ATOM")]
    assert sum(line[12:16].strip() == "CA" for line in atoms) == 48
    assert (tmp_path / "backbones.png").stat().st_size > 10_000


def disulfide(*options):
    words = [word for option in options for word in ("--set", option)]
    return CliRunner().invoke(app, ["run", "disulfide", "--effort", "quick", "--json", *words], catch_exceptions=False)


def test_a_bond_between_two_chosen_residues(tmp_path):
    words = ["run", "disulfide", "--effort", "quick", "--json", "--out", str(tmp_path), "--set", "count=2"]
    found = CliRunner().invoke(app, words, catch_exceptions=False)
    numbers = json.loads(found.stdout)
    assert numbers["satisfied"]["value"] >= 0.5
    assert numbers["satisfied_unguided"]["value"] == 0.0
    assert numbers["pairs"] == [[10, 20]]
    assert numbers["quality_loss"]["sd"] >= 0.0
    assert found.exit_code == (0 if numbers["status"].startswith("as asked for") else 1)
    # The sulphurs that were written are those of a bond.
    lines = [line for line in (tmp_path / "disulfide_001.pdb").read_text().splitlines() if " SG  CYS" in line]
    one, other = (np.array([float(line[k : k + 8]) for k in (30, 38, 46)]) for line in lines)
    assert numbers["satisfied"]["value"] < 1.0 or abs(np.linalg.norm(one - other) - 2.03) < 0.16
    assert (tmp_path / "curves.png").stat().st_size > 5_000


def test_what_disulfide_refuses():
    for options, said in (
        (["pair=10-20,20-35"], "residue 20 is asked for in two disulfides"),
        (["pair=10-20", "apart=10-20=30"], "contradict each other"),
        (["apart=10-12=30"], "contradict each other"),
        (["pair=10-10"], "two different residues"),
        (["pair=10-90"], "residue 90 was asked for, but the chain has 40"),
        (["apart=3-20"], "two residues and a distance"),
        (["weights=nowhere.npz"], "no such file"),
    ):
        found = disulfide(*options)
        assert found.exit_code == 2
        assert said in found.stderr


def test_what_backbone_refuses():
    for options, said in (
        (["length=30"], "30 residues were asked for"),
        (["length=40-200"], "40 to 128"),
        (["length=many"], "length=many"),
        (["hours=1"], "--effort best"),
        (["weights=nowhere.npz"], "no such file"),
    ):
        found = backbone(*[word for option in options for word in ("--set", option)])
        assert found.exit_code == 2
        assert said in found.stderr
