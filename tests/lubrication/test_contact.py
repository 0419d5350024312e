"""Dry contact against closed forms, derivatives against differences, refusals with a cure."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lawful._core.messages import BadInput
from lawful.lubrication import Grid, HalfSpace, contact, contact_modulus, stresses

pytestmark = pytest.mark.usefixtures("float64")


def test_a_ball_pressed_on_a_plane():
    """H. Hertz (1882); steel, R = 10 mm, 10 N."""
    modulus, radius, load = contact_modulus(210e9, 0.3, 210e9, 0.3), 0.01, 10.0
    a = (0.75 * load * radius / modulus) ** (1 / 3)
    highest = 1.5 * load / (np.pi * a**2)
    grid = Grid((64, 64), (3 * a, 3 * a))
    shape = ((grid.x - 1.5 * a) ** 2 + (grid.y - 1.5 * a) ** 2) / (2 * radius)
    found = contact(HalfSpace(grid, modulus, 0.3), shape, load=load)
    assert found.converged
    assert float(found.load) == pytest.approx(load, rel=1e-13)
    assert float(found.approach) == pytest.approx(float(a**2 / radius), rel=1e-4)
    assert float(found.peak) == pytest.approx(float(highest), rel=5e-4)
    assert float(found.area) == pytest.approx(float(np.pi * a**2), rel=0.02)
    assert np.all((found.pressure > 0) != (found.gap > 0))
    depths = a * np.linspace(0.38, 0.58, 21)
    below = found.stress(depths)
    assert float(below.peak / highest) == pytest.approx(0.620041, rel=1e-3)
    deepest = int(np.argmax(np.max(below.von_mises, axis=(1, 2))))
    assert depths[deepest] / a == pytest.approx(0.48086, abs=0.01)
    assert 0.5 * below.peak < below.smooth_peak() < below.peak


def test_waves_pressed_flat():
    """H. M. Westergaard (1939): 2 h sin^2(pi x / lam) touches on the width 2 a, mean / p* = sin^2(pi a / lam)."""
    length, height, modulus, width = 1e-3, 1e-6, 1e11, 0.3

    def errors(cells):
        grid = Grid((cells, 4), (length, length))
        psi = np.pi * (np.asarray(grid.x) / length - 0.5)
        flat = np.pi * modulus * height / length
        mean = flat * np.sin(np.pi * width / 2) ** 2
        space = HalfSpace(grid, modulus, periodic=True)
        found = contact(space, 2 * height * jnp.sin(psi) ** 2 + 0 * grid.y, load=mean * length**2)
        assert found.converged
        inside = np.sqrt(np.maximum(np.sin(np.pi * width / 2) ** 2 - np.sin(psi) ** 2, 0))
        exact = 2 * mean * np.cos(psi) / np.sin(np.pi * width / 2) ** 2 * inside
        return float(np.mean(np.abs(found.pressure - exact)) / mean)

    coarse, fine = errors(32), errors(128)
    assert fine < 4e-3
    assert coarse / fine > 4  # first order or better


@pytest.mark.parametrize(("periodic", "given"), [(False, "load"), (True, "approach")])
def test_derivatives_against_differences(periodic, given):
    grid = Grid((12, 10), (1e-4, 1e-4))
    rng = np.random.default_rng(0)
    rough = 1e-8 * rng.random(grid.cells) + ((grid.x - 5e-5) ** 2 + (grid.y - 5e-5) ** 2) / 0.02
    along = (1e-8 * rng.normal(size=grid.cells), 1e-2 if given == "load" else 1e-8, 1e10, 1e-6)
    at = (rough, 0.2 if given == "load" else 8e-8, 1e11, 1e-4)

    def told(gap, push, modulus, size):
        space = HalfSpace(Grid((12, 10), (size, 1e-4)), modulus, periodic=periodic)
        found = contact(space, gap, **{given: push})
        numbers = [found.load / 0.05, found.approach / 1e-7, found.peak / 1e9]
        below = found.stress(jnp.array([1e-6, 1e-5]))
        numbers += [below.peak / 1e9, below.smooth_peak() / 1e9, jnp.sum(found.gap) / 1e-6]
        return sum(k * n for k, n in zip((1.0, 0.7, -0.6, 0.8, -0.5, 0.9), numbers, strict=True)), found

    told = jax.jit(jax.value_and_grad(told, argnums=(0, 1, 2, 3), has_aux=True))
    (_, found), slopes = told(*at)
    assert found.converged
    assert 10 < np.sum(found.touching) < 110

    def moved(e):
        (value, other), _ = told(*[a + e * t for a, t in zip(at, along, strict=True)])
        assert np.array_equal(other.touching, found.touching)
        return float(value)

    difference = lambda e: (moved(e) - moved(-e)) / (2 * e)
    wanted = (4 * difference(1e-3) - difference(2e-3)) / 3
    assert sum(np.sum(np.asarray(s) * t) for s, t in zip(slopes, along, strict=True)) == pytest.approx(wanted, rel=1e-6)


def test_what_cannot_be_is_refused_with_the_cure():
    grid = Grid((8, 8), (1.0, 1.0))
    space = HalfSpace(grid, 1e9)
    for gap, given, words in (
        (np.ones((8, 8)), {"load": -1.0}, "above 0"),
        (np.ones((8, 8)), {}, "either load"),
        (np.ones((8, 8)), {"load": 1.0, "approach": 1.0}, "either load"),
        (np.ones((8, 8)), {"approach": 0.5}, "Ask for more"),
        (np.ones((4, 8)), {"load": 1.0}, "8 cells|\\(8, 8\\)"),
        (np.full((8, 8), np.nan), {"load": 1.0}, "not finite"),
    ):
        with pytest.raises(BadInput, match=words):
            contact(space, gap, **given)
    with pytest.raises(BadInput, match="two axes"):
        HalfSpace(Grid(8, 1.0), 1e9)
    with pytest.raises(BadInput, match="modulus"):
        HalfSpace(grid, 0.0)
    with pytest.raises(BadInput, match="depths"):
        stresses(space, jnp.ones(grid.cells), -1.0)
