"""Records in time: d'Alembert's solutions, the clock's own accuracy, and causality."""

import numpy as np
import pytest

import lawful as lf
from lawful import media
from media_cases import ENDS, laminate

pytestmark = pytest.mark.usefixtures("float64")

INTERVAL, COUNT = 1e-7, 1200
TIMES = INTERVAL * np.arange(COUNT)
LAYER = media.Stack(0.05, 70e9, 2700.0)
TAU, Z = 0.05 / np.sqrt(70e9 / 2700.0), np.sqrt(70e9 * 2700.0)


def wavelet(time):
    return np.asarray(media.ricker(time, 4e5))


def echoes(first, sign):
    """What arrives after `first` crossings and every two more, each time with its sign."""
    return sum(sign**k * wavelet(TIMES - (first + 2 * k) * TAU) for k in range(12))


@pytest.mark.parametrize(("end", "sign"), [("free", 1.0), ("fixed", -1.0)])
def test_one_layer_does_what_d_alembert_says(end, sign):
    """Waves that keep their shape, each reflection with its sign; a layer of incommensurate travel time."""
    found = media.records(media.Tap(right=ENDS[end]), LAYER, wavelet(TIMES), INTERVAL)
    near = (2 * echoes(0, sign) - wavelet(TIMES)) / Z
    far = (1 + sign) * echoes(1, sign) / Z
    np.testing.assert_allclose(found["near"], near, atol=1e-9 * np.abs(near).max())
    np.testing.assert_allclose(found["far"], far, atol=1e-9 / Z)


def test_a_mass_at_the_end_moves_as_newton_says():
    """What arrives pushes with 2 Z v_in = Z v + m v': an exponential, here of a step through a matched bar."""
    mass = 40.0
    pulse = np.where(TIMES < 40e-6, np.sin(np.pi * TIMES / 40e-6) ** 4, 0.0)
    found = media.records(media.Tap(right=media.MassEnd(mass)), LAYER, pulse, INTERVAL)["far"]
    fine = 20
    t = np.arange(COUNT * fine) * INTERVAL / fine
    until = 3 * TAU  # before the echo is back
    load = np.where((t > TAU) & (t < TAU + 40e-6), np.sin(np.pi * (t - TAU) / 40e-6) ** 4, 0.0)
    kernel = np.exp(-Z / mass * t)
    kernel[0] /= 2  # trapezoidal rule
    moved = np.convolve(2 * load / mass, kernel)[: t.size] * INTERVAL / fine
    early = until > TIMES
    np.testing.assert_allclose(found[early], moved[::fine][early], atol=1e-5 * np.abs(moved).max())


def test_nothing_arrives_before_it_can():
    found = media.records(media.Tap(right=ENDS["bar"]), laminate(), wavelet(TIMES), INTERVAL)["far"]
    first = float(np.sum(laminate().travel_time))
    assert np.abs(found[first > TIMES]).max() < 1e-9 * np.abs(found).max()


@pytest.mark.parametrize(("pad", "quiet", "tolerance"), [(2, 1e-10, 3e-10), (4, 1e-12, 1e-11), (1, 1e-8, 1e-7)])
def test_the_clock_is_as_accurate_as_it_says(pad, quiet, tolerance):
    """An undamped stack between a free end and a wall rings for ever, the hardest case for a periodic transform."""
    clock = media.Clock(INTERVAL, COUNT, pad=pad, quiet=quiet)
    found = media.records(media.Tap(right=ENDS["fixed"]), LAYER, wavelet(TIMES), INTERVAL, clock=clock)["near"]
    exact = (2 * echoes(0, -1.0) - wavelet(TIMES)) / Z
    assert np.abs(found - exact).max() < tolerance * np.abs(exact).max()


def test_channels_are_functions_of_motions():
    found = media.records(
        media.Tap(right=ENDS["bar"]),
        laminate(),
        wavelet(TIMES),
        INTERVAL,
        observe={"displacement": lambda s, far: far / s, "gained": lambda far, gain: gain * far},
        known={"gain": 3.0},
    )
    plain = media.records(media.Tap(right=ENDS["bar"]), laminate(), wavelet(TIMES), INTERVAL)["far"]
    np.testing.assert_allclose(found["gained"], 3 * plain, atol=1e-9 * np.abs(plain).max())
    rate = np.gradient(np.asarray(found["displacement"]), INTERVAL)
    np.testing.assert_allclose(rate, plain, atol=2e-2 * np.abs(plain).max())


def test_loss_makes_pulses_late_long_and_faint():
    tap = media.Tap(right=ENDS["bar"])
    clean, lossy = (media.records(tap, laminate(q), wavelet(TIMES), INTERVAL)["far"] for q in (0.0, 0.1))
    assert np.abs(lossy).max() < 0.5 * np.abs(clean).max()
    first = float(np.sum(laminate().travel_time))
    assert np.abs(np.asarray(lossy)[0.7 * first > TIMES]).max() < 1e-8 * np.abs(lossy).max()


def test_derivatives_of_records_are_those_of_their_values():
    import jax.numpy as jnp

    pulse = wavelet(TIMES)

    def late(logs):
        stack = media.Stack(jnp.exp(logs[:2]), jnp.exp(logs[2:4]), jnp.exp(logs[4:6]), jnp.exp(logs[6:]), 1e5)
        return 1e7 * media.records(media.Tap(right=ENDS["bar"]), stack, pulse, INTERVAL)["far"][::40]

    at = jnp.log(jnp.array([0.03, 0.02, 70e9, 5.5e9, 2700.0, 1180.0, 0.01, 0.03]))
    lf.check_gradient(late, at)


@pytest.mark.parametrize("decibels", [20, 40, 60])
def test_the_noise_of_a_record_is_told_from_its_spectrum_alone(decibels):
    """Also where the motion goes on when the record ends: cut off there, its spectrum has no quiet part of its own."""
    pulse = np.exp(-((TIMES / 8e-6 - 4) ** 2))
    clean = media.records(media.Tap(right=ENDS["bar"]), laminate(), pulse, INTERVAL)
    rng = np.random.default_rng(0)
    for name in ("near", "far"):
        samples = np.asarray(clean[name])
        assert abs(samples[-1]) > 0.1 * np.abs(samples).max()
        noise = np.std(samples) * 10 ** (-decibels / 20)
        survey = [
            media.Waveforms(media.Tap(), pulse, INTERVAL, {name: samples + noise * rng.normal(size=COUNT)})
            for _ in range(20)
        ]
        found = np.array([each.quiet()[name] for each in survey])
        assert abs(np.mean(found) / noise - 1) < 0.05
        assert np.all(abs(found / noise - 1) < 0.2)
