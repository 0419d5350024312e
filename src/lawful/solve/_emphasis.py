"""How strongly each collocation point counts, by what the residual has been."""

from __future__ import annotations

import abc

import equinox as eqx
import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput, listing, shown
from ._ground import Points


class Emphasis(eqx.Module):
    """The contract: factors of the laws' rows, anew every few steps."""

    every: eqx.AbstractVar[int]

    @abc.abstractmethod
    def factors(
        self, before: Float[np.ndarray, " n"], residual: Float[np.ndarray, " n"], places: Points
    ) -> Float[np.ndarray, " n"]:
        """The next factors, from the present ones and the size of the laws' residual at each place."""


class Attention(Emphasis):
    """Residual-based attention: points where the laws stay unmet count more and more,

        l <- decay l + rate |r| / max |r|.

    decay, rate   l settles at rate / (1 - decay) times the mean relative residual; 0.99 and 0.005 suit Gauss-Newton
                  steps, 0.999 and 0.01 steps of first order.
    every         steps between changes.

    Use it with `sampling=Fixed()`: it remembers points. Source: S. J. Anagnostopoulos, J. D. Toscano, N. Stergiopulos,
    G. E. Karniadakis, CMAME 421, 116805 (2024).
    """

    decay: float = 0.99
    rate: float = 0.005
    every: int = 1

    def factors(self, before, residual, places):
        worst = float(np.max(residual))
        now = self.decay * before + self.rate * (residual / worst if worst > 0 else 1.0)
        return now / np.sqrt(np.mean(now**2))


class Causal(Emphasis):
    """What comes first is learnt first: a point counts as the laws are met at all earlier times,

        w(t) = exp(-strength * sum over earlier slices of the mean squared residual, relative to the first slice's).

    `Causal("t")`; `slices` of the axis, `strength` 1 to 100: larger lets later times wait longer. For long times, where
    a fit would otherwise settle on a false state.
    Source: S. Wang, S. Sankaran, P. Perdikaris, CMAME 421, 116813 (2024).
    """

    axis: str = eqx.field(static=True)
    slices: int
    strength: float
    every: int

    def __init__(self, axis: str = "t", *, slices: int = 16, strength: float = 1.0, every: int = 4):
        self.axis, self.slices, self.strength, self.every = axis, slices, strength, every

    def factors(self, before, residual, places):
        if self.axis not in places:
            raise BadInput(f"Causal({shown(self.axis)}): the domain has no such axis; axes: {listing(places)}.")
        time = places[self.axis]
        low, high = float(time.min()), float(time.max())
        index = np.clip(((time - low) / (high - low) * self.slices).astype(int), 0, self.slices - 1)
        squares = np.array(
            [np.mean(residual[index == i] ** 2) if np.any(index == i) else 0.0 for i in range(self.slices)]
        )
        scale = float(np.mean(squares))
        waiting = np.concatenate([[0.0], np.cumsum(squares)[:-1]]) / scale if scale > 0 else np.zeros(self.slices)
        weight = np.sqrt(np.maximum(np.exp(-self.strength * waiting), 1e-6))[index]
        return weight / np.sqrt(np.mean(weight**2))
