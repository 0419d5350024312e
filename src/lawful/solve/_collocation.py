"""Spectral collocation in space, implicit Radau steps in time, unknowns fitted through the solver."""

from __future__ import annotations

import dataclasses
import inspect

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput, listing
from .._core.names import join_derivative
from ..problem import (
    FaceCondition,
    Free,
    Model,
    Problem,
    Real,
    Value,
    face_conditions,
    is_free,
    matching,
    needed_conditions,
    order_table,
    periodic_axes,
)
from ._grid import make_grid
from ._least_squares import LevenbergMarquardt
from ._march import Marched, Scheme, march
from ._observations import Noise, Observation, noise_of, observations
from ._scaling import Sizes, sizes
from ._steady import Steady, SteadyScheme, balance
from ._task import Hyper, Layout, Task, consecutive, layout, prior_blocks, prior_rows


class Collocation(eqx.Module):
    """Solve the laws to the accuracy asked for, and fit the unknowns through the solver with exact derivatives.

    The axis along which conditions stand at the lower end only is marched along, with implicit Radau steps; all other
    axes are resolved by Chebyshev or Fourier nodes. Without such an axis the problem is steady, and one nonlinear
    system is solved.

    tolerance   of the fields, relative to their size: steps and nodes are doubled until a run on the doubled mesh
                agrees to it, at the solution, or to what moves no estimate by a thousandth of its error bar. Good
                values: 1e-8 for ODEs, 1e-6 for PDEs.
    steps       at the start, by default from the data.
    nodes       on each space axis at the start.
    stages      Radau points per step; the order of a step is 2 stages - 1.
    """

    tolerance: float = 1e-8
    steps: int | None = eqx.field(static=True, default=None)
    nodes: int = eqx.field(static=True, default=24)
    stages: int = eqx.field(static=True, default=5)

    def optimiser(self, count: int) -> LevenbergMarquardt:
        """What minimises by default, whatever the number of unknowns."""
        return LevenbergMarquardt()

    def task(self, problem: Problem) -> CollocationTask:
        return collocation_task(problem, self)


class CollocationTask(Task):
    """Residual rows of data and priors; the laws hold by construction."""

    problem: Problem
    layout: Layout
    observed: tuple[Observation, ...]
    noise: Noise
    scheme: Scheme | SteadyScheme
    edges: Float[np.ndarray, " steps+1"] | None
    sizes: Sizes
    finest: float

    @property
    def weighs_laws(self) -> bool:
        return False

    @property
    def start(self) -> Float[np.ndarray, " n"]:
        return np.zeros(self.layout.unknown_count)

    @property
    def long_loops(self) -> bool:
        return False

    @property
    def blocks(self) -> dict[str, slice]:
        counts = {f"data: {item.label}": len(item.values) for item in self.observed}
        return consecutive({**counts, **prior_blocks(self.problem)})

    def described(self, row: int) -> str:
        return f"{super().described(row)} (with these unknowns the laws cannot be solved up to there)"

    def fields(self, raw: dict[str, Array]) -> Marched | Steady:
        if isinstance(self.scheme, SteadyScheme):
            return balance(self.scheme, raw)
        return march(self.scheme, raw, jnp.asarray(self.edges))

    def model(self, x: Float[Array, " n"]) -> Model:
        raw = self.layout.raw(x)
        return Model(self.problem, self.fields(raw), raw)

    def residual(self, x: Float[Array, " n"], hyper: Hyper) -> Float[Array, " m"]:
        model = self.model(x)
        misses = [jnp.zeros(0), *(item.predict(model) - item.values for item in self.observed)]
        return jnp.concatenate([jnp.concatenate(misses) / hyper.sd, prior_rows(self.problem, model.raw, hyper.leash)])

    def linearise(self, x: Float[Array, " n"], hyper: Hyper) -> tuple[Float[Array, " m"], Float[Array, "m n"]]:
        def along(direction: Float[Array, " n"]) -> tuple[Float[Array, " m"], Float[Array, " m"]]:
            return jax.jvp(lambda x: self.residual(x, hyper), (x,), (direction,))

        # The value does not depend on the direction, and is computed once.
        return jax.vmap(along, out_axes=(None, 1))(jnp.eye(x.shape[0]))

    def finer(self) -> CollocationTask:
        """The same on a doubled mesh: twice the steps, half as many nodes again."""
        grid = self.scheme.grid
        counts = {line.axis: line.count + line.count // 2 for line in grid.lines}
        periodic = tuple(line.axis for line in grid.lines if line.periodic)
        marched = self.scheme.march if isinstance(self.scheme, Scheme) else None
        grid = make_grid(self.problem.domain, marched, counts, periodic)
        edges = None
        if self.edges is not None:
            edges = np.sort(np.concatenate([self.edges, 0.5 * (self.edges[1:] + self.edges[:-1])]))
        return dataclasses.replace(self, scheme=dataclasses.replace(self.scheme, grid=grid), edges=edges)


def collocation_task(problem: Problem, method: Collocation) -> CollocationTask:
    axis = marching_axis(problem)
    problem = with_named_start(problem, axis)
    pairs = matching(problem)
    if pairs is None:
        raise BadInput(
            f"Collocation needs one law for each field, but there are {len(problem.laws)} laws for"
            f" {len(problem.fields)} fields"
            f" ({listing(problem.fields)}); add the missing law, or use method=lf.Neural()."
        )
    space = [a for a in problem.domain.axes if a != axis]
    for a in space:
        for name in problem.fields:
            if is_free(problem, name, a):
                raise BadInput(
                    f"Collocation cannot leave '{name}' free along {a}; give the condition, or use method=lf.Neural()."
                )
    found, scale = observations(problem), sizes(problem)
    periodic = periodic_lines(problem, space)
    grid = make_grid(problem.domain, axis, dict.fromkeys(space, method.nodes), periodic)
    conditions = face_conditions(problem)
    common = {
        "problem": problem,
        "grid": grid,
        "pairs": pairs,
        "sizes": scale.fields,
        "law_sizes": scale.laws,
    }
    boundary = tuple(c for c in conditions if c.face.axis != axis)
    if axis is None:
        scheme, edges = SteadyScheme(boundary=boundary, **common), None
    else:
        table = order_table(problem, axis)
        orders = {name: int(table[:, i].max()) for i, name in enumerate(problem.fields)}
        initial = tuple(c for c in conditions if c.face.axis == axis)
        check_initial(problem, axis, orders, initial)
        scheme = Scheme(march=axis, orders=orders, initial=initial, boundary=boundary, stages=method.stages, **common)
        # Steps on one point cost microseconds, a new compilation on a doubled mesh seconds: an ODE starts fine.
        swings = float(problem.domain.length(axis) / scale.lengths[axis])
        steps = method.steps or max(16, round((8 if space else 28) * swings))
        edges = np.linspace(*problem.domain.ends(axis), steps + 1)
    return CollocationTask(
        problem=problem,
        layout=layout(problem, 0),
        observed=found,
        noise=noise_of(found),
        scheme=scheme,
        edges=edges,
        sizes=scale,
        finest=method.tolerance,
    )


def marching_axis(problem: Problem) -> str | None:
    """The axis with as many conditions at its lower end as the laws have derivatives, and none at the upper."""
    conditions = face_conditions(problem)
    candidates = []
    for axis in problem.domain.axes:
        needed = needed_conditions(problem, axis) or {}
        upper = any(c.face.axis == axis and c.face.side == 1 for c in conditions)
        closed = any(axis in periodic_axes(problem, name) for name in problem.fields)
        if any(needed.values()) and not upper and not closed:
            candidates.append(axis)
    named = [axis for axis in candidates if axis in ("t", "time")]
    return (named or candidates or [None])[0]


def periodic_lines(problem: Problem, space: list[str]) -> tuple[str, ...]:
    closed = {axis for axis in space for name in problem.fields if axis in periodic_axes(problem, name)}
    for axis in closed:
        if not all(axis in periodic_axes(problem, name) for name in problem.fields):
            raise BadInput(
                f"Collocation needs every field periodic along {axis}, or none; give Periodic without field names."
            )
    return tuple(axis for axis in space if axis in closed)


def check_initial(problem: Problem, axis: str, orders: dict[str, int], initial: tuple[FaceCondition, ...]) -> None:
    for condition in initial:
        if not condition.exact:
            raise BadInput(
                f"Collocation needs {condition} as a plain value of a field or its rate; use method=lf.Neural()"
                " for anything else."
            )
    for name, order in orders.items():
        given = {c.order for c in initial if c.field == name}
        if given != set(range(order)):
            missing = (
                join_derivative(name, (axis,) * min(set(range(order)) - given), problem.domain.axes)
                if set(range(order)) - given
                else name
            )
            raise BadInput(
                f"Collocation starts from {order} initial value(s) of '{name}'; give"
                f" lf.Value(domain.at({axis}=...), {missing}=...)."
            )


def with_named_start(problem: Problem, axis: str | None) -> Problem:
    """An initial state that was left `Free` becomes unknowns of its own, so that it is found with error bars."""
    if axis is None:
        return problem
    needed = needed_conditions(problem, axis) or {}
    loose = [name for name, count in needed.items() if count and is_free(problem, name, axis)]
    if not loose:
        return problem
    if len(problem.domain.axes) > 1:
        raise BadInput(
            f"Collocation cannot find a whole initial field ({listing(loose)}); give it, or use method=lf.Neural()."
        )
    unknowns, conditions = (
        dict(problem.unknowns),
        [c for c in problem.conditions if not (isinstance(c, Free) and c.part.faces[0].axis == axis)],
    )
    part, scale = problem.domain.at(**{axis: problem.domain.ends(axis)[0]}), sizes(problem)
    given = {(c.field, c.order) for c in face_conditions(problem) if c.face.axis == axis}
    for name in loose:
        for order in range(needed[name]):
            if (name, order) in given:
                continue
            key = f"{join_derivative(name, (axis,) * order, problem.domain.axes)}_start"
            size = scale.fields[name] / scale.lengths[axis] ** order
            unknowns[key] = Real(guess=first_value(problem, name, axis) if order == 0 else 0.0, scale=size)
            conditions.append(Value(part, **{join_derivative(name, (axis,) * order, problem.domain.axes): named(key)}))
    return Problem(
        problem.domain,
        problem.fields,
        problem.laws,
        conditions,
        unknowns,
        problem.constants,
        problem.derived,
        problem.data,
    )


def first_value(problem: Problem, name: str, axis: str) -> float:
    """The earliest measured value of a field, 0 where it was not measured."""
    for data in problem.data:
        if name in data.columns and name not in data.observe:
            return float(data.columns[name][np.argmin(data.columns[axis])])
    return 0.0


def named(key: str):
    """A function whose only argument is called `key` and which returns it."""

    def value(**quantities):
        return quantities[key]

    value.__signature__ = inspect.Signature([inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY)])
    return value
