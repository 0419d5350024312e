"""A problem's predictions at its sensors as plain functions of numbers: what `verify` judges."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.compilation import compiled
from .._core.precision import float64, in_float64
from ..problem import Problem, raw_size
from ..verify import Coordinate, ForwardModel, Measurements
from ._collocation import CollocationTask
from ._scheme import Scheme
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
    return jnp.concatenate([jnp.zeros(0), *predicted, prior_rows(task.problem, model.raw, jnp.zeros(()))[: prior_count(task.problem)]])


class Predictions:
    """The two functions of a task; directions come in few widths, so that few programs are compiled."""

    def __init__(self, task: CollocationTask, few: int):
        self.few = few
        with float64():
            self.rows, self.rows_and_slopes = predicted_rows.bound(task), sloping_rows.bound(task)

    @in_float64
    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.rows(jnp.asarray(x)))

    @in_float64
    def linearise(self, x: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        count = directions.shape[1]
        padded = np.zeros((len(x), self.few if count <= self.few else len(x)))
        padded[:, :count] = directions
        values, slopes = self.rows_and_slopes(jnp.asarray(x), jnp.asarray(padded))
        return np.asarray(values), np.asarray(slopes)[:, :count]

    def jittered(self, x: np.ndarray) -> np.ndarray:
        """Predictions with every number moved by some units in the last place: what rounding, and the tolerance at
        which Newton's method stops, do to them."""
        return self.predict(x * (1 + ULPS) + ULPS)


def forward_model(task: CollocationTask, count: int) -> ForwardModel:
    """The predictions of a task whose last `count` unknowns are the coefficients of candidates."""
    coordinates = coordinates_of(task.problem)
    own = len(coordinates) - count
    here = Predictions(task, own + 3)
    return ForwardModel(
        predict=here.predict,
        linearise=here.linearise,
        parameters=tuple(coordinates[:own]),
        candidates=tuple(coordinates[own:]),
        start=np.asarray(task.start, dtype=float),
        finer=tuple(Predictions(each, own + 3).predict for each in finer_tasks(task)),
        ratio=1.5 if task.scheme.grid.lines else 2.0,
        parts={name: Predictions(each, own + 3).predict for name, each in finer_parts(task).items()}
        | {"solver and rounding": here.jittered},
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
        return dataclasses.replace(task, scheme=dataclasses.replace(task.scheme, grid=task.scheme.grid.finer()))
    if task.edges is None or not isinstance(task.scheme, Scheme):
        return task
    edges = np.asarray(task.edges)
    return dataclasses.replace(task, edges=np.sort(np.concatenate([edges, 0.5 * (edges[1:] + edges[:-1])])))


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
        return jnp.ravel(unknown.value(jnp.zeros(unknown.guess.shape).ravel().at[index].set(raw).reshape(unknown.guess.shape)))[index]

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
