"""Damped Gauss-Newton: minima to rounding, long steps, and an honest word about why it stopped."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lawful.solve import GaussNewton
from lawful.solve._gauss_newton import triangular
from lawful.solve._least_squares import LeastSquaresSystem
from lawful.solve._optimiser import BAD_START, RUNNING


def minimised(residual, x, **settings):
    """The last state and the method, in double precision."""
    with jax.enable_x64(True):
        method, system = GaussNewton(**settings), LeastSquaresSystem.from_residual(residual)
        state = method.init(system, jnp.asarray(x, dtype=float))
        move = jax.jit(lambda state: method.move(system, state, *system.linearise(state.x)))
        while int(state.status) == RUNNING:
            state = move(state)
        return state, method


def rosenbrock(x):
    return jnp.stack([10 * (x[1] - x[0] ** 2), 1 - x[0]])


def test_follows_a_curved_valley_to_its_end():
    state, method = minimised(rosenbrock, [-1.2, 1.0])
    np.testing.assert_allclose(state.x, 1.0, rtol=1e-9)
    assert int(state.status) in method.success
    assert state.steps < 40


def test_a_linear_problem_ends_at_its_least_squares_solution():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(30, 8)) * 10.0 ** np.arange(-4, 4), rng.normal(size=30)
    state, method = minimised(lambda x: jnp.asarray(a) @ x - b, np.zeros(8))
    np.testing.assert_allclose(state.x, np.linalg.lstsq(a, b, rcond=None)[0], rtol=1e-5)
    assert int(state.status) in method.success, method.reason(state)


def test_directions_far_below_the_digits_of_normal_equations():
    """Columns that differ by 1e-7 of their length: J'J cannot tell them apart, J can."""
    rng = np.random.default_rng(1)
    base, apart = rng.normal(size=(40, 1)), rng.normal(size=(40, 3))
    a = base + 1e-7 * apart
    truth = np.array([1.0, -2.0, 1.5])
    state, _ = minimised(lambda x: jnp.asarray(a) @ (x - truth), np.zeros(3), max_steps=60)
    assert np.linalg.norm(a @ (np.asarray(state.x) - truth)) < 1e-9
    np.testing.assert_allclose(state.x, truth, atol=1e-2)


@pytest.mark.parametrize("faint", [True, False])
def test_triangular_factor(faint):
    with jax.enable_x64(True):
        rng = np.random.default_rng(2)
        j, ridge = jnp.asarray(rng.normal(size=(12, 5))), jnp.asarray(rng.uniform(0.1, 1, 5))
        r = triangular(j.T @ j, j, ridge, jnp.asarray(faint))
        np.testing.assert_allclose(r.T @ r, j.T @ j + jnp.diag(ridge), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(np.tril(r, -1), 0, atol=1e-14)


def test_rows_that_change_keep_the_damping():
    with jax.enable_x64(True):
        method, system = GaussNewton(), LeastSquaresSystem.from_residual(rosenbrock)
        state = method.init(system, jnp.array([-1.2, 1.0]))
        for _ in range(5):
            state = method.move(system, state, *system.linearise(state.x))
        again = method.rebased(state, 3 * system.residual(state.x))
        assert float(again.cost) == pytest.approx(9 * float(state.cost))
        assert float(again.damping) == float(state.damping)
        assert int(again.steps) == 5
        assert int(again.status) == RUNNING


def test_says_that_the_start_is_no_number():
    state, method = minimised(lambda x: jnp.log(x), [-1.0])
    assert state.status == BAD_START
    assert "not finite at the start" in method.reason(state)


def test_says_that_the_limit_was_reached():
    state, method = minimised(rosenbrock, [-1.2, 1.0], max_steps=3)
    assert int(state.status) not in method.success
    assert "step limit" in method.reason(state)
