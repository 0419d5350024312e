"""What friction is known to be possible at a pressure: by free-form descent, and the spread of the library."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..design import Goal, Range, Sample, Space, linear_programs, optimise
from ._ring import CONTROLS, THINNEST
from ._ring_generators import ALLOWED, Library
from ._ring_judge import Judge
from ._ring_shipped import Attainable


@dataclass
class Held:
    """The simulator at one pressure, as a model of the texture alone."""

    judge: Judge
    pressure: float
    gap: float = 4e-7

    @property
    def space(self) -> Space:
        return Space(texture=Range(0.0, 1.0, (CONTROLS, CONTROLS)))

    def sample(self, u: Float[np.ndarray, " d"]) -> Sample:
        found, _ = self.judge.at(u.reshape(CONTROLS, CONTROLS), self.pressure, self.gap)
        if found.failure:
            return found
        self.gap = float(np.exp(found.values["gap"]))
        return Sample(found.values, {name: slope[:-1] for name, slope in found.slopes.items()})


def attainable(
    library: Library, judge: Judge, pressures: Float[np.ndarray, " k"], *, starts: int = 2, most: int = 40
) -> tuple[Attainable, list[np.ndarray]]:
    """The least friction by linear programs from the textures of the library that have the least, and those of 98 % of
    the library within a factor of 1.4 of the pressure, eight at least."""
    goal = Goal("friction", {"stress": (None, float(np.log(ALLOWED))), "gap": (float(np.log(THINNEST)), None)})
    rows, bests = [], []
    for pressure in pressures:
        away = np.abs(np.log(library.pressure / pressure))
        near = (away < np.log(1.4)) | (away <= np.sort(away)[min(7, len(away) - 1)])
        low, high = np.quantile(library.friction[near], [0.01, 0.99])
        first = np.flatnonzero(near)[np.argsort(library.friction[near])[:starts]]
        begin = library.maps[first].reshape(len(first), -1).astype(float)
        model = Held(judge, float(pressure))
        best = optimise(model, goal, begin, linear_programs(most=most, radius=0.1, finest=2e-3, better=1e-5))
        least = float(np.exp(best.walk.sample.values["friction"])) if best.kept else float(low)
        rows.append((float(pressure), min(least, float(low)), float(low), float(high)))
        bests.append(best.unit.reshape(CONTROLS, CONTROLS))
    return Attainable(*np.array(rows).T), bests
