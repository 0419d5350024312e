"""Everything that can be said about whether the right equations were solved, in one record."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .._core.estimates import Estimate, plain
from .._core.record import Account, Status
from ._base import ForwardModel, Measurements
from ._budget import Line, budget
from ._correlated import Correlation, correlation
from ._fitting import Fit
from ._identify import Identifiability, identifiability
from ._influence import Without, leave_one_out, suspects
from ._judge import LEVEL, MOST_REFITS, Judgement, Kind, gain_of, judge
from ._placebo import Placebo, placebo
from ._placement import Proposal, separating, sharpening
from ._posterior import Posterior
from ._scores import detectable, false_discovery

POWER = 0.8
ROUNDS = 3  # of correlation and judgement in turns


@dataclass(frozen=True)
class Ranked:
    """A candidate term as judged.

    z, p          its score beside the model as it stands, and the probability of a larger one for noise.
    coefficient   refitted jointly with everything else, in place of the last term found; None where it was not
    refitted. gain, q       what the refit gains in deviance, and the false-discovery rate at which it would be counted.
    detectable    the smallest coefficient that these sensors would show with probability 0.8.
    note          what else there is to say: "fitted already", "not told apart from the best".
    """

    name: str
    z: float
    p: float
    coefficient: Estimate | None
    gain: float
    q: float
    detectable: float
    note: str


@dataclass(frozen=True)
class Verification:
    """The verdict on a model, and what it rests on.

    verdict       one sentence.
    budget        of the model as it stands, per sensor and quantity of interest, in physical units; `budget_after` with
                  the terms found.
    terms         candidates, the best first.
    power         the smallest coefficient of each candidate that these sensors would show with probability 0.8.
    correlation   of the noise from reading to reading, where it was estimated.
    quantities    values of the quantities of interest.
    posterior     draws of the fitted numbers, where they were asked for.
    """

    judgement: Judgement
    data: Measurements
    budget: tuple[Line, ...]
    terms: tuple[Ranked, ...]
    power: dict[str, float]
    influence: tuple[Without, ...]
    suspects: tuple[str, ...]
    proposal: Proposal | None
    identifiability: Identifiability
    placebo: Placebo | None = None
    budget_after: tuple[Line, ...] = ()
    correlation: Correlation | None = None
    quantities: dict[str, Estimate] | None = None
    posterior: Posterior | None = None
    seconds: float = 0.0
    how: str = ""

    @property
    def kind(self) -> Kind:
        return self.judgement.kind

    @property
    def p_value(self) -> float:
        return self.judgement.p

    @property
    def missing(self) -> tuple[str, ...]:
        return self.judgement.missing

    @property
    def coefficients(self) -> tuple[Estimate, ...]:
        return self.judgement.coefficients

    @property
    def verdict(self) -> str:
        """What an engineer should know, in one sentence."""
        text = self.judgement.sentence
        if len(self.suspects) == 1 and self.judgement.rejected:
            text += f"; but without the sensor at {self.suspects[0]} nothing is wrong: look at that sensor first"
        if self.correlation is not None and self.correlation.share > 0:
            text += f"; {self.correlation}"
        if self.kind is Kind.KEPT and self.power:
            name = next(iter(self.power))
            text += f"; the smallest {name} coefficient that these data would show is {self.power[name]:.2g}"
        if self.kind is Kind.GROUP and self.proposal is not None:
            text += f"; put a sensor at {self.proposal.label} to {self.proposal.purpose}"
        return text

    @property
    def status(self) -> Status:
        """Trusted where a verdict could be given at all."""
        refused = self.kind in (Kind.NOT_VERIFIED, Kind.GRID)
        return Status(not refused, self.verdict, word="judged")

    def record(self, title: str = "Are the right equations solved?") -> Account:
        """The page of a report."""
        from ._sections import sections

        return Account(self.status, self.seconds, sections(self), self.how, title)

    def to_json(self) -> dict:
        found = self.coefficients
        single = found[0].to_json() if len(found) == 1 else [each.to_json() for each in found]
        return {
            "verdict": self.verdict,
            "kind": self.kind.value,
            "p_value": plain(self.p_value),
            "discretisation": plain(self.judgement.mesh.relative),
            "missing_term": self.missing[0] if len(self.missing) == 1 else list(self.missing) or None,
            "coefficient": single if found else None,
            "power": {name: plain(value) for name, value in self.power.items()},
            "budget": [line.to_json() for line in self.budget],
            "next_sensor": None if self.proposal is None else self.proposal.place,
            "undetermined": list(self.identifiability.undetermined),
        }

    def __str__(self) -> str:
        lines = [self.verdict]
        lines += [f"mesh: {self.judgement.mesh.reason}; error {self.judgement.mesh.relative:.1e} of the largest value"]
        for each in self.terms[:5]:
            what = f"{each.coefficient}" if each.coefficient is not None else "not refitted"
            lines.append(f"  {each.name:12} score {each.z:+.1f}, gain {each.gain:.1f}, coefficient {what} {each.note}")
        if self.placebo is not None:
            lines.append(str(self.placebo))
        return "\n".join(lines)


def assess(
    model: ForwardModel,
    data: Measurements,
    *,
    level: float = LEVEL,
    most_refits: int = MOST_REFITS,
    correlated: bool = False,
    runs: int = 0,
    seed: int = 0,
    watch: Callable[[int, int], None] = lambda done, of: None,
) -> Verification:
    """Judge a model by its readings, with everything around the judgement.

    level        probability of a false alarm.
    most_refits  candidates that are refitted in each round of the search.
    correlated   whether the noise of a sensor may be correlated from reading to reading; how much is estimated from
                 what the best model leaves.
    runs         placebo runs, each a judgement of its own from the beginning; 0 for none.
    """
    plain_model, plain_data, leans = model, data, None
    judgement = judge(model, data, level, most_refits, split=True)
    for _ in range(ROUNDS if correlated else 0):
        best = judgement.search.best.found if judgement.search is not None else judgement.null.found
        leans = correlation(as_read(plain_model, plain_data, best), plain_data)
        if leans is None:
            break
        model, data = leans.applied(plain_model, plain_data)
        judgement = judge(model, data, level, most_refits, split=True)
    final = judgement.search.best if judgement.search is not None else judgement.null
    mesh = judgement.mesh_after or judgement.mesh
    power = smallest(model, data, judgement)
    place = (
        model.place_of(judgement.search.terms[-1]) if judgement.search is not None and judgement.search.terms else None
    )
    influence = without_each(model, data, judgement, place)
    return Verification(
        judgement=judgement,
        data=data,
        budget=budget(plain_data, as_read(plain_model, plain_data, judgement.null.found), judgement.mesh),
        budget_after=budget(plain_data, as_read(plain_model, plain_data, final.found), mesh)
        if final is not judgement.null
        else (),
        correlation=leans,
        terms=ranked(model, data, judgement),
        power=power,
        influence=influence,
        suspects=suspects(influence, level, judgement.null.seen.size_p) if influence else (),
        proposal=proposed(model, data, judgement, power),
        identifiability=identifiability(model, final.found),
        placebo=placebo(model, data, judgement, runs, seed, watch) if runs and not refused(judgement) else None,
    )


def without_each(
    model: ForwardModel, data: Measurements, judgement: Judgement, place: int | None
) -> tuple[Without, ...]:
    """The answer without each sensor, the coefficient in the user's unit."""
    if judgement.search is None:
        return ()
    seen = leave_one_out(data, judgement.search, place)
    if place is None:
        return seen
    c = model.coordinates[place]
    return tuple(
        replace(each, coefficient=c.value(each.coefficient), sd=abs(c.slope(each.coefficient)) * each.sd)
        for each in seen
    )


def refused(judgement: Judgement) -> bool:
    return judgement.kind in (Kind.NOT_VERIFIED, Kind.GRID)


def as_read(model: ForwardModel, data: Measurements, found: Fit) -> Fit:
    """A fit with its misfit and slopes in the units of the readings, whatever combinations of rows it was made with."""
    values, slopes = model.linearise(found.x, np.eye(len(found.x))[:, list(found.free)])
    return replace(found, miss=values - data.values, slopes=slopes)


def smallest(model: ForwardModel, data: Measurements, judgement: Judgement) -> dict[str, float]:
    """For every candidate that is not fitted already the smallest coefficient that would be found with probability
    0.8, beside the model as it stands; the easiest to see, relative to its scale, first."""
    null = judgement.null
    if refused(judgement):
        return {}
    dof = null.found.dof - 1 if data.estimated else math.inf
    least = detectable(null.scored.sd, null.alarm.single, POWER, dof)
    order = np.argsort(least)
    found = {}
    for k in order:
        if null.scored.absorbed[k]:
            continue
        coordinate = model.candidates[int(k)]
        found[coordinate.name] = abs(coordinate.value(float(least[k])) - coordinate.value(0.0))
    return found


def ranked(model: ForwardModel, data: Measurements, judgement: Judgement) -> tuple[Ranked, ...]:
    """Refitted candidates by what they gain, then the others by their score."""
    search, null = judgement.search, judgement.null
    before = search.stages[-2] if search is not None and len(search.stages) > 1 else null
    rivals = search.rivals if search is not None else {}
    power = smallest(model, data, judgement)
    rows = []
    for k, coordinate in enumerate(model.candidates):
        name = coordinate.name
        z, p = float(before.scored.z[k]), float(before.scored.p[k])
        value, gain = None, 0.0
        if name in rivals:
            gain, p = gain_of(judgement, data, name)
            place = model.place_of(name)
            raw = float(rivals[name].x[place])
            sd = abs(coordinate.slope(raw)) * rivals[name].sd_of(place)
            value = Estimate(name, coordinate.value(raw), sd, rivals[name].dof if data.estimated else math.inf)
        rows.append(Ranked(name, z, p, value, gain, math.nan, power.get(name, math.inf), note(judgement, name, k)))
    q = false_discovery(np.array([row.p for row in rows]))
    rows = [replace(row, q=float(each)) for row, each in zip(rows, q, strict=True)]
    return tuple(sorted(rows, key=lambda row: (row.coefficient is None, -row.gain, row.p)))


def note(judgement: Judgement, name: str, k: int) -> str:
    search = judgement.search
    if judgement.null.scored.absorbed[k]:
        return "imitated by what is fitted"
    if search is None or not search.terms:
        return ""
    if name == search.terms[-1]:
        return "the best" if len(search.group) > 1 else "found"
    if name in search.terms:
        return "found before"
    return "not told apart from the best" if name in search.group else ""


def proposed(model: ForwardModel, data: Measurements, judgement: Judgement, power: dict[str, float]) -> Proposal | None:
    """A place for the next sensor: to tell a group apart; else to sharpen the term found, or the first that would be
    seen."""
    if model.probe is None or refused(judgement) or not model.candidates:
        return None
    search = judgement.search
    if judgement.kind is Kind.GROUP and search is not None:
        return separating(model, data, search.rivals, search.group)
    if search is not None and search.terms:
        return sharpening(model, data, search.best.found, search.terms[-1])
    return sharpening(model, data, judgement.null.found, next(iter(power))) if power else None


def quantities_of(lines: Sequence[tuple[float, Line]]) -> tuple[dict[str, Estimate], tuple[Line, ...]]:
    """Values with error bars of parameters and mesh, and their lines of the budget."""
    values = {
        line.name: Estimate(line.name, value, math.hypot(line.parameters, line.discretisation)) for value, line in lines
    }
    return values, tuple(line for _, line in lines)
