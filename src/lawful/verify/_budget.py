"""The error budget: for every sensor and quantity of interest, how large each source of error is, in its own unit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ._base import ForwardModel, Measurements
from ._discretisation import Discretisation
from ._fitting import Fit


@dataclass(frozen=True)
class Line:
    """One line of the budget, root mean squares over the rows of a sensor, in the unit of what it measures.

    discretisation   of the mesh.
    noise            of the data.
    parameters       what the error bars of the fitted numbers do to the prediction.
    left             what of the misfit none of these can be: sqrt(rms^2 - expected^2) where that exceeds what noise
                     does by chance (two standard deviations), else 0. NaN for a quantity that is not measured.
    misfit           of prediction and reading.
    """

    name: str
    quantity: str
    discretisation: float
    noise: float
    parameters: float
    left: float
    misfit: float

    def to_json(self) -> dict:
        return {
            "name": self.name,
            "quantity": self.quantity,
            "discretisation": self.discretisation,
            "noise": None if math.isnan(self.noise) else self.noise,
            "parameters": self.parameters,
            "left": None if math.isnan(self.left) else self.left,
        }


def budget(
    data: Measurements, found: Fit, mesh: Discretisation, covariance: Float[np.ndarray, "free free"] | None = None
) -> tuple[Line, ...]:
    """A line for every sensor; `covariance` of the fitted numbers by default that of the Gaussian approximation.

    The misfit of a fit is smaller than the noise by what the fitted numbers took: its expected square is
    sd^2 (1 - leverage). Source: ASME V&V 20 (2009) for the parts of a validation uncertainty.
    """
    square = found.covariance if covariance is None else covariance
    spread = np.sqrt(np.maximum(np.einsum("ri,ij,rj->r", found.slopes, square, found.slopes), 0.0))
    leverage = np.sum(found.tangent**2, axis=1)
    lines = []
    for index, name in enumerate(data.sensors):
        rows = data.sensor == index
        if name == "priors" or not rows.any():
            continue
        expected = found.sd[rows] ** 2 * (1 - leverage[rows])
        square, mean = float(np.mean(found.miss[rows] ** 2)), float(np.mean(expected))
        excess = square - mean - rms(mesh.error[rows]) ** 2
        chance = math.sqrt(2 * float(np.sum(expected**2))) / rows.sum()
        lines.append(
            Line(
                name,
                data.columns[int(data.column[rows][0])],
                rms(mesh.error[rows]),
                rms(found.sd[rows]),
                rms(spread[rows]),
                math.sqrt(excess) if excess > 2 * chance else 0.0,
                math.sqrt(square),
            )
        )
    return tuple(lines)


def quantity_line(
    name: str, value: Callable[[np.ndarray], float], model: ForwardModel, found: Fit, error: float
) -> tuple[float, Line]:
    """The value of a quantity of interest, and its line: `error` is that of the mesh; its slopes along the fitted
    numbers are taken by central differences, which is enough for an error bar."""
    here = value(found.x)
    slopes = []
    sds = np.sqrt(np.maximum(np.diag(found.covariance), 0.0))
    for place, sd in zip(found.free, sds, strict=True):
        step = 0.1 * sd if sd > 0 else 1e-6
        ahead, behind = found.x.copy(), found.x.copy()
        ahead[place] += step
        behind[place] -= step
        slopes.append((value(ahead) - value(behind)) / (2 * step))
    g = np.array(slopes)
    spread = math.sqrt(max(float(g @ found.covariance @ g), 0.0)) if len(g) else 0.0
    return here, Line(name, name, abs(error), math.nan, spread, math.nan, math.nan)


def rms(values: Float[np.ndarray, " n"]) -> float:
    return float(np.sqrt(np.mean(values**2)))
