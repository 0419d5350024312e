"""The study of a real ice shelf."""

import numpy as np
import pytest
from scipy.io import savemat
from typer.testing import CliRunner

from lawful.cli import app
from lawful.geometry import Box
from lawful.studies import amery
from study_runs import converged


@pytest.mark.slow
def test_amery(data_root, monkeypatch, tmp_path):
    monkeypatch.setenv("LAWFUL_DATA", str(data_root))
    numbers = converged("amery", "--out", str(tmp_path))
    # Ice at -20 to -5 degrees that creeps by 1e-3 to 1e-2 a year: 1e13 to 1e15 Pa s.
    assert 1e13 < numbers["viscosity_Pa_s"]["least"] < numbers["viscosity_Pa_s"]["most"] < 2e15
    assert numbers["relative_sd"]["median"] < 0.5
    assert numbers["exponent_of_strain"] < -0.3
    # What was not fitted is met as well as what was: nothing was fitted to noise.
    for name, missed in numbers["rms_miss_elsewhere"].items():
        assert missed < 1.3 * next(level for label, level in numbers["noise"].items() if label == name)
    assert (tmp_path / "viscosity.png").stat().st_size > 10_000


def test_a_shelf_that_spreads_freely_is_balanced():
    """Without walls the pull is half the weight's: 4 mu h u_x = G h^2 / 2. Source: Weertman, J. Glaciol. 3 (1957)."""
    h, h_x, mu = 0.7, -0.002, 9.0
    u_x = amery.DRIVE * h / (8 * mu)
    pull = lambda h: amery.FORCES["sxx"](mu, h, amery.DRIVE * h / (8 * mu), 0.0)
    assert amery.FORCES["sxx"](mu, h, u_x, 0.0) == pytest.approx(amery.DRIVE * h**2 / 2)
    slope = (pull(h + 1e-5) - pull(h - 1e-5)) / 2e-5 * h_x
    assert amery.along(slope, 0.0, h, h_x) == pytest.approx(0.0, abs=1e-9)
    assert amery.across(slope, 0.0, h, h_x) == pytest.approx(0.0, abs=1e-9)


def test_measurements_are_thinned_to_a_lattice():
    x, y = np.meshgrid(np.arange(0, 60, 0.5), np.arange(0, 30, 0.5))
    table = {"x": x.ravel(), "y": y.ravel(), "h": (x + y).ravel()}
    found = amery.thinned(table, Box(x=(10, 40), y=(5, 25)), 5.0)
    assert len(found["x"]) == 6 * 4 + 4 + 6 + 1  # places on the upper ends have cells of their own
    np.testing.assert_allclose(found["h"], found["x"] + found["y"])


def complete(path, **instead):
    """A file of the right form, of a shelf 10 km long."""
    x, y = np.meshgrid(np.arange(4645e3, 4655e3, 500), np.arange(2845e3, 2855e3, 500))
    table = {name: x if name.startswith("x") else y for name in amery.COLUMNS} | instead
    savemat(path, table)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "were not found"),
        (lambda path: path.write_text("x, y, u"), "is no MATLAB file"),
        (lambda path: savemat(path, {"xd": np.zeros((2, 2))}), "holds no 'yd'"),
        (complete, "does not lie on the shelf"),
    ],
    ids=["absent", "text", "another file", "small shelf"],
)
def test_bad_files_are_refused(make, words, tmp_path):
    make(tmp_path / "shelf.mat")
    found = CliRunner().invoke(app, ["run", "amery", "--set", f"data={tmp_path / 'shelf.mat'}"], catch_exceptions=False)
    assert found.exit_code == 2
    assert words in " ".join(found.stderr.split())
