"""All at once: a trial field fitted to laws and data together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree

from .._core.messages import BadInput, listing, nearest
from ..fields import MLP, Fourier, Layer, Polar, Spectral, Trial, constrained, symmetric
from ..geometry import Box, Domain, Regions, arcsine_points, chebyshev_points, radial_points, sobol_points
from ..problem import (
    Model,
    Problem,
    face_conditions,
    folded,
    law_symbols,
    parities,
    periodic_axes,
    scalar_values,
    surface_conditions,
    under_own_names,
)
from ._adam import Adam
from ._boundary import Exact, Penalty, exact_conditions, penalties
from ._continuation import Continuation
from ._course import Course, next_ground
from ._emphasis import Emphasis
from ._gauss_newton import GaussNewton
from ._ground import Ground, even
from ._least_squares import LevenbergMarquardt
from ._observations import Noise, Observation, noise_of, observations
from ._optimiser import MOST_PARAMETERS, Optimiser
from ._pointwise import PointwiseTask, Rows
from ._sampling import Fixed, ResidualDriven, Sampling
from ._scaling import Sizes, sizes
from ._task import Hyper, Layout, layout

if TYPE_CHECKING:
    from ._regional import RegionalTask


class Neural(eqx.Module):
    """Fit a trial field to laws and data at once (a hybrid loss), conditions built in where they can be.

    Minimises  sum over data ((prediction - value) / noise)^2 + weight^2 mean over points (law / size)^2 + priors.

    trial    the family of fields: `MLP(...)`, `Spectral(...)`, around a hole `Polar(...)`; by default a network, with
             Fourier features where the data swing several times along a single axis.
    points   number of collocation points; by default what resolves the trial field.
    seed     of starting weights and points.
    sampling      `ResidualDriven(...)` or `Fixed()`; by default the first for networks on two axes and more.
    emphasis      `Attention(...)` or `Causal(...)`: how strongly each point counts; by default all alike.
    continuation  `Continuation(nu=(0.05, 0.02))`: constants that start elsewhere; by default none.
    layers        `Layer("x", at=0.0, width=0.01)` where fields are known to change steeply; by default nowhere.
    tolerance     of the laws' residual, relative to their terms, at points that the fit has not seen: the fit stops
                  there where points are drawn anew. Good values: 1e-4 for a picture, 1e-6 for figures.
    exact_walls   whether conditions on curved boundaries are built into the trial field; False weighs them as rows of
                  the fit. With `Spectral` on shapes with holes, inner corners, or derivatives given on the boundary,
                  False brings many more digits: what is built in is not a polynomial there.
    unknowns      where the unknowns start, before their transforms; by default at their guesses. `lf.correction` sets
                  it.

    The balance is automatic: the weight of the laws starts low, where the data lead, and rises tenfold per stage until
    the unknowns move by less than a thousandth of their error bars. `history` records every stage.
    """

    trial: Trial | None = None
    points: int | None = None
    seed: int = 0
    sampling: Sampling | None = None
    emphasis: Emphasis | None = None
    continuation: Continuation | None = None
    layers: Sequence[Layer] = ()
    tolerance: float = 1e-6
    exact_walls: bool = True
    unknowns: Float[np.ndarray, " k"] | None = None

    def optimiser(self, task: NeuralTask | RegionalTask) -> Optimiser:
        """What minimises by default: a trust region, long damped steps for networks on several axes, Adam for large
        ones."""
        if len(task.start) > MOST_PARAMETERS:
            return Adam()
        long = task.trial.nonlinear and len(task.problem.domain.axes) > 1
        return GaussNewton() if long else LevenbergMarquardt(ftol=1e-5, max_steps=150)

    def task(self, problem: Problem) -> NeuralTask | RegionalTask:
        if isinstance(problem.domain, Regions):
            from ._regional import regional_task

            return regional_task(problem, self)
        return neural_task(problem, self, sizes(problem))


class NeuralTask(PointwiseTask):
    """Residual rows of a trial field, with exact conditions built in."""

    problem: Problem
    layout: Layout
    observed: tuple[Observation, ...]
    noise: Noise
    trial: Trial
    like: PyTree  # parameters of the trial field, for their shapes
    start: Float[np.ndarray, " n"]
    exact: Exact
    penalised: tuple[Penalty, ...]
    periodic: tuple[str, ...] = eqx.field(static=True)
    layers: tuple[Layer, ...]
    sizes: Sizes
    places: dict[str, Float[np.ndarray, " points"]]
    emphasis: Float[np.ndarray, " points"]
    course: Course
    finest: float

    def terms(self) -> dict[str, int]:
        count = len(next(iter(self.places.values())))
        counts = {f"law: {name}": count for name in self.problem.laws}
        return counts | {f"condition: {p.condition}": len(next(iter(p.places.values()))) for p in self.penalised}

    def places_of(self, block: str) -> Mapping[str, np.ndarray]:
        found = {f"law: {name}": self.places for name in self.problem.laws}
        found |= {f"condition: {p.condition}": p.places for p in self.penalised}
        return found.get(block) or super().places_of(block)

    @property
    def ground(self) -> Ground:
        return even(self.places)

    def on(self, ground: Ground) -> NeuralTask:
        constants = self.course.at(ground.lesson)
        parts = lambda task: (task.places, task.emphasis, task.problem.constants)
        return eqx.tree_at(parts, self, (ground.places, ground.emphasis, constants))

    def turned(self, ground: Ground, x: Float[Array, " n"], step: int, stopped: bool) -> Ground | None:
        return next_ground(self, ground, x, step, stopped)

    def met(self, ground: Ground) -> bool:
        done = ground.lesson == self.course.lessons
        return done and not self.observed and ground.unseen <= self.course.tolerance

    def model(self, x: Float[Array, " n"]) -> Model:
        params = ravel_pytree(self.like)[1](x[: self.layout.field_count])
        raw = self.layout.raw(x)
        return Model(self.problem, TrialFields(self, params, raw), raw)

    def rows(self, hyper: Hyper) -> Iterator[Rows]:
        yield from self.law_and_condition_rows(hyper)
        yield from self.data_rows_of(hyper)

    def law_and_condition_rows(self, hyper: Hyper) -> Iterator[Rows]:
        """What the laws and the penalised conditions ask for."""
        yield self.law_rows(hyper)
        for penalty in self.penalised:
            yield self.condition_rows(penalty, hyper)

    def law_rows(self, hyper: Hyper):
        share = hyper.weight / np.sqrt(len(next(iter(self.places.values()))))

        def row(x, batch):
            point, factor = batch
            return self.unmet(x, point) * (share * factor)

        return row, (self.places, self.emphasis)

    def unmet(self, x: Float[Array, " n"], point: dict[str, Array]) -> Float[Array, " laws"]:
        """The residual of every law at a point, in units of the typical size of its terms."""
        symbols = law_symbols(self.problem)
        everything = {argument: symbol for law in symbols.values() for argument, symbol in law.items()}
        values = self.model(x).evaluate(everything, point)
        return jnp.stack(
            [
                law(**{argument: values[argument] for argument in symbols[name]}) / self.sizes.laws[name]
                for name, law in self.problem.laws.items()
            ]
        )

    def condition_rows(self, penalty: Penalty, hyper: Hyper):
        share = hyper.weight / np.sqrt(len(next(iter(penalty.places.values()))))
        size = penalty.size(self.sizes, self.problem)

        def row(x, batch):
            point, normal = batch
            return (penalty.condition.miss(self.model(x), point, normal) * share / size)[None]

        return row, (penalty.places, penalty.normals)


class TrialFields(eqx.Module):
    """The trial field in the user's units, every exact condition built in: fields(**point) -> {name: value}."""

    task: NeuralTask
    params: PyTree
    raw: dict[str, Array]

    def __call__(self, **point: Float[Array, ""]) -> dict[str, Float[Array, ""]]:
        task, problem = self.task, self.task.problem
        known = under_own_names(problem, {**problem.constants, **scalar_values(problem, self.raw)})
        return {
            name: constrained(
                self.unconstrained(index, name),
                task.exact.imposed(problem, name, known),
                problem.domain,
                task.exact.walled(problem, name, known),
            )(**point)
            for index, name in enumerate(problem.fields)
        }

    def unconstrained(self, index: int, name: str):
        """One output of the trial field as a function of the user's coordinates, in the field's unit."""
        task = self.task

        def scaled(**point: Float[Array, ""]) -> Float[Array, ""]:
            return task.trial(self.params, self.place(point), task.periodic)[index] * task.sizes.fields[name]

        return symmetric(scaled, parities(task.problem, name), task.problem.domain)

    def place(self, point: dict[str, Array]) -> dict[str, Float[Array, ""]]:
        """What the trial field sees of a point: coordinates in [-1, 1], layers spread."""
        domain, found = self.task.problem.domain, {}
        for axis in domain.axes:
            low, high = domain.ends(axis)
            found[axis] = 2 * (point[axis] - low) / (high - low) - 1
        for name, layer in layer_inputs(self.task.trial, self.task.layers).items():
            found[name] = layer.coordinate(point[layer.axis], domain.ends(layer.axis))
        return found


def layer_inputs(trial: Trial, layers: Sequence[Layer]) -> dict[str, Layer]:
    """The names under which a trial field sees spread coordinates: the axis itself where they replace it."""
    names = [f"{layer.axis} layer {i}" if trial.beside else layer.axis for i, layer in enumerate(layers)]
    return dict(zip(names, layers, strict=True))


def neural_task(problem: Problem, method: Neural, scale: Sizes) -> NeuralTask:
    axes = problem.domain.axes
    closed = {name: periodic_axes(problem, name) for name in problem.fields}
    if len(set(closed.values())) > 1:
        raise BadInput(
            "Neural needs the same periodic axes for every field; give Periodic without field names, or use"
            " method=lf.Collocation()."
        )
    [periodic] = set(closed.values())
    faces, walls = face_conditions(problem), surface_conditions(problem)
    walls = walls if method.exact_walls else tuple(c._replace(exact=False) for c in walls)
    trial = (method.trial or default_trial(problem, scale)).on(problem.domain)
    for layer in method.layers:
        if layer.axis not in axes:
            raise BadInput(
                f"Layer names '{layer.axis}', which is no axis{nearest(layer.axis, axes)} Axes: {listing(axes)}."
            )
    inputs = tuple(dict.fromkeys((*axes, *layer_inputs(trial, method.layers))))
    params = trial.init(jax.random.PRNGKey(method.seed), inputs, periodic, len(problem.fields))
    flat = ravel_pytree(params)[0]
    found = observations(problem)
    arrangement = layout(problem, flat.size)
    count = method.points or points_for(trial, problem)
    places = first_points(problem.domain, count, method.seed, trial, periodic)
    return NeuralTask(
        problem=problem,
        layout=arrangement,
        observed=found,
        noise=noise_of(found),
        trial=trial,
        like=params,
        start=np.concatenate([np.asarray(flat), starting_unknowns(method, arrangement)]),
        exact=exact_conditions(problem, faces, walls),
        penalised=penalties(problem, faces, walls, method.seed),
        periodic=periodic,
        layers=tuple(method.layers),
        sizes=scale,
        places=folded(problem, places),
        emphasis=np.ones(count),
        course=course_of(problem, method, trial),
        finest=1e-8,
    )


def starting_unknowns(method: Neural, arrangement: Layout) -> Float[np.ndarray, " k"]:
    if method.unknowns is None:
        return np.zeros(arrangement.unknown_count)
    if len(method.unknowns) != arrangement.unknown_count:
        raise BadInput(
            f"Neural(unknowns=...) has {len(method.unknowns)} numbers, but the problem has"
            f" {arrangement.unknown_count} to be found; a correction is for the problem that it was made for."
        )
    return np.asarray(method.unknowns)


def first_points(
    domain: Domain, count: int, seed: int, trial: Trial, periodic: tuple[str, ...]
) -> dict[str, Float[np.ndarray, " points"]]:
    """Where the laws are asked to hold at first: polynomials on a box crowd towards its ends, as their zeros do, and
    around a hole towards both ends of every ray."""
    if isinstance(trial, Polar):
        return radial_points(domain, count, seed, dict(trial.centre), trial.radii)
    if not isinstance(domain, Box):
        return sobol_points(domain, count, seed)
    if len(domain.axes) == 1:
        return chebyshev_points(domain, count)
    if isinstance(trial, Spectral):
        return arcsine_points(domain, count, seed, tuple(axis for axis in domain.axes if axis not in periodic))
    return sobol_points(domain, count, seed)


def points_for(trial: Trial, problem: Problem) -> int:
    """How many collocation points by default. Polynomials on a shape that does not fill its box need half as many
    again: measured on an ellipse, twice as many points as coefficients leave a fourfold error near the boundary."""
    count = trial.collocation_points(len(problem.domain.axes))
    return count if trial.nonlinear or isinstance(problem.domain, Box) else count + count // 2


def course_of(problem: Problem, method: Neural, trial: Trial) -> Course:
    """Networks on several axes look where the laws are unmet; families that are linear in their parameters, and curves,
    are held everywhere by points that stay."""
    if method.continuation is not None:
        method.continuation.check(problem.constants)
    moving = trial.nonlinear and len(problem.domain.axes) > 1
    return Course(
        sampling=method.sampling or (ResidualDriven() if moving else Fixed()),
        emphasis=method.emphasis,
        continuation=method.continuation,
        tolerance=method.tolerance,
        seed=method.seed,
        constants=problem.constants,
    )


def default_trial(problem: Problem, scale: Sizes) -> Trial:
    """On one axis one hidden layer, with Fourier features of the right band for a field that swings; else two.

    Measured on the oscillator over nine half-waves: a calm network stalls at a hundred times the law residual that the
    features reach with two thirds of the parameters.
    """
    swings = [float(problem.domain.length(axis) / scale.lengths[axis]) for axis in problem.domain.axes]
    if len(swings) > 1:
        return MLP(width=20, depth=3)
    if swings[0] < 3:
        return MLP(width=24, depth=1)
    return MLP(width=12, depth=1, fourier=Fourier(count=8 + int(swings[0]) // 4, scale=0.4 * np.pi * swings[0]))
