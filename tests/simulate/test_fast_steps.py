"""Steps without proofs: written out, in one piece of code, in lanes; the same motion as with proofs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful._core.compilation import quickly

pytestmark = pytest.mark.usefixtures("float64")
PLAIN = lf.Taylor(1e-13, certify=False)
FAST = lf.Taylor(1e-13, certify=False, fast=True)


def everything(t, y, args):
    """Every function that is written out entry by entry, with matrices, choices of entries and sums around them."""
    x = 0.2 + 0.1 * jnp.tanh(args["matrix"] @ y)
    a, b, c = x
    first = jnp.sin(a) * jnp.cosh(b) + jnp.arctan2(a, b) - jnp.cbrt(c) + jnp.exp(-a) / (1 + b) + jax.nn.sigmoid(c)
    second = jnp.arcsin(a) + jnp.arccos(b) + jnp.arctan(c) + jnp.log(a) - jnp.log1p(b) + jnp.sqrt(c) - jnp.expm1(a)
    third = jnp.tan(a) - jnp.arcsinh(b) + jnp.arccosh(1.5 + c) - jnp.arctanh(a) + a**-1.5 + b**3 - jnp.abs(c) + a**0.3
    return jnp.stack([jnp.cos(t) * first, second, jnp.sinh(a) - third + jnp.maximum(a, 2 * b)]) * args["rate"]


ARGS = {"matrix": np.array([[0.5, 0.0, 1.0], [0.2, -0.3, 0.0], [0.0, 0.4, 0.1]]), "rate": 0.3}
START = np.array([0.1, -0.2, 0.3])
TIMES = np.array([0.0, 0.4, 0.41, 1.5])


def states(y, times, method):
    return lf.rollout(everything, y, times, args=ARGS, method=method)


def test_the_same_motion_as_by_another_method():
    import diffrax

    run = lf.simulate(everything, START, 1.5, args=ARGS, method=lf.Diffrax(diffrax.Dopri8(), 1e-12, 1e-13))
    found = jax.jit(lambda y: states(y, jnp.asarray(TIMES), PLAIN))(START)
    np.testing.assert_allclose(found, run(TIMES), rtol=1e-8, atol=1e-9)
    last = jax.jit(lambda y: states(y, jnp.asarray(TIMES[-1:]), FAST))(START)
    np.testing.assert_allclose(last[0], found[-1], rtol=1e-12)
    np.testing.assert_array_equal(found[0], START)


def kepler(t, y, args):
    return jnp.concatenate([y[2:], -y[:2] * (y[:2] @ y[:2]) ** -1.5])


def final(y, most=1024):
    return lf.rollout(kepler, y, jnp.array([2 * np.pi]), method=FAST, most=most)[0]


def test_lanes_agree_with_single_runs_and_with_the_exact_orbit():
    """More runs than lanes, not a multiple of them; the orbits have other periods, except the first."""
    y = np.array([0.5, 0.0, 0.0, np.sqrt(3.0)]) * np.linspace(1.0, 1.1, 11)[:, None]
    alone = jax.jit(final)
    found = np.asarray(jax.jit(jax.vmap(final))(y))
    np.testing.assert_allclose(found[0], y[0], atol=1e-11)
    for i in (3, 10):
        np.testing.assert_allclose(found[i], alone(y[i]), atol=1e-11)


def test_many_times_inside_a_compiled_loop():
    y, quarters = np.array([0.5, 0.0, 0.0, np.sqrt(3.0)]), jnp.linspace(0.25, 1.0, 4) * 2 * np.pi

    def orbit(y, _):
        path = lf.rollout(kepler, y, quarters, method=FAST)
        return path[-1], path

    last, paths = jax.jit(lambda y: jax.lax.scan(orbit, y, None, length=3))(y)
    np.testing.assert_allclose(last, y, atol=1e-10)
    np.testing.assert_allclose(paths[2], paths[0], atol=1e-10)
    np.testing.assert_allclose(paths[0, 1], [-1.5, 0.0, 0.0, -1 / np.sqrt(3.0)], atol=1e-11)


def test_derivatives_agree_with_finite_differences_and_in_lanes():
    y = np.array([0.5, 0.0, 0.0, np.sqrt(3.0)])
    slope = jax.grad(lambda y: final(y, 64)[1])
    along = np.array([0.3, -0.2, 0.5, 0.1])
    found = quickly(jax.vmap(slope))(np.stack([y, 1.01 * y]))
    for start, mine in zip((y, 1.01 * y), np.asarray(found), strict=True):
        ends = jax.jit(jax.vmap(final))(np.stack([start + 1e-6 * along, start - 1e-6 * along]))
        assert mine @ along == pytest.approx(float(ends[0, 1] - ends[1, 1]) / 2e-6, rel=1e-6)


def test_too_few_steps_give_nan_from_there_on():
    found = lf.rollout(kepler, np.array([0.5, 0.0, 0.0, np.sqrt(3.0)]), jnp.array([0.01, 50.0]), method=PLAIN, most=9)
    assert np.all(np.isfinite(found[0]))
    assert np.all(np.isnan(found[1]))


def test_a_motion_that_runs_away_gives_nan():
    found = lf.rollout(lambda t, y, args: y * y, jnp.ones(1), jnp.array([0.9, 1.1]), method=PLAIN)
    assert found[0, 0] == pytest.approx(10.0, rel=1e-10)
    assert np.isnan(found[1, 0])


def pulled(t, y, args):
    return args["pull"] @ y - args["pair"][0] * jnp.sin(y) * args["pair"][1] * jnp.cos(t)


PULL = {"pull": np.array([[0.1, 0.2], [0.3, -0.1]]), "pair": np.array([1.0, 2.0])}


def test_arrays_among_the_parameters_without_compilation():
    """Outside of any compiled function each loop is compiled by itself, with arrays as they come."""
    y, times = np.array([1.0, 0.5]), np.array([0.4, 1.0])
    args = jax.tree.map(jnp.asarray, PULL)
    found = lf.rollout(pulled, y, times, args=args, method=FAST)
    np.testing.assert_allclose(found, lf.rollout(pulled, y, times, args=args, method=PLAIN), rtol=1e-12)


def test_derivatives_by_everything_that_a_motion_depends_on():
    """Start, its time, the times, parameters and what the function closes over: against differences."""
    inner = {"start": np.array([1.0, 0.5]), "t": 0.1, "times": np.array([0.4, 1.0]), "args": PULL, "closed": 0.3}

    def told(x):
        motion = lambda t, y, args: pulled(t, y, args) + x["closed"] * y[::-1]
        states = lf.rollout(motion, x["start"], x["times"], t=x["t"], args=x["args"], method=FAST)
        return jnp.sum(states * jnp.array([[1.0, -2.0], [0.5, 3.0]]))

    rng = np.random.default_rng(0)
    way = jax.tree.map(lambda x: rng.normal(size=np.shape(x)), inner)
    at = lambda s: float(jax.jit(told)(jax.tree.map(lambda x, w: x + s * w, inner, way)))
    slope = (8 * (at(1e-3) - at(-1e-3)) - (at(2e-3) - at(-2e-3))) / 12e-3
    _, forward = jax.jit(lambda x, w: jax.jvp(told, (x,), (w,)))(jax.tree.map(jnp.asarray, inner), way)
    backward = jax.jit(jax.grad(told))(jax.tree.map(jnp.asarray, inner))
    dotted = sum(np.sum(g * w) for g, w in zip(jax.tree.leaves(backward), jax.tree.leaves(way), strict=True))
    assert float(forward) == pytest.approx(slope, rel=1e-9)
    assert float(dotted) == pytest.approx(float(forward), rel=1e-12)
