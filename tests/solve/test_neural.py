"""The trial field fitted all at once: same answers as stepping, exact and penalised conditions, forward problems."""

import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful.solve import Collocation, Neural

DOMAIN = lf.Box(t=(0, 1))
START = [lf.Value(DOMAIN.at(t=0), u=1.0)]
T = np.linspace(0.1, 1, 12)
U = np.exp(-2 * T) + 0.01 * np.random.default_rng(4).normal(size=12)


def decay(u, u_t, k):
    return u_t + k * u


def cooling(values=U, noise=None):
    data = lf.Data({"t": T, "u": values}, noise=noise)
    return lf.Problem(DOMAIN, "u", {"decay": decay}, START, {"k": lf.Positive(1.0)}, data=data)


@pytest.fixture(scope="module")
def stepped():
    return lf.solve(cooling(), Collocation(steps=6))


SMALL = {"network": Neural(trial=lf.MLP(width=8)), "modes": Neural(trial=lf.Spectral(12))}


@pytest.fixture(scope="module", params=list(SMALL))
def at_once(request):
    return lf.solve(cooling(), SMALL[request.param])


def test_both_methods_find_the_same(at_once, stepped):
    assert stepped.status.converged, stepped.status
    assert at_once.status.converged, at_once.status
    assert abs(at_once["k"].value - stepped["k"].value) < 0.02 * stepped["k"].sd
    assert at_once["k"].sd == pytest.approx(stepped["k"].sd, rel=0.02)
    assert at_once.noise["u"] == pytest.approx(stepped.noise["u"], rel=0.01)
    assert at_once.dof == pytest.approx(11, abs=0.05)  # the field's parameters are paid for by the law, not by the data
    t = np.linspace(0, 1, 21)
    np.testing.assert_allclose(at_once.u(t=t), stepped.u(t=t), atol=1e-4)
    assert at_once.bic == pytest.approx(stepped.bic, abs=0.5)


def test_the_start_is_exact_at_any_stage(at_once):
    assert at_once.u(t=0.0) == 1.0


def test_the_history_names_every_term(at_once):
    assert set(at_once.history[0].terms) == {"law: decay", "data: u"}
    assert set(at_once.history[0].unknowns) == {"k"}
    assert at_once.history[-1].unknowns["k"] == pytest.approx(at_once["k"].value, rel=1e-12)
    weights = list(dict.fromkeys(step.weight for step in at_once.history))
    assert len(weights) > 1  # the balance between law and data was looked for
    assert weights[1] > weights[0]
    assert at_once.history[-1].loss == pytest.approx(sum(at_once.history[-1].terms.values()))


def test_the_seed_changes_the_start_and_not_the_answer(stepped):
    one, other = (lf.solve(cooling(), Neural(trial=lf.MLP(width=8), seed=seed)) for seed in (0, 1))
    assert one.history[0].terms != other.history[0].terms
    assert abs(one["k"].value - other["k"].value) < 0.02 * stepped["k"].sd


def test_the_same_seed_gives_the_same_bits(at_once):
    again = lf.solve(at_once.problem, at_once.method)
    assert again["k"].value == at_once["k"].value
    np.testing.assert_array_equal(again.fitted.x, at_once.fitted.x)


def test_data_without_noise_converge():
    """Measurements straight from the law: nothing is left over, and that is no reason to distrust the answer."""
    solution = lf.solve(cooling(np.exp(-2 * T)), SMALL["modes"])
    assert solution.status.converged, solution.status
    assert solution["k"].value == pytest.approx(2, rel=1e-5)


# Conditions, two axes, no data


@pytest.fixture(scope="module")
def plate():
    """Heat lost to the air: u_x = -h u at x = 1, u_x = 0 at x = 0; u = cos(a x) exp(-D a^2 t) where a tan a = h."""
    a = 1.1
    h = a * np.tan(a)
    domain = lf.Box(x=(0, 1), t=(0, 0.5))
    problem = lf.Problem(
        domain,
        "u",
        {"heat": lambda u_t, slope_x: u_t - 0.3 * slope_x},
        [
            lf.Value(domain.at(x=1), slope=lambda u: -h * u),
            lf.Flux(domain.at(x=0), u=0.0),
            lf.Value(domain.at(t=0), u=lambda x: jnp.cos(a * x)),
        ],
        derived={"slope": lambda u_x: u_x},
    )
    return lf.solve(problem, Neural(trial=lf.Spectral(7))), a


def test_forward_problem_without_data(plate):
    solution, a = plate
    assert solution.status.converged, solution.status
    rng = np.random.default_rng(0)
    x, t = rng.uniform(0, 1, 100), rng.uniform(0, 0.5, 100)
    assert np.max(np.abs(solution.u(x=x, t=t) - np.cos(a * x) * np.exp(-0.3 * a**2 * t))) < 1e-6
    assert solution.estimates == {}
    assert np.isnan(solution.p_value)


def test_a_condition_on_several_quantities_is_penalised_and_met(plate):
    solution, a = plate
    checked = solution.problem.check()
    assert len(checked.penalised) == 1
    assert "slope" in checked.penalised[0]
    assert set(solution.history[-1].terms) == {"law: heat", f"condition: {checked.penalised[0]}"}
    t = np.linspace(0, 0.5, 11)
    miss = solution.u_x(x=1.0, t=t) + a * np.tan(a) * solution.u(x=1.0, t=t)
    assert np.max(np.abs(miss)) < 1e-6


def test_other_conditions_are_exact(plate):
    solution, a = plate
    line = np.linspace(0, 0.5, 11)
    assert np.max(np.abs(solution.u_x(x=0.0, t=line))) < 1e-15
    assert np.max(np.abs(solution.u(x=2 * line, t=0.0) - np.cos(a * 2 * line))) < 1e-15


def test_points_are_enough_for_the_modes(plate):
    """A field with more parameters than points would meet the law at the points and nowhere else."""
    solution, _ = plate
    assert len(solution.task.places["x"]) >= solution.task.layout.field_count


def test_periodic_along_an_axis():
    """u_t + u_x = 0 on a ring: the start travels. Every harmonic closes exactly."""
    domain = lf.Box(x=(0, 2), t=(0, 1))
    problem = lf.Problem(
        domain,
        "u",
        {"travel": lambda u_t, u_x: u_t + u_x},
        [lf.Periodic(domain.at(x=(0, 2))), lf.Value(domain.at(t=0), u=lambda x: jnp.sin(jnp.pi * x))],
    )
    solution = lf.solve(problem, Neural(trial=lf.Spectral({"x": 3, "t": 12})))
    t = np.linspace(0, 1, 11)
    assert np.max(np.abs(solution.u(x=0.7, t=t) - np.sin(np.pi * (0.7 - t)))) < 1e-7
    np.testing.assert_allclose(solution.u(x=0.0, t=t), solution.u(x=2.0, t=t), atol=1e-14)
    np.testing.assert_allclose(solution.u_x(x=0.0, t=t), solution.u_x(x=2.0, t=t), atol=1e-12)
