"""Error bars against closed forms, what the data do not determine, priors, unknown fields, noise levels."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful.problem import field_value, raw_size
from lawful.solve import Collocation
from lawful.solve._unknown_field import FieldEstimate
from lawful.studies import misra

COARSE = Collocation(steps=2, stages=2)  # exact where fields are straight lines or parabolas

LINE = lf.Box(x=(0, 4))
START = [lf.Value(LINE.at(x=0), y=lambda b: b)]
X = np.linspace(0.2, 3.9, 12)
Y = 1.5 + 0.8 * X + 0.1 * np.random.default_rng(3).normal(size=12)


def straight(y_x, a):
    return y_x - a


def line(data, **unknowns):
    return lf.Problem(
        LINE, "y", {"straight": straight}, START, {"a": lf.Real(2.0), "b": lf.Real(0.0), **unknowns}, data=data
    )


def least_squares(design, values, sd):
    """Estimates and covariance of a linear model with known noise, by the normal equations."""
    weighted = design / np.reshape(sd, (-1, 1))
    covariance = np.linalg.inv(weighted.T @ weighted)
    return covariance @ weighted.T @ (values / sd), covariance


@pytest.fixture(scope="module")
def fitted():
    """The line with unknown noise."""
    return lf.solve(line(lf.Data({"x": X, "y": Y})), COARSE)


def test_straight_line_with_unknown_noise(fitted):
    """Regression: s^2 = |r|^2 / (n - 2), covariance s^2 (X'X)^-1, Student's t with n - 2 degrees of freedom."""
    from scipy import stats

    design = np.stack([X, np.ones(12)], axis=1)
    values, unit = least_squares(design, Y, 1.0)
    noise = np.sqrt(np.sum((Y - design @ values) ** 2) / 10)
    assert fitted.status.converged
    for i, name in enumerate("ab"):
        found = fitted[name]
        assert found.value == pytest.approx(values[i], rel=1e-9)
        assert found.sd == pytest.approx(noise * np.sqrt(unit[i, i]), rel=1e-6)
        assert found.dof == pytest.approx(10)
        low, high = found.interval(0.95)
        assert high - low == pytest.approx(2 * stats.t.ppf(0.975, 10) * found.sd)
    assert fitted.noise == {"y": pytest.approx(noise, rel=1e-6)}
    assert fitted.dof == pytest.approx(10)
    assert fitted.chi2 == pytest.approx(10, rel=1e-4)  # by the meaning of estimated noise
    assert np.isnan(fitted.p_value)


def test_correlation_of_slope_and_intercept(fitted):
    names, matrix = fitted.correlation
    assert names == ("a", "b")
    expected = -np.mean(X) / np.sqrt(np.mean(X**2))
    np.testing.assert_allclose(matrix, [[1, expected], [expected, 1]], rtol=1e-9)


def test_information_criterion(fitted):
    """-2 log L + k log n with L at the reported noise level, and two unknowns and one level."""
    noise = fitted.noise["y"]
    residual = Y - fitted["b"].value - fitted["a"].value * X
    minus_two_log = np.sum((residual / noise) ** 2) + 12 * np.log(2 * np.pi * noise**2)
    assert fitted.log_likelihood == pytest.approx(-minus_two_log / 2)
    assert fitted.bic == pytest.approx(minus_two_log + 3 * np.log(12))


def test_straight_line_with_noise_of_each_row():
    from scipy import stats

    sd = np.linspace(0.05, 0.3, 12)
    solution = lf.solve(line(lf.Data({"x": X, "y": Y}, noise=sd)), COARSE)
    values, covariance = least_squares(np.stack([X, np.ones(12)], axis=1), Y, sd)
    assert solution["a"].value == pytest.approx(values[0], rel=1e-9)
    assert solution["b"].sd == pytest.approx(np.sqrt(covariance[1, 1]), rel=1e-9)
    assert solution["b"].dof == np.inf
    chi2 = np.sum(((Y - values[1] - values[0] * X) / sd) ** 2)
    assert solution.chi2 == pytest.approx(chi2)
    assert solution.p_value == pytest.approx(stats.chi2.sf(chi2, 10))
    assert solution.noise == {}


def test_priors_count_as_measurements():
    """A prior N(m, s) is one more row: precision + 1 / s^2."""
    data = lf.Data({"x": X, "y": Y}, noise=0.1)
    prior = lf.Normal(0.5, 0.02)
    solution = lf.solve(line(data, a=lf.Real(2.0, prior=prior)), COARSE)
    design = np.concatenate([np.stack([X, np.ones(12)], axis=1), [[1.0, 0.0]]])
    sd = np.append(np.full(12, 0.1), 0.02)
    values, covariance = least_squares(design, np.append(Y, 0.5), sd)
    assert solution["a"].value == pytest.approx(values[0], rel=1e-9)
    assert solution["a"].sd == pytest.approx(np.sqrt(covariance[0, 0]), rel=1e-9)
    assert solution["b"].sd == pytest.approx(np.sqrt(covariance[1, 1]), rel=1e-9)
    assert 0.5 < solution["a"].value < 0.8


def test_vector_unknown():
    """Y' = c_0 + c_1 x: a parabola."""
    problem = lf.Problem(
        LINE,
        "y",
        {"curved": lambda y_x, c, x: y_x - c[0] - c[1] * x},
        [lf.Value(LINE.at(x=0), y=1.5)],
        {"c": lf.Real([1.0, 0.5])},
        data=lf.Data({"x": X, "y": Y}, noise=0.1),
    )
    solution = lf.solve(problem, COARSE)
    values, covariance = least_squares(np.stack([X, X**2 / 2], axis=1), Y - 1.5, 0.1)
    np.testing.assert_allclose(solution["c"].value, values, rtol=1e-8)
    np.testing.assert_allclose(solution["c"].sd, np.sqrt(np.diag(covariance)), rtol=1e-8)
    assert solution.correlation[0] == ("c[0]", "c[1]")
    assert solution.correlation[1][0, 1] == pytest.approx(
        covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    )
    assert json.loads(json.dumps(solution.to_json()))["c"]["value"] == list(solution["c"].value)


def bounded(values):
    return line(lf.Data({"x": X, "y": values}), a=lf.Bounded(-1.0, 4.0))


def test_bounds_change_nothing_inside(fitted):
    solution = lf.solve(bounded(Y), COARSE)
    for name in "ab":
        assert solution[name].value == pytest.approx(fitted[name].value, rel=1e-7)
        assert solution[name].sd == pytest.approx(fitted[name].sd, rel=1e-5)
    np.testing.assert_allclose(solution.correlation[1], fitted.correlation[1], rtol=1e-5)


def test_bounds_hold():
    solution = lf.solve(bounded(Y + 5 * X), COARSE)  # the data ask for 5.8
    assert 3.9 < solution["a"].value <= 4


def test_two_data_sets_with_noise_of_their_own():
    """Each level settles at |r|^2 / (n - leverage) of its rows, and the rows count by it."""
    rng = np.random.default_rng(5)
    rough, fine = np.linspace(0.1, 3.9, 60), np.linspace(0.2, 3.8, 60)
    data = [
        lf.Data({"x": fine, "y": 1.5 + 0.8 * fine + 0.02 * rng.normal(size=60)}, name="fine"),
        lf.Data({"x": rough, "y": 1.5 + 0.8 * rough + 0.5 * rng.normal(size=60)}, name="rough"),
    ]
    solution = lf.solve(line(data), COARSE)
    levels = np.array([solution.noise["fine: y"], solution.noise["rough: y"]])
    np.testing.assert_allclose(levels, [0.02, 0.5], rtol=4 / np.sqrt(120))
    x, y = np.concatenate([fine, rough]), np.concatenate([d.columns["y"] for d in data])
    design, sd = np.stack([x, np.ones(120)], axis=1), np.repeat(levels, 60)
    values, covariance = least_squares(design, y, sd)
    assert solution["a"].value == pytest.approx(values[0], rel=1e-6)
    assert solution["a"].sd == pytest.approx(np.sqrt(covariance[0, 0]), rel=1e-3)
    leverage = np.einsum("ni,ij,nj->n", design, covariance, design) / sd**2
    residual = y - design @ values
    for i, rows in enumerate((slice(0, 60), slice(60, 120))):
        freedom = 60 - leverage[rows].sum()
        assert levels[i] == pytest.approx(np.sqrt(np.sum(residual[rows] ** 2) / freedom), rel=1e-3)


def test_measured_function_of_a_field():
    """Z = log u of u' = -k u, u(0) = 1, is -k t: k = -sum(t z) / sum(t^2), sd = noise / sqrt(sum(t^2))."""
    domain = lf.Box(t=(0, 1))
    t = np.linspace(0.1, 1, 12)
    z = -0.7 * t + 0.01 * np.random.default_rng(1).normal(size=12)
    problem = lf.Problem(
        domain,
        "u",
        {"decay": lambda u, u_t, k: u_t + k * u},
        [lf.Value(domain.at(t=0), u=1.0)],
        {"k": lf.Positive(2.0)},
        data=lf.Data({"t": t, "z": z}, noise={"z": 0.01}, observe={"z": lambda u: jnp.log(u)}),
    )
    solution = lf.solve(problem, Collocation(steps=4))
    assert solution["k"].value == pytest.approx(-np.sum(t * z) / np.sum(t**2), rel=1e-8)
    assert solution["k"].sd == pytest.approx(0.01 / np.sqrt(np.sum(t**2)), rel=1e-8)


# What the data do not determine


def test_a_sum_leaves_the_difference_undetermined_in_the_users_units():
    """Only a + b enters, and b is looked for in steps ten times as long: a - b is undetermined, not a - b / 10."""
    problem = lf.Problem(
        LINE,
        "y",
        {"slope": lambda y_x, a, b: y_x - a - b},
        [lf.Value(LINE.at(x=0), y=1.5)],
        {"a": lf.Real(1.0), "b": lf.Real(10.0)},
        data=lf.Data({"x": X, "y": Y}, noise=0.1),
    )
    solution = lf.solve(problem, COARSE)
    assert solution.undetermined in (("a - b",), ("b - a",))


def test_a_product_leaves_the_ratio_undetermined():
    """Only k m enters: the data say nothing about k / m, neither factor has an error bar, and b keeps its own."""
    problem = lf.Problem(
        LINE,
        "y",
        {"slope": lambda y_x, k, m: y_x - k * m},
        START,
        {"k": lf.Positive(1.0), "m": lf.Positive(3.0), "b": lf.Real(0.0)},
        data=lf.Data({"x": X, "y": Y}, noise=0.1),
    )
    solution = lf.solve(problem, COARSE)
    values, covariance = least_squares(np.stack([X, np.ones(12)], axis=1), Y, 0.1)
    assert solution["k"].value * solution["m"].value == pytest.approx(values[0], rel=1e-9)
    assert solution["b"].value == pytest.approx(values[1], rel=1e-9)
    assert solution["b"].sd == pytest.approx(np.sqrt(covariance[1, 1]), rel=1e-6)
    assert solution["k"].sd == np.inf
    assert solution["m"].sd == np.inf
    assert solution.undetermined in (("k / m",), ("m / k",))
    as_json = json.loads(json.dumps(solution.to_json(), allow_nan=False))
    assert as_json["k"]["sd"] is None
    assert as_json["m"]["sd"] is None
    assert as_json["b"]["sd"] == solution["b"].sd
    assert "undetermined" in str(solution["k"])
    assert solution.undetermined[0] in solution.summary()


# An unknown field


@pytest.mark.usefixtures("float64")
def test_unknown_field_is_the_posterior_of_its_prior():
    """Y' = f(x) is linear in the modes of f, so that posterior mean and band have a closed form."""
    domain = lf.Box(x=(0, 2))
    x = np.linspace(0.1, 2, 20)
    prior = lf.Smooth(length=0.3, sd=1.0, modes=8)
    unknown = lf.Real(0.5, over="x", prior=prior)

    def truth(x):
        return 1 + 0.5 * np.sin(2 * x)

    y = x + 0.25 * (1 - np.cos(2 * x)) + 0.01 * np.random.default_rng(2).normal(size=20)
    problem = lf.Problem(
        domain,
        "y",
        {"rise": lambda y_x, f: y_x - f},
        [lf.Value(domain.at(x=0), y=0.0)],
        {"f": unknown},
        data=lf.Data({"x": x, "y": y}, noise=0.01),
    )
    solution = lf.solve(problem, Collocation(tolerance=1e-7, steps=12, stages=4))
    assert solution.status.converged, solution.status

    def modes(places):
        """The field is raw -> mean + sum of modes, linear for `Real`: its Jacobian, (places, modes)."""
        rows = jnp.concatenate([jnp.zeros((1, 9)), jnp.eye(9)])
        at = jax.vmap(jax.vmap(lambda row, s: field_value(unknown, row, {"x": s}), (0, None)), (None, 0))
        values = np.asarray(at(rows, jnp.asarray(places / 2)))
        return values[:, 1:] - values[:, :1]

    # Integrals of the modes from 0 to each x by Gauss-Legendre, one interval each: the modes are smooth.
    nodes, weights = np.polynomial.legendre.leggauss(30)
    integrals = np.stack([end / 2 * weights @ modes(end / 2 * (nodes + 1)) for end in x])
    design = np.concatenate([integrals / 0.01, np.eye(9)[1:]])
    right = np.append((y - 0.5 * x) / 0.01, np.zeros(8))
    raw, covariance = least_squares(design, right, 1.0)
    places = np.linspace(0, 2, 41)
    found = solution["f"](x=places)
    np.testing.assert_allclose(found.value, 0.5 + modes(places) @ raw, rtol=2e-5)
    # The mesh is refined until it moves no estimate by a thousandth of its error bar, not to rounding.
    np.testing.assert_allclose(
        found.sd, np.sqrt(np.einsum("ni,ij,nj->n", modes(places), covariance, modes(places))), rtol=1e-5
    )
    assert np.mean(np.abs(found.value - truth(places)) < 2.5 * found.sd) > 0.9
    assert np.max(found.sd) < 0.2  # and the band says something
    assert set(solution["f"].to_json()) == {"x", "value", "sd"}
    with pytest.raises(lf.BadInput, match="function of x"):
        solution["f"](t=1.0)


# Certified


def test_misra_to_eight_digits():
    """NIST StRD Misra1a from the far start: both values and both standard deviations."""
    solution = lf.solve(misra.problem(), Collocation())
    assert misra.digits(solution) > 8


def test_a_field_of_two_axes_is_told_on_a_grid():
    """Without data the band is the prior's, exp(sd^2 ...) to first order: sd of the mode sum at value 2 is 2 sd."""
    disk = lf.Disk(x=0, y=0, radius=1)
    unknown = lf.Positive(2.0, over=("x", "y"), prior=lf.Smooth(length=0.4, sd=0.5))
    size = raw_size(unknown)
    covariance = np.diag(np.r_[0.0, np.ones(size - 1)])
    field = FieldEstimate("D", disk, unknown, np.zeros(size), covariance)
    lines, found = field.grid(11)
    assert list(lines) == ["x", "y"]
    assert np.isnan(found.value[0, 0])  # a corner of the box
    assert found.value[5, 5] == pytest.approx(2.0)
    assert found.sd[5, 5] == pytest.approx(1.0, rel=0.03)
    assert field(x=0.3, y=[0.0, 0.5]).value.shape == (2,)
    assert field.law()(x=0.1, y=0.2) == pytest.approx(2.0)
    assert "over x and y" in str(field)
    assert set(field.to_json()) == {"x", "y", "value", "sd"}
    with pytest.raises(lf.BadInput, match=r"write \.grid\(count\)"):
        field.line()
    with pytest.raises(lf.BadInput, match="function of x and y"):
        field(x=0.3)
