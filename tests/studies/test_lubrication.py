"""The studies on thin films, by the command line at their quickest."""

from typer.testing import CliRunner

from lawful.cli import app
from study_runs import numbers_of as run


def test_step():
    numbers = run("step")
    assert abs(numbers["gap"]) < 1e-3
    assert numbers["spread_of_starts"] < 1e-3
    assert numbers["load_simulated"] > 0.15 * (1 - 1e-6)
    assert numbers["friction"] < numbers["best_step"]["friction"]


def test_step_refuses_what_cannot_be():
    for options, words in (
        (["load=0.25"], "carries more than 0.2"),
        (["by=magic"], "must be adjoint and surrogate"),
        (["high=0.5"], "above the thinnest"),
    ):
        found = CliRunner().invoke(app, ["run", "step", "--set", *options])
        assert found.exit_code == 2
        assert words in found.stderr
