"""What counts as real numbers, and what does not although NumPy would take it."""

import datetime
import decimal
import fractions

import jax.numpy as jnp
import numpy as np
import pytest

from lawful._core.numbers import real_array


@pytest.mark.parametrize(
    "value",
    [
        [1, 2.5],
        (1.0, 2.5),
        np.float32([1, 2.5]),
        jnp.asarray([1, 2.5]),
        [decimal.Decimal(1), fractions.Fraction(5, 2)],
        np.array([1, 2.5], dtype=object),
    ],
)
def test_numbers_are_read(value):
    found = real_array(value)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, [1, 2.5])


def test_integers_booleans_and_scalars_are_numbers():
    assert real_array(3).shape == ()
    np.testing.assert_array_equal(real_array([True, False]), [1.0, 0.0])
    np.testing.assert_array_equal(real_array(np.arange(3, dtype=np.uint8)), [0.0, 1.0, 2.0])


def test_what_is_masked_or_missing_is_nan():
    np.testing.assert_array_equal(real_array([1.0, None]), [1.0, np.nan])
    np.testing.assert_array_equal(real_array(np.ma.array([1, 2], mask=[False, True])), [1.0, np.nan])


@pytest.mark.parametrize(
    ("value", "noun"),
    [
        ("3.5", "text"),
        (["1", "2"], "text"),
        (np.array(["1", 2.0], dtype=object), "text"),
        (b"1", "text"),
        (1 + 2j, "complex numbers"),
        (np.array([1 + 0j]), "complex numbers"),
        (np.array([1.0, 2j], dtype=object), "complex numbers"),
        (np.array(["2024-01-01"], dtype="datetime64[s]"), "dates"),
        (np.array([3], dtype="timedelta64[s]"), "time spans"),
        (datetime.datetime(2024, 1, 1), "not a number"),
        (None, "nothing"),
        ([[1, 2], [3]], "not a number"),
        ({"a": 1}, "not a number"),
        (lambda x: x, "not a number"),
    ],
)
def test_what_would_be_guessed_is_refused(value, noun):
    with pytest.raises(TypeError, match=noun):
        real_array(value)
