"""A solution shows where it cheats."""

import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful.problem import Model
from lawful.solve._audit import Audit, audits
from lawful.solve._scaling import Sizes

DOMAIN = lf.Box(x=(-1, 1), t=(0, 1))
PLACE = {"x": 0.3171, "t": 0.7713}
WIDTH = 0.02


def still(u_t):
    return u_t


def needle(**point):
    """A field whose rate is small everywhere but at one place far smaller than any grid."""
    far = ((point["x"] - PLACE["x"]) ** 2 + (point["t"] - PLACE["t"]) ** 2) / WIDTH**2
    return {"u": 1e-4 * jnp.sin(point["t"]) + 0.1 * WIDTH * jnp.exp(-far)}


def model(fields):
    problem = lf.Problem(DOMAIN, "u", {"still": still}, [lf.Value(DOMAIN.at(t=0), u=0.0)])
    return Model(problem, fields, {})


SIZES = Sizes({"u": np.asarray(1.0)}, {"x": np.asarray(2.0), "t": np.asarray(1.0)}, {"still": np.asarray(1.0)})


def test_finds_a_needle():
    [found] = audits(model(needle), SIZES, 4096)
    # Of 4096 points hardly one lies on its flank: the search around the worst ones finds the peak all the same.
    assert found.worst == pytest.approx(0.1 * np.sqrt(2 / np.e), rel=0.02)
    for axis, value in PLACE.items():
        assert found.place[axis] == pytest.approx(value, abs=2 * WIDTH)
    assert found.cheats
    assert "x = 0.31" in str(found)


def test_an_even_residual_is_no_cheat():
    [found] = audits(model(lambda **p: {"u": 0.3 * jnp.sin(3 * p["t"]) * jnp.cos(p["x"])}), SIZES, 4096)
    assert found.worst > 0.5
    assert not found.cheats


def test_not_finite_is_the_worst():
    [found] = audits(model(lambda **p: {"u": jnp.where(p["x"] > 0.9, jnp.nan, 1.0) * p["t"]}), SIZES, 1024)
    assert found.worst == np.inf
    assert found.place["x"] > 0.9


@pytest.mark.parametrize(
    ("rms", "worst", "cheats"), [(1e-5, 5e-2, False), (1e-5, 0.06, True), (0.02, 0.1, False), (1e-3, np.nan, True)]
)
def test_what_counts_as_cheating(rms, worst, cheats):
    assert Audit("law", rms, worst, {"x": 0.0}).cheats == cheats
