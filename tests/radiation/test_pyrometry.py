"""Temperatures from spectra: right where they are determined, refused where they are not."""

import numpy as np
import pytest

import lawful.radiation as radiation
from lawful import BadInput
from lawful._core.precision import in_float64

PLACES = np.linspace(2.0, 10.0, 60)


@in_float64
def shining(temperature, log_emissivity, noise=0.01, seed=0, places=PLACES):
    rng = np.random.default_rng(seed)
    return np.exp(
        np.asarray(radiation.log_radiance(places, temperature)) + log_emissivity + noise * rng.normal(size=len(places))
    )


def drawn(model, places, rng):
    """A logarithm of the emissivity as the prior expects it."""
    prior = model.prior(places)
    return model.mean(places) - 1.0 + prior @ rng.normal(size=prior.shape[1])


@pytest.mark.parametrize("model", [radiation.metal(), radiation.smooth(0.35, 0.3, 1.0)], ids=["metal", "smooth"])
@pytest.mark.parametrize("noise", [0.01, None], ids=["noise given", "noise found"])
def test_intervals_hold_the_truth(model, noise):
    scores, inside = [], 0
    for seed in range(60):
        rng = np.random.default_rng([seed, 7])
        truth = rng.uniform(500, 1500)
        level = drawn(model, PLACES, rng) + (1.0 if "smooth" in model.name else 0.0)
        found = radiation.pyrometry(radiation.Spectrum(PLACES, shining(truth, level, seed=seed), noise), model)
        scores.append((found.temperature.value - truth) / found.temperature.sd)
        inside += found.interval[0] <= truth <= found.interval[1]
    assert inside >= 52  # 57 expected
    assert 0.7 < np.std(scores) < 1.35
    assert abs(np.mean(scores)) < 0.5


def test_a_black_body_is_exact():
    found = radiation.pyrometry(radiation.Spectrum(PLACES, shining(812.0, 0.0, noise=0.0), 0.01), radiation.black())
    assert found.temperature.value == pytest.approx(812.0, rel=1e-10)
    assert found.determined
    assert found.coldest == pytest.approx(812.0, rel=1e-6)


def test_the_standard_deviation_is_that_of_least_squares():
    model = radiation.metal()
    spectrum = radiation.Spectrum(PLACES, shining(800.0, -1.0), 0.01)
    found = radiation.pyrometry(spectrum, model)
    with np.errstate(all="ignore"):
        t, h = found.temperature.value, 1e-3
        log_b = lambda t: in_float64(lambda: np.asarray(radiation.log_radiance(PLACES, t)))()
        slope = (log_b(t + h) - log_b(t - h)) / (2 * h)
    design = np.column_stack([slope, model.free(PLACES), model.prior(PLACES)])
    held = np.diag([0.0, 0.0, 1.0, 1.0])
    sd = np.sqrt(np.linalg.inv(design.T @ design / 0.01**2 + held)[0, 0])
    assert found.temperature.sd == pytest.approx(sd, rel=1e-5)


def test_correlated_residuals_widen_the_interval():
    ripple = 0.03 * np.sin(PLACES * 4)
    rough = 0.03 / np.sqrt(2) * np.random.default_rng(1).normal(size=60)
    smooth = radiation.pyrometry(radiation.Spectrum(PLACES, shining(800.0, ripple, 0.0)), radiation.polynomial(1))
    independent = radiation.pyrometry(radiation.Spectrum(PLACES, shining(800.0, rough, 0.0)), radiation.polynomial(1))
    assert smooth.neighbours > 3
    assert smooth.temperature.sd > 1.7 * independent.temperature.sd


def test_a_narrow_spectrum_determines_nothing_and_says_so():
    places = np.linspace(2.4, 2.6, 20)
    found = radiation.pyrometry(
        radiation.Spectrum(places, shining(900.0, -1.0, places=places), 0.01), radiation.polynomial(2)
    )
    assert not found.determined
    assert "fit equally well" in str(found)


def test_more_radiance_than_a_black_body_is_no_emissivity():
    bright = shining(900.0, np.log(np.where(PLACES < 4, 0.02, 1.6)), noise=0.001)
    found = radiation.pyrometry(radiation.Spectrum(PLACES, bright, 0.01), radiation.black())
    assert not found.determined
    assert "would exceed one" in str(found)
    cold = radiation.pyrometry(
        radiation.Spectrum(PLACES, shining(900.0, 0.0), 0.01), radiation.measured([1.0, 12.0], [1.0, 1.0])
    )
    assert cold.temperature.value == pytest.approx(900, rel=0.01)


def test_an_image_agrees_with_the_single_spectra():
    model, rng = radiation.metal(), np.random.default_rng(3)
    truths = rng.uniform(400, 1500, size=(5, 4))
    cube = np.stack([[shining(t, drawn(model, PLACES, rng), seed=i) for t in row] for i, row in enumerate(truths)])
    cube[2, 1] = np.nan
    for single in (True, False):
        found = radiation.temperature_map(PLACES, cube, model, 0.01, single=single)
        assert np.isnan(found.temperature[2, 1])
        assert np.isfinite(found.temperature).sum() == 19
        for i, j in ((0, 0), (4, 3), (3, 2)):
            alone = radiation.pyrometry(radiation.Spectrum(PLACES, cube[i, j], 0.01), model)
            assert found.temperature[i, j] == pytest.approx(alone.temperature.value, rel=1e-4 if single else 1e-8)
            assert found.sd[i, j] == pytest.approx(alone.temperature.sd, rel=1e-2)


GOOD = np.ones(4)
SPECTRUM = radiation.Spectrum(PLACES, np.ones(60))
BAD = {
    "metres": (lambda: radiation.Spectrum([1e-6, 2e-6, 3e-6, 4e-6], GOOD), "multiply by 1e6"),
    "nanometres": (lambda: radiation.Spectrum([800, 900, 1000, 1100], GOOD), "divide by 1000"),
    "unsorted": (lambda: radiation.Spectrum([1.0, 3.0, 2.0, 4.0], GOOD), "sort the rows"),
    "duplicated": (lambda: radiation.Spectrum([1.0, 2.0, 2.0, 4.0], GOOD), "occurs twice"),
    "negative radiance": (lambda: radiation.Spectrum([1.0, 2, 3, 4], [1, -1, 1, 1]), "at 2 um"),
    "nan": (lambda: radiation.Spectrum([1.0, 2, 3, 4], [1, np.nan, 1, 1]), "row 1"),
    "lengths": (lambda: radiation.Spectrum([1.0, 2, 3, 4], [1, 1]), "one for each"),
    "noise": (lambda: radiation.Spectrum([1.0, 2, 3, 4], GOOD, -0.1), "relative standard deviation"),
    "percent": (lambda: radiation.measured([1.0, 2.0], [30.0, 40.0]), "divide percentages"),
    "outside the table": (
        lambda: radiation.pyrometry(
            radiation.Spectrum(PLACES, np.ones(60)), radiation.measured([3.0, 9.0], [0.5, 0.5])
        ),
        "cut the spectrum",
    ),
    "too few bands": (
        lambda: radiation.pyrometry(radiation.Spectrum([1.0, 2, 3, 4], GOOD), radiation.polynomial(3)),
        "measure more bands",
    ),
    "cube's bands": (
        lambda: radiation.temperature_map([1.0, 2, 3], np.ones((2, 4)), radiation.black(), 0.1),
        "3 bands",
    ),
    "cube's dead pixel": (
        lambda: radiation.temperature_map([1.0, 2, 3], [[1, 1, 1], [1, 0, 1]], radiation.black(), 0.1),
        "the first at (1,)",
    ),
    "library": (lambda: radiation.library([1.0, 2.0], [[0.1, 0.2]]), "at least 3"),
    "missing file": (lambda: radiation.Spectrum.read("nowhere.csv"), "nowhere.csv"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_with_the_cure(case):
    make, words = BAD[case]
    with pytest.raises(BadInput) as refused:
        make()
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
