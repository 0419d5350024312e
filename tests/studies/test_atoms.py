"""The studies on atoms, by the command line at their quickest."""

import pytest
from typer.testing import CliRunner

from lawful.cli import app
from study_runs import numbers_of as run


def test_ions(data_root, monkeypatch):
    monkeypatch.setenv("LAWFUL_DATA", str(data_root))
    numbers = run("ions")
    for row in numbers["madelung"].values():
        assert row["ewald"] == pytest.approx(row["published"], rel=1e-9)
        assert row["mesh"] == pytest.approx(row["published"], rel=1e-4)
    assert len(numbers["frames"]) == 3
    for frame in numbers["frames"]:  # as accurate as the other program was
        assert abs(frame["energy"]) < 2e-5
        assert frame["forces"] < 3e-4
        assert frame["stress"] < 3e-4
    errors = [row["forces"] for row in numbers["meshes"]]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-6


def test_ions_without_the_published_frames(monkeypatch, tmp_path):
    monkeypatch.setenv("LAWFUL_DATA", str(tmp_path))
    assert run("ions")["frames"] is None


def test_ethanol(data_root, monkeypatch):
    monkeypatch.setenv("LAWFUL_DATA", str(data_root))
    numbers = run("ethanol")
    assert numbers["energy_mae"] < 1e-3
    assert numbers["forces_mae"] < 5e-3
    assert numbers["forces_mae"] < min(row["forces_mae"] for row in numbers["alone"])
    assert 0.85 < numbers["covered"]["forces"] < 0.99
    assert max(numbers["symmetry_float64"].values()) < 1e-12
    assert max(numbers["symmetry_float32"].values()) < 1e-5


def test_dimer(data_root, monkeypatch):
    monkeypatch.setenv("LAWFUL_DATA", str(data_root))
    numbers = run("dimer")
    assert numbers["mae_near"] < 0.25
    assert numbers["mae_far"] < 0.05  # kcal/mol
    assert numbers["mae_far_network_only"] > 10 * numbers["mae_far"]
    laws = {name: row["law"] for name, row in numbers["tail_exponent"].items()}
    assert sorted(laws.values()) == [1, 2, 3, 6]
    assert numbers["tail_error"] < 1e-8
    single = {row["law"]: row["float32"] for row in numbers["tail_exponent"].values()}
    assert single[1] < 1e-4  # charges that nearly cancel, as in two waters, cost digits
    assert single[6] < 1e-4
    assert abs(numbers["separation_energy"]) < 1e-9
    assert numbers["separation_energy_with_dipoles"] < 3e-8  # waters at 1000 A do attract


def test_water_box(tmp_path):
    numbers = run("water-box", "--set", "ps=0.2", "--set", "warm=0.1", "--set", f"keep={tmp_path}")
    assert numbers["forces_error"] < 1e-6
    assert numbers["stress_error"] < 1e-7
    assert abs(numbers["drift"]["value"]) < 0.01 + 3 * numbers["drift"]["sd"]
    assert numbers["energy_sd"] < 0.1
    assert numbers["dipole_debye"] == pytest.approx(2.19, abs=0.005)  # published for the molecule alone
    assert 2.6 < numbers["first_peak"]["distance"] < 3.0
    assert len(numbers["wave_numbers"]) == 3
    for wrong, words in (("step=5", "2 fs"), ("start=ice", "lattice and published"), ("ps=-1", "above 0")):
        found = CliRunner().invoke(app, ["run", "water-box", "--set", wrong], catch_exceptions=False)
        assert found.exit_code == 2
        assert words in found.stderr
