"""The operators of vector calculus against hand-written fields and their identities."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lawful.calculus import curl, derivative, directional, divergence, gradient, laplacian

pytestmark = pytest.mark.usefixtures("strict_types")

POINT = {"x": 0.4, "y": -0.7, "z": 1.2}
AXES = ("x", "y", "z")


def potential(x, y, z):
    return jnp.exp(x) * jnp.sin(2 * y) + z**3 * x


def wind(x, y, z):
    return jnp.stack([x * y * z, jnp.sin(x * y) + z**2, jnp.exp(z) * x * y**2])


def test_derivative_takes_any_order_and_mix():
    x, y, z = POINT.values()
    assert derivative(potential)(**POINT) == potential(**POINT)
    np.testing.assert_allclose(derivative(potential, "x", "x", "y")(**POINT), 2 * np.exp(x) * np.cos(2 * y), rtol=1e-12)
    np.testing.assert_allclose(derivative(potential, "z", "x", "z")(**POINT), 6 * z, rtol=1e-12)


def test_derivative_of_a_derivative():
    once = derivative(derivative(potential, "x"), "y")
    np.testing.assert_allclose(once(**POINT), derivative(potential, "y", "x")(**POINT), rtol=1e-14)


def test_gradient_stacks_on_the_last_axis():
    x, y, z = POINT.values()
    exact = [np.exp(x) * np.sin(2 * y) + z**3, 2 * np.exp(x) * np.cos(2 * y), 3 * z**2 * x]
    np.testing.assert_allclose(gradient(potential, AXES)(**POINT), exact, rtol=1e-12)
    np.testing.assert_allclose(gradient(potential, ("z", "x"))(**POINT), [exact[2], exact[0]], rtol=1e-12)
    jacobian = gradient(wind, AXES)(**POINT)
    assert jacobian.shape == (3, 3)
    np.testing.assert_allclose(jacobian[1], [y * np.cos(x * y), x * np.cos(x * y), 2 * z], rtol=1e-12)


def test_divergence():
    x, y, z = POINT.values()
    exact = y * z + x * np.cos(x * y) + np.exp(z) * x * y**2
    np.testing.assert_allclose(divergence(wind, AXES)(**POINT), exact, rtol=1e-12)


def test_divergence_of_a_tensor_is_taken_row_by_row():
    stress = lambda x, y: jnp.stack([jnp.stack([x**2, x * y]), jnp.stack([x * y, y**3])])
    np.testing.assert_allclose(divergence(stress, ("x", "y"))(x=2.0, y=3.0), [4 + 2, 3 + 27], rtol=1e-12)


def test_curl_in_three_dimensions():
    x, y, z = POINT.values()
    exact = [
        2 * np.exp(z) * x * y - 2 * z,
        x * y - np.exp(z) * y**2,
        y * np.cos(x * y) - x * z,
    ]
    np.testing.assert_allclose(curl(wind, AXES)(**POINT), exact, rtol=1e-12)


def test_curl_in_two_dimensions_is_a_scalar():
    swirl = lambda x, y: jnp.stack([-(y**2), x**3])
    found = curl(swirl, ("x", "y"))(x=2.0, y=3.0)
    assert found.shape == ()
    np.testing.assert_allclose(found, 3 * 2.0**2 + 2 * 3.0, rtol=1e-12)
    np.testing.assert_allclose(curl(lambda x, y: -swirl(x, y), ("x", "y"))(x=2.0, y=3.0), -found, rtol=1e-12)


def test_identities_hold():
    np.testing.assert_allclose(curl(gradient(potential, AXES), AXES)(**POINT), np.zeros(3), atol=1e-14)
    np.testing.assert_allclose(divergence(curl(wind, AXES), AXES)(**POINT), 0.0, atol=1e-14)
    np.testing.assert_allclose(
        divergence(gradient(potential, AXES), AXES)(**POINT), laplacian(potential, AXES)(**POINT), rtol=1e-13
    )


def test_laplacian_by_component_and_over_chosen_axes():
    x, y, z = POINT.values()
    exact = np.exp(x) * np.sin(2 * y) * (1 - 4) + 6 * z * x
    np.testing.assert_allclose(laplacian(potential, AXES)(**POINT), exact, rtol=1e-12)
    np.testing.assert_allclose(laplacian(potential, "z")(**POINT), 6 * z * x, rtol=1e-12)
    assert laplacian(wind, ("x", "y"))(**POINT).shape == (3,)


def test_biharmonic_is_the_laplacian_twice():
    f = lambda x, y: jnp.sin(x) * jnp.sin(2 * y)
    twice = laplacian(laplacian(f, ("x", "y")), ("x", "y"))
    np.testing.assert_allclose(twice(x=0.3, y=0.4), 25 * np.sin(0.3) * np.sin(0.8), rtol=1e-12)


def test_directional_derivative():
    direction = {"x": 0.6, "y": -0.8}
    slope = 0.6 * derivative(potential, "x")(**POINT) - 0.8 * derivative(potential, "y")(**POINT)
    np.testing.assert_allclose(directional(potential, direction)(**POINT), slope, rtol=1e-12)
    third = directional(lambda x, y: (x + 2 * y) ** 4, {"x": 1.0, "y": 1.0}, 3)
    np.testing.assert_allclose(third(x=0.1, y=0.2), 24 * 27 * 0.5, rtol=1e-12)


@pytest.mark.parametrize(
    "operator",
    [
        lambda f: derivative(f, "x", "x"),
        lambda f: gradient(f, ("x", "y")),
        lambda f: laplacian(f, ("x", "y")),
        lambda f: directional(f, {"x": 1.0, "y": 2.0}, 2),
    ],
)
def test_operators_keep_the_structure_of_the_output(operator):
    both = lambda x, y: {"a": x**3 * y, "b": (jnp.stack([x, y**2]), x)}
    found = operator(both)(x=0.5, y=0.25)
    alone = operator(lambda x, y: x**3 * y)(x=0.5, y=0.25)
    assert jax.tree.structure(found) == jax.tree.structure(both(x=0.5, y=0.25))
    np.testing.assert_allclose(found["a"], alone, rtol=1e-15)


def test_divergence_and_curl_of_several_fields_at_once():
    both = lambda x, y: {"a": jnp.stack([x * y, y]), "b": jnp.stack([y, -x])}
    assert {k: float(v) for k, v in divergence(both, ("x", "y"))(x=2.0, y=3.0).items()} == {
        "a": 4.0,
        "b": 0.0,
    }
    assert {k: float(v) for k, v in curl(both, ("x", "y"))(x=2.0, y=3.0).items()} == {"a": -2.0, "b": -2.0}


def test_operators_map_over_points():
    xs, ys = jnp.linspace(0.0, 1.0, 5), jnp.linspace(1.0, 2.0, 5)
    found = jax.jit(jax.vmap(laplacian(lambda x, y: x**2 * y**2, ("x", "y"))))(x=xs, y=ys)
    np.testing.assert_allclose(found, 2 * ys**2 + 2 * xs**2, rtol=1e-12)
