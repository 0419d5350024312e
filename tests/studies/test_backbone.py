"""The studies on proteins, by the command line at their quickest."""

import json

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
    assert "ramachandran_favoured" in numbers["unlike"] or "clashes_per_100" in numbers["unlike"]
    assert numbers["bonds_inside"]["value"] > numbers["before_relaxation"]["bonds_inside"]
    atoms = [line for line in (tmp_path / "backbone_001.pdb").read_text().splitlines() if line.startswith("ATOM")]
    assert sum(line[12:16].strip() == "CA" for line in atoms) == 48
    assert (tmp_path / "backbones.png").stat().st_size > 10_000


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
