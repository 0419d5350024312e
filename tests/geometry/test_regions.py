"""Named regions: their interfaces, their outer boundaries, what is refused."""

import math

import numpy as np
import pytest

from lawful._core.messages import BadInput
from lawful.geometry import Ball, Box, Disk, Face, Regions

CORE = Disk(x=0, y=0, radius=1, label="core edge")
CLADDING = Disk(x=0, y=0, radius=2, label="rim") - CORE


@pytest.mark.parametrize("further", [{}, {"t": (0, 1)}, {"y": (0, 2), "t": (0, 1)}])
def test_boxes_side_by_side(further):
    regions = Regions(left=Box(x=(0, 0.5), **further), right=Box(x=(0.5, 1), **further))
    assert regions.interface("left", "right").faces == (Face("x", 1),)
    assert regions.interface("right", "left").faces == (Face("x", 0),)
    assert regions.interface("left", "right").domain == regions["left"]
    assert Face("x", 0) in regions.outer("left").faces
    assert Face("x", 1) not in regions.outer("left").faces
    assert len(regions.outer("left").faces) == 1 + 2 * len(further)


def test_boxes_that_share_a_part_of_a_side():
    regions = Regions(a=Box(x=(0, 1), y=(0, 2)), b=Box(x=(1, 2), y=(0, 1)))
    [seam] = regions.interface("a", "b").surfaces
    assert (seam.label, seam.measure) == ("x = 1", pytest.approx(1, rel=1e-12))
    assert sum(s.measure for s in regions.outer("a").surfaces) == pytest.approx(5, rel=1e-12)
    assert [s.measure for s in regions.outer("a", "x = 1").surfaces] == pytest.approx([1], rel=1e-12)


@pytest.mark.parametrize("time", [False, True])
def test_a_core_in_a_cladding(time):
    core, cladding = (CORE * Box(t=(0, 3)), CLADDING * Box(t=(0, 3))) if time else (CORE, CLADDING)
    regions = Regions(core=core, cladding=cladding)
    inner, outer = regions.interface("core", "cladding"), regions.interface("cladding", "core")
    assert str(inner) == str(outer) == "core edge"
    [one], [two] = inner.surfaces, outer.surfaces
    assert one.measure == pytest.approx(2 * math.pi * (3 if time else 1))
    points = one.sample(16, 0)
    np.testing.assert_allclose(one.normal(points)["x"], points["x"])
    np.testing.assert_allclose(two.normal(points)["x"], -points["x"])
    assert str(regions.outer("cladding")) == ("t = 0, t = 3 and rim" if time else "rim")


def test_three_layers_touch_their_neighbours_only():
    regions = Regions(**{name: Box(x=(i, i + 1), y=(0, 1)) for i, name in enumerate("abc")})
    assert regions.neighbours("b") == ("a", "c")
    assert regions.neighbours("a") == ("b",)
    with pytest.raises(BadInput, match="'a' and 'c' do not touch; 'a' touches b"):
        regions.interface("a", "c")


def test_a_ball_in_a_shell():
    ball = Ball(x=0, y=0, z=0, radius=1, label="inner")
    regions = Regions(ball=ball, shell=Ball(x=0, y=0, z=0, radius=2, label="outer") - ball)
    assert str(regions.interface("shell", "ball")) == "inner"
    assert str(regions.outer("shell")) == "outer"


@pytest.mark.parametrize(
    ("regions", "words"),
    [
        ({"a": Box(x=(0, 1))}, "two or more named domains, but got a"),
        ({"a": Box(x=(0, 1)), "b": 3}, "region 'b' must be a domain"),
        ({"a": Box(x=(0, 1)), "b": Box(y=(1, 2))}, "same axes"),
        ({"a": CORE * Box(t=(0, 1)), "b": CLADDING * Box(t=(0, 2))}, "spans differ"),
        ({"a": Box(x=(0, 1)), "b": Box(x=(0.9, 2))}, "'a' and 'b' overlap, at x="),
        ({"a": CORE, "b": Disk(x=0, y=0, radius=2)}, "overlap"),
        ({"a": Box(x=(0, 1)), "b": Box(x=(1.1, 2))}, "regions b touch none of a"),
        ({"a": CORE, "b": Disk(x=5, y=0, radius=1)}, "touch none"),
    ],
)
def test_what_are_no_regions_is_refused(regions, words):
    with pytest.raises(BadInput, match=words):
        Regions(**regions)


def test_an_inner_region_has_no_outer_boundary():
    regions = Regions(core=CORE, cladding=CLADDING)
    with pytest.raises(BadInput, match="all interface"):
        regions.outer("core")
    with pytest.raises(BadInput, match="no region 'cor'; did you mean 'core'"):
        regions["cor"]


def test_all_regions_together_are_a_domain():
    regions = Regions(core=CORE * Box(t=(0, 3)), cladding=CLADDING * Box(t=(0, 3)))
    assert regions.ends("x") == (-2, 2)
    assert regions.measure == pytest.approx(12 * math.pi, rel=1e-9)
    points = regions.sample(200, 0)
    r = np.hypot(points["x"], points["y"])
    assert r.max() <= 2
    index = [int(regions.index(**{axis: values[i] for axis, values in points.items()})) for i in range(200)]
    assert [regions.names[i] for i in index] == ["core" if each < 1 else "cladding" for each in r]
    assert str(regions.boundary()) == "t = 0, t = 3 and rim"
    assert str(regions.at(t=0)) == "t = 0"
    assert str(regions.within(regions.at(t=0), "core")) == "t = 0"
    assert regions.within(regions.boundary("rim"), "core").surfaces == ()
    assert len(regions.within(regions.boundary("rim"), "cladding").surfaces) == 1
    with pytest.raises(BadInput, match="no piece 'rum'; did you mean 'rim'"):
        regions.boundary("rum")
    with pytest.raises(BadInput, match="no face at the end"):
        regions.at(x=-2)


def test_faces_belong_to_the_regions_that_reach_them():
    regions = Regions(left=Box(x=(0, 0.5), y=(0, 1)), right=Box(x=(0.5, 1), y=(0, 1)))
    assert regions.within(regions.at(x=(0, 1)), "left").faces == (Face("x", 0),)
    assert regions.within(regions.at(x=(0, 1)), "right").faces == (Face("x", 1),)
    assert len(regions.within(regions.at(y=(0, 1)), "left").faces) == 2
    section = regions.without("y")
    assert isinstance(section, Regions)
    assert section.measure == pytest.approx(1)


@pytest.mark.parametrize("order", [("left", "right"), ("right", "left")])
def test_the_border_of_two_boxes_belongs_to_the_upper_one(order):
    boxes = {"left": Box(x=(0, 0.4), y=(0, 1)), "right": Box(x=(0.4, 1), y=(0, 1))}
    regions = Regions(**{name: boxes[name] for name in order})
    found = [regions.names[int(regions.index(x=x, y=1.0))] for x in (0.0, 0.3999999, 0.4, 1.0)]
    assert found == ["left", "left", "right", "right"]
