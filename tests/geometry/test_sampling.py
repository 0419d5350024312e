"""Points inside a box: regular, Chebyshev, Sobol."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial import chebyshev
from scipy.stats import qmc

from lawful.geometry import Box, Disk, chebyshev_points, grid, radial_points, sobol_points

BOX = Box(x=(-3, 5), t=(10, 11), z=(0, 1e-3))


def unit(points: dict, box: Box) -> np.ndarray:
    """Points scaled to the unit cube, one column for each axis."""
    return np.stack([(points[axis] - box.ends(axis)[0]) / box.length(axis) for axis in box.axes], axis=1)


def test_a_grid_holds_both_ends_and_every_pair():
    points = grid(Box(x=(0, 1), t=(2, 4)), {"x": 3, "t": 2})
    np.testing.assert_allclose(points["x"], [0, 0, 0.5, 0.5, 1, 1])
    np.testing.assert_allclose(points["t"], [2, 4, 2, 4, 2, 4])


@given(st.integers(1, 60), st.floats(-10, 10), st.floats(0.1, 100))
def test_chebyshev_points_are_the_roots(count, lower, length):
    points = chebyshev_points(Box(s=(lower, lower + length)), count)["s"]
    assert points.shape == (count,)
    assert np.all(np.diff(points) > 0)
    assert points[0] > lower
    assert points[-1] < lower + length
    scaled = 2 * (points - lower) / length - 1
    coefficients = np.eye(count + 1)[count]
    # A root moved by rounding gives a value of at most count^2 times that.
    np.testing.assert_allclose(chebyshev.chebval(scaled, coefficients), 0, atol=1e-12 * count**2)


def test_chebyshev_points_are_densest_at_the_ends():
    gaps = np.diff(chebyshev_points(Box(s=(0, 1)), 40)["s"])
    assert gaps.argmax() in (18, 19, 20)
    assert gaps[0] < gaps[19] / 10


@given(st.integers(1, 300), st.integers(0, 10))
def test_sobol_points_lie_in_the_box(count, seed):
    points = sobol_points(BOX, count, seed)
    assert list(points) == ["x", "t", "z"]
    assert all(column.shape == (count,) for column in points.values())
    assert np.all(BOX.contains(points))


def test_sobol_points_depend_on_the_seed_alone():
    one, two, other = sobol_points(BOX, 64, 3), sobol_points(BOX, 64, 3), sobol_points(BOX, 64, 4)
    np.testing.assert_array_equal(one["x"], two["x"])
    assert not np.any(one["x"] == other["x"])


@pytest.mark.parametrize("count", [64, 100, 1000])
@pytest.mark.parametrize("seed", [0, 1])
def test_sobol_points_are_spread_more_evenly_than_chance(count, seed):
    points = unit(sobol_points(BOX, count, seed), BOX)
    chance = [qmc.discrepancy(np.random.default_rng(k).random(points.shape)) for k in range(5)]
    assert qmc.discrepancy(points) < 0.5 * min(chance)


@pytest.mark.parametrize("power", [4, 7])
def test_a_power_of_two_fills_every_dyadic_cell_once(power):
    """The property that makes a Sobol sequence one: in every axis, each of 2^m equal cells holds one of 2^m points."""
    points = unit(sobol_points(BOX, 2**power, 5), BOX)
    for column in points.T:
        assert sorted(np.floor(column * 2**power).astype(int)) == list(range(2**power))


def test_any_number_of_points_comes_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(sobol_points(BOX, 77, 0)["x"]) == 77


def test_points_on_rays_crowd_at_both_ends():
    """Around a hole off the middle: the arcsine law on every ray, whatever its length."""
    ring = Disk(x=0, y=0, radius=1) - Disk(x=0.3, y=0, radius=0.2)
    points = radial_points(ring, 2000, 0, {"x": 0.3, "y": 0.0}, (0.2, 1.3))
    assert np.all(ring.contains(points))
    r, angle = np.hypot(points["x"] - 0.3, points["y"]), np.arctan2(points["y"], points["x"] - 0.3)
    far = -0.3 * np.cos(angle) + np.sqrt(1 - (0.3 * np.sin(angle)) ** 2)
    share = np.arccos(np.clip(1 - 2 * (r - 0.2) / (far - 0.2), -1, 1)) / np.pi
    for uniform in (share, angle / (2 * np.pi) + 0.5):
        np.testing.assert_allclose(np.histogram(uniform, 8, (0, 1))[0], 250, atol=15)
