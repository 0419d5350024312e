"""Two axes of space, dispersive waves, and coefficients found through steps of chosen length."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful.solve._collocation import collocation_task
from lawful.solve._krylov import conjugate_residuals
from lawful.solve._linearised import matrix
from lawful.solve._nodal import Nodal
from lawful.solve._radau import radau
from lawful.solve._shifted import spectrum

pytestmark = pytest.mark.usefixtures("float64")

PI = np.pi


def worst(found, expected):
    return float(np.max(np.abs(found - expected)))


# Two axes at rest


def test_poisson_on_a_square():
    domain = lf.Box(x=(0, 1), y=(0, 1))

    def exact(x, y, m):
        return m.sin(m.pi * x) * m.exp(y) + x * y**2

    problem = lf.Problem(
        domain,
        "u",
        {"poisson": lambda u_xx, u_yy, x, y: u_xx + u_yy - (1 - PI**2) * jnp.sin(PI * x) * jnp.exp(y) - 2 * x},
        [
            lf.Value(domain.at(x=(0, 1)), u=lambda x, y: exact(x, y, jnp)),
            lf.Value(domain.at(y=(0, 1)), u=lambda x, y: exact(x, y, jnp)),
        ],
    )
    solution = lf.solve(problem, lf.Collocation(tolerance=1e-10, nodes=18))
    x, y = np.meshgrid(np.linspace(0, 1, 41), np.linspace(0, 1, 31))
    assert solution.status.converged, solution.status
    assert worst(solution.u(x=x, y=y), exact(x, y, np)) < 1e-12


def test_the_matrix_of_a_steady_problem_is_the_slope_of_its_rows():
    """Two fields, a derived quantity that is differentiated, values, a slope that depends on the field: all of it."""
    box = lf.Box(x=(0, 1), y=(0, 2))
    problem = lf.Problem(
        box,
        ["u", "v"],
        {
            "one": lambda u_xx, u_yy, u_xy, u, v, x: u_xx + 2 * u_yy + u * u_xy - u * v + x,
            "other": lambda q_x, v_yy, u: q_x + v_yy + u**2,
        },
        [
            lf.Value(box.at(x=(0, 1)), u=0.0, v=lambda y: jnp.cos(y)),
            lf.Value(box.at(y=0), u=0.0, v=1.0),
            lf.Flux(box.at(y=2), u=lambda u: -(u**2)),
            lf.Value(box.at(y=2), v=lambda: jnp.cos(2.0)),
        ],
        derived={"q": lambda v_x, u: (1 + u**2) * v_x},
    )
    scheme = collocation_task(problem, lf.Collocation(nodes={"x": 4, "y": 5})).scheme
    rng = np.random.default_rng(0)
    at = jnp.asarray(rng.normal(size=(2, *scheme.grid.shape)))

    def nodal(at):
        levels = {name: [at[index]] for index, name in enumerate("uv")}
        return Nodal(problem, scheme.grid, None, {}, jnp.zeros(()), levels)

    def rows(at):
        found = nodal(at).residuals(scheme.pairs, scheme.boundary, scheme.junctions)
        return jnp.stack([found["u"], found["v"]])

    blocks = matrix(nodal(at), scheme.pairs, scheme.boundary)
    found = np.array([[blocks[own][of] for of in "uv"] for own in "uv"])  # (own, of, *rows, *columns)
    expected = np.moveaxis(jax.jacfwd(rows)(at), 3, 1)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * np.max(np.abs(expected)))


RE = 40.0
RATE = RE / 2 - np.sqrt(RE**2 / 4 + 4 * PI**2)


def kovasznay(conditions):
    """The flow behind a grid as a stream function: one law of fourth order, two conditions on each wall.

    Source: Kovasznay, Proc. Camb. Phil. Soc. 44, 58 (1948).
    """
    domain = lf.Box(x=(-0.5, 1), y=(-0.5, 0.5))
    return lf.Problem(
        domain,
        "psi",
        {"vorticity": lambda u, v, w_x, w_y, w_xx, w_yy: u * w_x + v * w_y - (w_xx + w_yy) / RE},
        conditions(domain),
        derived={"u": lambda psi_y: psi_y, "v": lambda psi_x: -psi_x, "w": lambda v_x, u_y: v_x - u_y},
    )


def stream(x, y, m):
    return y - m.exp(RATE * x) * m.sin(2 * PI * y) / (2 * PI)


def test_kovasznay_flow_with_two_conditions_on_each_wall():
    def conditions(domain):
        return [
            lf.Value(
                domain.at(x=(-0.5, 1)),
                psi=lambda x, y: stream(x, y, jnp),
                psi_x=lambda x, y: -RATE * jnp.exp(RATE * x) * jnp.sin(2 * PI * y) / (2 * PI),
            ),
            lf.Value(
                domain.at(y=(-0.5, 0.5)),
                psi=lambda x, y: stream(x, y, jnp),
                psi_y=lambda x, y: 1 - jnp.exp(RATE * x) * jnp.cos(2 * PI * y),
            ),
        ]

    solution = lf.solve(kovasznay(conditions), lf.Collocation(tolerance=1e-6, nodes={"x": 20, "y": 20}))
    x, y = np.meshgrid(np.linspace(-0.5, 1, 41), np.linspace(-0.5, 0.5, 31))
    assert solution.status.converged, solution.status
    assert worst(solution.u(x=x, y=y), 1 - np.exp(RATE * x) * np.cos(2 * PI * y)) < 1e-9
    assert worst(solution.v(x=x, y=y), RATE / (2 * PI) * np.exp(RATE * x) * np.sin(2 * PI * y)) < 1e-9
    wall = np.linspace(-0.5, 0.5, 15)
    assert worst(solution.psi(x=-0.5, y=wall), stream(-0.5, wall, np)) < 1e-14


def test_a_lid_driven_cavity_from_rest():
    """Re = 400 with a lid that slows down towards its ends; Newton's method starts from fluid at rest."""
    domain = lf.Box(x=(0, 1), y=(0, 1))
    still = {"psi": 0.0, "psi_x": 0.0}
    problem = lf.Problem(
        domain,
        "psi",
        {"vorticity": lambda u, v, w_x, w_y, w_xx, w_yy: u * w_x + v * w_y - (w_xx + w_yy) / 400},
        [
            lf.Value(domain.at(x=(0, 1)), **still),
            lf.Value(domain.at(y=(0, 1)), psi=0.0),
            lf.Value(domain.at(y=0), psi_y=0.0),
            lf.Value(domain.at(y=1), psi_y=lambda x: 16 * x**2 * (1 - x) ** 2),
        ],
        derived={"u": lambda psi_y: psi_y, "v": lambda psi_x: -psi_x, "w": lambda v_x, u_y: v_x - u_y},
    )
    solution = lf.solve(problem, lf.Collocation(tolerance=1e-4, nodes=20))
    assert solution.accuracy is not None
    assert solution.accuracy < 1e-4  # whatever the residual in the corners, where vorticity is not smooth
    lid = np.linspace(0, 1, 21)
    assert worst(solution.u(x=lid, y=1.0), 16 * lid**2 * (1 - lid) ** 2) < 1e-11
    x, y = np.meshgrid(np.linspace(0.05, 0.95, 13), np.linspace(0.05, 0.95, 13))
    divergence = solution.evaluate(lambda u_x, v_y: u_x + v_y, x=x, y=y)
    assert worst(divergence, 0) < 1e-10


# Two axes in time


def test_drift_and_spreading_on_a_square():
    domain = lf.Box(x=(0, 1), y=(0, 1), t=(0, 0.5))

    def exact(x, y, t, m):
        return m.exp(-0.1 * PI**2 * t) * m.sin(PI * (x - 0.5 * t)) * m.cos(PI * (y - 0.3 * t))

    problem = lf.Problem(
        domain,
        "u",
        {"drift": lambda u_t, u_x, u_y, u_xx, u_yy: u_t + 0.5 * u_x + 0.3 * u_y - 0.05 * (u_xx + u_yy)},
        [
            lf.Value(domain.at(x=(0, 1)), u=lambda x, y, t: exact(x, y, t, jnp)),
            lf.Value(domain.at(y=(0, 1)), u=lambda x, y, t: exact(x, y, t, jnp)),
            lf.Value(domain.at(t=0), u=lambda x, y: exact(x, y, 0.0, jnp)),
        ],
    )
    solution = lf.solve(problem, lf.Collocation(tolerance=1e-5, stages=3, nodes=12))
    x, y, t = np.meshgrid(np.linspace(0, 1, 11), np.linspace(0, 1, 11), np.linspace(0, 0.5, 7))
    assert solution.status.converged, solution.status
    assert worst(solution.u(x=x, y=y, t=t), exact(x, y, t, np)) < 1e-5


# Waves


def test_a_soliton_on_a_ring():
    """KdV u_t + u u_x + d^2 u_xxx = 0: u = 3 c sech^2(sqrt(c) (x - c t) / 2 d), alone on a ring that is long enough."""
    c, d = 0.6, 0.03

    def soliton(x, t, m):
        place = (x - c * t + 1) % 2 - 1
        return 3 * c / m.cosh(np.sqrt(c) * place / (2 * d)) ** 2

    domain = lf.Box(x=(-1, 1), t=(0, 0.5))
    problem = lf.Problem(
        domain,
        "u",
        {"kdv": lambda u, u_t, u_x, u_xxx: u_t + u * u_x + d**2 * u_xxx},
        [lf.Value(domain.at(t=0), u=lambda x: soliton(x, 0.0, jnp)), lf.Periodic(domain.at(x=(-1, 1)))],
    )
    solution = lf.solve(problem, lf.Collocation(tolerance=1e-5))
    x = np.linspace(-1, 1, 41)
    assert solution.status.converged, solution.status
    assert worst(solution.u(x=x, t=0.5), soliton(x, 0.5, np)) < 5e-5


# Coefficients


def test_coefficients_of_burgers_equation(data_root):
    """2000 noise-free values of the shock; the mesh must follow the unknowns, which start far away."""
    from scipy.io import loadmat

    path = data_root / "raissi_pinns" / "burgers_shock.mat"
    if not path.exists():
        pytest.skip(f"no {path}")
    file = loadmat(path)
    x, t = np.meshgrid(file["x"].ravel(), file["t"].ravel(), indexing="ij")
    chosen = np.random.default_rng(0).choice(x.size, 2000, replace=False)
    columns = {"x": x.ravel()[chosen], "t": t.ravel()[chosen], "u": np.real(file["usol"]).ravel()[chosen]}
    domain = lf.Box(x=(-1, 1), t=(0, 1))
    problem = lf.Problem(
        domain,
        "u",
        {"burgers": lambda u, u_t, u_x, u_xx, l1, l2: u_t + l1 * u * u_x - l2 * u_xx},
        [lf.Value(domain.at(t=0), u=lambda x: -jnp.sin(PI * x)), lf.Value(domain.at(x=(-1, 1)), u=0.0)],
        unknowns={"l1": lf.Real(guess=0.5, scale=1.0), "l2": lf.Positive(guess=0.02)},
        data=lf.Data(columns),
    )
    solution = lf.solve(problem, lf.Collocation(tolerance=1e-8))
    assert abs(solution["l1"].value - 1) < 1e-7
    assert abs(solution["l2"].value / (0.01 / PI) - 1) < 1e-7


def test_gradients_through_steps_with_space():
    """The heat equation's decay rate: forward and reverse derivatives against the closed form and each other."""
    domain = lf.Box(x=(0, 1), t=(0, 0.5))
    problem = lf.Problem(
        domain,
        "u",
        {"heat": lambda u_t, u_xx, D: u_t - D * u_xx},
        [lf.Value(domain.at(t=0), u=lambda x: jnp.sin(PI * x)), lf.Value(domain.at(x=(0, 1)), u=0.0)],
        unknowns={"D": lf.Positive(0.2)},
        data=lf.Data({"x": [0.5], "t": [0.5], "u": [0.4]}),
    )
    task = lf.Collocation(steps=6, nodes={"x": lf.Elements([0, 0.4, 1], nodes=16)}).task(problem)

    def late(x):
        return task.model(x).fields(x=jnp.asarray(0.3), t=jnp.asarray(0.5))["u"]

    def closed(x):
        return jnp.sin(0.3 * PI) * jnp.exp(-0.2 * jnp.exp(x[0]) * PI**2 * 0.5)

    x = jnp.array([0.3])
    assert float(jax.jit(late)(x)) == pytest.approx(float(closed(x)), rel=1e-9)
    forward, reverse = jax.jit(jax.jacfwd(late))(x), jax.jit(jax.grad(late))(x)
    np.testing.assert_allclose(forward, jax.grad(closed)(x), rtol=1e-7)
    np.testing.assert_allclose(reverse, forward, rtol=1e-11)


# The algebra


@pytest.mark.parametrize("stages", [2, 3, 5, 7])
def test_the_spectrum_of_the_radau_matrix(stages):
    parts, matrix = spectrum(stages), radau(stages, 1).integrals[1]
    vector = np.random.default_rng(0).normal(size=stages)
    np.testing.assert_allclose(
        np.real(parts.right @ (parts.values * (parts.left @ vector))), matrix @ vector, atol=1e-12
    )


def test_conjugate_residuals_reach_rounding():
    rng = np.random.default_rng(1)
    matrix = np.eye(40) + 0.2 * rng.normal(size=(40, 40)) / np.sqrt(40)
    rough = np.linalg.inv(matrix + 0.1 * rng.normal(size=(40, 40)) / np.sqrt(40))
    right = rng.normal(size=40)
    found = conjugate_residuals(lambda v: matrix @ v, jnp.asarray(right), lambda v: rough @ v, 1e-14, 10, 8)
    np.testing.assert_allclose(found, np.linalg.solve(matrix, right), rtol=0, atol=1e-13)
