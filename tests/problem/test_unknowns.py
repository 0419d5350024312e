"""Unknowns: transforms, their slopes, and the random functions behind unknown fields."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawful._core.messages import BadInput
from lawful.problem import Bounded, Normal, Positive, Real, Smooth, field_value, raw_size

SIGNED = st.one_of(st.just(0.0), st.floats(1e-50, 1e6), st.floats(-1e6, -1e-50))
UNKNOWNS = st.one_of(
    st.builds(lambda g, s: Real(g, scale=s), SIGNED, st.floats(1e-6, 1e6)),
    st.builds(Real, SIGNED),
    st.builds(Positive, st.floats(1e-12, 1e12)),
    st.builds(
        lambda low, width, share: Bounded(low, low + width, low + share * width),
        st.floats(-100, 100),
        st.floats(0.1, 1e3),
        st.floats(0.02, 0.98),
    ),
)


@given(UNKNOWNS)
def test_zero_is_the_guess(unknown):
    with jax.enable_x64(True):
        np.testing.assert_allclose(unknown.value(jnp.zeros(())), unknown.guess, rtol=1e-12, atol=1e-12)


@given(UNKNOWNS, st.floats(-5, 5))
def test_raw_of_is_the_inverse(unknown, raw):
    with jax.enable_x64(True):
        value, slope = jax.value_and_grad(unknown.value)(raw)
        # A small step from a large guess carries few digits, and so does the distance to a bound.
        size = max(abs(value), abs(getattr(unknown, "lower", 0)), abs(getattr(unknown, "upper", 0)))
        np.testing.assert_allclose(unknown.raw_of(value), raw, rtol=1e-12, atol=1e-12 + 1e-15 * size / slope)


@given(UNKNOWNS, st.floats(-4, 4), st.floats(0.01, 1))
def test_value_rises_with_raw(unknown, raw, step):
    with jax.enable_x64(True):
        assert unknown.value(jnp.asarray(raw + step)) > unknown.value(jnp.asarray(raw))


@given(UNKNOWNS, st.floats(-3, 3))
def test_slopes_against_finite_differences(unknown, raw):
    with jax.enable_x64(True):
        slope, h = jax.grad(unknown.value)(raw), 1e-5
        steps = [float(unknown.value(jnp.asarray(raw + k * h))) for k in (-1, 1)]
        # Rounding of the values themselves limits the difference where the step is small beside the guess.
        rounding = 1e-15 * max(map(abs, steps)) / h
        np.testing.assert_allclose(slope, (steps[1] - steps[0]) / (2 * h), rtol=1e-7, atol=rounding)


def test_what_each_transform_is():
    raw = jnp.asarray(0.7)
    with jax.enable_x64(True):
        np.testing.assert_allclose(Real(3.0, scale=0.5).value(0.7), 3.35)
        np.testing.assert_allclose(Real(3.0).value(0.7), 3 + 3 * 0.7)
        np.testing.assert_allclose(Real(-3.0).value(0.7), -3 + 3 * 0.7)
        np.testing.assert_allclose(Real(0.0).value(0.7), 0.7)
        np.testing.assert_allclose(Positive(2.0).value(raw), 2 * np.exp(0.7), rtol=1e-6)
        assert Bounded(2, 6).guess == 4.0
        np.testing.assert_allclose(Bounded(2, 6, 3).value(0.7), 2 + 4 / (1 + 3 * np.exp(-0.7)), rtol=1e-12)


def test_bounds_are_never_passed():
    values = Bounded(-1, 2, 1.9).value(jnp.asarray([-1e3, -30.0, 30.0, 1e3]))
    assert jnp.all((values >= -1) & (values <= 2))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "unknown", [Real([1.0, 0.0, -3.0]), Real([1.0, 2.0], scale=[0.1, 10.0]), Positive([[1.0, 2.0], [3.0, 4.0]])]
)
def test_vectors_are_transformed_element_by_element(unknown):
    raw = jnp.linspace(-1, 1, unknown.guess.size).reshape(unknown.guess.shape)
    value = unknown.value(raw)
    assert value.shape == unknown.guess.shape
    assert raw_size(unknown) == unknown.guess.size
    np.testing.assert_allclose(unknown.raw_of(value), raw, atol=1e-13)
    jacobian = jax.jacobian(unknown.value)(raw).reshape(raw.size, raw.size)
    np.testing.assert_array_equal(jacobian - np.diag(np.diag(jacobian)), 0)


def test_how_a_direction_is_read():
    assert (Real().step, Positive().step, Bounded(0, 1).step) == ("linear", "log", "linear")


def at(unknown, raw, place: float):
    """An unknown field over x at one place."""
    return field_value(unknown, raw, {"x": jnp.asarray(place)})


def covariance(prior: Smooth, one: float, two: float) -> float:
    """Of the transformed variable about its mean: the basis functions are read off by unit raw vectors."""
    unknown = Real(0.0, scale=1.0, over="x", prior=prior)

    def basis(place):
        return jax.jacobian(lambda raw: at(unknown, raw, place))(jnp.zeros(raw_size(unknown)))[1:]

    return float(basis(one) @ basis(two))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("length", [0.1, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("sd", [1.0, 0.3])
def test_a_smooth_field_has_the_covariance_that_it_claims(length, sd):
    """cov(a, b) = sd^2 exp(-(a - b)^2 / (2 length^2)), in the middle of the axis and at its ends."""
    prior = Smooth(length=length, sd=sd)
    for one, two in [(0.5, 0.5), (0.5, 0.6), (0.4, 0.75), (0.3, 0.3), (0.0, 0.0), (1.0, 1.0), (0.0, 0.2), (1.0, 0.7)]:
        claimed = sd**2 * np.exp(-((one - two) ** 2) / (2 * length**2))
        assert abs(covariance(prior, one, two) - claimed) < 0.02 * sd**2


@pytest.mark.usefixtures("float64")
def test_short_lengths_have_it_too():
    assert abs(covariance(Smooth(length=0.08), 0.4, 0.4) - 1) < 0.02
    for prior in (Smooth(length=0.02), Smooth(length=0.02, modes=120)):
        assert abs(covariance(prior, 0.4, 0.43) - np.exp(-(0.03**2) / (2 * 0.02**2))) < 0.02


@pytest.mark.usefixtures("float64")
def test_an_unknown_field_starts_as_its_guess_and_moves_as_a_whole_with_its_first_number():
    unknown = Positive(0.3, over="x")
    raw = jnp.zeros(raw_size(unknown))
    assert raw_size(unknown) == 1 + 24
    for place in (0.0, 0.4, 1.0):
        np.testing.assert_allclose(at(unknown, raw, place), 0.3)
        np.testing.assert_allclose(at(unknown, raw.at[0].set(0.5), place), 0.3 * np.exp(0.5))
    assert at(unknown, jnp.ones_like(raw) * -40, 0.7) > 0


@pytest.mark.usefixtures("float64")
def test_a_field_over_two_axes_has_the_product_of_their_covariances():
    """Cov = sd^2 exp(-dx^2 / 2 lx^2 - dy^2 / 2 ly^2), each length by its axis and not by the order of the names."""
    prior = Smooth(length={"y": 0.4, "x": 0.15}, sd=0.7)
    unknown = Real(0.0, scale=1.0, over=("x", "y"), prior=prior)
    assert raw_size(unknown) == 1 + np.prod(prior.counts(("x", "y")))

    def basis(x, y):
        place = {"x": jnp.asarray(x), "y": jnp.asarray(y)}
        return jax.jacobian(lambda raw: field_value(unknown, raw, place))(jnp.zeros(raw_size(unknown)))

    for one, two in [((0.5, 0.5), (0.5, 0.5)), ((0.2, 0.1), (0.3, 0.6)), ((0.0, 1.0), (0.1, 0.9))]:
        distance = [(a - b) / length for a, b, length in zip(one, two, (0.15, 0.4), strict=True)]
        claimed = 0.7**2 * np.exp(-0.5 * np.sum(np.square(distance)))
        assert float(basis(*one)[1:] @ basis(*two)[1:]) == pytest.approx(claimed, abs=0.03 * 0.7**2)
        assert float(basis(*one)[0]) == 1.0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Positive(guess=0.0), r"above zero; use Real"),
        (lambda: Positive(guess=[1.0, -2.0]), "above zero"),
        (lambda: Positive("fast"), "guess must be a number"),
        (lambda: Real("3.5"), "guess must be a number.*not text"),
        (lambda: Real(1 + 1j), "not complex numbers"),
        (lambda: Real(None), "guess must be a number"),
        (lambda: Real(float("nan")), "must be finite"),
        (lambda: Real([]), "must be finite"),
        (lambda: Real(1.0, scale=0.0), "scale must be positive"),
        (lambda: Real(1.0, scale=-2.0), "scale must be positive"),
        (lambda: Real(1.0, scale="big"), "scale must be a number"),
        (lambda: Real([1.0, 2.0], scale=[1.0, 2.0, 3.0]), r"scale=.* has shape \(3,\), but the guess has \(2,\)"),
        (lambda: Bounded(2, 1), "lower bound must be below the upper"),
        (lambda: Bounded(0, float("inf")), "both finite"),
        (lambda: Bounded("0", 1), "lower bound must be a number"),
        (lambda: Bounded([0, 0], 1), "single numbers"),
        (lambda: Bounded(0, 1, guess=1), "strictly between"),
        (lambda: Bounded(0, 1, guess=-3), "strictly between"),
        (lambda: Normal(0.0, 0.0), "sd positive"),
        (lambda: Normal(0.0, -1.0), "sd positive"),
        (lambda: Normal(float("nan"), 1.0), "mean must be finite"),
        (lambda: Normal(0.0, float("inf")), "finite"),
        (lambda: Normal("0", 1.0), "mean must be a number"),
        (
            lambda: Real(1.0, prior=Normal([0.0, 1.0], 1.0)),
            r"mean of the prior has shape \(2,\), but the guess has \(\)",
        ),
        (lambda: Real(1.0, prior=Smooth()), r"must be lf\.Normal"),
        (lambda: Real(1.0, prior=(0.0, 1.0)), r"must be lf\.Normal"),
        (lambda: Real(1.0, over="x", prior=Normal(0, 1)), r"must be lf\.Smooth"),
        (lambda: Real(1.0, over=("x", "x")), 'names, each once, such as over="x"'),
        (lambda: Real(1.0, over=()), "a function of axes; give their names"),
        (lambda: Real(1.0, over=3), "a function of axes; give their names"),
        (lambda: Real(1.0, over="x", prior=Smooth({"y": 0.2})), "length is given along y, but .* a function of x"),
        (lambda: Real(1.0, over=("x", "y"), prior=Smooth(modes={"x": 30})), "modes is given along x, but"),
        (lambda: Smooth({"x": 0.2, "y": -1.0}), "length and sd must be positive"),
        (lambda: Smooth([0.2, 0.3]), "one number, or a mapping"),
        (lambda: Smooth({"x": 0.5, "y": 0.1}, modes=8), "needs more basis functions"),
        (lambda: Smooth(length=0.0), "length and sd must be positive"),
        (lambda: Smooth(sd=-1.0), "length and sd must be positive"),
        (lambda: Smooth(length=float("inf")), "finite"),
        (lambda: Smooth(length="long"), "length must be a number"),
        (lambda: Smooth(modes=2.5), "modes a whole number"),
        (lambda: Smooth(length=0.02, modes=24), r"needs more basis functions; give modes=\d+ or more"),
    ],
)
def test_what_cannot_be_searched_for_is_refused(make, words):
    with pytest.raises(BadInput, match=words):
        make()


def test_the_number_of_modes_that_is_asked_for_is_enough():
    with pytest.raises(BadInput) as caught:
        Smooth(length=0.02, modes=24)
    Smooth(length=0.02, modes=int(str(caught.value).split("modes=")[-1].split()[0]))
