"""Partial derivatives against formulae written by hand, to 1e-12 in float64."""

import math
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lawful._core.compilation import options
from lawful.calculus import derivative, partials

ORDERS = [(m, n) for m in range(5) for n in range(5) if m + n <= 4]
POINTS = [(0.3125, 0.75), (-0.4375, 1.25), (1.125, -0.25)]  # exact in binary, single precision too
SINES = (np.sin, np.cos, lambda z: -np.sin(z), lambda z: -np.cos(z))


def wanted(orders):
    return [("x",) * m + ("t",) * n for m, n in orders]


def key(m, n):
    return ("t",) * n + ("x",) * m


def tanh_derivative(n, z):
    """The n-th derivative of tanh in terms of y = tanh z, from y' = 1 - y^2 applied by hand."""
    y = np.tanh(z)
    slope = 1 / np.cosh(z) ** 2
    return (y, slope, -2 * y * slope, slope * (6 * y**2 - 2), slope * y * (16 - 24 * y**2))[n]


def product_exponential(m, n, x, t):
    """The (m, n) derivative of exp(x t): Leibniz's rule on t^m exp(x t)."""
    terms = [
        math.factorial(k) * math.comb(m, k) * math.comb(n, k) * x ** (n - k) * t ** (m - k)
        for k in range(min(m, n) + 1)
    ]
    return math.exp(x * t) * sum(terms)


def falling(power, n):
    return math.prod(power - k for k in range(n))


CLOSED_FORMS = {
    "polynomial": (
        lambda x, t: 3 * x**4 * t**2 - 2 * x * t**3 + t**4 - 7,
        lambda m, n, x, t: (
            3 * falling(4, m) * x ** max(4 - m, 0) * falling(2, n) * t ** max(2 - n, 0)
            - 2 * falling(1, m) * x ** max(1 - m, 0) * falling(3, n) * t ** max(3 - n, 0)
            + (m == 0) * falling(4, n) * t ** max(4 - n, 0)
            - 7 * (m == n == 0)
        ),
    ),
    "exponential of a sum": (
        lambda x, t: jnp.exp(2 * x - 3 * t),
        lambda m, n, x, t: 2.0**m * (-3.0) ** n * math.exp(2 * x - 3 * t),
    ),
    "exponential of a product": (lambda x, t: jnp.exp(x * t), product_exponential),
    "product of sines": (
        lambda x, t: jnp.sin(2 * x) * jnp.cos(3 * t),
        lambda m, n, x, t: 2.0**m * SINES[m % 4](2 * x) * 3.0**n * SINES[(n + 1) % 4](3 * t),
    ),
    "sine of a sum": (
        lambda x, t: jnp.sin(x + 2 * t),
        lambda m, n, x, t: 2.0**n * SINES[(m + n) % 4](x + 2 * t),
    ),
    "rational, a pole": (
        lambda x, t: 1 / (x + 2 * t + 3),
        lambda m, n, x, t: 2.0**n * (-1.0) ** (m + n) * math.factorial(m + n) / (x + 2 * t + 3) ** (m + n + 1),
    ),
    # x / (1 + x^2) is the real part of 1 / (x - i)
    "rational, no pole": (
        lambda x, t: x / (1 + x**2) * t**2,
        lambda m, n, x, t: (
            ((-1) ** m * math.factorial(m) / (x - 1j) ** (m + 1)).real * falling(2, n) * t ** max(2 - n, 0)
        ),
    ),
    "tanh": (
        lambda x, t: jnp.tanh(x - 2 * t),
        lambda m, n, x, t: (-2.0) ** n * tanh_derivative(m + n, x - 2 * t),
    ),
    "sinh and cosh": (
        lambda x, t: jnp.sinh(x) * jnp.cosh(2 * t),
        lambda m, n, x, t: (math.cosh, math.sinh)[m % 2 == 0](x) * 2.0**n * (math.sinh, math.cosh)[n % 2 == 0](2 * t),
    ),
    "logarithm": (
        lambda x, t: jnp.log(x + t + 2),
        lambda m, n, x, t: (
            math.log(x + t + 2)
            if m + n == 0
            else (-1) ** (m + n - 1) * math.factorial(m + n - 1) / (x + t + 2) ** (m + n)
        ),
    ),
    "square root": (
        lambda x, t: jnp.sqrt(x + t + 2),
        lambda m, n, x, t: falling(0.5, m + n) * (x + t + 2) ** (0.5 - m - n),
    ),
    "power": (
        lambda x, t: (x + t + 2) ** 2.7,
        lambda m, n, x, t: falling(2.7, m + n) * (x + t + 2) ** (2.7 - m - n),
    ),
}


@pytest.mark.usefixtures("strict_types")
@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_all_partials_up_to_order_four_are_exact(name):
    f, exact = CLOSED_FORMS[name]
    g = jax.jit(partials(f, wanted(ORDERS)))
    for x, t in POINTS:
        found = g(x=x, t=t)
        for m, n in ORDERS:
            np.testing.assert_allclose(found[key(m, n)], exact(m, n, x, t), rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_single_precision_keeps_its_digits(name):
    f, exact = CLOSED_FORMS[name]
    g = jax.jit(partials(f, wanted(ORDERS)), **options(1))  # as users compile it: optimised, fewer roundings
    for x, t in POINTS:
        found = g(x=jnp.float32(x), t=jnp.float32(t))
        for m, n in ORDERS:
            value = found[key(m, n)]
            assert value.dtype == jnp.float32
            np.testing.assert_allclose(value, exact(m, n, x, t), rtol=2e-5, atol=0)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("axes", "exact"),
    [((), lambda z: math.tanh(z)), (("x",), lambda z: 1 - math.tanh(z) ** 2)],
)
def test_a_small_argument_keeps_its_relative_accuracy(axes, exact):
    g = derivative(lambda x: jnp.tanh(x), *axes)
    np.testing.assert_allclose(g(x=1e-9), exact(1e-9), rtol=1e-15)


COEFFICIENTS = st.lists(st.lists(st.integers(-9, 9), min_size=5, max_size=5), min_size=5, max_size=5)
COORDINATE = st.integers(-128, 128).map(lambda n: Fraction(n, 64))  # exact in binary


def monomial(coefficients, x, t):
    """The polynomial sum c_ij x^i t^j, term by term."""
    return sum(coefficients[i][j] * x**i * t**j for i in range(5) for j in range(5))


def horner(coefficients, x, t):
    """The same polynomial by Horner's rule in x, its coefficients by Horner's rule in t."""
    total = 0 * x
    for row in reversed(coefficients):
        inner = 0 * t
        for c in reversed(row):
            inner = inner * t + c
        total = total * x + inner
    return total


def exact_terms(coefficients, m, n, x, t):
    return [
        c * falling(i, m) * x ** (i - m) * falling(j, n) * t ** (j - n)
        for i, row in enumerate(coefficients)
        for j, c in enumerate(row)
        if i >= m and j >= n
    ]


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("form", [monomial, horner])
def test_random_polynomials_to_all_mixed_orders(form):
    orders = [(m, n) for m in range(5) for n in range(5)]

    @jax.jit
    def every(coefficients, x, t):
        rows = [[coefficients[i, j] for j in range(5)] for i in range(5)]
        return partials(lambda x, t: form(rows, x, t), wanted(orders))(x=x, t=t)

    @settings(max_examples=60, deadline=None)
    @given(coefficients=COEFFICIENTS, x=COORDINATE, t=COORDINATE)
    def check(coefficients, x, t):
        found = every(jnp.array(coefficients, float), float(x), float(t))
        for m, n in orders:
            terms = exact_terms(coefficients, m, n, x, t)  # rational numbers: no rounding
            # Relative to the terms of the sum, which is what no evaluation in floating point can better;
            # Horner's rule rounds on the way as if the coordinates were not below one.
            scale = float(sum(abs(c) for row in coefficients for c in row)) if form is horner else 0.0
            scale = max(float(sum(map(abs, terms))), scale)
            assert abs(float(found[key(m, n)]) - float(sum(terms))) <= 1e-12 * scale

    check()


@pytest.mark.usefixtures("float64")
@settings(max_examples=25, deadline=None)
@given(
    data=st.data(),
    axes=st.lists(st.sampled_from("xyt"), max_size=4),
    x=COORDINATE,
    y=COORDINATE,
    t=COORDINATE,
)
def test_random_monomials_in_three_axes_to_random_mixed_order(data, axes, x, y, t):
    powers = {axis: data.draw(st.integers(0, 4)) for axis in "xyt"}
    point = {"x": x, "y": y, "t": t}
    with jax.enable_x64(True):
        g = derivative(lambda x, y, t: x ** powers["x"] * y ** powers["y"] * t ** powers["t"], *axes)
        found = float(g(**{axis: float(value) for axis, value in point.items()}))
    exact = Fraction(1)
    for axis, power in powers.items():
        n = axes.count(axis)
        exact *= falling(power, n) * point[axis] ** (power - n) if n <= power else 0
    assert abs(found - float(exact)) <= 1e-12 * abs(float(exact))
