"""Studies by the command line at their quickest, as the tests run them."""

import json

from typer.testing import CliRunner

from lawful.cli import app


def numbers_of(study, *options, code=0):
    """What --json prints."""
    found = CliRunner().invoke(app, ["run", study, "--effort", "quick", "--json", *options], catch_exceptions=False)
    assert found.exit_code == code, found.stderr
    return json.loads(found.stdout)


def converged(study, *options):
    """The same of a study whose status must be converged."""
    numbers = numbers_of(study, *options)
    assert numbers["status"].startswith("converged")
    return numbers


def in_sd(found, truth):
    """How many standard deviations an estimate is off."""
    return abs(found["value"] - truth) / found["sd"]
