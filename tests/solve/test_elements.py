"""Lines of elements: joints, layers that are found by themselves, and meshes that the user gives."""

import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful.solve._grid import Line
from lawful.solve._joints import joint_orders

pytestmark = pytest.mark.usefixtures("float64")

NU = 0.01 / np.pi
PI = np.pi


def burgers(nu=NU):
    domain = lf.Box(x=(-1, 1), t=(0, 1))
    return lf.Problem(
        domain,
        "u",
        {"burgers": lambda u, u_t, u_x, u_xx, nu: u_t + u * u_x - nu * u_xx},
        [lf.Value(domain.at(t=0), u=lambda x: -jnp.sin(PI * x)), lf.Value(domain.at(x=(-1, 1)), u=0.0)],
        constants={"nu": nu},
    )


def cole_hopf(x, t, nu=NU):
    """The exact solution by quadrature, at places (n,) and one time t > 0."""
    node, weight = np.polynomial.hermite.hermgauss(100)
    y = x[:, None] - 2 * np.sqrt(nu * t) * node
    exponent = np.log(weight) - np.cos(PI * y) / (2 * PI * nu)
    share = np.exp(exponent - exponent.max(axis=1, keepdims=True))
    return -np.sum(np.sin(PI * y) * share, axis=1) / share.sum(axis=1)


def relative(found, expected):
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def on_grid(solution, times):
    x = np.linspace(-1, 1, 257)
    found = np.stack([solution.u(x=x, t=t) for t in times])
    return found, np.stack([cole_hopf(x, t) for t in times])


@pytest.fixture(scope="module")
def shock():
    with jax.enable_x64(True):
        return lf.solve(burgers(), lf.Collocation(tolerance=1e-6))


def test_a_shock_is_found_and_resolved(shock):
    assert shock.status.converged, shock.status
    assert shock.accuracy < 1e-6
    assert relative(*on_grid(shock, np.linspace(0.1, 0.9, 9))) < 1e-6
    edges = shock.task.scheme.grid.lines[0].edges
    assert np.diff(edges).min() < 0.03 < 0.3 < np.diff(edges).max()  # narrow in the shock and nowhere else
    assert np.argmin(np.diff(edges)) in range(len(edges) // 2 - 2, len(edges) // 2 + 2)


def test_joints_are_continuous_to_rounding(shock):
    edges = shock.task.scheme.grid.lines[0].edges[1:-1]
    for name, size in (("u", 1.0), ("u_x", 150.0)):
        left, right = (shock.evaluate(name, x=edges + side * 1e-15, t=0.7) for side in (-1, 1))
        np.testing.assert_allclose(left, right, rtol=0, atol=1e-11 * size, err_msg=name)
    values = shock.model.fields.starts["u"]
    grid = shock.task.scheme.grid
    pieces = np.asarray(values)[1:, 0].reshape(len(values) - 1, grid.lines[0].elements, -1)
    assert np.max(np.abs(pieces[:, 1:, 0] - pieces[:, :-1, -1])) < 1e-14
    assert np.max(np.abs(pieces[:, [0, -1], [0, -1]])) < 1e-14  # the walls


def test_steps_are_unequal(shock):
    steps = np.diff(shock.task.edges)
    assert steps.sum() == pytest.approx(1.0, abs=1e-14)
    assert steps.max() > 5 * steps.min()


def test_a_moving_front():
    """U = (1 - tanh((x - x0 - t/2) / 4 nu)) / 2 solves Burgers' equation; the front passes over a third of the axis."""
    nu = 0.01

    def front(x, t, tanh):
        return 0.5 - 0.5 * tanh((x + 0.25 - 0.5 * t) / (4 * nu))

    domain = lf.Box(x=(-1, 1), t=(0, 1))
    problem = lf.Problem(
        domain,
        "u",
        {"burgers": lambda u, u_t, u_x, u_xx: u_t + u * u_x - nu * u_xx},
        [
            lf.Value(domain.at(t=0), u=lambda x: front(x, 0.0, jnp.tanh)),
            lf.Value(domain.at(x=(-1, 1)), u=lambda x, t: front(x, t, jnp.tanh)),
        ],
    )
    solution = lf.solve(problem, lf.Collocation(tolerance=1e-5))
    x, t = np.meshgrid(np.linspace(-1, 1, 101), np.linspace(0, 1, 21))
    assert solution.status.converged, solution.status
    assert relative(solution.u(x=x, t=t), front(x, t, np.tanh)) < 1e-5


def test_a_boundary_layer_at_rest():
    """A layer of width e at 0: e u'' + u' = -1, u(0) = u(1) = 0, u = (1 - e^(-x/e)) / (1 - e^(-1/e)) - x."""
    e = 1e-3
    domain = lf.Box(x=(0, 1))
    problem = lf.Problem(
        domain, "u", {"drift": lambda u_x, u_xx: e * u_xx + u_x + 1}, [lf.Value(domain.at(x=(0, 1)), u=0.0)]
    )
    solution = lf.solve(problem, lf.Collocation(tolerance=1e-8))
    x = np.concatenate([np.linspace(0, 0.02, 101), np.linspace(0.02, 1, 50)])
    assert solution.status.converged, solution.status
    assert np.max(np.abs(solution.u(x=x) - (-np.expm1(-x / e) / -np.expm1(-1 / e) - x))) < 1e-8


def test_a_kink_in_the_initial_value_of_a_ring():
    """Heat on a ring from |x|: every wave of it decays by itself."""
    domain = lf.Box(x=(-1, 1), t=(0, 1))
    problem = lf.Problem(
        domain,
        "u",
        {"heat": lambda u_t, u_xx: u_t - 0.01 * u_xx},
        [lf.Value(domain.at(t=0), u=lambda x: 1 - x**2), lf.Periodic(domain.at(x=(-1, 1)))],
    )
    solution = lf.solve(problem, lf.Collocation(tolerance=1e-5))
    x, n = np.linspace(-1, 1, 81), np.arange(1, 400)[:, None]
    for t in (0.3, 1.0):
        waves = -4 * (-1.0) ** n / (n * PI) ** 2 * np.cos(n * PI * x) * np.exp(-0.01 * (n * PI) ** 2 * t)
        assert np.max(np.abs(solution.u(x=x, t=t) - (2 / 3 + waves.sum(axis=0)))) < 2e-5


# Given meshes


def test_given_elements_and_steps_are_kept():
    method = lf.Collocation(
        tolerance=1e-4, steps=[0, 0.2, 0.3, 0.5, 0.7, 1], nodes={"x": lf.Elements([-1, -0.3, 0.3, 1], nodes=16)}
    )
    task = method.task(burgers(0.1))
    assert task.scheme.grid.lines[0].edges.tolist() == [-1, -0.3, 0.3, 1]
    assert task.edges is not None
    assert task.edges.tolist() == [0, 0.2, 0.3, 0.5, 0.7, 1]
    solution = lf.solve(burgers(0.1), method)
    x = np.linspace(-1, 1, 41)
    assert np.max(np.abs(solution.u(x=x, t=0.6) - cole_hopf(x, 0.6, 0.1))) < 1e-4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"nodes": {"y": 20}}, "no axis of space"),
        ({"nodes": {"x": lf.Elements([-1, 0, 2])}}, "must reach from -1 to 1"),
        ({"steps": [0, 0.5, 0.4, 1]}, "times that rise"),
    ],
)
def test_a_mesh_that_does_not_fit_is_refused(arguments, message):
    with pytest.raises(lf.BadInput, match=message):
        lf.solve(burgers(), lf.Collocation(**arguments))


def test_elements_must_rise():
    with pytest.raises(lf.BadInput, match="must rise"):
        lf.Elements([0, 1, 0.5])


def test_higher_orders_at_joints():
    """U'''' = f with two conditions at each wall on three elements: value and three derivatives meet at the joints."""
    domain = lf.Box(x=(0, 1))
    problem = lf.Problem(
        domain,
        "u",
        {"beam": lambda u_xxxx, x: u_xxxx - 81 * jnp.exp(3 * x)},
        [
            lf.Value(domain.at(x=0), u=1.0, u_x=3.0),
            lf.Value(domain.at(x=1), u=float(np.exp(3)), u_x=float(3 * np.exp(3))),
        ],
    )
    assert joint_orders(problem, "x") == {"u": 4}
    solution = lf.solve(problem, lf.Collocation(nodes={"x": lf.Elements([0, 0.2, 0.7, 1], nodes=14)}))
    x = np.linspace(0, 1, 61)
    np.testing.assert_allclose(solution.u(x=x), np.exp(3 * x), rtol=1e-10)
    np.testing.assert_allclose(solution.u_xxx(x=x), 27 * np.exp(3 * x), rtol=1e-6)


# The line itself


@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_line_of_elements_differentiates_polynomials_exactly(order):
    line = Line("x", 7, False, np.array([-1.0, -0.2, 0.1, 2.0]))
    power = np.poly1d([2.0, -1.0, 0.5, 3.0, 1.0])
    x = np.asarray(line.nodes)
    np.testing.assert_allclose(line.differentiate(jnp.asarray(power(x)), order), power.deriv(order)(x), atol=1e-9)


def test_elements_that_touch_are_read_on_their_own_side():
    line = Line("x", 5, False, np.array([0.0, 1.0, 3.0]))
    values = jnp.asarray(np.concatenate([np.zeros(5), np.ones(5)]))
    found = []
    for place in (0.5, 1.0, 2.9, 3.0):
        start, xi = line.locate(jnp.asarray(place))
        found.append(float(line.interpolate(jax.lax.dynamic_slice(values, (start,), (5,)), xi)))
    assert found == pytest.approx([0, 1, 1, 1], abs=1e-14)


def test_the_inverse_of_a_step_is_the_dense_one(monkeypatch):
    """Static condensation against a full matrix, for two coupled fields of which one has no rate."""
    step, march, shifted = (importlib.import_module(f"lawful.solve._{name}") for name in ("step", "march", "shifted"))
    domain = lf.Box(x=(0, 1), t=(0, 1))
    problem = lf.Problem(
        domain,
        "u, v",
        {"rate": lambda u, u_t, u_xx, v: u_t - 0.1 * u_xx + u * v, "balance": lambda u, v, v_xx: v_xx - v + u},
        [
            lf.Value(domain.at(t=0), u=lambda x: 1 + x),
            lf.Value(domain.at(x=(0, 1)), u=lambda x: 1 + x, v=0.0),
        ],
    )
    method = lf.Collocation(steps=4, stages=3, nodes={"x": lf.Elements([0, 0.3, 0.6, 1], nodes=6)})
    scheme = importlib.import_module("lawful.solve._collocation").collocation_task(problem, method).scheme
    start, length = jnp.asarray(0.0), jnp.asarray(0.25)
    state = march.initial_state(scheme, {}, start)
    guess = {name: jnp.ones((3, *scheme.grid.shape)) for name in scheme.orders}
    values = shifted.spectrum(3).values
    condensed = step.middle_inverse(scheme, {}, state, guess, start, length, values)
    assert isinstance(condensed, shifted.CondensedInverse)
    right = jnp.asarray(np.random.default_rng(0).normal(size=(len(values), 36)) + 0j)
    monkeypatch.setattr(step, "condensable", lambda *_: False)
    dense = step.middle_inverse(scheme, {}, state, guess, start, length, values)
    np.testing.assert_allclose(condensed(right), dense(right), rtol=1e-9, atol=1e-10)
