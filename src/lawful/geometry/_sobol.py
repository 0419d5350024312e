"""Low-discrepancy points of the unit cube, and those of them that a shape keeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, Float

from .._core.messages import BadInput

Points = dict[str, Float[np.ndarray, " n"]]
"""Points as one array for each axis."""

MOST = 24  # 2^24 points tried: what keeps fewer has no inside to speak of


def unit_points(count: int, dimension: int, seed: int) -> Float[np.ndarray, "count dimension"]:
    """Scrambled Sobol points. Source: Joe and Kuo (2008), by way of SciPy."""
    from scipy.stats import qmc

    # A power of two keeps the balance of the sequence; the surplus is cut afterwards.
    power = int(np.ceil(np.log2(max(count, 2))))
    return qmc.Sobol(dimension, rng=np.random.default_rng(seed)).random_base2(power)[:count]


def collected(
    count: int,
    dimension: int,
    seed: int,
    place: Callable[[Float[np.ndarray, "n dimension"]], Points],
    keep: Callable[[Points], Bool[np.ndarray, " n"]],
    unit: Callable[[int, int, int], Float[np.ndarray, "n dimension"]] = unit_points,
) -> Points:
    """Exactly `count` points: those of the unit cube, brought to their place, that are kept; uniform where `place`
    keeps volumes in proportion. `unit` draws points of the cube. Raises `BadInput` where almost none is kept."""
    power = int(np.ceil(np.log2(max(count, 2)))) + 1
    while power <= MOST:
        points = place(unit(2**power, dimension, seed))
        kept = np.flatnonzero(keep(points))
        if len(kept) >= count:
            return {axis: values[kept[:count]] for axis, values in points.items()}
        share = max(len(kept), 1) / 2**power
        power = max(power + 1, int(np.ceil(np.log2(1.2 * count / share))) if len(kept) else power + 3)
    raise BadInput(
        f"the shape fills less than {count / 2**MOST:.1g} of the box around it, so that it cannot be sampled; "
        "split it into smaller shapes."
    )


def together(tables: Sequence[Points]) -> Points:
    """The points of several tables in one, in their order; all name the same axes."""
    return {axis: np.concatenate([table[axis] for table in tables]) for axis in tables[0]}
