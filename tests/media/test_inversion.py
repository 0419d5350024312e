"""From records to layers: what is found, what cannot be, what is refused."""

import numpy as np
import pytest

import lawful as lf
from lawful import BadInput, media

INTERVAL, COUNT = 2e-7, 500
TIMES = INTERVAL * np.arange(COUNT)
FOOT = media.HalfSpace(200e9, 7850.0)
TRUTH = {"thickness": np.array([0.03, 0.02]), "modulus": np.array([70e9, 5.5e9])}
DENSITY = np.array([2700.0, 1180.0])
PULSE = np.where(TIMES < 8e-6, np.sin(np.pi * TIMES / 8e-6) ** 4, 0.0)


def known_density(thickness, modulus):
    return media.Stack(thickness, modulus, DENSITY)


def nothing_known(thickness, modulus, density):
    return media.Stack(thickness, modulus, density)


def guesses(density=False):
    found = {"thickness": lf.Positive([0.02, 0.02]), "modulus": lf.Positive([3e10, 3e10])}
    return {**found, "density": lf.Positive([2000.0, 2000.0])} if density else found


def recorded(tap, share, seed=0, noise=None):
    """The far record with white noise of this share of its rms; its level, as simulated, may be told."""
    import jax

    with jax.enable_x64(True):
        clean = np.asarray(media.records(tap, known_density(**TRUTH), PULSE, INTERVAL)["far"])
    level = share * np.sqrt(np.mean(clean**2))
    samples = clean + level * np.random.default_rng(seed).normal(size=COUNT)
    return media.Waveforms(tap, PULSE, INTERVAL, {"far": samples}, noise=level if noise else None)


@pytest.fixture(scope="module")
def told():
    return media.invert(known_density, guesses(), recorded(media.Tap(right=FOOT), 0.01), starts=128, progress=False)


def test_layers_are_found_with_their_error_bars(told):
    assert told.status.converged, told.status
    assert not told.undetermined
    assert not told.alternatives
    for name, values in TRUTH.items():
        error, sd = np.abs(told[name].value - values), np.asarray(told[name].sd)
        assert np.all(error < 4 * sd)
        assert np.all(error < 0.01 * values)
        np.testing.assert_allclose(sd, told.bounds[name].sd, rtol=1e-3)  # no prior: the bound is attained
    np.testing.assert_allclose(told.layers["density"].value, DENSITY)
    np.testing.assert_allclose(told.layers["density"].sd, 0.0)
    assert "± " in told.summary()
    assert told.to_json()["layers"][1]["thickness"]["sd"] > 0


def test_a_noise_that_is_told_gives_the_same_answer(told):
    survey = recorded(media.Tap(right=FOOT), 0.01, noise=True)
    again = media.invert(known_density, guesses(), survey, starts=128, progress=False)
    np.testing.assert_allclose(again["modulus"].value, told["modulus"].value, rtol=1e-5)
    np.testing.assert_allclose(again["modulus"].sd, told["modulus"].sd, rtol=0.1)
    assert 1e-3 < again.p_value <= 1
    assert np.isnan(told.p_value)
    foreseen = media.foresee(known_density, guesses(), survey, TRUTH)
    np.testing.assert_allclose(foreseen.layers["thickness"].sd, again["thickness"].sd, rtol=0.05)


@pytest.mark.parametrize("seed", [0])
def test_a_loss_that_is_zero_is_found_with_an_error_bar(seed):
    """In its logarithm zero lies infinitely far away, where every misfit is flat: no minimum, and no second answer."""
    lossy = lambda thickness, modulus, loss: media.Stack(thickness, modulus, DENSITY, loss, reference=1e5)
    unknowns = {**guesses(), "loss": lf.Positive([0.01, 0.01])}
    survey = recorded(media.Tap(right=FOOT), 0.1, seed)
    aside = {**TRUTH, "thickness": 1.02 * TRUTH["thickness"]}
    begin = [{**aside, "loss": [0.01, 0.01]}, {**aside, "loss": [1e-7, 1e-7]}]
    found = media.invert(lossy, unknowns, survey, starts=1, begin=begin, progress=False)
    assert found.status.converged, found.status
    assert not found.undetermined
    loss = found["loss"]
    assert np.all(loss.value >= 0)
    assert np.all(loss.value < 3 * np.asarray(loss.sd))
    assert np.all(loss.sd < 0.1)


def test_without_a_known_quantity_the_free_directions_are_named(told):
    survey = recorded(media.Tap(right=FOOT), 0.01)
    free = media.invert(nothing_known, guesses(density=True), survey, starts=128, progress=False)
    assert sorted(free.undetermined) == [f"thickness[{i}] * modulus[{i}] / density[{i}]" for i in (0, 1)]
    for name in ("thickness", "modulus", "density"):
        assert np.all(np.isinf(free[name].sd))
    for name in ("impedance", "travel_time"):
        np.testing.assert_allclose(free.layers[name].value, told.layers[name].value, rtol=1e-5)
        np.testing.assert_allclose(free.layers[name].sd, told.layers[name].sd, rtol=0.05)


def test_a_record_that_reads_the_same_turned_round_is_refused():
    found = media.invert(known_density, guesses(), recorded(media.Tap(), 0.01), starts=128, progress=False)
    assert not found.status.converged
    assert "2 different answers" in str(found.status)
    (other,) = found.alternatives
    assert other.excess < 1e-3
    # One of the two is the truth, and each is the other turned round as waves feel it.
    np.testing.assert_allclose(other.layers["impedance"], found.layers["impedance"].value[::-1], rtol=1e-4)
    np.testing.assert_allclose(other.layers["travel_time"], found.layers["travel_time"].value[::-1], rtol=1e-4)


def test_a_medium_with_too_few_layers_is_refused():
    survey = recorded(media.Tap(right=FOOT), 0.01)
    one = {"thickness": lf.Positive(0.04), "modulus": lf.Positive(3e10)}
    found = media.invert(
        lambda thickness, modulus: media.Stack(thickness, modulus, 2000.0), one, survey, starts=64, progress=False
    )
    assert not found.status.converged
    assert "does not explain" in str(found.status)


def test_the_landscape_has_its_lowest_point_at_the_answer(told):
    found = media.landscape(told, "thickness[0]", "modulus[1]", count=21)
    row, column = np.unravel_index(np.argmin(found.values), found.values.shape)
    assert (row, column) == (10, 10)
    np.testing.assert_allclose(found.first[10], told["thickness"].value[0])
    assert found.values[10, 10] == pytest.approx(told.chi2 / told.dof)
    with pytest.raises(BadInput, match=r"mean 'modulus\[1\]'"):
        media.landscape(told, "thickness[0]", "modulus[11]")


def test_pictures_are_drawn(told, tmp_path):
    figures = [media.strips_figure(told)[0], media.fit_figures(told)["far"][0]]
    for index, figure in enumerate(figures):
        figure.savefig(tmp_path / f"{index}.png")
    ticks = [label.get_text() for label in figures[0].axes[0].get_yticklabels()]
    assert ticks == ["found"]
    assert figures[0].axes[0].get_xlabel() == "depth in mm"


def test_records_come_from_files(tmp_path):
    table = np.column_stack([TIMES, PULSE, np.sin(1e5 * TIMES)])
    np.savetxt(tmp_path / "tap.csv", table, delimiter=",", header="time,force,far", comments="", fmt="%.17g")
    data = lf.Data.read(tmp_path / "tap.csv", columns={"time": "t", "force": "pulse", "far": "far"}, noise=0.01)
    read = media.waveforms(data, TAP)
    assert read.clock.interval == pytest.approx(INTERVAL, rel=1e-12)
    assert read.noise == {"far": 0.01}
    np.testing.assert_array_equal(read.pulse, PULSE)
    np.testing.assert_array_equal(read.observed["far"], table[:, 2])
    with pytest.raises(BadInput, match="no column pulse"):
        media.waveforms(lf.Data.read(tmp_path / "tap.csv"), TAP, time="time")
    uneven = {"t": TIMES**1.01, "pulse": PULSE, "far": PULSE}
    with pytest.raises(BadInput, match="even steps"):
        media.waveforms(lf.Data(uneven), TAP)


def test_records_come_from_xarray():
    import xarray

    axis = {"t": TIMES}
    dataset = xarray.Dataset({"pulse": ("t", PULSE), "far": ("t", 2 * PULSE)}, coords=axis)
    read = media.waveforms(lf.Data.from_xarray(dataset), TAP)
    np.testing.assert_array_equal(read.observed["far"], 2 * PULSE)
    assert read.noise == {"far": None}


def samples(count=COUNT):
    return np.ones(count)


TAP = media.Tap(right=FOOT)
GOOD = {"far": samples()}
REFUSED = {
    "negative thickness": (
        lambda: media.Stack([0.03, -0.02], [7e10] * 2, [2e3] * 2),
        "thickness of layer 2 is -0.02 m",
    ),
    "zero density": (lambda: media.Stack([0.03, 0.02], [7e10] * 2, [0.0, 2700.0]), "density of layer 1 is 0 kg/m3"),
    "modulus not a number": (lambda: media.Stack(0.03, np.nan, 2700.0), "modulus of layer 1 is nan"),
    "modulus a word": (lambda: media.Stack(0.03, "steel", 2700.0), "70e9"),
    "lengths differ": (lambda: media.Stack([0.03, 0.02], [7e10] * 3, [2700.0] * 2), "modulus has 3"),
    "negative loss": (lambda: media.Stack(0.03, 7e10, 2700.0, -0.1, 1e5), "loss factor of layer 1 is -0.1"),
    "loss without reference": (lambda: media.Stack(0.03, 7e10, 2700.0, 0.1), "reference="),
    "negative mass": (lambda: media.MassEnd(-1.0), "mass at an end is -1"),
    "half-space of no density": (lambda: media.HalfSpace(7e10, 0.0), "density of a half-space is 0"),
    "interval zero": (lambda: media.Clock(0.0, 10), "sampling interval is 0.0"),
    "pulse and record differ": (lambda: media.Waveforms(TAP, samples(400), INTERVAL, GOOD), "500 samples, the pulse 4"),
    "record with a gap": (
        lambda: media.Waveforms(TAP, PULSE, INTERVAL, {"far": np.where(TIMES < 1e-5, np.nan, 1.0)}),
        "nan at sample 0",
    ),
    "no such motion": (lambda: media.Waveforms(TAP, PULSE, INTERVAL, {"fare": samples()}), "mean 'far'"),
    "noise negative": (lambda: media.Waveforms(TAP, PULSE, INTERVAL, GOOD, noise=-1.0), "noise of 'far'"),
    "pulse of zeros": (lambda: media.Waveforms(TAP, 0 * PULSE, INTERVAL, GOOD), "zero throughout"),
    "pulse above Nyquist": (
        lambda: media.Waveforms(TAP, np.eye(1, COUNT)[0], INTERVAL, GOOD),
        r"100 % of its strength at the Nyquist frequency 2.5e\+06 Hz",
    ),
    "observe a stranger": (
        lambda: media.Waveforms(TAP, PULSE, INTERVAL, GOOD, observe={"fa": lambda far: far}),
        "mean 'far'",
    ),
    "wrong name in the medium": (
        lambda: media.invert(lambda thicknes: None, {"thickness": lf.Positive(0.02)}, plain()),
        "mean 'thickness'",
    ),
    "wrong name in a channel": (
        lambda: media.invert(known_density, guesses(), plain(observe={"far": lambda far, gian: far * gian})),
        "'gian'",
    ),
    "unknown without transform": (lambda: media.invert(known_density, {"thickness": 0.02}, plain()), "lf.Positive"),
    "not a stack": (lambda: media.invert(lambda modulus: modulus, {"modulus": lf.Positive(7e10)}, plain()), "Stack"),
    "record too short": (
        lambda: media.invert(known_density, {**guesses(), "thickness": lf.Positive([3.0, 0.02])}, plain()),
        "record lasts 0.0001 s, but a wave needs 0.0009",
    ),
    "layer thinner than a sample": (
        lambda: media.invert(known_density, {**guesses(), "thickness": lf.Positive([0.02, 1e-4])}, plain()),
        "layer 2 is crossed in .* sampling interval",
    ),
    "no starts": (lambda: media.invert(known_density, guesses(), plain(), starts=0), "starts"),
}


def plain(**options):
    return media.Waveforms(TAP, PULSE, INTERVAL, {"far": PULSE}, **options)


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_at_the_door(case):
    make, word = REFUSED[case]
    with pytest.raises(BadInput, match=word):
        make()
