"""The tests of a fitted model against exact distributions, and against simulation where there is none."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lawful.verify import (
    Coordinate,
    ForwardModel,
    Kind,
    Measurements,
    detectable,
    false_discovery,
    fit,
    identifiability,
    judge,
    leave_one_out,
    placebo,
    profile,
    scores,
    tail,
)


def linear(matrix, own, finer=True):
    """A model whose predictions are a matrix times its numbers: everything about it is known exactly."""
    matrix = np.asarray(matrix, dtype=float)

    def predict(x):
        return matrix @ x

    return ForwardModel(
        predict=predict,
        linearise=lambda x, directions: (matrix @ x, matrix @ directions),
        parameters=tuple(Coordinate(f"p{i}") for i in range(own)),
        candidates=tuple(Coordinate(f"c{i}") for i in range(matrix.shape[1] - own)),
        start=np.zeros(matrix.shape[1]),
        finer=(predict, predict) if finer else (),
    )


def cosines(rows=60, columns=5):
    t = np.linspace(0, 1, rows)
    return t, np.stack([np.cos(np.pi * k * t) for k in range(columns)], axis=1)


def readings(values, noise, t):
    return Measurements.of(values, noise, sensor=[f"s{int(5 * v)}" for v in t], places={"t": t})


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.floats(1.5, 12.0))
def test_the_tail_of_equal_weights_is_that_of_chi_squared(count, far):
    value = count + far * math.sqrt(2 * count)
    assert tail(np.ones(count), value) == pytest.approx(stats.chi2.sf(value, count), rel=0.08)


def test_the_tail_of_unequal_weights_agrees_with_simulation():
    weights = np.array([3.0, 1.0, 0.5, -0.7, 0.1])
    draws = np.random.default_rng(0).normal(size=(400_000, 5)) ** 2 @ weights
    for level in (0.3, 0.05, 0.01, 0.001):
        value = float(np.quantile(draws, 1 - level))
        assert tail(weights, value) == pytest.approx(level, rel=0.12)


def test_a_score_is_what_a_refit_gains():
    """For a linear model and known noise, z^2 is exactly the fall of the sum of squares."""
    t, matrix = cosines()
    model = linear(matrix, 2)
    data = readings(matrix @ [1.0, -2.0, 0.3, 0.0, 0.0] + 0.1 * np.random.default_rng(1).normal(size=60), 0.1, t)
    null = fit(model, data, (0, 1), model.start)
    found = scores(model, data, null)
    for k in range(3):
        refit = fit(model, data, (0, 1, 2 + k), model.start)
        assert found.z[k] ** 2 == pytest.approx(null.deviance - refit.deviance, rel=1e-6)
        assert found.sd[k] == pytest.approx(refit.sd_of(2 + k), rel=1e-6)
        assert np.sign(found.z[k]) == np.sign(refit.x[2 + k])


def test_an_estimated_noise_makes_the_score_students_t():
    t, matrix = cosines(rows=12)
    model, rng = linear(matrix, 2), np.random.default_rng(2)
    values = []
    for _ in range(400):
        data = readings(matrix[:, :2] @ [1.0, 1.0] + rng.normal(size=12), None, t)
        values.append(scores(model, data, fit(model, data, (0, 1), model.start)).p[0])
    assert stats.kstest(values, "uniform").pvalue > 1e-3


def test_a_candidate_that_the_parameters_imitate_is_absorbed():
    t, matrix = cosines()
    model = linear(np.column_stack([matrix[:, :2], matrix[:, 0] - 3 * matrix[:, 1]]), 2)
    found = scores(
        model, readings(matrix[:, 0], 0.1, t), fit(model, readings(matrix[:, 0], 0.1, t), (0, 1), model.start)
    )
    assert found.absorbed.tolist() == [True]
    assert found.z[0] == 0
    assert math.isinf(found.sd[0])


@pytest.mark.parametrize("noise", [0.1, None])
def test_false_alarms_come_as_often_as_asked_for(noise):
    """All tests together, the structure test included, raise an alarm in 5 % of draws of a right model."""
    t, matrix = cosines(columns=6)
    model, rng, count = linear(matrix, 2), np.random.default_rng(3), 300
    p = []
    for _ in range(count):
        data = readings(matrix[:, :2] @ [1.0, 1.0] + 0.1 * rng.normal(size=60), noise, t)
        p.append(judge(model, data).p)
    low, high = stats.binom.interval(0.999, count, 0.05)
    assert low <= np.sum(np.array(p) < 0.05) <= high


def test_the_detectable_coefficient_is_found_four_times_in_five():
    t, matrix = cosines(columns=3)
    model, rng = linear(matrix, 2), np.random.default_rng(4)
    data = readings(matrix[:, 0], 0.1, t)
    null = judge(model, data).null
    least = detectable(null.scored.sd, null.alarm.single, 0.8)[0]
    hits = 0
    for _ in range(300):
        noisy = matrix @ [1.0, 0.0, least] + 0.1 * rng.normal(size=60)
        found = judge(model, data.holding(noisy)).null.scored
        hits += found.p[0] < null.alarm.single
    assert 0.72 < hits / 300 < 0.88


def test_the_right_candidate_is_named_with_an_honest_interval():
    t, matrix = cosines(columns=6)
    model, rng, held = linear(matrix, 2), np.random.default_rng(5), 0
    data = readings(matrix[:, 0], 0.1, t)
    for _ in range(100):
        found = judge(model, data.holding(matrix @ [1.0, 0.5, 0.0, 0.4, 0.0, 0.0] + 0.1 * rng.normal(size=60)))
        assert found.kind is Kind.NAMED
        assert found.missing == ("c1",)
        low, high = found.coefficients[0].interval(0.95)
        held += low <= 0.4 <= high
    assert 88 <= held <= 100


def test_two_missing_terms_are_both_named():
    t, matrix = cosines(columns=6)
    values = matrix @ [1.0, 0.5, 0.0, 0.8, 0.0, -0.6] + 0.1 * np.random.default_rng(6).normal(size=60)
    found = judge(linear(matrix, 2), readings(values, 0.1, t))
    assert sorted(found.missing) == ["c1", "c3"]


def test_collinear_candidates_come_as_a_group():
    t, matrix = cosines(columns=3)
    nearly = matrix[:, 2] + 0.02 * np.sin(20 * t)
    model = linear(np.column_stack([matrix, nearly]), 2)
    values = matrix @ [1.0, 0.5, 0.3] + 0.1 * np.random.default_rng(7).normal(size=60)
    found = judge(model, readings(values, 0.1, t))
    assert found.kind is Kind.GROUP
    assert sorted(found.missing) == ["c0", "c1"]


def test_what_no_candidate_explains_is_reported_as_left():
    t, matrix = cosines(columns=4)
    values = matrix @ [1.0, 0.5, 0.0, 0.0] + np.sin(11 * t) + 0.1 * np.random.default_rng(8).normal(size=60)
    found = judge(linear(matrix, 2), readings(values, 0.1, t))
    assert found.kind is Kind.UNEXPLAINED
    assert found.missing == ()
    assert found.rejected


def test_noise_that_is_understated_is_not_blamed_on_the_law():
    t, matrix = cosines(rows=200, columns=4)
    values = matrix @ [1.0, 0.5, 0.0, 0.0] + 0.2 * np.random.default_rng(9).normal(size=200)
    found = judge(linear(matrix, 2), readings(values, 0.1, t))
    assert found.kind is Kind.NOISE
    assert "times the stated noise" in found.sentence
    assert not found.rejected


def test_a_model_without_finer_meshes_gets_no_verdict():
    t, matrix = cosines()
    found = judge(linear(matrix, 2, finer=False), readings(matrix[:, 0], 0.1, t))
    assert found.kind is Kind.NOT_VERIFIED
    assert math.isnan(found.p)


def test_leaving_a_sensor_out_is_exact_for_a_linear_model():
    t, matrix = cosines(columns=4)
    model = linear(matrix, 2)
    data = readings(matrix @ [1.0, 0.5, 0.4, 0.0] + 0.1 * np.random.default_rng(10).normal(size=60), 0.1, t)
    found = judge(model, data)
    seen = leave_one_out(data, found.search, 2)
    for index, each in enumerate(seen):
        kept = data.sensor != index
        less = linear(matrix[kept], 2)
        refit = fit(less, Measurements.of(data.values[kept], 0.1), (0, 1, 2), less.start)
        assert each.coefficient == pytest.approx(refit.x[2], rel=1e-6)
        assert each.sd == pytest.approx(refit.sd_of(2), rel=1e-6)


def test_placebo_runs_count_false_alarms():
    t, matrix = cosines(columns=4)
    data = readings(matrix @ [1.0, 0.5, 0.5, 0.0] + 0.1 * np.random.default_rng(11).normal(size=60), 0.1, t)
    model = linear(matrix, 2)
    found = placebo(model, data, judge(model, data), 60, seed=1)
    assert found.flagged <= 4
    assert found.named >= 57
    assert found.covered >= 50
    assert "false alarms" in str(found)


def test_false_discovery_rates_are_those_of_benjamini_and_hochberg():
    p = np.array([0.03, 0.001, 0.5, 0.02])
    assert false_discovery(p) == pytest.approx(stats.false_discovery_control(p))


def factors(combine):
    """Two positive numbers of which the readings see a combination only."""
    t = np.linspace(0.1, 1, 20)

    def predict(x):
        return combine(*np.exp(x)) * t

    def linearise(x, directions):
        h = 1e-6
        columns = [(predict(x + h * d) - predict(x - h * d)) / (2 * h) for d in directions.T]
        return predict(x), np.stack(columns, axis=1) if columns else np.zeros((20, 0))

    names = tuple(Coordinate(n, lambda r: float(np.exp(r)), lambda r: float(np.exp(r)), True) for n in ("E", "rho"))
    return t, ForwardModel(predict, linearise, names, (), np.array([0.3, -0.2]))


def test_an_undetermined_direction_is_named_in_the_users_words():
    t, model = factors(lambda E, rho: E / rho)
    found = fit(model, Measurements.of(2.0 * t, 0.01), (0, 1), model.start)
    seen = identifiability(model, found)
    assert seen.undetermined == ("E * rho",)
    assert seen.determined == ("E / rho",)
    assert "only E / rho is determined" in str(seen)


def test_a_profile_is_flat_where_nothing_is_determined():
    t, model = factors(lambda E, rho: E / rho)
    data = Measurements.of(2.0 * t, 0.01)
    flat = profile(model, data, fit(model, data, (0, 1), model.start), "E")
    assert math.isinf(flat.low)
    assert math.isinf(flat.high)
    assert "not determined" in str(flat)


def test_a_profile_of_a_linear_number_is_its_interval():
    t, matrix = cosines(columns=2)
    model = linear(matrix, 2)
    data = readings(matrix @ [1.0, 0.5] + 0.1 * np.random.default_rng(12).normal(size=60), 0.1, t)
    found = fit(model, data, (0, 1), model.start)
    seen = profile(model, data, found, "p1")
    sd = found.sd_of(1)
    assert seen.low == pytest.approx(found.x[1] - 1.95996 * sd, abs=1e-3 * sd)
    assert seen.high == pytest.approx(found.x[1] + 1.95996 * sd, abs=1e-3 * sd)
