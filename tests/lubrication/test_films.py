"""Thin films: exact answers, mass to rounding, derivatives against differences, refusals with a cure."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lawful._core.messages import BadInput
from lawful.lubrication import (
    JFO,
    Barus,
    DowsonHigginson,
    Film,
    Fluid,
    Grid,
    Open,
    Periodic,
    Pressure,
    Wall,
    dimples,
    flow,
    reach,
    step,
    support,
)

pytestmark = pytest.mark.usefixtures("float64")

GRID = Grid((24, 16), (0.01, 0.008))


def pocketed(height, speed=1.0, viscosity=0.01, ambient=1e5, fed=1.2e5):
    """Ruptures and reforms; piezoviscous, compressible, fed at one end, symmetric at one side."""
    oil = Fluid(Barus(viscosity, 2e-8), DowsonHigginson())
    ends = {"x": (Pressure(fed), Open()), "y": (Open(), Wall())}
    return Film(GRID, height, speed, oil, ambient=ambient, cavitation=JFO(0.0), **ends)


@pytest.fixture
def height():
    rough = 1e-6 * (1 + 0.3 * np.random.default_rng(0).random(GRID.cells))
    return rough + dimples(GRID, (0.005, 0.004), 0.0015, 2e-6)


def test_a_step_is_exact_and_mass_is_kept():
    grid = Grid(20, 1.0)
    found = flow(Film(grid, step(grid.x, 0.8, 2.0, 1.0), 1.0, 1.0))
    assert float(found.load) == pytest.approx(0.2, rel=1e-13)
    assert float(found.friction) == pytest.approx(0.8, rel=1e-13)
    assert found.imbalance < 1e-13
    assert float(found.discharge.x_first + found.discharge.x_last) == pytest.approx(0, abs=1e-14)


def test_derivatives_against_differences_through_a_broken_film(height):
    def told(*given):
        found = flow(pocketed(*given))
        outlets = (found.load, found.friction, found.friction_fixed, found.peak, found.smooth_peak(), found.side_flow)
        return jnp.stack(outlets)

    told = jax.jit(told)
    at = (height, 1.0, 0.01, 1e5, 1.2e5)
    found = flow(pocketed(*at))
    assert found.converged
    assert 0.1 < found.cavitated < 0.9
    assert np.all(np.minimum(found.fraction, found.pressure) == 0)
    assert not np.any(found.undecided)
    along = (1e-7 * np.random.default_rng(1).normal(size=GRID.cells), 0.1, 0.001, 1e3, 2e3)
    difference = lambda e: (
        (
            told(*[a + e * t for a, t in zip(at, along, strict=True)])
            - told(*[a - e * t for a, t in zip(at, along, strict=True)])
        )
        / (2 * e)
    )
    first = reach(lambda t: pocketed(*[a + t * b for a, b in zip(at, along, strict=True)]))
    assert first.step > 2e-3  # beyond which the differences would straddle a change of the broken cells
    wanted = (4 * difference(5e-4) - difference(1e-3)) / 3
    slopes = jax.jit(jax.jacrev(told, argnums=tuple(range(5))))(*at)
    backwards = sum(
        np.sum(np.asarray(s) * t, axis=tuple(range(1, np.ndim(s)))) for s, t in zip(slopes, along, strict=True)
    )
    # Newton's method stops at an imbalance of 1e-11, which differences over a thousandth magnify.
    assert np.max(np.abs(backwards / wanted - 1)) < 1e-6
    assert np.max(np.abs(np.asarray(jax.jvp(told, at, along)[1]) / backwards - 1)) < 1e-11


def test_a_change_of_the_broken_cells_is_foretold(height):
    line = lambda t: pocketed(height * (1 + t), 1.0)
    first = reach(line)
    broken = lambda t: np.asarray(flow(line(t)).fraction) > 0
    change = broken(1.3 * first.step) != broken(0.0)
    assert change[first.cell]
    assert not np.any(broken(0.7 * first.step) != broken(0.0))


def test_the_film_that_carries_a_load_and_its_derivative():
    grid = Grid(40, 0.01)
    carried = lambda load, lower, upper: support(
        lambda gap: Film(grid, gap + 2e-6 * (1 - grid.x / 0.01), 1.0, 0.01), load, lower, upper
    )
    found = carried(2e4, 1e-7, 1e-4)
    assert float(found.flow.load) == pytest.approx(2e4, rel=1e-10)
    gap = jax.jit(lambda load: carried(load, 1e-7, 1e-4).gap)
    slope = (gap(2.002e4) - gap(1.998e4)) / 40
    assert float(jax.grad(gap)(2e4)) == pytest.approx(float(slope), rel=1e-5)
    with pytest.raises(BadInput, match="widen the bracket"):
        carried(2e9, 1e-7, 1e-4)


def test_bad_films_are_refused_with_the_cure():
    grid = Grid(10, 1.0)
    for height, speed, ends, words in (
        (0.0, 1.0, {}, "needs a gap everywhere"),
        (np.linspace(1, -1, 10), 1.0, {}, "Add the minimum film"),
        (np.ones(9), 1.0, {}, "grid.x"),
        (1.0, 1.0, {"x": (Periodic(), Open())}, "periodic as a whole"),
        (1.0, 1.0, {"x": Periodic()}, "feed groove"),
        (1.0, 1.0, {"x": Pressure(-1.0)}, "below the pressure of cavitation"),
    ):
        with pytest.raises(BadInput, match=words):
            Film(grid, height, speed, 1.0, **ends)
    with pytest.raises(BadInput, match="finer than 4 cells"):
        dimples(GRID, (0.005, 0.004), 0.0002, 1e-6)
