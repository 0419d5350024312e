"""Contacts against mechanics on paper: impacts, rest, friction, release, several at once; none is missed."""

import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf

G = 9.81
FALL = lf.SecondOrder(lambda t, q, v, args: jnp.zeros_like(q).at[-1].set(-G))
FREE = lf.SecondOrder(lambda t, q, v, args: jnp.zeros_like(q))


def kinds(run):
    return [h.kind for h in run.happenings]


def test_a_ball_comes_to_rest_after_endless_bounces():
    e, h = 0.5, 1.0
    run = lf.simulate(FALL, (np.array([h]), np.array([0.0])), 4.0, contacts=lf.Contact(lf.Plane((1,)), restitution=e))
    assert run.certified
    assert kinds(run)[-1] == "rest"
    # The bounces are a geometric series: their end is known, though there is no last one.
    assert run.happenings[-1].time == pytest.approx(np.sqrt(2 * h / G) * (1 + e) / (1 - e), rel=1e-5)
    np.testing.assert_array_less(np.abs(run.final.q), 1e-10)
    assert np.all(run.final.v == 0)
    impacts = [x for x in run.happenings if x.kind == "impact"]
    first = np.sqrt(2 * h / G)
    times = [first * (1 + 2 * sum(e**k for k in range(1, i + 1))) for i in range(len(impacts))]
    for found, truth in zip(impacts[:8], times, strict=False):
        assert found.certain
        assert found.lower <= truth <= found.upper
        assert found.upper - found.lower < 1e-9


@pytest.mark.parametrize(("mu", "comes_back"), [(0.7, False), (0.3, True)])
def test_a_block_thrown_up_a_slope(mu, comes_back):
    slope, v0 = np.deg2rad(30.0), 2.0
    normal, along = np.array([-np.sin(slope), np.cos(slope)]), np.array([np.cos(slope), np.sin(slope)])
    ground = lf.Contact(lf.Plane(normal), restitution=0.0, friction=mu)
    run = lf.simulate(FALL, (0.0 * along, v0 * along), 1.5, contacts=ground)
    assert run.certified
    slowing = G * (np.sin(slope) + mu * np.cos(slope))
    stop = v0 / slowing
    turn = next(h for h in run.happenings if h.kind in ("stick", "slip"))
    assert turn.time == pytest.approx(stop, rel=1e-10)
    at = v0**2 / (2 * slowing)
    if comes_back:
        at -= 0.5 * G * (np.sin(slope) - mu * np.cos(slope)) * (1.5 - stop) ** 2
    np.testing.assert_allclose(run.final.q, at * along, atol=1e-10)


def test_a_body_leaves_a_round_hill_where_it_should():
    start = 0.2
    q, v = np.array([np.sin(start), np.cos(start)]), np.zeros(2)
    hill = lf.Contact(lf.Sphere((0.0, 0.0), 1.0), restitution=0.0)
    run = lf.simulate(FALL, (q, v), 1.2, contacts=hill, invariants={"energy": lambda q, v: 0.5 * v @ v + G * q[1]})
    assert run.certified
    [release] = [h for h in run.happenings if h.kind == "release"]
    # Energy and the force along the radius: the push ends at cos = 2/3 of that at the start.
    assert run(release.time).q[1] == pytest.approx(2 / 3 * np.cos(start), rel=1e-9)
    assert run.drift["energy"].relative < 1e-11


def test_newtons_cradle_passes_the_impact_on():
    q = np.array([[0.0, 0.0], [2.0, 0.0], [3.0, 0.0]])
    v = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    run = lf.simulate(FREE, (q, v), 2.0, contacts=lf.Contact(lf.Pairs(), radius=0.5))
    assert run.certified
    assert run.happenings[0].time == pytest.approx(1.0, rel=1e-12)
    np.testing.assert_allclose(run.final.v, [[0, 0], [0, 0], [1, 0]], atol=1e-12)
    np.testing.assert_allclose(run.final.q, [[1, 0], [2, 0], [4, 0]], atol=1e-12)


def test_an_oblique_impact_of_unequal_balls():
    mass = np.array([[1.0, 1.0], [3.0, 3.0]])
    motion = lf.SecondOrder(lambda t, q, v, args: jnp.zeros_like(q), mass)
    q, v = np.array([[-3.0, 0.4], [0.0, 0.0]]), np.array([[2.0, 0.0], [0.0, 0.0]])
    e = 0.6
    run = lf.simulate(motion, (q, v), 3.0, contacts=lf.Contact(lf.Pairs(), radius=0.5, restitution=e, rests=False))
    n = np.array([-np.sqrt(1 - 0.4**2), 0.4])
    push = (1 + e) * (v[0] @ n) / (1 / 1 + 1 / 3)
    np.testing.assert_allclose(run.final.v, [v[0] - push * n, push * n / 3], atol=1e-12)


def test_a_wall_that_moves_gives_its_speed():
    wall = lf.Contact(lf.Plane((-1.0,), lambda t: -5.0 + 2.0 * t))
    run = lf.simulate(FREE, (np.array([0.0]), np.array([1.0])), 3.0, contacts=wall)
    assert run.happenings[0].time == pytest.approx(5 / 3, rel=1e-12)
    assert run.final.v[0] == pytest.approx(-1.0 - 2 * 2.0, rel=1e-12)


def test_coulombs_bound_at_an_impact():
    """A ball that strikes fast along the floor slides through the impact and loses mu (1 + e) of the normal speed."""
    mu, e = 0.2, 0.7
    floor = lf.Contact(lf.Plane((0, 1)), restitution=e, friction=mu)
    run = lf.simulate(FREE, (np.array([0.0, 1.0]), np.array([3.0, -1.0])), 1.5, contacts=floor)
    np.testing.assert_allclose(run.final.v, [3.0 - mu * (1 + e) * 1.0, e], atol=1e-12)


@pytest.mark.parametrize("speed", [50.0, 200.0, 1000.0, 5000.0])
def test_a_bullet_does_not_pass_a_thin_wall(speed):
    wall = lf.Contact(lf.Block((0.0, -1.0), (0.25, 1.0)), radius=1 / 16, name="wall")
    run = lf.simulate(FREE, (np.array([-10.0, 0.1]), np.array([speed, 0.0])), 1.0, contacts=wall)
    assert run.certified
    [hit] = run.happenings
    assert hit.time == pytest.approx((10.0 - 1 / 16) / speed, rel=1e-12)
    assert run(hit.time).q[0] <= -1 / 16 + 1e-12
    assert run.final.v[0] == -speed


def test_a_short_dip_below_the_floor_is_found():
    spring = lf.SecondOrder(lambda t, q, v, args: -q)
    dip = lf.Contact(lambda q: q[0] + 0.999, name="floor")
    run = lf.simulate(spring, (np.array([1.0]), np.array([0.0])), 3.15, contacts=dip)
    [hit] = run.happenings
    assert hit.certain
    # Steps before it erred by up to 1e-12 each; the slope at the floor is 0.045.
    assert hit.time == pytest.approx(np.arccos(-0.999), abs=1e-10)


CEILING = lf.Contact(lf.Plane((-1.0,), -1.0), name="ceiling")


@pytest.mark.parametrize(
    ("margin", "kind"), [(-1e-6, None), (-1e-11, None), (0.0, "graze"), (1e-9, "impact"), (1e-6, "impact")]
)
def test_a_graze_is_told_from_a_hit_and_a_miss_and_reported(margin, kind):
    """Thrown so that the top of the flight comes as near to the ceiling: hit and miss are proven, a touch never is."""
    speed = np.sqrt(2 * G) * (1 + margin)
    run = lf.simulate(FALL, (np.array([0.0]), np.array([speed])), 0.8, contacts=CEILING)
    assert run.certified == (kind != "graze")
    assert set(kinds(run)) == ({kind} if kind else set())
    for happening in run.happenings:
        assert happening.name == "ceiling"
        assert happening.certain == (kind == "impact")
        exact = speed / G - (np.sqrt(speed**2 - 2 * G) / G if kind == "impact" else 0.0)
        assert happening.time == pytest.approx(exact, abs=1e-6)
    if kind == "graze":
        assert run.status.word == "estimated"
        assert "graze" in run.status.reason


def test_many_balls_in_a_box_keep_their_energy():
    rng = np.random.default_rng(5)
    q = np.array([[0.2, 0.2], [0.2, 0.7], [0.7, 0.3], [0.8, 0.8]])
    v = rng.normal(size=(4, 2))
    sides = [
        lf.Contact(lf.Plane(n, o), radius=0.1) for n, o in (((1, 0), 0), ((0, 1), 0), ((-1, 0), -1), ((0, -1), -1))
    ]
    run = lf.simulate(
        FREE, (q, v), 3.0, contacts=[*sides, lf.Contact(lf.Pairs(), radius=0.1)],
        invariants={"energy": lambda v: 0.5 * jnp.sum(v * v)},
    )  # fmt: skip
    assert run.certified
    assert len(run.happenings) > 20
    assert run.drift["energy"].relative < 1e-12
    for place in np.linspace(0, 3, 3000):
        at = run(place).q
        assert at.min() > 0.1 - 1e-9
        assert at.max() < 0.9 + 1e-9
        apart = np.linalg.norm(at[:, None] - at[None], axis=2)[np.triu_indices(4, 1)]
        assert apart.min() > 0.2 - 1e-9
