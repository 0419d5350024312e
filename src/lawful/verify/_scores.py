"""Score tests: what each candidate term would explain, from one linearised solve and no differentiation of data."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ._base import ForwardModel, Measurements
from ._fitting import ABSORBED, Fit, remainder


@dataclass(frozen=True)
class Scores:
    """Of every candidate, at a fit without it.

    directions   what the candidate does to the readings and nothing fitted can, in units of noise (rows, candidates).
    z            the score in units of its standard deviation: normal, or Student's t with the degrees of freedom of
                 the noise, where the model is right.
    p            two-sided probability of a larger |z|.
    sd           the standard deviation that the coefficient would have, infinite where nothing is left.
    own          the share of the candidate's effect that nothing fitted can imitate; below 1e-6 it is `absorbed`.
    """

    directions: Float[np.ndarray, "rows candidates"]
    z: Float[np.ndarray, " candidates"]
    p: Float[np.ndarray, " candidates"]
    sd: Float[np.ndarray, " candidates"]
    own: Float[np.ndarray, " candidates"]

    @property
    def absorbed(self) -> np.ndarray:
        return ~(self.own > ABSORBED)


def scores(model: ForwardModel, data: Measurements, found: Fit) -> Scores:
    """The score of every candidate: z_k = s_k' r / |s_k|, with s_k = (I - Q Q') W dy/dtheta_k.

    Q spans what the fitted numbers can do, so that a term which a change of theirs imitates counts only by the rest.
    Candidates that are already fitted have no score (z = 0, absorbed). Source: C. R. Rao, Proc. Camb. Phil. Soc. 44, 50
    (1948).
    """
    count = len(model.candidates)
    places = [len(model.parameters) + k for k in range(count)]
    raw = model.linearise(found.x, np.eye(len(found.x))[:, places])[1] / found.sd[:, None]
    raw = np.where(np.all(np.isfinite(raw), axis=0), raw, 0.0)
    left = remainder(found.tangent, raw)
    size, whole = np.linalg.norm(left, axis=0), np.linalg.norm(raw, axis=0)
    taken = np.array([place in found.free for place in places], dtype=bool)
    own = np.where(taken | (whole == 0), 0.0, size / np.where(whole > 0, whole, 1.0))
    good = own > ABSORBED
    safe = np.where(good, size, 1.0)
    z = np.where(good, -(left.T @ found.whitened) / safe, 0.0)
    z = studentised(z, found, data)
    sd = np.where(good, 1 / safe, math.inf)
    return Scores(np.where(good, left / safe, 0.0), z, two_sided(z, found, data), sd, own)


def studentised(z: Float[np.ndarray, " k"], found: Fit, data: Measurements) -> Float[np.ndarray, " k"]:
    """Where the noise is estimated, by what is left when the candidate has taken its part: exactly Student's t for one
    level."""
    if not data.estimated or found.dof < 2:
        return z
    left = np.maximum(found.chi2 - z**2, 1e-300 + 1e-15 * found.chi2)
    return z / np.sqrt(left / (found.dof - 1))


def two_sided(z: Float[np.ndarray, " k"], found: Fit, data: Measurements) -> Float[np.ndarray, " k"]:
    from scipy import special, stats

    if data.estimated:
        return 2 * stats.t.sf(np.abs(z), max(found.dof - 1, 1))
    return special.erfc(np.abs(z) / math.sqrt(2))


def gain_p(gain: float, data: Measurements, dof: float, terms: int = 1) -> float:
    """The probability that `terms` needless terms lower the deviance by more than `gain`: chi-squared, or Fisher's F
    where the noise is estimated. `dof` is that of the larger model."""
    from scipy import stats

    if not gain > 0:
        return 1.0
    if not data.estimated:
        return float(stats.chi2.sf(gain, terms))
    rows = int(np.sum(data.level >= 0))
    ratio = math.expm1(min(gain / rows, 600.0)) * max(dof, 1.0) / terms
    return float(stats.f.sf(ratio, terms, max(dof, 1.0)))


def detectable(sd: Float[np.ndarray, " k"], level: float, power: float, dof: float = math.inf) -> np.ndarray:
    """The smallest coefficient that a two-sided test at `level` finds with probability `power`."""
    from scipy import stats

    if math.isinf(dof):
        reach = stats.norm.isf(level / 2) + stats.norm.ppf(power)
    else:
        reach = stats.t.isf(level / 2, dof) + stats.t.ppf(power, dof)
    return float(reach) * np.asarray(sd)


def false_discovery(p: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
    """The level at which each test would be among the discoveries whose expected false share is that level.
    Source: Benjamini and Hochberg, J. R. Stat. Soc. B 57, 289 (1995)."""
    if not len(p):
        return p
    order = np.argsort(p)
    ranked = np.asarray(p)[order] * len(p) / np.arange(1, len(p) + 1)
    found = np.empty(len(p))
    found[order] = np.minimum.accumulate(ranked[::-1])[::-1]
    return np.minimum(found, 1.0)
