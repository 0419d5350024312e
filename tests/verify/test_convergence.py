"""Grid convergence, manufactured solutions, and the order that every solver of the project must show."""

import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful._core.precision import in_float64
from lawful.verify import adjoint_error, convergence


def test_the_order_of_a_known_error_is_observed():
    for order in (1, 2, 4):
        found = convergence(lambda h, p=order: 1.0 + 0.3 * h**p, [0.2, 0.1, 0.05], expected=order)
        assert found.verified
        assert found.order == pytest.approx(order, abs=1e-6)
        assert found.extrapolated[0] == pytest.approx(1.0, abs=1e-9)
        assert found.error == pytest.approx(0.3 * 0.05**order, rel=1e-6)


def test_unequal_ratios_are_allowed():
    found = convergence(lambda h: np.array([1.0, 2.0]) + h**2, [0.3, 0.17, 0.11, 0.05])
    assert found.verified
    assert found.order == pytest.approx(2, abs=1e-6)


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (lambda h: np.cos(300 * h), "observed order"),
        (lambda h: 1 + h**2 if h > 0.06 else 2.0, "do not fall"),
        (lambda h: 1 + h, "where 2 is expected"),
        (lambda h: 1 + h**1.2 + 30 * h**4, "not yet the asymptotic range"),
    ],
)
def test_outside_the_asymptotic_range_nothing_is_verified(run, words):
    found = convergence(run, [0.4, 0.2, 0.1, 0.05], expected=2 if "expected" in words else None)
    assert not found.verified
    assert words in found.reason
    assert str(found).startswith("NOT VERIFIED")


def test_too_few_meshes_are_refused():
    with pytest.raises(lf.BadInput, match="three mesh widths"):
        convergence(lambda h: h, [0.1, 0.2])


# Manufactured solutions


def chosen(x, t):
    return jnp.exp(-t) * jnp.sin(2 * x + 0.3)


def heat(u, u_t, u_xx, kappa):
    return u_t - kappa * u_xx + u**2


def test_the_source_is_the_residual_of_the_chosen_field():
    made = lf.manufacture(heat, chosen)
    u = float(chosen(0.4, 0.2))
    expected = -u + 0.3 * 4 * u + u**2
    assert float(made.source(x=0.4, t=0.2, kappa=0.3)) == pytest.approx(expected, rel=1e-6)
    assert float(made.slope("u_x")(x=0.4, t=0.2)) == pytest.approx(2 * np.exp(-0.2) * np.cos(1.1), rel=1e-6)
    assert float(made.outward("u", "x", 0)(x=0.0, t=0.0)) == pytest.approx(-2 * np.cos(0.3), rel=1e-6)
    values = {"u": u, "u_t": -u, "u_xx": -4 * u, "kappa": 0.3, "x": 0.4, "t": 0.2}
    assert float(made.law(**values)) == pytest.approx(0.0, abs=1e-6)


def test_a_solution_of_no_coordinates_is_refused():
    with pytest.raises(lf.BadInput, match="coordinates"):
        lf.manufacture(heat, lambda: 1.0)


# The order of every solver. A solver joins by a line: a function from mesh width to error, and the order it must show.

MADE = lf.manufacture(heat, chosen)


def problem_in_time():
    made = lf.manufacture(lambda u_t, u: u_t + u**2, lambda t: jnp.sin(3 * t + 0.4))
    domain = lf.Box(t=(0, 1))
    return lf.Problem(domain, "u", {"law": made.law}, [lf.Value(domain.at(t=0), u=made.exact["u"])]), domain


def second_order():
    made = lf.manufacture(lambda u_tt, u_t, u: u_tt + 0.3 * u_t + u**3, lambda t: jnp.sin(3 * t + 0.4))
    domain = lf.Box(t=(0, 1))
    start = [lf.Value(domain.at(t=0), u=made.exact["u"], u_t=made.slope("u_t"))]
    return lf.Problem(domain, "u", {"law": made.law}, start), domain


def problem_in_space():
    domain = lf.Box(x=(0, 1), t=(0, 0.5))
    conditions = [
        lf.Value(domain.at(t=0), u=MADE.exact["u"]),
        lf.Value(domain.at(x=0), u=MADE.exact["u"]),
        lf.Flux(domain.at(x=1), u=MADE.outward("u", "x", 1)),
    ]
    return lf.Problem(domain, "u", {"heat": MADE.law}, conditions, constants={"kappa": 0.3}), domain


def steady():
    made = lf.manufacture(lambda u_xx, u: u_xx - u**3, lambda x: jnp.sin(4 * x + 0.3))
    domain = lf.Box(x=(0, 1))
    return lf.Problem(domain, "u", {"law": made.law}, [lf.Value(domain.at(x=(0, 1)), u=made.exact["u"])]), domain


@in_float64
def error(problem, method, exact):
    """Root mean square at places of its own, relative to the field."""
    solution = lf.solve(problem, method, progress=False)
    rng = np.random.default_rng(0)
    points = {axis: rng.uniform(*problem.domain.ends(axis), 200) for axis in problem.domain.axes}
    miss = np.asarray(solution.evaluate("u", **points)) - np.asarray(exact(**points))
    return float(np.sqrt(np.mean(miss**2)) / np.sqrt(np.mean(np.asarray(exact(**points)) ** 2)))


def in_time(stages):
    problem, _ = problem_in_time()
    return lambda h: error(
        problem, lf.Collocation(1.0, steps=round(1 / h), stages=stages), lambda t: jnp.sin(3 * t + 0.4)
    )


def twice_in_time(stages):
    problem, _ = second_order()
    return lambda h: error(
        problem, lf.Collocation(1.0, steps=round(1 / h), stages=stages), lambda t: jnp.sin(3 * t + 0.4)
    )


def on_elements(nodes):
    problem, _ = problem_in_space()

    def run(h):
        mesh = lf.Elements(np.linspace(0, 1, round(1 / h) + 1), nodes=nodes)
        return error(problem, lf.Collocation(1.0, steps=6, stages=6, nodes={"x": mesh}), chosen)

    return run


def steady_elements(nodes):
    problem, _ = steady()

    def run(h):
        mesh = lf.Elements(np.linspace(0, 1, round(1 / h) + 1), nodes=nodes)
        return error(problem, lf.Collocation(1.0, nodes={"x": mesh}), lambda x: jnp.sin(4 * x + 0.3))

    return run


SOLVERS = {
    # Between the ends of steps the field is a polynomial through the stages: one order above the degree. Collocation of
    # a second-order law at k inner nodes of an element that are no Gauss points has order k, and k + 1 where k is odd,
    # by symmetry. Source: Ascher, Mattheij and Russell, Numerical Solution of Boundary Value Problems (1995), 5.4.
    "Radau, 2 stages": (in_time(2), (0.1, 0.05, 0.025), 3),
    "Radau, 3 stages": (in_time(3), (0.25, 0.125, 0.0625), 4),
    "Radau, second-order law": (twice_in_time(2), (0.1, 0.05, 0.025), 3),
    "elements, 5 nodes": (on_elements(5), (0.5, 0.25, 0.125), 4),
    "steady, 6 nodes": (steady_elements(6), (0.5, 0.25, 0.125), 4),
}


@pytest.mark.parametrize("name", SOLVERS)
def test_every_solver_shows_its_order(name):
    run, widths, order = SOLVERS[name]
    errors = [run(h) for h in widths]
    slopes = np.diff(np.log(errors)) / np.diff(np.log(widths))
    assert slopes[-1] > order - 0.35, (errors, slopes)
    assert errors[-1] < errors[0]


def test_a_global_method_converges_faster_than_any_power():
    problem, _ = problem_in_space()
    errors = [error(problem, lf.Neural(trial=lf.Spectral(n)), chosen) for n in (4, 6, 8)]
    first, second = np.log(errors[0] / errors[1]) / np.log(6 / 4), np.log(errors[1] / errors[2]) / np.log(8 / 6)
    assert second > 5
    assert errors[-1] < 1e-4, (errors, first, second)


# Adjoint-weighted residual


@in_float64
def test_the_adjoint_weighted_residual_predicts_the_error_of_a_quantity():
    """U'' = -f with a manufactured answer; J the mean. The coarse solution is carried to a mesh twice as fine."""

    def matrix(n):
        h = 1 / n
        return (np.diag(-2 * np.ones(n - 1)) + np.diag(np.ones(n - 2), 1) + np.diag(np.ones(n - 2), -1)) / h**2

    def force(n):
        x = np.linspace(0, 1, n + 1)[1:-1]
        return -(np.pi**2) * np.sin(np.pi * x) + 6 * x

    coarse, fine = 10, 20
    rough = np.linalg.solve(matrix(coarse), force(coarse))
    exact = np.linalg.solve(matrix(fine), force(fine))
    whole = np.concatenate([[0], rough, [0]])
    carried = np.interp(np.linspace(0, 1, fine + 1)[1:-1], np.linspace(0, 1, coarse + 1), whole)
    found = adjoint_error(lambda u: matrix(fine) @ u - force(fine), lambda u: jnp.mean(u), carried)
    assert found.error == pytest.approx(np.mean(exact) - np.mean(carried), rel=1e-9)
    assert np.sum(found.contributions) == pytest.approx(found.error, rel=1e-12)
