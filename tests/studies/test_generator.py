"""Textures on command: the ring's physics, its data, and the study at its quickest."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from typer.testing import CliRunner

from lawful._core.messages import BadInput
from lawful.cli import app
from lawful.design import novelty, pairwise
from lawful.studies import _ring_data as ring_data
from lawful.studies._ring import Ring
from lawful.studies._ring_families import texture
from lawful.studies._ring_generators import Calculator, by_chance, by_crossing, by_retrieval, fitted
from lawful.studies._ring_judge import Judge, Target, feature, solved
from lawful.studies._ring_shipped import SHIPPED, load
from lawful.studies._ring_sweeping import unswept
from lawful.studies._stl import stl
from study_runs import numbers_of


@pytest.fixture(scope="module")
def shipped():
    return load()


def stripes(count):
    x = (np.arange(16) + 0.5) / 16
    return np.repeat((np.sin(2 * np.pi * count * x) > 0).astype(float)[:, None], 16, 1)


def test_a_flat_ring_carries_by_its_summits_alone(float64):
    found = solved(Ring(32), jnp.zeros((16, 16)), jnp.asarray(1e-7))
    assert float(found["touching"]) == pytest.approx(1.0)
    assert float(found["pressure"]) > 1e6
    np.testing.assert_allclose(found["over"], found["pressure"], rtol=1e-9)


def test_a_texture_may_begin_anywhere_around_the_ring(float64):
    c = texture(np.random.default_rng(1))
    one, other = (solved(Ring(32), jnp.asarray(t), jnp.asarray(4e-7)) for t in (c, np.roll(c, 5, 0)))
    for name in ("pressure", "friction", "stress", "peak stress"):
        assert float(one[name]) == pytest.approx(float(other[name]), rel=1e-8)


def test_slopes_at_a_pressure_are_those_of_differences(float64, monkeypatch):
    monkeypatch.setattr("lawful.studies._ring_judge.CLOSE", 1e-10)
    judge = Judge(Ring(32))
    x = np.arange(16) / 16
    y = (np.arange(16) + 0.5) / 16
    c = 0.4 + 0.3 * np.cos(4 * np.pi * (x[:, None] + 1.0 * np.abs(y - 0.5)[None]))
    d, e, p = np.random.default_rng(0).normal(size=c.shape), 1e-6, 1e6
    said, _ = judge.at(c, p)
    up, down = (judge.at(c + s * e * d, p)[0].values for s in (1, -1))
    more, less = (judge.at(c, p * np.exp(s * 1e-5))[0].values for s in (1, -1))
    width = np.log(ring_data.TOLD[1] / ring_data.TOLD[0])
    for name in ("friction", "stress", "gap"):
        by_texture, by_pressure = said.slopes[name][:-1].reshape(c.shape), said.slopes[name][-1] / width
        assert float((up[name] - down[name]) / (2 * e)) == pytest.approx(np.sum(by_texture * d), rel=1e-5)
        assert float((more[name] - less[name]) / 2e-5) == pytest.approx(by_pressure, rel=1e-5)


def test_features_are_measured():
    assert feature(stripes(1)) >= 0.3
    assert 0.15 <= feature(stripes(2)) <= 0.25
    assert feature(stripes(4)) <= 0.13
    assert feature(np.roll(stripes(2), 3, 0)) == feature(stripes(2))


def test_what_a_disc_cannot_sweep_has_the_slopes_of_differences(float64):
    fine, coarse = jnp.asarray(stripes(4)), jnp.asarray(stripes(1))
    size = jnp.asarray(0.2)
    assert float(unswept(coarse, size)) < 0.05  # the corners of four rims alone
    assert float(unswept(fine, size)) > 3 * float(unswept(coarse, size))
    assert float(unswept(jnp.roll(fine, 3, 0), size)) == pytest.approx(float(unswept(fine, size)), abs=1e-12)
    rng = np.random.default_rng(4)
    x, d = jnp.asarray(texture(rng)), jnp.asarray(rng.normal(size=(16, 16)))
    slope = float(jnp.sum(jax.grad(unswept)(x, size) * d))
    by_differences = float(unswept(x + 1e-7 * d, size) - unswept(x - 1e-7 * d, size)) / 2e-7
    assert slope == pytest.approx(by_differences, rel=1e-3, abs=1e-6)


def test_of_known_textures_the_unswept_are_those_that_are_too_fine(shipped):
    known = shipped.library.rows(slice(0, 160))
    sizes = np.random.default_rng(5).choice([0.05, 0.09, 0.13, 0.17], len(known.maps))
    found = np.asarray(jax.vmap(unswept)(jnp.asarray(known.maps), jnp.asarray(sizes, jnp.float32)))
    fine = known.feature < sizes - 1e-6
    assert 20 < fine.sum() < 120
    above = np.mean(found[fine][:, None] > found[~fine][None, :])
    assert above > 0.9  # the strict measure's verdict, all but always


def test_data_goes_on_where_it_was_killed(tmp_path, float64, monkeypatch):
    monkeypatch.setattr(ring_data, "PIECE", 4)
    ring = Ring(32)
    first = ring_data.simulated(ring, 4, tmp_path)  # then killed
    kept = (tmp_path / "textures-0-000000.npz").stat().st_mtime_ns
    again = ring_data.simulated(ring, 6, tmp_path)
    assert (tmp_path / "textures-0-000000.npz").stat().st_mtime_ns == kept
    assert np.array_equal(first.units, again.units[: len(first)])
    assert all(np.array_equal(first.slopes[n], again.slopes[n][: len(first)]) for n in first.slopes)
    assert len(again) + len(again.failures) == 6
    data = ring_data.at_pressure(ring, again)
    assert len(data) <= len(again)
    assert data.slopes["friction"].shape == (len(data), 257)


def test_weights_are_small_and_tell_where_they_come_from(shipped):
    assert SHIPPED.stat().st_size < 5e6
    card = shipped.card
    assert {"data", "seeds", "command", "steps"} <= set(card)
    assert len(shipped.library.maps) >= 5000
    assert len(shipped.library.examples().wishes) == len(shipped.library.maps)  # the largest feature too


def test_the_surrogate_as_a_calculator_has_the_simulators_word(shipped, float64):
    """Friction of known textures within what the card tells, and a step on it that helps by its own account."""
    calculator, known = shipped.calculator, shipped.library.rows(slice(-40, None))
    off = []
    for c, f, p in zip(known.maps, known.friction, known.pressure, strict=True):
        said = calculator.said(jnp.asarray(c), jnp.asarray(Target(f, p).wish))
        off.append(abs(float(said["friction"]) - np.log(f)))
    assert np.median(off) < 2 * shipped.card["surrogate"]["held-out"]["friction"]["median_error_of_log"]
    target = Target(0.03, 1.5e6)
    wish, c = jnp.asarray(target.wish), jnp.asarray(known.maps[0])
    better = calculator.steer(4)(c, wish)
    assert np.abs(calculator.missed(better, wish)).sum() < 0.5 * np.abs(calculator.missed(c, wish)).sum() + 0.02


def test_retrieval_finds_and_the_simulator_mends(shipped, float64):
    known = shipped.library
    i = int(np.argmin(np.abs(np.log(known.friction / 0.03)) + np.abs(np.log(known.pressure / 1.5e6))))
    target = Target(float(known.friction[i]), float(known.pressure[i]), float(known.feature[i]))
    found = by_retrieval(known)(target.wish[None], 0)[0]
    assert np.array_equal(found, known.maps[i])
    verdict = Judge(Ring(32))(found, target)
    assert verdict.valid(target)
    assert abs(verdict.error(target)) < 0.02
    asked = Target(0.9 * target.friction, target.pressure, 0.05)
    judge = Judge(Ring(32))
    texture, gap, simulations = judge.corrected(found, asked, 8)
    verdict = judge(texture, asked, gap)
    assert abs(verdict.error(asked)) < 0.05
    assert verdict.gap == pytest.approx(gap, rel=0.02)
    assert simulations + verdict.asked < 12  # texture and film at once


def test_what_is_told_beside_a_pressure_is_what_is_told_at_it(shipped, float64):
    """One simulation at a gap that carries something else, carried over by its slopes: right to second order."""
    judge, c, p = Judge(Ring(32)), np.asarray(shipped.library.maps[0], float), float(shipped.library.pressure[0])
    true = judge.at(c, p)[0].values
    gap = float(np.exp(true["gap"]))
    wrong, half = (judge.beside(c, p, gap * np.exp(e)).values for e in (0.08, 0.04))
    for name in ("friction", "stress", "gap"):
        assert abs(wrong[name] - true[name]) < 0.03
        assert abs(half[name] - true[name]) < 0.4 * abs(wrong[name] - true[name]) + 1e-4
    assert judge.beside(c, p, 4 * gap).failure == "another gap carries it"


def test_crossed_textures_are_new_and_still_near(shipped):
    known = shipped.library
    target = Target(0.03, 1.5e6)
    maps = by_crossing(known)(np.repeat(target.wish[None], 6, 0), 1)
    assert novelty(maps, known.maps).min() > 0.02
    assert pairwise(maps) > 0.1
    # A texture begun elsewhere and mirrored is the same one: crossed with itself nothing changes.
    one = known.maps[3]
    np.testing.assert_array_equal(fitted(np.roll(one, 5, 0)[:, ::-1], one), one)


def test_crossing_keeps_contrast_and_takes_each_parent_once(shipped):
    known, wish = shipped.library.rows(slice(0, 8)), shipped.library.wishes[:1]
    parents = []
    record = known._replace(maps=Recorded(known.maps, parents))
    found = by_crossing(record)(np.repeat(wish, 4, 0), 0)
    assert sorted(parents) == list(range(8))
    contrasts = [float(np.std(m)) for m in known.maps]
    for made in found:
        assert 0.9 * min(contrasts) <= float(np.std(made)) <= 1.01 * max(contrasts)


class Recorded:
    """Maps that tell which of them were asked for."""

    def __init__(self, maps, asked):
        self.maps, self.asked = maps, asked

    def __getitem__(self, rows):
        self.asked += list(rows)
        return self.maps[rows]


def test_any_known_texture_is_a_start(shipped):
    maps = by_chance(shipped.library)(np.zeros((3, 3)), 4)
    assert maps.shape == (3, 16, 16)
    assert not np.array_equal(maps[0], maps[1])
    assert isinstance(shipped.calculator, Calculator)


def test_a_solid_is_closed_and_as_large_as_it_should_be():
    depth = np.full((5, 5), 1e-6)
    content = stl(depth, 1e-3, 4e-6)
    table = np.frombuffer(content[84:], np.dtype([("n", "<f4", 3), ("c", "<f4", (3, 3)), ("k", "<u2")]))
    assert int(np.frombuffer(content[80:84], "<u4")[0]) == len(table)
    c = table["c"].astype(float)
    volume = np.sum(np.einsum("ij,ij->i", c[:, 0], np.cross(c[:, 1], c[:, 2]))) / 6
    assert volume == pytest.approx(1.0 * 1.0 * 3e-3, rel=1e-4)  # mm3; outward normals
    edges = [tuple(sorted((tuple(a), tuple(b)))) for t in c for a, b in zip(t, np.roll(t, -1, 0), strict=True)]
    assert all(edges.count(e) == 2 for e in set(edges))


def test_the_study_makes_what_is_asked_for_and_refuses_what_cannot_be(tmp_path):
    numbers = numbers_of("generator", "--set", "count=2", "--out", str(tmp_path))
    assert numbers["hit_rate"] >= 0.5
    assert set(numbers["violations"]) == {"load", "strength", "feature"}
    assert {"known, crossed", "nearest known", "random start"} <= {*numbers["rivals"], numbers["default"]}
    assert numbers["default"] not in numbers["rivals"]
    designs = np.load(next(tmp_path.rglob("designs.npz")))
    assert designs["depth"].shape == (2, 64, 64)
    # What is written down is what the simulator says of what is written down.
    with jax.enable_x64(True):
        target = Target(**{n: float(designs[f"asked_{n}"]) for n in ("friction", "pressure", "feature")})
        verdict = Judge(Ring(32))(designs["controls"][0], target)
    assert verdict.friction == pytest.approx(float(designs["friction"][0]), rel=1e-4)
    assert len(list(tmp_path.rglob("*.stl"))) == 2
    low = numbers["attainable"]["free_form_best"]
    no = numbers_of("generator", "--set", f"friction={0.5 * low}", code=1)
    assert "best free form" in no["refused"]
    assert no["friction_simulated"] == []
    assert json.dumps(no)


@pytest.mark.parametrize(
    ("words", "reason"),
    [("pressure=50", "simulations reach"), ("share=0.1", "add --effort best"), ("feature=0.5", "0.25")],
)
def test_what_cannot_be_asked_for_is_refused(words, reason):
    found = CliRunner().invoke(app, ["run", "generator", "--effort", "quick", "--json", "--set", words])
    assert found.exit_code == 2
    assert reason in found.stderr


@pytest.mark.slow
def test_makers_are_made_from_nothing_and_a_kill_changes_nothing(tmp_path, monkeypatch):
    """A small part of the training, all of its stages; killed after the surrogate."""
    from lawful.studies import _ring_training as training

    course = training.Course(textures=90, passes=1, flow=2, gan=1, plain=1, walk=1)
    with monkeypatch.context() as patch:
        patch.setattr(training, "kept_attainable", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            training.trained(tmp_path, course)
    before = (tmp_path / "surrogate.npz").stat().st_mtime_ns
    shipped = training.trained(tmp_path, course)
    assert (tmp_path / "surrogate.npz").stat().st_mtime_ns == before
    again = load(tmp_path / "generator.npz")
    assert set(again.nets) == {"flow", "gan", "plain"}
    assert len(again.library.maps) == len(shipped.library.maps) > 8
    assert again.card["steps"] == {"flow": 2, "gan": 1, "plain": 1}
    with pytest.raises(BadInput, match="another training"):
        training.trained(tmp_path, course._replace(flow=3))
