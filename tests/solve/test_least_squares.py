"""The least-squares core: classical hard problems, every way to stop, redundancy, state, and covariances."""

import functools
from fractions import Fraction

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from classic_problems import CLASSICS, rosenbrock

from lawful.solve import _least_squares as core
from lawful.solve._covariance import covariance, marginal_covariance
from lawful.solve._least_squares import LeastSquaresSystem, LevenbergMarquardt, minimise

pytestmark = pytest.mark.usefixtures("float64", "quick_compilation")

reason = LevenbergMarquardt().reason
system_of = LeastSquaresSystem.from_residual
init, step = core._jitted_init, core._jitted_step  # what `minimise` runs: compiled code is shared with it


@pytest.fixture(scope="module")
def quick_compilation():
    """Some forty small programs are compiled here and run for milliseconds. `test_nist.py` runs what users run."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@functools.cache
def classic_system(name: str) -> LeastSquaresSystem:
    """One object a problem, because compiled code belongs to it."""
    return system_of(CLASSICS[name].residual)


def classic_start(name: str) -> jax.Array:
    return jnp.asarray(CLASSICS[name].start, float)


@pytest.fixture
def rosenbrock_system():
    return classic_system("Rosenbrock")


# ---------------------------------------------------------------------------------------------- classical problems


@pytest.mark.parametrize("name", CLASSICS)
def test_classical_problems_reach_a_known_minimum(name):
    """More, Garbow and Hillstrom's problems from the standard start: the published sum of squares, to its 6 digits."""
    classic = CLASSICS[name]
    state = minimise(classic_system(name), classic_start(name))
    assert int(state.status) in LevenbergMarquardt.success, reason(state)
    distance = [abs(float(state.cost) - least) / max(least, 1e-14) for least in classic.minima]
    assert min(distance) < 1e-5, reason(state)
    if name not in ("Freudenstein-Roth", "trigonometric"):  # their standard starts lead to the local minimum
        assert distance[0] < 1e-5


@pytest.mark.parametrize(("name", "factor"), [("Brown almost linear", 100), ("Wood", 100), ("Brown-Dennis", 10)])
def test_far_starts(name, factor):
    classic = CLASSICS[name]
    state = minimise(classic_system(name), factor * classic_start(name))
    assert int(state.status) in LevenbergMarquardt.success, reason(state)
    np.testing.assert_allclose(state.cost, classic.minima[0], rtol=1e-5, atol=1e-14)


def test_rosenbrock_needs_few_steps(rosenbrock_system):
    state = minimise(rosenbrock_system, jnp.array([-1.2, 1.0]))
    np.testing.assert_allclose(state.x, [1, 1], rtol=1e-14)
    assert int(state.steps) <= 10


def test_a_linear_problem_is_solved_at_once():
    """Also from x = 0, where there is no |D x| to size the first step by."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((30, 4)), 1e3 * rng.standard_normal(30)
    state = minimise(system_of(lambda x: a @ x - b), jnp.zeros(4))
    np.testing.assert_allclose(state.x, np.linalg.lstsq(a, b)[0], rtol=1e-12)
    assert int(state.steps) <= 6


# ------------------------------------------------------------------------------------------------- ways to stop


def test_a_non_finite_trial_is_rejected():
    """Gauss-Newton from x = 1 towards log x = log 1e-3 goes to x < 0, where the logarithm is NaN."""
    visited = []
    system = system_of(lambda x: jnp.log(x) - jnp.log(jnp.array([1e-3, 50.0])))
    state = minimise(system, jnp.array([1.0, 1.0]), LevenbergMarquardt(radius=100.0), lambda s: visited.append(s))
    np.testing.assert_allclose(state.x, [1e-3, 50.0], rtol=1e-12)
    assert all(np.all(np.isfinite(each.x)) and np.isfinite(each.cost) for each in visited)
    assert int(visited[0].residuals) > 2  # the first trial failed


def test_a_non_finite_start_has_a_status_of_its_own(rosenbrock_system):
    for start in ([np.nan, 1.0], [1e200, 1.0]):  # the second one overflows
        state = minimise(rosenbrock_system, jnp.array(start))
        assert int(state.status) == core.BAD_START
        assert int(state.steps) == 0
        assert reason(state) == "residual is not finite at the start"


def test_a_non_finite_jacobian_is_named():
    state = minimise(system_of(lambda x: jnp.sqrt(x) - 1), jnp.zeros(1))
    assert int(state.status) == core.BAD_JACOBIAN
    assert int(state.status) in LevenbergMarquardt.hopeless
    assert "Jacobian is not finite" in reason(state)


def test_a_wrong_jacobian_is_no_success(rosenbrock_system):
    def wrong(x):
        residual, jacobian = rosenbrock_system.linearise(x)
        return residual, -jacobian

    start = jnp.array([-1.2, 1.0])
    state = minimise(LeastSquaresSystem(rosenbrock_system.residual, wrong), start)
    assert int(state.status) == core.NO_DESCENT
    assert int(state.status) not in LevenbergMarquardt.success
    np.testing.assert_array_equal(state.x, start)


def test_the_step_limit_is_kept(rosenbrock_system):
    state = minimise(rosenbrock_system, jnp.array([-1.2, 1.0]), LevenbergMarquardt(max_steps=3))
    assert int(state.status) == core.STEP_LIMIT
    assert reason(state).startswith("step limit 3 reached")


def test_stopping_by_cost_and_by_step():
    """(x^2, 0.1) converges linearly to x = 0, whatever the method: the cost settles long before the gradient."""
    system = system_of(lambda x: jnp.array([1.0, 0.0]) * x[0] ** 2 + jnp.array([0.0, 0.1]))
    by_cost = minimise(system, jnp.array([1.0]), LevenbergMarquardt(ftol=1e-6, gtol=0.0))
    by_step = minimise(system_of(lambda x: x**3), jnp.array([1.0]), LevenbergMarquardt(xtol=0.5, gtol=0.0))
    assert int(by_cost.status) == core.REDUCTION
    assert int(by_step.status) == core.STEP
    assert int(by_cost.steps) < 30
    assert int(by_step.steps) < 5


def test_every_status_has_its_own_sentence(rosenbrock_system):
    state = init(LevenbergMarquardt(), rosenbrock_system, jnp.array([-1.2, 1.0]))
    sentences = {reason(eqx.tree_at(lambda s: s.status, state, jnp.asarray(code))) for code in range(9)}
    assert len(sentences) == 9
    assert not LevenbergMarquardt.success & LevenbergMarquardt.hopeless


def test_a_stopped_state_stays_as_it_is(rosenbrock_system):
    state = minimise(rosenbrock_system, jnp.array([-1.2, 1.0]))
    assert eqx.tree_equal(step(LevenbergMarquardt(), rosenbrock_system, state), state)


@pytest.mark.parametrize("x0", [jnp.zeros((2, 2)), jnp.array([1, 2]), jnp.zeros(0)])
def test_a_start_that_is_no_vector_of_floats_is_refused(rosenbrock_system, x0):
    with pytest.raises(ValueError, match="vector of floats"):
        minimise(rosenbrock_system, x0)


# ------------------------------------------------------------------------------------- redundancy and scaling


@pytest.mark.parametrize("least", [1e-12, 1e-10, 1e-8])
def test_rounding_inside_the_residual_is_an_honest_end(least):
    """Terms of 1e4 cancel in a residual of size `least`: its rounding is far above what x and r alone would tell."""
    rng = np.random.default_rng(0)
    slopes, terms, x = rng.normal(size=(40, 6)), 1e4 * np.cos(np.arange(40.0)), rng.normal(size=6)
    normal = np.linalg.qr(np.c_[slopes, rng.normal(size=40)])[0][:, -1]
    values = slopes @ x + least * normal
    state = minimise(system_of(lambda x: (jnp.asarray(slopes) @ x + terms) - (values + terms)), jnp.zeros(6))
    assert int(state.status) in LevenbergMarquardt.success, reason(state)
    np.testing.assert_allclose(state.x, x, atol=1e-11)


def test_redundant_parameters_move_by_the_shortest_step():
    """Only a + b matters, and c not at all: a and b share the change, c keeps its value."""
    t = np.linspace(0, 1, 20)
    data = np.exp(-3 * t)
    system = system_of(lambda x: jnp.exp(-(x[0] + x[1]) * t) - data)
    state = minimise(system, jnp.array([0.5, 1.5, 7.0]))
    np.testing.assert_allclose(state.x, [1.0, 2.0, 7.0], rtol=1e-10)
    assert int(state.status) in LevenbergMarquardt.success


def test_more_parameters_than_residuals():
    """The solution of a wide linear problem nearest to the start (the columns here have equal norms)."""
    a = np.array([[1.0, 1, 1, -1], [1, -1, 1, 1]])
    state = minimise(system_of(lambda x: a @ x - 1.0), jnp.ones(4))
    nearest = 1 + np.linalg.lstsq(a, 1 - a @ np.ones(4))[0]
    np.testing.assert_allclose(state.x, nearest, rtol=1e-12)


def test_units_of_parameters_do_not_matter(rosenbrock_system):
    """Powers of two change no rounding, so the path must be the same to the last bit."""
    units = np.array([2.0**20, 2.0**-30])
    plain = minimise(rosenbrock_system, jnp.array([-1.2, 1.0]))
    scaled = minimise(system_of(lambda x: rosenbrock(x * units)), jnp.array([-1.2, 1.0]) / units)
    assert int(scaled.steps) == int(plain.steps)
    np.testing.assert_allclose(scaled.x * units, plain.x, rtol=1e-14)


@pytest.mark.parametrize("settings", [{"normal": True}, {"accelerate": False}])
def test_settings_change_the_way_but_not_the_end(settings):
    state = minimise(classic_system("Bard"), classic_start("Bard"), LevenbergMarquardt(**settings))
    np.testing.assert_allclose(state.cost, CLASSICS["Bard"].minima[0], rtol=1e-6)
    assert int(state.status) in LevenbergMarquardt.success


def test_jacobians_agree_with_finite_differences():
    residual, x = CLASSICS["Osborne 2"].residual, classic_start("Osborne 2")
    steps = 1e-6 * np.eye(x.size)
    expected = np.asarray(jax.jit(jax.vmap(lambda h: (residual(x + h) - residual(x - h)) / 2e-6))(steps)).T
    for reverse in (False, True):
        value, jacobian = jax.jit(system_of(residual, reverse=reverse).linearise)(x)
        np.testing.assert_allclose(value, residual(x), rtol=1e-14)
        np.testing.assert_allclose(jacobian, expected, atol=1e-8)


# ----------------------------------------------------------------------------------------------- state and loop


def test_a_resumed_run_is_the_same_to_the_last_bit():
    system, start = classic_system("Wood"), classic_start("Wood")
    whole = minimise(system, start)
    method = LevenbergMarquardt()
    state = init(method, system, start)
    while int(state.status) == core.RUNNING:
        leaves, structure = jax.tree.flatten(step(method, system, state))
        saved = [np.asarray(leaf).tobytes() for leaf in leaves]  # what a file would hold
        loaded = [np.frombuffer(raw, leaf.dtype).reshape(leaf.shape) for raw, leaf in zip(saved, leaves, strict=True)]
        state = jax.tree.unflatten(structure, [jnp.asarray(leaf) for leaf in loaded])
    assert eqx.tree_equal(state, whole)


def test_many_starts_at_once(rosenbrock_system):
    """Vmap over the step: finished members wait for the others."""
    starts = jnp.array([[-1.2, 1.0], [1.0, 1.0], [6.39, -0.221], [-12.0, 10.0]])
    method = LevenbergMarquardt()
    state = jax.jit(jax.vmap(lambda x: method.init(rosenbrock_system, x)))(starts)
    all_step = jax.jit(jax.vmap(lambda s: method.step(rosenbrock_system, s)))
    for _ in range(12):
        state = all_step(state)
    assert np.all(state.status != core.RUNNING)
    np.testing.assert_allclose(state.x, np.ones((4, 2)), rtol=1e-13)
    alone = [int(minimise(rosenbrock_system, start).steps) for start in starts]
    assert len(set(alone)) > 1
    np.testing.assert_allclose(state.steps, alone, atol=1)  # rounding differs in a batch, at the very end


def test_the_loop_reports_every_step_and_compiles_once():
    traced, seen = [], []

    def residual(x):
        traced.append(x)
        return rosenbrock(x)

    system = system_of(residual)
    state = minimise(system, jnp.array([-1.2, 1.0]), on_step=lambda s: seen.append(int(s.steps)))
    assert seen == list(range(1, int(state.steps) + 1))
    before = len(traced)
    minimise(system, jnp.array([3.0, -2.0]), LevenbergMarquardt())
    assert len(traced) == before


def test_an_interrupt_in_on_step_passes_through(rosenbrock_system):
    def interrupt(state):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        minimise(rosenbrock_system, jnp.array([-1.2, 1.0]), on_step=interrupt)


def test_single_precision_works_too(rosenbrock_system):
    state = minimise(rosenbrock_system, jnp.array([-1.2, 1.0], jnp.float32))
    assert state.x.dtype == jnp.float32
    np.testing.assert_allclose(state.x, [1, 1], rtol=1e-4)


# -------------------------------------------------------------------------------------------------- covariances


def exact_covariance(jacobian: np.ndarray, keep: int) -> np.ndarray:
    """The last block of (J'J)^-1 in rational arithmetic: no rounding until the end."""
    columns = [[Fraction(float(entry)) for entry in column] for column in jacobian.T]
    n = len(columns)
    rows = [
        [sum(map(Fraction.__mul__, columns[i], columns[j])) for j in range(n)]
        + [Fraction(int(i == j)) for j in range(n)]
        for i in range(n)
    ]
    for i in range(n):
        rows[i] = [entry / rows[i][i] for entry in rows[i]]
        for k in set(range(n)) - {i}:
            factor = rows[k][i]
            rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i], strict=True)]
    return np.array([[float(rows[i][n + j]) for j in range(n - keep, n)] for i in range(n - keep, n)])


def weighted_jacobian(weight: float) -> np.ndarray:
    rng = np.random.default_rng(3)
    jacobian = rng.standard_normal((24, 7))
    jacobian[rng.permutation(24)[:5]] *= weight
    return jacobian


@pytest.mark.parametrize("weight", [1.0, 1e6])
def test_covariances_are_exact_also_for_rows_of_very_different_weight(weight):
    jacobian = weighted_jacobian(weight)
    for found, keep in ((covariance(jacobian), 7), (marginal_covariance(jacobian, 2), 2)):
        expected = exact_covariance(jacobian, keep)
        np.testing.assert_allclose(found.matrix, expected, atol=1e-13 * np.max(np.abs(expected)))
        assert found.undetermined.shape == (keep, 0)
    if weight > 1:  # what the normal equations make of it: the reason for all this
        naive = np.linalg.inv(jacobian.T @ jacobian)[5:, 5:]
        assert np.max(np.abs(naive - expected)) > 1e-7 * np.max(np.abs(expected))


def test_redundant_nuisance_parameters_change_nothing():
    jacobian = weighted_jacobian(1e6)
    network, kept = jacobian[:, :5], jacobian[:, 5:]
    copies = np.hstack([network, np.zeros((24, 1)), network @ np.random.default_rng(4).standard_normal((5, 6)), kept])
    expected = marginal_covariance(jacobian, 2).matrix
    found, undetermined = marginal_covariance(copies, 2)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert undetermined.shape == (2, 0)


def test_undetermined_directions_are_named():
    """B and c enter as b - 2 c only, in columns of very different size; d not at all; a is determined."""
    rng = np.random.default_rng(5)
    a, b = rng.standard_normal((2, 30))
    jacobian = np.stack([a, 1e5 * b, -2e5 * b, np.zeros(30)], axis=1)
    found, loose = covariance(jacobian)
    assert loose.shape == (4, 2)
    np.testing.assert_allclose(loose.T @ loose, np.eye(2), atol=1e-14)
    np.testing.assert_allclose(jacobian @ loose, 0, atol=1e-9)
    np.testing.assert_allclose(loose[0], 0, atol=1e-14)
    reduced = np.linalg.inv(np.stack([a, b], axis=1).T @ np.stack([a, b], axis=1))
    np.testing.assert_allclose(found[0, 0], reduced[0, 0], rtol=1e-12)
    combination = np.array([0, 1, -2, 0])
    np.testing.assert_allclose(combination @ found @ combination, reduced[1, 1] / 1e10, rtol=1e-12)


def test_what_the_nuisance_can_imitate_is_undetermined():
    rng = np.random.default_rng(6)
    network = rng.standard_normal((40, 8))
    known, imitated = rng.standard_normal(40), network @ rng.standard_normal(8)
    found, loose = marginal_covariance(np.column_stack([network, imitated, known]), 2)
    np.testing.assert_allclose(np.abs(loose), [[1], [0]], atol=1e-12)
    assert found[1, 1] > 0
    assert marginal_covariance(rng.standard_normal((6, 9)), 2).undetermined.shape == (2, 2)  # A fills all rows


def test_the_error_bars_of_a_straight_line():
    """Sd of intercept and slope in closed form: sigma^2 (1/m + mean^2 / S) and sigma^2 / S."""
    t = np.linspace(3, 5, 11)
    spread = np.sum((t - t.mean()) ** 2)
    found = covariance(np.stack([np.ones(11), t], axis=1) / 0.3).matrix
    np.testing.assert_allclose(
        np.diag(found), 0.09 * np.array([1 / 11 + t.mean() ** 2 / spread, 1 / spread]), rtol=1e-13
    )


@pytest.mark.parametrize(
    ("jacobian", "keep", "complaint"),
    [
        (np.array([[1.0, np.nan]]), 1, r"entry \(0, 1\) is nan"),
        (np.ones(3), 1, "must be a matrix"),
        (np.ones((3, 2)), 3, "between 0 and the 2 columns"),
    ],
)
def test_bad_jacobians_are_refused(jacobian, keep, complaint):
    with pytest.raises(ValueError, match=complaint):
        marginal_covariance(jacobian, keep)


def test_nothing_to_keep_and_no_rows():
    assert marginal_covariance(np.ones((3, 2)), 0).matrix.shape == (0, 0)
    found, loose = covariance(np.zeros((0, 2)))
    np.testing.assert_array_equal(found, np.zeros((2, 2)))
    np.testing.assert_array_equal(np.abs(loose), np.eye(2))
