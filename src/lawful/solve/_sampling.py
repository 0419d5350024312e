"""Which points the laws are asked to hold at, while the fit goes on."""

from __future__ import annotations

import abc

import equinox as eqx
import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput, shown
from ..geometry import Domain
from ._ground import Points


class Sampling(eqx.Module):
    """The contract: when to draw new collocation points, and which."""

    every: eqx.AbstractVar[int]

    @abc.abstractmethod
    def pool(self, domain: Domain, places: Points, count: int, seed: tuple[int, ...]) -> Points:
        """Candidates for the next points, at which the laws' residual will be looked at."""

    @abc.abstractmethod
    def chosen(
        self, residual: Float[np.ndarray, " pool"], count: int, seed: tuple[int, ...]
    ) -> tuple[np.ndarray, Float[np.ndarray, " count"]]:
        """Which candidates become points, and how strongly each counts."""


class Fixed(Sampling):
    """The same low-discrepancy points from beginning to end: what suits fields that are smooth everywhere."""

    every: int = 0

    def pool(self, domain: Domain, places: Points, count: int, seed: tuple[int, ...]) -> Points:
        return places

    def chosen(self, residual, count, seed):
        return np.arange(count), np.ones(count)


class ResidualDriven(Sampling):
    """New points every few steps, drawn with a probability that rises with the laws' residual r there,

        p ~ (1 - share) + share r / mean r,

    from candidates of which half fill the domain evenly and half crowd around the present points, at distances from a
    tenth down to a thousandth of the axes, so that a layer once met is looked at more and more closely. A point drawn
    with k times the mean probability counts with a factor k^-1/4.

    every   steps between draws; 10 to 50 for Gauss-Newton steps.
    share   of the probability that follows the residual; 0 redraws evenly, 1 looks only where it is bad.
    pool    candidates for each point.

    Source: C. Wu, M. Zhu, Q. Tan, Y. Kartha, L. Lu, CMAME 403, 115671 (2023), there called RAD; the candidates around
    the present points are an addition.
    """

    every: int = 20
    share: float = 0.7
    pool_size: int = 6

    def __check_init__(self):
        for name in ("every", "pool_size"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise BadInput(f"ResidualDriven({name}={shown(value)}): give a whole number of at least 1.")
        if not 0 <= self.share <= 1:
            raise BadInput(f"ResidualDriven(share={shown(self.share)}): the share lies between 0 and 1, such as 0.7.")

    def pool(self, domain: Domain, places: Points, count: int, seed: tuple[int, ...]) -> Points:
        rng = np.random.default_rng([1, *seed])
        half = self.pool_size * count // 2
        even = domain.sample(half, int(rng.integers(2**31)))
        near = rng.integers(0, len(next(iter(places.values()))), half)
        reach = 10.0 ** rng.uniform(-3, -1, half)
        crowd = {
            axis: np.clip(values[near] + reach * domain.length(axis) * rng.normal(size=half), *domain.ends(axis))
            for axis, values in places.items()
        }
        inside = domain.contains(crowd)
        # What fell outside a curved boundary is replaced by points that fill the domain.
        return {axis: np.concatenate([even[axis], np.where(inside, crowd[axis], even[axis])]) for axis in places}

    def chosen(self, residual, count, seed):
        rng = np.random.default_rng([2, *seed])
        mean = float(np.mean(residual))
        density = (1 - self.share) + self.share * residual / mean if mean > 0 else np.ones_like(residual)
        chance = density / density.sum()
        picked = rng.choice(len(residual), count, replace=False, p=chance)
        factor = density[picked] ** -0.25
        return picked, factor / np.sqrt(np.mean(factor**2))
