"""What was measured on a medium: the contract between an experiment and an inversion."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

from ..solve import residual_correlation

Known = Mapping[str, Any]
"""Values of the unknowns by name, for functions of named quantities."""


class Screen(eqx.Module):
    """A coarser view of a survey, for the search over many starts: rows that belong to single items, so that their
    slopes cost one reverse pass each, however many the unknowns."""

    @property
    @abc.abstractmethod
    def items(self) -> Any:
        """What `rows` is asked for, stacked along the first axis of every array."""

    @abc.abstractmethod
    def rows(self, medium: Any, known: Known, item: Any) -> Float[Array, " rows"]:
        """Prediction minus observation of one item, weighted."""


class Survey(eqx.Module):
    """Measured channels, and what the laws say they should be."""

    observed: eqx.AbstractVar[dict[str, np.ndarray]]
    """Measured values of each channel."""
    noise: eqx.AbstractVar[dict[str, float | None]]
    """Standard deviation of each channel's values; None where it is to be estimated."""

    @abc.abstractmethod
    def predict(self, medium: Any, known: Known) -> dict[str, Float[Array, " n"]]:
        """Every channel, without noise."""

    @abc.abstractmethod
    def check(self, medium: Any, known: Known) -> None:
        """Refuse what cannot be measured in this way on such a medium, and names that nothing has."""

    @abc.abstractmethod
    def screens(self, medium: Any, noise: Mapping[str, float]) -> Sequence[Screen]:
        """Coarser views, the coarsest first, for layers about like those of `medium`."""

    @abc.abstractmethod
    def quiet(self) -> dict[str, float]:
        """A first idea of the noise of every channel."""

    @abc.abstractmethod
    def places(self) -> tuple[str, Float[np.ndarray, " n"]]:
        """What the values of a channel are a function of: its name with its unit, and its values."""

    def leaning(self, misses: Mapping[str, Float[np.ndarray, " n"]]) -> dict[str, Any]:
        """How neighbouring residuals of each channel hang together."""
        return {channel: residual_correlation(self.places()[1], miss) for channel, miss in misses.items()}
