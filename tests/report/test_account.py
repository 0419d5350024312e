"""A page about anything: sections that their author composed."""

import base64
import io

import pytest
from PIL import Image

from html_outline import EVIL, Outline
from lawful._core.record import Account, Animation, Drawing, Section, Status, Table
from lawful.report import page, write_html


def line():
    from matplotlib.figure import Figure

    fig = Figure()
    ax = fig.subplots()
    ax.plot([0, 1], [0, 1])
    return fig, ax


def gif():
    frames = [Image.new("L", (8, 8), shade) for shade in (0, 255)]
    buffer = io.BytesIO()
    frames[0].save(buffer, format="GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


@pytest.fixture(scope="module")
def account():
    table = Table(("case", "height", "note"), (("one", "1.5 ± 0.2", "good"), (EVIL, "-3e-4", "bad")))
    section = Section(
        "What was seen",
        (f"Two cases, {EVIL}.",),
        (table,),
        (Drawing("rise", "a line", line), Animation("film", "two frames", gif())),
    )
    return Account(Status(True, "every step was proven", "certified"), 1.25, (section, Section("Empty")), "Taylor")


def test_it_tells_everything_once_and_safely(account):
    shown = Outline(page(account.record("A bouncing ball")))
    assert shown.problems == []
    assert "script" not in shown.tags
    for words in ("A bouncing ball", "Taylor, 1.25 s", "✓ Certified", "every step was proven", "1.5 ± 0.2", "a line"):
        assert words in shown.text
    assert shown.tags.count("svg") == 1
    [source] = [value for tag, name, value in shown.attributes if (tag, name) == ("img", "src")]
    kind, _, text = source.partition(",")
    assert kind == "data:image/gif;base64"
    assert base64.b64decode(text) == gif()


def test_columns_of_numbers_stand_flush_right(account):
    shown = Outline(page(account))
    classes = [value for tag, name, value in shown.attributes if tag in ("td", "th") and name == "class"]
    assert classes == ["number"] * 3  # the head and two rows of one column


def test_a_section_without_a_body_is_left_out(account):
    assert "Empty" not in page(account)


def test_what_is_not_to_be_trusted_says_so(tmp_path):
    path = write_html(Account(Status(False, "a bound was only estimated", "certified"), 0.0, ()), tmp_path / "a.html")
    assert "✗ Not certified" in path.read_text()


def test_a_solution_may_tell_more(record):
    from dataclasses import replace

    more = replace(record, sections=(Section("Error budget", ("Most of it is noise.",)),))
    shown = Outline(page(more))
    assert shown.problems == []
    assert "Most of it is noise." in shown.text
