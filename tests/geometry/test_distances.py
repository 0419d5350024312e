"""Distances to pieces of a boundary: zero there and nowhere else inside, slope 1 inwards, three finite derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawful._core.precision import float64
from lawful.geometry import Ball, Box, Cylinder, Disk, Ellipse, Polygon, Surface, Triangle

L_SHAPE = Polygon(x=[0, 2, 2, 1, 1, 0], y=[0, 0, 1, 1, 2, 2])
SHAPES = {
    "disk": Disk(x=0.3, y=-1, radius=2),
    "ellipse": Ellipse(x=1, y=0, semi=(3, 0.5)),
    "triangle": Triangle(x=(0, 1, 0.2), y=(0, 0.1, 1)),
    "L": L_SHAPE,
    "slit": Polygon(x=[0, 4, 4, 2, 0], y=[0, 0, 3, 0.2, 3]),
    "annulus": Disk(x=0, y=0, radius=2) - Disk(x=0.5, y=0, radius=1),
    "two disks": Disk(x=0, y=0, radius=1) | Disk(x=1, y=0, radius=1),
    "lens": Disk(x=0, y=0, radius=1) & Disk(x=1, y=0, radius=1),
    "plate": Box(x=(0, 2), y=(0, 1)) - Disk(x=0, y=0, radius=0.5),
    "ball": Ball(x=0, y=1, z=2, radius=0.5),
    "cylinder": Cylinder(x=0, z=(1, 3), y=2, radius=0.7),
    "brick": Box(x=(-1, 1), y=(-1, 1), z=(-1, 1)) - Ball(x=1, y=0, z=0, radius=0.5),
}
# Of sides that differ in numbers only, the ones beside an inner corner or a cut stand for all.
SKIPPED = {"L": (0, 1, 4, 5), "slit": (0, 1, 4), "triangle": (1, 2), "brick": (2, 3, 4, 5), "plate": (1, 3)}
PIECES = [
    (f"{name}, {i}: {piece.label}", shape, piece)
    for name, shape in SHAPES.items()
    for i, piece in enumerate(shape.pieces)
    if i not in SKIPPED.get(name, ())
]


def columns(points: dict, piece) -> np.ndarray:
    return np.stack([points[axis] for axis in piece.axes], axis=-1)


def at_each(piece: Surface, function, rows: np.ndarray) -> np.ndarray:
    """A transformed distance at every row of coordinates."""
    scalar = lambda row: piece.distance(**dict(zip(piece.axes, row, strict=True)))
    return np.asarray(jax.jit(jax.vmap(function(scalar)))(jnp.asarray(rows)))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(("shape", "piece"), [p[1:] for p in PIECES], ids=[p[0] for p in PIECES])
class TestPiece:
    def test_zero_and_slope_one_inwards_on_the_piece(self, shape, piece):
        points = piece.sample(64, 1)
        rows = columns(points, piece)
        assert np.abs(at_each(piece, lambda f: f, rows)).max() < 1e-12
        slopes = at_each(piece, jax.grad, rows)
        # a piece cut in space is only known to end where the cut vanishes, and near its end it is steep
        np.testing.assert_allclose(-slopes, columns(piece.normal(points), piece), atol=1e-9)

    def test_normals_have_length_one_and_point_out(self, shape, piece):
        points = piece.sample(64, 2)
        normal = piece.normal(points)
        np.testing.assert_allclose(sum(n**2 for n in normal.values()), 1.0, rtol=1e-12)
        step = 1e-5 * shape.size
        assert np.all(shape.depth({a: points[a] - step * normal[a] for a in normal}) > 0)
        assert np.all(shape.depth({a: points[a] + step * normal[a] for a in normal}) < 0)

    def test_positive_elsewhere(self, shape, piece):
        inside_rows = columns(shape.sample(256, 0), piece)
        others = [columns(other.sample(64, 3), piece) for other in shape.pieces if other != piece]
        assert np.all(at_each(piece, lambda f: f, np.concatenate([inside_rows, *others])) > 0)

    def test_derivatives_agree_with_differences(self, shape, piece):
        rows = columns(shape.sample(32, 6), piece)
        slope, step = at_each(piece, jax.grad, rows), 1e-6
        shifts = step * np.eye(rows.shape[1])
        moved = np.stack([rows + sign * shift for shift in shifts for sign in (1, -1)])
        values = at_each(piece, lambda f: f, moved.reshape(-1, rows.shape[1])).reshape(-1, 2, len(rows))
        np.testing.assert_allclose((values[:, 0] - values[:, 1]).T / (2 * step), slope, atol=1e-5)


# One piece for each formula; the rest differs in numbers only.
FORMULAE = {
    "circle": ("disk", 0),
    "ellipse": ("ellipse", 0),
    "segment": ("slit", 2),
    "hole": ("annulus", 1),
    "arc": ("two disks", 0),
    "cut sphere": ("brick", -1),
    "cut plane": ("brick", 1),
    "tube": ("cylinder", 0),
    "cap": ("cylinder", 2),
}


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("formula", FORMULAE)
def test_three_derivatives_are_finite_inside_and_on_the_piece(formula):
    name, which = FORMULAE[formula]
    shape, piece = SHAPES[name], SHAPES[name].pieces[which]
    rows = np.concatenate([columns(shape.sample(128, 5), piece), columns(piece.sample(64, 0), piece)])
    assert np.all(np.isfinite(at_each(piece, third, rows)))


def third(function):
    return jax.jacfwd(jax.jacfwd(jax.jacfwd(function)))


@pytest.mark.parametrize("name", ["disk", "triangle", "annulus"])
def test_single_precision_is_finite_too(name):
    shape = SHAPES[name]
    for piece in shape.pieces[:1]:
        rows = columns(shape.sample(128, 5), piece).astype(np.float32)
        found = at_each(piece, third, rows)
        assert found.dtype == np.float32
        assert np.all(np.isfinite(found))
        assert np.all(np.isfinite(at_each(piece, jax.grad, columns(piece.sample(64, 0), piece).astype(np.float32))))


@pytest.mark.usefixtures("float64")
def test_derivatives_are_finite_at_corners_and_on_edges_too():
    rows = np.concatenate([np.array(L_SHAPE.corners), *(columns(p.sample(8, 0), p) for p in L_SHAPE.pieces)])
    assert np.all(np.isfinite(at_each(L_SHAPE.pieces[2], third, rows)))


def test_the_factor_of_pipe_flow():
    """Poiseuille: u is proportional to R^2 - r^2, and the distance to a circle must be that polynomial."""
    distance = Disk(x=0, y=0, radius=2).pieces[0].distance
    for x, y in [(0.0, 0.0), (0.7, -1.2), (2.0, 0.0)]:
        assert float(distance(x=x, y=y)) == pytest.approx((4 - x**2 - y**2) / 4, abs=1e-6)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(1e-9, 1e9))
def test_a_distance_scales_with_the_unit_of_length(a, b, unit):
    with float64():
        one = Triangle(x=(0, 2, 1), y=(0, 0, 1)).pieces[0].distance(x=a, y=b)
        other = Triangle(x=(0, 2 * unit, unit), y=(0, 0, unit)).pieces[0].distance(x=a * unit, y=b * unit)
        np.testing.assert_allclose(other, one * unit, rtol=1e-9, atol=1e-12 * unit)


@given(st.floats(0, 6.28), st.floats(0.05, 3.0))
def test_a_distance_to_an_arc_vanishes_on_the_arc_alone(middle, half):
    disk = Disk(x=1, y=2, radius=3)
    inside_arc = lambda x, y: np.cos(np.arctan2(y - 2, x - 1) - middle) > np.cos(half)
    [piece] = disk.boundary("edge", where=inside_arc).surfaces
    assert piece.measure == pytest.approx(6 * half, rel=1e-9)
    with float64():
        for offset in (-0.9, 0.0, 0.9):
            angle = middle + offset * half
            assert abs(piece.distance(x=1 + 3 * np.cos(angle), y=2 + 3 * np.sin(angle))) < 1e-12
        angle = middle + half + 0.5 * (np.pi - half)
        assert piece.distance(x=1 + 3 * np.cos(angle), y=2 + 3 * np.sin(angle)) > 1e-4


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", SHAPES)
def test_the_level_of_a_shape(name):
    """Positive inside, negative outside, zero on the boundary with slope 1."""
    shape = SHAPES[name]
    level = lambda row: shape.level(**dict(zip(shape.axes, row, strict=True)))
    value, slope = jax.jit(jax.vmap(level)), jax.jit(jax.vmap(jax.grad(level)))
    around = shape.stretched(1.5 * np.random.default_rng(0).random((400, len(shape.axes))) - 0.25)
    clear = np.abs(shape.depth(around)) > 1e-3
    rows = np.stack([around[a] for a in shape.axes], axis=-1)[clear]
    assert np.array_equal(np.asarray(value(rows)) > 0, shape.depth(around)[clear] > 0)
    drawn = [(points, piece.normal(points)) for piece in shape.pieces for points in [piece.sample(16, 0)]]
    inwards = [np.stack([points[a] - 1e-7 * normal[a] for a in shape.axes], axis=-1) for points, normal in drawn]
    np.testing.assert_allclose(np.linalg.norm(slope(np.concatenate(inwards)), axis=1), 1, atol=1e-3)
