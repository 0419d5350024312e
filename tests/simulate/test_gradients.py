"""Derivatives through impacts and events: closed forms, finite differences, both modes; none where none exists."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful._core.compilation import quickly

pytestmark = pytest.mark.usefixtures("float64")
FALL = lf.SecondOrder(lambda t, q, v, g: jnp.zeros_like(q).at[-1].set(-g))


def central(f, x, h=1e-6):
    x = np.asarray(x, float)
    steps = h * np.eye(x.size)
    return np.stack([(np.asarray(f(x + d)) - np.asarray(f(x - d))) / (2 * h) for d in steps], -1)


def thrown(x):
    """Thrown against a slope with friction: everything that may be differentiated by, in a row."""
    speed, g, e, mu, offset = x
    slope = lf.Contact(lf.Plane((-0.3, 1.0), offset), restitution=e, friction=mu, radius=0.1, rests=False)
    start = jnp.array([0.0, 1.0]), jnp.stack([speed, jnp.zeros(())])
    q, v = lf.rollout(FALL, start, jnp.array([0.3, 1.1]), args=g, contacts=slope, most=32)
    return jnp.concatenate([q.ravel(), v.ravel()])


def test_both_modes_agree_with_finite_differences_through_impacts():
    x = jnp.array([1.5, 9.81, 0.7, 0.15, -0.2])
    f = quickly(thrown)
    expected = central(f, x)
    forward = np.asarray(quickly(jax.jacfwd(thrown))(x))
    np.testing.assert_allclose(forward, expected, rtol=1e-6, atol=1e-7)
    weights = np.linspace(1, 2, 8)
    reverse = quickly(jax.grad(lambda x: weights @ thrown(x)))(x)
    np.testing.assert_allclose(reverse, weights @ forward, rtol=1e-11, atol=1e-12)


def bounced(x):
    """Height at 0.8 after one bounce, of a ball dropped from h with restitution e."""
    h, e = x
    floor = lf.Contact(lf.Plane((1.0,)), restitution=e, rests=False)
    start = jnp.reshape(h, (1,)), jnp.zeros(1)
    method = lf.Taylor(1e-12, order=6, certify=False)
    return lf.rollout(FALL, start, jnp.array([0.8]), args=9.81, contacts=floor, most=4, method=method)[0][0, 0]


def test_second_derivatives_pass_through_a_bounce():
    def on_paper(x):
        first = jnp.sqrt(2 * x[0] / 9.81)
        rest = 0.8 - first
        return x[1] * 9.81 * first * rest - 0.5 * 9.81 * rest**2

    x = jnp.array([1.0, 0.8])
    slope = quickly(jax.grad(bounced))
    hessian = np.asarray(quickly(jax.jacfwd(jax.grad(bounced)))(x))
    np.testing.assert_allclose(hessian, jax.hessian(on_paper)(x), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(hessian, central(slope, x), rtol=1e-6, atol=1e-6)


def caught(x):
    """An event of a first-order motion that changes the state, and depends on parameters."""
    rate, level = x
    tank = lf.Event(lambda y, args: args[1] - y[0], then=lambda y: y * 0.25, name="empties")
    return lf.rollout(
        lambda t, y, a: a[0] * y, jnp.ones(1), jnp.array([2.0]), args=(rate, level), events=tank, most=32
    )[0, 0]


def test_derivatives_pass_through_events():
    """Growth that is quartered at a level L: y(2) = e^(2 r) / 4^n, whatever the level is."""
    value, slopes = quickly(jax.value_and_grad(caught))(jnp.array([1.3, 3.0]))
    count = 1 + int((2 * 1.3 - np.log(3.0)) // np.log(4))
    assert value == pytest.approx(np.exp(2.6) / 4**count, rel=1e-11)
    np.testing.assert_allclose(slopes, [2 * value, 0.0], rtol=1e-10, atol=1e-10)


def test_a_grazing_contact_has_no_derivative():
    def top(speed):
        ceiling = lf.Contact(lf.Plane((-1.0,), -1.0), rests=False)
        start = jnp.zeros(1), jnp.reshape(speed, (1,))
        return lf.rollout(FALL, start, jnp.array([0.8]), args=9.81, contacts=ceiling, most=32, method=lf.Taylor(1e-10))[
            0
        ][0, 0]

    slope = quickly(jax.grad(top))
    graze = np.sqrt(2 * 9.81)
    assert np.isnan(slope(graze))
    assert slope(0.9 * graze) == pytest.approx(0.8, rel=1e-10)


def test_out_of_steps_value_and_derivative_are_nan():
    def heights(g):
        return lf.rollout(
            FALL, (jnp.ones(1), jnp.zeros(1)), jnp.array([0.1, 3.0]), args=g,
            contacts=lf.Contact(lf.Plane((1.0,)), rests=False), most=2, method=lf.Taylor(order=6, certify=False),
        )[0][:, 0]  # fmt: skip

    values, slopes = quickly(lambda g: (heights(g), jax.jacfwd(heights)(g)))(9.81)
    np.testing.assert_allclose(values, [1 - 0.5 * 9.81 * 0.01, np.nan])
    np.testing.assert_allclose(slopes, [-0.5 * 0.01, np.nan])
