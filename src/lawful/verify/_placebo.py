"""Placebo runs: the whole procedure on readings simulated from the accepted model, to see how often it errs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ._base import ForwardModel, Measurements
from ._fitting import Fit
from ._judge import Judgement, Kind, judge


@dataclass(frozen=True)
class Placebo:
    """What came of `runs` placebo runs.

    flagged   how often something was found wrong with the model that made the readings.
    named     of readings made with the terms found, how often these very terms were named; 0 of 0 where none were.
    covered   of those, how often the 95 % intervals of all their coefficients held the truth.
    """

    runs: int
    flagged: int
    repeats: int = 0
    named: int = 0
    covered: int = 0

    def rate(self, count: int, of: int) -> tuple[float, float, float]:
        """A share with the ends of its 95 % interval. Source: Clopper and Pearson, Biometrika 26, 404 (1934)."""
        from scipy import stats

        found = stats.binomtest(count, of).proportion_ci(0.95, "exact")
        return count / of, float(found.low), float(found.high)

    def __str__(self) -> str:
        share, low, high = self.rate(self.flagged, self.runs)
        text = (
            f"false alarms in {self.flagged} of {self.runs} placebo runs of a right model ({100 * share:.1f} %, between"
            f" {100 * low:.1f} and {100 * high:.1f} %)"
        )
        if not self.repeats:
            return text
        share, low, high = self.rate(self.named, self.repeats)
        held = f"{100 * self.covered / self.named:.0f} %" if self.named else "none"
        return (
            f"{text}; with the missing term in the truth it was named in {self.named} of {self.repeats} runs"
            f" ({100 * low:.0f} to {100 * high:.0f} %), and {held} of the 95 % intervals held its coefficient"
        )


def placebo(
    model: ForwardModel,
    data: Measurements,
    judgement: Judgement,
    runs: int,
    seed: int = 0,
    watch: Callable[[int, int], None] = lambda done, of: None,
) -> Placebo:
    """Simulate `runs` sets of readings from the model as it stands (at its fit, where nothing is missing), and as many
    with the terms found, and judge each from the beginning.

    Readings of an accepted model have the noise that was given or estimated. `watch` is called after each run.
    """
    rng = np.random.default_rng(seed)
    named = judgement.search is not None and judgement.kind is Kind.NAMED
    total = runs * (1 + named)
    base = judgement.search.best.found if named and judgement.search is not None else judgement.null.found
    null = np.where(np.arange(len(base.x)) < len(model.parameters), base.x, 0.0)
    flagged = hits = covered = 0
    for index in range(runs):
        flagged += judge(model, simulated(model, data, null, base, rng), judgement.level).rejected
        watch(index + 1, total)
    for index in range(runs if named else 0):
        again = judge(model, simulated(model, data, base.x, base, rng), judgement.level)
        if again.kind is Kind.NAMED and set(again.missing) == set(judgement.missing):
            hits += 1
            covered += all(holds(model, each, base) for each in again.coefficients)
        watch(runs + index + 1, total)
    return Placebo(runs, flagged, runs if named else 0, hits, covered)


def simulated(
    model: ForwardModel, data: Measurements, x: np.ndarray, base: Fit, rng: np.random.Generator
) -> Measurements:
    return data.holding(model.predict(x) + base.sd * rng.normal(size=len(base.sd)))


def holds(model: ForwardModel, estimate, base: Fit) -> bool:
    place = model.place_of(estimate.name)
    truth = model.coordinates[place].value(float(base.x[place]))
    low, high = estimate.interval(0.95)
    return bool(low <= truth <= high)
