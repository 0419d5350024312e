"""Scores beside natives: without data, on chains whose scores are known; with data, that near ones are found."""

import dataclasses
import json

import jax
import numpy as np
import pytest

from lawful import BadInput
from lawful import proteins as pr
from lawful.proteins._scores import WHAT


@pytest.fixture(scope="module")
def helices():
    """Two ideal helices of different lengths, and a mirrored one."""
    with jax.enable_x64(True):
        angles = np.deg2rad([[-60.0], [-45.0]]) * np.ones((2, 29))
        xyz = np.asarray(pr.rebuild(pr.ideal_internal(*angles)))
    return [pr.Backbone(xyz), pr.Backbone(xyz[:20]), pr.Backbone(xyz * [1, 1, -1])]


def test_scores_of_helices_are_known(helices):
    sheet = pr.scores(helices[:2])
    assert sheet["ramachandran_favoured"].value == 1.0
    assert sheet["clashes_per_100"].value == 0.0
    assert sheet["helix_fraction"].value == pytest.approx((28 + 18) / 50, abs=0.05)
    assert sheet["strand_fraction"].value == 0.0
    assert sheet["helix_run"].value == pytest.approx(23, abs=1)
    assert sheet["strand_run"].value is None
    assert sheet["right_handed"].value == 1.0
    assert sheet["bonds_inside"].value == sheet["ca_ca_inside"].value == 1.0
    assert sheet["pairwise_tm"].value == pytest.approx(1.0, abs=1e-3)  # the shorter one lies on the longer one
    assert sheet["nearest_training_tm"].value is None
    assert {"helix_fraction", "rg_ratio"} <= set(sheet.unlike())
    assert not {"right_handed", "bonds_inside", "chain_breaks", "clashes_per_100"} & set(sheet.unlike())
    # Two chains without strands are no wonder, two hundred would be.
    assert sheet["strand_fraction"].chance == pytest.approx(2 * 0.1805 * (1 / 2 + 1 / 304) ** 0.5, rel=1e-3)
    assert "strand_fraction" not in sheet.unlike()
    certain = {name: score._replace(chance=0.1 * score.chance) for name, score in sheet.scores.items()}
    assert "strand_fraction" in dataclasses.replace(sheet, scores=certain).unlike()
    assert sheet.to_json()["helix_fraction"]["native"] == pytest.approx(0.303, abs=1e-3)
    assert set(sheet.to_json()) == set(WHAT)
    assert json.dumps(sheet.to_json(), allow_nan=False)
    assert "not designability" in str(sheet)


def test_the_wrong_hand_and_broken_bonds_are_seen(helices):
    mirrored = pr.scores(helices[2:])
    assert mirrored["right_handed"].value == 0.0
    assert mirrored["helix_fraction"].value > 0.8
    assert "right_handed" in mirrored.unlike()
    xyz = np.array(helices[0].xyz)
    xyz[15:] += 30.0
    broken = pr.scores([pr.Backbone(xyz)])
    assert broken["chain_breaks"].value == 1.0
    assert "chain_breaks" in broken.unlike()
    assert broken["bonds_inside"].value == pytest.approx(1 - 1 / (30 * 3 + 29))


def test_bad_sets_are_refused(helices):
    with pytest.raises(BadInput, match="no backbone to score"):
        pr.scores([])
    with pytest.raises(BadInput, match=r"number 1 \(3\) have fewer"):
        pr.scores([helices[0], helices[1][:3]])
    with pytest.raises(BadInput, match="no backbones"):
        pr.nearest_tm(helices, [])
    with pytest.raises(BadInput, match="no backbone to draw"):
        pr.picture([])


def test_natives_by_json():
    usual = pr.usual_natives()
    again = pr.Native.from_json(json.loads(json.dumps(usual.to_json())))
    assert again == usual
    assert set(usual.values) == set(WHAT)
    low, high = usual.bounds["c_n"]
    assert low < 1.33 < high


def test_a_picture_shows_every_backbone(helices):
    figure, axes = pr.picture(helices, ["one", "two", "three"], columns=2)
    assert axes.shape == (2, 2)
    assert [ax.get_title() for ax in axes.flat] == ["one", "two", "three", ""]
    drawn = [len(ax.lines) for ax in axes.flat]
    assert drawn == [2 * 30 + 1, 2 * 20 + 1, 2 * 30 + 1, 0]  # a line and its rim for each residue, and the first's dot
    figure.canvas.draw()


def test_the_nearest_of_a_library_is_found(data_root):
    chains = pr.read_set(data_root / "backbones_pdb" / "backbones_permissive.npz")
    picked = pr.representatives(chains.clusters)
    library = [chains.backbones[k] for k in picked]
    q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    q *= np.sign(np.linalg.det(q))
    rng = np.random.default_rng(1)
    wanted = [17, 80, 200]
    shaken = lambda xyz: xyz @ q.T + 5.0 + 0.1 * rng.normal(size=xyz.shape)
    moved = [pr.Backbone(shaken(library[k].xyz)) for k in wanted]
    found = pr.nearest_tm(moved, library, candidates=5)
    assert found.which.tolist() == wanted
    assert np.all(found.tm > 0.9)
