"""What strangers hand in is let in or refused in one line, whatever is wrong with it. `campaign.py` tries millions."""

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from doors import DOORS
from mutants import mutant

TRIES = {"command line": 40, "solution": 60, "polygon": 60, "mesh": 60, "xarray": 60}


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_good_files_come_in(door, tmp_path):
    refusals = [door.tried(seed, tmp_path / f"file{door.suffix}") for seed in door.seeds()]
    assert any(said is None for said in refusals) or door.name in ("command line", "potential"), refusals


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_what_went_wrong_is_refused_in_a_line(door, tmp_path):
    draw, seeds = random.Random(door.name), door.seeds()
    said = {door.tried(mutant(seeds, draw), tmp_path / f"file{door.suffix}") for _ in range(TRIES.get(door.name, 150))}
    assert said - {None}, "every mutant was let in: the faults are too mild, or nothing is looked at"
