"""The studies on right and wrong laws, by the command line at their quickest."""

import os
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from lawful.cli import app
from lawful.studies import _channel, channel, drag, reaction_or_leak
from study_runs import in_sd
from study_runs import numbers_of as run

ROOT = Path(__file__).resolve().parents[2]


def test_channel(tmp_path):
    numbers = run("channel", "--set", "sensors=10", "--out", str(tmp_path))
    assert numbers["missing_term"] == "u_x"
    assert in_sd(numbers["coefficient"], channel.FLOW) < 4
    assert numbers["coefficient"]["sd"] < 0.05
    assert numbers["p_value"] < 1e-50
    assert numbers["discretisation"] < 5e-6
    assert numbers["power"]["u_x"] < 0.5
    assert "the missing term is u_x" in numbers["verdict"]
    assert numbers["upwind"]["kind"] == "the mesh"
    assert numbers["upwind"]["score_test_alone"]["term"] == "u_xx"
    assert in_sd(numbers["heat_leaving"], heat_leaving()) < 5
    assert "Error budget" in (tmp_path / "report.html").read_text()


def heat_leaving():
    """The mean of -u_x at the outlet, by differences of the closed form."""
    t, h = np.linspace(0.02, 1, 2000), 1e-4
    one = np.ones_like(t)
    slope = (3 * _channel.exact(one, t) - 4 * _channel.exact(one - h, t) + _channel.exact(one - 2 * h, t)) / (2 * h)
    return -float(np.trapezoid(slope, t))


def test_channel_of_a_right_model_and_of_a_coarse_mesh():
    numbers = run("channel", "--set", "sensors=10", "--set", "flow=0")
    assert numbers["kind"] == "no evidence against the model"
    assert numbers["missing_term"] is None
    assert "smallest" in numbers["verdict"]
    refused = CliRunner().invoke(
        app,
        [
            "run",
            "channel",
            "--effort",
            "quick",
            "--json",
            "--set",
            "sensors=10",
            "--set",
            "nodes=4",
            "--set",
            "steps=1",
        ],
    )
    assert refused.exit_code == 1
    assert "mesh" in refused.stderr


def test_the_channels_truth_obeys_its_law():
    x, t, h = np.array([0.1, 0.35, 0.6, 0.9]), np.array([0.05, 0.3, 0.7, 0.95]), 1e-4
    for flow in (2.0, 0.0):
        rate = (_channel.exact(x, t + h, flow) - _channel.exact(x, t - h, flow)) / (2 * h)
        slope = (_channel.exact(x + h, t, flow) - _channel.exact(x - h, t, flow)) / (2 * h)
        bend = (_channel.exact(x + h, t, flow) - 2 * _channel.exact(x, t, flow) + _channel.exact(x - h, t, flow)) / h**2
        assert np.max(np.abs(rate + flow * slope - _channel.KAPPA * bend)) < 1e-6
    assert _channel.exact(np.zeros(1), np.array([0.3]))[0] == pytest.approx(float(_channel.inlet(0.3)), abs=1e-6)


def test_drag():
    numbers = run("drag")
    assert numbers["none"]["missing_term"] is None
    for body in ("linear drag", "quadratic drag"):
        assert numbers[body]["missing_term"] == body
        assert in_sd(numbers[body]["coefficient"], drag.TRUTH[body]) < 4
        assert numbers[body]["right_again"] >= 3


def test_the_falling_bodies_obey_their_laws():
    t, h = np.linspace(0.1, 1.4, 20), 1e-3
    for body, force in {
        "none": lambda v: 0 * v,
        "linear drag": lambda v: -drag.TRUTH["linear drag"] * v,
        "quadratic drag": lambda v: -drag.TRUTH["quadratic drag"] * np.abs(v) * v,
    }.items():
        y = [drag.track(body, t + s * h) for s in (-1, 0, 1)]
        speed, acceleration = (y[2] - y[0]) / (2 * h), (y[2] - 2 * y[1] + y[0]) / h**2
        assert np.max(np.abs(acceleration + drag.GRAVITY - force(speed))) < 1e-4


def test_reaction_or_leak():
    numbers = run("reaction-or-leak")
    assert numbers["group"] == ["leak", "reaction"]
    assert numbers["next_sensor"] > 0.6
    assert numbers["separation_then"] > numbers["separation_now"] + 6
    assert numbers["missing_term"] == "leak"
    assert in_sd(numbers["coefficient"], reaction_or_leak.STRENGTH["leak"]) < 4


def test_the_rods_reference_is_as_accurate_as_it_says():
    x, t = np.array([0.2, 0.5, 0.9]), np.array([0.3, 1.0, 2.0])
    for truth in ("leak", "reaction"):
        fine, coarse = (reaction_or_leak.reference(truth, x, t, cells) for cells in (400, 200))
        assert np.max(np.abs(fine - coarse)) < 3e-5  # four times the error of the finer, at second order


def test_pendulum_law(monkeypatch):
    folder = Path(os.environ.get("LAWFUL_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "schmidt_lipson" / "real_pend_h_1.txt").is_file():
        pytest.skip(f"no recordings in {folder}: set LAWFUL_DATA to the folder that holds schmidt_lipson/")
    monkeypatch.setenv("LAWFUL_DATA", str(folder))
    numbers = run("pendulum-law")
    assert numbers["small_angle"]["rejected"]
    assert numbers["small_angle"]["p_value"] < 1e-30
    assert numbers["small_angle"]["missing_term"] == "theta^3"
    assert not numbers["sine"]["rejected"]
    assert numbers["sine"]["kind"] == "no evidence against the model"
    assert numbers["learned"]["shares"]["sin theta - theta"] > 0.9
    stiffness = numbers["k_of_the_sine_law"]["value"]
    assert numbers["learned"]["coefficients"]["sin theta - theta"] == pytest.approx(stiffness, rel=0.2)
