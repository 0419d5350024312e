"""Are the residuals noise? Neighbours that lean the same way say that the law is not the whole story."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class ResidualCorrelation:
    """Correlation of neighbouring residuals of one measured column, in the order of the axis.

    lag_one     correlation of each residual with the next; near 0 for independent noise.
    z           the same in units of its standard deviation under independence, 1/sqrt(n).
    inflation   by how much error bars are too small if the residuals are a first-order autoregressive process:
                sqrt((1 + lag_one) / (1 - lag_one)), 1 where the correlation is not significant.
                Source: Bartlett, J. R. Stat. Soc. B 8, 27 (1946).
    """

    lag_one: float
    z: float
    inflation: float

    def __str__(self) -> str:
        if self.inflation == 1.0:
            return f"neighbouring residuals are uncorrelated ({self.lag_one:+.2f}, {self.z:.1f} sigma)"
        return (
            f"neighbouring residuals are correlated ({self.lag_one:+.2f}, {self.z:.0f} sigma): the law misses"
            " something small,"
            f" and error bars are too small by a factor of about {self.inflation:.1f}"
        )


def residual_correlation(places: Float[np.ndarray, " n"], residuals: Float[np.ndarray, " n"]) -> ResidualCorrelation:
    """Lag-one correlation of residuals sorted along an axis; at least four of them."""
    sorted_residuals = residuals[np.argsort(places, kind="stable")]
    centred = sorted_residuals - sorted_residuals.mean()
    count, square = len(centred), float(np.sum(centred**2))
    if count < 4 or square == 0.0:
        return ResidualCorrelation(0.0, 0.0, 1.0)
    lag = float(np.sum(centred[1:] * centred[:-1])) / square
    z = lag * math.sqrt(count)
    inflation = math.sqrt((1 + lag) / (1 - lag)) if z > 3 else 1.0
    return ResidualCorrelation(lag, z, inflation)
