"""A found quantity with its error bar."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .messages import BadInput


@dataclass(frozen=True)
class Estimate:
    """A found quantity: value ± standard deviation.

    `value` and `sd` are floats for a scalar unknown and arrays of its shape otherwise. `dof` is the number of degrees
    of freedom behind an estimated noise level (Student's t is used for intervals), infinite where the noise was given.
    An infinite `sd` says that the data do not determine the quantity.
    """

    name: str
    value: float | Float[np.ndarray, "..."]
    sd: float | Float[np.ndarray, "..."]
    dof: float = math.inf

    def interval(self, level: float = 0.95) -> tuple:
        """The central confidence interval at `level`, value ± t sd. Source: any text on linear regression.

        Without degrees of freedom nothing is excluded: the interval is infinite.
        """
        from scipy import special

        if not 0 < level < 1:
            raise BadInput(f"the level of an interval is a probability between 0 and 1, such as 0.95, not {level}.")
        quantile = float(special.stdtrit(self.dof, 0.5 + level / 2)) if self.dof > 0 else math.inf
        return self.value - quantile * self.sd, self.value + quantile * self.sd

    def __float__(self) -> float:
        return float(self.value)

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.asarray(self.value, dtype=dtype)

    def __str__(self) -> str:
        if np.ndim(self.value) == 0:
            return format_estimate(float(self.value), float(self.sd))
        parts = [
            format_estimate(float(v), float(s)) for v, s in zip(np.ravel(self.value), np.ravel(self.sd), strict=True)
        ]
        return "[" + ", ".join(parts) + "]"

    __repr__ = __str__

    def to_json(self) -> dict:
        """{"value": v, "sd": s}; an sd that is not finite is null, since JSON has no infinity."""
        return {"value": plain(self.value), "sd": plain(self.sd)}


def format_estimate(value: float, sd: float, digits: int = 2) -> str:
    """`0.0031831 ± 0.0000041`: the error bar to two digits, the value to the same place."""
    if not math.isfinite(sd):
        return f"{value:.6g} ± undetermined"
    if not math.isfinite(value) or sd <= 0 or sd < 1e-15 * abs(value):
        return f"{value:.12g} ± {sd:.1g}"
    place = digits - 1 - math.floor(math.log10(sd))  # decimals after the point
    exponent = math.floor(math.log10(max(abs(value), sd)))
    if -4 < exponent < 6 and place <= 12:
        decimals = max(place, 0)
        return f"{value:.{decimals}f} ± {sd:.{decimals}f}"
    if exponent < -307:  # powers of ten below have few bits or none
        return f"{value:.1g} ± {sd:.1g}"
    decimals = max(place + exponent, 0)
    return f"({value / 10.0**exponent:.{decimals}f} ± {sd / 10.0**exponent:.{decimals}f})e{exponent:+03d}"


def plain(value) -> float | list | None:
    """A number or array as JSON can hold it: floats and lists, null for what is not finite."""
    array = np.asarray(value, dtype=float)
    if array.ndim:
        return [plain(item) for item in array]
    number = float(array)
    return number if math.isfinite(number) else None
