"""The study on backbones, by the command line at its quickest."""

import numpy as np
import pytest
from typer.testing import CliRunner

from lawful import proteins as pr
from lawful.cli import app
from study_runs import numbers_of as run


def test_backbone_scores(data_root, monkeypatch, tmp_path):
    monkeypatch.setenv("LAWFUL_DATA", str(data_root))
    numbers = run("backbone-scores", "--out", str(tmp_path))
    assert numbers["unlike"]["held-out natives"] == []
    assert {"right_handed", "ramachandran_favoured"} <= set(numbers["unlike"]["mirrored"])
    assert {"bonds_inside", "chain_breaks"} <= set(numbers["unlike"]["noise 0.5 A"])
    assert {"rg_ratio", "clashes_per_100"} <= set(numbers["unlike"]["random torsions"])
    assert "chain_breaks" in numbers["unlike"]["stretched"]
    held_out, mirrored = (numbers["scores"][name] for name in ("held-out natives", "mirrored"))
    assert held_out["right_handed"]["value"] > 0.99
    assert mirrored["right_handed"]["value"] == 0.0
    for name in ("helix_fraction", "bonds_inside", "rg_ratio"):  # what a mirror keeps
        assert mirrored[name]["value"] == pytest.approx(held_out[name]["value"])
    assert 0.2 < held_out["nearest_training_tm"]["value"] < 0.7
    for name in ("backbones.png", "torsions.png", "report.html"):
        assert (tmp_path / name).stat().st_size > 10_000


def test_backbone_scores_of_a_file(tmp_path):
    angles = np.deg2rad([[-60.0], [-45.0]]).astype(np.float32) * np.ones((2, 29), np.float32)
    path = pr.write(tmp_path / "helix.pdb", pr.Backbone(np.asarray(pr.rebuild(pr.ideal_internal(*angles)))))
    water = "HETATM  999  O   HOH A 101       0.000   0.000   0.000  1.00  0.00           O  \n"
    path.write_text(path.read_text().replace("END", water + "END"))
    numbers = run("backbone-scores", "--set", f"file={path}")
    assert numbers["helix_fraction"]["value"] > 0.8
    assert numbers["left_out"] == {"waters, ligands and ions": 1}
    assert numbers["status"].startswith("measured: scored;")


def test_backbone_scores_refuses_what_cannot_be(tmp_path, monkeypatch):
    monkeypatch.setenv("LAWFUL_DATA", str(tmp_path))
    empty = tmp_path / "empty.pdb"
    empty.write_text("")
    for options, words in (
        ([], "give a PDB or mmCIF file"),
        (["file=nowhere.pdb"], "does not exist"),
        ([f"file={empty}"], "holds no atoms"),
        ([f"file={empty}", "count=5"], "goes without"),
        (["count=1"], "from 4"),
    ):
        asked = [word for option in options for word in ("--set", option)]
        found = CliRunner().invoke(app, ["run", "backbone-scores", *asked])
        assert found.exit_code == 2, options
        assert words in found.stderr
