"""What is no shape, no combination, no piece of boundary is refused in one line that says the cure."""

import jax.numpy as jnp
import pytest

from lawful._core.messages import BadInput
from lawful.geometry import Ball, Box, Cylinder, Disk, Ellipse, Polygon, Triangle

DISK = Disk(x=0, y=0, radius=1)
BALL = Ball(x=0, y=0, z=0, radius=1)
BOX = Box(x=(0, 1), y=(0, 1), z=(0, 1))
IN_TIME = DISK * Box(t=(0, 1))

CASES = {
    "radius 0": (lambda: Disk(x=0, y=0, radius=0), "radius is 0, which leaves the shape no inside"),
    "radius < 0": (lambda: Ball(x=0, y=0, z=0, radius=-1), "Ball radius is -1.*must be positive"),
    "radius nan": (lambda: Disk(x=0, y=0, radius=float("nan")), "one finite number"),
    "radius text": (lambda: Disk(x=0, y=0, radius="1"), "Disk radius is text"),
    "two radii": (lambda: Disk(x=0, y=0, radius=[1, 2]), "one finite number"),
    "one axis": (lambda: Disk(x=0, radius=1), "takes a centre along 2 axes"),
    "three axes": (lambda: Disk(x=0, y=0, z=0, radius=1), "centre along 2 axes.*got x, y and z"),
    "axis name": (lambda: Disk(_x=0, y=0, radius=1), "cannot be an argument"),
    "centre": (lambda: Disk(x=(0, 1), y=0, radius=1), "Disk x must be one finite number"),
    "semi": (lambda: Ellipse(x=0, y=0, semi=1), "two half-axes"),
    "semi 0": (lambda: Ellipse(x=0, y=0, semi=(1, 0)), "semi is 0"),
    "cylinder": (lambda: Cylinder(x=0, y=0, z=0, radius=1), "two ends along the third"),
    "cylinder ends": (lambda: Cylinder(x=0, y=0, z=(1, 0), radius=1), "Cylinder axis 'z' runs from 1 to 0"),
    "two corners": (lambda: Polygon(x=[0, 1], y=[0, 1]), "2 corners; three or more"),
    "uneven": (lambda: Polygon(x=[0, 1, 2], y=[0, 1]), "3 values of x and 2 of y"),
    "line": (lambda: Polygon(x=[0, 1, 2], y=[0, 1, 2]), "no inside"),
    "repeated": (lambda: Polygon(x=[0, 1, 1, 0], y=[0, 0, 0, 1]), "corners 1 and 2 are the same point"),
    "bow tie": (lambda: Polygon(x=[0, 1, 1, 0], y=[0, 1, 0, 1.5]), "side 0 meets side 2"),
    "touching": (lambda: Polygon(x=[0, 2, 2, 1, 0], y=[0, 0, 1, 0, 1]), "side 0 meets side 2"),
    "spike": (lambda: Polygon(x=[0, 1, 2, 1, 0], y=[0, 0, 0, 0, 1]), "meets side|same point"),
    "nan corner": (lambda: Polygon(x=[0, 1, float("nan")], y=[0, 0, 1]), "list of finite numbers"),
    "text corner": (lambda: Polygon(x=["a", "b", "c"], y=[0, 0, 1]), "holds text"),
    "polygon axes": (lambda: Polygon(x=[0, 1, 1]), "corners along two axes"),
    "triangle": (lambda: Triangle(x=(0, 1, 1, 0), y=(0, 0, 1, 1)), "three corners, but got 4"),
    "other axes": (lambda: DISK | BALL, "union takes two shapes over the same axes.*Disk has x and y and Ball has"),
    "no shape": (lambda: DISK - 3, "difference takes two shapes, but got int 3"),
    "in time": (lambda: DISK - IN_TIME, "combine the shapes first"),
    "one-axis box": (lambda: Box(x=(0, 1)) | Box(x=(1, 2)), "only boxes of two or three axes"),
    "disjoint": (lambda: DISK & Disk(x=5, y=0, radius=1), "intersection of Disk and Disk is a shape with no inside"),
    "swallowed": (lambda: DISK - Disk(x=0, y=0, radius=2), "no inside"),
    "itself": (lambda: DISK - DISK, "no inside"),
    "flush": (lambda: BOX - Cylinder(x=0.5, y=0.5, radius=0.2, z=(0, 1)), "reach a little beyond"),
    "axis twice": (lambda: DISK * Box(x=(0, 1), t=(0, 1)), "both factors have the axis x"),
    "times number": (lambda: DISK * 2, "multiplied by a Box"),
    "times shape": (lambda: Box(t=(0, 1)) * DISK, "write the shape first and the Box last"),
    "label": (lambda: DISK.boundary("edgy"), "no piece 'edgy'; did you mean 'edge'"),
    "box label": (lambda: BOX.boundary("x = 3"), "no face 'x = 3'"),
    "product label": (lambda: IN_TIME.boundary("t = 5"), "no piece 't = 5'"),
    "where on a face": (lambda: IN_TIME.boundary("t = 0", where=lambda x: x), "not 't = 0'"),
    "at of a disk": (lambda: DISK.at(x=1), r"Disk has no face.*boundary\('edge'\)"),
    "at of a product": (lambda: IN_TIME.at(x=1), "Disk has no face"),
    "at an inner time": (lambda: IN_TIME.at(t=0.5), "not on the boundary"),
    "at no axis": (lambda: IN_TIME.at(tt=0), "no axis 'tt'; did you mean 't'"),
    "where nowhere": (lambda: DISK.boundary(where=lambda x: x - 3), "positive nowhere on edge"),
    "where axis": (lambda: DISK.boundary(where=lambda z: z), "uses 'z', which is no axis of the shape"),
    "where time": (lambda: IN_TIME.boundary("edge", where=lambda t: t), "uses 't'"),
    "where none": (lambda: DISK.boundary(where=lambda: 1), "takes no axis"),
    "where and": (lambda: DISK.boundary(where=lambda x, y: x > 0 and y > 0), "& and |"),
    "where text": (lambda: DISK.boundary(where=lambda x: "left"), "real number"),
    "where nan": (lambda: DISK.boundary(where=lambda x: x * jnp.nan), "real number"),
    "where truth in space": (lambda: BALL.boundary(where=lambda x: x > 0), "true or false.*must return a number"),
    "where a number": (lambda: DISK.boundary(where=1), "must be a function"),
}


@pytest.mark.parametrize("case", CASES)
def test_refused(case):
    call, words = CASES[case]
    with pytest.raises(BadInput, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)
