"""Self-scaled Broyden: the secant equation, minima, and what it says when it stops."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_course import front

import lawful as lf
from lawful.solve._broyden import _Here, line_search, self_scaled, updated
from lawful.solve._least_squares import LeastSquaresSystem
from lawful.solve._optimiser import BAD_START, RUNNING


def minimised(residual, x, **settings):
    with jax.enable_x64(True):
        method, system = lf.SelfScaledBroyden(**settings), LeastSquaresSystem.from_residual(residual)
        state = method.init(system, jnp.asarray(x, dtype=float))
        move = jax.jit(lambda state: method.move(system, state))
        while int(state.status) == RUNNING:
            state = move(state)
        return state, method


def rosenbrock(x):
    return jnp.stack([10 * (x[1] - x[0] ** 2), 1 - x[0], 1e-3 * jnp.ones(())])


def test_secant_equation_and_positive_definiteness():
    with jax.enable_x64(True):
        rng = np.random.default_rng(0)
        for _ in range(20):
            root, curved = rng.normal(size=(2, 6, 6))
            inverse, hessian = jnp.asarray(root @ root.T + np.eye(6)), jnp.asarray(curved @ curved.T + np.eye(6))
            slope = jnp.asarray(rng.normal(size=6))
            length = jnp.asarray(rng.uniform(0.1, 1.5))
            s = -length * inverse @ slope
            y = hessian @ s
            new = self_scaled(inverse, s, y, slope, length)
            np.testing.assert_allclose(new @ y, s, rtol=1e-8, atol=1e-10)
            np.testing.assert_allclose(new, new.T, rtol=1e-9, atol=1e-11)
            assert np.linalg.eigvalsh(new).min() > 0


def test_line_search_meets_the_wolfe_conditions():
    with jax.enable_x64(True):
        both = jax.value_and_grad(lambda x: jnp.sum((x - 3) ** 4))
        x = jnp.zeros(2)
        here = _Here(x, *both(x), jnp.eye(2), jnp.zeros((), jnp.int32))
        direction = -1e-4 * here.slope
        length, value, slope, found = line_search(both, here, direction)
        assert bool(found)
        assert value <= here.value + 1e-4 * length * (here.slope @ direction)
        assert slope @ direction >= 0.9 * (here.slope @ direction)
        assert int(updated(both, here).moved) == 1


def test_a_curved_valley():
    state, method = minimised(rosenbrock, [-1.2, 1.0], updates=20)
    np.testing.assert_allclose(state.x, 1.0, rtol=1e-4)
    assert int(state.status) in method.success, method.reason(state)


def test_says_that_the_start_is_no_number():
    state, method = minimised(lambda x: jnp.log(x), [-1.0])
    assert int(state.status) == BAD_START
    assert "not finite at the start" in method.reason(state)


def test_solves_a_front():
    method = lf.Neural(trial=lf.MLP(width=10, depth=2), points=600, tolerance=1e-2)
    solution = lf.solve(front(nu=0.3), method, optimiser=lf.SelfScaledBroyden(max_steps=30), progress=False)
    assert solution.status.converged, solution.status
    assert solution.audits[0].rms == pytest.approx(0, abs=2e-2)
