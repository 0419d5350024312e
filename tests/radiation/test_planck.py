"""Planck's law against quadrature, limits, and in single precision."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

import lawful as lf
import lawful.radiation as radiation
from lawful._core.precision import in_float64

XS = np.concatenate([np.geomspace(1e-6, 1, 25), np.linspace(1.5, 110, 60)])


@in_float64
def exact(x, wavelength):
    """Value and temperature gradient of ln B in extended precision."""
    x, wavelength = np.longdouble(x), np.longdouble(wavelength)
    temperature = np.longdouble(radiation.C2) / (wavelength * x)
    value = np.log(np.longdouble(radiation.C1)) - 5 * np.log(wavelength) - x - np.log(-np.expm1(-x))
    return value, x / temperature / -np.expm1(-x)


@pytest.mark.parametrize("wavelength", [0.65, 10.0])
def test_single_precision_keeps_values_and_gradients(wavelength):
    for x in XS:
        temperature = jnp.float32(radiation.C2 / (wavelength * x))
        held = radiation.C2 / (np.float64(np.float32(wavelength)) * np.float64(temperature))  # x of the rounded inputs
        value, slope = exact(held, np.float32(wavelength))
        found, gradient = jax.value_and_grad(radiation.log_radiance, argnums=1)(jnp.float32(wavelength), temperature)
        assert found.dtype == jnp.float32
        assert abs(float(found) - float(value)) < 2e-5
        assert abs(float(gradient) / float(slope) - 1) < 1e-6
        assert np.isfinite(float(radiation.radiance(jnp.float32(wavelength), temperature)))


@in_float64
def test_everything_emitted_is_stefan_and_boltzmanns():
    for temperature in (3.0, 300.0, 5800.0):
        peak = radiation.WIEN_DISPLACEMENT / temperature
        f = lambda s, t=temperature: float(radiation.radiance(np.exp(s), t)) * np.exp(s)
        total = np.pi * sum(
            quad(f, np.log(peak * a), np.log(peak * b), epsabs=0, epsrel=1e-12)[0]
            for a, b in ((0.02, 0.5), (0.5, 2), (2, 50), (50, 1e5))
        )
        assert total == pytest.approx(float(radiation.exitance(temperature)), rel=1e-10)


@in_float64
@given(st.floats(0.05, 40.0))
def test_fractions_are_the_integral(x):
    share = 15 / np.pi**4 * quad(lambda t: t**3 / np.expm1(t), 0, x, epsabs=1e-15, epsrel=1e-13)[0]
    assert float(radiation.fraction_below(radiation.C2 / (x * 700.0), 700.0)) == pytest.approx(1 - share, abs=3e-14)


@in_float64
def test_bands_add_up_and_their_slope_is_right():
    edges = [0.0, 2.0, 5.0, np.inf]
    parts = [float(radiation.band_exitance(a, b, 900.0)) for a, b in itertools.pairwise(edges)]
    assert sum(parts) == pytest.approx(float(radiation.exitance(900.0)), rel=1e-14)
    slope = float(jax.grad(radiation.band_exitance, argnums=2)(2.0, 5.0, 900.0))
    difference = float(radiation.band_exitance(2.0, 5.0, 900.01) - radiation.band_exitance(2.0, 5.0, 899.99)) / 0.02
    assert slope == pytest.approx(difference, rel=1e-7)


@in_float64
@given(st.floats(0.3, 300.0), st.floats(5.0, 5000.0))
def test_brightness_temperature_is_the_inverse(wavelength, temperature):
    log_l = radiation.log_radiance(wavelength, temperature)
    found = float(radiation.brightness_temperature_of_log(wavelength, log_l))
    assert found == pytest.approx(temperature, rel=1e-12)


@in_float64
def test_limits_and_other_units():
    assert float(radiation.wien(0.5, 300.0)) == pytest.approx(float(radiation.radiance(0.5, 300.0)), rel=1e-14)
    assert float(radiation.rayleigh_jeans(1e5, 3000.0)) == pytest.approx(
        float(radiation.radiance(1e5, 3000.0)), rel=radiation.C2 / 3e8
    )
    # B_nu dnu = B_lambda dlambda
    wavelength, temperature = 7.0, 400.0
    per_um = float(radiation.radiance(wavelength, temperature))
    per_hz = float(radiation.radiance_per_frequency(299792458e6 / wavelength, temperature))
    per_cm = float(radiation.radiance_per_wavenumber(1e4 / wavelength, temperature))
    assert per_hz * 299792458e6 / wavelength**2 == pytest.approx(per_um, rel=1e-12)
    assert per_cm * 1e4 / wavelength**2 == pytest.approx(per_um, rel=1e-12)
    places = np.linspace(9.0, 10.5, 15001)
    top = places[np.argmax(radiation.radiance(places, 300.0))]
    assert top == pytest.approx(radiation.WIEN_DISPLACEMENT / 300, abs=2e-4)


def test_the_layer_has_nothing_to_train():
    import equinox as eqx

    assert jax.tree.leaves(eqx.filter(radiation.log_radiance, eqx.is_inexact_array)) == []


@in_float64
def test_fresnel_against_complex_amplitudes():
    n, k = 3.0, 4.0
    assert float(radiation.fresnel_emissivity(n, k)) == pytest.approx(4 * n / ((n + 1) ** 2 + k**2), rel=1e-14)
    for angle in (0.3, 1.1, 1.5):
        m = n + 1j * k
        p = np.sqrt(m**2 - np.sin(angle) ** 2)
        s = (np.cos(angle) - p) / (np.cos(angle) + p)
        q = (m**2 * np.cos(angle) - p) / (m**2 * np.cos(angle) + p)
        expected = 1 - (abs(s) ** 2 + abs(q) ** 2) / 2
        assert float(radiation.fresnel_emissivity(n, k, angle)) == pytest.approx(expected, rel=1e-12)


@in_float64
def test_drude_becomes_hagen_and_rubens_for_long_waves():
    tau = 1e-16
    exact = radiation.fresnel_emissivity(*radiation.drude(300.0, 1e-7, tau))
    assert float(radiation.hagen_rubens(300.0, 1e-7)) == pytest.approx(float(exact), rel=0.01)


@in_float64
def test_total_emissivity_of_a_grey_body_and_of_two_bands():
    places = np.linspace(0.5, 30, 400)
    assert float(radiation.total_emissivity(places, jnp.full(400, 0.3), 500.0)) == pytest.approx(0.3, rel=1e-13)
    steps = jnp.where(places < 4, 0.8, 0.2)
    low = radiation.fraction_below(4.0, 500.0)
    assert float(radiation.total_emissivity(places, steps, 500.0)) == pytest.approx(float(0.2 + 0.6 * low), abs=2e-3)


@in_float64
def test_a_surface_among_walls_mixes_its_own_radiance_with_theirs():
    walls, own, places = 1500.0, 900.0, np.geomspace(0.5, 20.0, 9)
    for share in (0.0, 0.3, 1.0):
        expected = share * radiation.radiance(places, own) + (1 - share) * radiation.radiance(places, walls)
        found = radiation.log_radiance_among(places, own, share, walls)
        np.testing.assert_allclose(np.exp(found), expected, rtol=1e-13)
        slopes = jax.jacfwd(radiation.log_radiance_among, argnums=(1, 2, 3))(places, own, share, walls)
        assert all(np.all(np.isfinite(slope)) for slope in slopes)  # at shares of nothing and of all, too
    # an oven in which all has one temperature hides what it holds
    np.testing.assert_allclose(
        radiation.log_radiance_among(places, own, 0.2, own), radiation.log_radiance(places, own), rtol=1e-14
    )
    single = radiation.log_radiance_among(jnp.float32(1.0), jnp.float32(300.0), jnp.float32(0.9), jnp.float32(2000.0))
    assert float(single) == pytest.approx(float(radiation.log_radiance(1.0, 2000.0)) + np.log(0.1), abs=1e-5)


@in_float64
def test_gas_absorbs_what_is_behind_it_and_glows_itself():
    places, gas, behind = np.geomspace(1.0, 20.0, 7), 700.0, 1200.0
    body = radiation.log_radiance(places, behind)
    depth = radiation.line_depth(places, [4.26], [2.0], [30.0])
    assert float(radiation.line_depth(4.26, [4.26], [2.0], [30.0])) == pytest.approx(2.0, rel=1e-12)
    assert float(radiation.line_depth(1e4 / (1e4 / 4.26 + 30), [4.26], [2.0], [30.0])) == pytest.approx(1.0, rel=1e-9)
    found = radiation.log_radiance_through(body, places, depth, gas)
    expected = np.exp(-depth) * np.exp(body) - np.expm1(-depth) * np.exp(radiation.log_radiance(places, gas))
    np.testing.assert_allclose(np.exp(found), expected, rtol=1e-13)
    np.testing.assert_array_equal(radiation.log_radiance_through(body, places, 0.0, gas), body)
    thick = radiation.log_radiance_through(body, places, 200.0, gas)
    np.testing.assert_allclose(thick, radiation.log_radiance(places, gas), rtol=1e-14)
    two = radiation.log_radiance_through(found, places, depth, gas)  # two equal layers are one of twice the depth
    np.testing.assert_allclose(two, radiation.log_radiance_through(body, places, 2 * depth, gas), rtol=1e-13)


@in_float64
def test_walls_and_gas_as_laws_of_a_problem():
    """A billet among hotter walls, seen through a gas with one absorption line; taken as bare it is 100 K off."""
    places = np.geomspace(1.5, 8.0, 120)
    truth = {"T": 1150.0, "eps": 0.8, "depth": 0.7}
    walls, gas = 1400.0, 1000.0

    def seen(y, l, T, eps, depth):
        w = jnp.exp(l)
        clear = radiation.log_radiance_among(w, T, eps, walls)
        tau = radiation.line_depth(w, jnp.array([4.3]), depth[None], jnp.array([60.0]))
        return y - radiation.log_radiance_through(clear, w, tau, gas)

    def bare(y, l, T, eps):
        return y - jnp.log(eps) - radiation.log_radiance(jnp.exp(l), T)

    numbers = {name: jnp.asarray(value) for name, value in truth.items()}
    clean = -np.array([seen(0.0, np.log(w), **numbers) for w in places])
    readings = clean + 0.005 * np.random.default_rng(1).normal(size=len(places))

    def found(law, **unknowns):
        data = lf.Data({"l": np.log(places), "y": readings}, noise=0.005)
        domain = lf.Box(l=(np.log(1.5), np.log(8.0)))
        problem = lf.Problem(domain, "y", {"seen": law}, [], unknowns=unknowns, data=data)
        return lf.solve(problem, lf.Collocation(nodes=80, tolerance=1e-3), progress=False)

    common = {"T": lf.Positive(guess=1000.0), "eps": lf.Bounded(0.0, 1.0)}
    right = found(seen, depth=lf.Positive(guess=0.1), **common)
    for name, value in truth.items():
        assert abs(right[name].value - value) < 3.5 * right[name].sd
    assert right["T"].sd < 10
    wrong = found(bare, **common)
    assert abs(wrong["T"].value - truth["T"]) > 50
    assert wrong.chi2 > 10 * right.chi2


@in_float64
def test_emissivity_network():
    network = radiation.EmissivityNetwork(1.0, 12.0)
    start = network.unknown(median=0.3)
    places = np.geomspace(1.0, 12.0, 50)
    np.testing.assert_allclose(network(places, start.guess), 0.3, rtol=1e-14)
    weights = np.asarray(start.guess) + np.asarray(start.scale) * np.random.default_rng(0).normal(size=start.guess.size)
    values = network(places, weights)
    assert np.all((values > 0) & (values < 1))
    assert np.ptp(values) > 0.05
    np.testing.assert_allclose(np.exp(network.log(places, weights)), values, rtol=1e-12)
    with pytest.raises(lf.BadInput, match="shorter first"):
        radiation.EmissivityNetwork(12.0, 1.0)
    with pytest.raises(lf.BadInput, match="between 0 and 1"):
        network.unknown(median=1.2)


def test_temperatures_below_absolute_zero_are_refused():
    for call in (radiation.radiance, radiation.log_radiance, radiation.radiance_per_frequency):
        with pytest.raises(lf.BadInput, match="add 273"):
            call(10.0, np.array([300.0, -5.0]))
    with pytest.raises(lf.BadInput, match="absolute zero"):
        radiation.exitance(-3.0)
    assert np.isnan(float(jax.jit(radiation.radiance)(10.0, -5.0)))  # known too late to refuse, and never a number
