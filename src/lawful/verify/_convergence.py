"""Grid convergence of numbers or vectors from runs on several meshes, whatever made them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput

SAFETY = 1.25  # of a grid-convergence index from three meshes; 3 from two
NEAR = 0.25  # by how much the index may change from pair to pair of meshes in the asymptotic range


@dataclass(frozen=True)
class Convergence:
    """What runs on meshes of falling width h say.

    order         observed order of convergence, from the three finest.
    extrapolated  Richardson's estimate of the answer at h = 0.
    error         of the finest run: its distance from that estimate, root mean square.
    index         grid-convergence index of the finest run: the error with a safety factor of 1.25, relative.
    verified      whether the runs are in the asymptotic range; `reason` says why or why not.
    """

    widths: Float[np.ndarray, " runs"]
    order: float
    extrapolated: Float[np.ndarray, "..."]
    error: float
    index: float
    verified: bool
    reason: str

    def __str__(self) -> str:
        word = "verified" if self.verified else "NOT VERIFIED"
        return f"{word}: {self.reason}; error {self.error:.2e}, grid-convergence index {100 * self.index:.2g} %"


def convergence(run: Callable[[float], object], widths: Sequence[float], expected: float | None = None) -> Convergence:
    """Observed order, extrapolated answer and error of a method from runs at three or more mesh widths.

        |f3 - f2| / |f2 - f1| = (h3^p - h2^p) / (h2^p - h1^p),    f(0) = f1 + (f1 - f2) / ((h2 / h1)^p - 1)

    run       from a mesh width to a number or an array.
    widths    falling, such as (1/20, 1/40, 1/80); ratios need not be equal.
    expected  the theoretical order, if known: an observed one that misses it by more than a quarter is not verified.

    In the asymptotic range differences of neighbouring runs point the same way and fall; where there are four runs, the
    order from the coarser three must agree. Otherwise the record says NOT VERIFIED and its error is no bound.
    Source: Roache, Annu. Rev. Fluid Mech. 29, 123 (1997); Celik et al., J. Fluids Eng. 130, 078001 (2008).
    """
    h = np.asarray(widths, dtype=float)
    if len(h) < 3 or not np.all(np.diff(h) < 0) or not np.all(h > 0):
        raise BadInput(
            f"convergence needs at least three mesh widths that fall, such as (0.1, 0.05, 0.025); got {list(h)}."
        )
    answers = [np.atleast_1d(np.asarray(run(float(width)), dtype=float)) for width in h]
    if any(not np.all(np.isfinite(a)) or a.shape != answers[0].shape for a in answers):
        raise BadInput("convergence: every run must return finite numbers of the same shape.")
    steps = [one - other for one, other in zip(answers[1:], answers[:-1], strict=True)]
    sizes = [float(np.sqrt(np.mean(step**2))) for step in steps]
    unit = max(float(np.max(np.abs(answers[-1]))), 1e-300)
    if sizes[-1] <= 1e-14 * unit:
        return Convergence(h, math.nan, answers[-1], sizes[-1], sizes[-1] / unit, True, "differences are at rounding")
    order = observed(h[-3:], sizes[-2], sizes[-1])
    speed = (h[-2] / h[-1]) ** order
    rest = steps[-1] / (speed - 1) if order > 0 else np.full_like(steps[-1], math.nan)
    error = float(np.sqrt(np.mean(rest**2)))
    cosine = float(np.sum(steps[-1] * steps[-2]) / max(np.linalg.norm(steps[-1]) * np.linalg.norm(steps[-2]), 1e-300))
    good, reason = asymptotic(h, sizes, order, cosine, expected)
    return Convergence(h, order, answers[-1] + rest, error, SAFETY * error / unit, good, reason)


def observed(h: Float[np.ndarray, "3"], coarse: float, fine: float) -> float:
    """The order p at which (h3^p - h2^p) / (h2^p - h1^p) is the ratio of the differences, by bisection."""
    ratio = coarse / fine
    low, high = -2.0, 40.0

    def excess(p: float) -> float:
        if abs(p) < 1e-9:
            return math.log(h[0] / h[1]) / math.log(h[1] / h[2]) - ratio
        return (h[0] ** p - h[1] ** p) / (h[1] ** p - h[2] ** p) - ratio

    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    return 0.5 * (low + high)


def asymptotic(
    h: np.ndarray, sizes: list[float], order: float, cosine: float, expected: float | None
) -> tuple[bool, str]:
    said = f"observed order {order:.2f}"
    if order < 0.3:
        return False, f"{said}: differences do not fall with the mesh"
    if cosine < 0 and order < 3:
        return False, f"{said}, but neighbouring differences point opposite ways (cosine {cosine:+.2f})"
    if expected is not None and abs(order - expected) > NEAR * expected:
        return False, f"{said}, where {expected:g} is expected"
    if len(sizes) > 2:
        before = observed(h[-4:-1], sizes[-3], sizes[-2])
        if abs(before - order) > NEAR * max(order, before) + 0.1:
            return False, f"{said}, but {before:.2f} from the coarser meshes: not yet the asymptotic range"
    return True, said
