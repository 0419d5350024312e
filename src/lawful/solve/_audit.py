"""Where a solution cheats: the laws' residual at independent points, and its worst place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._core.estimates import plain
from ..geometry import Domain
from ..problem import Model
from ._evaluate import evaluate_batch
from ._scaling import Sizes

Points = dict[str, np.ndarray]

CLIMBS = 3  # looks closer and closer around the worst points found so far
CROWD = 32  # how many of them
LARGE = 5e-2  # of the size of a law's terms: a residual that may hide a wrong solution ...
OUTLIER = 10.0  # ... where it is so many times the residual elsewhere


@dataclass(frozen=True)
class Audit:
    """A law's residual at points that no fit has seen, in units of the typical size of its terms.

    `rms` over the domain, `worst` at `place`; the worst is looked for, by going back to the worst points ever closer.
    """

    law: str
    rms: float
    worst: float
    place: dict[str, float]

    @property
    def cheats(self) -> bool:
        """Whether the worst place is out of proportion to the rest: the law holds nearly everywhere, and not at all
        where it matters. Near a shock a field can look perfect and be wrong."""
        return not (self.worst <= LARGE or self.worst <= OUTLIER * self.rms)

    def to_json(self) -> dict:
        """Numbers as numbers; null where the residual is not finite."""
        return {"rms": plain(self.rms), "worst": plain(self.worst), "at": self.place}

    def __str__(self) -> str:
        where = ", ".join(f"{axis} = {value:.4g}" for axis, value in self.place.items())
        times = self.worst / self.rms if self.rms > 0 else 0.0
        return (
            f"residual of law '{self.law}' at independent points: rms {self.rms:.1e} of the size of its terms, worst"
            f" {self.worst:.1e} ({times:.0f} times as much) at {where}"
        )


def audits(model: Model, sizes: Sizes, count: int) -> tuple[Audit, ...]:
    """Every law of a problem, looked at on `count` points, several times over."""
    return tuple(audit(model, name, float(sizes.laws[name]), count) for name in model.problem.laws)


def audit(model: Model, name: str, size: float, count: int) -> Audit:
    domain, law = model.problem.domain, model.problem.laws[name]

    def looked(points: Points) -> np.ndarray:
        found = np.abs(np.asarray(evaluate_batch(model, law, points))) / size
        return np.where(np.isfinite(found), found, np.inf)

    points = domain.sample(count, seed=20011)  # a seed that no fit uses
    found = looked(points)
    rms = float(np.sqrt(np.mean(found**2)))
    for climb in range(CLIMBS):
        near = crowded(domain, points, found, count, reach=0.03 * 0.15**climb, seed=climb)
        closer = looked(near)
        points = {axis: np.concatenate([points[axis], near[axis]]) for axis in points}
        found = np.concatenate([found, closer])
    index = int(np.argmax(found))
    return Audit(name, rms, float(found[index]), {axis: float(values[index]) for axis, values in points.items()})


def crowded(domain: Domain, points: Points, found: np.ndarray, count: int, reach: float, seed: int) -> Points:
    """Points around the worst ones, within a fraction of the axes; those that fall outside stay where they were."""
    rng = np.random.default_rng(seed)
    worst = np.argsort(-found)[:CROWD][np.arange(count) % CROWD]
    moved = {
        axis: np.clip(values[worst] + reach * domain.length(axis) * rng.normal(size=count), *domain.ends(axis))
        for axis, values in points.items()
    }
    inside = domain.contains(moved)
    return {axis: np.where(inside, moved[axis], values[worst]) for axis, values in points.items()}
