"""A second network for what the first one left."""

import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf

TIMES = np.linspace(0, 3, 61)


def swing(data=(), **known) -> lf.Problem:
    domain = lf.Box(t=(0, 3))
    return lf.Problem(
        domain,
        fields="u",
        laws={"swing": lambda u, u_tt, k: u_tt + k * u},
        conditions=[lf.Value(domain.at(t=0), u=1.0), lf.Flux(domain.at(t=0), u=0.0)],
        data=list(data),
        **known,
    )


def coarse(problem: lf.Problem) -> lf.Solution:
    return lf.solve(problem, lf.Neural(trial=lf.MLP(width=3, depth=1), points=60), progress=False)


def error(solution: lf.Solution) -> float:
    return float(np.max(np.abs(solution.u(t=TIMES) - np.cos(2 * TIMES))))


@pytest.fixture(scope="module")
def first() -> lf.Solution:
    return coarse(swing(constants={"k": 4.0}))


@pytest.fixture(scope="module")
def second(first) -> lf.Solution:
    method = lf.correction(first, lf.MLP(width=8, depth=1, fourier=lf.Fourier(count=4, scale=4.0)), points=120)
    return lf.solve(first.problem, method, progress=False)


def test_a_correction_takes_off_most_of_what_the_first_network_left(first, second):
    assert 1e-8 < error(first) < 1e-1
    assert error(second) < 0.05 * error(first)


def test_what_was_built_into_the_first_network_is_built_into_the_sum(second):
    assert second.u(t=0.0) == pytest.approx(1.0, abs=1e-14)
    assert second.u_t(t=0.0) == pytest.approx(0.0, abs=1e-13)


def test_a_corrected_solution_is_saved_and_loaded(second, tmp_path):
    second.save(tmp_path)
    again = lf.load(tmp_path, second.problem, second.method)
    np.testing.assert_array_equal(again.u(t=TIMES), second.u(t=TIMES))


@pytest.mark.usefixtures("float64")
def test_an_unknown_goes_on_from_where_it_was_found():
    rng = np.random.default_rng(0)
    measured = lf.Data({"t": TIMES, "u": np.cos(2 * TIMES) + 1e-6 * rng.normal(size=61)}, noise=1e-6)
    problem = swing([measured], unknowns={"k": lf.Positive(guess=1.0)})
    one = coarse(problem)
    method = lf.correction(one, lf.MLP(width=8, depth=1), points=120)
    start = method.task(problem).start
    k = problem.unknowns["k"].value(jnp.asarray(start[-1]))
    assert float(k) == pytest.approx(one["k"].value, rel=1e-12)
    two = lf.solve(problem, method, progress=False)
    assert abs(two["k"].value - 4) < 4 * two["k"].sd
    assert abs(two["k"].value - 4) < abs(one["k"].value - 4)


def test_what_is_no_network_cannot_be_corrected(first):
    problem = swing(constants={"k": 4.0})
    with pytest.raises(lf.BadInput, match="more nodes or modes"):
        lf.correction(lf.solve(problem, lf.Collocation(), progress=False))
    with pytest.raises(lf.BadInput, match="give a network"):
        lf.correction(first, lf.Spectral(8))
    other = swing(unknowns={"k": lf.Positive(guess=3.0)}, data=[lf.Data({"t": [1.0], "u": [0.5]}, noise=0.1)])
    with pytest.raises(lf.BadInput, match="problem that it was made for"):
        lf.solve(other, lf.correction(first), progress=False)
