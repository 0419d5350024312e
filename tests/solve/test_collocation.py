"""Collocation against known solutions: ODEs, stiff ones, boundary values, heat, constraints; order and gradients."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful.solve import Collocation

pytestmark = pytest.mark.usefixtures("float64")

PI = np.pi


@eqx.filter_jit
def sampled(task, x, places):
    fields = task.model(x).fields
    return jax.vmap(lambda place: fields(**place))(places)


def fields(problem, method, **places):
    """The fields at places on the method's first mesh, every unknown at its guess."""
    task = method.task(problem)
    flat = {axis: np.asarray(place, dtype=float) for axis, place in places.items()}
    found = sampled(task, jnp.zeros(task.layout.unknown_count), flat)
    return {name: np.asarray(values) for name, values in found.items()}


def scattered(box, count=200):
    rng = np.random.default_rng(7)
    return {axis: rng.uniform(*box.ends(axis), count) for axis in box.axes}


def worst(found, expected):
    return float(np.max(np.abs(found - expected)))


# One axis: initial values


def decay(u, u_t, k):
    return u_t + k * u


def test_decay_is_solved_to_the_tolerance_and_says_how_well():
    domain = lf.Box(t=(0, 2))
    problem = lf.Problem(domain, "u", {"decay": decay}, [lf.Value(domain.at(t=0), u=3.0)], constants={"k": 1.5})
    solution = lf.solve(problem, Collocation(tolerance=1e-5, steps=2, stages=3))
    t = np.linspace(0, 2, 41)
    error = worst(solution.u(t=t), 3 * np.exp(-1.5 * t)) / 3
    assert solution.status.converged, solution.status
    assert solution.refinements > 0  # two steps of order five cannot be enough
    assert solution.accuracy < 1e-5
    assert error < 1e-5
    assert error > 1e-10  # the mesh was refined to the tolerance, not for ever
    assert worst(solution.u_t(t=t), -4.5 * np.exp(-1.5 * t)) < 1e-2


def test_oscillator_and_its_rates():
    domain = lf.Box(t=(0, 3))
    law = {"spring": lambda x, x_t, x_tt: x_tt + 0.4 * x_t + 9.0 * x}
    problem = lf.Problem(domain, "x", law, [lf.Value(domain.at(t=0), x=1.0, x_t=-2.0)])
    t, w = np.linspace(0, 3, 31), np.sqrt(9 - 0.04)
    task = Collocation(steps=24).task(problem)
    model = task.model(jnp.zeros(0))
    found = {name: jax.jit(jax.vmap(lambda t, n=name: model.quantity(n, {"t": t})))(t) for name in ("x", "x_t", "x_tt")}
    root, amplitude = -0.2 + 1j * w, (1 - 1j * (-2 + 0.2) / w)
    for order, name in enumerate(("x", "x_t", "x_tt")):
        expected = np.real(amplitude * root**order * np.exp(root * t))
        assert worst(found[name], expected) < 2e-7 * 10**order, name


def test_stiff_relaxation_passes_its_layer_and_follows_the_slow_motion():
    rate = 1000.0
    domain = lf.Box(t=(0, 1.5))
    law = {"relaxation": lambda y, y_t, t: y_t + rate * (y - jnp.cos(t))}

    def exact(t, start):
        slow = (rate**2 * np.cos(t) + rate * np.sin(t)) / (rate**2 + 1)
        return slow + (start - rate**2 / (rate**2 + 1)) * np.exp(-rate * t)

    def miss(start, steps, t):
        problem = lf.Problem(domain, "y", law, [lf.Value(domain.at(t=0), y=start)])
        return worst(fields(problem, Collocation(steps=steps), t=t)["y"], exact(t, start))

    late = np.linspace(0.5, 1.5, 21)
    assert miss(0.0, 12, late) < 1e-6  # steps 125 times the layer: stiffly accurate, the layer is damped, not resolved
    assert miss(0.0, 1500, np.linspace(0, 0.01, 21)) < 1e-6  # and here it is resolved


def test_unknown_initial_state_gets_a_name_and_an_error_bar():
    domain = lf.Box(t=(0, 1))
    t = np.linspace(0, 1, 12)
    data = lf.Data({"t": t, "u": 2 * np.exp(-t) + 0.01 * np.sin(40 * t)}, noise=0.01)
    problem = lf.Problem(domain, "u", {"decay": decay}, [lf.Free(domain.at(t=0))], {"k": lf.Positive(0.5)}, data=data)
    solution = lf.solve(problem, Collocation(steps=4))
    assert set(solution.estimates) == {"k", "u_start"}
    assert abs(solution["u_start"].value - 2) < 4 * solution["u_start"].sd
    assert 0.003 < solution["u_start"].sd < 0.01
    assert solution.u(t=0.0) == pytest.approx(solution["u_start"].value, rel=1e-14)


def test_constraint_without_rates():
    """V carries no rate, u_t + v = 0 and v = u^2: u = 1 / (1 + t)."""
    domain = lf.Box(t=(0, 2))
    laws = {"rate": lambda u_t, v: u_t + v, "constraint": lambda u, v: v - u**2}
    problem = lf.Problem(domain, "u, v", laws, [lf.Value(domain.at(t=0), u=1.0)])
    t = np.linspace(0, 2, 17)
    found = fields(problem, Collocation(steps=16), t=t)  # at the ends of steps
    assert worst(found["u"], 1 / (1 + t)) < 1e-11
    assert (
        worst(found["v"], 1 / (1 + t) ** 2) < 1e-5
    )  # a field without rate is continued from inside the step that begins
    inside = fields(problem, Collocation(steps=16), t=t[1:] - 1e-12)  # and exact where the law was met
    assert worst(inside["v"], 1 / (1 + t[1:]) ** 2) < 1e-10


def test_rate_of_a_derived_quantity():
    """A mass that grows, pushed by a constant force: ((1 + t) v)' = 1, v = t / (1 + t), x = t - log(1 + t)."""
    domain = lf.Box(t=(0, 2))
    problem = lf.Problem(
        domain,
        "x, v",
        {"motion": lambda x_t, v: x_t - v, "push": lambda momentum_t: momentum_t - 1},
        [lf.Value(domain.at(t=0), x=0.0, v=0.0)],
        derived={"momentum": lambda t, v: (1 + t) * v},
    )
    t = np.linspace(0, 2, 17)
    found = fields(problem, Collocation(steps=16), t=t)
    assert worst(found["v"], t / (1 + t)) < 1e-11
    assert worst(found["x"], t - np.log1p(t)) < 1e-11


# One axis: boundary values


def test_boundary_values_at_both_ends():
    domain = lf.Box(x=(-1, 2))
    law = {"poisson": lambda u_xx, x: u_xx + jnp.sin(x)}
    ends = [lf.Value(domain.at(x=(-1, 2)), u=lambda x: jnp.sin(x) + 2 * x)]
    x = np.linspace(-1, 2, 61)
    found = fields(lf.Problem(domain, "u", law, ends), Collocation(), x=x)["u"]
    assert worst(found, np.sin(x) + 2 * x) < 1e-12


@pytest.mark.parametrize(("end", "outward"), [(-1, -1.0), (2, 1.0)])
def test_flux_points_outward(end, outward):
    """U = sin(x) + 2 x; du/dn is u' at the upper end and -u' at the lower one."""
    domain = lf.Box(x=(-1, 2))
    law = {"poisson": lambda u_xx, x: u_xx + jnp.sin(x)}
    other = 1 - end  # the ends are -1 and 2
    conditions = [
        lf.Flux(domain.at(x=end), u=lambda x: outward * (jnp.cos(x) + 2)),
        lf.Value(domain.at(x=other), u=np.sin(other) + 2 * other),
    ]
    x = np.linspace(-1, 2, 61)
    found = fields(lf.Problem(domain, "u", law, conditions), Collocation(), x=x)["u"]
    assert worst(found, np.sin(x) + 2 * x) < 1e-11


def test_nonlinear_boundary_values():
    """Bratu, u'' + e^u = 0, u(0) = u(1) = 0: u = -2 log(cosh((x - 1/2) a/2) / cosh(a/4)), a = sqrt(2) cosh(a/4)."""
    from scipy.optimize import brentq

    a = brentq(lambda a: a - np.sqrt(2) * np.cosh(a / 4), 1, 3, xtol=1e-14)
    domain = lf.Box(x=(0, 1))
    problem = lf.Problem(
        domain, "u", {"bratu": lambda u, u_xx: u_xx + jnp.exp(u)}, [lf.Value(domain.at(x=(0, 1)), u=0.0)]
    )
    x = np.linspace(0, 1, 41)
    found = fields(problem, Collocation(nodes=16), x=x)["u"]
    assert worst(found, -2 * np.log(np.cosh((x - 0.5) * a / 2) / np.cosh(a / 4))) < 1e-12


# Space and time


def heat(u_t, u_xx, D):
    return u_t - D * u_xx


def warm(domain, conditions, start, D=0.3):
    return lf.Problem(domain, "u", {"heat": heat}, [*conditions, lf.Value(domain.at(t=0), u=start)], constants={"D": D})


MESH = Collocation(steps=12, nodes=16, stages=5)


def test_heat_between_cold_ends():
    domain = lf.Box(x=(0, 1), t=(0, 0.5))
    problem = warm(
        domain, [lf.Value(domain.at(x=(0, 1)), u=0.0)], lambda x: jnp.sin(PI * x) + 0.5 * jnp.sin(3 * PI * x)
    )
    place = scattered(domain)
    x, t = place["x"], place["t"]
    expected = sum(a * np.sin(n * PI * x) * np.exp(-0.3 * (n * PI) ** 2 * t) for n, a in ((1, 1.0), (3, 0.5)))
    solution = lf.solve(problem, Collocation(tolerance=1e-5, steps=12, nodes=14, stages=4))
    assert solution.status.converged, solution.status
    assert worst(solution.u(**place), expected) < 1e-5
    assert (
        worst(solution.u_x(x=0.0, t=t[:5]), (PI * np.exp(-0.3 * PI**2 * t) + 1.5 * PI * np.exp(-2.7 * PI**2 * t))[:5])
        < 1e-3
    )
    assert np.max(np.abs(solution.u(x=[0.0, 1.0], t=[0.1, 0.4]))) < 1e-15  # what is imposed is exact


def test_heat_between_insulated_ends_keeps_its_mean():
    domain = lf.Box(x=(0, 1), t=(0, 0.5))
    problem = warm(domain, [lf.Flux(domain.at(x=(0, 1)), u=0.0)], lambda x: 2 + jnp.cos(PI * x) - jnp.cos(2 * PI * x))
    place = scattered(domain)
    x, t = place["x"], place["t"]
    expected = 2 + sum(a * np.cos(n * PI * x) * np.exp(-0.3 * (n * PI) ** 2 * t) for n, a in ((1, 1.0), (2, -1.0)))
    assert worst(fields(problem, MESH, **place)["u"], expected) < 2e-6


def test_heat_with_inflow_at_both_ends():
    """U = x^2 / 2 + D t on (-1, 1): du/dn = 1 at both ends."""
    domain = lf.Box(x=(-1, 1), t=(0, 0.5))
    problem = warm(domain, [lf.Flux(domain.at(x=(-1, 1)), u=1.0)], lambda x: x**2 / 2)
    place = scattered(domain)
    assert worst(fields(problem, MESH, **place)["u"], place["x"] ** 2 / 2 + 0.3 * place["t"]) < 1e-12


def test_heat_on_a_ring():
    domain = lf.Box(x=(0, 2), t=(0, 0.5))
    problem = warm(domain, [lf.Periodic(domain.at(x=(0, 2)))], lambda x: jnp.sin(PI * x + 0.3) + jnp.cos(2 * PI * x))
    place = scattered(domain)
    x, t = place["x"], place["t"]
    expected = np.sin(PI * x + 0.3) * np.exp(-0.3 * PI**2 * t) + np.cos(2 * PI * x) * np.exp(-1.2 * PI**2 * t)
    assert worst(fields(problem, MESH, **place)["u"], expected) < 2e-6


def test_heat_lost_to_the_air():
    """Flux and value mixed (Robin): u_x = -h u at x = 1, u_x = 0 at x = 0: u = cos(a x) e^(-D a^2 t)."""
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
    place = scattered(domain)
    expected = np.cos(a * place["x"]) * np.exp(-0.3 * a**2 * place["t"])
    assert worst(fields(problem, MESH, **place)["u"], expected) < 1e-8


def test_flux_through_a_bar_that_varies():
    """u_t = ((1 + x) u_x)_x + s with the source that makes u = e^-t sin(pi x)."""
    domain = lf.Box(x=(0, 1), t=(0, 1))

    def balance(u_t, flux_x, x, t):
        source = jnp.exp(-t) * ((PI**2 * (1 + x) - 1) * jnp.sin(PI * x) - PI * jnp.cos(PI * x))
        return u_t - flux_x - source

    problem = lf.Problem(
        domain,
        "u",
        {"balance": balance},
        [lf.Value(domain.at(x=(0, 1)), u=0.0), lf.Value(domain.at(t=0), u=lambda x: jnp.sin(PI * x))],
        derived={"flux": lambda x, u_x: (1 + x) * u_x},
    )
    place = scattered(domain)
    expected = np.exp(-place["t"]) * np.sin(PI * place["x"])
    assert worst(fields(problem, MESH, **place)["u"], expected) < 1e-8


# Order


def growth(u, u_t, t):
    return u_t - jnp.cos(t) * u**2


def spring(x, x_t, x_tt, t):
    return x_tt + (1 + 0.5 * jnp.sin(t)) * x**3


@pytest.mark.parametrize("stages", [1, 2, 3])
def test_order_at_the_ends_of_steps(stages):
    """U' = cos(t) u^2 from 0.5: u = 1 / (2 - sin t). Radau IIA: error h^(2 stages - 1)."""
    domain = lf.Box(t=(0, 2))
    problem = lf.Problem(domain, "u", {"growth": growth}, [lf.Value(domain.at(t=0), u=0.5)])
    steps = [8, 16, 32]
    errors = [
        abs(fields(problem, Collocation(steps=n, stages=stages), t=[2.0])["u"][0] - 1 / (2 - np.sin(2.0)))
        for n in steps
    ]
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert orders[-1] == pytest.approx(2 * stages - 1, abs=0.35), (errors, orders)


@pytest.mark.parametrize("stages", [2, 3])
def test_order_of_laws_of_second_order(stages):
    domain = lf.Box(t=(0, 2))
    problem = lf.Problem(domain, "x", {"spring": spring}, [lf.Value(domain.at(t=0), x=1.0, x_t=0.5)])
    reference = fields(problem, Collocation(steps=128, stages=5), t=[2.0])["x"][0]
    errors = [
        abs(fields(problem, Collocation(steps=n, stages=stages), t=[2.0])["x"][0] - reference) for n in (8, 16, 32)
    ]
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert orders[-1] == pytest.approx(2 * stages - 1, abs=0.4), (errors, orders)


# Gradients through the solver


def test_gradients_through_time_steps():
    """u(1) for u' = -k u^2, u(0) = u0, both unknown: u0 / (1 + k u0), and its derivatives."""
    domain = lf.Box(t=(0, 1))
    t = np.array([0.5, 1.0])
    problem = lf.Problem(
        domain,
        "u",
        {"loss": lambda u, u_t, k: u_t + k * u**2},
        [lf.Value(domain.at(t=0), u=lambda u0: u0)],
        {"k": lf.Positive(0.7), "u0": lf.Real(1.3)},
        data=lf.Data({"t": t, "u": t}),
    )
    task = Collocation(steps=8).task(problem)

    def end(x):
        return task.model(x).fields(t=jnp.asarray(1.0))["u"]

    def closed(x):  # the raw unknowns: k = 0.7 e^x0, u0 = 1.3 (1 + x1)
        k, u0 = 0.7 * jnp.exp(x[0]), 1.3 * (1 + x[1])
        return u0 / (1 + k * u0)

    x = jnp.array([0.2, -0.1])
    expected = jax.grad(closed)(x)
    assert float(jax.jit(end)(x)) == pytest.approx(float(closed(x)), rel=1e-9)
    reverse, forward = jax.jit(jax.grad(end))(x), jax.jit(jax.jacfwd(end))(x)
    np.testing.assert_allclose(reverse, expected, rtol=1e-8)
    np.testing.assert_allclose(forward, reverse, rtol=1e-12)
    step, value = 1e-5, jax.jit(end)
    for i, e in enumerate(np.eye(2)):
        difference = (value(x + step * e) - value(x - step * e)) / (2 * step)
        assert float(difference) == pytest.approx(float(reverse[i]), rel=1e-8)


def test_gradients_through_a_steady_balance():
    """U'' = k u with u(0) = 1, u(1) = 0: u = sinh(r (1 - x)) / sinh(r), r = sqrt(k)."""
    domain = lf.Box(x=(0, 1))
    problem = lf.Problem(
        domain,
        "u",
        {"balance": lambda u, u_xx, k: u_xx - k * u},
        [lf.Value(domain.at(x=0), u=1.0), lf.Value(domain.at(x=1), u=0.0)],
        {"k": lf.Positive(4.0)},
        data=lf.Data({"x": [0.5], "u": [0.3]}),
    )
    task = Collocation(nodes=16).task(problem)

    def middle(x):
        return task.model(x).fields(x=jnp.asarray(0.4))["u"]

    def closed(x):
        r = jnp.sqrt(4.0 * jnp.exp(x[0]))
        return jnp.sinh(0.6 * r) / jnp.sinh(r)

    x = jnp.array([0.3])
    expected = jax.grad(closed)(x)
    np.testing.assert_allclose(jax.jit(jax.grad(middle))(x), expected, rtol=1e-10)
    np.testing.assert_allclose(jax.jit(jax.jacfwd(middle))(x), expected, rtol=1e-10)


# What it cannot do


def test_a_field_that_blows_up_is_not_called_converged():
    """Y' = y^2 from 1 is infinite at t = 1, inside the domain."""
    domain = lf.Box(t=(0, 2))
    problem = lf.Problem(domain, "y", {"growth": lambda y, y_t: y_t - y**2}, [lf.Value(domain.at(t=0), y=1.0)])
    solution = lf.solve(problem, Collocation(stages=3))
    assert not solution.status.converged


def test_laws_must_match_fields():
    domain = lf.Box(t=(0, 1))
    laws = {"decay": lambda u, u_t: u_t + u, "again": lambda u, u_t: 2 * u_t + 2 * u}
    problem = lf.Problem(domain, "u", laws, [lf.Value(domain.at(t=0), u=1.0)])
    with pytest.raises(lf.BadInput, match=r"one law for each field.*Neural"):
        lf.solve(problem, Collocation())
