"""The studies on atoms, by the command line at their quickest."""

import pytest

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
