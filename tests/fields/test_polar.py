"""A trial field around a hole."""

import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful._core.messages import BadInput
from lawful.fields._polar import waves


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("count", [1, 2, 7, 12])
def test_waves_by_doubling(count):
    phi, m = 2.1, np.arange(1, count + 1)
    found = waves(jnp.cos(phi), jnp.sin(phi), count)
    np.testing.assert_allclose(found, np.r_[1, np.cos(m * phi), np.sin(m * phi)], atol=1e-14)


@pytest.mark.usefixtures("float64")
def test_what_it_computes_in_the_users_coordinates():
    """T_2(s) sin 3 phi about (1, 5), on axes of different lengths."""
    domain = lf.Box(y=(3, 9), x=(0, 2))
    polar = lf.Polar(x=1.0, y=5.0, radii=(0.5, 2.5), radial=4, waves=3).on(domain)
    params = polar.init(None, domain.axes, (), 1)
    assert params.shape == (1, 4, 7)
    x, y = 1.7, 6.1
    r, phi = np.hypot(x - 1, y - 5), np.arctan2(y - 5, x - 1)
    place = {"y": jnp.asarray((y - 3) / 3 - 1), "x": jnp.asarray(x - 1)}
    s = (2 * r - 3) / 2
    np.testing.assert_allclose(polar(params.at[0, 2, 6].set(1.0), place, ()), [(2 * s**2 - 1) * np.sin(3 * phi)])


def test_a_logarithm_around_a_hole_with_mixed_conditions():
    """Laplace's equation with u = 0 on the rim and du/dn = -1/a on the hole: u = log r, which is singular inside."""
    ring = lf.Disk(x=2, y=0, radius=1, label="rim") - lf.Disk(x=2, y=0, radius=0.4, label="hole")
    problem = lf.Problem(
        ring,
        "u",
        {"laplace": lambda u_xx, u_yy: u_xx + u_yy},
        [lf.Value(ring.boundary("rim"), u=0.0), lf.Flux(ring.boundary("hole"), u=-1 / 0.4)],
    )
    trial = lf.Polar(x=2.0, y=0.0, radii=(0.4, 1.0), radial=16, waves=1)
    solution = lf.solve(problem, lf.Neural(trial=trial, exact_walls=False), progress=False)
    assert solution.status.converged, solution.status
    places = ring.sample(500, 1)
    assert np.max(np.abs(solution.u(**places) - np.log(np.hypot(places["x"] - 2, places["y"])))) < 1e-7


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: lf.Polar(x=0.0, radii=(0.3, 1.0)), "two finite coordinates"),
        (lambda: lf.Polar(x=0.0, y=float("nan"), radii=(0.3, 1.0)), "two finite coordinates"),
        (lambda: lf.Polar(x=0.0, y=0.0, radii=(0.0, 1.0)), "0 < inner < outer"),
        (lambda: lf.Polar(x=0.0, y=0.0, radii=(1.0, 0.5)), "0 < inner < outer"),
        (lambda: lf.Polar(x=0.0, y=0.0, radii=0.3), r"write lf\.Polar"),
        (lambda: lf.Polar(x=0.0, y=0.0, radii=(0.3, 1.0), waves=0), "waves must be at least 1"),
        (lambda: lf.Polar(x=0.0, y=0.0, radii=(0.3, 1.0)).on(lf.Box(x=(0, 1), t=(0, 1))), "the axes of the domain are"),
    ],
)
def test_bad_input_is_refused(make, words):
    with pytest.raises(BadInput, match=words):
        make()
