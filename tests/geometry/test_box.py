"""Boxes: their ends, their faces, what lies inside, and what is refused."""

import math

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawful._core.messages import BadInput
from lawful.geometry import Box, Face, Part

ENDS = st.tuples(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def test_axes_keep_their_order_and_ends():
    box = Box(x=(-1, 1), t=(0, 2.5))
    assert box.axes == ("x", "t")
    assert box.ends("t") == (0.0, 2.5)
    assert box.length("x") == 2.0
    assert (box.lower, box.upper) == ((-1.0, 0.0), (1.0, 2.5))


@pytest.mark.parametrize(
    "ends", [[0, 1], (np.float64(0), np.int32(1)), np.array([0.0, 1.0]), (jnp.asarray(0.0), jnp.asarray(1.0))]
)
def test_any_pair_of_real_numbers_is_a_pair_of_ends(ends):
    assert Box(x=ends) == Box(x=(0, 1))


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ({}, "has no axis"),
        ({"x": (1, 0)}, "runs from 1 to 0; the second end must be larger"),
        ({"x": (1, 1)}, "second end must be larger"),
        ({"x": (0, math.inf)}, "both finite"),
        ({"x": (math.nan, 1)}, "both finite"),
        ({"x": 1}, r"must be \(lower, upper\), but it is 1; write x=\(0, 1\)"),
        ({"x": (0, 1, 2)}, r"must be \(lower, upper\)"),
        ({"x": "01"}, r"must be \(lower, upper\)"),
        ({"x": ("0", "1")}, "must have two numbers"),
        ({"x": (0, None)}, "must have two numbers, but it is"),
        ({"x": (0, 1j)}, "must have two numbers"),
        ({"x": (0, np.complex128(1))}, "must have two numbers"),
        ({"x": (0, [1, 2])}, "must have two numbers"),
        ({"x": np.zeros((2, 2))}, "must have two numbers"),
        ({"class": (0, 1)}, "cannot be an argument"),
        ({"_x": (0, 1)}, "cannot be an argument"),
    ],
)
def test_what_is_no_box_is_refused(axes, words):
    with pytest.raises(BadInput, match=words):
        Box(**axes)


def test_faces_by_their_place():
    box = Box(x=(-1, 1), t=(0, 2))
    assert box.at(t=0).faces == (Face("t", 0),)
    assert box.at(x=1).faces == (Face("x", 1),)
    assert box.at(x=(-1, 1)).faces == (Face("x", 0), Face("x", 1))
    assert box.at(x=(1, 1)).faces == (Face("x", 1),)
    assert box.boundary().faces == (Face("x", 0), Face("x", 1), Face("t", 0), Face("t", 1))
    assert str(box.at(x=(-1, 1))) == "x = -1 and x = 1"


@given(ENDS, st.sampled_from([0, 1]))
def test_each_end_is_found_even_after_rounding(ends, side):
    box = Box(x=ends)
    for nudge in (0.0, 1e-13, -1e-13):
        place = ends[side] + nudge * (ends[1] - ends[0])
        assert box.at(x=place).faces == (Face("x", side),)


@given(ENDS)
def test_a_part_names_places_that_lead_back_to_it(ends):
    """Messages quote the place of a part as the cure, so that it can be copied."""
    box = Box(x=ends)
    for side in (0, 1):
        part = box.at(x=ends[side])
        assert box.at(x=float(str(part).removeprefix("x = "))) == part


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"x": 0.5}, r"at\(x=0.5\) is not on the boundary: 'x' ends at -1 and 1"),
        ({"x": (-1, 0)}, r"at\(x=0\) is not on the boundary"),
        ({"x": math.nan}, "not on the boundary"),
        ({"y": 0}, "no axis 'y'.*Axes: x and t"),
        ({"X": 0}, "did you mean 'x'"),
        ({}, "takes one axis"),
        ({"x": 1, "t": 0}, r"takes one axis, such as at\(x=-1\), but got x and t"),
        ({"x": "left"}, "'left'.*number"),
        ({"x": None}, "give a number"),
        ({"x": ()}, "names no place"),
    ],
)
def test_what_is_no_face_is_refused(where, words):
    with pytest.raises(BadInput, match=words):
        Box(x=(-1, 1), t=(0, 2)).at(**where)


@given(ENDS, ENDS, st.floats(-0.5, 1.5), st.floats(-0.5, 1.5))
def test_contains(x, t, a, b):
    box = Box(x=x, t=t)
    place = {"x": np.array([x[0] + a * (x[1] - x[0])]), "t": np.array([t[0] + b * (t[1] - t[0])])}
    [inside] = box.contains(place)
    if min(a, b, 1 - a, 1 - b) > 1e-6:
        assert inside
    if min(a, b, 1 - a, 1 - b) < -1e-6:
        assert not inside


def test_the_ends_belong_to_the_box_and_nothing_undefined_does():
    box = Box(x=(0, 3))
    np.testing.assert_array_equal(
        box.contains({"x": np.array([0, 3, 3 + 1e-12, -1e-12, 3.1, np.nan, np.inf])}), [1, 1, 1, 1, 0, 0, 0]
    )


def test_boxes_are_values():
    assert Box(x=(0, 1)) == Box(x=(0.0, 1.0))
    assert Box(x=(0, 1)) != Box(x=(0, 2))
    assert Box(x=(0, 1)) != Box(y=(0, 1))
    assert isinstance(Box(x=(0, 1)).boundary(), Part)
    with pytest.raises(AttributeError):
        Box(x=(0, 1)).lower = (5.0,)
