"""Studies of several materials, at their quickest, by the command line."""

import pytest
from typer.testing import CliRunner

from lawful.cli import app
from study_runs import converged


@pytest.mark.slow
def test_heat_two_materials(tmp_path):
    numbers = converged("heat-two-materials", "--out", str(tmp_path))
    assert numbers["largest_error_in_K"] < 1e-4
    assert numbers["rel_l2"] < 1e-7
    # The lesson: without a word about the interface the law holds and the answer is wrong.
    assert numbers["unsaid"]["rms_residual"] < 1e-3
    assert numbers["unsaid"]["largest_error_in_K"] > 100
    for name, k in (("k_brick", 1.0), ("k_wool", 0.05)):
        assert abs(numbers[name]["value"] - k) < 4 * numbers[name]["sd"]
        assert 1e-4 * k < numbers[name]["sd"] < 0.01 * k
        assert numbers[name]["methods_apart_in_sd"] < 1
        assert numbers[name]["neural_sd"] == pytest.approx(numbers[name]["sd"], rel=0.3)
    assert numbers["disk_rel_l2"] < 1e-7
    assert numbers["law_of_tangents"] < 1e-5
    assert (tmp_path / "wall.png").stat().st_size > 10_000
    assert (tmp_path / "refraction.png").stat().st_size > 10_000


@pytest.mark.parametrize("setting", ["ratio=0", "noise=-1", "rati=3"])
def test_bad_settings_are_refused(setting):
    found = CliRunner().invoke(app, ["run", "heat-two-materials", "--set", setting], catch_exceptions=False)
    assert found.exit_code == 2
