"""Where a solution cheats: the laws' residual at independent points, and its worst place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from .._core.estimates import plain
from .._core.messages import BadInput
from ..geometry import Domain
from ..problem import Model, Problem
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
    All of it beyond the reach of places that the problem declares singular; `singular` is the worst that was seen
    within, None where none are declared.
    """

    law: str
    rms: float
    worst: float
    place: dict[str, float]
    singular: float | None = None

    @property
    def cheats(self) -> bool:
        """Whether the worst place is out of proportion to the rest: the law holds nearly everywhere, and not at all
        where it matters. Near a shock a field can look perfect and be wrong."""
        return not (self.worst <= LARGE or self.worst <= OUTLIER * self.rms)

    def to_json(self) -> dict:
        """Numbers as numbers; null where the residual is not finite."""
        near = {} if self.singular is None else {"near_singular_places": plain(self.singular)}
        return {"rms": plain(self.rms), "worst": plain(self.worst), "at": self.place, **near}

    def __str__(self) -> str:
        where = ", ".join(f"{axis} = {value:.4g}" for axis, value in self.place.items())
        times = self.worst / self.rms if self.rms > 0 else 0.0
        return (
            f"residual of law '{self.law}' at independent points: rms {self.rms:.1e} of the size of its terms, worst"
            f" {self.worst:.1e} ({times:.0f} times as much) at {where}"
            + (f"; not judged near the declared singular places, up to {self.singular:.1e}" if self.singular else "")
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
    found, apart = looked(points), beyond(model.problem, points)
    near = float(np.max(found[~apart], initial=0.0)) if model.problem.singular else None
    points, found = {axis: values[apart] for axis, values in points.items()}, found[apart]
    if not len(found):
        raise BadInput("the reach of the declared singular places covers the whole domain; make it smaller.")
    rms = float(np.sqrt(np.mean(found**2)))
    for climb in range(CLIMBS):
        closer = crowded(domain, points, found, count, reach=0.03 * 0.15**climb, seed=climb)
        apart = beyond(model.problem, closer)
        points = {axis: np.concatenate([points[axis], closer[axis][apart]]) for axis in points}
        found = np.concatenate([found, looked(closer)[apart]])
    index = int(np.argmax(found))
    place = {axis: float(values[index]) for axis, values in points.items()}
    return Audit(name, rms, float(found[index]), place, near)


def beyond(problem: Problem, points: Points) -> Bool[np.ndarray, " n"]:
    """Which points lie out of reach of every place that is declared singular."""
    near = [place.near(points) for place in problem.singular]
    return ~np.any(near, axis=0) if near else np.ones(len(next(iter(points.values()))), dtype=bool)


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
