"""Derivatives by name are ordinary functions of JAX: compiled, mapped, and differentiated in turn."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from lawful.calculus import partials

WANTED = ((), ("t",), ("x",), ("t", "x"), ("x", "x", "x"))


def parameters(dtype=np.float64):
    """The weights and biases of a small dense network of two coordinates."""
    draw = np.random.default_rng(0)
    shapes = [(2, 6), (6, 6), (6, 1)]
    return [(jnp.asarray(draw.normal(size=s) / np.sqrt(s[0]), dtype), jnp.zeros(s[1], dtype)) for s in shapes]


def network(weights, activation=jnp.tanh):
    def u(x, t):
        h = jnp.stack([x, t])
        for weight, bias in weights[:-1]:
            h = activation(h @ weight + bias)
        return (h @ weights[-1][0] + weights[-1][1])[0]

    return u


def residual(weights, activation, x, t):
    """A law with everything in it, nonlinear in the field and its derivatives."""
    u = partials(network(weights, activation), WANTED)(x=x, t=t)
    return u["t",] + u[()] * u["x",] - 0.1 * u["x", "x", "x"] + u["t", "x"] ** 2


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("activation", [jnp.tanh, jnp.sin, jax.nn.softplus])
def test_gradients_of_a_law_hold_against_finite_differences(activation):
    points = jnp.array([[0.1, 0.7], [-0.4, 0.3], [0.8, 0.2]])

    def loss(weights, points):
        each = jax.vmap(lambda point: residual(weights, activation, *point))(points)
        return jnp.mean(each**2)

    check_grads(jax.jit(loss), (parameters(), points), order=1, modes=["fwd", "rev"], rtol=1e-6, eps=1e-5)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "f",
    [
        lambda x, a: jnp.sin(a * x) * x**2.5 / (1 + a * x**2) + jnp.log(x + a) * jnp.sqrt(x) + a**x,
        lambda x, a: jax.lax.scan(lambda c, k: (c * x + k * a, None), a, jnp.arange(3.0))[0],
        lambda x, a: jax.checkpoint(lambda x: jnp.exp(a * x) * jnp.tan(x))(x),
        lambda x, a: jax.lax.cond(x > 0, lambda x: jnp.sinh(a * x), lambda x: jnp.cosh(x), x),
        lambda x, a: jnp.linalg.solve(jnp.eye(2) + a * jnp.outer(jnp.stack([x, a]), jnp.ones(2)), jnp.ones(2)),
    ],
)
def test_gradients_of_derivatives_hold_against_finite_differences(f):
    def third(x, a):
        found = partials(lambda x: f(x, a), [("x",), ("x",) * 3])(x=x)
        return found["x",], found["x", "x", "x"]

    check_grads(jax.jit(third), (0.7, 1.3), order=1, modes=["fwd", "rev"], rtol=1e-6, eps=1e-5)


@pytest.mark.usefixtures("strict_types")
def test_compiled_mapped_and_plain_agree():
    g = partials(network(parameters()), WANTED)
    xs, ts = jnp.linspace(-1.0, 1.0, 4), jnp.linspace(0.0, 1.0, 4)
    mapped = jax.jit(jax.vmap(g))(x=xs, t=ts)
    for i, (x, t) in enumerate(zip(xs, ts, strict=True)):
        plain = g(x=x, t=t)
        for partial in WANTED:
            np.testing.assert_allclose(mapped[partial][i], plain[partial], rtol=1e-12)


@pytest.mark.usefixtures("float64")
def test_derivatives_of_derivatives_by_jax_are_the_higher_ones():
    u = network(parameters())
    u_xx = lambda x, t: partials(u, [("x", "x")])(x=x, t=t)["x", "x"]
    higher = jax.jit(partials(u, [("x",) * 3, ("t", "x", "x")]))(x=0.3, t=0.4)
    np.testing.assert_allclose(jax.jit(jax.grad(u_xx))(0.3, 0.4), higher["x", "x", "x"], rtol=1e-12)
    np.testing.assert_allclose(jax.jit(jax.jacfwd(u_xx, 1))(0.3, 0.4), higher["t", "x", "x"], rtol=1e-12)


def test_single_precision_stays_single():
    found = jax.jit(partials(network(parameters(np.float32)), WANTED))(x=0.3, t=0.4)
    assert {each.dtype for each in found.values()} == {jnp.dtype("float32")}


@pytest.mark.usefixtures("float64")
def test_precision_follows_the_field_not_the_python_number():
    weight = jnp.float32(2.0)
    found = partials(lambda x: weight * x**2, [(), ("x",), ("x", "x")])(x=3)
    assert {each.dtype for each in found.values()} == {jnp.dtype("float32")}


@pytest.mark.usefixtures("float64")
def test_points_may_be_split_over_a_named_axis():
    f = lambda x: jnp.sin(x) * jax.lax.axis_index("points")
    found = jax.vmap(lambda x: partials(f, [("x", "x")])(x=x)["x", "x"], axis_name="points")(jnp.ones(3))
    np.testing.assert_allclose(found, -np.sin(1.0) * np.arange(3), rtol=1e-14)


@pytest.mark.usefixtures("float64")
def test_an_equinox_network_is_a_field_function():
    net = eqx.nn.MLP(2, "scalar", 4, 2, jnp.tanh, key=jax.random.key(0))

    @eqx.filter_jit
    def loss(net):
        u = partials(lambda x, t: net(jnp.stack([x, t])), [("x", "x"), ("t",)])(x=0.1, t=0.2)
        return (u["t",] - u["x", "x"]) ** 2

    slope = eqx.filter_grad(loss)(net)
    assert all(bool(jnp.any(layer.weight != 0)) for layer in slope.layers)
