"""Studies of flows, at their quickest, by the command line; and the closed forms that they take off."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from typer.testing import CliRunner

from lawful.cli import app
from lawful.studies import cavity, helmholtz
from lawful.studies._lid_corner import creeping, creeping_bend, inertia, inertial, inertial_bend, value
from study_runs import converged

RE, REACH = 100.0, 0.6


@pytest.mark.slow
def test_cavity(tmp_path):
    numbers = converged("cavity", "--out", str(tmp_path))
    assert numbers["kovasznay"]["neural"]["error"] < 1e-11
    assert numbers["kovasznay"]["neural"]["divergence"] < 1e-11
    reynolds = numbers["reynolds_from_50_velocities"]
    assert reynolds["error_in_sd"] < 3
    assert 0.1 < reynolds["sd"] < 1
    told = numbers["cavity"]
    assert max(told["difference_from_botella"].values()) < 3e-6
    assert told["slip"] < 1e-9
    assert told["accuracy"] < 1e-3
    # Ghia's second-order grid is within a hundredth; a table read the wrong way round would be far off.
    assert max(told["difference_from_ghia"].values()) < 0.015
    assert (told["x_psi_min"], told["y_psi_min"]) == pytest.approx((0.6157, 0.7373), abs=2e-4)
    assert (tmp_path / "cavity-100.png").stat().st_size > 10_000


@pytest.mark.parametrize("setting", ["reynolds=5000", "reynolds=-1", "nodes=4", "renolds=3"])
def test_bad_settings_are_refused(setting):
    found = CliRunner().invoke(app, ["run", "cavity", "--set", setting], catch_exceptions=False)
    assert found.exit_code == 2


def bend(function, x, y):
    return np.trace(np.asarray(jax.hessian(lambda place: function(place[0], place[1]))(jnp.array([x, y]))))


@pytest.mark.usefixtures("float64")
def test_the_corner_is_a_flow():
    """At rest on the wall, as fast as the lid on the lid, and spins are Laplacians."""
    slope = jax.grad(creeping, (0, 1))
    assert creeping(0.0, 0.7) == pytest.approx(0, abs=1e-15)
    assert slope(0.0, 0.7)[0] == pytest.approx(0, abs=1e-15)
    assert slope(0.7, 0.0)[1] == pytest.approx(-1)
    for x, y in ((0.3, 0.2), (0.05, 0.4)):
        assert creeping_bend(x, y) == pytest.approx(bend(creeping, x, y), rel=1e-11)
        assert inertial_bend(x, y, REACH) == pytest.approx(bend(lambda x, y: inertial(x, y, REACH), x, y), rel=1e-9)
    ends = np.array([0.0, np.pi / 2])
    np.testing.assert_allclose(value(inertia().shape, ends), 0, atol=1e-12)


@pytest.mark.usefixtures("float64")
def test_inertia_answers_to_the_creeping_flow():
    """With both terms the transport of vorticity is met one order of r better than by the creeping flow alone."""

    def miss(r, share):
        def stream(place):
            return creeping(place[0], place[1]) + share * RE * inertial(place[0], place[1], 1e6)

        def spin(place):  # up to its sign, which the equation is linear in
            return creeping_bend(place[0], place[1]) + share * RE * inertial_bend(place[0], place[1], 1e6)

        at = r * jnp.array([np.cos(0.7), np.sin(0.7)])
        s_x, s_y = jax.grad(stream)(at)
        w_x, w_y = jax.grad(spin)(at)
        # y runs down the wall, so that the turned axes change the sign of the transport
        return abs(float(-(s_y * w_x - s_x * w_y) - jnp.trace(jax.hessian(spin)(at)) / RE))

    best = min(abs(miss(1e-3, sign)) for sign in (1.0, -1.0))
    assert best < 0.3 * miss(1e-3, 0.0)


@pytest.mark.usefixtures("float64")
def test_what_is_taken_off_moves_the_lid_twice():
    for x in (0.2, 0.9):
        assert cavity.slope_y(x, 1.0, RE) == pytest.approx(2.0, abs=1e-12)
        assert cavity.taken_off(x, 1.0, RE) == pytest.approx(0.0, abs=1e-12)


# Waves around a hole


@pytest.mark.slow
def test_helmholtz(tmp_path):
    numbers = converged("helmholtz", "--out", str(tmp_path))
    for name in ("built_in", "weighed"):
        assert numbers[name]["rel_l2"] < 2e-4
    assert numbers["built_in"]["conditions_missed_by"] < 1e-13
    assert numbers["series_miss"] < 1e-12
    assert (tmp_path / "waves.png").stat().st_size > 10_000


@pytest.mark.parametrize("offset", [0.0, 0.3])
def test_the_series_is_a_wave_and_meets_both_conditions(offset):
    basin = helmholtz.Basin(5.0, offset, 2.0)
    exact, step = helmholtz.series(basin), 1e-3
    assert helmholtz.series_miss(exact) < 1e-12
    x, y = np.array([-0.5, 0.1]), np.array([0.2, -0.7])

    def bend(dx, dy):
        """The second derivative, to fourth order."""
        around = [exact(x + n * step * dx, y + n * step * dy) for n in (-2, -1, 0, 1, 2)]
        return np.tensordot([-1, 16, -30, 16, -1], around, 1) / (12 * step**2)

    np.testing.assert_allclose(bend(1, 0) + bend(0, 1) + 25 * exact(x, y), 0, atol=1e-7)
    r = np.hypot(x, y)
    slope = (exact(x * (1 + step), y * (1 + step)) - exact(x * (1 - step), y * (1 - step))) / (2 * step * r)
    np.testing.assert_allclose(exact.slope(x, y), slope, rtol=1e-4)


@pytest.mark.parametrize("setting", ["k=20", "k=-1", "offset=0.9", "offset=no", "spring=0"])
def test_a_basin_that_cannot_be_is_refused(setting):
    found = CliRunner().invoke(app, ["run", "helmholtz", "--set", setting], catch_exceptions=False)
    assert found.exit_code == 2
