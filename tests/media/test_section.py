"""Shear waves in a section: the closed form of a line force, order of convergence, reciprocity, derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful import BadInput, media

MODULUS, DENSITY, SPEED = 10e9, 2400.0, np.sqrt(10e9 / 2400.0)


def by_green(distance, times, frequency):
    """The velocity that a line force of Ricker's shape makes in an endless solid:

    2 pi mu v(t) = int_0^acosh(ct/r) f'(t - r/c cosh a) da
    """
    late = distance / SPEED

    def slope(time):
        rate = (np.pi * frequency) ** 2
        a = rate * (time - 2 / frequency) ** 2
        return 2 * rate * (time - 2 / frequency) * (2 * a - 3) * np.exp(-a)

    reach = np.arccosh(np.maximum(times / late, 1.0))
    angles = reach[:, None] * np.linspace(0.0, 1.0, 1001)
    found = np.trapezoid(slope(times[:, None] - late * np.cosh(angles)), angles, axis=1)
    return found / (2 * np.pi * MODULUS)


def struck(refined, width, beyond=0.0):
    """A homogeneous square, struck and heard 0.5 m away, `beyond` from its edges."""
    spacing, interval, n = 0.05 / refined, 8e-6 / refined, round(width / 0.05) * refined + 1
    first = np.array([[round((beyond + 0.3) / spacing)] * 2])
    second = first + np.array([[round(0.3 / spacing), round(0.4 / spacing)]])
    times = interval * np.arange(180 * refined)
    section = media.Section(np.full((n, n), MODULUS), DENSITY, spacing)
    shots = media.Shots(first, second, np.asarray(media.ricker(times, 3e3)), interval)
    return times, np.asarray(media.shear_records(section, shots, edge=12 * refined))[0, 0]


@pytest.mark.usefixtures("float64")
def test_a_line_force_does_what_its_closed_form_says_at_second_order_and_edges_send_nothing_back():
    errors, heard = [], []
    for refined in (1, 2, 4):
        times, found = struck(refined, 1.6, 0.3)
        exact = by_green(0.5, times, 3e3)
        errors.append(np.abs(found - exact).max() / np.abs(exact).max())
        heard.append(found)
    assert errors[-1] < 1e-3
    assert errors[1] / errors[2] > 3.7
    _, wide = struck(1, 3.0, 1.0)  # no echo can be back before the record ends
    assert np.abs(wide - heard[0]).max() < 1e-3 * np.abs(heard[0]).max()


@pytest.mark.usefixtures("float64")
def test_source_and_receiver_may_change_places():
    rng = np.random.default_rng(0)
    section = media.Section(10e9 * np.exp(0.3 * rng.normal(size=(24, 20))), 2000 + 500 * rng.random((24, 20)), 0.02)
    pulse = np.asarray(media.ricker(3e-6 * np.arange(330), 5e3))
    a, b = np.array([[3, 4]]), np.array([[19, 12]])
    there, back = (np.asarray(media.shear_records(section, media.Shots(*p, pulse, 3e-6))) for p in ((a, b), (b, a)))
    assert np.abs(there).max() > 0
    np.testing.assert_allclose(there, back, atol=1e-12 * np.abs(there).max())


@pytest.mark.usefixtures("float64")
def test_derivatives_of_records_are_those_of_their_values():
    shots = media.Shots(
        np.array([[2, 3], [3, 9]]),
        np.array([[9, 5], [8, 8]]),
        np.asarray(media.ricker(4e-6 * np.arange(150), 5e3)),
        4e-6,
    )

    @jax.jit
    def heard(logs):
        section = media.Section(10e9 * jnp.exp(logs), 2400.0, 0.02)
        return 1e9 * media.shear_records(section, shots, edge=4)[:, :, ::30]

    lf.check_gradient(heard, jnp.asarray(0.2 * np.random.default_rng(1).normal(size=(12, 12))))


PULSE = np.asarray(media.ricker(4e-6 * np.arange(150), 5e3))
PLACES = np.array([[2, 3]]), np.array([[5, 5]])
BLOCK = np.full((12, 12), MODULUS)
REFUSED = {
    "negative modulus": (lambda: media.Section(-BLOCK, 2400.0, 0.02), r"node \(0, 0\) is -1e\+10 Pa"),
    "density of another shape": (lambda: media.Section(BLOCK, np.ones((3, 3)), 0.02), "shape"),
    "spacing zero": (lambda: media.Section(BLOCK, 2400.0, 0.0), "spacing"),
    "source outside": (
        lambda: media.shear_records(
            media.Section(BLOCK, 2400.0, 0.02), media.Shots(np.array([[12, 3]]), PLACES[1], PULSE, 4e-6)
        ),
        "source 0 stands at node",
    ),
    "unstable": (
        lambda: media.shear_records(media.Section(BLOCK, 2400.0, 0.02), media.Shots(*PLACES, PULSE, 1e-5)),
        "unstable",
    ),
    "too coarse": (
        lambda: media.shear_records(media.Section(BLOCK, 2400.0, 0.08), media.Shots(*PLACES, PULSE, 4e-6)),
        "spans",
    ),
    "places no nodes": (lambda: media.Shots([[0.5, 1.0]], PLACES[1], PULSE, 4e-6), "whole numbers"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_at_the_door(case):
    make, word = REFUSED[case]
    with pytest.raises(BadInput, match=word):
        make()
