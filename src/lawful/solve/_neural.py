"""All at once: a trial field fitted to laws and data together."""

from __future__ import annotations

import math
from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree

from .._core.messages import BadInput
from ..fields import MLP, Fourier, Imposed, Trial, constrained
from ..geometry import chebyshev_points, sobol_points
from ..problem import (
    FaceCondition,
    Model,
    Problem,
    face_conditions,
    law_symbols,
    periodic_axes,
    scalar_values,
)
from ._adam import Adam
from ._least_squares import LevenbergMarquardt
from ._observations import Noise, Observation, noise_of, observations
from ._optimiser import MOST_PARAMETERS, Optimiser
from ._scaling import Sizes, sizes
from ._task import Hyper, Layout, Task, consecutive, layout, prior_blocks, prior_rows


class Neural(eqx.Module):
    """Fit a trial field to laws and data at once (a hybrid loss), conditions built in where they can be.

    Minimises  sum over data ((prediction - value) / noise)^2 + weight^2 mean over points (law / size)^2 + priors.

    trial    the family of fields: `MLP(...)` or `Spectral(...)`; by default a network, with Fourier features where the
             data swing several times along a single axis.
    points   number of collocation points; by default what resolves the trial field.
    seed     of starting weights and points.

    The balance is automatic: the weight of the laws starts low, where the data lead, and rises tenfold per stage until
    the unknowns move by less than a thousandth of their error bars. `history` records every stage.
    """

    trial: Trial | None = None
    points: int | None = None
    seed: int = 0

    def optimiser(self, count: int) -> Optimiser:
        """What minimises by default: Gauss-Newton steps up to some thousands of parameters, Adam beyond."""
        return LevenbergMarquardt(ftol=1e-5, max_steps=150) if count <= MOST_PARAMETERS else Adam()

    def task(self, problem: Problem) -> NeuralTask:
        return neural_task(problem, self)


class NeuralTask(Task):
    """Residual rows of a trial field; all pointwise, so that the Jacobian is one reverse pass per point."""

    problem: Problem
    layout: Layout
    observed: tuple[Observation, ...]
    noise: Noise
    trial: Trial
    like: PyTree  # parameters of the trial field, for their shapes
    start: Float[np.ndarray, " n"]
    exact: tuple[FaceCondition, ...]
    penalised: tuple[FaceCondition, ...]
    periodic: tuple[str, ...] = eqx.field(static=True)
    sizes: Sizes
    places: dict[str, Float[np.ndarray, " points"]]
    face_places: tuple[dict[str, Float[np.ndarray, " points"]], ...]
    finest: float

    @property
    def weighs_laws(self) -> bool:
        return True

    @property
    def long_loops(self) -> bool:
        return True

    @property
    def blocks(self) -> dict[str, slice]:
        count = len(next(iter(self.places.values())))
        counts = {f"law: {name}": count for name in self.problem.laws}
        counts |= {
            f"condition: {c}": len(next(iter(p.values())))
            for c, p in zip(self.penalised, self.face_places, strict=True)
        }
        counts |= {f"data: {item.label}": len(item.values) for item in self.observed}
        return consecutive({**counts, **prior_blocks(self.problem)})

    def places_of(self, block: str) -> Mapping[str, np.ndarray]:
        found = {f"law: {name}": self.places for name in self.problem.laws}
        found |= {f"condition: {c}": p for c, p in zip(self.penalised, self.face_places, strict=True)}
        return found.get(block) or super().places_of(block)

    def finer(self) -> None:
        return None

    def model(self, x: Float[Array, " n"]) -> Model:
        params = ravel_pytree(self.like)[1](x[: self.layout.field_count])
        raw = self.layout.raw(x)
        return Model(self.problem, TrialFields(self, params, raw), raw)

    def residual(self, x: Float[Array, " n"], hyper: Hyper) -> Float[Array, " m"]:
        return jnp.concatenate(
            [jax.vmap(lambda item, row=row: row(x, item))(batch).T.ravel() for row, batch in self.rows(hyper)]
            + [self.priors(x, hyper.leash)]
        )

    def linearise(self, x: Float[Array, " n"], hyper: Hyper) -> tuple[Float[Array, " m"], Float[Array, "m n"]]:
        values, slopes = [self.priors(x, hyper.leash)], [jax.jacrev(self.priors)(x, hyper.leash)]
        parts = [rows_with_slopes(row, x, batch) for row, batch in self.rows(hyper)]
        return jnp.concatenate([p[0] for p in parts] + values), jnp.concatenate([p[1] for p in parts] + slopes)

    def rows(self, hyper: Hyper):
        """(pointwise function of x and an item, batch of items) for each block, heavy rows first."""
        yield self.law_rows(hyper)
        for condition, places in zip(self.penalised, self.face_places, strict=True):
            yield self.condition_rows(condition, places, hyper)
        place = 0
        for item in self.observed:
            count = len(item.values)
            yield self.data_row(item), (item.points, item.values, hyper.sd[place : place + count])
            place += count

    def law_rows(self, hyper: Hyper):
        symbols = law_symbols(self.problem)
        everything = {argument: symbol for law in symbols.values() for argument, symbol in law.items()}
        share = hyper.weight / np.sqrt(len(next(iter(self.places.values()))))

        def row(x, point):
            values = self.model(x).evaluate(everything, point)
            return jnp.stack(
                [
                    law(**{argument: values[argument] for argument in symbols[name]}) * (share / self.sizes.laws[name])
                    for name, law in self.problem.laws.items()
                ]
            )

        return row, self.places

    def condition_rows(self, condition: FaceCondition, places, hyper: Hyper):
        share = hyper.weight / np.sqrt(len(next(iter(places.values()))))
        base = self.sizes.fields.get(condition.field, 1.0)
        size = base / math.prod([self.sizes.lengths[axis] for axis in condition.quantity.partial])

        def row(x, point):
            model = self.model(x)
            miss = model.evaluate({"it": condition.quantity}, point)["it"] - condition.sign * model.call(
                condition.target, point
            )
            return (miss * share / size)[None]

        return row, places

    def data_row(self, item: Observation):
        def row(x, batch):
            point, value, sd = batch
            return ((item.quantity(self.model(x), point) - value) / sd)[None]

        return row

    def priors(self, x: Float[Array, " n"], leash: Float[Array, ""]) -> Float[Array, " rows"]:
        return prior_rows(self.problem, self.layout.raw(x), leash)


def rows_with_slopes(row, x, batch):
    """Values and Jacobian rows of a pointwise function over a batch, ordered quantity by quantity."""

    def one(item):
        values, pull = jax.vjp(lambda x: row(x, item), x)
        return values, jax.vmap(lambda seed: pull(seed)[0])(jnp.eye(values.shape[0]))

    values, slopes = jax.vmap(one)(batch)
    return values.T.ravel(), jnp.swapaxes(slopes, 0, 1).reshape(-1, x.shape[0])


class TrialFields(eqx.Module):
    """The trial field in the user's units, every exact condition built in: fields(**point) -> {name: value}."""

    task: NeuralTask
    params: PyTree
    raw: dict[str, Array]

    def __call__(self, **point: Float[Array, ""]) -> dict[str, Float[Array, ""]]:
        task, box = self.task, self.task.problem.domain
        return {
            name: constrained(
                self.unconstrained(index, name), [self.imposed(c) for c in task.exact if c.field == name], box
            )(**point)
            for index, name in enumerate(task.problem.fields)
        }

    def unconstrained(self, index: int, name: str):
        """One output of the trial field as a function of the user's coordinates, in the field's unit."""
        task, box = self.task, self.task.problem.domain

        def scaled(**point: Float[Array, ""]) -> Float[Array, ""]:
            ends = zip(box.axes, box.lower, box.upper, strict=True)
            place = {axis: 2 * (point[axis] - low) / (up - low) - 1 for axis, low, up in ends}
            return task.trial(self.params, place, task.periodic)[index] * task.sizes.fields[name]

        return scaled

    def imposed(self, condition: FaceCondition) -> Imposed:
        """A condition with its right-hand side as a function of the point, unknowns filled in."""
        problem = self.task.problem
        known = {**problem.constants, **scalar_values(problem, self.raw)}
        names = problem.vocabulary.resolve_all(condition.target, "condition")

        def value(**point: Float[Array, ""]) -> Float[Array, ""]:
            here = {**known, **point}
            return condition.sign * jnp.asarray(condition.target(**{name: here[name] for name in names}))

        return Imposed(condition.face, condition.order, value)


def neural_task(problem: Problem, method: Neural) -> NeuralTask:
    axes = problem.domain.axes
    closed = {name: periodic_axes(problem, name) for name in problem.fields}
    if len(set(closed.values())) > 1:
        raise BadInput(
            "Neural needs the same periodic axes for every field; give Periodic without field names, or use"
            " method=lf.Collocation()."
        )
    [periodic] = set(closed.values())
    conditions = face_conditions(problem)
    scale = sizes(problem)
    trial = method.trial or default_trial(problem, scale)
    params = trial.init(jax.random.PRNGKey(method.seed), axes, periodic, len(problem.fields))
    flat = ravel_pytree(params)[0]
    found = observations(problem)
    arrangement = layout(problem, flat.size)
    count = method.points or trial.collocation_points(len(axes))
    places = (
        chebyshev_points(problem.domain, count) if len(axes) == 1 else sobol_points(problem.domain, count, method.seed)
    )
    penalised = tuple(c for c in conditions if not c.exact)
    return NeuralTask(
        problem=problem,
        layout=arrangement,
        observed=found,
        noise=noise_of(found),
        trial=trial,
        like=params,
        start=np.concatenate([np.asarray(flat), np.zeros(arrangement.unknown_count)]),
        exact=tuple(c for c in conditions if c.exact),
        penalised=penalised,
        periodic=periodic,
        sizes=scale,
        places=places,
        face_places=tuple(face_points(problem, c, method.seed) for c in penalised),
        finest=1e-8,
    )


def default_trial(problem: Problem, scale: Sizes) -> Trial:
    """On one axis one hidden layer, with Fourier features of the right band for a field that swings; else two.

    Measured on the oscillator over nine half-waves: a calm network stalls at a hundred times the law residual that the
    features reach with two thirds of the parameters.
    """
    swings = [float(problem.domain.length(axis) / scale.lengths[axis]) for axis in problem.domain.axes]
    if len(swings) > 1:
        return MLP()
    if swings[0] < 3:
        return MLP(width=24, depth=1)
    return MLP(width=12, depth=1, fourier=Fourier(count=8 + int(swings[0]) // 4, scale=0.4 * np.pi * swings[0]))


def face_points(problem: Problem, condition: FaceCondition, seed: int) -> dict[str, Float[np.ndarray, " points"]]:
    """Points of the domain, pressed onto a face."""
    count = 1 if len(problem.domain.axes) == 1 else 128
    places = sobol_points(problem.domain, count, seed + 1)
    places[condition.face.axis] = np.full(count, problem.domain.ends(condition.face.axis)[condition.face.side])
    return places
