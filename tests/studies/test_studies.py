"""Every study at its quickest, by the command line, held to bounds that a broken implementation would miss."""

import json
import os
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from typer.testing import CliRunner

from lawful._core.precision import in_float64
from lawful.cli import app
from lawful.solve import LevenbergMarquardt, minimise
from lawful.studies import diffusivity, inductive_bias, lorenz, misra, oscillator
from study_runs import converged, in_sd

ROOT = Path(__file__).resolve().parents[2]
FACTS = {"status", "seconds", "seed", "effort"}


def run(study, *options):
    """The numbers of a study at its quickest."""
    numbers = converged(study, *options)
    assert set(numbers) >= FACTS
    return numbers


@pytest.fixture
def recordings(monkeypatch):
    """The folder of the published recordings, named to the studies."""
    folder = Path(os.environ.get("LAWFUL_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "schmidt_lipson" / "real_pend_h_1.txt").is_file():
        pytest.skip(f"no recordings in {folder}: set LAWFUL_DATA to the folder that holds schmidt_lipson/")
    monkeypatch.setenv("LAWFUL_DATA", str(folder))


def test_misra(tmp_path):
    numbers = run("misra", "--out", str(tmp_path / "run"))
    assert numbers["digits"]["collocation"] > 8
    assert numbers["digits"]["neural"] > 5
    for name, (value, sd) in misra.CERTIFIED.items():
        for found in (numbers[name], numbers["neural"][name]):
            assert found["value"] == pytest.approx(value, rel=1e-5)
            assert found["sd"] == pytest.approx(sd, rel=1e-5)
    assert numbers["noise"] == pytest.approx(0.10187876330, rel=1e-6)  # NIST's residual standard deviation
    files = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert files == ["report-neural.html", "report.html", "study.json"]
    assert json.loads((tmp_path / "run" / "study.json").read_text()) == {"study": "misra", **numbers}
    assert "238.9" in (tmp_path / "run" / "report.html").read_text()


def test_oscillator(tmp_path):
    numbers = run("oscillator", "--out", str(tmp_path))
    for name, truth in oscillator.TRUTH.items():
        assert in_sd(numbers[name], truth) < 4
        assert numbers["difference_in_sd"][name] < 0.1
        assert numbers["neural"][name]["sd"] == pytest.approx(numbers[name]["sd"], rel=0.3)
    assert 0 < numbers["mu"]["sd"] < 0.1
    assert 0 < numbers["k"]["sd"] < 0.2
    scores = numbers["rmse_extrapolation"]
    assert scores["lawful"] < 0.05
    assert scores["network"] > 5 * scores["lawful"]
    assert (tmp_path / "extrapolation.png").stat().st_size > 10_000


def test_lorenz():
    numbers = run("lorenz")
    for name, truth in lorenz.TRUTH.items():
        assert in_sd(numbers[name], truth) < 4.5, name
        assert abs(numbers[name]["value"] / truth - 1) < 0.02, name
    for name, level in numbers["noise_truth"].items():
        assert numbers["noise"][name] == pytest.approx(level, rel=0.4)
    assert numbers["rmse_unseen_field"] < 0.05
    assert max(numbers["crosscheck"].values()) < 1e-3


@pytest.mark.usefixtures("recordings")
def test_air_track():
    numbers = run("air-track")
    for name in ("mu", "k"):
        assert numbers["difference_in_sd"][name] < 0.1
        assert numbers[name]["sd"] < 0.05 * numbers[name]["value"]
        assert numbers["neural"][name]["sd"] == pytest.approx(numbers[name]["sd"], rel=0.3)
    assert numbers["noise"] > 0
    assert numbers["residual_correlation"] == pytest.approx(np.clip(numbers["residual_correlation"], -1, 1))
    assert numbers["sd_factor"] >= 1
    assert "Schmidt" in numbers["source"]


@pytest.mark.usefixtures("recordings")
def test_pendulum():
    numbers = run("pendulum")
    assert numbers["supported"] == "sine"
    assert numbers["delta_bic"] > 1000
    assert numbers["delta_bic"] == pytest.approx(numbers["linear"]["bic"] - numbers["sine"]["bic"])
    assert numbers["sine"]["noise"] < 0.5 * numbers["linear"]["noise"]
    assert numbers["sine"]["k"]["sd"] < 0.01 * numbers["sine"]["k"]["value"]


def test_diffusivity():
    numbers = run("diffusivity")
    assert numbers["rms_relative_error"] < 0.15
    assert numbers["share_inside_two_sd"] > 0.8
    assert 0.001 < numbers["median_relative_sd"] < 0.1
    assert 0.7 < numbers["chi2_per_dof"] < 1.3
    assert numbers["p_value"] > 1e-4
    places, found = np.array(numbers["D"]["x"]), np.array(numbers["D"]["value"])
    # The poorly conducting stretch is seen where it is.
    assert abs(places[np.argmin(found)] - 0.65) < 0.08
    assert found.min() == pytest.approx(diffusivity.truth(np.array(0.65)), rel=0.15)


def test_inductive_bias(tmp_path):
    numbers = run("inductive-bias", "--out", str(tmp_path))
    assert in_sd(numbers["k"], inductive_bias.TRUTH["k"]) < 4
    assert 0 < numbers["k"]["sd"] < 0.05
    assert numbers["neural"]["difference_in_sd"] < 0.1
    assert numbers["neural"]["outside"] < 0.005
    # Two unknowns from 8 points of noise 0.01: errors of about a quarter of the noise inside, less where u has decayed.
    assert numbers["inside_lawful"] < 0.008
    assert numbers["outside_lawful"] < 0.004
    # A fair opponent: it fits the points about as well as they are, and its best ridge would do better beyond them.
    assert numbers["inside_plain"] < 0.012
    assert 0.02 < numbers["outside_plain"] < 0.6
    assert numbers["outside_best_plain"] <= numbers["outside_plain"]
    assert numbers["outside_ratio"] == pytest.approx(numbers["outside_plain"] / numbers["outside_lawful"])
    assert numbers["outside_ratio"] > 40
    low, high = numbers["spread"]["outside_plain"]
    assert low <= numbers["outside_plain"] <= high
    assert [(row["count"], row["noise"]) for row in numbers["grid"]] == [(8, 0.01)]
    assert (tmp_path / "errors.png").stat().st_size > 10_000


@pytest.mark.parametrize(("setting", "words"), [("count=3", "whole number from 4 to 256"), ("noise=-1", "above 0")])
def test_inductive_bias_refuses(setting, words):
    found = CliRunner().invoke(app, ["run", "inductive-bias", "--set", setting], catch_exceptions=False)
    assert found.exit_code == 2
    assert words in found.stderr


@pytest.mark.parametrize("study", ["air-track", "pendulum"])
def test_without_recordings(study, monkeypatch, tmp_path):
    monkeypatch.setenv("LAWFUL_DATA", str(tmp_path))
    found = CliRunner().invoke(app, ["run", study], catch_exceptions=False)
    assert found.exit_code == 2
    assert found.stdout == ""
    assert found.stderr.count("\n") == 1
    for words in ("was not found", "--set data=FILE.csv", "LAWFUL_DATA", "schmidt_lipson/"):
        assert words in found.stderr


# What the studies are measured against


def test_the_oscillators_truth_obeys_its_law():
    t, step = np.linspace(0.1, 8.9, 50), 1e-4
    rate = (oscillator.exact(t + step) - oscillator.exact(t - step)) / (2 * step)
    second = (oscillator.exact(t + step) - 2 * oscillator.exact(t) + oscillator.exact(t - step)) / step**2
    miss = oscillator.spring(oscillator.exact(t), rate, second, **oscillator.TRUTH)
    assert np.max(np.abs(miss)) < 1e-5
    assert oscillator.exact(np.zeros(1)) == pytest.approx(1)


def test_the_bars_reference_is_as_accurate_as_it_says():
    """Without the dip the modes decay alone, in closed form; with it the reference is held against half the cells."""
    x, t = np.array([0.1, 0.37, 0.64, 0.9]), np.array([0.02, 0.1, 0.1, 0.4])
    fine, coarse = diffusivity.reference(x, t), diffusivity.reference(x, t, cells=200)
    assert np.max(np.abs(fine - coarse)) < 6e-5  # four times the error of the finer, at second order
    before = diffusivity.truth
    diffusivity.truth = lambda x: 0.2 + 0 * x
    try:
        found = diffusivity.reference(x, t)
    finally:
        diffusivity.truth = before
    decay = [np.exp(-0.2 * (n * np.pi) ** 2 * t) for n in (1, 3)]
    exact = np.sin(np.pi * x) * decay[0] + 0.5 * np.sin(3 * np.pi * x) * decay[1]
    assert np.max(np.abs(found - exact)) < 2e-5


@in_float64
def test_the_points_left_out_are_left_out():
    """For a network as linear as it gets, under a strong ridge, the closed form is what fits without a point miss."""
    columns, ridge = inductive_bias.measurements(0, 0.01, 6), jnp.asarray(0.3)
    like = inductive_bias.NETWORK.init(jax.random.PRNGKey(0), ("t",), (), 1)
    tight = LevenbergMarquardt(max_steps=500)
    t, u = jnp.asarray(columns["t"]), jnp.asarray(columns["u"] - np.mean(columns["u"]))

    def fitted(kept):
        task = inductive_bias.Regression(t[kept], u[kept], ridge, like)
        return task, minimise(task, ravel_pytree(like)[0], tight).x

    whole, x = fitted(np.arange(6))
    misses = []
    for index in range(6):
        task, without = fitted(np.delete(np.arange(6), index))
        misses.append(float(task.predict(without, t[index : index + 1])[0] - u[index]))
    found, refitted = float(inductive_bias.left_out(whole, x)), np.mean(np.square(misses))
    assert found == pytest.approx(refitted, rel=0.3)
    assert found > 2 * float(jnp.mean((whole.predict(x, t) - u) ** 2))


def test_a_plain_network_interpolates_many_clean_points_well():
    """A fair opponent: fits in single precision, which stop early, are three times worse."""
    columns = inductive_bias.measurements(0, 1e-3, 64)
    values = min(inductive_bias.plain(columns, 0), key=lambda candidate: candidate[0])[1]
    inside, beyond = inductive_bias.errors(values)
    assert inside < 6e-4
    assert beyond > 0.02


def test_the_seed_draws_the_noise():
    one, other = (oscillator.measurements(seed, 0.02)["x"] for seed in (0, 1))
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(one, oscillator.measurements(0, 0.02)["x"])
    spread = [
        np.std(oscillator.measurements(s, 0.02)["x"] - oscillator.exact(oscillator.measurements(s, 0.02)["t"]))
        for s in range(50)
    ]
    assert np.mean(spread) == pytest.approx(0.02, rel=0.1)


def test_pipe():
    numbers = run("pipe")
    assert numbers["poiseuille_error"] < 1e-12
    assert numbers["poiseuille_slip"] < 1e-13
    assert numbers["womersley_rel_l2"] < 1e-6
    assert numbers["womersley_slip"] < 1e-13
    assert max(numbers["error_in_sd"].values()) < 3
    assert 0.005 < numbers["n"]["sd"] < 0.02


def test_allen_cahn():
    numbers = run("allen-cahn")
    assert numbers["reference_doubt"] < 1e-8
    assert numbers["rel_l2"] < 1e-6  # below the best published for a network


def test_kdv():
    numbers = run("kdv")
    assert numbers["rel_l2"] < 1e-6
    assert max(numbers[f"{name}_change"] for name in ("mass", "momentum", "energy")) < 1e-8


def test_kuramoto_sivashinsky():
    numbers = run("kuramoto-sivashinsky", "--set", "span=0.1")
    assert numbers["rel_l2"] < 1e-6


def test_burgers():
    numbers = run("burgers")
    assert numbers["rel_l2"] < 1e-4
    assert numbers["max_residual"] < 0.05
    assert numbers["collocation_rel_l2"] < 1e-6
    # The naive network must be caught cheating, and where.
    assert numbers["naive_status"].startswith("not converged")
    assert numbers["naive_rel_l2"] > 1e-2
    assert numbers["naive_max_residual"] > 10 * numbers["naive_rms_residual"]


def test_burgers_inverse():
    numbers = run("burgers-inverse")
    assert numbers["clean_error_percent"] < 1e-5
    assert numbers["worst_error_in_sd"] < 4
    [noisy] = [row for row in numbers["table"] if row["noise_percent"] == 1]
    assert 0.2 < 100 * noisy["l2"]["sd"] / noisy["l2"]["value"] < 2
