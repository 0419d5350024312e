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
    best_of,
    by_chance,
    by_network,
    by_retrieval,
    gap_guess,
)
from ._ring_judge import Judge, Target, Verdict
from ._ring_shipped import Shipped


class Recipe(NamedTuple):
    """What is done with what a maker makes: the best of `draws` by the surrogate after `steps` steps of each on it,
    then up to `corrections` steps by the simulator's own slopes."""

    draws: int = 1
    steps: int = 0
    corrections: int = 0


BARE = Recipe()
STEERED = Recipe(draws=8, steps=6)
CORRECTED = Recipe(draws=8, steps=6, corrections=3)
MENDED = Recipe(corrections=4)
DIRECT = Recipe(corrections=8)


def makers(shipped: Shipped) -> dict[str, Maker]:
    """By name, the last one with nothing learned."""
    nets = {"flow matching": "flow", "physics critic": "gan", "plain adversarial": "plain"}
    return {
        **{name: by_network(shipped.nets[net]) for name, net in nets.items() if net in shipped.nets},
        "nearest known": by_retrieval(shipped.library),
        "random start": by_chance(shipped.library),
    }


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
    textures = np.asarray(best_of(maker, calculator, targets, recipe.draws, recipe.steps, seed), float)
    verdicts, simulations, ends = [], 0, []
    for texture, target in zip(textures, targets, strict=True):
        guess = gap_guess(calculator, texture, target)
        if recipe.corrections:
            texture, spent = judge.corrected(texture, target, recipe.corrections, guess)
            simulations += spent
        verdict = judge(texture, target, guess)
        simulations += verdict.asked
        verdicts.append(verdict)
        ends.append(texture)
    return Trial(targets, np.stack(ends), verdicts, simulations)


def alike(library: Library, target: Target, count: int) -> Textures:
    """What is known to do nearly what a target asks for."""
    return by_retrieval(library)(np.repeat(target.wish[None], count, 0), 0)
