"""How good a surrogate is, on designs that it has not seen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ._dataset import Dataset
from ._surrogate import Surrogate


class Score(NamedTuple):
    """Of one output over held-out designs.

    median   of |y / Y - 1|; of a field of |y - Y| / rms(Y) of each design.
    r2       1 - sum (y - Y)^2 / sum (Y - mean Y)^2.
    cosine   between the slopes, the median over designs; NaN for a field or where there are none.
    within   the part of errors below one sd: 0.68 where the bars are right.
    sd       the median error bar.
    """

    median: float
    r2: float
    cosine: float
    within: float
    sd: float

    def record(self) -> dict[str, float | None]:
        """For JSON, which knows no NaN."""
        return {name: None if np.isnan(value) else value for name, value in self._asdict().items()}


def scores(surrogate: Surrogate, data: Dataset) -> dict[str, Score]:
    """Of every output. Where the data also set the error bars, `within` is 0.68 by construction: use other designs."""
    said = surrogate.guesses(data.units)
    found = {}
    for name, rows in data.values.items():
        y, sd = np.asarray(said[name].value), np.asarray(said[name].sd)
        off = np.abs(y - rows)
        if rows.ndim == 1:
            median = float(np.median(off / np.abs(rows)))
        else:
            each = tuple(range(1, rows.ndim))
            median = float(np.median(np.sqrt(np.mean(off**2, each) / np.mean(rows**2, each))))
        r2 = 1 - float(np.sum(off**2) / np.sum((rows - np.mean(rows, axis=0)) ** 2))
        cosine = cosines(surrogate, data, name) if name in data.slopes else float("nan")
        found[name] = Score(median, r2, cosine, float(np.mean(off < sd)), float(np.median(sd)))
    return found


def cosines(surrogate: Surrogate, data: Dataset, name: str) -> float:
    mine, theirs = np.stack([surrogate.sample(u).slopes[name] for u in data.units]), data.slopes[name]
    lengths = np.linalg.norm(mine, axis=1) * np.linalg.norm(theirs, axis=1)
    return float(np.median(np.sum(mine * theirs, axis=1) / np.maximum(lengths, 1e-300)))
