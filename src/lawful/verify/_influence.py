"""Leave one sensor out: does the answer hang on a single instrument?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ._base import Measurements
from ._fitting import Fit, column_space
from ._search import Search


@dataclass(frozen=True)
class Without:
    """What would be said without one sensor.

    size_p       of the model as it stands: probability of a larger misfit at the other sensors.
    best         the candidate that would win.
    coefficient  of the winner with all sensors, and its standard deviation, without this one.
    """

    sensor: str
    size_p: float
    best: str
    coefficient: float
    sd: float


def leave_one_out(data: Measurements, found: Search, place: int | None) -> tuple[Without, ...]:
    """For every sensor, by the linear model around each fit: one step of Gauss and Newton, no further solve.

    Without the rows s the sum of squares of a linear fit falls by r_s' (I - H_ss)^-1 r_s, with H the hat matrix.
    Source: Cook and Weisberg, Residuals and Influence in Regression (1982).
    """
    from scipy import special

    rows = [index for index, name in enumerate(data.sensors) if name != "priors"]
    if len(rows) < 2:
        return ()
    seen = []
    for index in rows:
        gone = data.sensor == index
        chi2, dof = without(found.null.found, gone)
        rest = {name: without(refit, gone)[0] for name, refit in found.rivals.items()}
        value, sd = moved(found.best.found, gone, place) if place is not None else (math.nan, math.nan)
        best = min(rest, key=lambda name: rest[name]) if rest else ""
        size = float(special.chdtrc(max(dof, 1.0), chi2)) if not data.estimated else math.nan
        seen.append(Without(data.sensors[index], size, best, value, sd))
    return tuple(seen)


def without(found: Fit, gone: np.ndarray) -> tuple[float, float]:
    """The sum of squares, in units of the noise as it was, and degrees of freedom of a fit without some rows."""
    basis = column_space(found.slopes / found.sd[:, None])
    own = basis[gone]
    core = np.eye(int(gone.sum())) - own @ own.T
    part = found.whitened[gone]
    taken = float(part @ np.linalg.lstsq(core, part, rcond=1e-10)[0])
    kept = np.linalg.matrix_rank(basis[~gone]) if basis.shape[1] else 0
    return max(found.chi2 - taken, 0.0), float(np.sum(~gone) - kept)


def moved(found: Fit, gone: np.ndarray, place: int) -> tuple[float, float]:
    """A fitted number and its standard deviation without some rows, by one step of Gauss and Newton."""
    jacobian = (found.slopes / found.sd[:, None])[~gone]
    norms = np.linalg.norm(jacobian, axis=0)
    scaled = jacobian / np.where(norms > 0, norms, 1.0)
    inverse = np.linalg.pinv(scaled, rcond=1e-10)
    index = found.free.index(place)
    step = float(inverse[index] @ found.whitened[~gone]) / max(norms[index], 1e-300)
    sd = float(np.linalg.norm(inverse[index])) / max(norms[index], 1e-300)
    return float(found.x[place]) - step, sd


def suspects(seen: tuple[Without, ...], level: float, p: float) -> tuple[str, ...]:
    """Sensors without which nothing is wrong: where there is exactly one, look at it before changing the law."""
    return tuple(each.sensor for each in seen if p < level and each.size_p > 10 * level)
