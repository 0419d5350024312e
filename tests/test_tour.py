"""The tour in the documentation, block by block, prints what stands below its blocks."""

import contextlib
import io
import re
from pathlib import Path

import pytest

TOUR = Path(__file__).parent.parent / "docs" / "tour.md"
BLOCKS = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", TOUR.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def session():
    return {}


@pytest.mark.parametrize("k", range(len(BLOCKS)))
def test_a_block_prints_what_stands_below_it(k, session):
    code, printed = BLOCKS[k]
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        exec(compile(code, f"tour, block {k + 1}", "exec"), session)
    assert told.getvalue().split() == printed.split()


def test_every_block_says_what_it_prints():
    assert len(BLOCKS) == TOUR.read_text(encoding="utf-8").count("```python")
