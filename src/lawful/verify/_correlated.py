"""Noise that leans: a tracker that drifts, a thermometer that lags. Its correlation is estimated and taken out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ._base import ForwardModel, Measurements
from ._fitting import Fit

SHARES = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97])
LENGTHS = 10


@dataclass(frozen=True)
class Correlation:
    """Noise of unit variance with correlation share * exp(-|t - t'| / length) between readings of the same sensor.

    root  its inverse Cholesky factor: what makes the noise white (rows, rows).
    axis  along which readings of a sensor follow each other.
    """

    share: float
    length: float
    axis: str
    root: Float[np.ndarray, "rows rows"]

    def __str__(self) -> str:
        if self.share == 0:
            return "the noise is white"
        return (
            f"{100 * self.share:.0f} % of the variance of the noise is correlated over a distance of {self.length:.3g}"
            f" in {self.axis}"
        )

    def applied(self, model: ForwardModel, data: Measurements) -> tuple[ForwardModel, Measurements]:
        """Model and readings with rows combined so that their noise is white; the sizes of the noise stay."""
        left, right = data.sd[:, None] * self.root, 1 / data.sd
        turn = left * right[None, :]

        def linearise(x, directions):
            values, slopes = model.linearise(x, directions)
            return turn @ values, turn @ slopes

        def turned(function):
            return lambda x: turn @ function(x)

        whitened = dataclasses.replace(
            model,
            predict=turned(model.predict),
            linearise=linearise,
            finer=tuple(turned(each) for each in model.finer),
            parts={name: turned(each) for name, each in model.parts.items()},
            probe=None,  # another sensor's noise would need the same treatment
        )
        return whitened, data.holding(turn @ data.values)


def correlation(found: Fit, data: Measurements) -> Correlation | None:
    """Share and length of the largest restricted likelihood, given the residuals of a fit; None where no sensor has
    readings that follow each other. Source: Patterson and Thompson, Biometrika 58, 545 (1971) (REML)."""
    axis = following(data)
    if axis is None:
        return None
    line = data.places[axis]
    groups = [np.flatnonzero((data.sensor == s) & np.isfinite(line)) for s in range(len(data.sensors))]
    groups = [g for g in groups if len(g) > 1]
    gaps = np.concatenate([np.diff(np.sort(line[g])) for g in groups])
    least, span = float(np.median(gaps[gaps > 0])), max(float(np.ptp(line[g])) for g in groups)
    best, score = None, np.inf
    for share, length in choices(least, span):
        factors = [np.linalg.cholesky(covariance(line[g], share, length)) for g in groups]
        value = restricted(found, groups, factors)
        if value < score - 1e-9:
            best, score = (share, length, factors), value
    assert best is not None
    root = np.eye(len(line))
    for rows, factor in zip(groups, best[2], strict=True):
        root[np.ix_(rows, rows)] = np.linalg.inv(factor)
    return Correlation(float(best[0]), float(best[1]), axis, root)


def choices(least: float, span: float) -> Iterator[tuple[float, float]]:
    yield 0.0, least
    for length in np.geomspace(0.7 * least, max(0.3 * span, 1.4 * least), LENGTHS):
        for share in SHARES[1:]:
            yield float(share), float(length)


def following(data: Measurements) -> str | None:
    """The axis along which most readings of the same sensor differ."""
    counts = {
        axis: max(len(np.unique(line[(data.sensor == s) & np.isfinite(line)])) for s in range(len(data.sensors)))
        for axis, line in data.places.items()
    }
    best = max(counts, key=lambda axis: counts[axis], default=None)
    return best if best is not None and counts[best] > 3 else None


def covariance(places: Float[np.ndarray, " n"], share: float, length: float) -> Float[np.ndarray, "n n"]:
    distance = np.abs(places[:, None] - places[None, :])
    return (1 - share) * np.eye(len(places)) + share * np.exp(-distance / length) + 1e-10 * np.eye(len(places))


def restricted(found: Fit, groups: list[np.ndarray], factors: list[np.ndarray]) -> float:
    """-2 log of the restricted likelihood, the size of the noise profiled out."""
    rows, jacobian = found.whitened.copy(), found.slopes / found.sd[:, None]
    norms = np.linalg.norm(jacobian, axis=0)
    jacobian = jacobian[:, norms > 0] / norms[norms > 0]
    volume = 0.0
    for index, factor in zip(groups, factors, strict=True):
        rows[index] = np.linalg.solve(factor, rows[index])
        jacobian[index] = np.linalg.solve(factor, jacobian[index])
        volume += 2 * float(np.sum(np.log(np.diag(factor))))
    left, sizes, _ = np.linalg.svd(jacobian, full_matrices=False)
    kept = sizes > 1e-8 * np.max(sizes, initial=1e-300)
    rows = rows - left[:, kept] @ (left[:, kept].T @ rows)
    dof = len(rows) - int(kept.sum())
    return dof * float(np.log(rows @ rows)) + volume + 2 * float(np.sum(np.log(sizes[kept])))
