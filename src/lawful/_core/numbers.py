"""Real numbers out of whatever came, and a word for what came instead."""

from __future__ import annotations

import math
from typing import TypeGuard

import numpy as np
from jaxtyping import Float

KINDS = {"U": "text", "S": "text", "c": "complex numbers", "M": "dates", "m": "time spans"}
"""What an array of each of NumPy's kinds holds, where that is no real number."""


def real_array(value: object) -> Float[np.ndarray, "..."]:
    """Numbers as an array of floats, masked and missing ones (None) as NaN.

    Raises `TypeError` with a noun ("text", "complex numbers", ...) where NumPy would guess: it reads "3.5" as a
    number, drops imaginary parts and masks, and counts dates from 1970.
    """
    if value is None:
        raise TypeError("nothing")
    if isinstance(value, np.ma.MaskedArray):
        value = np.ma.filled(value.astype(float), np.nan)
    try:
        array = np.asarray(value)
        if array.dtype.kind == "O":
            mixed = next((item for item in array.ravel() if isinstance(item, str | bytes | complex)), 0.0)
            array = np.asarray(mixed) if isinstance(mixed, str | bytes | complex) else np.asarray(array, dtype=float)
    except (TypeError, ValueError):
        raise TypeError("something that is not a number") from None
    if array.dtype.kind in KINDS:
        raise TypeError(KINDS[array.dtype.kind])
    return np.asarray(array, dtype=float)


def is_positive(value: object) -> TypeGuard[float]:
    """Whether something is one number, above zero and finite."""
    return isinstance(value, int | float | np.number) and math.isfinite(value) and bool(value > 0)
