"""Thin films: exact answers, mass to rounding, derivatives against differences, refusals with a cure."""

import functools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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
    SwiftStieber,
    Wall,
    dimples,
    flow,
    reach,
    step,
    support,
)
from lawful.lubrication._stencil import lu_solve

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


OUTLETS = ("load", "friction", "friction_fixed", "peak", "smooth_peak", "side_flow")


@jax.jit
@functools.partial(jax.value_and_grad, argnums=tuple(range(1, 6)), has_aux=True)
def told(shares, *given):
    """One number that holds a share of each."""
    found = flow(pocketed(*given))
    values = [getattr(found, name) for name in OUTLETS]
    values = jnp.stack([value() if callable(value) else value for value in values])
    return jnp.sum(shares * values), (found, values)


AT = (1.0, 0.01, 1e5, 1.2e5)


def test_derivatives_against_differences_through_a_broken_film(height):
    at = (height, *AT)
    (_, (found, values)), _ = told(jnp.ones(6), *at)
    shares = jnp.asarray([1.0, 0.7, -0.6, 0.5, -0.9, 0.8]) / values
    slopes = told(shares, *at)[1]
    assert found.converged
    assert 0.1 < found.cavitated < 0.9
    assert np.all(np.minimum(found.fraction, found.pressure) == 0)
    assert not np.any(found.undecided)
    along = (1e-7 * np.random.default_rng(1).normal(size=GRID.cells), 0.1, 0.001, 1e3, 2e3)

    def moved(e):
        (value, (other, _)), _ = told(shares, *[a + e * t for a, t in zip(at, along, strict=True)])
        assert np.array_equal(other.w > 0, found.w > 0)  # else differences would straddle a change of the broken cells
        return value

    difference = lambda e: (moved(e) - moved(-e)) / (2 * e)
    wanted = (4 * difference(5e-4) - difference(1e-3)) / 3
    backwards = sum(np.sum(np.asarray(s) * t) for s, t in zip(slopes, along, strict=True))
    # Newton's method stops at an imbalance of 1e-11, which differences over a thousandth magnify.
    assert abs(backwards / wanted - 1) < 1e-6


def test_forwards_as_backwards_and_a_change_of_the_broken_cells_is_foretold(height):
    first = reach(lambda t: pocketed(height * (1 + t), *AT))
    broken = lambda t: np.asarray(told(jnp.ones(6), height * (1 + t), *AT)[0][1][0].fraction) > 0
    change = broken(1.3 * first.step) != broken(0.0)
    assert change[first.cell]
    assert not np.any(broken(0.7 * first.step) != broken(0.0))
    load = jnp.zeros(6).at[0].set(1.0)
    slope = float(np.sum(told(load, height, *AT)[1][0] * height))
    forwards = jax.jit(lambda h: jax.jvp(lambda h: flow(pocketed(h, *AT)).load, (h,), (h,))[1])
    assert float(forwards(height)) == pytest.approx(slope, rel=1e-11)


def test_the_film_that_carries_a_load_and_its_derivative():
    grid = Grid(40, 0.01)

    def gap(load, upper=1e-4):
        film = lambda gap: Film(grid, gap + 2e-6 * (1 - grid.x / 0.01), 1.0, 0.01)
        found = support(film, load, 1e-7, upper)
        return found.gap, found.flow.load

    told = jax.jit(jax.value_and_grad(gap, has_aux=True))
    (_, carried), slope = told(2e4)
    assert float(carried) == pytest.approx(2e4, rel=1e-10)
    assert float(slope) == pytest.approx(float(told(2.002e4)[0][0] - told(1.998e4)[0][0]) / 40, rel=1e-5)
    with pytest.raises(BadInput, match="widen the bracket"):
        gap(2e9)


def test_a_cell_that_keeps_its_fluid():
    """A texture that repeats itself both ways: its mean pressure says how much fluid there is."""
    grid = Grid((24, 8), (1e-3, 4e-4))

    @jax.jit
    @functools.partial(jax.value_and_grad, argnums=(0, 1), has_aux=True)
    def rubbed(depth, mean):
        height = 2e-6 + depth * jnp.exp(-(((grid.x - 5e-4) / 2e-4) ** 2) - ((grid.y - 2e-4) / 1e-4) ** 2)
        found = flow(Film(grid, height, 2.0, 0.01, x=Periodic(), y=Periodic(), mean=mean, cavitation=JFO(0.0)))
        return found.friction, (found, found.imbalance, found.fluxes)

    (_, (found, imbalance, fluxes)), slopes = rubbed(4e-6, 1e5)
    assert imbalance < 1e-13
    assert 0.05 < np.mean(found.fraction > 0) < 0.9
    assert float(np.mean(found.pressure)) == pytest.approx(1e5, rel=1e-13)
    through = np.sum(fluxes.x, axis=1)
    assert np.ptp(through) < 1e-12 * np.max(through)
    moved = lambda e: float(rubbed(4e-6 * (1 + e), 1e5 * (1 - 2 * e))[0][0])
    wanted = (4 * (moved(1e-4) - moved(-1e-4)) / 2e-4 - (moved(2e-4) - moved(-2e-4)) / 4e-4) / 3
    assert float(4e-6 * slopes[0] - 2e5 * slopes[1]) == pytest.approx(wanted, rel=1e-6)


def test_factors_are_let_go():
    """SuperLU's memory is given back only in the thread that took it; compiled code calls from several."""
    resident = lambda: int(Path("/proc/self/statm").read_text().split()[1]) * 4096
    if not Path("/proc/self/statm").exists():
        pytest.skip("no /proc")
    entries = -np.ones((5, 96, 96))

    def solved(i):
        entries[0] = 4.1 + 1e-3 * i
        with ThreadPoolExecutor(1) as another:
            another.submit(lu_solve, entries.copy(), np.ones((96, 96)), False).result()

    for i in range(8):
        solved(i)
    before = resident()
    for i in range(30):
        solved(8 + i)
    assert resident() - before < 30e6  # each factor takes 5 MB


def test_bad_films_are_refused_with_the_cure():
    grid = Grid(10, 1.0)
    for height, speed, ends, words in (
        (0.0, 1.0, {}, "needs a gap everywhere"),
        (np.linspace(1, -1, 10), 1.0, {}, "Add the minimum film"),
        (np.ones(9), 1.0, {}, "grid.x"),
        (1.0, 1.0, {"x": (Periodic(), Open())}, "periodic as a whole"),
        (1.0, 1.0, {"x": Periodic()}, "feed groove"),
        (1.0, 1.0, {"x": Periodic(), "mean": -1.0}, "below the pressure of cavitation"),
        (1.0, 1.0, {"x": Periodic(), "mean": 1.0, "squeeze": 1.0}, "no end lets fluid out"),
        (1.0, 1.0, {"x": Periodic(), "mean": 1.0, "cavitation": SwiftStieber()}, "keeps mass"),
        (1.0, 1.0, {"x": Open(), "mean": 1.0}, "leave one out"),
        (1.0, 1.0, {"x": Pressure(-1.0)}, "below the pressure of cavitation"),
    ):
        with pytest.raises(BadInput, match=words):
            Film(grid, height, speed, 1.0, **ends)
    with pytest.raises(BadInput, match="finer than 4 cells"):
        dimples(GRID, (0.005, 0.004), 0.0002, 1e-6)
