"""Makers of designs on command, on a law that is known: a map's mean is what is asked for."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lawful._core.messages import BadInput
from lawful.design import (
    NO_PHYSICS,
    Examples,
    Physics,
    Relativistic,
    Tower,
    Wasserstein,
    aligned,
    compete,
    match,
    novelty,
    on_demand,
    pairwise,
    shortest,
    steered,
    vendi,
)
from lawful.guidance import Energy, Particles, Pull, Term, guided

GRID = (8, 8)


def examples():
    """Waves around the first axis on a level; the wish is their mean."""
    rng = np.random.default_rng(0)
    levels = rng.uniform(0.2, 0.8, 64)
    x = np.arange(8) / 8
    wave = np.cos(2 * np.pi * (x[None, :] + rng.random((64, 1))))
    maps = levels[:, None, None] + 0.15 * wave[:, :, None] * np.ones(8)
    return Examples(jnp.asarray(maps, jnp.float32), jnp.asarray((levels[:, None] - 0.5) / 0.17, jnp.float32))


def missed(x, wish):
    return (jnp.mean(x) - (0.5 + 0.17 * wish[0]))[None]


PHYSICS = Physics(missed, lambda told: told, ((5.0, lambda told: told[0] ** 2),))


def test_a_network_of_maps_turns_with_its_input():
    net = eqx.filter_jit(Tower(1, (4, 6), jax.random.PRNGKey(0), patch=2))
    v = jax.random.normal(jax.random.PRNGKey(1), (*GRID, 1))
    wish = jnp.asarray([0.3])
    # Two by two places are one, twice: by four places.
    np.testing.assert_allclose(net(jnp.roll(v, 4, 0), wish), jnp.roll(net(v, wish), 4, 0), atol=1e-5)
    assert np.abs(net(jnp.roll(v, 4, 1), wish) - jnp.roll(net(v, wish), 4, 1)).max() > 1e-3  # rims are rims


@pytest.mark.parametrize("kind", ["flow", "critic"])
def test_a_killed_training_goes_on_bit_for_bit(tmp_path, kind, monkeypatch):
    def learn(path):
        if kind == "flow":
            return match(examples(), widths=(6,), steps=6, batch=8, path=path)[0]
        settings = {"contest": Relativistic(), "physics": PHYSICS, "variety": 1.0, "widths": (4,), "batch": 4}
        return compete(examples(), steps=6, path=path, **settings)[0]

    from lawful._core import schooling

    class Killed(BaseException):
        pass

    whole = learn(None)
    write, kept = schooling.write_arrays, []

    def killed(path, arrays, meta):
        write(path, arrays, meta)
        kept.append(meta["step"])
        raise Killed

    original = schooling.schooled
    often = lambda *a, **k: original(*a, **{**k, "every": 3})
    for module in ("_flow_matching", "_adversarial"):
        monkeypatch.setattr(f"lawful.design.{module}.schooled", often)
    path = tmp_path / "state.npz"
    with monkeypatch.context() as patch:
        patch.setattr(schooling, "write_arrays", killed)
        with pytest.raises(Killed):
            learn(path)
    assert kept == [3]
    again = learn(path)
    for one, other in zip(jax.tree.leaves(whole), jax.tree.leaves(again), strict=True):
        assert np.array_equal(one, other)
    with pytest.raises(BadInput, match="another training"):
        match(examples(), widths=(6,), steps=7, batch=8, path=path)


def test_a_flow_learns_what_is_asked_for():
    net, told = match(examples(), widths=(16,), steps=300, batch=32, rate=4e-3)
    assert told["loss"][-1] < told["loss"][0]
    wishes = jnp.repeat(jnp.asarray([[-1.2], [1.2]]), 8, 0)
    means = np.asarray(net(wishes, jax.random.PRNGKey(5))).mean((1, 2))
    assert means[:8].mean() < 0.42
    assert means[8:].mean() > 0.58
    # Steered by the energy that a calculator of the same law gives: nearer to what is asked for, all but exactly.
    energy = Energy(mean=Term(lambda asked: missed(asked.unit, asked.wish)[0] ** 2, kT=2 * 0.01**2))
    for wish, mean in ((-1.2, 0.296), (1.2, 0.704)):
        process = on_demand(net, jnp.asarray([wish]))
        found = guided(process, energy, jax.random.PRNGKey(6), 8, guides=(Pull(),), particles=Particles())
        assert np.abs(np.asarray(found.designs.unit).mean((1, 2)) - mean).mean() < 0.02


def test_a_calculator_may_say_nothing():
    silent = Physics(lambda map_, wish: jnp.zeros(0), lambda told: told)
    nets = [compete(examples(), physics=p, widths=(4,), steps=1, batch=4)[0] for p in (NO_PHYSICS, silent)]
    for one, other in zip(*map(jax.tree.leaves, nets), strict=True):
        assert np.array_equal(one, other)


def test_wasserstein_asks_for_slopes_of_one():
    game = Wasserstein(penalty=10.0)
    x = jnp.ones(GRID)
    rough = lambda size: float(game.rough(lambda m: size * jnp.sum(m) / 8, x, 0 * x, jnp.asarray(0.5)))
    assert rough(1.0) == pytest.approx(0.0, abs=1e-9)
    assert rough(3.0) == pytest.approx(10.0 * 4, rel=1e-5)


def test_the_shortest_step_is_exact_on_a_linear_law_and_stays_between_bounds(float64):
    rng = np.random.default_rng(2)
    x, slope = jnp.asarray(rng.uniform(0.3, 0.7, GRID)), jnp.asarray(rng.normal(size=GRID))
    moved = shortest(jnp.asarray([0.05]), slope[None], x)
    assert float(jnp.sum(slope * (moved - x))) == pytest.approx(-0.05, rel=1e-3)
    full = steered(missed, jnp.ones(GRID), jnp.asarray([1.5]), 4)
    assert float(jnp.max(full)) <= 1
    assert float(jnp.mean(full)) == pytest.approx(0.755, abs=1e-3)


def test_a_map_that_is_begun_elsewhere_or_mirrored_is_no_other_map():
    rng = np.random.default_rng(3)
    one = rng.random((1, *GRID))
    same = np.concatenate([np.roll(one, 3, 1), one[:, :, ::-1], one])
    assert aligned(one, same) == pytest.approx(np.zeros((1, 3)), abs=1e-6)
    assert pairwise(same) == pytest.approx(0, abs=1e-6)
    assert vendi(same) == pytest.approx(1, abs=1e-6)
    other = rng.random((4, *GRID))
    plain = min(
        np.sqrt(np.mean((one[0] - np.roll(m, k, 0)) ** 2)) for m in (other[0], other[0][:, ::-1]) for k in range(8)
    )
    assert novelty(one, other[:1])[0] == pytest.approx(plain, rel=1e-6)
    far = np.stack([np.zeros(GRID), np.ones(GRID)])
    assert vendi(far) == pytest.approx(2, abs=1e-3)
    assert pairwise(far) == pytest.approx(1)
