"""Several tests at once: the probability that any of them raises an alarm when nothing is wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ._base import Measurements
from ._fitting import Fit
from ._misfit import Leaning, Misfit
from ._scores import Scores

DRAWS = 4000
SHAPES = 40  # directions of the structure test that are drawn; the others add next to nothing


@dataclass(frozen=True)
class Alarm:
    """All tests of a fit as one.

    p          the probability of as strong an alarm by any test where the model is right.
    single     the level at which each single test is held, for all together to keep `level`.
    strongest  the test that speaks loudest: "size", "structure" or the name of a candidate.
    """

    p: float
    single: float
    strongest: str


def alarm(
    found: Fit,
    data: Measurements,
    seen: Misfit,
    scored: Scores,
    leaning: Leaning | None,
    names: tuple[str, ...],
    level: float,
) -> Alarm:
    """Combine the tests by their smallest p-value, calibrated on draws of pure noise through the same projections.

    Candidates resemble each other, so that K of them are fewer than K independent tests: with p_min the smallest
    p-value, the answer is 1 - (1 - p_min)^n, where n is such that draws of noise raise an alarm in a fraction `level`.
    Source: Westfall and Young, Resampling-Based Multiple Testing (1993), for the idea.
    """
    every = {"size": seen.size_p, "structure": seen.structure_p}
    every |= {name: float(p) for name, p, gone in zip(names, scored.p, scored.absorbed, strict=True) if not gone}
    every = {name: p for name, p in every.items() if not math.isnan(p)}
    strongest = min(every, key=lambda name: every[name])
    smallest = every[strongest]
    single = threshold(found, data, scored, leaning, level)
    count = math.log1p(-level) / math.log1p(-single)
    p = 1.0 if smallest >= 1 else float(-math.expm1(count * math.log1p(-smallest)))
    return Alarm(min(p, 1.0), single, strongest)


def threshold(found: Fit, data: Measurements, scored: Scores, leaning: Leaning | None, level: float) -> float:
    """The level of a single test at which all together raise a false alarm in a fraction `level` of draws."""
    from scipy import special, stats

    rng = np.random.default_rng(20)
    kept = scored.directions[:, ~scored.absorbed]
    basis, shapes = reduced(kept, leaning)
    noise = rng.normal(size=(DRAWS, basis.shape[1]))
    rest = max(found.dof - basis.shape[1], 0.0)
    square = np.sum(noise**2, axis=1) + (rng.chisquare(rest, DRAWS) if rest > 0 else 0.0)
    z = noise @ (basis.T @ kept)
    if data.estimated:
        left = np.maximum(square[:, None] - z**2, 1e-12)
        p = [2 * stats.t.sf(np.abs(z) / np.sqrt(left / max(found.dof - 1, 1.0)), max(found.dof - 1, 1.0))]
    else:
        p = [special.erfc(np.abs(z) / math.sqrt(2)), special.chdtrc(max(found.dof, 1.0), square)[:, None]]
    if leaning is not None and shapes is not None:
        value = ((noise @ (basis.T @ shapes[1])) ** 2) @ shapes[0]
        value = value / square if data.estimated else value
        p.append(((np.argsort(np.argsort(-value)) + 1) / (DRAWS + 1))[:, None])
    smallest = np.min(np.concatenate(p, axis=1), axis=1)
    return float(np.clip(np.quantile(smallest, level), 1e-12, level))


def reduced(
    kept: Float[np.ndarray, "rows k"], leaning: Leaning | None
) -> tuple[Float[np.ndarray, "rows d"], tuple[np.ndarray, np.ndarray] | None]:
    """An orthonormal basis that holds the candidates' directions and nearly all of the structure test's; of that test
    the largest weights and their directions."""
    parts, shapes = [kept], None
    if leaning is not None:
        chosen = np.argsort(-np.abs(leaning.weights))[:SHAPES]
        shapes = leaning.weights[chosen], leaning.vectors[:, chosen]
        parts.append(shapes[1])
    stacked = np.concatenate(parts, axis=1)
    if not stacked.shape[1]:
        return stacked, None
    left, sizes, _ = np.linalg.svd(stacked, full_matrices=False)
    return left[:, sizes > 1e-8 * np.max(sizes)], shapes
