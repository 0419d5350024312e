"""Two materials: what agrees where they touch, by both methods, against closed forms."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

import lawful as lf

pytestmark = pytest.mark.usefixtures("float64")

K, C, BORDER = {"steel": 10.0, "wool": 0.1}, {"steel": 2.0, "wool": 1.0}, 0.4


def heat(c, T_t, q_x):
    return c * T_t + q_x


def flux(k, T_x):
    return -k * T_x


def wall(**more):
    return lf.Regions(steel=lf.Box(x=(0, BORDER), **more), wool=lf.Box(x=(BORDER, 1), **more))


def through(regions, **parts):
    """Steady conduction through the wall."""
    conditions = [
        lf.Value(regions.at(x=0), T=100.0),
        lf.Value(regions.at(x=1), T=20.0),
        lf.Continuous(regions.interface("steel", "wool"), "T", "q"),
    ]
    known = {"constants": {"k": K}, **parts}
    return lf.Problem(regions, "T", {"heat": lambda q_x: q_x}, conditions, derived={"q": flux}, **known)


Q = 80 / (BORDER / K["steel"] + (1 - BORDER) / K["wool"])


def profile(x):
    return np.where(x < BORDER, 100 - Q * x / K["steel"], 20 + Q * (1 - x) / K["wool"])


@pytest.mark.parametrize("method", [lf.Collocation(), lf.Neural(trial=lf.Spectral(6))])
def test_a_wall_of_two_layers(method):
    solution = lf.solve(through(wall()), method)
    assert solution.status.converged, solution.status
    x = np.linspace(0, 1, 51)
    np.testing.assert_allclose(solution.T(x=x), profile(x), rtol=1e-10)
    np.testing.assert_allclose(solution.q(x=x), Q, rtol=1e-8)
    assert np.isfinite(solution.residual_map("heat")[1]).all()


def test_regions_may_come_in_any_order_and_their_interface_from_either_side():
    regions = lf.Regions(wool=lf.Box(x=(BORDER, 1)), steel=lf.Box(x=(0, BORDER)))
    problem = lf.Problem(
        regions, "T", {"heat": lambda k, T_xx: k * T_xx},
        [lf.Value(regions["steel"].at(x=0), T=100.0), lf.Value(regions.at(x=1), T=20.0),
         lf.Continuous(regions.interface("wool", "steel"), "T", heat=lambda k, T_x, n_x: -k * T_x * n_x)],
        constants={"k": K},
    )  # fmt: skip
    x = np.linspace(0, 1, 51)
    np.testing.assert_allclose(lf.solve(problem, lf.Collocation()).T(x=x), profile(x), rtol=1e-10)


class Mode:
    """A temperature that keeps its shape while it decays: sin(a x) in the steel, S sin(b (1 - x)) in the wool."""

    def __init__(self, number):
        a, b = np.sqrt(C["steel"] / K["steel"]), np.sqrt(C["wool"] / K["wool"])

        def miss(w):
            left = K["steel"] * a * np.cos(a * w * BORDER) * np.sin(b * w * (1 - BORDER))
            return left + K["wool"] * b * np.cos(b * w * (1 - BORDER)) * np.sin(a * w * BORDER)

        w = np.linspace(0.01, 20, 2000)
        roots = [brentq(miss, p, q, xtol=1e-14) for p, q in itertools.pairwise(w) if miss(p) * miss(q) < 0]
        self.rate, self.a, self.b = roots[number] ** 2, a * roots[number], b * roots[number]
        self.share = np.sin(self.a * BORDER) / np.sin(self.b * (1 - BORDER))

    def steel(self, x):
        return jnp.sin(self.a * x)

    def wool(self, x):
        return self.share * jnp.sin(self.b * (1 - x))

    def __call__(self, x, t):
        return np.where(x < BORDER, self.steel(x), self.wool(x)) * np.exp(-self.rate * t)


MODE = Mode(2)


def cooling(**parts):
    regions = wall(t=(0, 0.2))
    conditions = [
        lf.Value(regions["steel"].at(t=0), T=MODE.steel),
        lf.Value(regions["wool"].at(t=0), T=MODE.wool),
        lf.Value(regions.at(x=(0, 1)), T=0.0),
        lf.Continuous(regions.interface("steel", "wool"), "T", "q"),
    ]
    known = {"constants": {"k": K, "c": C}, **parts}
    return lf.Problem(regions, "T", {"heat": heat}, conditions, derived={"q": flux}, **known)


@pytest.fixture(scope="module")
def cooled():
    return lf.solve(cooling(), lf.Collocation(tolerance=1e-7))


def test_a_transient_in_two_layers(cooled):
    assert cooled.status.converged, cooled.status
    x, t = np.linspace(0, 1, 101)[:, None], np.linspace(0, 0.2, 5)
    exact = MODE(x, t)
    assert np.linalg.norm(cooled.T(x=x, t=t) - exact) < 1e-7 * np.linalg.norm(exact)
    assert BORDER in cooled.task.scheme.grid.lines[0].edges


def test_the_flux_is_one_and_the_slope_is_two(cooled):
    t = np.linspace(0.01, 0.2, 7)
    either = [cooled.evaluate("T_x", x=np.full(7, BORDER + side), t=t) for side in (-1e-12, 1e-12)]
    np.testing.assert_allclose(K["steel"] * either[0], K["wool"] * either[1], rtol=1e-5)


def heated(**parts):
    """From rest, so that no conductivity contradicts the start."""
    regions = wall(t=(0, 1))
    conditions = [
        lf.Value(regions.at(t=0), T=0.0),
        lf.Value(regions.at(x=0), T=lambda t: t**2),
        lf.Value(regions.at(x=1), T=0.0),
        lf.Continuous(regions.interface("steel", "wool"), "T", "q"),
    ]
    known = {"constants": {"k": K, "c": C}, **parts}
    return lf.Problem(regions, "T", {"heat": heat}, conditions, derived={"q": flux}, **known)


def test_the_conductivity_of_the_hidden_layer_by_both_methods():
    rng = np.random.default_rng(2)
    x, t = rng.uniform(0.1, 0.9, 60), rng.uniform(0.2, 1, 60)
    truth = lf.solve(heated(), lf.Collocation(tolerance=1e-7)).T(x=x, t=t)
    problem = heated(
        constants={"k": {"steel": K["steel"]}, "c": C},
        unknowns={"k": {"wool": lf.Positive(0.3)}},
        data=lf.Data({"x": x, "t": t, "T": truth + 1e-3 * rng.normal(size=60)}, noise=1e-3),
    )
    one = lf.solve(problem, lf.Collocation(tolerance=1e-7))["k[wool]"]
    two = lf.solve(problem, lf.Neural(trial=lf.Spectral({"x": 16, "t": 12})))["k[wool]"]
    assert abs(one.value - K["wool"]) < 4 * one.sd
    assert 0 < one.sd < 0.01 * K["wool"]
    assert abs(one.value - two.value) < 0.1 * one.sd
    assert two.sd == pytest.approx(one.sd, rel=0.05)


def test_heat_is_refracted_at_a_straight_interface_in_a_disk():
    """T = (cosh x + sinh(x) / k) cos y is harmonic on both sides, continuous at x = 0, and so is k T_x."""
    disk, half = lf.Disk(x=0, y=0, radius=1, label="rim"), lf.Box(x=(-2, 0), y=(-2, 2))
    regions = lf.Regions(left=disk & half, right=disk - half)
    k = {"left": 1.0, "right": 20.0}
    exact = {name: lambda x, y, k=k[name]: (jnp.cosh(x) + jnp.sinh(x) / k) * jnp.cos(y) for name in k}
    problem = lf.Problem(
        regions, "T", {"heat": lambda k, T_xx, T_yy: k * (T_xx + T_yy)},
        [lf.Value(regions.outer("left"), T=lambda x, y, k: (jnp.cosh(x) + jnp.sinh(x) / k) * jnp.cos(y)),
         lf.Value(regions.outer("right"), T=lambda x, y, k: (jnp.cosh(x) + jnp.sinh(x) / k) * jnp.cos(y)),
         lf.Continuous(
             regions.interface("left", "right"), "T",
             heat=lambda k, T_x, T_y, n_x, n_y: k * (T_x * n_x + T_y * n_y),
         )],
        constants={"k": k},
    )  # fmt: skip
    solution = lf.solve(problem, lf.Neural(trial=lf.Spectral(14)))
    assert solution.status.converged, solution.status
    for name in k:
        places = regions[name].sample(300, 3)
        np.testing.assert_allclose(solution.T(**places), exact[name](**places), atol=1e-6)


def test_a_saved_solution_comes_back(tmp_path):
    problem, method = through(wall()), lf.Neural(trial=lf.Spectral(6))
    solution = lf.solve(problem, method, out=tmp_path)
    again = lf.load(tmp_path, problem, method)
    x = np.linspace(0, 1, 11)
    np.testing.assert_array_equal(again.T(x=x), solution.T(x=x))


def test_each_method_checks_the_other():
    found = lf.solve(through(wall()), lf.Neural(trial=lf.Spectral(6))).check().crosscheck
    assert found.method == "Collocation"
    assert found.difference["T"] < 1e-9


@pytest.mark.parametrize(
    ("regions", "method", "words"),
    [
        (
            lf.Regions(a=lf.Disk(x=0, y=0, radius=1), b=lf.Disk(x=0, y=0, radius=2) - lf.Disk(x=0, y=0, radius=1)),
            lf.Collocation(),
            "boxes in a row",
        ),
        (wall(y=(0, 1)), lf.Neural(continuation=lf.Continuation(c=(1.0,))), "leave out continuation"),
        (wall(y=(0, 1)), lf.Neural(sampling=lf.ResidualDriven()), "leave out sampling"),
    ],
)
def test_what_a_method_cannot_do_is_refused(regions, method, words):
    first, second = regions.names
    problem = lf.Problem(
        regions, "T", {"heat": lambda c, T_xx, T_yy: c * (T_xx + T_yy)},
        [lf.Value(regions.boundary(), T=0.0), lf.Continuous(regions.interface(first, second), "T", "T_x")],
        constants={"c": 1.0},
    )  # fmt: skip
    with pytest.raises(lf.BadInput, match=words):
        lf.solve(problem, method)
