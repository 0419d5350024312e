"""Symplectic steps, Diffrax behind the same call, safe steps, and what is refused at the door."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf

KEPLER = lf.SecondOrder(lambda t, q, v, args: -q / jnp.sum(q * q) ** 1.5)
START = np.array([0.5, 0.0]), np.array([0.0, np.sqrt(3.0)])
ENERGY = {"energy": lambda q, v: 0.5 * v @ v - 1 / jnp.sqrt(q @ q)}
FALL = lf.SecondOrder(lambda t, q, v, args: jnp.zeros_like(q).at[-1].set(-9.81))
FLOOR = lf.Contact(lf.Plane((0.0, 1.0)), name="floor")
AT = np.array([0.0, 1.0]), np.zeros(2)


@pytest.mark.parametrize(
    ("method", "order"), [(lf.Leapfrog, 2), (lf.Yoshida, 4), (lambda step: lf.Yoshida(step, 6), 6)], ids=["2", "4", "6"]
)
def test_symplectic_steps_have_their_order_and_no_drift(method, order):
    period = 2 * np.pi
    errors = []
    for step in (period / 400, period / 800):
        run = lf.simulate(KEPLER, START, period, method=method(step))
        errors.append(np.linalg.norm(run.final.q - START[0]))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.3)
    long = lf.simulate(KEPLER, START, 60 * period, method=method(period / 200), invariants=ENERGY)
    values = long.drift["energy"].values
    early, late = np.ptp(values[: len(values) // 6]), np.ptp(values[-len(values) // 6 :])
    assert late < 1.05 * early + 1e-13


def test_taylor_steps_meet_the_exact_orbit():
    run = lf.simulate(KEPLER, START, 2 * np.pi, invariants=ENERGY)
    assert run.certified
    np.testing.assert_allclose(run.final.q, START[0], atol=2e-11)
    assert run.drift["energy"].relative < 1e-13
    # Dense output is as good as the steps: Kepler's equation at a time within one.
    t = 2.345
    anomaly = t
    for _ in range(60):
        anomaly = t + 0.5 * np.sin(anomaly)
    # The start is the perihelion.
    where = [np.cos(anomaly) - 0.5, np.sqrt(0.75) * np.sin(anomaly)]
    np.testing.assert_allclose(run(t).q, where, atol=1e-11)
    fig, _ = run.plot()
    assert len(fig.axes) == 2
    assert run.record("orbit").sections[0].title == "Motion"
    assert "energy" in run.summary()


def test_diffrax_behind_the_same_call():
    run = lf.simulate(lambda t, y, args: -y, np.array([1.0]), 2.0, method=lf.Diffrax())
    assert run.status.word == "estimated"
    assert not run.certified
    np.testing.assert_allclose(run(np.array([0.5, 2.0]))[:, 0], np.exp([-0.5, -2.0]), rtol=1e-7)


def test_what_has_no_enclosure_is_estimated():
    run = lf.simulate(lambda t, y, args: -jnp.abs(y), np.array([1.0]), 1.0)
    assert run.certified  # away from the kink
    run = lf.simulate(lambda t, y, args: jnp.cos(t) + 0 * y + jnp.abs(y), np.array([-0.1]), 0.5)
    assert not run.certified
    assert run.status.word == "estimated"


def test_safe_steps_hold_and_are_near_the_best():
    f = lambda t, y, args: jnp.stack([y[1], -y[0]])
    rng = np.random.default_rng(2)
    states = rng.normal(size=(200, 2))
    with jax.enable_x64(True):
        found = jax.jit(jax.vmap(lambda y: lf.safe_step(f, y, 1e-3, longest=5.0)))(states)
    rate, bend = np.asarray(found.rate), np.asarray(found.bend)
    for h, model in (
        (np.asarray(found.linear)[:, None], lambda s: states + s * rate),
        (np.asarray(found.quadratic)[:, None], lambda s: states + s * rate + s**2 * bend),
    ):
        worst = np.zeros(len(states))
        for share in np.linspace(0.05, 1, 20):
            s = h * share
            true = np.stack([np.cos(s) * states[:, :1] + np.sin(s) * states[:, 1:],
                             -np.sin(s) * states[:, :1] + np.cos(s) * states[:, 1:]], 1)[..., 0]  # fmt: skip
            worst = np.maximum(worst, np.abs(model(s) - true).max(axis=1))
        assert np.all(worst <= 1e-3 * (1 + 1e-9))
        assert np.median(worst) > 0.8e-3


def test_safe_steps_stop_short_of_a_gap():
    f = lambda t, y, args: jnp.stack([y[1], -9.81 + 0 * y[0]])
    with jax.enable_x64(True):
        found = lf.safe_step(f, jnp.array([1.0, -2.0]), 1e-3, gap=lambda t, y, args: y[0], longest=2.0)
        free = float(found.free)
    impact = (-2 + np.sqrt(4 + 2 * 9.81)) / 9.81
    assert 0.99 * impact < free < impact


BAD = [
    (lambda: lf.simulate(FALL, AT, 1.0, contacts=lf.Contact(lf.Plane((0.0, 1.0), 2.0))), "overlap by 1 "),
    (lambda: lf.simulate(FALL, AT, 1.0, contacts=lf.Contact(lambda q: jnp.log(q[0]))), "must be finite"),
    (lambda: lf.simulate(lambda t, y, a: jnp.zeros(3), np.zeros(2), 1.0), "has the shape (3,)"),
    (lambda: lf.simulate(lambda t, y, a: (y, y), np.zeros(2), 1.0), "structure"),
    (lambda: lf.Taylor(tolerance=1e-17), "1e-15"),
    (lambda: lf.Taylor(order=2), "from 4 to 60"),
    (lambda: lf.simulate(FALL, AT, -1.0), "after the start"),
    (lambda: lf.simulate(FALL, (AT[0], np.zeros(3)), 1.0), "the velocity v of the start has the shape (3,)"),
    (lambda: lf.simulate(FALL, AT, np.nan), "finite time"),
    (lambda: lf.simulate(FALL, (np.array([0.0, np.inf]), AT[1]), 1.0), "start must be finite"),
    (lambda: lf.simulate(lambda t, y, a: y, np.zeros(2), 1.0, contacts=FLOOR), "SecondOrder"),
    (lambda: lf.simulate(FALL, AT, 1.0, contacts=FLOOR, method=lf.Leapfrog(0.1)), "would miss contacts"),
    (lambda: lf.simulate(lambda t, y, a: y, np.zeros(2), 1.0, method=lf.Yoshida(0.1)), "second order"),
    (lambda: lf.Yoshida(0.1, 5), "4 or 6"),
    (lambda: lf.Contact(lf.Plane((0, 1)), restitution=1.2), "between 0 and 1"),
    (lambda: lf.Contact(lf.Pairs()), "needs a radius"),
    (lambda: lf.Contact(lambda q: q[1], friction=0.3), "friction needs to know"),
    (lambda: lf.Contact(lambda position: position), "its arguments are position"),
    (lambda: lf.Plane((0.0, 0.0)), "finite length"),
    (lambda: lf.Block((0.0, 1.0), (1.0, 0.5)), "below"),
    (lambda: lf.Event(lambda t: t, then=3), "must be a function"),
    (lambda: lf.simulate(FALL, AT, 1.0, events=lf.Event(lambda u: u)), "any of"),
    (lambda: lf.rollout(FALL, AT, jnp.ones(1)), "enable_x64"),
]


@pytest.mark.parametrize(("wrong", "words"), BAD, ids=range(len(BAD)))
def test_bad_input_is_refused_with_the_cure(wrong, words):
    with pytest.raises(lf.BadInput) as caught:
        wrong()
    message = str(caught.value)
    assert words in message
    assert "\n" not in message
