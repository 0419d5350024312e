"""Odd and even fields: exact whatever the trial field, and refused where what is given says otherwise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful.problem import folded, parities

DOMAIN = lf.Box(x=(1, 3), t=(0, 1))
ENDS = DOMAIN.at(x=(1, 3))


def heat(u_t, u_xx):
    return u_t - u_xx


def stated(symmetry, start, *more):
    return lf.Problem(DOMAIN, "u", {"heat": heat}, [lf.Value(DOMAIN.at(t=0), u=start), symmetry, *more])


def odd_start(x):
    return jnp.sin(jnp.pi * (x - 2))


def even_start(x):
    return jnp.cos(jnp.pi * (x - 2) / 2)


@pytest.mark.parametrize("trial", [lf.MLP(width=6, depth=2), lf.Spectral(7)], ids=["network", "modes"])
@pytest.mark.parametrize(("kind", "sign", "start"), [(lf.Odd, -1, odd_start), (lf.Even, 1, even_start)])
def test_exact_for_any_numbers(trial, kind, sign, start):
    problem = stated(kind(ENDS), start, lf.Value(ENDS, u=0.0))
    with jax.enable_x64(True):
        layers = [lf.Layer("x", at=1.7, width=0.1)]  # off the middle: the symmetry must not rest on the layer
        task = lf.Neural(trial=trial, points=64, layers=layers).task(problem)
        model = task.model(jnp.asarray(np.random.default_rng(0).normal(size=len(task.start))))
        for x, t in ((1.2, 0.3), (2.0, 0.9), (1.9, 0.0)):
            here, there = (float(model.fields(x=jnp.asarray(v), t=jnp.asarray(t))["u"]) for v in (x, 4 - x))
            assert here == pytest.approx(sign * there, abs=1e-13)
        assert float(model.fields(x=jnp.asarray(1.4), t=jnp.asarray(0.0))["u"]) == pytest.approx(float(start(1.4)))


def test_points_on_one_half():
    problem = stated(lf.Odd(ENDS), odd_start, lf.Value(ENDS, u=0.0))
    places = folded(problem, {"x": np.array([1.2, 2.9, 2.0]), "t": np.array([0.1, 0.2, 0.3])})
    np.testing.assert_allclose(places["x"], [2.8, 2.9, 2.0])
    np.testing.assert_allclose(places["t"], [0.1, 0.2, 0.3])
    assert parities(problem, "u") == {"x": -1}
    assert "odd about the middle of x" in str(problem.check())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: stated(lf.Odd(ENDS), even_start, lf.Value(ENDS, u=0.0)).check(), "stated to be odd"),
        (lambda: stated(lf.Even(ENDS), odd_start, lf.Value(ENDS, u=0.0)).check(), "stated to be even"),
        (
            lambda: stated(lf.Odd(ENDS), odd_start, lf.Value(ENDS, u=lambda t: t)).check(),
            "stated to be odd",
        ),
        (lambda: lf.Odd(DOMAIN.at(x=1)), "both ends of one axis"),
        (lambda: lf.Even("x"), "part of the domain"),
        (lambda: stated(lf.Odd(ENDS, "v"), odd_start, lf.Value(ENDS, u=0.0)).check(), "not a field"),
    ],
)
def test_refused(make, message):
    with pytest.raises(lf.BadInput, match=message):
        make()
