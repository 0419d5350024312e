"""Plane grids shared by devices: exact against one device, and right against a closed form."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful._core.precision import float64
from lawful.simulate import Around, Held, Mirrored, march_cells


def heat(u):
    """u_t = u_xx + u_yy by explicit steps of 0.2 h^2."""
    around = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2]
    return u[1:-1, 1:-1] + 0.2 * (around - 4 * u[1:-1, 1:-1])


def test_four_devices_give_what_one_gives_to_the_last_bit():
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=4"
    script = Path(__file__).with_name("cells_runs.py")
    done = subprocess.run(
        [sys.executable, script], env={**os.environ, "XLA_FLAGS": flags}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found.pop("devices") == 4
    sizes = {name: found.pop(name) for name in list(found) if name.endswith("size")}
    assert all(size > 0.1 for size in sizes.values())
    assert found == dict.fromkeys(("around, row", "around, square", "mixed, row", "mixed, square"), 0.0)


def test_a_wave_of_heat_decays_as_the_scheme_says():
    n = 16
    wave = np.cos(2 * np.pi * np.arange(n) / n)[:, None] * np.ones((1, 6))
    factor = 1 - 0.4 * (1 - np.cos(2 * np.pi / n))
    with float64():
        found = np.asarray(march_cells(heat, wave, 40))
    np.testing.assert_allclose(found, factor**40 * wave, atol=1e-14)


def test_mirrored_edges_keep_all_heat_and_held_ones_let_it_go():
    u = np.random.default_rng(1).uniform(size=(6, 7))
    with float64():
        kept = march_cells(heat, u, 300, edges=(Mirrored(), Mirrored()))
        gone = march_cells(heat, u, 300, edges=(Held(2.0), Held(2.0)))
    np.testing.assert_allclose(kept, np.mean(u), rtol=1e-3)
    np.testing.assert_allclose(gone, 2.0, rtol=1e-3)
    assert abs(np.sum(np.asarray(kept)) - u.sum()) < 1e-12


def test_derivatives_go_through():
    u = np.random.default_rng(2).uniform(size=(4, 4))

    def last(scale):
        return jnp.sum(march_cells(heat, scale * u, 3, edges=(Around(), Held(0.0))) ** 2)

    with float64():
        slope = float(jax.grad(last)(1.5))
        assert slope == pytest.approx(2 * float(last(1.5)) / 1.5, rel=1e-12)  # it is linear in u


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"steps": -1}, "steps=-1"),
        ({"reach": 0}, "reach=0"),
        ({"edges": (Around(), 3)}, "two of Around"),
        ({"reach": 5}, "smaller than the rim of 5"),
        ({"step": lambda u: u}, "without the rim"),
    ],
)
def test_bad_input_is_refused(given, message):
    arguments = {"step": heat, "start": np.zeros((4, 4)), "steps": 1, **given}
    with pytest.raises(lf.BadInput, match=message):
        march_cells(arguments.pop("step"), arguments.pop("start"), arguments.pop("steps"), **arguments)
