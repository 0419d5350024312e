"""Ways to a texture on demand, made equally, and what the simulator says of each."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from ..design import novelty, pairwise, vendi
from ._ring_generators import (
    Calculator,
    Library,
    Maker,
    Textures,
    by_chance,
    by_crossing,
    by_guidance,
    by_network,
    by_retrieval,
    gap_guess,
    ranked,
)
from ._ring_judge import Judge, Points, Target, Verdict
from ._ring_shipped import Shipped


class Recipe(NamedTuple):
    """What is done with what a maker makes: `draws` of it, `steps` of each on the surrogate, which then says which are
    the best; of these up to `tries` one after the other, each with up to `corrections` steps by the simulator's own
    slopes, until one is a hit."""

    draws: int = 1
    steps: int = 0
    corrections: int = 0
    tries: int = 1


BARE = Recipe()
STEERED = Recipe(draws=8, steps=6)
CORRECTED = Recipe(draws=8, steps=6, corrections=8, tries=4)
MENDED = Recipe(draws=4, corrections=8, tries=4)  # with no word of the surrogate


GUIDED = "guided flow"
DEFAULT = "known, crossed"  # which of the makers below: the one with the most hits that are new


def makers(shipped: Shipped) -> dict[str, Maker]:
    """By name, the last ones with nothing learned."""
    nets = {"flow matching": "flow", "physics critic": "gan", "plain adversarial": "plain"}
    learned = {name: by_network(shipped.nets[net]) for name, net in nets.items() if net in shipped.nets}
    if "flow" in shipped.nets:
        learned[GUIDED] = by_guidance(shipped.nets["flow"], shipped.calculator)  # type: ignore[arg-type]
    return {
        **learned,
        "known, crossed": by_crossing(shipped.library),
        "nearest known": by_retrieval(shipped.library),
        "random start": by_chance(shipped.library),
    }


def recipe_of(name: str) -> Recipe:
    """The surrogate knows less of known textures than their simulations did: those are mended at once."""
    return MENDED if name in ("known, crossed", "nearest known", "random start") else CORRECTED


class Trial(NamedTuple):
    targets: list[Target]
    textures: Textures
    verdicts: list[Verdict]
    simulations: int

    @property
    def hits(self) -> np.ndarray:
        return np.array([v.hit(t) for v, t in zip(self.verdicts, self.targets, strict=True)])

    @property
    def valid(self) -> np.ndarray:
        return np.array([v.valid(t) for v, t in zip(self.verdicts, self.targets, strict=True)])

    @property
    def errors(self) -> np.ndarray:
        """Relative, of frictions that were simulated; infinite where there is no film."""
        off = np.array([abs(v.error(t)) for v, t in zip(self.verdicts, self.targets, strict=True)])
        return np.where(np.isfinite(off), off, np.inf)

    def record(self, library: Library) -> dict[str, Any]:
        """Numbers for JSON, None where there is none."""
        plain = lambda x: float(x) if math.isfinite(x) else None
        broken = Counter(b for v, t in zip(self.verdicts, self.targets, strict=True) for b in v.violations(t))
        far = novelty(self.textures, library.maps)
        return {
            "targets": [vars(t) for t in self.targets],
            "friction_simulated": [plain(v.friction) for v in self.verdicts],
            "valid": [bool(x) for x in self.valid],
            "hit_rate": float(self.hits.mean()),
            "violations": {name: broken.get(name, 0) for name in ("load", "strength", "feature")},
            "valid_rate": float(self.valid.mean()),
            "median_error": plain(float(np.median(self.errors))),
            "p90_error": plain(float(np.quantile(self.errors, 0.9, method="higher"))),
            "diversity": self.diversity(),
            "novelty": float(np.median(far)),
            "simulations": self.simulations,
        }

    def diversity(self) -> dict[str, float | None]:
        """Among the textures of one target: mean pairwise distance and Vendi score, means over targets; None where no
        target has two."""
        groups: dict[Target, list[int]] = {}
        for i, target in enumerate(self.targets):
            groups.setdefault(target, []).append(i)
        several = [self.textures[rows] for rows in groups.values() if len(rows) > 1]
        if not several:
            return {"pairwise": None, "vendi": None}
        return {
            "pairwise": float(np.mean([pairwise(maps) for maps in several])),
            "vendi": float(np.mean([vendi(maps) for maps in several])),
        }


def tried(
    maker: Maker, recipe: Recipe, targets: list[Target], calculator: Calculator, judge: Judge, seed: int
) -> Trial:
    """Make a texture for each target, and have it simulated."""
    draws = ranked(maker, calculator, targets, recipe.draws, recipe.steps, seed)[:, : recipe.tries]
    found = [ended(list(each), recipe, t, calculator, judge) for each, t in zip(draws, targets, strict=True)]
    return Trial(targets, np.stack([c for c, _, _ in found]), [v for _, v, _ in found], sum(n for _, _, n in found))


def ended(
    starts: list[Points], recipe: Recipe, target: Target, calculator: Calculator, judge: Judge
) -> tuple[Points, Verdict, int]:
    """The first of some starts that is a hit, or the best of them; and the simulations that it took."""
    best, spent = None, 0
    for start in starts:
        texture, guess = np.asarray(start, float), gap_guess(calculator, start, target)
        if recipe.corrections:
            texture, guess, asked = judge.corrected(texture, target, recipe.corrections, guess)
            spent += asked
        verdict = judge(texture, target, guess)
        spent += verdict.asked
        off = abs(verdict.error(target))
        rank = (not verdict.hit(target), not verdict.valid(target), off if math.isfinite(off) else math.inf)
        if best is None or rank < best[0]:
            best = rank, texture, verdict
        if verdict.hit(target):
            break
    assert best is not None
    return best[1], best[2], spent


def alike(library: Library, target: Target, count: int) -> Textures:
    """What is known to do nearly what a target asks for."""
    return by_retrieval(library)(np.repeat(target.wish[None], count, 0), 0)
