"""Every rule of the series, and what has none, against `jax.jvp` nested by hand."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lawful.calculus import partials

WANTED = ((), ("x",), ("t",), ("x",) * 4, ("t", "t", "x"))
POINTS = ({"x": 0.7, "t": 1.3}, {"x": 1.7, "t": 0.3})


def by_hand(f, partial):
    """The partial derivative by one level of `jax.jvp` for each axis."""

    def once(g, axis):
        def slope(**point):
            along = lambda value: g(**{**point, axis: value})
            return jax.jvp(along, (point[axis],), (jnp.ones_like(point[axis]),))[1]

        return slope

    return functools.reduce(once, partial, f)


@jax.custom_jvp
def soft(z):
    """A function whose derivative, by decree, is not that of its formula."""
    return jnp.sin(z)


@soft.defjvp
def soft_jvp(primals, tangents):
    return soft(*primals), 2 * jnp.cos(primals[0]) * tangents[0]


def recurrence(x, t):
    """Chebyshev polynomials of x by a scan that also counts, weighted by t."""

    def step(carry, weight):
        (lower, upper), count = carry
        return ((upper, 2 * x * upper - lower), count + 1), weight * upper * jnp.cos(t)

    (last, count), terms = jax.lax.scan(step, ((jnp.ones_like(x), x), 0), jnp.arange(1.0, 6.0))
    return last, terms, count * x


def newton_root(x, t):
    """A while loop: sqrt(x t) + x by Newton's method."""

    def step(state):
        count, y = state
        return count + 1, 0.5 * (y + x * t / y)

    return jax.lax.while_loop(lambda state: state[0] < 12, step, (0, x + t))[1] + x


def indexed(x, t):
    column = jnp.concatenate([jnp.stack([x, t, x * t])[::-1], jnp.cumsum(jnp.stack([x, t]))])
    taken = column[jnp.array([0, 3, 1, 4])].reshape(2, 2).T @ jnp.array([[1.0, 2.0], [3.0, 4.0]])
    updated = jnp.zeros(4).at[1].set(x * t).at[2].add(x**2)
    sliced = jax.lax.dynamic_slice(jnp.stack([x, t, x, x * t]), (jnp.argmax(column) % 2,), (2,))
    parts = jnp.split(jnp.stack([x * x, t]), 2)
    first, second = jnp.unstack(jnp.stack([x * t, t**2]))
    outside = column.at[jnp.array([1, 99])].get(mode="fill", fill_value=5.0)
    return taken, updated, sliced, parts, jnp.pad(column, 1), first * second, outside


def matrix(x, t):
    a = jnp.array([[3.0, 0.0], [0.0, 2.0]]) + jnp.stack([jnp.stack([x, t]), jnp.stack([t * x, x * x])])
    b = jnp.stack([x, t])
    return jnp.linalg.solve(a, b), jnp.linalg.det(a), a @ a @ b, jnp.linalg.norm(b), jnp.convolve(b, a[0])


FIELDS = {
    "elementary": lambda x, t: (
        jnp.exp(x * t) + jnp.log(x + t) * jnp.sin(x) / (1 + t**2) + jnp.cos(t) - jnp.sqrt(x * t),
        jnp.tan(x / 2) * jnp.sinh(t) * jnp.cosh(x) + jax.nn.sigmoid(x * t) + jax.lax.rsqrt(x),
        jnp.log1p(t) * jnp.expm1(x) + jax.lax.erf(x * t) + jnp.arctan(x - t) + jnp.square(x + t),
        jnp.tanh(x) ** 3 / jnp.tanh(t) - x,
    ),
    "powers": lambda x, t: (
        x**2.5 * t**-3 + t ** jnp.float64(1.5),
        x**0 + x**1 * t**7 + (x - t) ** -2,
        (x * t) ** x,
    ),
    "no rule of their own": lambda x, t: (
        jnp.arcsin(x / 4) + jnp.arctan2(x, t) + jax.scipy.special.gammaln(x + t) + jnp.cbrt(x * t),
        jnp.prod(jnp.stack([x, t, x + t])) + jnp.max(jnp.stack([x, t])) + jnp.hypot(x, t),
        jnp.sort(jnp.stack([x * x, t])) * jnp.clip(x * t, 0.1, 5.0) + jnp.maximum(x, t * t),
        jnp.exp2(x - t) + jax.scipy.special.logsumexp(jnp.stack([x, t, x * t])),
    ),
    "kinks and steps": lambda x, t: (
        jnp.abs(x - t) * x + jnp.floor(3 * x) * t + jnp.round(x) * x + jnp.sign(x - t) * x,
        jnp.where(x > t, x * x, t**3) + jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1.0)), 0.0),
    ),
    "networks' activations": lambda x, t: (
        jax.nn.softplus(x * t) + jax.nn.gelu(x) + jax.nn.silu(t * x) + jax.nn.relu(x - t) + jnp.sinc(x),
        jax.nn.softmax(jnp.stack([x, t, x * t])) + jax.nn.log_softmax(jnp.stack([x, t, x * t])),
    ),
    "custom derivative": lambda x, t: soft(x * t) * x,
    "stopped gradient": lambda x, t: jax.lax.stop_gradient(x) * t * x,
    "indexing and shapes": indexed,
    "linear algebra": matrix,
    "scan": recurrence,
    "while loop": newton_root,
    "conditions": lambda x, t: (
        jax.lax.cond(x > t, lambda a: jnp.sin(a) * t, lambda a: a**3, x),
        jax.lax.switch(1, [jnp.sin, lambda a: jnp.cos(a) * x, jnp.tan], t),
        jax.lax.fori_loop(0, 3, lambda i, c: c * x + jnp.sin(t) * i, x),
    ),
    "checkpoint": lambda x, t: jax.checkpoint(lambda a, b: jnp.sin(a * b) * a)(x, t) * x,
    "jit within": lambda x, t: jax.jit(lambda a, b: (a * jnp.exp(b), a))(x, t),
    "complex": lambda x, t: (
        jnp.abs(jnp.exp(1j * x * t) * x) + jnp.imag((x + 2j * t) ** 3),
        jnp.real(jnp.fft.fft(jnp.stack([x * x, t, x * t]))) + jnp.angle(x + 1j * t),
        jnp.conj(x + 1j * t) * x,
    ),
    "error check": lambda x, t: eqx.error_if(x * x * t, x < 0, "x is negative"),
}


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", FIELDS)
def test_series_and_nested_derivatives_agree(name):
    f = FIELDS[name]
    series = jax.jit(partials(f, WANTED))
    nested = jax.jit(lambda **point: {partial: by_hand(f, partial)(**point) for partial in WANTED})
    for point in POINTS:
        arrays = {axis: jnp.asarray(value) for axis, value in point.items()}
        found, expected = series(**arrays), nested(**arrays)
        assert found.keys() == expected.keys()
        for partial in WANTED:
            assert jax.tree.structure(found[partial]) == jax.tree.structure(expected[partial])
            for ours, theirs in zip(jax.tree.leaves(found[partial]), jax.tree.leaves(expected[partial]), strict=True):
                assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
                scale = float(jnp.max(jnp.abs(theirs)))
                np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-12 * max(scale, 1.0), err_msg=partial)


@pytest.mark.usefixtures("float64")
def test_a_custom_derivative_is_respected():
    found = partials(lambda x: soft(3 * x), [(), ("x",)])(x=0.4)
    np.testing.assert_allclose(found[()], np.sin(1.2), rtol=1e-14)
    np.testing.assert_allclose(found["x",], 2 * 3 * np.cos(1.2), rtol=1e-14)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("f", "exact"),
    [
        (lambda x: x**4, [0, 0, 0, 0, 24]),
        (lambda x: x**3.0, [0, 0, 0, 6, 0]),
        (lambda x: x ** jnp.float64(4), [0, 0, 0, 0, 24]),
        (lambda x: jnp.where(x > 0, jnp.log(jnp.where(x > 0, x, 1.0)), x), [0, 1, 0, 0, 0]),
        (lambda x: x * jnp.abs(x) + x, [0, 1, 0, 0, 0]),
        (lambda x: jnp.sinc(x / jnp.pi), [1, 0, -1 / 3, 0, 1 / 5]),
    ],
)
def test_at_zero_nothing_is_lost(f, exact):
    found = partials(f, [("x",) * n for n in range(5)])(x=0.0)
    np.testing.assert_allclose([found[("x",) * n] for n in range(5)], exact, rtol=1e-12, atol=1e-15)


@pytest.mark.usefixtures("float64")
def test_a_fractional_power_at_zero_has_the_derivatives_that_exist():
    found = partials(lambda x: x**2.5, [("x",) * n for n in range(4)])(x=0.0)
    assert [float(found[("x",) * n]) for n in range(4)] == [0.0, 0.0, 0.0, np.inf]


def test_what_jax_cannot_differentiate_forward_is_refused():
    @jax.custom_vjp
    def backward_only(x):
        return x * x

    backward_only.defvjp(lambda x: (x * x, x), lambda x, g: (2 * x * g,))
    with pytest.raises(TypeError, match="custom_vjp"):
        partials(lambda x: backward_only(x), [("x",)])(x=1.0)
    assert partials(lambda x: backward_only(x), [()])(x=3.0)[()] == 9.0


@pytest.mark.usefixtures("float64")
def test_each_derivative_runs_through_the_network_once():
    """The work: one product with each inner matrix for each derivative carried, however they are nested."""
    weights = [jnp.ones((2, 8)), jnp.ones((8, 8)), jnp.ones((8, 8)), jnp.ones((8, 1))]

    def u(x, t):
        h = jnp.stack([x, t])
        for weight in weights[:-1]:
            h = jnp.tanh(h @ weight)
        return (h @ weights[-1])[0]

    carried = {
        (("t",), ("x", "x")): 4,  # u, t, x, xx
        (("t",), ("x",) * 4): 6,
        (("x",) * 4, ("t", "t", "x", "x"), ("t",) * 4): 13,
    }
    for wanted, count in carried.items():
        program = jax.make_jaxpr(partials(u, wanted))(x=0.1, t=0.2)
        products = [each for each in program.eqns if each.primitive is jax.lax.dot_general_p]
        # The first layer is linear in the coordinates: only u, u_x and u_t of it are not zero.
        assert len(products) == 3 + 3 * count
