"""Designs to learn from, as rows of unit vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.stats import qmc

from .._core.messages import BadInput
from ._space import Range, Space, Units

SOBOL_MOST = 21201  # dimensions of the tables


def latin(space: Space, count: int, seed: int = 0) -> Units:
    """A Latin hypercube: each entry of a design takes each of `count` levels once. Returns `count` designs in the unit
    cube of the space, (count, size).

    Source: M. D. McKay, R. J. Beckman, W. J. Conover, Technometrics 21, 239 (1979).
    """
    return qmc.LatinHypercube(space.size, rng=np.random.default_rng(seed)).random(count)


def sobol(space: Space, count: int, seed: int = 0) -> Units:
    """Sobol's points, scrambled; most even where `count` is a power of two. In more than some tens of dimensions no
    more even than random ones: see `waves` for free forms.

    Returns `count` designs in the unit cube of the space, (count, size). Raises `BadInput` beyond 21,201 dimensions.
    Source: I. M. Sobol, USSR Comp. Math. 7, 86 (1967); directions of Joe and Kuo (2008), as in SciPy.
    """
    if space.size > SOBOL_MOST:
        raise BadInput(f"sobol: {space.size} dimensions, at most {SOBOL_MOST}; use latin or waves.")
    power = int(np.ceil(np.log2(max(count, 1))))
    return qmc.Sobol(space.size, rng=np.random.default_rng(seed)).random_base2(power)[:count]


def waves(space: Space, count: int, seed: int = 0, *, modes: int = 4, sharpest: float = 8.0) -> Units:
    """Random free forms: every array is a smooth random field pushed against its bounds, as optimal designs are.

        u = 1/2 + 1/2 tanh(s (g + m)),    g a random field of cosines of up to `modes` half waves along each axis

    modes     along each axis; amplitudes fall as 1 / (1 + k).
    sharpest  the gain s is log-uniform between 1/2 and this: from gentle waves to islands with steep edges.

    White noise would be useless here: all of its designs have the same means. Single numbers are uniform. One entry in
    eight is bare noise on top, so that a model also learns what rough designs do.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        parts = [wave(r, rng, modes, sharpest).ravel() if r.shape else rng.random(1) for r in space.ranges.values()]
        rows.append(np.concatenate(parts))
    return np.stack(rows)


def wave(r: Range, rng: np.random.Generator, modes: int, sharpest: float) -> Float[np.ndarray, "..."]:
    field: Any = rng.normal(size=[modes + 1] * len(r.shape))
    order = np.sum(np.indices(field.shape), axis=0)
    field = field / (1.0 + order)
    for n in r.shape:  # each turn contracts the first axis of what is left and appends its places
        k = np.arange(modes + 1)
        field = np.tensordot(field, np.cos(np.pi * k[:, None] * (np.arange(n) + 0.5) / n), ([0], [0]))
    gain = np.exp(rng.uniform(np.log(0.5), np.log(sharpest)))
    u = 0.5 + 0.5 * np.tanh(gain * (field / max(float(np.std(field)), 1e-12) + rng.normal()))
    rough = rng.random() < 1 / 8
    return np.clip(u + (0.15 * rng.normal(size=r.shape) if rough else 0.0), 0.0, 1.0)
