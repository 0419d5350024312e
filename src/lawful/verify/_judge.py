"""The judgement: the mesh first, then the model, then the term by name."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, replace

import numpy as np

from .._core.estimates import Estimate
from .._core.messages import listing
from ._base import ForwardModel, Measurements
from ._discretisation import Discretisation, bias, discretisation, explained, harmless
from ._scores import gain_p
from ._search import Search, Stage, as_it_stands, search

LEVEL = 0.01
MOST_REFITS = 4


class Kind(enum.StrEnum):
    """What a judgement comes to."""

    NOT_VERIFIED = "not verified"
    GRID = "the mesh"
    KEPT = "no evidence against the model"
    NAMED = "a term is missing"
    GROUP = "one of several terms is missing"
    UNEXPLAINED = "the model is wrong, and no candidate explains it"
    NOISE = "the noise is larger than stated"


@dataclass(frozen=True)
class Judgement:
    """What readings say about a model: `kind` and a sentence, with everything that led there.

    p        the probability of as strong an alarm where the model is right; NaN where the mesh forbids the test.
    mesh     the discretisation error of the model as it stands, and `mesh_after` with the terms found.
    coefficients  of the terms found, with error bars that include what the mesh may move them by.
    """

    kind: Kind
    sentence: str
    level: float
    p: float
    null: Stage
    mesh: Discretisation
    search: Search | None = None
    mesh_after: Discretisation | None = None
    coefficients: tuple[Estimate, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the terms found: one for each missing term, or the members of a group that is not told apart."""
        if self.kind is Kind.GROUP and self.search is not None:
            return self.search.group
        return self.search.terms if self.kind is Kind.NAMED and self.search is not None else ()

    @property
    def rejected(self) -> bool:
        """Whether the model was found wrong."""
        return self.kind in (Kind.NAMED, Kind.GROUP, Kind.UNEXPLAINED)


def judge(
    model: ForwardModel, data: Measurements, level: float = LEVEL, most_refits: int = MOST_REFITS, split: bool = False
) -> Judgement:
    """Fit the model as it stands, blame the mesh where it deserves it, test, and look for what is missing.

    `level` is the probability of a false alarm; `most_refits` the number of candidates that are refitted in each round;
    `split` divides the discretisation error by source.
    """
    null = as_it_stands(model, data, level)
    if not null.found.converged:
        mesh = discretisation(model, data, model.start, split)
        return Judgement(Kind.NOT_VERIFIED, f"NOT VERIFIED: {null.found.reason}", level, math.nan, null, mesh)
    mesh = discretisation(model, data, null.found.x, split)
    if not mesh.verified:
        return Judgement(Kind.NOT_VERIFIED, f"NOT VERIFIED: {mesh.reason}", level, math.nan, null, mesh)
    if not harmless(mesh, null.found, data):
        return Judgement(Kind.GRID, blamed(mesh, null), level, math.nan, null, mesh)
    if null.alarm.p >= level:
        return Judgement(Kind.KEPT, kept(null), level, null.alarm.p, null, mesh)
    found = search(model, data, null, level, most_refits)
    after = discretisation(model, data, found.best.found.x, split) if found.terms else mesh
    return concluded(model, data, level, null, mesh, found, after)


def concluded(
    model: ForwardModel,
    data: Measurements,
    level: float,
    null: Stage,
    mesh: Discretisation,
    found: Search,
    after: Discretisation,
) -> Judgement:
    best = found.best

    def said(kind: Kind, sentence: str, p: float = null.alarm.p, values: tuple[Estimate, ...] = ()) -> Judgement:
        return Judgement(kind, sentence, level, p, null, mesh, found, after, values)

    if not found.terms:
        kind = Kind.NOISE if only_larger(null, level) else Kind.UNEXPLAINED
        return said(kind, unexplained(null, kind))
    own = bool(harmless(after, best.found, data))
    if not own and not data.estimated:
        return said(Kind.GRID, blamed(after, best), math.nan)
    values = tuple(coefficient(model, data, best, after, name) for name in found.terms)
    if own and best.alarm.p < level and not only_larger(best, level):
        return said(Kind.UNEXPLAINED, remaining(null, found, values), values=values)
    kind = Kind.NAMED if len(found.group) == 1 else Kind.GROUP
    left = ""
    if own and best.alarm.p < level:
        factor = math.sqrt(best.seen.chi2 / best.seen.dof)
        values = tuple(replace(each, sd=factor * each.sd) for each in values)
        left = f"; the noise is {factor:.2f} times what was stated, and error bars are that much wider"
    left = left if own else f"; what is left ({best.found.levels.max():.1e}) is of the size of the mesh's error"
    return said(kind, named(null, found, values, left), values=values)


def only_larger(now: Stage, level: float) -> bool:
    """Whether the misfit is larger than the noise but has no structure."""
    return now.seen.size_p < level and now.seen.structure_p > level


def coefficient(model: ForwardModel, data: Measurements, now: Stage, mesh: Discretisation, name: str) -> Estimate:
    """A coefficient in the user's unit, its error bar widened by what the mesh's error moves it."""
    place = model.place_of(name)
    raw, coordinate = float(now.found.x[place]), model.coordinates[place]
    index = now.found.free.index(place)
    jacobian = now.found.slopes / now.found.sd[:, None]
    shift = float(np.linalg.lstsq(jacobian, mesh.error / now.found.sd, rcond=1e-12)[0][index])
    sd = abs(coordinate.slope(raw)) * math.hypot(now.found.sd_of(place), shift)
    dof = now.found.dof if data.estimated else math.inf
    return Estimate(name, coordinate.value(raw), sd, dof)


def chance(p: float) -> str:
    """A probability with its sign: "= 0.2", "< 1e-99" where nobody cares any more."""
    return "< 1e-99" if p < 1e-99 else f"= {p:.2g}"


def blamed(mesh: Discretisation, now: Stage) -> str:
    reach, share = bias(mesh, now.found), explained(mesh, now.found)
    said = f", and explains {100 * share:.0f} % of the misfit" if now.seen.size_p < 0.05 and share > 0.01 else ""
    return (
        f"the mesh is too coarse to judge the model: its error of {mesh.relative:.1e} of the largest value can move a"
        f" test by {reach:.2g} standard deviations{said}; refine the mesh"
    )


def kept(null: Stage) -> str:
    return f"no evidence against the model at this noise (p {chance(null.alarm.p)})"


def unexplained(null: Stage, kind: Kind) -> str:
    if kind is Kind.NOISE:
        factor = math.sqrt(null.seen.chi2 / max(null.seen.dof, 1))
        return (
            f"the misfit is {factor:.2f} times the stated noise but has no structure (p"
            f" {chance(null.seen.structure_p)}): the noise is larger than stated, or the error is not one of the law"
        )
    return f"the model is wrong (p {chance(null.alarm.p)}), and no candidate explains a significant part of the misfit"


def remaining(null: Stage, found: Search, values: tuple[Estimate, ...]) -> str:
    gain = share_explained(null, found.best)
    return (
        f"the model is wrong (p {chance(null.alarm.p)}); the nearest of the candidates is {told(values)}, which"
        f" explains {100 * gain:.1f} % of the excess misfit, but structure is left (p"
        f" {chance(found.best.alarm.p)}): the missing term is not in the list"
    )


def named(null: Stage, found: Search, values: tuple[Estimate, ...], left: str) -> str:
    wrong = f"the model is wrong (p {chance(null.alarm.p)})"
    if len(found.group) == 1:
        word = "the missing term is" if len(values) == 1 else "the missing terms are"
        return f"{wrong}; {word} {told(values)}{left}"
    return (
        f"{wrong}; the missing term is one of {listing(found.group)}, which these sensors do not tell apart;"
        f" as {values[-1].name} its coefficient is {values[-1]}{left}"
    )


def told(values: tuple[Estimate, ...]) -> str:
    return listing(f"{value.name} with coefficient {value}" for value in values)


def share_explained(null: Stage, best: Stage) -> float:
    """Of the misfit beyond the noise, what the terms found explain."""
    sd = best.found.sd
    before, after = float(((null.found.miss / sd) ** 2).sum()), float(((best.found.miss / sd) ** 2).sum())
    excess = before - null.found.dof
    return min(max((before - after) / excess, 0.0), 1.0) if excess > 0 else 0.0


def gain_of(judgement: Judgement, data: Measurements, name: str) -> tuple[float, float]:
    """By how much a refitted candidate lowers the deviance of the stage before, and how probable that is for noise."""
    assert judgement.search is not None
    before = judgement.search.stages[-2] if len(judgement.search.stages) > 1 else judgement.null
    refit = judgement.search.rivals[name]
    gain = before.found.deviance - refit.deviance
    return gain, gain_p(gain, data, refit.dof)


def score_alone(model: ForwardModel, data: Measurements) -> tuple[str, float]:
    """What a score test says that trusts the mesh: the candidate of the largest score, and the score. For
    comparison."""
    null = as_it_stands(model, data, LEVEL)
    place = int(np.argmax(np.abs(null.scored.z)))
    return model.candidates[place].name, float(null.scored.z[place])
