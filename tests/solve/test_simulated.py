"""Parameters of simulated systems from tracks: estimates, error bars, what is not determined, what is refused."""

import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf

ROUGH = lf.Taylor(1e-10, certify=False)
FALL = lf.SecondOrder(lambda t, q, v, g: jnp.full_like(q, -g))
T = np.linspace(0.0, 1.1, 25)  # the second bounce would be at 1.17


def bouncing(t, restitution, g):
    floor = lf.Contact(lf.Plane((1.0,)), restitution=restitution, rests=False)
    q, _ = lf.rollout(FALL, (jnp.ones(1), jnp.zeros(1)), t, args=g, contacts=floor, method=ROUGH, most=32)
    return {"height": q[:, 0]}


def heights(e: float, g: float) -> np.ndarray:
    """One bounce, on paper."""
    hit = np.sqrt(2 / g)
    up = e * g * hit * (T - hit) - 0.5 * g * (T - hit) ** 2
    return np.where(hit > T, 1 - 0.5 * g * T**2, up)


def test_restitution_and_gravity_from_a_track_through_a_bounce():
    rng = np.random.default_rng(1)
    data = lf.Data({"t": T, "height": heights(0.8, 9.81) + 1e-3 * rng.normal(size=T.size)})
    unknowns = {"restitution": lf.Bounded(0, 1, guess=0.7), "g": lf.Positive(9.5)}
    found = lf.solve(lf.Simulated(bouncing, unknowns, data))
    assert found.converged, found.status
    assert not found.undetermined
    for name, truth in (("restitution", 0.8), ("g", 9.81)):
        assert abs(found[name].value - truth) < 3.5 * found[name].sd
    # The error bars of the linear model at the answer, by differences of the closed form.
    e, g = float(found["restitution"]), float(found["g"])
    steps = [heights(e + 1e-6, g) - heights(e - 1e-6, g), heights(e, g + 1e-6) - heights(e, g - 1e-6)]
    jacobian = np.stack(steps, 1) / 2e-6
    sd = found.noise["height"] * np.sqrt(np.diag(np.linalg.inv(jacobian.T @ jacobian)))
    np.testing.assert_allclose([found["restitution"].sd, found["g"].sd], sd, rtol=1e-4)
    assert found.noise["height"] == pytest.approx(1e-3, rel=0.4)
    assert f"restitution = {found['restitution']}" in found.summary()
    assert found.record().sections[0].title == "Parameters"
    assert found.to_json()["g"]["value"] == found["g"].value


def decaying(t, a, b):
    y = lf.rollout(lambda t, y, rate: -rate * y, jnp.ones(1), t, args=a * b, method=ROUGH)
    return {"y": y[:, 0]}


DECAY = lf.Data({"t": T, "y": np.exp(-1.5 * T)}, noise=0.01)


def test_what_the_tracks_do_not_determine_is_named():
    found = lf.solve(lf.Simulated(decaying, {"a": lf.Positive(1.0), "b": lf.Positive(1.0)}, DECAY))
    assert found.converged, found.status
    assert found["a"].value * found["b"].value == pytest.approx(1.5, rel=1e-6)
    assert found.undetermined in (("a / b",), ("b / a",))
    assert np.isinf(found["a"].sd)
    assert found.p_value > 0.99  # the track has no noise


A, B = lf.Positive(1.0), lf.Positive(1.0)
BAD = [
    (lambda: lf.Simulated(decaying, {"a": A, "c": B}, DECAY), "'b', which is no unknown"),
    (lambda: lf.Simulated(decaying, {"a": A, "b": B, "c": B}, DECAY), "does not take c"),
    (lambda: lf.Simulated(decaying, {"a": 1.0, "b": B}, DECAY), "lf.Positive"),
    (lambda: lf.Simulated(decaying, {"a": lf.Positive(1.0, over="t"), "b": B}, DECAY), "is a field"),
    (lambda: lf.Simulated(lambda t, y, a: {}, {"a": A}, DECAY), "no measured column"),
    (lambda: lf.solve(lf.Simulated(lambda t, a: {"x": t * a}, {"a": A}, DECAY)), "returns no 'y'"),
    (lambda: lf.solve(lf.Simulated(lambda t, a: {"y": a}, {"a": A}, DECAY)), "has the shape ()"),
    (lambda: lf.solve(lf.Simulated(lambda t, a: {"y": jnp.log(-a * t)}, {"a": A}, DECAY)), "not finite from row 0"),
    (lambda: lf.solve(lf.Simulated(decaying, {"a": A, "b": B}, DECAY), lf.Collocation()), "give the problem alone"),
]


@pytest.mark.parametrize(("wrong", "words"), BAD, ids=range(len(BAD)))
def test_bad_input_is_refused(wrong, words):
    with pytest.raises(lf.BadInput) as caught:
        wrong()
    assert words in str(caught.value)
