"""A problem's predictions at its sensors as plain functions of numbers: what `verify` judges."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.compilation import compiled
from .._core.precision import in_float64
from ..problem import Problem, raw_size
from ..verify import Coordinate, ForwardModel, Measurements, Probe
from ._collocation import CollocationTask
from ._observations import noise_of
from ._scheme import Scheme, halved
from ._task import prior_count, prior_rows

MOST_SENSORS = 60  # places beyond which scattered readings count as one sensor a column
ULPS = 8 * float(np.finfo(float).eps)


@compiled(lambda task, *_: task.long_loops)
def predicted_rows(task: CollocationTask, x: Float[Array, " n"]) -> Float[Array, " rows"]:
    """Predictions at all measured places, then the rows of the priors."""
    return rows_of(task, x)


@compiled(lambda task, *_: task.long_loops)
def sloping_rows(
    task: CollocationTask, x: Float[Array, " n"], directions: Float[Array, "n k"]
) -> tuple[Float[Array, " rows"], Float[Array, "rows k"]]:
    """The same with their derivatives along some directions."""

    def along(direction: Float[Array, " n"]) -> tuple[Float[Array, " rows"], Float[Array, " rows"]]:
        return jax.jvp(lambda x: rows_of(task, x), (x,), (direction,))

    return jax.vmap(along, in_axes=1, out_axes=(None, 1))(directions)


def rows_of(task: CollocationTask, x: Float[Array, " n"]) -> Float[Array, " rows"]:
    model = task.model(x)
    predicted = [item.predict(model) for item in task.observed]
    return jnp.concatenate(
        [jnp.zeros(0), *predicted, prior_rows(task.problem, model.raw, jnp.zeros(()))[: prior_count(task.problem)]]
    )


class Rows:
    """Predictions alone."""

    def __init__(self, task: CollocationTask):
        self.task = task

    @functools.cached_property
    def program(self) -> Callable:
        return predicted_rows.bound(self.task)

    @in_float64
    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.program(jnp.asarray(x)))


class Slopes:
    """Predictions with their derivatives along directions. Whatever is asked for, it is computed `width` directions at
    a time, so that a single program is compiled: compiling takes far longer than running."""

    def __init__(self, task: CollocationTask, width: int):
        self.task, self.width = task, width

    @functools.cached_property
    def program(self) -> Callable:
        return sloping_rows.bound(self.task)

    @in_float64
    def linearise(self, x: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values, found = None, []
        for start in range(0, max(directions.shape[1], 1), self.width):
            part = directions[:, start : start + self.width]
            padded = np.zeros((len(x), self.width))
            padded[:, : part.shape[1]] = part
            values, slopes = self.program(jnp.asarray(x), jnp.asarray(padded))
            found.append(np.asarray(slopes)[:, : part.shape[1]])
        return np.asarray(values), np.concatenate(found, axis=1)

    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.linearise(x, np.zeros((len(x), 0)))[0]

    def jittered(self, x: np.ndarray) -> np.ndarray:
        """Predictions with every number moved by some units in the last place: what rounding, and the tolerance at
        which Newton's method stops, do to them."""
        return self.predict(x * (1 + ULPS) + ULPS)


def forward_model(task: CollocationTask, count: int) -> ForwardModel:
    """The predictions of a task whose last `count` unknowns are the coefficients of candidates."""
    coordinates = coordinates_of(task.problem)
    own = len(coordinates) - count
    here = Slopes(task, own + 2)
    parts = {name: Rows(each).predict for name, each in finer_parts(task).items()}
    return ForwardModel(
        predict=here.predict,
        linearise=here.linearise,
        parameters=tuple(coordinates[:own]),
        candidates=tuple(coordinates[own:]),
        start=np.asarray(task.start, dtype=float),
        finer=tuple(Rows(each).predict for each in finer_tasks(task)),
        ratio=1.5 if task.scheme.grid.lines else 2.0,
        parts={**parts, "solver and rounding": here.jittered},
    )


def finer_tasks(task: CollocationTask) -> tuple[CollocationTask, ...]:
    """Two refinements in every direction at once."""
    once = refined(refined(task, space=True), space=False)
    return once, refined(refined(once, space=True), space=False)


def finer_parts(task: CollocationTask) -> dict[str, CollocationTask]:
    found = {}
    if task.scheme.grid.lines:
        found["space"] = refined(task, space=True)
    if task.edges is not None:
        found["time"] = refined(task, space=False)
    return found


def refined(task: CollocationTask, space: bool) -> CollocationTask:
    """Half as many nodes again on every element, or twice the steps; as it is where there is no such axis."""
    if space:
        return dataclasses.replace(task, scheme=task.scheme.on(task.scheme.grid.finer()))
    if task.edges is None or not isinstance(task.scheme, Scheme):
        return task
    return dataclasses.replace(task, edges=halved(np.asarray(task.edges)))


def coordinates_of(problem: Problem) -> list[Coordinate]:
    """One for each raw number, in the order in which they are fitted."""
    found = []
    for name, unknown in problem.unknowns.items():
        if unknown.over is not None:
            found += [Coordinate(f"mean of {name}")]
            found += [Coordinate(f"{name} mode {i}") for i in range(1, raw_size(unknown))]
            continue
        size = unknown.guess.size
        for index in range(size):
            value, slope = scalar_map(unknown, index)
            found.append(Coordinate(name if size == 1 else f"{name}[{index}]", value, slope, unknown.step == "log"))
    return found


def scalar_map(unknown, index: int) -> tuple[Callable[[float], float], Callable[[float], float]]:
    """From a raw number to its value, and the slope of that."""

    def whole(raw):
        return jnp.ravel(
            unknown.value(jnp.zeros(unknown.guess.shape).ravel().at[index].set(raw).reshape(unknown.guess.shape))
        )[index]

    return in_float64(lambda raw: float(whole(raw))), in_float64(lambda raw: float(jax.grad(whole)(float(raw))))


def measurements(task: CollocationTask) -> Measurements:
    """All readings of a task, and its priors as readings of a sensor of their own."""
    problem, axes = task.problem, task.problem.domain.axes
    march = task.scheme.march if isinstance(task.scheme, Scheme) else None
    space = [a for a in axes if a != march]
    values, sd, level, sensor, column, places = [], [], [], [], [], {a: [] for a in axes}
    sensors: list[str] = []
    for index, item in enumerate(task.observed):
        rows = len(item.values)
        values.append(item.values)
        level.append(np.full(rows, -1 if item.noise is not None else task.noise.labels.index(item.label)))
        sd.append(np.ones(rows) if item.noise is None else item.noise)
        column.append(np.full(rows, index))
        own = sensor_names(item.points, space, item.label, len(task.observed))
        for name in dict.fromkeys(own):
            if name not in sensors:
                sensors.append(name)
        sensor.append(np.array([sensors.index(name) for name in own]))
        for axis in axes:
            places[axis].append(item.points[axis])
    priors = prior_count(problem)
    columns = [item.label for item in task.observed]
    if priors:
        values.append(np.zeros(priors))
        sd.append(np.ones(priors))
        level.append(np.full(priors, -1))
        sensor.append(np.full(priors, len(sensors)))
        column.append(np.full(priors, len(columns)))
        sensors.append("priors")
        columns.append("priors")
        for axis in axes:
            places[axis].append(np.full(priors, np.nan))
    return Measurements(
        values=np.concatenate(values),
        sd=np.concatenate(sd),
        level=np.concatenate(level).astype(int),
        sensor=np.concatenate(sensor).astype(int),
        sensors=tuple(sensors),
        places={axis: np.concatenate(parts) for axis, parts in places.items()},
        column=np.concatenate(column).astype(int),
        columns=tuple(columns),
    )


def sensor_names(points: dict[str, np.ndarray], space: list[str], label: str, several: int) -> list[str]:
    """A name for the sensor of every row: where it stands, and what it measures where that is more than one thing."""
    count = len(next(iter(points.values())))
    stacked = np.stack([points[a] for a in space], axis=1) if space else np.zeros((count, 0))
    if not space or len(np.unique(stacked, axis=0)) > MOST_SENSORS:
        return [label] * count
    names = [", ".join(f"{a} = {v:.4g}" for a, v in zip(space, row, strict=True)) for row in stacked]
    return [f"{label} at {name}" for name in names] if several > 1 else names


MOST_PLACES = 41  # places on each axis at which another sensor is considered


def probe_of(task: CollocationTask, data: Measurements) -> Probe | None:
    """Another sensor of the first measured quantity at any place, read at the times of the others; None where there is
    no axis of space, or the readings are scattered rather than those of sensors."""
    if not isinstance(task.scheme, Scheme) or not task.scheme.grid.lines or not task.observed:
        return None
    [item, *_], domain, march = task.observed, task.problem.domain, task.scheme.march
    space = [axis for axis in domain.axes if axis != march]
    times = np.unique(item.points[march])
    if len(times) > len(item.values) / 2 and len(times) > MOST_SENSORS:
        times = np.linspace(float(times[0]), float(times[-1]), 20)
    count = MOST_PLACES if len(space) == 1 else 9
    lines = [np.linspace(*domain.ends(axis), count + 2)[1:-1] for axis in space]
    places = dict(zip(space, (mesh.ravel() for mesh in np.meshgrid(*lines, indexing="ij")), strict=True))
    number = len(places[space[0]])
    points = {axis: np.repeat(values, len(times)) for axis, values in places.items()} | {march: np.tile(times, number)}
    there = dataclasses.replace(
        item,
        points={axis: points[axis] for axis in domain.axes},
        values=np.zeros(number * len(times)),
        noise=np.ones(number * len(times)),
    )
    elsewhere = dataclasses.replace(task, observed=(there,), noise=noise_of((there,)))
    lazily = Elsewhere(elsewhere, number * len(times))
    rows = data.column == 0
    return Probe(places, lazily.linearise, float(np.median(data.sd[rows])) if not data.estimated else 1.0)


@dataclasses.dataclass
class Elsewhere:
    """The predictions of a task, without the rows of its priors; compiled when they are first asked for."""

    task: CollocationTask
    rows: int

    @functools.cached_property
    def predictions(self) -> Slopes:
        return Slopes(self.task, self.task.layout.unknown_count)

    def linearise(self, x: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values, slopes = self.predictions.linearise(x, directions)
        return values[: self.rows], slopes[: self.rows]
