"""Spectral grids: differentiation and interpolation are exact on the polynomials or waves that they hold."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lawful._core.messages import BadInput
from lawful.calculus import partials
from lawful.fields import chebyshev_grid, chebyshev_interpolate, fourier_grid, fourier_interpolate
from lawful.fields._spectral import chebyshev_coefficients, fourier_coefficients

COUNTS = [2, 3, 8, 9, 16]
PLACES = [-1.0, -0.999, -0.3, 0.0, 0.123, 1 / 3, 0.5, 0.97, 1.0]


def polynomial(count: int) -> np.polynomial.Chebyshev:
    """Of the highest degree that `count` nodes hold."""
    return np.polynomial.Chebyshev(np.random.default_rng(count).normal(size=count))


def wave(count: int, lone: bool):
    """A sum of all waves that `count` nodes hold, and its derivative; `lone`: with the cosine of the highest number
    of an even count, which has no sine beside it."""
    rng = np.random.default_rng(count)
    highest = (count - 1) // 2
    numbers = np.arange(highest + 1)
    a, b = rng.normal(size=highest + 1), rng.normal(size=highest + 1)
    extra = rng.normal() if lone and count % 2 == 0 else 0.0

    def value(xi):
        phase = np.pi * np.multiply.outer(xi, numbers)
        return np.cos(phase) @ a + np.sin(phase) @ b + extra * np.cos(np.pi * count / 2 * np.asarray(xi))

    def slope(xi):
        phase = np.pi * np.multiply.outer(xi, numbers)
        turned = -np.sin(phase) @ (np.pi * numbers * a) + np.cos(phase) @ (np.pi * numbers * b)
        return turned - extra * np.pi * count / 2 * np.sin(np.pi * count / 2 * np.asarray(xi))

    return value, slope


@pytest.mark.parametrize("count", COUNTS)
def test_chebyshev_nodes_ascend_from_end_to_end(count):
    nodes, matrix, weights = chebyshev_grid(count)
    assert nodes.shape == weights.shape == (count,)
    assert matrix.shape == (count, count)
    assert (nodes[0], nodes[-1]) == (-1.0, 1.0)
    assert np.all(np.diff(nodes) > 0)
    np.testing.assert_allclose(nodes, -nodes[::-1], atol=2e-16)


@pytest.mark.parametrize("count", COUNTS)
def test_chebyshev_differentiation_is_exact_on_polynomials(count):
    nodes, matrix, _ = chebyshev_grid(count)
    p = polynomial(count)
    np.testing.assert_allclose(matrix @ p(nodes), p.deriv()(nodes), rtol=0, atol=1e-14 * count**4)
    np.testing.assert_allclose(matrix @ np.ones(count), 0, atol=1e-12)


def test_chebyshev_differentiation_keeps_its_digits_on_many_nodes():
    """The naive formula loses as count^4 times rounding; differences by sines as count^2 and little more."""
    nodes, matrix, _ = chebyshev_grid(129)
    np.testing.assert_allclose(matrix @ np.exp(nodes), np.exp(nodes), atol=2e-10)


@pytest.mark.parametrize("count", COUNTS)
def test_barycentric_weights_interpolate(count):
    nodes, _, weights = chebyshev_grid(count)
    p, xi = polynomial(count), 0.4321
    quotient = weights / (xi - nodes)
    np.testing.assert_allclose(quotient @ p(nodes) / quotient.sum(), p(xi), rtol=1e-11)


@pytest.mark.parametrize("count", COUNTS)
def test_chebyshev_coefficients_are_those_of_the_polynomial(count):
    p = polynomial(count)
    found = chebyshev_coefficients(count) @ p(chebyshev_grid(count)[0])
    np.testing.assert_allclose(found, p.coef, atol=1e-12)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("count", COUNTS)
def test_chebyshev_interpolation_is_exact_at_nodes_and_between(count):
    p, nodes = polynomial(count), chebyshev_grid(count)[0]
    values = jnp.asarray(np.stack([p(nodes), 2 * p(nodes) + 1], axis=1))
    places = np.array([*PLACES, *nodes])
    found = jax.vmap(lambda xi: chebyshev_interpolate(values, xi))(places)
    np.testing.assert_allclose(found, np.stack([p(places), 2 * p(places) + 1], axis=1), rtol=1e-11, atol=1e-11)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("count", [4, 9])
def test_interpolants_differentiate_to_any_order_even_at_nodes(count):
    p, nodes = polynomial(count), chebyshev_grid(count)[0]
    values = jnp.asarray(p(nodes))
    for xi in (-1.0, nodes[1], 0.2, 1.0):
        found = partials(lambda x: chebyshev_interpolate(values, x), [("x",) * k for k in range(4)])(x=xi)
        for k in range(4):
            np.testing.assert_allclose(found[("x",) * k], p.deriv(k)(xi) if k else p(xi), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("count", COUNTS)
def test_fourier_nodes_are_equispaced_and_leave_out_the_upper_end(count):
    nodes, matrix = fourier_grid(count)
    np.testing.assert_allclose(nodes, np.linspace(-1, 1, count, endpoint=False), atol=1e-15)
    assert matrix.shape == (count, count)


@pytest.mark.parametrize("count", [*COUNTS, 1])
def test_fourier_differentiation_is_exact_on_waves(count):
    nodes, matrix = fourier_grid(count)
    value, slope = wave(count, lone=True)  # the lone cosine is flat at every node, as its derivative says
    np.testing.assert_allclose(matrix @ value(nodes), slope(nodes), atol=1e-12 * count**2)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("count", [*COUNTS, 1])
def test_fourier_interpolation_is_exact_at_nodes_and_between(count):
    nodes, _ = fourier_grid(count)
    value, slope = wave(count, lone=True)
    values = jnp.asarray(value(nodes))
    places = np.array([*PLACES, *nodes])
    found, slopes = jax.vmap(jax.value_and_grad(lambda xi: fourier_interpolate(values, xi)))(places)
    np.testing.assert_allclose(found, value(places), atol=1e-12 * count)
    np.testing.assert_allclose(slopes, slope(places), atol=1e-11 * count**2)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("interpolate", [chebyshev_interpolate, fourier_interpolate])
def test_interpolation_works_on_fields_of_more_axes(interpolate):
    values = jnp.asarray(np.random.default_rng(0).normal(size=(6, 3, 2)))
    whole = interpolate(values, jnp.asarray(0.3))
    assert whole.shape == (3, 2)
    np.testing.assert_allclose(whole[1, 0], interpolate(values[:, 1, 0], jnp.asarray(0.3)), rtol=1e-13)


@given(st.integers(1, 12))
@settings(max_examples=12)
def test_fourier_coefficients_give_back_each_function(count):
    from lawful.fields import trigonometric

    with jax.enable_x64(True):
        table = np.stack([trigonometric(jnp.asarray(xi), count) for xi in fourier_grid(count)[0]], axis=1)
    np.testing.assert_allclose(fourier_coefficients(count) @ table.T, np.eye(count), atol=1e-12)


def test_one_node_cannot_hold_two_ends():
    with pytest.raises(BadInput, match="at least 2"):
        chebyshev_grid(1)
    with pytest.raises(BadInput, match="at least 1"):
        fourier_grid(0)


@pytest.mark.parametrize("grid", [chebyshev_grid, fourier_grid])
def test_what_is_kept_for_the_next_caller_cannot_be_changed(grid):
    for array in grid(6):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 7
