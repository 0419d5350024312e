"""Studies of motions, at their quickest, by the command line."""

import numpy as np
import pytest

from study_runs import numbers_of

pytestmark = pytest.mark.slow


def filmed(study, out, *settings, word="certified"):
    numbers = numbers_of(study, "--out", str(out), *settings)
    assert numbers["status"].startswith(word)
    for film in out.glob("*.gif"):
        assert film.read_bytes()[:3] == b"GIF"
    assert list(out.glob("*.gif"))
    return numbers


def test_bounce(tmp_path):
    found = filmed("bounce", tmp_path)
    assert found["bounces"] == 6
    assert found["certified"]
    assert found["height"] == pytest.approx(0.06870746096577, abs=1e-13)
    assert found["gradient"] == pytest.approx(0.0917386610428, abs=1e-12)
    for one in found["gradients"].values():
        assert one["relative_error"] < 1e-10


def test_kepler(tmp_path):
    found = filmed("kepler", tmp_path, "--set", "orbits=1000")
    assert found["certified"]
    assert found["certified_run"]["energy_drift"] < 1e-12
    assert found["fast_run"]["orbits"] == 1000
    assert found["fast_run"]["energy_drift"] < 1e-12
    assert found["fast_run"]["position_error"] < 1e-8
    assert found["yoshida_6_run"]["energy_drift"] < 1e-7


def test_tunnel(tmp_path):
    found = filmed("tunnel", tmp_path)
    np.testing.assert_allclose(found["dip"]["crossings"], found["dip"]["exact"], atol=1e-10)
    assert found["bullets_through_the_wall"] == 0
    assert found["box"]["lowest_corner"] > -1e-9
    assert found["box"]["energy_drift"] < 1e-12
    assert found["random"]["missed"] == found["random"]["invented"] == 0
    for other in found["others_missed"].values():
        assert other["missed"] > 0.5 * other["of"]


def test_billiards(tmp_path):
    found = filmed("billiards", tmp_path)
    assert found["miss_in_m"] < 1e-9
    assert found["impacts"].index("balls") == 3
    for name, truth in found["truth"].items():
        assert abs(found[name]["value"] - truth) < 4 * found[name]["sd"]
        assert found[name]["sd"] < 0.01 * truth


def test_pendulum_chain(tmp_path):
    found = filmed("pendulum-chain", tmp_path, word="trusted")
    assert found["energy_drift"] < 1e-11
    assert found["certified"] is True
    assert found["growth_rate"] > 0.1
