"""Laws on real shapes, end to end: against exact solutions, with conditions exact on curved boundaries."""

import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf

DISK = lf.Disk(x=0, y=0, radius=1)
EDGE = DISK.boundary("edge")


def laplace(u_xx, u_yy):
    return u_xx + u_yy


def solved(problem: lf.Problem, *modes, **settings) -> lf.Solution:
    return lf.solve(problem, lf.Neural(trial=lf.Spectral(*modes), **settings), progress=False)


def error(solution: lf.Solution, exact, count: int = 400) -> float:
    """The largest error at points inside."""
    points = solution.problem.domain.sample(count, 7)
    with jax.enable_x64(True):
        known = np.asarray(jax.vmap(lambda point: exact(**point))(points))
    return float(np.max(np.abs(solution.evaluate(solution.problem.fields[0], **points) - known)))


def edge_error(solution: lf.Solution, exact) -> float:
    """The largest error at points of the boundary."""
    points = [piece.sample(50, 0) for piece in solution.problem.domain.boundary().surfaces]
    with jax.enable_x64(True):
        return max(float(jnp.max(jnp.abs(solution.u(**there) - exact(**there)))) for there in points)


def smooth(x, y):
    return jnp.sin(1.3 * x + 0.4) * jnp.exp(0.7 * y) + x * y


def source_of(u):
    """The law whose only solution with its boundary values is u."""

    def law(u_xx, u_yy, x, y):
        found = lf.partials(u, (("x", "x"), ("y", "y")))(x=x, y=y)
        return u_xx + u_yy - found["x", "x"] - found["y", "y"]

    return {"poisson": law}


# Poisson


def poisson(value=0.0) -> lf.Problem:
    return lf.Problem(DISK, "u", {"poisson": lambda u_xx, u_yy: u_xx + u_yy + 4}, [lf.Value(EDGE, u=value)])


@pytest.fixture(scope="module")
def bowl():
    return solved(poisson(), 6)


def test_a_disk_with_polynomials(bowl):
    assert bowl.status.converged, bowl.status
    assert error(bowl, lambda x, y: 1 - x**2 - y**2) < 1e-12
    assert np.max(np.abs(bowl.u(**EDGE.sample(200, 0)))) < 1e-15


def test_a_disk_with_a_network():
    solution = lf.solve(poisson(), lf.Neural(trial=lf.MLP(width=8, depth=1)), progress=False)
    assert solution.status.converged, solution.status
    assert error(solution, lambda x, y: 1 - x**2 - y**2) < 1e-6
    assert np.max(np.abs(solution.u(**EDGE.sample(200, 0)))) < 1e-15


def test_an_ellipse_with_values_on_its_edge():
    """Boundary values by a formula that says something else inside, so that nothing is given away."""
    domain = lf.Ellipse(x=0.2, y=-0.1, semi=(1.2, 1))

    def bent(x, y):
        return smooth(x, y) + jnp.cos(x) * (1 - ((x - 0.2) / 1.2) ** 2 - (y + 0.1) ** 2)

    solution = solved(lf.Problem(domain, "u", source_of(smooth), [lf.Value(domain.boundary(), u=bent)]), 9)
    assert error(solution, smooth) < 1e-3


def test_a_triangle():
    """The factor is the product of three straight levels, a polynomial: every mode brings digits."""
    domain = lf.Triangle(x=[0, 2, 0.5], y=[0, 0.2, 1.7])

    def bent(x, y):
        return smooth(x, y) + jnp.cos(x) * jnp.prod(jnp.stack([s.carrier.level(x=x, y=y) for s in domain.pieces]))

    solution = solved(lf.Problem(domain, "u", source_of(smooth), [lf.Value(domain.boundary(), u=bent)]), 8)
    assert error(solution, smooth) < 1e-7
    assert edge_error(solution, smooth) < 1e-14


HOOK = lf.Polygon(x=[0, 2, 2, 1, 1, 0], y=[0, 0, 1, 1, 2, 2])
SIDES = [("y", 0.0), ("x", 2.0), ("y", 1.0), ("x", 1.0), ("y", 2.0), ("x", 0.0)]


def hook() -> lf.Problem:
    """Six formulae, one for each side of an L."""

    def value(axis, at):
        return (lambda x: smooth(x, at)) if axis == "y" else (lambda y: smooth(at, y))

    conditions = [lf.Value(HOOK.boundary(f"side {i}"), u=value(*side)) for i, side in enumerate(SIDES)]
    return lf.Problem(HOOK, "u", source_of(smooth), conditions)


def test_an_inner_corner_with_values_built_in():
    """Blended values and joint distances are not smooth at corners, which limits the accuracy; the edge is exact."""
    solution = solved(hook(), 5)
    assert edge_error(solution, smooth) < 1e-12


def test_an_inner_corner_with_values_weighed():
    solution = solved(hook(), 12, exact_walls=False)
    assert error(solution, smooth) < 1e-7
    record = solution.record()
    assert record.exact == ()
    assert record.penalised == tuple(f"u on side {i}" for i in range(6))


def test_a_ball():
    ball = lf.Ball(x=0, y=0, z=0, radius=2)
    law = {"poisson": lambda u_xx, u_yy, u_zz: u_xx + u_yy + u_zz + 6}
    solution = solved(lf.Problem(ball, "u", law, [lf.Value(ball.boundary(), u=0.0)]), 3)
    assert error(solution, lambda x, y, z: 4 - x**2 - y**2 - z**2) < 1e-11


# Derivatives on the boundary

RING = DISK - lf.Disk(x=0, y=0, radius=0.7, label="hole")


def log_field(x, y):
    return 1 + 0.5 * jnp.log(jnp.hypot(x, y) / 0.7)


FAR = 1 + 0.5 * np.log(1 / 0.7) + 0.25


@pytest.mark.parametrize(
    ("outside", "slope"),
    [(0.5, lambda u: 0.5), (lambda u: 2 * (FAR - u), lambda u: 2 * (FAR - u))],
    ids=["flux", "robin"],
)
def test_a_disk_with_a_hole(outside, slope):
    """A + b log r: the outward derivative is exact after any fit, however rough."""
    conditions = [lf.Value(RING.boundary("hole"), u=1.0), lf.Flux(RING.boundary("edge"), u=outside)]
    problem = lf.Problem(RING, "u", {"laplace": laplace}, conditions)
    assert problem.check().exact == ("u on hole", "outward derivative of u on edge")
    solution = solved(problem, 6)
    points = RING.boundary("edge").sample(50, 0)
    across = points["x"] * solution.u_x(**points) + points["y"] * solution.u_y(**points)
    assert np.max(np.abs(across - slope(solution.u(**points)))) < 1e-11
    weighed = solved(problem, 12, exact_walls=False)
    assert error(weighed, log_field) < 2e-3


def test_what_is_given_but_singular_inside_is_penalised_and_met():
    """Cos 3 theta has no limit at the centre: r^3 cos 3 theta comes out all the same."""
    value = lf.Value(EDGE, u=lambda x, y: jnp.cos(3 * jnp.arctan2(y, x)))
    problem = lf.Problem(DISK, "u", {"laplace": laplace}, [value])
    assert problem.check().penalised == ("u on edge",)
    assert error(solved(problem, 6), lambda x, y: x**3 - 3 * x * y**2) < 1e-10


@pytest.mark.parametrize(
    "value",
    [lambda x: jnp.where(x > 0.1, 1.0, 0.0), lambda x: jnp.abs(x - 0.1), lambda x, y: 1 / jnp.hypot(x, y + 0.2)],
    ids=["jump", "kink", "pole"],
)
def test_what_is_not_smooth_inside_is_penalised(value):
    assert poisson(value).check().penalised == ("u on edge",)


@pytest.mark.parametrize(
    ("target", "exact"),
    [
        (lambda u: -0.5 * (u - 300.0), True),
        (lambda u, x, y: x * y - (2 + x) * u, True),
        (lambda u: -1e-8 * u**4, False),
        (lambda u: -jnp.maximum(u - 300.0, 0.0), False),
        (lambda u_x: -u_x, False),
    ],
    ids=["cooled", "unevenly", "radiation", "only above a threshold", "a derivative"],
)
def test_robin_conditions_are_known_by_their_form(target, exact):
    found = lf.Problem(DISK, "u", {"laplace": laplace}, [lf.Flux(EDGE, u=target)]).check()
    assert found.exact == (("outward derivative of u on edge",) if exact else ())
    assert found.penalised == (() if exact else ("outward derivative of u on edge",))


def test_radiation_from_a_disk():
    """-lap T = 4 and dT/dn = -T^4 leave T = 2^(1/4) + 1 - r^2, whose edge radiates what is made inside."""
    edge = lf.Flux(EDGE, T=lambda T: -(T**4))
    guess = lf.Data({"x": [0.0], "y": [0.0], "T": [2.0]}, noise=10.0)
    problem = lf.Problem(DISK, "T", {"heat": lambda T_xx, T_yy: T_xx + T_yy + 4}, [edge], data=guess)
    assert error(solved(problem, 4), lambda x, y: 2**0.25 + 1 - x**2 - y**2) < 1e-5


# Time


def bessel(z2):
    """J0 as a function of z^2, by its series."""
    total, term = jnp.zeros(()), jnp.ones(())
    for m in range(1, 20):
        total, term = total + term, term * (-z2 / 4) / m**2
    return total


def test_heat_in_a_disk_against_a_bessel_series():
    rate = 2.404825557695773  # the first zero of J0
    domain = DISK * lf.Box(t=(0, 0.2))
    start = lf.Value(domain.at(t=0), u=lambda x, y: bessel(rate**2 * (x**2 + y**2)))
    heat = {"heat": lambda u_t, u_xx, u_yy: u_t - u_xx - u_yy}
    problem = lf.Problem(domain, "u", heat, [lf.Value(domain.boundary("edge"), u=0.0), start])
    assert problem.check().exact == ("u on edge", "u on the lower end of t")
    solution = solved(problem, {"x": 6, "y": 6, "t": 5})
    assert error(solution, lambda x, y, t: bessel(rate**2 * (x**2 + y**2)) * jnp.exp(-(rate**2) * t)) < 2e-3
    assert np.max(np.abs(solution.u(x=0.6, y=0.8, t=np.linspace(0, 0.2, 9)))) < 1e-15


def test_a_derivative_that_disagrees_with_the_start_is_penalised():
    domain = DISK * lf.Box(t=(0, 1))
    cooled = lf.Flux(domain.boundary("edge"), u=lambda u: -u)
    heat = {"heat": lambda u_t, u_xx, u_yy: u_t - u_xx - u_yy}
    agreeing = lf.Value(domain.at(t=0), u=lambda x, y: 3 - x**2 - y**2)
    assert lf.Problem(domain, "u", heat, [cooled, agreeing]).check().penalised == ()
    found = lf.Problem(domain, "u", heat, [cooled, lf.Value(domain.at(t=0), u=1.0)]).check()
    assert found.penalised == ("outward derivative of u on edge",)


def test_a_factor_that_changes_with_time_is_penalised_beside_a_start():
    domain = DISK * lf.Box(t=(0, 1))
    cooled = lf.Flux(domain.boundary("edge"), u=lambda u, t: -(1 + t) * u)
    start = lf.Value(domain.at(t=0), u=lambda x, y: 3 - x**2 - y**2)
    heat = {"heat": lambda u_t, u_xx, u_yy: u_t - u_xx - u_yy}
    assert lf.Problem(domain, "u", heat, [cooled, start]).check().penalised == ("outward derivative of u on edge",)


def test_periodic_beside_a_shape():
    """(1 - r^2) cos(pi z) between two ends that are one."""
    domain = DISK * lf.Box(z=(-1, 1))

    def law(u_xx, u_yy, u_zz, x, y, z):
        return u_xx + u_yy + u_zz + (4 + jnp.pi**2 * (1 - x**2 - y**2)) * jnp.cos(jnp.pi * z)

    conditions = [lf.Value(domain.boundary("edge"), u=0.0), lf.Periodic(domain.at(z=(-1, 1)))]
    problem = lf.Problem(domain, "u", {"poisson": law}, conditions)
    solution = solved(problem, {"x": 3, "y": 3, "z": 3})
    assert error(solution, lambda x, y, z: (1 - x**2 - y**2) * jnp.cos(jnp.pi * z)) < 1e-11


# Unknowns in conditions


def test_the_cooling_of_an_edge_is_found():
    """-lap T = 4, dT/dn = -h T: T = 2/h + 1 - r^2; thermometers inside tell h."""
    rng, h = np.random.default_rng(3), 0.8
    points = DISK.sample(12, 3)
    values = 2 / h + 1 - points["x"] ** 2 - points["y"] ** 2 + 0.01 * rng.normal(size=12)
    problem = lf.Problem(
        DISK,
        "T",
        {"heat": lambda T_xx, T_yy: T_xx + T_yy + 4},
        [lf.Flux(EDGE, T=lambda T, h: -h * T)],
        unknowns={"h": lf.Positive(guess=2.0)},
        data=lf.Data({**points, "T": values}, noise=0.01),
    )
    assert problem.check().exact == ("outward derivative of T on edge",)
    solution = solved(problem, 4)
    found = solution["h"]
    assert found.sd == pytest.approx(h**2 / 2 * 0.01 / np.sqrt(12), rel=0.05)
    assert abs(found.value - h) < 3 * found.sd


# What comes out


def test_pictures_are_blank_outside(bowl, tmp_path):
    lines, values = bowl.residual_map("poisson", {"x": 21, "y": 21})
    outside = np.hypot(*np.meshgrid(lines["x"], lines["y"], indexing="ij")) > 1 + 1e-6
    np.testing.assert_array_equal(np.isnan(values), outside)
    assert np.isnan(bowl.to_xarray({"x": 5, "y": 5}).u.values[0, 0])
    [panel] = bowl.record().fields
    assert panel.one_scale
    assert np.isnan(panel.values[0, 0])
    _, axes = bowl.plot()
    assert axes.get_aspect() == 1.0
    lf.report(bowl, tmp_path / "report.html")
    assert "nan" not in bowl.summary()


def test_places_outside_are_refused(bowl):
    with pytest.raises(lf.BadInput, match="inside the domain only"):
        bowl.u(x=0.9, y=0.9)


def test_a_solution_is_saved_and_loaded(bowl, tmp_path):
    bowl.save(tmp_path)
    again = lf.load(tmp_path, bowl.problem, bowl.method)
    assert again.u(x=0.1, y=0.2) == bowl.u(x=0.1, y=0.2)


def test_the_other_trial_field_is_asked(bowl, monkeypatch):
    small = lambda: lf.MLP(width=6, depth=1)
    monkeypatch.setattr(importlib.import_module("lawful.solve._crosscheck"), "MLP", small)
    checked = bowl.check().crosscheck
    assert checked.difference["u"] < 1e-3
    assert "no other method on a shape" in str(checked)


def test_collocation_is_refused():
    with pytest.raises(
        lf.BadInput, match=r"Collocation solves on boxes, but the domain is a Disk; use method=lf.Neural"
    ):
        lf.solve(poisson(), lf.Collocation())


# Robin conditions on boxes


def test_a_cooled_rod():
    """U'' = -1, u = 0 at 0 and u' = -2 (u - 1) at 1, both methods."""
    rod = lf.Box(x=(0, 1))
    conditions = [lf.Value(rod.at(x=0), u=0.0), lf.Flux(rod.at(x=1), u=lambda u: -2 * (u - 1))]
    problem = lf.Problem(rod, "u", {"rod": lambda u_xx: u_xx + 1}, conditions)
    assert problem.check().penalised == ()
    for method in (lf.Neural(trial=lf.Spectral(6)), lf.Collocation()):
        solution = lf.solve(problem, method, progress=False)
        assert error(solution, lambda x: -(x**2) / 2 + 4 / 3 * x) < 1e-9
    assert abs(solution.u_x(x=1.0) + 2 * (solution.u(x=1.0) - 1)) < 1e-9
