"""Shapes: measure, inside, bounding box, points drawn inside and on the boundary."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ellipe

from lawful.geometry import (
    Ball,
    Box,
    Cylinder,
    Disk,
    Domain,
    Ellipse,
    Polygon,
    Shape,
    Triangle,
    boundary_points,
    sobol_points,
    uniform_points,
)

SHAPES = [
    Box(x=(0, 2), y=(1, 2)),
    Disk(x=1, y=2, radius=3),
    Ellipse(x=1, y=2, semi=(3, 0.5)),
    Triangle(x=(0, 1, 0), y=(0, 0, 2)),
    Polygon(x=[0, 2, 2, 1, 1, 0], y=[0, 0, 1, 1, 2, 2]),
    Ball(x=0, y=1, z=2, radius=0.5),
    Cylinder(x=0, z=(1, 3), y=2, radius=0.7),
    Disk(x=0, y=0, radius=1) - Disk(x=0, y=0, radius=0.9),
    Disk(x=0, y=0, radius=1) * Box(t=(0, 3)),
]
IDS = ["box", "disk", "ellipse", "triangle", "L", "ball", "cylinder", "ring", "disk in time"]


@pytest.mark.parametrize(
    ("shape", "measure"),
    list(
        zip(
            SHAPES,
            [2, 9 * math.pi, 1.5 * math.pi, 1, 3, math.pi / 6, 0.98 * math.pi, 0.19 * math.pi, 3 * math.pi],
            strict=True,
        )
    ),
    ids=IDS,
)
def test_measure(shape, measure):
    assert shape.measure == pytest.approx(measure, rel=1e-12)


@pytest.mark.parametrize("shape", SHAPES, ids=IDS)
@pytest.mark.parametrize("draw", [sobol_points, uniform_points])
def test_exactly_as_many_points_as_asked_for_and_all_inside(shape, draw):
    assert isinstance(shape, Domain)
    for count in (1, 7, 100, 513):
        points = draw(shape, count, 3)
        assert list(points) == list(shape.axes)
        assert all(values.shape == (count,) for values in points.values())
        assert np.all(shape.contains(points))
        assert all(np.array_equal(points[a], draw(shape, count, 3)[a]) for a in shape.axes)
    assert not np.array_equal(draw(shape, 8, 0)[shape.axes[0]], draw(shape, 8, 1)[shape.axes[0]])


@pytest.mark.parametrize("shape", SHAPES, ids=IDS)
def test_inside_is_within_the_ends_and_reaches_them(shape):
    points = shape.sample(4096, 0)
    for axis, values in points.items():
        lower, upper = shape.ends(axis)
        assert lower <= values.min() < lower + 0.15 * shape.length(axis)
        assert upper - 0.15 * shape.length(axis) < values.max() <= upper


def test_moments_of_points_inside_against_closed_forms():
    disk = Disk(x=0, y=0, radius=2).sample(4096, 0)
    assert np.mean(disk["x"] ** 2) == pytest.approx(1.0, rel=3e-3)  # R^2 / 4
    assert np.mean(disk["x"] * disk["y"]) == pytest.approx(0.0, abs=3e-3)
    ball = Ball(x=0, y=0, z=0, radius=1).sample(4096, 0)
    assert np.mean(ball["z"] ** 2) == pytest.approx(1 / 5, rel=1e-2)
    ring = SHAPES[7].sample(4096, 0)
    assert np.mean(ring["x"] ** 2) == pytest.approx((1 - 0.9**4) / (1 - 0.9**2) / 4, rel=1e-2)
    triangle = SHAPES[3].sample(4096, 0)
    assert np.mean(triangle["x"]) == pytest.approx(1 / 3, rel=3e-3)
    assert np.mean(triangle["y"] ** 2) == pytest.approx(4 / 6, rel=1e-2)
    cylinder = SHAPES[6].sample(4096, 0)
    assert np.mean(cylinder["x"] ** 2) == pytest.approx(0.49 / 4, rel=1e-2)
    assert np.mean(cylinder["z"]) == pytest.approx(2, rel=3e-3)


@pytest.mark.parametrize("seed", [0, 1])
def test_random_points_are_uniform_by_chi_squared(seed):
    """Sixteen cells of equal area, rings by sectors."""
    points = uniform_points(Disk(x=0, y=0, radius=1), 4000, seed)
    ring = np.floor(4 * (points["x"] ** 2 + points["y"] ** 2))
    sector = np.floor(2 * (1 + np.arctan2(points["y"], points["x"]) / np.pi))
    counts = np.bincount((4 * ring + sector).astype(int), minlength=16)
    assert stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize("shape", [s for s in SHAPES if isinstance(s, Shape)], ids=IDS[:-1])
def test_points_on_the_boundary_lie_on_it(shape):
    points = boundary_points(shape.boundary(), 200, 1)
    assert all(values.shape == (200,) for values in points.values())
    assert np.abs(shape.depth(points)).max() < 1e-12 * shape.size
    assert np.all(shape.contains(points))


def test_points_on_curves_are_uniform_in_arc_length():
    [edge] = Disk(x=0, y=0, radius=2).pieces
    assert edge.measure == pytest.approx(4 * math.pi)
    assert np.mean(edge.sample(1024, 0)["x"] ** 2) == pytest.approx(2.0, rel=1e-3)
    [rim] = Ellipse(x=0, y=0, semi=(3, 1)).pieces
    assert rim.measure == pytest.approx(12 * ellipe(1 - 1 / 9))
    angle = np.linspace(0, 2 * np.pi, 100001)[:-1]
    speed = np.hypot(3 * np.sin(angle), np.cos(angle))
    expected = np.average(9 * np.cos(angle) ** 2, weights=speed)
    assert np.mean(rim.sample(2048, 0)["x"] ** 2) == pytest.approx(expected, rel=1e-3)


def test_points_on_surfaces_are_uniform_in_area():
    [surface] = Ball(x=0, y=0, z=0, radius=1).pieces
    points = surface.sample(2048, 0)
    for axis in "xyz":
        assert np.mean(points[axis] ** 2) == pytest.approx(1 / 3, rel=5e-3)
    side, lower, upper = Cylinder(x=0, y=0, radius=1, z=(0, 2)).pieces
    assert (side.label, lower.label, upper.label) == ("side", "lower end", "upper end")
    assert [piece.measure for piece in (side, lower, upper)] == pytest.approx([4 * math.pi, math.pi, math.pi])
    assert np.mean(upper.sample(1024, 0)["x"] ** 2) == pytest.approx(1 / 4, rel=5e-3)
    assert set(upper.sample(8, 0)["z"]) == {2.0}


def test_a_part_is_sampled_by_measure():
    triangle = Triangle(x=(0, 3, 0), y=(0, 0, 4))
    points = triangle.boundary().sample(1200, 0)
    assert np.sum(points["y"] == 0) == pytest.approx(300, abs=2)
    assert np.sum(points["x"] == 0) == pytest.approx(400, abs=2)
    box = Box(x=(0, 1), t=(0, 3)).boundary().sample(800, 0)
    assert np.sum(box["t"] == 0) == pytest.approx(100, abs=1)
    assert Box(x=(0, 1)).boundary().sample(4, 0)["x"].tolist() == [0, 0, 1, 1]


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(0.01, 10), st.floats(0, 2), st.floats(0, 6.28))
def test_a_disk_contains_what_is_near_its_centre(x, y, radius, share, angle):
    disk = Disk(x=x, y=y, radius=radius)
    place = {"x": np.array([x + share * radius * np.cos(angle)]), "y": np.array([y + share * radius * np.sin(angle)])}
    if abs(share - 1) > 1e-6:
        assert disk.contains(place)[0] == (share < 1)


@pytest.mark.parametrize("shape", [s for s in SHAPES if isinstance(s, Shape)], ids=IDS[:-1])
def test_nothing_undefined_lies_inside(shape):
    assert not shape.contains({axis: np.array([np.nan]) for axis in shape.axes})[0]


def test_either_way_round_is_the_same_polygon():
    one = Polygon(x=[0, 2, 2, 1, 1, 0], y=[0, 0, 1, 1, 2, 2])
    other = Polygon(x=[0, 0, 1, 1, 2, 2, 0], y=[0, 2, 2, 1, 1, 0, 0])
    points = uniform_points(Box(x=(-1, 3), y=(-1, 3)), 500, 0)
    np.testing.assert_array_equal(one.contains(points), other.contains(points))
    assert one.measure == other.measure == 3
    assert other.labels == tuple(f"side {i}" for i in range(6))
    normal = other.boundary("side 0").surfaces[0].normal({"x": np.zeros(1), "y": np.ones(1)})
    assert normal["x"].tolist() == [-1]


def test_labels_name_the_pieces():
    assert Disk(x=0, y=0, radius=1, label="rim").labels == ("rim",)
    assert Polygon(x=[0, 1, 0], y=[0, 0, 1], label="wall").labels == ("wall",)
    assert str(Triangle(x=(0, 1, 0), y=(0, 0, 1)).boundary()) == "side 0, side 1 and side 2"
    assert Box(x=(0, 1), t=(0, 2)).labels == ("x = 0", "x = 1", "t = 0", "t = 2")
    assert Box(x=(0, 1), t=(0, 2)).boundary("t = 2") == Box(x=(0, 1), t=(0, 2)).at(t=2)


def test_shapes_are_values():
    assert Disk(x=0, y=0, radius=1) == Disk(x=0.0, y=0.0, radius=1.0)
    assert Disk(x=0, y=0, radius=1) != Disk(x=0, y=0, radius=2)
    with pytest.raises(AttributeError):
        Disk(x=0, y=0, radius=1).semi = (2.0, 2.0)  # pyright: ignore[reportAttributeAccessIssue]


def test_where_cuts_a_piece_by_numbers_or_by_truth():
    disk = Disk(x=0, y=0, radius=1)
    for where in (lambda x: x < 0, lambda x: -x, lambda x, y: -x * (2 + y)):
        [half] = disk.boundary("edge", where=where).surfaces
        assert half.measure == pytest.approx(math.pi, rel=1e-12)
        assert np.all(half.sample(50, 0)["x"] < 0)
    quarters = disk.boundary(where=lambda x, y: x * y).surfaces
    assert [piece.measure for piece in quarters] == pytest.approx([math.pi / 2] * 2)
    [inlet] = Box(x=(0, 1), y=(0, 1)).boundary("x = 0", where=lambda y: y < 0.3).surfaces
    assert inlet.measure == pytest.approx(0.3)
    [cap] = Ball(x=0, y=0, z=0, radius=1).boundary(where=lambda z: z - 0.5).surfaces
    assert cap.measure == pytest.approx(math.pi, rel=1e-3)
    assert np.all(cap.sample(50, 0)["z"] > 0.5)


def test_far_places_at_the_height_of_a_corner_are_outside():
    """7.05 + (2.1 - 7.05) is not 2.1: a ray that meets the lowest corner must not count one of its sides only."""
    wedge = Polygon(x=[324.25, 336.25, 348.25], y=[7.05, 2.1, 17.4])
    far = np.linspace(-300, 330, 64)
    assert not np.any(wedge.contains({"x": far, "y": np.full(64, 2.1)}))
    assert wedge.contains({"x": np.array([336.25]), "y": np.array([2.1])})[0]
