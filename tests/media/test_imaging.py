"""Pictures of sections: what is thought beforehand, what the records make of it, and what is refused."""

import numpy as np
import pytest

from lawful import BadInput, media
from lawful.media._imaging import settled
from lawful.media._rough import Rough

SHAPE, SPACING, SPREAD, REACH = (41, 31), 0.05, 0.3, 0.2


def test_a_rough_field_has_the_variance_and_the_correlation_that_it_says():
    field = Rough(SHAPE, SPACING, 30, SPREAD, REACH)
    # Everything shown or left out is all that there is.
    np.testing.assert_allclose(np.sum(field.basis**2, axis=1).reshape(SHAPE) + field.left_out(), SPREAD**2, rtol=1e-12)
    covariance = (field.basis @ field.basis.T).reshape(*SHAPE, *SHAPE)[20, 15]
    far = SPACING * np.hypot(np.arange(41)[:, None] - 20, np.arange(31) - 15)
    # The finest wave of the grid cuts the point off, and the walls turn what is beyond them back.
    middle = (far > 3 * SPACING) & (far < 0.5)
    np.testing.assert_allclose(covariance[middle], SPREAD**2 * np.exp(-far[middle] / REACH), atol=0.05 * SPREAD**2)


def test_what_is_left_out_cancels_in_averages():
    field = Rough(SHAPE, SPACING, 12, SPREAD, REACH)
    node = np.zeros(SHAPE)
    node[9, 22] = 1.0
    assert field.left_out_of(node) == pytest.approx(field.left_out()[9, 22], rel=1e-12)
    assert 0.1 * SPREAD**2 < field.left_out()[9, 22] < 0.5 * SPREAD**2
    disc = np.hypot(np.arange(41)[:, None] - 18, np.arange(31) - 14) < 7
    assert field.left_out_of(disc / disc.sum()) < 0.02 * field.left_out()[18, 14]


def test_the_scale_of_the_prior_is_found_from_data():
    """A linear problem: weights of sd 3 where 1 was thought, some well measured, some not at all."""
    rng = np.random.default_rng(0)
    count, scale = 400, 3.0
    values = np.concatenate([np.geomspace(1e3, 1e-1, count // 2), np.zeros(count // 2)])
    vectors = np.linalg.qr(rng.normal(size=(count, count)))[0]
    true = scale * rng.normal(size=count)
    rows = np.sqrt(values)[:, None] * vectors.T
    slope = rows.T @ (-rows @ true - rng.normal(size=count))  # J'r at w = 0
    found = settled(values, vectors, slope, np.zeros(count))
    assert found.scale == pytest.approx(scale, rel=0.15)
    wanted = np.linalg.inv(rows.T @ rows + np.eye(count) / found.scale**2)
    np.testing.assert_allclose(found.covariance, wanted, atol=1e-9)
    np.testing.assert_allclose(found.weights, -wanted @ slope, atol=1e-9)
    assert np.mean(((found.weights - true) @ np.linalg.inv(np.linalg.cholesky(wanted)).T) ** 2) < 1.3


BLOCK = media.Section(np.full((12, 12), 10e9), 2400.0, 0.02)
SHOTS = media.Shots([[2, 3]], [[5, 5], [9, 4]], np.asarray(media.ricker(4e-6 * np.arange(150), 5e3)), 4e-6)
RECORDS = np.ones((1, 2, 150))
REFUSED = {
    "records of another shape": (lambda: media.image(SHOTS, np.ones((2, 2, 150)), BLOCK, noise=1.0), "have shape"),
    "a gap": (lambda: media.image(SHOTS, np.where(RECORDS > 0, np.nan, 0), BLOCK, noise=1.0), "mend it"),
    "noise zero": (lambda: media.image(SHOTS, RECORDS, BLOCK, noise=0.0), "noise=0.0"),
    "finer than the grid": (lambda: media.image(SHOTS, RECORDS, BLOCK, noise=1.0, details=12), "from 2 to 11"),
    "no reach": (lambda: media.image(SHOTS, RECORDS, BLOCK, noise=1.0, details=5, reach=-1.0), "reach=-1.0"),
    "bands without the last": (lambda: media.image(SHOTS, RECORDS, BLOCK, noise=1.0, bands=[2e3]), "None, for all"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_at_the_door(case):
    make, word = REFUSED[case]
    with pytest.raises(BadInput, match=word):
        make()
