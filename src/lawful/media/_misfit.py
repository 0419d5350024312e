"""Residuals of a medium against surveys, as what optimisers minimise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._named import called
from ._parameters import Parameters
from ._survey import Screen, Survey


class Guess(eqx.Module):
    """How raw numbers become a medium."""

    medium: Callable = eqx.field(static=True)
    parameters: Parameters

    def __call__(self, x: Float[Array, " n"]) -> tuple[Any, dict[str, Array]]:
        """The medium, and the values of all unknowns."""
        known = self.parameters.values(x)
        return called(self.medium, known, "the medium"), known


class Misfit(eqx.Module):
    """Every channel of every survey in units of its noise, then the priors."""

    guess: Guess
    surveys: tuple[Survey, ...]
    sd: tuple[dict[str, Float[Array, ""]], ...]

    def residual(self, x: Float[Array, " n"]) -> Float[Array, " m"]:
        medium, known = self.guess(x)
        rows = []
        for survey, sd in zip(self.surveys, self.sd, strict=True):
            predicted = survey.predict(medium, known)
            rows += [
                (predicted[channel] - survey.observed[channel]) / sd[channel] for channel in sorted(survey.observed)
            ]
        return jnp.concatenate([*rows, self.guess.parameters.priors(x)])

    def linearise(self, x: Float[Array, " n"]) -> tuple[Float[Array, " m"], Float[Array, "m n"]]:
        value, forward = jax.linearize(self.residual, x)
        return value, jax.vmap(forward, out_axes=1)(jnp.eye(x.size, dtype=x.dtype))

    def blocks(self) -> list[tuple[int, str, slice]]:
        """The rows of each channel: number of the survey, channel, rows."""
        found, start = [], 0
        for index, survey in enumerate(self.surveys):
            for channel, values in sorted(survey.observed.items()):
                found.append((index, channel, slice(start, start + len(values))))
                start += len(values)
        return found

    @property
    def estimates_noise(self) -> bool:
        return any(level is None for survey in self.surveys for level in survey.noise.values())

    @property
    def count(self) -> int:
        """How many rows are data."""
        return self.blocks()[-1][2].stop


class Coarse(eqx.Module):
    """The rows of screens, and a weak pull towards the guess for what they do not feel."""

    guess: Guess
    screens: tuple[Screen, ...]
    leash: Float[Array | np.ndarray, " n"]

    def residual(self, x: Float[Array, " n"]) -> Float[Array, " m"]:
        rows = [jax.vmap(lambda item, s=screen: self._row(x, s, item))(screen.items).ravel() for screen in self.screens]
        return jnp.concatenate([*rows, self._tail(x)])

    def linearise(self, x: Float[Array, " n"]) -> tuple[Float[Array, " m"], Float[Array, "m n"]]:
        values, slopes = [], []
        for screen in self.screens:

            def one(item, screen=screen):
                rows, pull = jax.vjp(lambda x: self._row(x, screen, item), x)
                return rows, jax.vmap(lambda seed: pull(seed)[0])(jnp.eye(rows.shape[0]))

            rows, slope = jax.vmap(one)(screen.items)
            values.append(rows.ravel())
            slopes.append(slope.reshape(-1, x.size))
        slopes.append(jax.jacfwd(self._tail)(x))
        return jnp.concatenate([*values, self._tail(x)]), jnp.concatenate(slopes)

    def _row(self, x: Float[Array, " n"], screen: Screen, item: Any) -> Float[Array, " rows"]:
        return screen.rows(*self.guess(x), item)

    def _tail(self, x: Float[Array, " n"]) -> Float[Array, " rows"]:
        return jnp.concatenate([self.guess.parameters.priors(x), self.leash * x])
