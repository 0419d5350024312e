"""Designs from any simulator: spaces, data that survive a kill, surrogates, optima that are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lawful._core import schooling
from lawful._core.messages import BadInput, NotTrusted
from lawful.design import (
    Goal,
    Range,
    Simulator,
    Space,
    Surrogate,
    generate,
    improve,
    latin,
    linear_programs,
    operator,
    optimise,
    perceptron,
    quadratic_programs,
    scores,
    sobol,
    strip,
    train,
    waves,
)

pytestmark = pytest.mark.usefixtures("float64")

SPACE = Space(a=(-1.0, 3.0), b=(0.0, 2.0))


def bowl(a, b):
    """Least of cost where a + b >= 2: a = 1.5, b = 0.5, cost 0.5; without it a = 1, b = 0."""
    return {"cost": (a - 1) ** 2 + b**2, "sum": a + b}


BOWL = Simulator(bowl, SPACE, slopes=("cost", "sum"))
GOAL = Goal("cost", {"sum": (2.0, None)})


def test_a_design_and_its_unit_vector_are_each_other():
    space = Space(h=Range(1.0, 2.0, (2, 3)), r=(0.0, 4.0))
    design = {"h": np.linspace(1.0, 2.0, 6).reshape(2, 3), "r": np.asarray(1.0)}
    u = space.unit(design)
    assert u.shape == (space.size,) == (7,)
    for name, value in space.design(u).items():
        assert np.allclose(value, design[name])


@pytest.mark.parametrize("draw", [latin, sobol, waves])
def test_samples_are_even_repeatable_and_inside(draw):
    space = Space(h=Range(0.0, 1.0, (8,)), r=(0.0, 4.0))
    units = draw(space, 64, seed=3)
    assert units.shape == (64, 9)
    assert np.all((units >= 0) & (units <= 1))
    assert np.array_equal(units, draw(space, 64, seed=3))
    assert not np.array_equal(units, draw(space, 64, seed=4))
    assert abs(np.mean(units[:, -1]) - 0.5) < 0.1


def test_slopes_are_those_of_differences():
    u = np.array([0.3, 0.6])
    sample = BOWL.sample(u)
    for i in range(2):
        e = 1e-6 * np.eye(2)[i]
        ahead, behind = BOWL.sample(u + e).values, BOWL.sample(u - e).values
        for name in ("cost", "sum"):
            assert sample.slopes[name][i] == pytest.approx((ahead[name] - behind[name]) / 2e-6, abs=1e-8)


def test_data_survive_a_kill(tmp_path):
    units, asked = latin(SPACE, 80, seed=1), []

    def simulate(a, b):
        asked.append(a)
        if len(asked) == 50:
            raise KeyboardInterrupt
        return bowl(a, b)

    simulator = Simulator(simulate, SPACE)
    with pytest.raises(KeyboardInterrupt):
        generate(simulator, units, tmp_path)
    parts = [path.name for path in tmp_path.iterdir()]
    assert parts == ["designs-part-0000000.npz"]  # a save writes what is new, not all again
    again = generate(simulator, units, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["designs.npz"]
    assert len(asked) == 50 + 80 - 32  # what was kept is not simulated again
    whole = generate(Simulator(bowl, SPACE), units)
    assert np.array_equal(again.units, whole.units)
    assert np.array_equal(again.values["cost"], whole.values["cost"])
    with pytest.raises(BadInput, match="belongs to other designs"):
        generate(simulator, latin(SPACE, 80, seed=2), tmp_path)


def test_failures_are_told(tmp_path):
    def simulate(a, b):
        if a > 2:
            raise RuntimeError("the mesh is tangled")
        return {"cost": np.where(b > 1.8, np.nan, a)}

    units = latin(SPACE, 40)
    data = generate(Simulator(simulate, SPACE), units, tmp_path, workers=2)
    b, tangled = 2 * units[:, 1], 4 * units[:, 0] - 1 > 2
    reasons = [failure.reason for failure in data.failures]
    assert reasons.count("RuntimeError: the mesh is tangled") == tangled.sum()
    assert reasons.count("not finite: cost") == (~tangled & (b > 1.8)).sum() > 0
    assert len(data) + len(reasons) == 40
    assert [f.reason for f in generate(Simulator(simulate, SPACE), units, tmp_path).failures] == reasons
    with pytest.raises(NotTrusted, match="all 3 simulations failed; the first: ValueError: no"):
        generate(Simulator(never, SPACE), latin(SPACE, 3))


def never(a, b):
    raise ValueError("no")


@pytest.mark.parametrize("walker", [linear_programs(most=400, finest=1e-7), quadratic_programs()])
def test_an_optimum_on_its_bound_is_found(walker):
    best = optimise(BOWL, GOAL, latin(SPACE, 3), walker)
    design = SPACE.design(best.unit)
    assert best.kept
    assert float(best.walk.sample.values["cost"]) == pytest.approx(0.5, rel=1e-4)
    assert float(design["a"]) == pytest.approx(1.5, abs=1e-2)
    assert float(design["b"]) == pytest.approx(0.5, abs=1e-2)
    free = optimise(BOWL, Goal("cost"), latin(SPACE, 2), walker)
    assert float(free.walk.sample.values["cost"]) == pytest.approx(0.0, abs=1e-4)


def test_what_cannot_be_kept_is_not_called_kept():
    best = optimise(BOWL, Goal("cost", {"sum": (6.0, None)}), latin(SPACE, 2))
    assert not best.kept
    assert float(best.walk.sample.values["sum"]) == pytest.approx(5.0, abs=1e-6)  # as far as it goes


def test_a_plain_network_learns_more_with_slopes_and_its_winner_is_simulated(tmp_path):
    # Not in the order of the alphabet, which files must keep.
    simulate = lambda a, b: {"sum": a + b, "cost": (a - 1) ** 2 + b**2 + 0.3 * jnp.sin(3 * a)}
    simulator = Simulator(simulate, SPACE, slopes=("cost", "sum"))
    learned, held = generate(simulator, sobol(SPACE, 64)).split(24)
    train_on = lambda data: train(
        SPACE, data, perceptron(24), held_out=held, members=2, passes=400, batch=10, rate=1e-2
    )
    surrogate, blind = train_on(learned), train_on(learned.without_slopes())
    with_slopes, without = scores(surrogate, held)["cost"], scores(blind, held)["cost"]
    assert with_slopes.r2 > 0.99
    assert with_slopes.cosine > without.cosine
    assert with_slopes.within == pytest.approx(0.68, abs=0.05)  # these set the bars
    surrogate.save(tmp_path / "bowl.npz")
    again = Surrogate.load(tmp_path / "bowl.npz", SPACE, perceptron(24))
    assert again(a=0.5, b=1.0) == surrogate(a=0.5, b=1.0)
    with pytest.raises(BadInput, match="another shape"):
        Surrogate.load(tmp_path / "bowl.npz", SPACE, perceptron(16))
    direct = optimise(simulator, GOAL, latin(SPACE, 4))
    found = improve(surrogate, simulator, GOAL, latin(SPACE, 4))
    assert found.kept
    assert float(found.sample.values["cost"]) == pytest.approx(float(direct.walk.sample.values["cost"]), rel=1e-3)
    for winner in found.winners:
        truth = simulate(**SPACE.design(winner.unit))
        assert winner.simulated["cost"] == pytest.approx(float(truth["cost"]))
        assert winner.gap == pytest.approx(winner.simulated["cost"] / winner.predicted["cost"] - 1)


def test_what_a_wrong_model_proposes_is_mended_until_the_truth_keeps_its_bounds():
    wrong = lambda a, b: {"cost": (a - 0.8) ** 2 + 1.2 * b**2 + 0.1, "sum": a + b + 0.05 * jnp.sin(2 * a) + 0.05}
    model, truth = (Simulator(f, SPACE, slopes=("cost", "sum")) for f in (wrong, lambda a, b: bowl(a, b**1.2)))
    found = improve(model, truth, GOAL, latin(SPACE, 3), close=1e-4)
    exact = optimise(truth, GOAL, latin(SPACE, 3), quadratic_programs()).walk.sample.values
    assert not any(GOAL.kept(winner.simulated) for winner in found.winners)  # or there is nothing to mend
    assert found.kept
    assert float(found.sample.values["cost"]) == pytest.approx(float(exact["cost"]), rel=2e-3)


def test_a_surrogate_never_hides_a_failed_simulation():
    lost = lambda a, b: {name: value * jnp.sqrt(-1.0 - a**2) for name, value in bowl(a, b).items()}
    broken = Simulator(lost, SPACE, slopes=("cost", "sum"))
    with pytest.raises(NotTrusted, match=r"none of \d winners could be simulated; not finite: cost"):
        improve(BOWL, broken, GOAL, latin(SPACE, 2))


def test_an_operator_gives_fields_and_their_means_and_its_slopes():
    space = Space(h=Range(0.0, 1.0, (8, 8)))
    simulate = lambda h: {"mean": jnp.mean(h**2), "field": h**2}
    data = generate(Simulator(simulate, space, slopes=("mean",)), waves(space, 56, modes=2))
    learned, held = data.split(8)
    build = operator(lambda h: h[None], width=4, depth=1, modes=3, periodic=(True, False), patch=2)
    surrogate = train(space, learned, build, held_out=held, members=2, passes=60, batch=8, rate=1e-2)
    score = scores(surrogate, held)
    assert score["mean"].r2 > 0.95
    assert score["mean"].cosine > 0.95
    assert score["field"].r2 > 0.8
    sample = surrogate.sample(held.units[0])
    step = 1e-5 * np.random.default_rng(0).normal(size=64)
    ahead, behind = (surrogate.sample(held.units[0] + s * step).values["mean"] for s in (1, -1))
    assert sample.slopes["mean"] @ step == pytest.approx(0.5 * (ahead - behind), rel=1e-5)


def test_a_strip_learns_numbers_that_do_not_care_where_a_map_begins(tmp_path, monkeypatch):
    space = Space(h=Range(0.0, 1.0, (8, 4)))
    # Nearer to one rim counts more; products of neighbours around the first axis count too.
    law = lambda h: jnp.log(0.1 + jnp.mean(h * jnp.roll(h, 1, 0) * jnp.arange(1.0, 5.0)))
    simulator = Simulator(lambda h: {"log": law(h)}, space, slopes=("log",))
    learned, held = generate(simulator, waves(space, 72, modes=2)).split(12)
    build = strip(lambda h: (2 * h[None] - 1, jnp.mean(h, 0)), width=6, depth=1, patch=1)
    around = lambda u, key: jnp.roll(u.reshape(8, 4), jax.random.randint(key, (), 0, 8), 0).ravel()
    settings = {"held_out": held, "members": 2, "passes": 60, "batch": 12, "rate": 1e-2, "steep": 1.0, "same": around}
    learn = lambda path=None: train(space, learned, build, path=path, **settings)
    surrogate = learn()
    score = scores(surrogate, held)["log"]
    assert score.r2 > 0.95
    assert score.cosine > 0.9
    u = held.units[0].reshape(8, 4)
    said = [float(surrogate.guess(jnp.asarray(np.roll(u, k, 0).ravel()))["log"].value) for k in (0, 3)]
    assert said[0] == pytest.approx(said[1], rel=1e-5)
    # A kill after a pass changes nothing, to the bit.
    write = schooling.write_arrays

    def killed(path, arrays, meta):
        write(path, arrays, meta)
        if meta["step"] == 7:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(schooling, "write_arrays", killed)
        with pytest.raises(KeyboardInterrupt):
            learn(tmp_path / "state.npz")
    again = learn(tmp_path / "state.npz")
    for one, other in zip(jax.tree.leaves(surrogate.members), jax.tree.leaves(again.members), strict=True):
        assert np.array_equal(one, other)
    with pytest.raises(BadInput, match="numbers are meant"):
        build(space, {"field": (8, 4)}, jax.random.PRNGKey(0))


def refusals():
    simulate = lambda a, b: {"cost": a + b, "field": jnp.ones(3)}
    yield lambda: Space(a=(1.0, 0.0)), "low < high"
    yield lambda: SPACE.unit({"a": 0.0, "b": 0.0, "c": 1.0}), "no 'c' in the space"
    yield lambda: SPACE.unit({"a": 9.0, "b": 0.0}), "out of"
    yield lambda: Goal("cost", {"sum": (2.0, 1.0)}), "which no number is"
    yield lambda: generate(BOWL, 2 * np.ones((3, 2))), "between 0 and 1"
    yield lambda: generate(BOWL, np.ones((3, 5))), "rows of 2 numbers"
    yield lambda: optimise(BOWL, Goal("costs"), latin(SPACE, 1)), "did you mean 'cost'"
    yield lambda: optimise(Simulator(simulate, SPACE), Goal("cost"), latin(SPACE, 1)), "no slopes of 'cost'"
    yield lambda: Simulator(simulate, SPACE, ("field",)).sample(np.ones(2)), "name scalars only"


@pytest.mark.parametrize(("bad", "words"), list(refusals()))
def test_bad_input_is_refused_with_the_cure(bad, words):
    with pytest.raises(BadInput, match=words):
        bad()
