"""Measurements as residuals: prediction minus measured value, in units of the noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..problem import Data, Model, Problem


class Observation(eqx.Module):
    """One measured column: where, what, and the known noise of each row (None: one level to be estimated)."""

    label: str = eqx.field(static=True)
    points: dict[str, Float[np.ndarray, " n"]]
    values: Float[np.ndarray, " n"]
    noise: Float[np.ndarray, " n"] | None
    name: str = eqx.field(static=True)
    function: Callable | None

    def quantity(self, model: Model, point: Mapping[str, Array | np.ndarray]) -> Array | np.ndarray:
        """What is measured, at one point: a named quantity, or a function of them."""
        return model.quantity(self.name, point) if self.function is None else model.call(self.function, point)

    def predict(self, model: Model) -> Float[Array, " n"]:
        """What the model says at the places of the measurements."""
        return jax.vmap(lambda point: jnp.asarray(self.quantity(model, point)))(self.points)


def observations(problem: Problem) -> tuple[Observation, ...]:
    """All measured columns of a problem."""
    return tuple(
        column(problem, data, key) for data in problem.data for key in data.columns if key not in problem.domain.axes
    )


def column(problem: Problem, data: Data, key: str) -> Observation:
    noise = data.noise[key]
    values = data.columns[key]
    label = key if len(problem.data) == 1 else f"{data.name}: {key}"
    return Observation(
        label,
        {axis: data.columns[axis] for axis in problem.domain.axes},
        values,
        None if noise is None else np.broadcast_to(noise, values.shape).copy(),
        key,
        data.observe.get(key),
    )


def signal(observed: tuple[Observation, ...], sd: Float[np.ndarray, " rows"]) -> float:
    """The largest measured value in units of its noise, over all columns; `sd` holds the noise of every row."""
    largest, start = 0.0, 0
    for item in observed:
        rows = slice(start, start + len(item.values))
        largest = max(largest, float(np.max(np.abs(item.values)) / np.median(sd[rows])))
        start = rows.stop
    return largest


def imperceptible(observed: tuple[Observation, ...], sd: Float[np.ndarray, " rows"]) -> float:
    """The relative accuracy of fields that moves no estimate by more than about a thousandth of its error bar,
    1e-3 noise / (size sqrt(rows))."""
    return 1e-3 / max(signal(observed, sd) * math.sqrt(len(sd)), 1e-300)


class Noise(eqx.Module):
    """Standard deviation of every measured row, and which rows share an estimated level."""

    group: Int[np.ndarray, " rows"]  # -1 where the noise is given
    given: Float[np.ndarray, " rows"]  # 1 where it is estimated
    labels: tuple[str, ...] = eqx.field(static=True)

    @property
    def estimated(self) -> bool:
        return bool(self.labels)

    def sd(self, levels: Float[np.ndarray, " groups"]) -> Float[np.ndarray, " rows"]:
        if not self.labels:
            return self.given
        return self.given * np.where(self.group >= 0, np.asarray(levels)[self.group], 1.0)

    def update(
        self,
        levels: np.ndarray,
        misses: Float[np.ndarray, " rows"],
        leverage: Float[np.ndarray, " rows"],
        floor: np.ndarray,
    ) -> np.ndarray:
        """sigma^2 = sum of squares / (rows - parameters that these rows pay for), for each estimated level.

        `leverage` is the diagonal of the hat matrix; its sum over all rows is the number of fitted parameters.
        """
        new = []
        for index in range(len(self.labels)):
            rows = self.group == index
            freedom = max(rows.sum() - leverage[rows].sum(), 1e-3 * rows.sum())
            new.append(max(np.sqrt(np.sum(misses[rows] ** 2) / freedom), floor[index]))
        return np.asarray(new).reshape(levels.shape)

    def freedom(self, leverage: Float[np.ndarray, " rows"]) -> float:
        """Degrees of freedom behind the estimated levels; infinite where all noise is given."""
        rows = self.group >= 0
        return float(rows.sum() - leverage[rows].sum()) if self.estimated else float("inf")


def noise_of(found: tuple[Observation, ...]) -> Noise:
    groups, given, labels = [], [], []
    for item in found:
        count = len(item.values)
        if item.noise is None:
            groups.append(np.full(count, len(labels)))
            given.append(np.ones(count))
            labels.append(item.label)
        else:
            groups.append(np.full(count, -1))
            given.append(item.noise)
    whole = np.concatenate(groups) if groups else np.zeros(0, int)
    return Noise(whole, np.concatenate(given) if given else np.zeros(0), tuple(labels))


def spread(found: tuple[Observation, ...]) -> np.ndarray:
    """The size of the values of every column with estimated noise, from which its level starts."""
    return np.array(
        [max(np.std(item.values), 1e-3 * np.abs(item.values).max(), 1e-30) for item in found if item.noise is None]
    )
