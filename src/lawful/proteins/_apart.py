"""Distances between all of some places and all of others."""

from __future__ import annotations

import numpy as np
from jaxtyping import Array, Float


def squares_apart(
    one: Float[Array | np.ndarray, "a 3"], other: Float[Array | np.ndarray, "b 3"]
) -> Float[Array | np.ndarray, "a b"]:
    """|x_i - y_j|^2, in the square of the unit of the places.

    Axis by axis: a processor adds whole rows of pairs many times faster, slopes included, than the three numbers of
    each pair.
    """
    x, y, z = ((one[:, k, None] - other[None, :, k]) ** 2 for k in range(3))
    return x + y + z
