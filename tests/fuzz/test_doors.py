"""What strangers hand in is let in or refused in one line, whatever is wrong with it. `campaign.py` tries millions."""

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from doors import DOORS
from mutants import mutant

TRIES = {
    "command line": 40,
    "inside checkpoint": 12,
    "inside solution": 20,
    "solution": 60,
    "polygon": 60,
    "mesh": 60,
    "xarray": 60,
}


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_good_files_come_in(door, tmp_path):
    refusals = [door.tried(seed, tmp_path / f"file{door.suffix}") for seed in door.seeds()]
    assert any(said is None for said in refusals) or door.name in ("command line", "potential"), refusals


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_what_went_wrong_is_refused_in_a_line(door, tmp_path):
    draw, seeds = random.Random(door.name), door.seeds()
    said = {door.tried(mutant(seeds, draw), tmp_path / f"file{door.suffix}") for _ in range(TRIES.get(door.name, 150))}
    assert said - {None}, "every mutant was let in: the faults are too mild, or nothing is looked at"


WATER = b"O 0 0 0.1\nH 0.8 0 -0.5\nH -0.8 0 -0.5\n"
SQUARE = (
    b"$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$Nodes\n4\n1 0 0 0\n2 1 0 0\n3 1 1 0\n4 0 1 0\n$EndNodes\n"
    b"$Elements\n2\n1 2 2 0 1 1 2 3\n2 2 2 0 1 1 3 4\n$EndElements\n"
)
FOUND = [
    ("polygon", SQUARE.replace(b"3 1 1 0", b"3 1 1e999 0"), "no place"),
    ("polygon", SQUARE.replace(b"1 1 2 3\n", b"1 1 2 3\n2 2 2 02 3\n"), "not closed"),
    ("polygon", SQUARE.replace(b"Nodes\n4\n", b"Nodes\n4294967296\n"), "cannot be read"),
    ("extxyz", b"9" * 40 + b"\nProperties=species:S:1:pos:R:3\n" + WATER, "atoms are promised"),
    ("extxyz", b"3\nProperties=species:S:1:pos:R:42949672963 energy=1\n" + WATER, "columns are promised"),
    ("extxyz", b"2\nProperties=\nAr 0 0 0\nAr 0 0 3\n", "not a file of frames"),
    ("extxyz", b"3\nProperties=species:S:1:pos:R:3 energy=1\n" + WATER.replace(b"0.8", b"1e200"), "position of atom 1"),
    ("fasta", b">one\nMK\xff\xfe", "damaged"),
    ("spectrum", b"wavelength,radiance\n", "two columns"),
    ("mesh", b"\0" * 80 + b"\1\0\0\0" + b"\0" * 50, "no inside"),
    ("potential", b"lawful potential 1\n{}\n", "damaged"),
]


@pytest.mark.parametrize(("name", "content", "said"), FOUND)
def test_what_once_broke_in(name, content, said, tmp_path):
    door = next(door for door in DOORS if door.name == name)
    assert said in (door.tried(content, tmp_path / f"file{door.suffix}") or "")


@pytest.mark.parametrize(("name", "bad"), [("inside solution", "refinements"), ("inside checkpoint", "stage")])
def test_a_forged_archive_with_right_checksums_is_refused(name, bad, tmp_path):
    """Its numbers are called otherwise, its arrays have another shape, or their heads are no Python."""
    door = next(door for door in DOORS if door.name == name)
    [good] = door.seeds()
    for worn in (
        good.replace(f'"{bad}"'.encode(), b'"forgotten"'),
        good.replace(b"\nx.npy\n" if b"\nx.npy\n" in good else b"x.npy\n", b"\ny.npy\n"),
        good.replace(b"'shape': (", b"'shape': ((", 1),
    ):
        assert worn != good
        assert "run again" in (door.tried(worn, tmp_path / "file.bin") or "")


def test_a_coordinate_named_like_another_axis_is_left_out(tmp_path):
    door = next(door for door in DOORS if door.name == "xarray")
    told = (
        b'{"coords": {"x": {"dims": ["t"], "data": [0.0, 1.0]}},'
        b' "data_vars": {"u": {"dims": ["x", "t"], "data": [[1.0, 2.0], [3.0, 4.0]]}}}'
    )
    assert door.tried(told, tmp_path / "file.json") is None
