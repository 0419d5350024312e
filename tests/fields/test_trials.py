"""Trial fields: what they compute, their derivatives, their types, and what is refused."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawful._core.messages import BadInput
from lawful.calculus import partials
from lawful.fields import MLP, Fourier, Spectral, chebyshev, trigonometric

TRIALS = {
    "network": MLP(width=7, depth=2),
    "deep network": MLP(width=5, depth=4, activation=jnp.sin),
    "Fourier features": MLP(width=5, fourier=Fourier(count=6, scale=3.0)),
    "spectral by axis": Spectral({"x": 7, "t": 4}),
}
STENCIL = ((-2, 1 / 12), (-1, -8 / 12), (1, 8 / 12), (2, -1 / 12))  # central difference of fourth order


def filled(trial, periodic=(), outputs=2):
    params = trial.init(jax.random.PRNGKey(3), ("x", "t"), periodic, outputs)
    return jax.tree.map(lambda p: p + 0.3 * jnp.sin(jnp.arange(1.0, p.size + 1)).reshape(p.shape), params)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("name", "periodic"),
    [("network", ("x",)), ("deep network", ()), ("Fourier features", ()), ("spectral by axis", ("x",))],
)
def test_derivatives_against_finite_differences(name, periodic):
    trial = TRIALS[name]
    params, h = filled(trial, periodic), 5e-4
    wanted = [(), ("x",), ("t",), ("x", "x"), ("t", "x"), ("t", "t"), ("x", "x", "x")]
    derivatives = jax.jit(
        lambda x, t: partials(lambda x, t: trial(params, {"x": x, "t": t}, periodic), wanted)(x=x, t=t)
    )
    for x, t in ((0.31, -0.62), (-0.97, 0.05)):
        here = derivatives(x, t)
        steps = {
            "x": [derivatives(x + k * h, t) for k, _ in STENCIL],
            "t": [derivatives(x, t + k * h) for k, _ in STENCIL],
        }
        for partial in wanted[1:]:
            axis, rest = partial[-1], partial[:-1]
            difference = sum(w * there[rest] for (_, w), there in zip(STENCIL, steps[axis], strict=True)) / h
            # The stencil's own error is h^4 / 30 times a fifth derivative of size up to 1e4 here.
            np.testing.assert_allclose(here[partial], difference, rtol=1e-6, atol=1e-6)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", ["network", "Fourier features", "spectral by axis"])
def test_gradients_with_respect_to_parameters(name):
    trial = TRIALS[name]
    params = filled(trial)
    flat, back = jax.flatten_util.ravel_pytree(params)
    place = {"x": jnp.asarray(0.4), "t": jnp.asarray(-0.2)}

    def value(flat):
        return jnp.sum(trial(back(flat), place, ()) * jnp.array([1.0, -0.7]))

    slope = jax.grad(value)(flat)
    way = jnp.cos(jnp.arange(flat.size))
    h = 1e-5
    difference = (value(flat + h * way) - value(flat - h * way)) / (2 * h)
    np.testing.assert_allclose(slope @ way, difference, rtol=1e-7)


@pytest.mark.parametrize("trial", [MLP(width=5, fourier=Fourier(count=6, scale=3.0)), Spectral(9)])
def test_shapes_and_types_follow_the_precision_of_the_context(trial):
    for wide, kind in ((True, jnp.float64), (False, jnp.float32)):
        with jax.enable_x64(wide):
            params = trial.init(jax.random.PRNGKey(0), ("x", "t"), (), 3)
            out = trial(params, {"x": jnp.asarray(0.1), "t": jnp.asarray(0.2)}, ())
            assert out.shape == (3,)
            assert out.dtype == kind
            assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype(kind)}


@pytest.mark.usefixtures("float64")
def test_a_network_is_what_its_docstring_says():
    trial = MLP(width=4, depth=2)
    (w1, b1), (w2, b2), (w3, b3) = trial.init(jax.random.PRNGKey(0), ("x", "t"), (), 1)
    xi = np.array([0.3, -0.8])
    want = w3 @ np.tanh(w2 @ np.tanh(w1 @ xi + b1) + b2) + b3
    np.testing.assert_allclose(
        trial([(w1, b1), (w2, b2), (w3, b3)], {"x": jnp.asarray(0.3), "t": jnp.asarray(-0.8)}, ()), want, rtol=1e-14
    )


@pytest.mark.usefixtures("float64")
def test_the_first_layer_bends_all_over_the_box():
    weight, bias = MLP(width=400).init(jax.random.PRNGKey(0), ("x",), (), 1)[0]
    knees = np.sort((-bias / weight[:, 0]).ravel())
    assert knees[0] >= -1
    assert knees[-1] <= 1
    assert np.abs(np.quantile(knees, [0.25, 0.5, 0.75]) - [-0.5, 0, 0.5]).max() < 0.15


def test_starting_weights_depend_on_the_key_alone():
    trial = MLP(width=4)
    one, two, other = (trial.init(jax.random.PRNGKey(k), ("x",), (), 1) for k in (0, 0, 1))
    assert all(jnp.array_equal(a, b) for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(two), strict=True))
    assert not jnp.array_equal(one[0][0], other[0][0])


@pytest.mark.parametrize("count", [1, 7, 8, 12, 100])
def test_fourier_frequencies_are_normal_and_come_without_a_warning(count):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = Fourier(count=count, scale=2.0).frequencies(2)
    assert found.shape == (count, 2)
    assert np.all(np.isfinite(found))
    if count == 100:
        assert np.abs(found.mean()) < 0.2
        assert 1.8 < found.std() < 2.2


@given(st.integers(1, 40), st.floats(-1, 1))
def test_chebyshev_polynomials(count, xi):
    with jax.enable_x64(True):
        got = chebyshev(jnp.asarray(xi), count)
        np.testing.assert_allclose(got, np.polynomial.chebyshev.chebvander(xi, count - 1)[0], atol=1e-13)
        angle = np.arccos(xi)
        np.testing.assert_allclose(got, np.cos(np.arange(count) * angle), atol=1e-12)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("end", [-1.0, 1.0])
def test_chebyshev_derivatives_at_the_ends(end):
    """T_n'(1) = n^2, T_n''(1) = n^2 (n^2 - 1) / 3, with alternating signs at -1: where arccos has no derivative."""
    n = np.arange(41)
    found = partials(lambda x: chebyshev(x, 41), [("x",), ("x", "x")])(x=end)
    np.testing.assert_allclose(found["x",], n**2 * end ** (n + 1), rtol=1e-12)
    np.testing.assert_allclose(found["x", "x"], n**2 * (n**2 - 1) / 3 * end**n, rtol=1e-12)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("count", [1, 2, 3, 6, 7])
def test_trigonometric_functions(count):
    xi = 0.37
    want = [1.0]
    for k in range(1, count):
        want += [np.cos(np.pi * k * xi), np.sin(np.pi * k * xi)]
    np.testing.assert_allclose(trigonometric(jnp.asarray(xi), count), want[:count], rtol=1e-14)


@pytest.mark.usefixtures("float64")
def test_a_spectral_field_is_the_sum_of_products():
    trial = Spectral({"x": 3, "t": 4})
    params = jnp.asarray(np.random.default_rng(0).normal(size=(2, 3, 4)))
    place = {"x": jnp.asarray(0.2), "t": jnp.asarray(-0.6)}
    want = np.einsum("oij,i,j->o", params, trigonometric(place["x"], 3), chebyshev(place["t"], 4))
    np.testing.assert_allclose(trial(params, place, ("x",)), want, rtol=1e-13)
    assert trial.init(jax.random.PRNGKey(0), ("x", "t"), ("x",), 2).shape == (2, 3, 4)


@pytest.mark.parametrize("modes", [np.int64(5), 5, {"x": np.int32(5)}])
def test_any_whole_number_counts_modes(modes):
    assert Spectral(modes).init(jax.random.PRNGKey(0), ("x",), (), 1).shape == (1, 5)


def test_more_points_for_richer_families():
    assert MLP(width=32).collocation_points(1) > MLP(width=16).collocation_points(1) > 16
    assert MLP(fourier=Fourier(scale=20)).collocation_points(1) > MLP().collocation_points(1)
    assert Spectral({"x": 10, "t": 30}).collocation_points(1) >= 2 * 30


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: MLP(width=0), "width.*at least 1"),
        (lambda: MLP(depth=0), "depth.*at least 1"),
        (lambda: MLP(width=16.0), "width.*whole number"),
        (lambda: MLP(harmonics=0), "harmonics.*at least 1"),
        (lambda: MLP(activation="tanh"), r"activation.*function, such as jnp\.tanh"),
        (lambda: Fourier(count=0), "count.*at least 1"),
        (lambda: Fourier(scale=0.0), "scale.*positive"),
        (lambda: Spectral(0), "modes.*at least 1"),
        (lambda: Spectral(12.5), "modes.*whole number"),
        (lambda: Spectral({"x": -3}), "modes.*'x'.*at least 1"),
        (lambda: Spectral("24"), "modes.*whole number"),
        (
            lambda: Spectral({"x": 8}).init(jax.random.PRNGKey(0), ("x", "t"), (), 1),
            "no number for the axis 't'.*Spectral",
        ),
    ],
)
def test_what_is_no_family_is_refused(make, words):
    with pytest.raises(BadInput, match=words):
        make()
