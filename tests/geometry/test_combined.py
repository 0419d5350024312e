"""Set operations: what bounds the composed shape, its area, its inside; products with further axes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lawful.geometry import Ball, Box, Cylinder, Disk, Ellipse, Face, Polygon, Product, uniform_points

UNIT = Disk(x=0, y=0, radius=1, label="a")
NEXT = Disk(x=1, y=0, radius=1, label="b")
LENS = 2 * math.acos(0.5) - 0.5 * math.sqrt(3)


def lengths(shape) -> dict[str, float]:
    """Total length or area by label."""
    return {label: sum(p.measure for p in shape.pieces if p.label == label) for label in shape.labels}


def test_a_union_keeps_the_outer_arcs():
    union = UNIT | NEXT
    assert lengths(union) == pytest.approx({"a": 4 * math.pi / 3, "b": 4 * math.pi / 3}, rel=1e-12)
    assert union.measure == pytest.approx(2 * math.pi - LENS, rel=1e-12)
    assert union.ends("x") == (-1, 2)


def test_an_intersection_keeps_the_inner_arcs():
    lens = UNIT & NEXT
    assert lengths(lens) == pytest.approx({"a": 2 * math.pi / 3, "b": 2 * math.pi / 3}, rel=1e-12)
    assert lens.measure == pytest.approx(LENS, rel=1e-12)


def test_a_difference_turns_the_arcs_of_the_hole():
    moon = UNIT - NEXT
    assert moon.measure == pytest.approx(math.pi - LENS, rel=1e-12)
    [hole] = moon.boundary("b").surfaces
    points = hole.sample(20, 0)
    assert hole.turned
    np.testing.assert_allclose(hole.normal(points)["x"], 1 - points["x"])
    assert not moon.contains({"x": np.array([0.5]), "y": np.array([0.0])})[0]


def test_a_plate_with_a_hole():
    plate = Box(x=(0, 2), y=(0, 1)) - Disk(x=1, y=0.5, radius=0.25, label="hole")
    assert plate.labels == ("x = 0", "x = 2", "y = 0", "y = 1", "hole")
    assert plate.measure == pytest.approx(2 - math.pi / 16, rel=1e-12)
    assert lengths(plate)["hole"] == pytest.approx(math.pi / 2)
    assert str(plate.boundary("hole")) == "hole"
    assert plate.contains({"x": np.array([1.25, 1.0]), "y": np.array([0.5, 0.5])}).tolist() == [True, False]


@pytest.mark.parametrize("overlap", [0.0, 0.3])
def test_two_boxes_make_an_l_without_the_seam(overlap):
    shape = Box(x=(0, 1), y=(0, 2)) | Box(x=(1 - overlap, 2), y=(0, 1))
    assert shape.measure == pytest.approx(3, rel=1e-12)
    assert sum(lengths(shape).values()) == pytest.approx(8, rel=1e-12)
    points = shape.boundary().sample(400, 0)
    seam = (points["x"] == 1) & (points["y"] < 1)
    assert not seam.any()


def test_boundaries_that_run_along_each_other_count_once():
    one, two = Box(x=(0, 2), y=(0, 1)), Box(x=(0, 1), y=(0, 1))
    assert sum(lengths(one | two).values()) == pytest.approx(6, rel=1e-12)
    assert sum(lengths(one & two).values()) == pytest.approx(4, rel=1e-12)
    assert sum(lengths(one - two).values()) == pytest.approx(4, rel=1e-12)
    assert (one - two).measure == pytest.approx(1, rel=1e-12)
    assert (one | one).measure == pytest.approx(2, rel=1e-12)


def test_operations_nest():
    ring = Disk(x=0, y=0, radius=2, label="rim") - Disk(x=0, y=0, radius=1, label="hole")
    cut = ring - Box(x=(0, 3), y=(-0.5, 0.5))
    slot = lambda r: 0.5 * math.sqrt(r**2 - 0.25) + r**2 * math.asin(0.5 / r)
    assert cut.measure == pytest.approx(3 * math.pi - (slot(2) - slot(1)), rel=1e-12)
    assert set(cut.labels) == {"rim", "hole", "y = -0.5", "y = 0.5"}
    assert lengths(cut)["hole"] == pytest.approx(2 * math.pi - 2 * math.asin(0.5), rel=1e-12)


@settings(max_examples=25)
@given(st.floats(-2.5, 2.5), st.floats(0.2, 2), st.floats(0.2, 2), st.floats(-1, 1))
def test_areas_add_up(shift, a, b, up):
    """|A or B| + |A and B| = |A| + |B|, and |A - B| + |A and B| = |A|."""
    first, second = Ellipse(x=0, y=0, semi=(1, 0.5)), Ellipse(x=shift, y=up, semi=(a, b))
    union = (first | second).measure
    common = first.measure + second.measure - union
    assert -1e-9 <= common <= min(first.measure, second.measure) + 1e-9
    if common > 1e-6:
        assert (first & second).measure == pytest.approx(common, abs=1e-9)
    if common < first.measure - 1e-6:
        assert (first - second).measure == pytest.approx(first.measure - common, abs=1e-9)


def test_inside_is_what_set_algebra_says():
    polygon = Polygon(x=[0, 2, 1], y=[-1, 0, 1.5])
    points = uniform_points(Box(x=(-2, 3), y=(-2, 2)), 2000, 0)
    a, b = UNIT.contains(points), polygon.contains(points)
    np.testing.assert_array_equal((UNIT | polygon).contains(points), a | b)
    np.testing.assert_array_equal((UNIT & polygon).contains(points), a & b)
    np.testing.assert_array_equal((UNIT - polygon).contains(points), a & ~b)


def test_shapes_may_name_their_axes_in_another_order():
    other = Polygon(y=[-0.5, -0.5, 0.5, 0.5], x=[0.5, 2, 2, 0.5])
    assert (UNIT | other).axes == ("x", "y")
    assert (UNIT | other).measure == pytest.approx((UNIT | Box(x=(0.5, 2), y=(-0.5, 0.5))).measure, rel=1e-12)


def test_a_hole_drilled_through_a_block():
    block = Box(x=(-1, 1), y=(-1, 1), z=(0, 1)) - Cylinder(x=0, y=0, radius=0.5, z=(-0.1, 1.1), label="bore")
    assert block.measure == pytest.approx(4 - math.pi / 4, rel=2e-3)
    assert lengths(block)["bore"] == pytest.approx(math.pi, rel=3e-3)
    assert lengths(block)["z = 1"] == pytest.approx(4 - math.pi / 4, rel=3e-3)
    [bore] = block.boundary("bore").surfaces
    points = bore.sample(100, 0)
    np.testing.assert_allclose(np.hypot(points["x"], points["y"]), 0.5)
    assert np.all((points["z"] > 0) & (points["z"] < 1))
    np.testing.assert_allclose(bore.normal(points)["x"], -2 * points["x"])


def test_two_balls():
    union = Ball(x=0, y=0, z=0, radius=1) | Ball(x=1, y=0, z=0, radius=1)
    assert union.measure == pytest.approx(8 / 3 * math.pi - 5 * math.pi / 12, rel=3e-3)
    assert sum(p.measure for p in union.pieces) == pytest.approx(6 * math.pi, rel=3e-3)


def test_a_shape_in_time():
    domain = (UNIT - Disk(x=0, y=0, radius=0.5, label="hole")) * Box(t=(0, 2))
    assert isinstance(domain, Product)
    assert domain.axes == ("x", "y", "t")
    assert domain.measure == pytest.approx(1.5 * math.pi)
    assert domain.labels == ("a", "hole", "t = 0", "t = 2")
    assert domain.at(t=0).faces == (Face("t", 0),)
    assert str(domain.at(t=(0, 2))) == "t = 0 and t = 2"
    assert domain.boundary("t = 2") == domain.at(t=2)
    hole = domain.boundary("hole")
    assert hole.faces == ()
    [piece] = hole.surfaces
    assert piece.axes == ("x", "y", "t")
    assert piece.measure == pytest.approx(2 * math.pi)
    points = hole.sample(300, 0)
    np.testing.assert_allclose(np.hypot(points["x"], points["y"]), 0.5)
    assert points["t"].mean() == pytest.approx(1, abs=0.02)
    assert set(piece.normal(points)) == {"x", "y"}
    assert float(piece.distance(x=0.7, y=0.0, t=1.0)) == pytest.approx(0.24, rel=1e-5)
    start = domain.at(t=0).sample(100, 0)
    assert np.all(start["t"] == 0)
    assert np.all(domain.contains(start))
    whole = domain.boundary()
    assert (len(whole.faces), len(whole.surfaces)) == (2, 2)
    assert len(whole.distances()) == len(whole.measures) == 4
    assert np.all(domain.contains(whole.sample(100, 0)))
    [half] = domain.boundary("a", where=lambda x: x > 0).surfaces
    assert half.measure == pytest.approx(2 * math.pi)


def test_products_of_boxes_are_boxes_and_products_go_on():
    assert Box(x=(0, 1)) * Box(t=(0, 2)) == Box(x=(0, 1), t=(0, 2))
    twice = UNIT * Box(t=(0, 1)) * Box(s=(2, 3))
    assert twice.axes == ("x", "y", "t", "s")
    assert twice == UNIT * Box(t=(0, 1), s=(2, 3))
    assert twice.without("t") == UNIT * Box(s=(2, 3))
    assert np.all(twice.contains(twice.sample(50, 0)))
