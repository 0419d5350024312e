"""The studies on heat radiation, by the command line at their quickest."""

import pytest
from typer.testing import CliRunner

from lawful.cli import app
from study_runs import in_sd
from study_runs import numbers_of as run


@pytest.fixture(autouse=True)
def _data(data_root, monkeypatch):
    monkeypatch.setenv("LAWFUL_DATA", str(data_root))


def test_aluminium(tmp_path):
    metal = run("aluminium", "--out", str(tmp_path))
    assert metal["determined"] is True
    assert abs(metal["temperature"]["value"] - 600) < 10
    assert metal["range"][0] < 600 < metal["range"][1]
    assert metal["temperature"]["sd"] > 10  # an honest one: one spectrum knows no better
    assert "thermocouple" in (tmp_path / "report.html").read_text()
    measured = run("aluminium", "--set", "emissivity=measured")
    assert abs(measured["temperature"]["value"] - 600) < 1
    free = run("aluminium", "--set", "emissivity=free", code=1)
    assert free["determined"] is False
    assert free["range"] == pytest.approx([644, 844], abs=2)  # an independent fit of the same polynomials


def test_aluminium_refuses_another_word():
    found = CliRunner().invoke(app, ["run", "aluminium", "--set", "emissivity=guess"])
    assert found.exit_code == 2
    assert "metal, measured" in found.stderr


def test_tantalum():
    numbers = run("tantalum")
    assert abs(numbers["temperature"]["value"] - 573) < 7
    assert numbers["degree"] in (1, 2)
    assert numbers["range"][0] < 573 < numbers["range"][1]
    assert abs(numbers["with_measured_shape"]["value"] - 568.0) < 1.5  # an independent fit says 568.0


def test_cosmos():
    numbers = run("cosmos")
    assert abs(numbers["temperature"]["value"] - 2.725) < 5e-5
    assert 5e-6 < numbers["temperature"]["sd"] < 2e-5
    assert numbers["bounds"]["mu"] == pytest.approx(9e-5, rel=0.2)  # published, systematic errors included
    assert in_sd(numbers["mu"], -1e-5) < 1
    assert in_sd(numbers["y"], -1e-6) < 1
    assert 2e-6 < numbers["y"]["sd"] < 6e-6
    assert numbers["chi2"] < 70


def test_sun():
    numbers = run("sun")
    assert numbers["temperature"]["total"] == pytest.approx(5772, rel=0.01)
    names = {row["name"] for row in numbers["bands"]}
    assert {"O2 0.76 (A)", "H2O 0.94", "H2O 1.13", "H2O 1.38", "CO2 2.0"} <= names
    assert "unknown" not in names


def test_shared_emissivity():
    numbers = run("shared-emissivity", "--set", "runs=2")
    for name, truth in numbers["truth"].items():
        assert in_sd(numbers[name], truth) < 3.5
        assert numbers[name]["value"] == pytest.approx(truth, rel=0.005)
        assert numbers[name]["sd"] < 0.003 * truth


def test_shared_emissivity_as_a_network():
    numbers = run("shared-emissivity", "--set", "runs=1", "--set", "emissivity=network")
    smooth = run("shared-emissivity", "--set", "runs=1")
    for name, truth in numbers["truth"].items():
        assert numbers[name]["value"] == pytest.approx(truth, rel=0.005)
        assert abs(numbers[name]["value"] - smooth[name]["value"]) < 0.5 * smooth[name]["sd"]
        assert numbers[name]["sd"] == pytest.approx(smooth[name]["sd"], rel=0.2)


def test_planck_layer():
    [row] = run("planck-layer")["rows"]
    assert row["fixed_inside"]["radiance"] < 0.005
    assert row["fixed_beyond"]["radiance"] < 0.005
    assert row["fixed_beyond"]["temperature"] < 0.5
    assert row["plain_inside"]["radiance"] > 1.5 * row["fixed_inside"]["radiance"]
    assert row["plain_beyond"]["radiance"] > 30 * row["fixed_beyond"]["radiance"]


def test_cooling_plate():
    numbers = run("cooling-plate")
    for name, truth in numbers["truth"].items():
        assert in_sd(numbers["plate"][name], truth) < 3.5
    assert numbers["plate"]["eps_short"]["sd"] < 0.01
    assert numbers["chi2"]["two bands"] < 200
    assert numbers["chi2"]["grey"] > 600
