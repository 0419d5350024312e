"""Asperities beside a film, against their integrals and limits."""

import math

import jax
import numpy as np
import pytest
from scipy.integrate import quad

from lawful._core.messages import BadInput
from lawful.lubrication import Film, GreenwoodTripp, Grid, Mixed, PatirCheng, exceedance, support

pytestmark = pytest.mark.usefixtures("float64")

STEEL = (0.4e-6, 2e10, 5e-6, 1.15e11)


@pytest.mark.parametrize("n", [1.0, 2.0, 2.5])
def test_heights_above_a_gap(n):
    assert float(exceedance(n, 0.0)) == pytest.approx(
        2 ** ((n - 1) / 2) * math.gamma((n + 1) / 2) / math.sqrt(2 * math.pi), rel=1e-13
    )
    for gap in (-2.0, 1.0, 3.5):
        density = lambda s, gap=gap: (s - gap) ** n * math.exp(-s * s / 2) / math.sqrt(2 * math.pi)
        assert float(exceedance(n, gap)) == pytest.approx(
            quad(density, gap, np.inf, epsabs=0, epsrel=1e-12)[0], rel=1e-11
        )


def test_formulae_as_published():
    walls = GreenwoodTripp(*STEEL)
    assert float(walls.crowding) == pytest.approx(0.04)
    stiff = 16 * math.sqrt(2) * math.pi / 15 * 0.04**2 * math.sqrt(0.4 / 5) * 1.15e11
    assert float(walls.pressure(0.4e-6)) == pytest.approx(stiff * 0.08056, rel=1e-4)  # F_{5/2}(1) of the tables
    assert float(walls.touching(0.0)) == pytest.approx(math.pi**2 * 0.04**2 / 2)  # F_2(0) = 1/2
    assert float(PatirCheng(1.0)(2.0)) == pytest.approx(1 - 0.9 * math.exp(-1.12))
    for name in range(4):
        given = list(STEEL)
        given[name] = 0.0
        with pytest.raises(BadInput, match="above 0"):
            GreenwoodTripp(*given)


def test_film_and_asperities_share_a_load():
    grid, walls = Grid(40, 0.01), GreenwoodTripp(*STEEL)

    def rubbed(load):
        film = lambda gap: Film(grid, gap + 2e-6 * (1 - grid.x / 0.01), 1.0, 0.01, flow_factor=PatirCheng(0.4e-6))
        found = Mixed(support(film, load, 2e-7, 1e-5, lambda flow: Mixed(flow, walls).load).flow, walls)
        return found.coefficient, (found.load, found.flow.load, found.asperity_load, found.friction)

    rubbed = jax.jit(jax.value_and_grad(rubbed, has_aux=True))
    shares = []
    for load in (2e4, 2e5, 1e6):
        (_, (whole, film, touch, _)), _ = rubbed(load)
        assert float(whole) == pytest.approx(load, rel=1e-10)
        assert float(film + touch) == pytest.approx(load, rel=1e-10)
        shares.append(float(touch) / load)
    assert shares[0] < 1e-6
    assert shares == sorted(shares)
    assert shares[-1] > 0.01
    value = lambda load: float(rubbed(load)[0][0])
    wanted = (4 * (value(1.0001e6) - value(0.9999e6)) / 200 - (value(1.0002e6) - value(0.9998e6)) / 400) / 3
    assert float(rubbed(1e6)[1]) == pytest.approx(wanted, rel=1e-6)
