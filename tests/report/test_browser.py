"""The page in a browser: its numbers are in the document, its console stays silent.

Chromium writes each message of a page's console as a line with CONSOLE, whatever its kind. The report has
no script, so every such line is a fault; and since its policy forbids all loading, each attempt to load
something gives one too.
"""

import re
from dataclasses import replace

import numpy as np
import pytest

from browsers import opened
from lawful._core.estimates import Estimate
from lawful.report import page, write_html


def test_the_report_opens_without_a_word_in_the_console(chromium, record, tmp_path):
    evil = '<script>console.error("escaped")</script><img src="x.png">'
    estimates = {
        **record.estimates,
        "theta": Estimate("theta", np.array([1.0, 2e-6]), np.array([0.1, np.inf])),
        evil: Estimate(evil, 2.0, 0.1),
    }
    found = replace(record, estimates=estimates, title=evil, notes=(evil,))
    document, console = opened(chromium, write_html(found, tmp_path / "report.html").as_uri(), tmp_path / "profile")
    assert console == []
    for estimate in estimates.values():
        assert str(estimate) in document
    assert len(re.findall("<figure>", document)) == 8
    assert "script" not in re.findall(r"<([a-z]+)", document)


@pytest.mark.parametrize(
    "fault",
    [
        '<script>console.error("deliberate")</script>',
        '<script>throw new Error("deliberate")</script>',
        '<img src="missing.png">',
        '<img src="https://example.invalid/picture.png">',
        '<link rel="stylesheet" href="https://example.invalid/style.css">',
        "<style>@font-face{font-family: f; src: url(https://example.invalid/f)} p{font-family: f}</style>",
    ],
)
def test_a_planted_fault_is_caught(chromium, forward, tmp_path, fault):
    place = tmp_path / "report.html"
    bare = replace(forward, fields=(), residuals=())
    place.write_text(page(bare).replace("</main>", f"</main>{fault}"), encoding="utf-8")
    _, console = opened(chromium, place.as_uri(), tmp_path / "profile")
    assert console


def test_an_error_is_caught_without_the_policy_of_the_page(chromium, tmp_path):
    place = tmp_path / "plain.html"
    place.write_text('<!DOCTYPE html><html><script>throw new Error("deliberate")</script></html>', encoding="utf-8")
    _, console = opened(chromium, place.as_uri(), tmp_path / "profile")
    assert any("Uncaught Error: deliberate" in line for line in console)
