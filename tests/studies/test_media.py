"""The studies on hidden layers at their quickest, by the command line."""

import numpy as np
from typer.testing import CliRunner

from lawful.cli import app
from lawful.studies._specimen import TRUTH
from study_runs import converged as run


def test_layers(tmp_path):
    numbers = run("layers", "--out", str(tmp_path))
    assert numbers["snr"] == 40
    assert 0.9 < numbers["misfit"] < 1.1
    assert numbers["undetermined"] == []
    for name in ("thickness", "modulus"):
        found = [layer[name] for layer in numbers["layers"]]
        for one, truth, bound in zip(found, TRUTH[name], numbers["bounds"][name], strict=True):
            assert abs(one["value"] - truth) < 4 * one["sd"]
            assert abs(one["value"] / truth - 1) < 0.01
            assert 0.9 * bound < one["sd"] < 1.1 * bound  # the weak priors on losses take little of it
    free = numbers["unknown_density"]
    assert sorted(free["undetermined"]) == [f"thickness[{i}] * modulus[{i}] / density[{i}]" for i in range(3)]
    assert max(free["errors_percent"]["impedance"] + free["errors_percent"]["travel_time"]) < 0.5
    assert all(layer["modulus"]["sd"] is None or np.isinf(layer["modulus"]["sd"]) for layer in free["layers"])
    assert numbers["both_ends_free"]["answers"] == 2
    (row,) = numbers["coverage"]
    assert row["search_success"] == 1
    assert max(row["median_error_percent"].values()) < 0.5
    files = {path.name for path in tmp_path.iterdir()}
    assert files >= {"study.json", "report.html", "strips.png", "record.png", "landscape.png"}


def test_layers_blind(tmp_path):
    numbers = run("layers-blind", "--out", str(tmp_path))
    assert numbers["chosen"] == numbers["true"] == 2
    assert numbers["probability"]["2"] > 0.95
    assert abs(sum(numbers["probability"].values()) - 1) < 1e-9
    for name in ("impedance", "travel_time"):
        for one, truth in zip(numbers["layers"], numbers["truth"][name], strict=True):
            assert abs(one[name]["value"] - truth) < 4 * one[name]["sd"] < 0.02 * truth
    # A contrast far above its error bar counts as two layers, one below it does not.
    clear, hidden = numbers["contrasts"]
    assert clear["in_sd"] > 10
    assert clear["probability_of_three"] > 0.99
    assert hidden["in_sd"] < 3
    assert hidden["probability_of_three"] < 0.5
    assert {path.name for path in tmp_path.iterdir()} >= {"study.json", "report.html", "layers.png", "evidence.png"}


def test_layers_blind_refuses_more_layers_than_it_tries():
    found = CliRunner().invoke(app, ["run", "layers-blind", "--effort", "quick", "--set", "layers=9"])
    assert found.exit_code == 2
    assert "'layers' must be a whole number from 2 to 6" in found.stderr
    assert found.stderr.count("\n") == 1


def test_layers_neural(tmp_path):
    numbers = run("layers-neural", "--out", str(tmp_path))
    for found, truth in zip(numbers["layers"], numbers["truth"], strict=True):
        for name in ("thickness", "modulus"):
            assert abs(found[name]["value"] - truth[name]) < 4 * found[name]["sd"] < 0.08 * truth[name]
        assert found["density"] == {"value": truth["density"], "sd": 0.0}
    # The trial field knows what exact waves know: the same answer with the same error bars.
    assert numbers["error_ratio"] < 2
    assert numbers["apart_in_sd"] < 0.2
    low, high = numbers["sd_ratio"]
    assert 0.95 < low <= high < 1.15
    assert 0.8 < numbers["misfit"]["neural"] < 1.2
    assert numbers["unseen_face_error"] < 0.01
    assert {path.name for path in tmp_path.iterdir()} >= {"study.json", "report.html", "waves.png", "estimates.png"}


def test_layers_neural_refuses_a_tap_that_its_trial_field_could_not_hold():
    found = CliRunner().invoke(app, ["run", "layers-neural", "--effort", "quick", "--set", "bell=2"])
    assert found.exit_code == 2
    assert "--set bell=2: the record holds taps from 5 to 15 microseconds" in found.stderr
    assert found.stderr.count("\n") == 1


def test_well(data_root, monkeypatch, tmp_path):
    monkeypatch.setenv("LAWFUL_DATA", str(data_root))
    numbers = run("well", "--out", str(tmp_path))
    assert "L-30" in numbers["source"]
    # The echoes add to the trend what the wavelet can see.
    band = numbers["in_band"]
    assert band["correlation"] > 0.85
    assert band["rms_error_percent"]["found"] < 0.6 * band["rms_error_percent"]["trend"]
    assert numbers["rms_error_percent"]["found"] < 0.85 * numbers["rms_error_percent"]["trend"]
    assert numbers["inside_two_sd"] > 0.9
    assert 0.8 < numbers["noise_found"] / numbers["noise_added"] < 1.5
    assert (tmp_path / "impedance.png").stat().st_size > 10_000


def test_inclusion(tmp_path):
    numbers = run("inclusion", "--out", str(tmp_path))
    error = numbers["rms_error_percent"]
    assert error["found"] < 0.4 * error["start"]
    assert numbers["correlation"] > 0.9
    assert numbers["misfit"] < 1.05
    soft = numbers["soft_disc"]
    assert abs(soft["found"]["value"] / soft["true"] - 1) < 0.02  # the error of the grid
    assert 0 < soft["found"]["sd"] < 0.01 * soft["true"]
    assert numbers["soft_centre_off_by"] < 0.03
    # The band holds what it says, and is narrower than what was thought before.
    assert 0.9 < numbers["inside_two_sd"] <= 1
    assert numbers["details_sd_percent"] < numbers["median_sd_percent"] < 0.7 * numbers["prior_sd_percent"]
    assert 0 < numbers["resolved"] < numbers["unknowns"]
    files = {path.name for path in tmp_path.iterdir()}
    assert files >= {"study.json", "report.html", "inclusion.png", "descent.png"}


def test_inclusion_refuses_a_lump_so_soft_that_its_waves_are_too_short_for_the_grid():
    found = CliRunner().invoke(app, ["run", "inclusion", "--effort", "quick", "--set", "soft=0.05"])
    assert found.exit_code == 2
    assert "the shortest wave" in found.stderr
    assert found.stderr.count("\n") == 1
