"""P-SV waves in a section: the closed form of a line force, exact layers, reciprocity, derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import kv

import lawful as lf
from lawful import BadInput, media

VP, VS, DENSITY = 3000.0, 1700.0, 2300.0  # m/s, m/s, kg/m3
APART = 384.0  # m


def block(n, spacing, vp=VP, vs=VS):
    return media.Solid(np.full((n, n), DENSITY * vs**2), np.full((n, n), DENSITY * vp**2), DENSITY, spacing)


def by_green(times, pulse):
    """The velocity that a line force makes in an endless solid, at `APART` from it: along the line to the receiver for
    a force along it, and across it for one across.

    rho s^2 u = (s^2/vs^2) g_s f - grad div (g_s - g_p) f,   g_c = K0(s r / c) / (2 pi)
    """
    clock = media.Clock(times[1], len(times), pad=4)
    s, r = clock.s, APART
    g = lambda c: kv(0, s * r / c) / (2 * np.pi)
    slope = lambda c: -s / c * kv(1, s * r / c) / (2 * np.pi)
    bend = lambda c: (s / c) ** 2 * g(c) - slope(c) / r
    along = s**2 / VS**2 * g(VS) - (bend(VS) - bend(VP))
    across = s**2 / VS**2 * g(VS) - (slope(VS) - slope(VP)) / r
    strength = clock.spectrum(pulse) / (DENSITY * s)
    return [np.asarray(clock.record(strength * each)) for each in (along, across)]


@pytest.mark.usefixtures("float64")
def test_a_line_force_does_what_its_closed_form_says_and_edges_send_nothing_back():
    errors = []
    for refined in (1, 2):
        spacing = 24.0 / refined
        times = 0.25 * spacing / VP * np.arange(400 * refined)
        pulse = np.asarray(media.ricker(times, 5.5))
        n, between = 60 * refined + 1, round(APART / spacing)
        first = np.array([[20 * refined, 30 * refined]] * 2)
        there = media.Blows(first, first[:1] + np.array([[between, 0]]), pulse, times[1], np.eye(2))
        found = np.asarray(media.solid_records(block(n, spacing), there, edge=12 * refined))[:, 0]
        exact = by_green(times, pulse)
        errors.append([np.abs(found[k, k] - exact[k]).max() / np.abs(exact[k]).max() for k in (0, 1)])
        assert np.abs(found[0, 1]).max() < 1e-12 * np.abs(exact[0]).max()
    assert np.all(np.array(errors[0]) < [3e-3, 0.02])
    assert max(errors[1]) < 8e-4
    assert min(a / b for a, b in zip(*errors, strict=True)) > 3.5


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("axis", [0, 1])
def test_a_plane_wave_meets_layers_as_the_exact_model_says(axis):
    """A force on a point, heard along a row and summed, is one on the whole row: compression for a force across the
    layers, shear for one along them."""
    spacing, speeds = 10.0, [(3000.0, 1700.0, 2300.0), (2000.0, 1100.0, 2000.0), (3600.0, 2100.0, 2500.0)]
    ends = (0, 61, 79, 110)
    vp, vs, rho = (np.concatenate([np.full(b - a, v[k]) for a, b, v in zip(ends, ends[1:], speeds, strict=False)])
                   for k in range(3))  # fmt: skip
    wide, count, interval, between = 420, 680, 0.9e-3, 20
    spread = lambda column: np.repeat(column[:, None], wide, axis=1)
    solid = media.Solid(spread(rho * vs**2), spread(rho * vp**2), spread(rho), spacing)
    speed, frequency = ((vp, 9.0), (vs, 5.5))[axis]
    times = interval * np.arange(count)
    row = np.stack([np.full(wide, 28 + between), np.arange(wide)], axis=1)
    pulse, late = (np.asarray(media.ricker(times, frequency, d)) for d in (0.2, 0.2 + between * spacing / speed[0]))
    there = media.Blows(np.array([[28, wide // 2]]), row, pulse, interval, np.eye(2)[[axis]])
    found = spacing * np.asarray(media.solid_records(solid, there))[0, :, axis].sum(axis=0)
    modulus = rho * speed**2
    # An interface lies half-way between nodes.
    stack = media.Stack([(60.5 - 28 - between) * spacing, 18 * spacing], modulus[[0, 61]], rho[[0, 61]])
    wave = media.Tap(right=media.HalfSpace(modulus[-1], rho[-1]))
    echo = np.asarray(media.records(wave, stack, late, interval)["reflection"])
    exact = (late + echo) / (2 * np.sqrt(modulus[0] * rho[0]))
    assert np.abs(echo).max() > 0.1
    assert np.abs(found - exact).max() < 0.01 * np.abs(exact).max()


def rough(seed):
    rng = np.random.default_rng(seed)
    mu = 6e9 * np.exp(0.15 * rng.normal(size=(12, 14)))
    return media.Solid(mu, mu * rng.uniform(1.5, 4.0, mu.shape), 2000 + 500 * rng.random(mu.shape), 10.0)


PULSE = np.asarray(media.ricker(1e-3 * np.arange(200), 9.0, 0.12))


@pytest.mark.usefixtures("float64")
def test_force_and_motion_may_change_places():
    """The motion along b at B for a force along a at A is that along a at A for a force along b at B."""
    solid, a, b = rough(0), np.array([[3, 4]] * 2), np.array([[8, 10]] * 2)
    there, back = (
        np.asarray(media.solid_records(solid, media.Blows(*places, PULSE, 1e-3, np.eye(2)), edge=4))[:, 0]
        for places in ((a, b[:1]), (b, a[:1]))
    )
    assert np.abs(there[0, 1]).max() > 0.01 * np.abs(there).max()
    np.testing.assert_allclose(there, np.swapaxes(back, 0, 1), atol=1e-12 * np.abs(there).max())


@pytest.mark.usefixtures("float64")
def test_derivatives_of_records_are_those_of_their_values():
    solid = rough(1)
    blows = media.Blows([[2, 3]], [[9, 5], [8, 11]], PULSE, 1e-3, [[0.6, 0.8]])

    @jax.jit
    def heard(logs):
        mu, stiff = (m * jnp.exp(change) for m, change in zip(solid.moduli(), logs, strict=True))
        return 1e9 * media.solid_records(media.Solid(mu, stiff, solid.density, 10.0), blows, edge=4)[..., ::20]

    lf.check_gradient(heard, jnp.zeros((2, 12, 14)))


FLAT = np.full((12, 12), 5e9)
REFUSED = {
    "compression too soft": (lambda: media.Solid(FLAT, 1.2 * FLAT, 2300.0, 20.0), "at least 4/3"),
    "compression of another shape": (lambda: media.Solid(FLAT, np.ones((5, 5)), 2300.0, 20.0), "shape"),
    "directions missing": (lambda: media.Blows([[2, 3]], [[5, 5]], PULSE, 1e-3, [1.0, 0.0]), "two finite numbers"),
    "shots without directions": (
        lambda: media.solid_records(
            media.Solid(FLAT, 3 * FLAT, 2300.0, 20.0), media.Shots([[2, 3]], [[5, 5]], PULSE, 1e-3)
        ),
        "media.Blows",
    ),
    "unstable for compression": (
        lambda: media.solid_records(
            media.Solid(FLAT, 9 * FLAT, 2300.0, 20.0), media.Blows([[2, 3]], [[5, 5]], PULSE, 5e-3, [[1.0, 0.0]])
        ),
        "unstable",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_at_the_door(case):
    make, word = REFUSED[case]
    with pytest.raises(BadInput, match=word):
        make()
