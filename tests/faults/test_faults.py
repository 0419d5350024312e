"""A few of the faults of `campaign.py`, on the quickest problem: nothing is lost and everything is told."""

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from bench import Bench, every_step_kept
from kinds import KINDS, Outcome, bytes_flipped, clock, foreign, full, interrupted, terminated, truncated


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    with every_step_kept():
        made = Bench(tmp_path_factory.mktemp("faults"), ("modes",))
        made.prepare()
        yield made


@pytest.mark.parametrize(
    ("kind", "seed"),
    [
        *[(full, seed) for seed in (1, 2)],
        *[(kind, 1) for kind in (truncated, bytes_flipped, foreign, clock, terminated, interrupted)],
    ],
)
def test_nothing_is_lost_and_it_is_told(kind, seed, bench):
    outcome = kind(bench, random.Random(seed))
    assert Outcome(outcome.lost, outcome.poor) == Outcome("", "")


def test_the_campaign_injects_two_hundred_faults_and_more():
    from shared import SHARED

    assert sum(count for count, _ in (KINDS | SHARED).values()) >= 200
