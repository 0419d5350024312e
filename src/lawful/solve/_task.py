"""What a method hands to the optimiser: residual rows with their Jacobian, and how to read the numbers found."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Self

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array, Float

from ..problem import Model, Normal, Problem, raw_size
from ._ground import Ground
from ._observations import Noise, Observation
from ._scaling import Sizes


class Layout(eqx.Module):
    """Where each unknown sits in the vector of numbers to be found: parameters of the field first, unknowns last."""

    field_count: int = eqx.field(static=True)
    names: tuple[str, ...] = eqx.field(static=True)
    sizes: tuple[int, ...] = eqx.field(static=True)
    shapes: tuple[tuple[int, ...], ...] = eqx.field(static=True)

    @property
    def unknown_count(self) -> int:
        return sum(self.sizes)

    def raw(self, x: Float[Array, " n"]) -> dict[str, Array]:
        """The raw unknowns in a vector of all numbers."""
        found, place = {}, self.field_count
        for name, size, shape in zip(self.names, self.sizes, self.shapes, strict=True):
            found[name] = x[place : place + size].reshape(shape)
            place += size
        return found

    def slice(self, name: str) -> slice:
        """Where an unknown sits among the unknowns."""
        index = self.names.index(name)
        start = sum(self.sizes[:index])
        return slice(start, start + self.sizes[index])


def layout(problem: Problem, field_count: int) -> Layout:
    unknowns = problem.unknowns
    shapes = tuple(u.guess.shape if u.over is None else (raw_size(u),) for u in unknowns.values())
    return Layout(field_count, tuple(unknowns), tuple(int(np.prod(s)) for s in shapes), shapes)


class Hyper(eqx.Module):
    """What may change between stages without a new compilation: noise of each row, weight of the laws."""

    sd: Float[Array, " rows"]
    weight: Float[Array, ""]
    leash: Float[Array, ""]


class Task(eqx.Module):
    """The contract between a method and the fit.

    Residual rows come in blocks: laws (weighted), penalised conditions, data in units of noise, priors.
    """

    problem: eqx.AbstractVar[Problem]
    layout: eqx.AbstractVar[Layout]
    observed: eqx.AbstractVar[tuple[Observation, ...]]
    noise: eqx.AbstractVar[Noise]
    start: eqx.AbstractVar[Float[np.ndarray, " n"]]
    """Where the fit starts, unknowns in their raw form behind what makes up the fields."""
    sizes: eqx.AbstractVar[Sizes]
    finest: eqx.AbstractVar[float]
    """Relative accuracy of the fields: estimated noise below this share of the data's spread means nothing."""

    @abc.abstractmethod
    def model(self, x: Float[Array, " n"]) -> Model:
        """Fields and unknowns for the numbers x."""

    @abc.abstractmethod
    def residual(self, x: Float[Array, " n"], hyper: Hyper) -> Float[Array, " m"]:
        """All rows."""

    @abc.abstractmethod
    def linearise(self, x: Float[Array, " n"], hyper: Hyper) -> tuple[Float[Array, " m"], Float[Array, "m n"]]:
        """All rows and their Jacobian."""

    def factor(
        self, x: Float[Array, " n"], hyper: Hyper, at_once: int
    ) -> tuple[Float[Array, " m"], Float[Array, "n n"]]:
        """All rows, and the triangular factor of their Jacobian, where that is too large to be formed."""
        residual, jacobian = self.linearise(x, hyper)
        return residual, jnp.linalg.qr(jacobian, mode="r")

    def whole(self, rows: Float[Array, "k ..."], hyper: Hyper) -> Float[Array, "m ..."]:
        """All rows, of which each device that shares the work has some."""
        return rows

    def data_slopes(self, x: Float[Array, " n"], hyper: Hyper) -> Float[Array, "rows n"]:
        """The rows of the Jacobian that belong to data."""
        return self.linearise(x, hyper)[1][self.data_rows]

    @property
    @abc.abstractmethod
    def blocks(self) -> dict[str, slice]:
        """Names of the terms of the loss, and their rows. Data blocks are named "data: ..."."""

    @property
    @abc.abstractmethod
    def weighs_laws(self) -> bool:
        """Whether the laws are rows of the fit (and `weight` matters) or hold by construction."""

    @property
    @abc.abstractmethod
    def long_loops(self) -> bool:
        """Whether the rows are long loops over large arrays rather than linear algebra: what the compiler asks."""

    @property
    def ground(self) -> Ground | None:
        """Where the laws are asked to hold at the start; None where that never changes."""
        return None

    def on(self, ground: Ground) -> Self:
        """The same task with the laws asked to hold there."""
        return self

    def turned(self, ground: Ground, x: Float[Array, " n"], step: int, stopped: bool) -> Ground | None:
        """Where they are to hold from step `step` of the fit on, which stands at x; None to go on as before, or to end
        where the optimiser has `stopped`."""
        return None

    def met(self, ground: Ground) -> bool:
        """Whether the laws hold well enough where the fit had not looked."""
        return False

    @abc.abstractmethod
    def finer(self) -> Task | None:
        """The same on a finer mesh, or None where there is no mesh."""

    def places_of(self, block: str) -> Mapping[str, np.ndarray]:
        """Where the rows of a block lie: coordinates by axis, empty for priors. Several rows may share a place."""
        return next((item.points for item in self.observed if block == f"data: {item.label}"), {})

    def described(self, row: int) -> str:
        """A row in the user's words: its term, and where it lies."""
        name, part = next((name, part) for name, part in self.blocks.items() if part.start <= row < part.stop)
        places = self.places_of(name)
        if not places:
            return name
        index = (row - part.start) % len(next(iter(places.values())))
        return f"{name} at {', '.join(f'{axis} = {place[index]:.6g}' for axis, place in places.items())}"

    @property
    def data_rows(self) -> slice:
        rows = [part for name, part in self.blocks.items() if name.startswith("data: ")]
        return slice(rows[0].start, rows[-1].stop) if rows else slice(0, 0)


class WeightedSystem(eqx.Module):
    """A task at given noise and weight, as the optimiser sees it."""

    task: Task
    hyper: Hyper
    mesh: Mesh | None = eqx.field(static=True, default=None)
    """The devices that share the rows; None where one works alone."""

    def residual(self, x: Float[Array, " n"]) -> Float[Array, " m"]:
        return self.task.residual(x, self.hyper)

    def linearise(self, x: Float[Array, " n"]) -> tuple[Float[Array, " m"], Float[Array, "m n"]]:
        return self.task.linearise(x, self.hyper)

    def factor(self, x: Float[Array, " n"], at_once: int) -> tuple[Float[Array, " m"], Float[Array, "n n"]]:
        return self.task.factor(x, self.hyper, at_once)

    def whole(self, rows: Float[Array, "k ..."]) -> Float[Array, "m ..."]:
        return self.task.whole(rows, self.hyper)

    def data_slopes(self, x: Float[Array, " n"]) -> Float[Array, "rows n"]:
        return self.task.data_slopes(x, self.hyper)


LEASH = 5.0
"""Raw distance from the guess that costs as much as one deviating measurement, while the leash is on."""


def prior_rows(problem: Problem, raw: Mapping[str, Array], leash: Float[Array, ""]) -> Float[Array, " rows"]:
    """(value - mean) / sd for `Normal`, the whitened modes themselves for `Smooth`; then the leash, 0 when it is off.

    The leash keeps unknowns near their guess while the field does not yet know the laws: a `Positive` one that the
    first steps do not feel would otherwise run to 1e-300, from where no slope leads back.
    """
    rows = [jnp.zeros(0)]
    for name, unknown in problem.unknowns.items():
        if unknown.over is not None:
            rows.append(raw[name][1:])
        elif isinstance(unknown.prior, Normal):
            rows.append(jnp.ravel((unknown.value(raw[name]) - unknown.prior.mean) / unknown.prior.sd))
    return jnp.concatenate([*rows, *(jnp.ravel(raw[name]) * (leash / LEASH) for name in problem.unknown_scalars)])


def prior_count(problem: Problem) -> int:
    return sum(
        raw_size(unknown) - 1
        if unknown.over is not None
        else int(np.size(unknown.guess)) * isinstance(unknown.prior, Normal)
        for unknown in problem.unknowns.values()
    )


def prior_blocks(problem: Problem) -> dict[str, int]:
    """The rows of `prior_rows`, by what they are."""
    leash = sum(problem.unknowns[name].guess.size for name in problem.unknown_scalars)
    return {"priors": prior_count(problem), "leash": leash}


def consecutive(counts: dict[str, int]) -> dict[str, slice]:
    """Slices of the given lengths, one after another; empty ones are left out."""
    found, place = {}, 0
    for name, count in counts.items():
        if count:
            found[name] = slice(place, place + count)
        place += count
    return found
