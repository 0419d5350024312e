"""All 27 NIST StRD nonlinear regression problems, from both certified starts, with one set of settings: the defaults.

Oracle: certified parameters and standard deviations, computed by NIST in quadruple precision to 11 digits.
"""

import functools
import subprocess
from typing import NamedTuple

import jax
import numpy as np
import pytest
from nist_models import MODELS, digits, regression

from lawful.solve._covariance import covariance
from lawful.solve._least_squares import LevenbergMarquardt, minimise
from nist_data import ABSENT, NistProblem, fetch, load_problems

FAR, NEAR = 0, 1


class Outcome(NamedTuple):
    parameters: float  # correct digits of the worst parameter
    sds: float  # and of the worst standard deviation
    steps: int
    status: int
    reason: str
    relative_size: float  # |y| / |r| at the solution


@functools.cache
def problems() -> dict[str, NistProblem]:
    try:
        return load_problems(fetch())
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"{ABSENT}; fetching failed: {error}")


@functools.cache
def outcome(name: str, start: int) -> Outcome:
    """Minimise from a certified start and hold the result against the certificate."""
    with jax.enable_x64(True):
        problem = problems()[name]
        system = regression(problem)
        state = minimise(system, problem.starts[start])
        residual, jacobian = (np.asarray(each) for each in system.linearise(state.x))
        m, n = jacobian.shape
        sds = np.sqrt(np.diag(covariance(jacobian).matrix) * (residual @ residual) / (m - n))
        return Outcome(
            digits(np.asarray(state.x), problem.certified),
            digits(sds, problem.sds),
            int(state.steps),
            int(state.status),
            LevenbergMarquardt().reason(state),
            float(np.linalg.norm(system.y) / np.linalg.norm(residual)),
        )


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("start", [FAR, NEAR], ids=["far", "near"])
def test_certified_values_are_reached(name, start):
    found = outcome(name, start)
    assert found.parameters >= 6, found
    # A rounding of the data in double precision changes |r|, and so every sd, by this much. It matters for Lanczos1
    # only, whose residuals are 13 orders of magnitude below its data.
    rounding = np.finfo(float).eps * found.relative_size
    assert found.sds >= min(4.0, -np.log10(rounding)), found
    assert found.status in LevenbergMarquardt.success, found


def test_few_jacobians_are_needed():
    """Without acceleration the 54 starts take about twice as many (1995 when this was written, with it 1005)."""
    steps = {(name, start): outcome(name, start).steps for name in MODELS for start in (FAR, NEAR)}
    assert sum(steps.values()) < 1250, steps


def test_lanczos1_is_at_the_rounding_floor_of_its_data():
    """Its sds have 3 certified digits within reach: in extended precision, the data as rounded to float64 still do not
    reproduce the certified sum of squares to more than 1e-3."""
    problem = problems()["Lanczos1"]
    extended = np.longdouble
    if np.finfo(extended).eps > 1e-18:
        pytest.skip("no extended precision on this machine")
    b, t, y = (np.asarray(each, extended) for each in (problem.certified, problem.x[0], problem.y))
    # One Gauss-Newton step from the 11 certified digits gives the parameters to the precision that the sum needs.
    rates, heights = b[1::2], b[0::2]
    for _ in range(3):
        waves = np.exp(-np.outer(t, rates))
        residual = waves @ heights - y
        jacobian = np.empty((len(t), 6), extended)
        jacobian[:, 0::2], jacobian[:, 1::2] = waves, -t[:, None] * waves * heights
        step = np.linalg.lstsq(jacobian.astype(float), residual.astype(float), rcond=None)[0]
        heights, rates = heights - step[0::2], rates - step[1::2]
    ratio = float(np.sqrt(residual @ residual / extended(problem.ssr)))
    assert 1e-4 < abs(ratio - 1) < 1e-3
