"""The summary in the terminal: the numbers, the words, the width."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from lawful._core.estimates import Estimate
from lawful._core.record import FieldPanel
from lawful.report import summary
from lawful.report._sentences import components, duration, interval, misfit, reach, relative


def test_every_estimate_stands_with_its_interval(record):
    lines = summary(record).splitlines()
    for name, estimate in record.estimates.items():
        (row,) = [line for line in lines if line.startswith(f"{name} ")]
        assert str(estimate) in row
        assert interval(estimate) in row


def test_the_verdict_comes_first_and_nothing_is_left_out(record):
    text = summary(record)
    assert text.splitlines()[0] == record.title
    assert text.splitlines()[2] == str(record.status)
    joined = " ".join(text.split())
    for sentence in (
        *record.laws,
        *record.exact,
        *record.penalised,
        *record.observed,
        *record.notes,
        record.method,
    ):
        assert sentence in joined
    assert "chi2/dof = 0.992 (chi2 = 243.1, dof = 245)" in joined
    assert "plane.csv: u: 0.00987" in joined
    assert "burgers: rms 5.48e-05, worst 8.12e-04 at x = 0.1, t = 0.8" in joined
    assert "conductivity: between 1.1 and 1.9 over z, sd 0.02 to 0.12" in joined


def test_what_is_not_determined_is_named(undetermined):
    text = summary(undetermined)
    assert "not converged: not settled after 16 stages" in text
    assert re.search(r"^k +2 ± undetermined +not determined +-$", text, re.MULTILINE)
    assert re.search(r"^undetermined +k \* m$", text, re.MULTILINE)


def test_a_forward_problem_has_nothing_to_estimate(forward):
    text = summary(forward)
    assert "nothing was to be found" in text
    assert re.search(r"^misfit +no data$", text, re.MULTILINE)
    assert "penalised" not in text


def test_only_a_field_to_be_found(record):
    text = summary(replace(record, estimates={}, correlation=((), np.zeros((0, 0)))))
    assert "nothing was to be found" not in text
    assert "conductivity" in text


def test_a_vector_has_a_row_for_each_entry(record):
    theta = Estimate("theta", np.array([1.0, 2e-6]), np.array([0.1, np.inf]))
    text = summary(replace(record, estimates={"theta": theta}))
    assert re.search(r"^theta\[0\] +1\.00 ± 0\.10 +\[0\.80, 1\.20\] +10 %$", text, re.MULTILINE)
    assert re.search(r"^theta\[1\] +2e-06 ± undetermined +not determined +-$", text, re.MULTILINE)
    matrix = Estimate("M", np.arange(4.0).reshape(2, 2), np.ones((2, 2)))
    assert [label for label, _ in components("M", matrix)] == ["M[0, 0]", "M[0, 1]", "M[1, 0]", "M[1, 1]"]


def test_a_long_vector_is_cut_and_says_so(record):
    text = summary(replace(record, estimates={"q": Estimate("q", np.arange(30.0), np.ones(30))}))
    assert "q[23]" in text
    assert "q[24]" not in text
    assert "q has 30 components, of which the table shows the first 24" in " ".join(text.split())


def test_no_line_is_wider_than_a_hundred_columns(record):
    long = "a_rather_long_name_of_an_unknown_" * 5
    estimates = {
        long: Estimate(long, 123456.123456789, 1.2e-9),
        "huge": Estimate("huge", -1.234567890123e300, 1e290),
        "sure": Estimate("sure", 1.25, 0.0),
    }
    for found in ({long: Estimate(long, 1.0, 0.1)}, estimates):
        text = summary(replace(record, title=long, estimates=found, laws=(long * 3,), notes=("word " * 60,)))
        assert max(map(len, text.splitlines())) <= 100
        for estimate in found.values():
            assert str(estimate) in text


def test_a_terminal_is_sent_no_control_characters(record):
    text = summary(replace(record, title="\x1b[2Jcleared", laws=("a\x07b",), notes=("one\ntwo",)))
    assert "\x1b" not in text
    assert "\x07" not in text


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate("nu", 0.003183, 4e-6), "[0.0031752, 0.0031908]"),
        (Estimate("k", 9.213e-6, 4.4e-8), "[9.127, 9.299]e-06"),
        (Estimate("k", 1234.5, 100.0), "[1039, 1430]"),
        (Estimate("k", 2.5, 0.0), "[2.5, 2.5]"),
        (Estimate("k", 0.0, 0.0), "[0, 0]"),
        (Estimate("k", 2.5, math.inf), "not determined"),
        (Estimate("k", -0.5, 1.0, 10.0), "[-2.7, 1.7]"),
    ],
)
def test_intervals(estimate, text):
    assert interval(estimate) == text
    if "[" in text:
        low, high, _, power = re.fullmatch(r"\[(.*), ([^\]]*)\](e(.*))?", text).groups()
        ends = np.array([float(low), float(high)]) * 10.0 ** int(power or 0)
        half = np.ptp(estimate.interval()) / 2
        assert ends == pytest.approx(estimate.interval(), abs=0.05 * half)


@pytest.mark.parametrize(
    ("value", "sd", "text"),
    [
        (2.0, 0.01, "0.5 %"),
        (2.0, 1e-9, "5e-08 %"),
        (1.0, 3.0, "300 %"),
        (1e-9, 1.0, "> 1000 %"),
        (0.0, 1.0, "-"),
        (1.0, math.inf, "-"),
    ],
)
def test_relative_error_bars(value, sd, text):
    assert relative(Estimate("k", value, sd)) == text


def test_the_misfit_says_how_to_read_it(record, forward):
    assert "near 1 by construction" in misfit(record)
    given = replace(record, noise={}, chi2=260.0, dof=200.0)
    assert misfit(given).startswith("chi2/dof = 1.30 (chi2 = 260, dof = 200); 1 ± 0.1 is expected")
    assert "no degree of freedom left" in misfit(replace(given, dof=0.0))
    assert misfit(forward) == "no data"


def test_the_reach_of_a_field_has_digits_enough_to_tell_its_ends_apart():
    x = np.linspace(0, 1, 11)
    near = FieldPanel("p", {"x": x}, 1e5 + 1e-2 * x)
    assert reach(near) == "between 100000 and 100000.01 over x"
    assert reach(FieldPanel("p", {"x": x}, np.full(11, 3.0))) == "between 3 and 3 over x"
    assert reach(FieldPanel("p", {"x": x}, x, np.full(11, np.inf))).endswith("not determined anywhere")
    assert reach(FieldPanel("p", {"x": x}, np.full(11, np.nan))) == "no finite value"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0123, "0.0123 s"), (59.4, "59.4 s"), (75.2, "1 min 15 s"), (8000, "2 h 13 min")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text
