"""Adam: for networks that are too large for Gauss-Newton steps; the same fits, stops and files."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful.solve import Neural
from lawful.solve._covariance import marginal_covariance
from lawful.solve._least_squares import LeastSquaresSystem
from lawful.solve._uncertainty import damped, hat_diagonal

T = np.linspace(0.1, 1, 12)
NOISE = 0.01
SMALL = lf.MLP(width=8, depth=1)


def decay(u, u_t, k):
    return u_t + k * u


def cooling():
    domain = lf.Box(t=(0, 1))
    values = np.exp(-2 * T) + NOISE * np.random.default_rng(1).normal(size=12)
    return lf.Problem(
        domain,
        "u",
        {"decay": decay},
        [lf.Value(domain.at(t=0), u=1.0)],
        {"k": lf.Positive(1.0)},
        data=lf.Data({"t": T, "u": values}, noise=NOISE),
    )


def minimised(optimiser, residual, x):
    system = LeastSquaresSystem.from_residual(residual)
    state, move = optimiser.init(system, jnp.asarray(x)), jax.jit(lambda state: optimiser.move(system, state))
    while int(state.status) == 0:
        state = move(state)
    return state


@pytest.mark.usefixtures("float64")
def test_finds_a_minimum_and_says_why_it_stopped():
    """|A x - b|^2 with b partly outside the span: the minimum is known."""
    rng = np.random.default_rng(0)
    matrix, values = rng.normal(size=(8, 3)), rng.normal(size=8)
    best, cost, *_ = np.linalg.lstsq(matrix, values)
    optimiser = lf.Adam(rate=0.05, ftol=1e-9)
    state = minimised(optimiser, lambda x: matrix @ x - values, np.zeros(3))
    assert float(state.cost) == pytest.approx(cost[0], rel=1e-6)
    np.testing.assert_allclose(state.x, best, atol=1e-3)
    assert int(state.status) in lf.Adam.success
    assert optimiser.reason(state).startswith("cost settled")
    short = dataclasses.replace(optimiser, max_steps=2, updates=5)
    stopped = minimised(short, lambda x: matrix @ x - values, np.zeros(3))
    assert short.reason(stopped).startswith("step limit reached after 10 updates")


@pytest.mark.usefixtures("float64")
def test_a_step_into_nowhere_is_taken_back():
    """log(x) ends at 0; with a rate so high the first updates leap over it."""
    optimiser = lf.Adam(rate=3.0, updates=5, ftol=1e-9)
    state = minimised(optimiser, lambda x: jnp.log(x) - jnp.log(0.1), np.array([2.0]))
    assert np.isfinite(float(state.cost))
    assert float(state.x[0]) == pytest.approx(0.1, rel=1e-2)
    lost = optimiser.init(LeastSquaresSystem.from_residual(jnp.log), jnp.array([-1.0]))
    assert optimiser.reason(lost) == "residual is not finite at the start"


def test_fits_what_least_squares_fits():
    """Adam's estimate lies well inside the error bar of the exact one, and its error bar is the same."""
    exact = lf.solve(cooling(), lf.Collocation(), progress=False)["k"]
    optimiser = lf.Adam(rate=0.01, max_steps=60)
    found = lf.solve(cooling(), Neural(trial=SMALL), optimiser=optimiser, progress=False)
    assert abs(found["k"].value - exact.value) < 0.5 * exact.sd
    assert found["k"].sd == pytest.approx(exact.sd, rel=0.2)
    assert found.status.converged
    assert "the linear model would move the unknowns by another 0.0" in found.status.reason


def test_a_descent_that_ends_too_early_is_not_trusted():
    """So slow that nothing moves from stage to stage: what is left to go says that this is no minimum."""
    solution = lf.solve(cooling(), Neural(trial=SMALL), optimiser=lf.Adam(rate=1e-6, max_steps=3), progress=False)
    assert not solution.status.converged
    assert "not at a minimum" in solution.status.reason


def test_resumes_bit_for_bit(tmp_path, monkeypatch):
    from lawful.solve._keeper import Keeper

    class Stop(BaseException):
        pass

    class Seventh:
        count = 0

        def __call__(self, moment):
            self.count += 1
            if self.count == 7:
                raise Stop

        def close(self):
            pass

    monkeypatch.setattr(Keeper.__init__, "__defaults__", (0.0,))
    arguments = (cooling(), Neural(trial=SMALL)), {"optimiser": lf.Adam(max_steps=5, updates=20)}
    whole = lf.solve(*arguments[0], **arguments[1], progress=False)
    with pytest.raises(Stop):
        lf.solve(*arguments[0], **arguments[1], out=tmp_path, progress=Seventh())
    with pytest.raises(lf.BadInput, match="another problem"):  # the default optimiser cannot go on with this
        lf.solve(*arguments[0], out=tmp_path, resume=True, progress=False)
    found = lf.solve(*arguments[0], **arguments[1], out=tmp_path, resume=True, progress=False)
    assert found.history == whole.history
    np.testing.assert_array_equal(found.fitted.x, whole.fitted.x)


@pytest.mark.parametrize(
    ("trial", "kind"), [(lf.MLP(width=20, depth=2), lf.LevenbergMarquardt), (lf.MLP(width=70, depth=2), lf.Adam)]
)
def test_chosen_by_the_number_of_parameters(trial, kind):
    method = Neural(trial=trial)
    assert isinstance(method.optimiser(method.task(cooling())), kind)


@pytest.mark.parametrize(("rows", "fields", "unknowns"), [(60, 20, 2), (60, 20, 1), (40, 20, 0)])
def test_error_bars_from_a_wide_jacobian(rows, fields, unknowns):
    """Where no direction is faint, the damped projection is the exact one."""
    rng = np.random.default_rng(rows + unknowns)
    jacobian = rng.normal(size=(rows, fields + unknowns)) * 10.0 ** rng.uniform(-3, 3, fields + unknowns)
    leverage, found = damped(jacobian, unknowns)
    np.testing.assert_allclose(leverage, hat_diagonal(jacobian), atol=1e-6)
    exact = marginal_covariance(jacobian, unknowns)
    np.testing.assert_allclose(found[0], exact[0], rtol=1e-6)
    assert found[1].shape[1] == 0
