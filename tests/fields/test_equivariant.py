"""Layers whose answers turn with their input: rotations and frames, every layer before and after learning."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from lawful._core.precision import float64, in_float64
from lawful.fields.equivariant import (
    FrameBlock,
    Frames,
    PointMessages,
    VectorMessages,
    angle_between,
    geodesic,
    relative_features,
    rotation_exp,
    rotation_log,
    uniform_rotations,
)

N, CHANNELS = 7, 12
REAL = jnp.arange(N) < N - 1


def directions(key, count):
    v = jax.random.normal(key, (count, 3))
    return v / jnp.linalg.norm(v, axis=-1, keepdims=True)


@in_float64
def test_logarithm_inverts_exponential_at_every_angle():
    there_and_back = jax.jit(lambda v: (rotation_exp(v), rotation_log(rotation_exp(v))))
    for angle in (0.0, 1e-9, 9.9e-3, 1.01e-2, 1.0, 3.0, np.pi - 1e-7):
        v = angle * directions(jax.random.key(0), 20)
        turns, back = map(np.asarray, there_and_back(v))
        assert np.abs(turns @ np.swapaxes(turns, -1, -2) - np.eye(3)).max() < 4e-15
        assert np.abs(back - v).max() < 4e-15 * max(angle, 1e-3)
        cosine = (np.trace(turns, axis1=-2, axis2=-1) - 1) / 2
        assert np.abs(cosine - np.cos(angle)).max() < 2e-15


@in_float64
def test_slopes_are_right_at_no_turn_and_finite_at_half_a_turn():
    identity = jax.jit(jax.jacrev(lambda v: rotation_log(rotation_exp(v))))
    np.testing.assert_array_equal(identity(jnp.zeros(3)), np.eye(3))
    exponential, slope_of = jax.jit(rotation_exp), jax.jit(jax.jacfwd(rotation_exp))
    step = 1e-6 * np.eye(3)
    for angle in (5e-3, 2e-2, 2.0, 3.1):  # on both sides of where the series ends
        v = angle * directions(jax.random.key(1), 1)[0]
        rough = np.stack([np.asarray(exponential(v + e) - exponential(v - e)) / 2e-6 for e in step], -1)
        assert np.abs(np.asarray(slope_of(v)) - rough).max() < 1e-9
        np.testing.assert_allclose(identity(v), np.eye(3), atol=1e-12)
    slopes = jax.jit(jax.grad(lambda r: angle_between(r, jnp.eye(3))))
    for axis in np.eye(3):
        assert np.isfinite(slopes(2 * np.outer(axis, axis) - np.eye(3))).all()  # half a turn, to the last digit
    assert np.isfinite(slopes(jnp.eye(3))).all()


@in_float64
def test_geodesic_runs_at_even_speed_between_its_ends():
    a, b = uniform_rotations(jax.random.key(3), (2, 10))
    for share in (0.0, 0.25, 1.0):
        there = geodesic(a, b, share)
        np.testing.assert_allclose(angle_between(a, there), share * angle_between(a, b), atol=1e-7)
    np.testing.assert_allclose(geodesic(a, b, 1.0), b, atol=1e-14)


@in_float64
def test_frames_are_a_group_and_know_their_points():
    key = jax.random.key(4)
    f, g = (Frames(uniform_rotations(k, (5,)), jax.random.normal(k, (5, 3))) for k in jax.random.split(key))
    points = jax.random.normal(key, (5, 3))
    np.testing.assert_allclose(f.compose(g).apply(points), f.apply(g.apply(points)), atol=1e-14)
    np.testing.assert_allclose(f.inverse().apply(f.apply(points)), points, atol=1e-14)
    np.testing.assert_allclose(f.relative(g).apply(points), f.local(g.apply(points)), atol=1e-14)
    np.testing.assert_allclose(f.pairs().origin[1, 3], f.local(jnp.broadcast_to(f.origin[3], (5, 3)))[1], atol=1e-14)
    a, o, c = jax.random.normal(key, (3, 5, 3))
    made = Frames.from_points(a, o, c)
    np.testing.assert_allclose(jnp.linalg.det(made.rotation), 1.0, atol=1e-14)
    np.testing.assert_allclose(made.local(c)[:, 1:], 0.0, atol=1e-14)
    assert (made.local(c)[:, 0] > 0).all()
    assert (made.local(a)[:, 1] > 0).all()
    np.testing.assert_allclose(made.local(a)[:, 2], 0.0, atol=1e-14)


def test_uniform_rotations_have_no_preferred_axis():
    turns = uniform_rotations(jax.random.key(5), (20000,))
    assert jnp.abs(jnp.mean(turns, axis=0)).max() < 0.02
    mean = float(jnp.mean(angle_between(turns, jnp.broadcast_to(jnp.eye(3), turns.shape))))
    assert abs(mean - (np.pi / 2 + 2 / np.pi)) < 0.02  # of the Haar measure


def attention(key):
    block = FrameBlock(CHANNELS, 24, key, heads=2)

    def answer(block, s, x):
        frames = Frames.from_points(x[:, 0], x[:, 1], x[:, 2])
        _, moved = block(s, frames, relative_features(frames.pairs(), 2.0, 12), REAL)
        return jnp.stack(
            [moved.origin, moved.origin + moved.rotation[..., 0], moved.origin + moved.rotation[..., 2]], 1
        )

    return block, eqx.filter_jit(answer)


def points(handed):
    def build(key):
        layer = PointMessages(CHANNELS, key, points=3, handed=handed)

        def answer(layer, s, x):
            return layer(*layer(s, x, None, REAL), None, REAL)[1]

        return layer, eqx.filter_jit(answer)

    return build


def vectors(handed):
    def build(key):
        layer = VectorMessages(CHANNELS, 2, key, handed=handed)

        def answer(layer, s, x):
            v = jnp.stack([x[:, 0] - x[:, 1], x[:, 2] - x[:, 1]], axis=1)
            for _ in range(2):
                s, v = layer(s, v, x[:, 1], None, REAL)
            return x[:, 1:2] + v

        return layer, eqx.filter_jit(answer)

    return build


LAYERS = {
    "attention": (attention, True),
    "points": (points(False), False),
    "points, handed": (points(True), True),
    "vectors": (vectors(False), False),
    "vectors, handed": (vectors(True), True),
}


@pytest.mark.parametrize(("build", "handed"), LAYERS.values(), ids=list(LAYERS))
def test_layers_turn_with_their_input_before_and_after_learning(build, handed):
    with float64():
        key = jax.random.key(6)
        layer, answer = build(key)
        s, x = jax.random.normal(key, (N, CHANNELS)), jax.random.normal(jax.random.fold_in(key, 1), (N, 3, 3))
        before = answer(layer, s, x)
        wanted = jax.random.normal(jax.random.fold_in(key, 2), before.shape)
        learned = taught(layer, lambda layer: jnp.mean((answer(layer, s, x) - wanted) ** 2))
        assert np.abs(answer(learned, s, x) - before).max() > 0.1  # it did learn something
        for one in (layer, learned):
            held(answer, one, np.asarray(s), np.asarray(x), handed, 1e-12)
    single = lambda tree: jax.tree.map(lambda x: x.astype(np.float32) if eqx.is_inexact_array(x) else x, tree)
    for one in (layer, learned):
        held(answer, single(one), np.asarray(s, np.float32), np.asarray(x, np.float32), handed, 1e-5)


def held(answer, layer, s, x, handed, most):
    """That the answer turns with the input, and knows a mirror where it should."""
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    turn = (turn * np.sign(np.linalg.det(turn))).astype(x.dtype)
    shift, mirror = np.array([3.0, -1.0, 2.0], x.dtype), np.array([1.0, 1.0, -1.0], x.dtype)
    said, moved, flipped = (np.asarray(answer(layer, s, y))[:-1] for y in (x, x @ turn.T + shift, x * mirror))
    size = np.abs(said).max()
    assert said.dtype == x.dtype
    assert np.abs(moved - (said @ turn.T + shift)).max() < most * size
    difference = np.abs(flipped - said * mirror).max()
    assert difference > 1e-3 * size if handed else difference < most * size


def taught(layer, loss, updates=30):
    parameters, rest = eqx.partition(layer, eqx.is_inexact_array)
    optimiser = optax.adam(0.03)

    @jax.jit
    def step(carry, _):
        parameters, moments = carry
        slope = jax.grad(lambda p: loss(eqx.combine(p, rest)))(parameters)
        change, moments = optimiser.update(slope, moments)
        return (optax.apply_updates(parameters, change), moments), None

    (parameters, _), _ = jax.lax.scan(step, (parameters, optimiser.init(parameters)), length=updates)
    return eqx.combine(parameters, rest)


def test_padding_is_neither_heard_nor_moved():
    layer, answer = attention(jax.random.key(7))
    s, x = jax.random.normal(jax.random.key(8), (N, CHANNELS)), jax.random.normal(jax.random.key(9), (N, 3, 3))
    other = x.at[-1].add(5.0)
    np.testing.assert_array_equal(answer(layer, s, x)[:-1], answer(layer, s, other)[:-1])
