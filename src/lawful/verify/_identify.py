"""What the data determine: directions in the user's own names, and profile likelihoods."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .._core.messages import listing
from ._base import Coordinate, ForwardModel, Measurements
from ._fitting import Fit, fit

LOOSE = 20.0  # raw standard deviation beyond which a direction counts as undetermined: a factor e^20 of a logarithm
ENTRY = 1e-3  # of the largest, below which a name does not belong to a direction


@dataclass(frozen=True)
class Identifiability:
    """undetermined   combinations of the fitted numbers that can be anything: "E * rho".
    determined        combinations of the same numbers that the data do fix: "E / rho".
    """

    undetermined: tuple[str, ...]
    determined: tuple[str, ...]

    def __str__(self) -> str:
        if not self.undetermined:
            return "the data determine every parameter"
        only = (
            f"; only {listing(self.determined)} {'is' if len(self.determined) == 1 else 'are'} determined"
            if self.determined
            else ""
        )
        return f"the data do not determine {listing(self.undetermined)}{only}"


def identifiability(model: ForwardModel, found: Fit) -> Identifiability:
    """The null space of the whitened slopes, and what else the numbers in it can be combined to."""
    names = [model.coordinates[place] for place in found.free]
    jacobian = found.slopes / found.sd[:, None]
    loose = undetermined(jacobian)
    if loose.shape[1] == 0:
        return Identifiability((), ())
    involved = np.flatnonzero(np.max(np.abs(loose), axis=1) > ENTRY * np.max(np.abs(loose)))
    fixed = echelon(complement(loose[involved]))
    own = [names[i] for i in involved]
    return Identifiability(
        tuple(in_words(names, direction) for direction in echelon(loose).T),
        tuple(in_words(own, direction) for direction in fixed.T),
    )


def undetermined(jacobian: Float[np.ndarray, "rows n"]) -> Float[np.ndarray, "n k"]:
    """Orthonormal directions of raw numbers along which the predictions do not change by a standard deviation within
    any sensible distance."""
    if jacobian.shape[1] == 0:
        return np.zeros((0, 0))
    _, sizes, transposed = np.linalg.svd(jacobian, full_matrices=True)
    whole = np.concatenate([sizes, np.zeros(jacobian.shape[1] - len(sizes))])
    return transposed[whole < max(1 / LOOSE, 1e-10 * float(np.max(whole, initial=0.0)))].T


def complement(columns: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n rest"]:
    left, sizes, _ = np.linalg.svd(columns, full_matrices=True)
    return left[:, int(np.sum(sizes > 1e-8 * max(np.max(sizes, initial=0.0), 1e-300))) :]


def echelon(columns: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
    """Another basis of the same space, as sparse as elimination makes it, so that each vector can be read."""
    rows = columns.T.copy()
    for step in range(len(rows)):
        place = np.unravel_index(int(np.argmax(np.abs(rows[step:]))), rows[step:].shape)
        rows[[step, step + place[0]]] = rows[[step + place[0], step]]
        rows[step] /= rows[step, place[1]]
        for other in range(len(rows)):
            if other != step:
                rows[other] -= rows[other, place[1]] * rows[step]
    return rows.T


def in_words(names: Sequence[Coordinate], direction: Float[np.ndarray, " n"]) -> str:
    """A direction of raw numbers: "k / m" for factors, "a + 2 b" for differences.

    A raw step of a `log` number is a factor, of others a difference in their own scale (the slope of the value)."""
    moves = direction * np.array([1.0 if c.log else c.slope(0.0) for c in names])
    return described([c.name for c in names], [c.log for c in names], moves)


def described(names: Sequence[str], logs: Sequence[bool], moves: Float[np.ndarray, " n"]) -> str:
    """A direction in words, from how far each quantity (or its logarithm) moves along it."""
    shares = np.round(np.abs(moves) / np.max(np.abs(moves)), 9)  # where two are equal, rounding does not choose
    chosen = [int(i) for i in np.argsort(-shares, kind="stable") if shares[i] > ENTRY]
    weights = moves / moves[chosen[0]]
    if all(logs[i] for i in chosen):
        return "".join(power(names[i], weights[i], first=k == 0) for k, i in enumerate(chosen))
    words = [f"log {name}" if log else name for name, log in zip(names, logs, strict=True)]
    return " ".join(term(words[i], weights[i], first=k == 0) for k, i in enumerate(chosen))


def power(name: str, weight: float, first: bool) -> str:
    size = name if abs(abs(weight) - 1) < ENTRY else f"{name}^{abs(weight):.3g}"
    return size if first else f" {'*' if weight > 0 else '/'} {size}"


def term(name: str, weight: float, first: bool) -> str:
    size = "" if abs(abs(weight) - 1) < ENTRY else f"{abs(weight):.3g} "
    return f"{size}{name}" if first else f"{'+' if weight > 0 else '-'} {size}{name}"


@dataclass(frozen=True)
class Profile:
    """The profile likelihood of one number: how much worse the fit becomes when it is held and all others give way.

    values   in the user's unit, rising.
    rise     of the deviance above its minimum.
    low, high  the interval in which it rises by less than 3.84 (95 %); infinite where it never does within reach.
    """

    name: str
    values: Float[np.ndarray, " n"]
    rise: Float[np.ndarray, " n"]
    low: float
    high: float
    best: float

    def plot(self):
        """The profile with the rise that bounds 95 %: (fig, ax)."""
        from ._figures import profile_figure

        return profile_figure(self)

    def __str__(self) -> str:
        if math.isinf(self.low) and math.isinf(self.high):
            return f"{self.name} is not determined: its profile is flat"
        if math.isinf(self.low) or math.isinf(self.high):
            side, bound = ("above", self.low) if math.isinf(self.high) else ("below", self.high)
            return f"{self.name} is bounded on one side only: {side} {bound:.4g} anything goes"
        return f"{self.name} = {self.best:.6g}, 95 % interval [{self.low:.6g}, {self.high:.6g}] by profile likelihood"


def profile(
    model: ForwardModel, data: Measurements, found: Fit, name: str, count: int = 15, reach: float = 3.5
) -> Profile:
    """Hold a fitted number at `count` places within `reach` standard deviations (or within a raw distance of `reach`
    where there is none) and refit the others from the neighbour. Valid far from the linear case, where error bars from
    the curvature are not. Source: Raue et al., Bioinformatics 25, 1923 (2009)."""
    names = [c.name for c in model.coordinates]
    place = names.index(name)
    sd, centre = found.sd_of(place), float(found.x[place])
    width = reach * (sd if sd < LOOSE else 1.0)
    grid = centre + width * np.linspace(-1, 1, count)
    free = tuple(p for p in found.free if p != place)
    rise = np.full(count, np.nan)
    middle = int(np.argmin(np.abs(grid - centre)))
    for order in (range(middle, count), range(middle - 1, -1, -1)):
        x = found.x.copy()
        for index in order:
            x[place] = grid[index]
            held = fit(model, data, free, x)
            if not (held.converged and math.isfinite(held.deviance)):
                break
            rise[index], x = held.deviance - found.deviance, held.x.copy()
    known = np.isfinite(rise)
    coordinate = model.coordinates[place]
    values = np.array([coordinate.value(float(raw)) for raw in grid[known]])
    low, high = crossing(values, rise[known], -1), crossing(values, rise[known], 1)
    return Profile(name, values, rise[known], low, high, coordinate.value(centre))


QUANTILE = 3.841458820694124  # of chi-squared with one degree of freedom, 95 %


def crossing(values: np.ndarray, rise: np.ndarray, side: int) -> float:
    """Where the profile first passes the quantile on one side of its minimum, linearly in the root of its rise."""
    bottom = int(np.argmin(rise))
    line = range(bottom, len(rise)) if side > 0 else range(bottom, -1, -1)
    root = np.sqrt(np.maximum(rise, 0.0))
    previous = bottom
    for index in line:
        if rise[index] > QUANTILE:
            share = (math.sqrt(QUANTILE) - root[previous]) / (root[index] - root[previous])
            return float(values[previous] + share * (values[index] - values[previous]))
        previous = index
    return math.inf if side > 0 else -math.inf
