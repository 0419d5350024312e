"""Joint distances and blending weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lawful._core.messages import BadInput
from lawful.geometry import Box, Disk, Polygon, joined, weights

SHAPE = Polygon(x=[0, 2, 2, 1, 1, 0], y=[0, 0, 1, 1, 2, 2])
PIECES = SHAPE.boundary().surfaces

pytestmark = pytest.mark.usefixtures("float64")


def rows(points: dict) -> jnp.ndarray:
    return jnp.stack([points["x"], points["y"]], axis=-1)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_zero_and_slope_one_on_every_piece(order):
    distance = joined(PIECES, order)
    scalar = lambda row: distance(x=row[0], y=row[1])
    value, slope = jax.jit(jax.vmap(scalar)), jax.jit(jax.vmap(jax.grad(scalar)))
    for piece in PIECES:
        points = piece.sample(64, 0)
        assert np.abs(value(rows(points))).max() < 1e-12
        normal = np.stack([piece.normal(points)[a] for a in "xy"], axis=-1)
        np.testing.assert_allclose(-slope(rows(points)), normal, atol=1e-9)
    inside = rows(SHAPE.sample(200, 0))
    assert np.all(value(inside) > 0)
    if order == 1:
        assert np.all(np.isfinite(jax.jit(jax.vmap(jax.jacfwd(jax.jacfwd(jax.jacfwd(scalar)))))(inside)))


@pytest.mark.parametrize("order", [1, 2])
def test_the_formula(order):
    place = {"x": 0.4, "y": 0.7}
    each = np.array([piece.distance(**place) for piece in PIECES])
    assert float(joined(PIECES, order)(**place)) == pytest.approx(np.sum(each**-order) ** (-1 / order), rel=1e-12)
    w = weights(PIECES, [order] * 6)(**place)
    np.testing.assert_allclose(w, each**-order / np.sum(each**-order), rtol=1e-12)


def test_weights_are_one_on_their_piece_and_sum_to_one():
    shares = weights(PIECES)
    each = jax.jit(jax.vmap(lambda row: shares(x=row[0], y=row[1])))
    for i, piece in enumerate(PIECES):
        found = each(rows(piece.sample(32, 0)))
        np.testing.assert_allclose(found, np.broadcast_to(np.eye(6)[i], found.shape), atol=1e-9)
    found = each(rows(SHAPE.sample(100, 0)))
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert np.all(found >= 0)


def test_a_second_power_keeps_normal_derivatives():
    """With mu = 2 the weight's own slope vanishes on the piece."""
    shares = weights(PIECES, [2] * 6)
    slope = jax.vmap(jax.grad(lambda row: shares(x=row[0], y=row[1])[0]))(rows(PIECES[0].sample(16, 0)))
    np.testing.assert_allclose(slope, 0, atol=1e-9)


def test_corners_are_finite():
    distance, shares = joined(PIECES), weights(PIECES, [1, 2, 1, 2, 1, 2])
    corners = jnp.array(SHAPE.corners)
    scalar = lambda row: distance(x=row[0], y=row[1])
    vector = lambda row: shares(x=row[0], y=row[1])
    np.testing.assert_allclose(jax.jit(jax.vmap(scalar))(corners), 0, atol=1e-13)
    assert np.all(np.isfinite(jax.jit(jax.vmap(jax.grad(scalar)))(corners)))
    np.testing.assert_allclose(jax.jit(jax.vmap(vector))(corners).sum(axis=1), 1)
    assert np.all(np.isfinite(jax.jit(jax.vmap(jax.jacfwd(vector)))(corners)))


def test_faces_and_surfaces_join():
    domain = Disk(x=0, y=0, radius=1) * Box(t=(0, 1))
    distance = joined(domain.boundary().distances())
    for place in ({"x": 0.2, "y": 0.1, "t": 0.0}, {"x": 0.6, "y": 0.8, "t": 0.5}):
        assert float(distance(**place)) == pytest.approx(0, abs=1e-12)
    assert float(distance(x=0.1, y=0.1, t=0.5)) > 0


def test_many_small_pieces_do_not_underflow():
    angle = np.linspace(0, 2 * np.pi, 61)[:-1]
    shape = Polygon(x=1e-8 * np.cos(angle), y=1e-8 * np.sin(angle))
    assert float(joined(shape.pieces, 8)(x=0.0, y=0.0)) == pytest.approx(1e-8, rel=0.5)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: joined([]), "got no piece"),
        (lambda: joined([3]), "takes surfaces or distance functions, but got 3"),
        (lambda: joined(PIECES, 0), "order of 1, 2"),
        (lambda: weights(PIECES, [1]), "one power of 1, 2, ... for each of 6"),
        (lambda: weights(PIECES, [0.5] * 6), "one power"),
    ],
)
def test_what_cannot_be_joined_is_refused(call, words):
    with pytest.raises(BadInput, match=words):
        call()
