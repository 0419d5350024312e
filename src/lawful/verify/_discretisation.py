"""How far the predictions are from what the equations say: runs on finer and finer meshes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from ._base import ForwardModel, Measurements
from ._fitting import Fit, remainder

SLOWEST = 1.5  # factor by which differences must fall from mesh to mesh to be believed
HARMLESS = 0.3  # standard deviations by which the mesh may move a test
SHARE = 0.1  # of the misfit that the mesh may explain where the misfit is beyond all doubt


@dataclass(frozen=True)
class Discretisation:
    """The error of the predictions at the sensors that the mesh is to blame for.

    error     estimate of exact minus predicted (rows,), by Richardson extrapolation from the finest two meshes.
    order     observed order of convergence, NaN where differences are rounding or there are too few meshes.
    fall      differences between neighbouring meshes, root mean square, relative to the largest prediction.
    relative  the largest error over the largest prediction, of any measured quantity.
    parts     the same by source: "space", "time", "solver and rounding".
    verified  whether the differences fall as those of a converging method do; `reason` says why or why not.
    """

    error: Float[np.ndarray, " rows"]
    order: float
    fall: tuple[float, ...]
    relative: float
    parts: dict[str, float] = field(default_factory=dict)
    verified: bool = True
    reason: str = ""


def discretisation(
    model: ForwardModel, data: Measurements, x: Float[np.ndarray, " n"], split: bool = True
) -> Discretisation:
    """Compare predictions at x with those on finer meshes.

    With differences d1 = finer - here and d2 = finest - finer, of root mean squares in the ratio f = |d1| / |d2|, the
    observed order is log f / log ratio and the error d1 + d2 + d2 / (f - 1). It is believed where f is at least 1.5 and
    d1 and d2 point the same way (a method of high order may turn), or where both are rounding. Source: Richardson
    (1911); Roache, Annu. Rev. Fluid Mech. 29, 123 (1997).
    """
    here = model.predict(x)
    unit = sizes(data, here)
    if not model.finer:
        why = "the model was given without finer meshes: its discretisation error is not known"
        return Discretisation(np.zeros_like(here), math.nan, (), math.nan, {}, False, why)
    parts = {}
    if split:
        parts = {name: largest(each(x) - here, unit) for name, each in model.parts.items()}
    steps = np.diff(np.stack([here, *(each(x) for each in model.finer)]), axis=0)
    if not np.all(np.isfinite(steps)):
        why = "the model has no finite predictions on a finer mesh"
        return Discretisation(np.zeros_like(here), math.nan, (), math.nan, parts, False, why)
    fall = tuple(float(np.sqrt(np.mean((step / unit) ** 2))) for step in steps)
    if len(steps) == 1:
        why = "a single finer mesh shows a difference but no order; give two"
        return Discretisation(steps[0], math.nan, fall, largest(steps[0], unit), parts, False, why)
    return judged(steps[-2:], fall, unit, model.ratio, parts)


def judged(
    steps: Float[np.ndarray, "2 rows"], fall: tuple[float, ...], unit: np.ndarray, ratio: float, parts: dict[str, float]
) -> Discretisation:
    first, second = steps
    floor = max(10 * parts.get("solver and rounding", 0.0), 1e-12)
    if max(fall[-2:]) <= floor:
        error = first + second
        why = f"differences between meshes of {max(fall[-2:]):.0e} are at rounding"
        return Discretisation(error, math.nan, fall, largest(error, unit), parts, True, why)
    speed = fall[-2] / max(fall[-1], 1e-300)
    order = math.log(speed) / math.log(ratio)
    cosine = float(first @ second / max(np.linalg.norm(first) * np.linalg.norm(second), 1e-300))
    error = first + second + second / (max(speed, SLOWEST) - 1)
    good = (speed >= SLOWEST and (cosine > 0 or speed > 4)) or fall[-1] <= floor
    if good:
        why = f"differences fall from {fall[-2]:.1e} to {fall[-1]:.1e} with the mesh (observed order {order:.1f})"
    else:
        why = (
            f"differences between meshes go from {fall[-2]:.1e} to {fall[-1]:.1e} (observed order {order:.1f}, cosine"
            f" {cosine:+.2f}): this is not how a converging method behaves, so its error is not known; refine the mesh"
        )
    return Discretisation(error, order, fall, largest(error, unit), parts, good, why)


def sizes(data: Measurements, here: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
    """For every row the largest prediction or reading of its quantity."""
    found = np.zeros(len(here))
    for index in range(len(data.columns)):
        rows = data.column == index
        both = np.concatenate([here[rows], data.values[rows]])
        finite = np.abs(both[np.isfinite(both)])
        found[rows] = max(float(np.max(finite, initial=0.0)), 1e-300)
    return found


def largest(error: Float[np.ndarray, " rows"], unit: Float[np.ndarray, " rows"]) -> float:
    return float(np.max(np.abs(error) / unit))


def bias(mesh: Discretisation, found: Fit) -> float:
    """By how many standard deviations the mesh can move any test statistic, at most: the whitened error that the fit
    cannot absorb."""
    return float(np.linalg.norm(remainder(found.tangent, (mesh.error / found.sd)[:, None])))


def harmless(mesh: Discretisation, found: Fit, data: Measurements) -> bool:
    """Whether the mesh is fine enough to judge the model: it can hardly move a test, or the misfit is far larger."""
    excess = math.sqrt(max(found.chi2 - found.dof, 0.0)) if not data.estimated else 0.0
    return mesh.verified and bias(mesh, found) <= max(HARMLESS, SHARE * excess)


def explained(mesh: Discretisation, found: Fit) -> float:
    """The share of the misfit (of its sum of squares beyond the noise) that disappears when the mesh's error is
    corrected."""
    left = remainder(found.tangent, (mesh.error / found.sd)[:, None])[:, 0]
    before = float(np.sum(found.whitened**2))
    after = float(np.sum((found.whitened + left) ** 2))
    excess = max(before - found.dof, 1e-300)
    return float(np.clip((before - after) / excess, 0.0, 1.0))
