"""Unknowns of a medium as one vector of raw numbers: 0 is the guess, 1 a natural step."""

from __future__ import annotations

import math
from collections.abc import Mapping

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput, shown
from ..problem import Bounded, Normal, Positive, Real, Unknown
from ..solve import Layout


class Parameters(eqx.Module):
    """What is to be found, and the prior of each."""

    unknowns: dict[str, Unknown]
    layout: Layout
    """Where each sits in the vector; it keeps the order, which a mapping inside compiled code does not."""

    def __init__(self, unknowns: Mapping[str, Unknown]):
        if not isinstance(unknowns, Mapping) or not unknowns:
            raise BadInput(
                f"unknowns must be a mapping from names, such as {{'modulus': lf.Positive([5e9, 7e10])}}; got"
                f" {shown(unknowns)}."
            )
        for name, unknown in unknowns.items():
            if not isinstance(unknown, Unknown):
                raise BadInput(
                    f"unknown '{name}' must be lf.Positive, lf.Bounded or lf.Real, such as lf.Positive(guess=1.0), but"
                    f" it is {shown(unknown)}; what is known belongs into the medium's own function."
                )
            if unknown.over is not None:
                raise BadInput(f"unknown '{name}' is a field over '{unknown.over}'; give one number per layer instead.")
        self.unknowns = dict(unknowns)
        shapes = tuple(unknown.guess.shape for unknown in unknowns.values())
        self.layout = Layout(0, tuple(unknowns), tuple(math.prod(shape) for shape in shapes), shapes)

    @property
    def ordered(self) -> list[Unknown]:
        return [self.unknowns[name] for name in self.layout.names]

    @property
    def count(self) -> int:
        return self.layout.unknown_count

    def values(self, x: Float[Array, " n"]) -> dict[str, Array]:
        """What the medium sees."""
        return {name: self.unknowns[name].value(raw) for name, raw in self.layout.raw(x).items()}

    def raw(self, values: Mapping[str, object]) -> Float[np.ndarray, " n"]:
        """The inverse of `values`."""
        parts = []
        for name, unknown in zip(self.layout.names, self.ordered, strict=True):
            value = np.broadcast_to(np.asarray(values[name], dtype=float), unknown.guess.shape)
            parts.append(np.ravel(np.asarray(unknown.raw_of(jnp.asarray(value)))))
        return np.concatenate(parts)

    def priors(self, x: Float[Array, " n"]) -> Float[Array, " rows"]:
        """(value - mean) / sd for every `Normal` prior."""
        rows = [jnp.zeros(0)]
        for name, value in self.values(x).items():
            prior = self.unknowns[name].prior
            if isinstance(prior, Normal):
                rows.append(jnp.ravel((value - prior.mean) / prior.sd))
        return jnp.concatenate(rows)

    def labels(self) -> list[str]:
        """A name for each raw number: "gain", "modulus[0]"."""
        names = zip(self.layout.names, self.layout.sizes, strict=True)
        return [name if size == 1 else f"{name}[{i}]" for name, size in names for i in range(size)]

    def logs(self) -> list[bool]:
        """Whether each raw number is the logarithm of a factor."""
        return [unknown.step == "log" for unknown in self.ordered for _ in range(unknown.guess.size)]

    def units(self) -> list[float]:
        """The step of each quantity for a raw step of one."""
        found: list[float] = []
        for unknown in self.ordered:
            found += [*np.ravel(unknown.scale)] if isinstance(unknown, Real) else [1.0] * unknown.guess.size
        return found

    def spreads(self, spread: float) -> Float[np.ndarray, " n"]:
        """How far each raw number is looked for to either side: a factor of `spread` for a `Positive` unknown, three
        prior standard deviations where there is a prior, two scales for a `Real` one; a `Bounded` one by quantiles."""
        found = []
        for unknown in self.ordered:
            wide = np.full(unknown.guess.shape, {Positive: math.log(spread), Real: 2.0}.get(type(unknown), 3.0))
            if isinstance(unknown.prior, Normal) and not isinstance(unknown, Bounded):
                step = unknown.scale if isinstance(unknown, Real) else unknown.guess
                wide = np.minimum(wide, 3 * np.asarray(unknown.prior.sd) / np.abs(step))
            found.append(np.ravel(wide))
        return np.concatenate(found)

    def starts(self, cube: Float[np.ndarray, "k n"], spread: float) -> Float[np.ndarray, "k n"]:
        """Raw numbers for points of the unit cube."""
        cube = np.clip(cube, 1e-3, 1 - 1e-3)
        x = self.spreads(spread) * (2 * cube - 1)
        for name, unknown in zip(self.layout.names, self.ordered, strict=True):
            if isinstance(unknown, Bounded):
                part = self.layout.slice(name)
                value = unknown.lower + (unknown.upper - unknown.lower) * cube[:, part]
                x[:, part] = np.asarray(unknown.raw_of(jnp.asarray(value.reshape(-1, *unknown.guess.shape)))).reshape(
                    len(cube), -1
                )
        return x
