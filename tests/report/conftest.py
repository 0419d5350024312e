"""Records built by hand: what a solver would hand over, without one. Frozen, so that all tests share them."""

from dataclasses import replace

import numpy as np
import pytest

from lawful._core.estimates import Estimate
from lawful._core.record import FieldPanel, FitPanel, Record, ResidualPanel, Status

DECAY = 0.731


def falling(t):
    return 2.0 * np.exp(-DECAY * t) * np.cos(3.0 * t)


def steps_of(stages, unknowns):
    """A history as a fit leaves it: the count of steps starts anew in each stage, the laws grow heavier."""
    columns = {name: [] for name in ("stage", "step", "weight", "loss", "term: law motion", "term: data y", *unknowns)}
    for stage in range(1, stages + 1):
        for step in range(15 if stage == 1 else 4):
            distance = np.exp(-0.9 * step) if stage == 1 else 1e-3 * np.exp(-2.0 * step)
            columns["stage"].append(float(stage))
            columns["step"].append(float(step))
            columns["weight"].append(10.0 ** (stage - 1))
            columns["term: law motion"].append(1e-6 + 40 * distance)
            columns["term: data y"].append(21.3 + 300 * distance)
            columns["loss"].append(21.3 + 1e-6 + 340 * distance)
            for i, name in enumerate(unknowns):
                columns[name].append((0.731, 9.2e-6, 440.0)[i % 3] * (1 + (0.8 - 0.3 * i) * distance))
    return columns


@pytest.fixture(scope="session")
def line_fit():
    """Forty-eight measurements of a falling oscillation with noise 0.05."""
    t = np.linspace(0.05, 5.0, 48)
    fine = np.linspace(0.0, 5.0, 401)
    measured = falling(t) + 0.05 * np.random.default_rng(3).standard_normal(t.size)
    return FitPanel("probe.csv: y", {"t": t}, measured, falling(t), np.full(t.size, 0.05), (fine, falling(fine)))


@pytest.fixture(scope="session")
def plane_fit():
    """Two hundred measurements scattered over a plane."""
    rng = np.random.default_rng(4)
    x, t = rng.uniform(-1, 1, 200), rng.uniform(0, 1, 200)
    predicted = -np.sin(np.pi * x) * np.exp(-t)
    measured = predicted + 0.01 * rng.standard_normal(200)
    return FitPanel("plane.csv: u", {"x": x, "t": t}, measured, predicted, np.full(200, 0.01), None)


@pytest.fixture(scope="session")
def line_residual():
    t = np.linspace(0.0, 5.0, 401)
    return ResidualPanel("motion", {"t": t}, 3e-7 * np.sin(40 * t) * np.exp(-((t - 1.2) ** 2)) + 1e-10)


@pytest.fixture(scope="session")
def plane_residual():
    x, t = np.linspace(-1, 1, 101), np.linspace(0, 1, 91)
    values = 2e-5 * np.sin(9 * x)[:, None] * np.cos(7 * t) + 8e-4 * np.exp(
        -400 * (x[:, None] - 0.1) ** 2 - 80 * (t - 0.8) ** 2
    )
    return ResidualPanel("burgers", {"x": x, "t": t}, values)


@pytest.fixture(scope="session")
def plane_field():
    x, t = np.linspace(-1, 1, 101), np.linspace(0, 1, 91)
    return FieldPanel("u", {"x": x, "t": t}, -np.sin(np.pi * x)[:, None] * np.exp(-t))


@pytest.fixture(scope="session")
def unknown_field():
    """A conductivity over depth, with a band that widens where nothing was measured."""
    z = np.linspace(0.0, 2.0, 101)
    return FieldPanel("conductivity", {"z": z}, 1.5 + 0.4 * np.tanh(4 * (z - 1)), 0.02 + 0.1 * z**3 / 8)


@pytest.fixture(scope="session")
def record(line_fit, plane_fit, line_residual, plane_residual, plane_field, unknown_field):
    """A solution with something in every part of the report."""
    correlation = np.array([[1.0, -0.83, 0.12], [-0.83, 1.0, 0.41], [0.12, 0.41, 1.0]])
    return Record(
        title="A falling oscillation",
        method="Collocation(tolerance=1e-08)",
        status=Status(True, "gradient below 1e-09 after 27 steps"),
        seconds=3.217,
        estimates={
            "decay": Estimate("decay", DECAY, 0.0123, 92.0),
            "nu": Estimate("nu", 9.213e-6, 4.4e-8, 92.0),
            "pull": Estimate("pull", 440.0, 2.5, 92.0),
        },
        correlation=(("decay", "nu", "pull"), correlation),
        undetermined=(),
        noise={"probe.csv: y": 0.0512, "plane.csv: u": 0.00987},
        chi2=243.1,
        dof=245.0,
        exact=("y = 2 at t = 0", "u = 0 at x = -1 and x = 1"),
        penalised=("u_x is continuous at x = 0",),
        observed=("probe.csv: y at 48 places", "plane.csv: u at 200 places"),
        laws=("motion: y_tt + 2 decay y_t + pull y = 0", "burgers: u_t + u u_x - nu u_xx = 0"),
        scaling="y ~ 2, change of t ~ 0.5, law motion ~ 18",
        fits=(line_fit, plane_fit),
        fields=(plane_field,),
        unknown_fields=(unknown_field,),
        residuals=(line_residual, plane_residual),
        history=steps_of(4, ["unknown: decay", "unknown: nu", "unknown: pull"]),
        versions={"lawful": "0.1.0", "jax": "0.10.2"},
        notes=("re-solved by Neural (converged): fields differ at most in u by 2.1e-05 of their size",),
    )


@pytest.fixture(scope="session")
def forward(record):
    """Everything given, nothing measured: a forward problem."""
    return replace(
        record,
        estimates={},
        correlation=((), np.zeros((0, 0))),
        noise={},
        chi2=0.0,
        dof=0.0,
        observed=(),
        penalised=(),
        fits=(),
        unknown_fields=(),
        history={},
        notes=(),
    )


@pytest.fixture(scope="session")
def undetermined(record):
    """Two unknowns of which the data see the product only, and a fit that did not converge."""
    free = {name: Estimate(name, value, np.inf) for name, value in (("k", 2.0), ("m", 3.0))}
    return replace(
        record,
        status=Status(False, "not settled after 16 stages: unknowns still move by 0.3 error bars"),
        estimates={**free, "c": Estimate("c", 0.5, 0.01)},
        correlation=(
            ("k", "m", "c"),
            np.array([[1.0, np.nan, np.nan], [np.nan, 1.0, np.nan], [np.nan, np.nan, 1.0]]),
        ),
        undetermined=("k * m",),
    )
