"""The pages for those who come from other libraries: lawful's side prints what stands below it, the other is Python."""

import ast
import contextlib
import io
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
PAGES = ["from-deepxde", "from-pina", "from-physicsnemo-sym"]
OURS = re.compile(r"```python\n(.*?)```\n\n```text\n(.*?)```", re.DOTALL)
THEIRS = re.compile(r"```py title=[^\n]*\n(.*?)```", re.DOTALL)


def text(page):
    return (DOCS / f"{page}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_blocks_print_what_stands_below_them(page):
    session, blocks = {}, OURS.findall(text(page))
    for number, (code, printed) in enumerate(blocks, 1):
        told = io.StringIO()
        with contextlib.redirect_stdout(told):
            exec(compile(code, f"{page}, block {number}", "exec"), session)
        assert told.getvalue().split() == printed.split(), f"block {number}"


@pytest.mark.parametrize("page", PAGES)
def test_each_problem_stands_on_both_sides(page):
    ours, theirs = OURS.findall(text(page)), THEIRS.findall(text(page))
    assert len(ours) == len(theirs) == text(page).count("```python") == 2
    for code in theirs:
        ast.parse(code)


def test_figures_of_the_table_of_methods_are_measured():
    """Every bold figure stands in the benchmarks, as the same characters."""
    measured = " ".join(text("benchmarks").split())
    figures = re.findall(r"\*\*(.+?)\*\*", text("which-method"))
    assert len(figures) > 20
    missing = [figure for figure in figures if re.sub(r" (digits|s)$", "", figure) not in measured]
    assert missing == []
