"""Rayleigh and Love waves: closed forms, another program's table, counting, and derivatives."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful import BadInput, media

pytestmark = pytest.mark.usefixtures("float64")

# By disba 0.7.0; benchmarks/dispersion.py wrote it and compares again.
TABLE = json.loads((Path(__file__).parent / "disba.json").read_text())
KINDS = {"rayleigh": media.Rayleigh(4), "love": media.Love()}
speeds = jax.jit(media.phase_speed, static_argnums=(2, 3))


def of_table(name):
    return media.Strata(*(np.array(TABLE[name][column]) for column in ("thickness", "vp", "vs", "density")))


@pytest.mark.parametrize("mode", [0, 1, 2])
@pytest.mark.parametrize("wave", KINDS)
def test_speeds_agree_with_disba(wave, mode):
    """To the tolerance of its search, and wherever it finds a mode there is one."""
    for name, row in TABLE.items():
        wanted = np.array(row["speeds"][f"{wave} {mode}"], float)
        found = np.full(6, np.nan)
        frequency = np.resize(row["frequency"], 6)  # one size, one program
        found = np.asarray(speeds(of_table(name), frequency, KINDS[wave], mode))[: wanted.size]
        there = np.isfinite(wanted)
        np.testing.assert_allclose(found[there], wanted[there], rtol=1e-6, err_msg=name)


def test_a_homogeneous_half_space_has_rayleigh_s_speed():
    """For vp = sqrt(3) vs: c = vs sqrt(2 - 2 / sqrt(3)), at every frequency."""
    ground = media.Strata([20.0, 30.0], np.sqrt(3.0) * np.full(3, 1000.0), np.full(3, 1000.0), np.full(3, 2000.0))
    found = speeds(ground, np.array([1.0, 7.0, 50.0]), KINDS["rayleigh"], 0)
    np.testing.assert_allclose(found, 1000.0 * np.sqrt(2 - 2 / np.sqrt(3)), rtol=1e-13)
    assert np.all(np.isnan(speeds(ground, np.array([1.0, 7.0, 50.0]), KINDS["rayleigh"], 1)))


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_one_layer_obeys_love_s_equation(mode):
    """mu1 q1 tan(k q1 H) = mu2 q2, and the modes begin at f = n vs1 / (2 H sqrt(1 - (vs1/vs2)^2))."""
    h, (b1, b2), (r1, r2) = 30.0, (300.0, 900.0), (1800.0, 2200.0)
    ground = media.Strata([h], [900.0, 2000.0], [b1, b2], [r1, r2])
    begins = mode * b1 / (2 * h * np.sqrt(1 - (b1 / b2) ** 2))
    f = np.array([0.9, 1.02, 1.5, 4.0]) * begins if mode else np.array([0.5, 1.0, 5.0, 20.0])
    c = np.asarray(speeds(ground, f, KINDS["love"], mode))
    if mode:
        assert np.isnan(c[0])
        c, f = c[1:], f[1:]
    k = 2 * np.pi * f / c
    q1, q2 = np.sqrt((c / b1) ** 2 - 1), np.sqrt(1 - (c / b2) ** 2)
    phase = k * q1 * h - np.arctan(r2 * b2**2 * q2 / (r1 * b1**2 * q1))
    np.testing.assert_allclose(phase, mode * np.pi, atol=1e-9)


def test_no_mode_is_missed():
    """As many modes as the count below the half-space's shear speed says, over many frequencies."""
    from lawful.media._guided import count, fastest

    ground = of_table("soil on rock")
    f = np.linspace(1.0, 40.0, 40)
    for waves in KINDS.values():
        counted = jax.jit(jax.vmap(lambda w, waves=waves: count(waves, ground, fastest(ground), w)))(2 * np.pi * f)
        assert np.all(np.diff(np.asarray(counted)) >= 0)  # modes begin and stay
        assert counted[-1] > 10
        # The count is the number of speeds: the three lowest modes exist exactly where it says so.
        for mode in range(3):
            found = np.asarray(speeds(ground, np.resize(f[::7], 6), waves, mode))
            np.testing.assert_array_equal(np.isfinite(found), np.resize(np.asarray(counted)[::7], 6) > mode)


@pytest.mark.parametrize("wave", KINDS)
def test_derivatives_are_those_of_the_values(wave):
    ground = of_table("soil on rock")
    given = {key: jnp.log(jnp.asarray(getattr(ground, key))) for key in ("thickness", "vp", "vs", "density")}
    given["frequency"] = jnp.log(jnp.array([4.0, 11.0]))

    @jax.jit
    def curve(logs):
        own = jax.tree.map(jnp.exp, logs)
        frequency = own.pop("frequency")
        return media.phase_speed(media.Strata(**own), frequency, KINDS[wave], 1) / 1000

    lf.check_gradient(curve, given, tolerance=1e-5)


def test_group_speed_is_the_slope_of_frequency_over_wavenumber():
    ground, f, step = of_table("continental crust"), np.array([0.03, 0.05, 0.1]), 1e-5
    love = media.Love()
    k = lambda f: 2 * np.pi * f / np.asarray(media.phase_speed(ground, f, love))
    wanted = 2 * np.pi * 2 * step * f / (k(f * (1 + step)) - k(f * (1 - step)))
    np.testing.assert_allclose(media.group_speed(ground, f, love), wanted, rtol=1e-7)


def test_curves_give_layers_back():
    """The shear speeds and thicknesses of a site from its fundamental Rayleigh curve."""
    truth = {"thickness": np.array([8.0, 20.0]), "vs": np.array([180.0, 400.0, 900.0])}
    density, ratio = np.array([1800.0, 1900.0, 2200.0]), 2.0
    site = lambda thickness, vs: media.Strata(thickness, ratio * vs, vs, density)
    f = np.geomspace(3.0, 40.0, 14)
    clean = np.asarray(media.phase_speed(site(**truth), f))
    curve = media.Curve(f, clean + np.random.default_rng(3).normal(size=f.size))
    found = media.invert(
        site,
        {"thickness": lf.Positive([10.0, 15.0]), "vs": lf.Positive([250.0, 350.0, 800.0])},
        media.SurfaceWaves(curve, noise=1.0),
        starts=1,
        progress=False,
    )
    assert found.status.converged, found.status
    assert not found.undetermined
    for name, values in truth.items():
        assert np.all(np.abs(found[name].value - values) < 4 * np.asarray(found[name].sd))
        assert np.all(np.asarray(found[name].sd) < 0.15 * values)


REFUSED = {
    "no half-space": (
        lambda: media.phase_speed(media.Strata([10.0], [400.0], [200.0], [1800.0]), [5.0]),
        "half-space",
    ),
    "negative mode": (lambda: media.phase_speed(of_table("soil on rock"), [5.0], mode=-1), "mode=-1"),
    "zero frequency": (lambda: media.phase_speed(of_table("soil on rock"), [0.0]), "positive"),
    "shear too fast": (lambda: media.Strata([10.0], [400.0, 900.0], [390.0, 300.0], [1800.0, 2e3]), "0.866"),
    "lengths": (lambda: media.Strata([10.0], [400.0, 900.0], [200.0], [1800.0, 2e3]), "1 of vs"),
    "curves differ": (
        lambda: media.SurfaceWaves(
            [media.Curve(np.ones(3), np.ones(3)), media.Curve(np.ones(4), np.ones(4), media.Love())]
        ),
        "same frequencies",
    ),
    "a mode twice": (
        lambda: media.SurfaceWaves([media.Curve(np.ones(3), np.ones(3)), media.Curve(np.ones(3), np.ones(3))]),
        "Rayleigh 0",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused(case):
    make, word = REFUSED[case]
    with pytest.raises(BadInput, match=word):
        make()
