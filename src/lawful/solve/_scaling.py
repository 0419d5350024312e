"""Automatic scaling: typical sizes of fields, lengths and laws, so that the solver works on numbers near one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.compilation import quickly
from .._core.names import Symbol
from ..geometry import Box, Regions, grid
from ..problem import (
    FaceCondition,
    Model,
    Problem,
    SurfaceCondition,
    face_conditions,
    law_symbols,
    raw_size,
    right_hand_side,
    surface_conditions,
    under_own_names,
    within,
)


class Sizes(eqx.Module):
    """Typical magnitudes: of each field, of each axis as a length over which fields change, of each law's residual.

    Arrays rather than numbers, so that new data of the same shape need no new compilation.
    """

    fields: dict[str, np.ndarray]
    lengths: dict[str, np.ndarray]
    laws: dict[str, np.ndarray]

    def __str__(self) -> str:
        parts = [f"{k} ~ {v:.3g}" for k, v in self.fields.items()]
        parts += [f"change of {k} ~ {v:.3g}" for k, v in self.lengths.items()]
        parts += [f"law {k} ~ {v:.3g}" for k, v in self.laws.items()]
        return ", ".join(parts)


def sizes(problem: Problem) -> Sizes:
    """Sizes from data, conditions and guesses alone, before anything is solved; of several regions the largest."""
    regions = problem.domain
    parts = [within(problem, name) for name in regions.names] if isinstance(regions, Regions) else [problem]
    lengths = {axis: typical_length(problem, axis) for axis in problem.domain.axes}
    fields = {name: field_size(problem, parts, name, lengths) for name in problem.fields}
    found = [law_sizes(part, fields, lengths_within(part, lengths)) for part in parts]
    return as_arrays(fields, lengths, {law: max(each[law] for each in found) for law in problem.laws})


def sizes_within(part: Problem, whole: Sizes) -> Sizes:
    """The sizes of one region of a problem: fields as in the whole, lengths no longer than the region."""
    fields = {name: float(size) for name, size in whole.fields.items()}
    lengths = lengths_within(part, {axis: float(length) for axis, length in whole.lengths.items()})
    return as_arrays(fields, lengths, law_sizes(part, fields, lengths))


def lengths_within(part: Problem, lengths: Mapping[str, float]) -> dict[str, float]:
    return {axis: min(length, part.domain.length(axis)) for axis, length in lengths.items()}


def as_arrays(*groups: Mapping[str, float]) -> Sizes:
    return Sizes(*[{name: np.asarray(size) for name, size in group.items()} for group in groups])


def typical_length(problem: Problem, axis: str) -> float:
    """The length between two passages of measured values through their mean, or the whole axis where they do not pass.

    A field with many periods changes over short lengths. Only where there is one axis: scattered points on several do
    not tell.
    """
    length = problem.domain.length(axis)
    if len(problem.domain.axes) > 1:
        return length
    for data in problem.data:
        order = np.argsort(data.columns[axis])
        span = float(np.ptp(data.columns[axis]))
        for key, values in data.columns.items():
            if key in problem.domain.axes or span == 0:
                continue
            sorted_values = values[order] - values.mean()
            # Small excursions around the mean are noise, not periods.
            clear = sorted_values[np.abs(sorted_values) > 0.3 * np.std(values)]
            crossings = int(np.sum(np.diff(np.sign(clear)) != 0))
            if crossings:
                length = min(length, span / crossings)
    return length


def field_size(problem: Problem, parts: Sequence[Problem], name: str, lengths: dict[str, float]) -> float:
    """The largest value that data, conditions or, through them, guesses give for a field; `parts` are the problems of
    the single regions."""
    found = []
    for data in problem.data:
        for key in set(data.columns) - set(problem.domain.axes) - set(data.observe):
            symbol = problem.vocabulary.resolve(key, data.name)
            if symbol.base == name:
                found.append(np.abs(data.columns[key]).max() * np.prod([lengths[axis] for axis in symbol.partial]))
    for part in parts:
        conditions = (*face_conditions(part), *surface_conditions(part))
        found += [given_size(part, c, lengths) for c in conditions if c.exact and c.field == name]
    largest = max(found, default=0.0)
    return float(largest) if largest > 0 else 1.0


def given_size(problem: Problem, condition: FaceCondition | SurfaceCondition, lengths: dict[str, float]) -> float:
    """The size of a field that a condition speaks of: what is given, times a length for every derivative. A condition
    du/dn = b + c u speaks of b / c where c is large."""
    guesses = {key: unknown.guess for key, unknown in problem.unknowns.items()}
    known = under_own_names(problem, {**problem.constants, **guesses})
    value, slope = right_hand_side(problem, condition, known)
    if isinstance(condition, FaceCondition):
        points, length = spread_points(problem), lengths[condition.face.axis] ** condition.order
    else:
        points, _ = condition.border(81, 0)
        length = float(shape_length(condition.axes, lengths)) if condition.normal else 1.0
    given = np.abs(jax.vmap(lambda point: value(**point))(points)) * length
    if slope is not None:
        given = given / (1 + length * np.abs(jax.vmap(lambda point: slope(**point))(points)))
    return float(np.max(given))


def spread_points(problem: Problem) -> dict[str, Float[np.ndarray, " n"]]:
    """Points all over the domain, of a box with its ends."""
    domain = problem.domain
    return grid(domain, dict.fromkeys(domain.axes, 9)) if isinstance(domain, Box) else domain.sample(256, 0)


def shape_length(axes: tuple[str, ...], lengths: Mapping[str, float | np.ndarray]) -> Float[Array, ""]:
    """A typical length across a shape: the shortest of its axes."""
    return jnp.min(jnp.stack([jnp.asarray(lengths[axis]) for axis in axes]))


def law_sizes(problem: Problem, fields: dict[str, float], lengths: dict[str, float]) -> dict[str, float]:
    """The size of every law's residual."""
    laws = {name: (problem.laws[name], symbols) for name, symbols in law_symbols(problem).items()}
    return function_sizes(problem, laws, fields, lengths)


def function_sizes(
    problem: Problem,
    functions: Mapping[str, tuple[Callable, dict[str, Symbol]]],
    fields: dict[str, float],
    lengths: dict[str, float],
) -> dict[str, float]:
    """The root mean square change of each function when each of its quantities changes by its typical size.

    The derivative of a function with respect to its arguments does the dimensional analysis. Derived quantities are
    evaluated on wavy fields of typical size rather than guessed.
    """
    rng, axes = np.random.default_rng(0), problem.domain.axes
    phases = {name: rng.uniform(0, 2 * np.pi, (8, len(axes))) for name in problem.fields}
    if isinstance(problem.domain, Box):
        points = {axis: rng.uniform(*problem.domain.ends(axis), 8) for axis in axes}
    else:
        points = problem.domain.sample(8, 0)
    still = (*problem.vocabulary.plain, *axes)

    def squares(phase, point):
        model, found = wavy_model(problem, fields, lengths, phase), {}
        for name, (function, symbols) in functions.items():
            values = model.evaluate(symbols, point)
            moving = {a: v for a, v in values.items() if symbols[a].base not in still}
            fixed = {a: v for a, v in values.items() if a not in moving}
            slopes = jax.grad(lambda moving, f=function, fixed=fixed: f(**fixed, **moving))(moving)
            found[name] = sum((slopes[a] * moving[a]) ** 2 for a in moving)
        return found

    found = quickly(jax.vmap(squares))(phases, points)
    sizes = {name: float(np.sqrt(np.mean(square))) for name, square in found.items()}
    return {name: size if np.isfinite(size) and size > 0 else 1.0 for name, size in sizes.items()}


def wavy_model(
    problem: Problem, fields: dict[str, float], lengths: dict[str, float], phases: dict[str, Float[Array, " axes"]]
) -> Model:
    """Fields of typical size that change over typical lengths, with unknowns at their guesses."""

    def wavy(**point: Array) -> dict[str, Array]:
        def wave(phase: Array, axis: str) -> Array:
            return jnp.sqrt(2.0) * jnp.sin(2 * point[axis] / lengths[axis] + phase)

        waves = {name: [wave(phases[name][i], axis) for i, axis in enumerate(lengths)] for name in fields}
        return {name: fields[name] * jnp.prod(jnp.stack(waves[name])) for name in fields}

    return Model(problem, wavy, start_raw(problem))


def start_raw(problem: Problem) -> dict[str, jax.Array]:
    """Every unknown at its guess."""
    return {
        name: jnp.zeros(unknown.guess.shape if unknown.over is None else (raw_size(unknown),))
        for name, unknown in problem.unknowns.items()
    }
