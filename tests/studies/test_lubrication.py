"""The studies on thin films, by the command line at their quickest."""

import pytest
from typer.testing import CliRunner

from lawful.cli import app
from study_runs import numbers_of as run


def test_slider():
    numbers = run("slider")
    assert numbers["worst_closed_form"] < 1e-6
    broken, full = numbers["fowell"]["1"], numbers["fowell"]["0.02"]
    assert abs(broken["error"]) < 0.016  # 0.4 % at 3200 cells, of first order, here at 800
    assert abs(full["error"]) < 0.016
    assert broken["order"] > 0.95
    assert full["order"] > 0.95
    assert max(broken["imbalance"], full["imbalance"]) < 1e-11
    assert numbers["woloszynski"][0]["load_without_rim"] == pytest.approx(-229.67, rel=5e-3)


def test_step():
    numbers = run("step")
    assert abs(numbers["gap"]) < 1e-3
    assert numbers["spread_of_starts"] < 1e-3
    assert numbers["load_simulated"] > 0.15 * (1 - 1e-6)
    assert numbers["friction"] < numbers["best_step"]["friction"]


@pytest.mark.slow
def test_step_by_surrogate():
    numbers = run("step", "--set", "by=surrogate")
    assert abs(numbers["gap"]) < 1e-2
    assert numbers["load_simulated"] > 0.15 * (1 - 1e-4)
    assert numbers["failures"] == []
    assert numbers["surrogate"]["friction"]["cosine"] > 0.9
    for winner in numbers["winners"]:
        assert winner["simulated"]["friction"] > numbers["friction"]


@pytest.mark.slow
def test_texture():
    numbers = run("texture", "--set", "cells=12", "--set", "feature=0.125", "--set", "designs=60")
    assert numbers["load"] >= 20 * (1 - 1e-5)
    assert numbers["friction"] < numbers["rivals"]["pocket"]["friction"]
    assert numbers["friction"] < 0.9 * numbers["rivals"]["dimples"]["friction"]
    assert numbers["refined"][1]["friction"] == pytest.approx(numbers["friction"], rel=0.01)
    assert numbers["by_surrogate"]["friction"] == pytest.approx(numbers["adjoint"]["friction"], rel=0.02)
    assert numbers["break_even"]["designs"] > 0
    assert numbers["failures"] == []


def test_texture_refuses_what_cannot_be():
    for options, words in (
        (["load=170"], "carries 165 N"),
        (["cells=15"], "give an even number, such as 16"),
        (["feature=0.01"], "give cells=150 or more"),
    ):
        found = CliRunner().invoke(app, ["run", "texture", "--set", *options])
        assert found.exit_code == 2
        assert words in found.stderr


def test_step_refuses_what_cannot_be():
    for options, words in (
        (["load=0.25"], "carries more than 0.2"),
        (["by=magic"], "must be adjoint and surrogate"),
        (["high=0.5"], "above the thinnest"),
    ):
        found = CliRunner().invoke(app, ["run", "step", "--set", *options])
        assert found.exit_code == 2
        assert words in found.stderr
