"""Backbones in and out of files, what is left out of them, and splits that do not leak."""

import functools
import gzip

import gemmi
import numpy as np
import pytest

from lawful import BadInput
from lawful import proteins as pr


def chain(length=12, sequence=None, **more):
    """A strand."""
    return pr.Backbone(strand()[:length], sequence, **more)


@functools.cache
def strand():
    degrees = np.pi / 180 * np.ones(29, dtype=np.float32)
    return np.asarray(pr.rebuild(pr.ideal_internal(-120 * degrees, 130 * degrees)))


def text_of(backbone, tmp_path):
    return pr.write(tmp_path / "whole.pdb", backbone).read_text().splitlines()


@pytest.mark.parametrize(("ending", "digits"), [("pdb", 1e-3), ("cif", 1e-5), ("ent", 1e-3), ("mmcif", 1e-5)])
def test_what_is_written_is_read(tmp_path, ending, digits):
    backbone = chain(20, "ACDEFGHIKLMNPQRSTVWY", chain="B", numbers=np.arange(-3, 17), codes=" " * 19 + "A")
    path = pr.write(tmp_path / f"one.{ending}", backbone)
    (again,), report = pr.read(path)
    assert np.max(np.abs(again.xyz - backbone.xyz)) <= 0.51 * digits
    assert (again.sequence, again.chain, again.codes) == (backbone.sequence, "B", backbone.codes)
    assert again.numbers.tolist() == backbone.numbers.tolist()
    assert np.max(np.abs(np.delete(again.cb - pr.ideal_cb(backbone.xyz), 5, axis=0))) <= 0.51 * digits
    assert np.isnan(again.cb[5]).all()  # glycine
    assert (report.segments, report.residues, report.left_out, report.noted) == (1, 20, {}, {})


def test_packed_files_and_several_chains(tmp_path):
    a, b = chain(8), chain(9, chain="B")
    path = pr.write(tmp_path / "two.pdb", [a, b])
    packed = tmp_path / "two.pdb.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    found, _ = pr.read(packed)
    assert [(each.chain, len(each)) for each in found] == [("A", 8), ("B", 9)]
    assert [len(each) for each in pr.read(packed, chains=["B"]).backbones] == [9]
    with pytest.raises(BadInput, match="no chain 'C'; it has 'A' and 'B'"):
        pr.read(packed, chains=["C"])


def test_everything_left_out_is_counted(tmp_path):
    lines = text_of(chain(30, "A" * 30), tmp_path)
    atoms = [line for line in lines if line.startswith("ATOM")]
    kept = []
    for line in atoms:
        number, name = int(line[22:26]), line[12:16].strip()
        if number == 10 and name == "C":
            continue  # splits the chain at residue 10
        if number == 20:
            line = line[:17] + "UNK" + line[20:]
        if number == 5:
            line = "HETATM" + line[6:17] + "MSE" + line[20:]
        if number == 7 and name == "O":
            continue
        if number == 3 and name == "CA":
            kept.append(line[:16] + "A" + line[17:54] + "  0.30" + line[60:])
            line = line[:16] + "B" + line[17:30] + "   9.000" + line[38:54] + "  0.70" + line[60:]
        kept.append(line)
    water = "HETATM  999  O   HOH A 101       0.000   0.000   0.000  1.00  0.00           O  "
    calcium = "HETATM  998 CA    CA A 102       0.000   9.000   0.000  1.00  0.00          CA  "
    model = ["MODEL        1", *kept, water, calcium, "ENDMDL", "MODEL        2", *atoms, "ENDMDL", "END"]
    path = tmp_path / "hard.pdb"
    path.write_text("\n".join(model) + "\n")
    found, report = pr.read(path)
    assert [each.numbers[[0, -1]].tolist() for each in found] == [[1, 9], [11, 19], [21, 30]]
    assert found[0].sequence == "AAAAMAAAA"
    assert found[0].xyz[2, 1, 0] == 9.0  # the likelier of two positions
    assert report.left_out == {
        "further models": 1,
        "waters, ligands and ions": 2,
        "residues of unknown kind": 1,
        "residues without N, CA or C": 1,
    }
    assert report.noted == {
        "modified residues read as their parents": 1,
        "residues with alternative positions, the likeliest kept": 1,
        "missing O placed by geometry": 1,
        "chain breaks": 2,
    }
    assert "3 segments, 28 residues; left out: 1 further models" in str(report)
    assert len(pr.read(path, least=10).backbones) == 1
    assert [len(each) for each in pr.read(path, model=2).backbones] == [30]
    with pytest.raises(BadInput, match="2 models; there is no model 3"):
        pr.read(path, model=3)


def test_columns_behind_the_element_do_not_matter(tmp_path):
    lines = [line[:78] + "03" if line.startswith("ATOM") else line for line in text_of(chain(), tmp_path)]
    path = tmp_path / "odd.pdb"
    path.write_text("\n".join(lines) + "\n")
    assert len(pr.read(path).backbones[0]) == 12


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("empty.pdb", "", "holds no atoms"),
        ("empty.cif", "", "cannot be read|holds no atoms"),
        ("prose.cif", "it was a dark and stormy night", "holds no atoms"),
        (
            "water.pdb",
            "HETATM    1  O   HOH A   1       0.000   0.000   0.000  1.00  0.00           O  \n",
            "no protein",
        ),
        ("dna.pdb", "ATOM      1  P    DA A   1       0.000   0.000   0.000  1.00  0.00           P  \n", "no protein"),
    ],
)
def test_bad_files_are_refused(tmp_path, name, text, words):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(BadInput, match=words):
        pr.read(path)


def test_a_file_that_is_not_there():
    with pytest.raises(BadInput, match="does not exist"):
        pr.read("nowhere.pdb")


def test_what_pdb_cannot_hold_is_refused(tmp_path):
    for backbone in (chain(chain="AB"), chain(numbers=np.arange(9990, 10002)), pr.Backbone(chain().xyz + 2000.0)):
        with pytest.raises(BadInput, match=r"Write x\.cif instead"):
            pr.write(tmp_path / "x.pdb", backbone)
        assert len(pr.read(pr.write(tmp_path / "x.cif", backbone)).backbones) == 1
    with pytest.raises(BadInput, match="residue 1 twice"):
        pr.write(tmp_path / "x.pdb", [chain(), chain()])
    with pytest.raises(BadInput, match="is neither"):
        pr.write(tmp_path / "x.xyz", chain())


def test_bad_backbones_are_refused():
    xyz = chain().xyz
    holed = xyz.copy()
    holed[3, 2, 0] = np.nan
    for given, more, words in (
        (xyz[:, :3], {}, "N, CA, C and O"),
        (holed, {}, "atom C in row 3"),
        (xyz / 10, {}, "nanometres"),
        (xyz, {"sequence": "A" * 11}, "12 residues has as many entries in `sequence`, but 11"),
        (xyz, {"sequence": "A" * 11 + "Z"}, "'Z' came"),
    ):
        with pytest.raises(BadInput, match=words):
            pr.Backbone(given, **more)
    with pytest.raises(BadInput, match="more than the length 10"):
        pr.padded([chain()], 10)


def test_padding():
    xyz, mask = pr.padded([chain(5), chain(8)])
    assert xyz.shape == (2, 8, 4, 3)
    assert mask.sum(axis=1).tolist() == [5, 8]
    assert np.all(xyz[~mask] == 0)


def test_gemmi_agrees_on_what_was_written(tmp_path):
    backbone = chain(10, "CAAAAAAAAC", sg=np.where(np.arange(10)[:, None] % 9 == 0, 1.5, np.nan) * np.ones((10, 3)))
    structure = gemmi.read_structure(str(pr.write(tmp_path / "s.cif", backbone)))
    assert [atom.name for atom in structure[0]["A"][0]] == ["N", "CA", "C", "O", "CB", "SG"]
    assert [atom.name for atom in structure[0]["A"][1]] == ["N", "CA", "C", "O", "CB"]


def test_splits_keep_clusters_together():
    rng = np.random.default_rng(0)
    clusters = rng.geometric(0.02, size=700)
    for seed in range(3):
        parts = pr.split(clusters, (0.8, 0.1, 0.1), seed)
        labels = [set(clusters[part].tolist()) for part in parts]
        assert not labels[0] & labels[1]
        assert not (labels[0] | labels[1]) & labels[2]
        assert sorted(np.concatenate(parts).tolist()) == list(range(700))
        largest = np.bincount(clusters).max()
        assert all(abs(len(part) - share * 700) <= largest for part, share in zip(parts, (0.8, 0.1, 0.1), strict=True))
    assert pr.split(clusters, (0.5,), 1)[0].tolist() != pr.split(clusters, (0.5,), 2)[0].tolist()
    for fractions in ((0.8, 0.3), (0.0,), ()):
        with pytest.raises(BadInput, match="sum to at most 1"):
            pr.split(clusters, fractions)
    with pytest.raises(BadInput, match="too few"):
        pr.split([7, 7, 7], (0.5, 0.5))


def test_sets_are_read_and_split_without_leaks(data_root):
    pdb = pr.read_set(data_root / "backbones_pdb" / "backbones_permissive.npz", least=60, most=70)
    small = pr.read_set(data_root / "cgdms" / "cgdms_train_backbones.npz", least=60, most=70)
    assert len(pdb) > 50
    assert len(small) > 100
    for one in (pdb, small):
        bonds = np.concatenate([np.linalg.norm(b.xyz[1:, 0] - b.xyz[:-1, 2], axis=-1) for b in one.backbones])
        assert np.median(bonds) == pytest.approx(1.33, abs=0.005)
        assert np.max(bonds) < 2.0
    assert pdb.report.left_out["designed chains"] == 44
    assert small.report.noted["missing O placed by geometry"] == small.report.residues
    clusters = np.concatenate([pdb.clusters, small.clusters])
    assert set(pdb.clusters.tolist()) & set(small.clusters.tolist())  # the sets share proteins
    train, test = pr.split(clusters, (0.8, 0.2))
    assert not set(clusters[train].tolist()) & set(clusters[test].tolist())
    half = pdb[:20]
    assert len(half) == 20
    assert half.names == pdb.names[:20]


def test_bad_sets_are_refused(tmp_path):
    with pytest.raises(BadInput, match="does not exist"):
        pr.read_set(tmp_path / "no.npz")
    np.savez(tmp_path / "other.npz", xyz=np.zeros(3))
    with pytest.raises(BadInput, match="lacks offsets, seq, cluster, atoms"):
        pr.read_set(tmp_path / "other.npz")
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(BadInput, match="not a readable"):
        pr.read_set(tmp_path / "text.npz")
