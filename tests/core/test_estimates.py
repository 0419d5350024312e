"""A number with its error bar: how it is written, and what it means."""

import json
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lawful._core.estimates import Estimate, format_estimate, plain
from lawful._core.messages import BadInput


@pytest.mark.parametrize(
    ("value", "sd", "text"),
    [
        (0.00318309886, 0.0000041, "0.0031831 ± 0.0000041"),
        (9.80665, 0.0123, "9.807 ± 0.012"),
        (-9.80665, 0.0123, "-9.807 ± 0.012"),
        (1234.5678, 12.3, "1235 ± 12"),
        (123456.7, 12.34, "123457 ± 12"),
        (6.02214e23, 3.1e19, "(6.02214 ± 0.00031)e+23"),
        (1.602e-19, 2.5e-22, "(1.6020 ± 0.0025)e-19"),
        (0.0, 1.0, "0.0 ± 1.0"),
        (0.0, 2.5e-9, "(0.0 ± 2.5)e-09"),
        (5.0, 300.0, "5 ± 300"),
        (2.0, 0.0, "2 ± 0"),
        (0.0, 0.0, "0 ± 0"),
        (1.0, 1e-17, "1 ± 1e-17"),
        (3.25, math.inf, "3.25 ± undetermined"),
        (3.25, math.nan, "3.25 ± undetermined"),
        (math.nan, 0.1, "nan ± 0.1"),
        (math.inf, 0.1, "inf ± 0.1"),
        (-math.inf, 2.0, "-inf ± 2"),
        (math.nan, math.nan, "nan ± undetermined"),
        (5e-324, 5e-324, "5e-324 ± 5e-324"),
    ],
)
def test_an_error_bar_has_two_digits_and_the_value_ends_at_the_same_place(value, sd, text):
    assert format_estimate(value, sd) == text


def test_fewer_digits_on_request():
    assert format_estimate(0.003183, 0.000004, digits=1) == "0.003183 ± 0.000004"


FINITE = st.floats(-1e307, 1e307)


def read(text: str) -> tuple[float, float]:
    """The two numbers of a formatted estimate."""
    powered = re.fullmatch(r"\((\S+) ± (\S+)\)(e[+-]\d+)", text)
    parts = (powered[1] + powered[3], powered[2] + powered[3]) if powered else text.split(" ± ")
    return float(parts[0]), float(parts[1])


@given(FINITE, st.floats(min_value=5e-324, max_value=1e308))
def test_what_is_written_is_what_was_meant(value, sd):
    written, spread = read(format_estimate(value, sd))
    assert abs(written / 2 - value / 2) <= 0.06 * sd / 2 + 1e-11 * abs(value)
    assert abs(spread - sd) <= 0.06 * sd or sd < 1e-13 * abs(value)


@given(st.floats(1e-3, 1e3), st.floats(1e-6, 1.0))
def test_everyday_numbers_need_no_powers_of_ten(value, share):
    assert "e" not in format_estimate(value, share * value)


def test_vectors_are_written_element_by_element():
    found = Estimate("k", np.array([1.0, 20.0]), np.array([0.1, math.inf]))
    assert str(found) == repr(found) == "[1.00 ± 0.10, 20 ± undetermined]"


def test_an_estimate_is_a_number_for_numpy():
    found = Estimate("k", 2.0, 0.1)
    assert float(found) == 2.0
    assert np.asarray(found) == 2.0
    np.testing.assert_array_equal(np.add(Estimate("k", np.array([1.0, 2.0]), np.ones(2)), 1), [2.0, 3.0])


def test_json_has_no_infinity():
    found = Estimate("k", np.array([1.0, math.nan, 3.0]), np.array([0.5, math.inf, -math.inf]))
    assert found.to_json() == {"value": [1.0, None, 3.0], "sd": [0.5, None, None]}
    assert json.loads(json.dumps(found.to_json(), allow_nan=False)) == found.to_json()
    assert Estimate("k", 2, math.inf).to_json() == {"value": 2.0, "sd": None}
    assert type(Estimate("k", np.float64(2), np.float64(1)).to_json()["value"]) is float


def test_plain_keeps_the_shape():
    assert plain(np.arange(6).reshape(2, 3)) == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert plain(np.zeros((0,))) == []


@pytest.mark.parametrize("dof", [1.0, 2.5, 7.0, 38.6, 1e4])
@pytest.mark.parametrize("level", [0.5, 0.6827, 0.95, 0.999])
def test_intervals_of_estimated_noise_are_students(level, dof):
    low, high = Estimate("k", 3.0, 0.2, dof).interval(level)
    np.testing.assert_allclose([low, high], stats.t.interval(level, dof, loc=3.0, scale=0.2), rtol=1e-10)


def test_intervals_of_known_noise_are_normal():
    np.testing.assert_allclose(
        Estimate("k", 3.0, 0.2).interval(0.95), stats.norm.interval(0.95, loc=3.0, scale=0.2), rtol=1e-12
    )


def test_intervals_of_vectors_and_of_what_the_data_do_not_determine():
    low, high = Estimate("k", np.array([1.0, 2.0]), np.array([0.1, math.inf])).interval()
    np.testing.assert_allclose(low, [1 - 1.959964 * 0.1, -math.inf], rtol=1e-6)
    np.testing.assert_allclose(high, [1 + 1.959964 * 0.1, math.inf], rtol=1e-6)


@pytest.mark.parametrize("dof", [0.0, -1.0])
def test_without_degrees_of_freedom_nothing_is_excluded(dof):
    assert Estimate("k", 1.0, 0.1, dof).interval() == (-math.inf, math.inf)


@pytest.mark.parametrize("level", [95, 1.0, 0.0, -0.5, math.nan])
def test_a_level_is_a_probability(level):
    with pytest.raises(BadInput, match=r"level.*between 0 and 1, such as 0\.95"):
        Estimate("k", 1.0, 0.1).interval(level)
