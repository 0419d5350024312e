"""Points shared by several devices: the same numbers on 1, 2 and 4."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

import lawful as lf

SCRIPT = Path(__file__).with_name("mesh_runs.py")


@pytest.fixture(scope="module")
def runs():
    """One process with four devices on this CPU."""
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=4"
    done = subprocess.run(
        [sys.executable, SCRIPT], env={**os.environ, "XLA_FLAGS": flags}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("devices", ["2", "4"])
def test_rows_sums_and_steps_do_not_depend_on_the_devices(runs, devices):
    one = runs["1"]["pieces"]
    assert len(one) == 12
    for name, value in runs[devices]["pieces"].items():
        expected = np.asarray(one[name])
        assert np.shape(value) == expected.shape, name
        np.testing.assert_allclose(value, expected, rtol=0, atol=1e-10 * np.max(np.abs(expected)), err_msg=name)


@pytest.mark.parametrize("devices", ["2", "4"])
def test_the_answer_does_not_depend_on_the_devices(runs, devices):
    alone, shared = runs["alone"], runs[devices]["solved"]
    assert alone["converged"]
    assert shared["converged"]
    np.testing.assert_allclose(shared["numbers"], alone["numbers"], rtol=1e-10)


def small_problem():
    domain = lf.Box(t=(0, 1))
    return lf.Problem(
        domain=domain,
        fields="u",
        laws={"decay": lambda u, u_t: u_t + u},
        conditions=[lf.Value(domain.at(t=0), u=1.0)],
    )


def test_what_is_no_mesh_is_refused():
    with pytest.raises(lf.BadInput, match=r"mesh=4: give a jax.sharding.Mesh or devices"):
        lf.solve(small_problem(), lf.Neural(), mesh=4)


def test_a_method_without_points_is_refused():
    with pytest.raises(lf.BadInput, match=r"mesh=... shares the points of Neural"):
        lf.solve(small_problem(), lf.Collocation(), mesh=jax.devices())
