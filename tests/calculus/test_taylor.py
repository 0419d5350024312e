"""Taylor coefficients along a line against known power series."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lawful.calculus import derivative, taylor

pytestmark = pytest.mark.usefixtures("strict_types")

BERNOULLI_TANH = [0, 1, 0, -1 / 3, 0, 2 / 15, 0, -17 / 315, 0, 62 / 2835]


@pytest.mark.parametrize(
    ("f", "at", "coefficients"),
    [
        (jnp.exp, 0.0, [1 / math.factorial(k) for k in range(13)]),
        (jnp.tanh, 0.0, BERNOULLI_TANH),
        (lambda z: 1 / (1 - z), 0.0, [1.0] * 16),
        (jnp.log1p, 0.0, [0, *((-1) ** (k + 1) / k for k in range(1, 15))]),
        (jnp.arctan, 0.0, [0, 1, 0, -1 / 3, 0, 1 / 5, 0, -1 / 7]),
        (lambda z: (1 + z) ** 0.5, 0.0, [1, 1 / 2, -1 / 8, 1 / 16, -5 / 128]),
        (jnp.sin, 0.0, [0, 1, 0, -1 / 6, 0, 1 / 120]),
        (lambda z: z**3, 2.0, [8, 12, 6, 1, 0, 0]),
    ],
)
def test_known_power_series(f, at, coefficients):
    found = taylor(lambda x: f(x), {"x": at}, {"x": 1.0}, len(coefficients) - 1)
    np.testing.assert_allclose(found, coefficients, rtol=1e-12, atol=1e-16)


def test_coefficients_are_derivatives_divided_by_factorials():
    f = lambda x, t: jnp.sin(x * t) * jnp.exp(t)
    found = taylor(f, {"x": 0.3, "t": 0.8}, {"t": 1.0}, 4)
    exact = [derivative(f, *("t",) * k)(x=0.3, t=0.8) / math.factorial(k) for k in range(5)]
    np.testing.assert_allclose(found, exact, rtol=1e-13)


def test_the_series_converges_to_the_function_along_the_line():
    f = lambda x, t: jnp.exp(jnp.sin(x) * t)
    found = taylor(f, {"x": 0.3, "t": 0.8}, {"x": 1.0, "t": -2.0}, 25)
    s = 0.2
    np.testing.assert_allclose(np.polyval(found[::-1], s), f(0.3 + s, 0.8 - 2 * s), rtol=1e-13)


def test_the_state_of_a_system_may_be_an_array():
    rate = lambda y: jnp.stack([y[1], -jnp.sin(y[0])])
    found = taylor(rate, {"y": jnp.array([1.0, 0.5])}, {"y": jnp.array([0.5, -0.2])}, 12)
    assert found.shape == (13, 2)
    s = 0.3
    np.testing.assert_allclose(
        np.polynomial.polynomial.polyval(s, found),
        rate(jnp.array([1.0 + 0.5 * s, 0.5 - 0.2 * s])),
        rtol=1e-12,
    )


def test_order_zero_is_the_value_and_what_stands_still_has_no_slope():
    np.testing.assert_array_equal(taylor(lambda x: x**2, {"x": 3.0}, {"x": 1.0}, 0), [9.0])
    found = taylor(lambda x, n: {"moves": x, "rests": n}, {"x": 3.0, "n": 2}, {"x": 1.0}, 2)
    np.testing.assert_array_equal(found["moves"], [3.0, 1.0, 0.0])
    np.testing.assert_array_equal(found["rests"], [2.0, 0.0, 0.0])


def test_taylor_compiles_and_differentiates():
    f = lambda x: jnp.tanh(x) ** 2
    third = lambda x: taylor(f, {"x": x}, {"x": 1.0}, 3)[3]
    np.testing.assert_allclose(jax.jit(jax.grad(third))(0.4), 4 * taylor(f, {"x": 0.4}, {"x": 1.0}, 4)[4], rtol=1e-12)


@pytest.mark.parametrize(
    ("at", "direction", "order", "message"),
    [
        ({"x": 1.0}, {"x": 1.0}, -1, "order .* integer >= 0, but -1"),
        ({"x": 1.0}, {"x": 1.0}, 1.5, "order .* integer >= 0, but 1.5"),
        ({"x": 1.0}, {"y": 1.0}, 2, "has no axis 'y'"),
        ({}, {"x": 1.0}, 2, "also needs x"),
        ({"x": 1.0, "z": 2.0}, {"x": 1.0}, 2, "has no axis 'z'"),
        ({"x": jnp.ones(3)}, {"x": jnp.ones(2)}, 2, r"shape \(2,\), but 'x' itself \(3,\)"),
    ],
)
def test_refusals(at, direction, order, message):
    with pytest.raises(ValueError, match=message):
        taylor(lambda x: x**2, at, direction, order)
