"""Spectral collocation in space, implicit Radau steps in time, unknowns fitted through the solver."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput, listing
from ..geometry import Box
from ..problem import Model, Problem, all_face_conditions, is_free, matching, order_table
from ._adapt import marched_on
from ._continuation import Continuation
from ._elements import Elements, first_grid
from ._initial import check_initial, marching_axis, periodic_lines, with_named_start
from ._joints import joint_orders
from ._layers import junctions, row_of
from ._least_squares import LevenbergMarquardt
from ._march import Marched, march
from ._observations import Noise, Observation, noise_of, observations
from ._placing import placed
from ._scaling import Sizes, sizes
from ._scheme import Scheme, halved
from ._steady import Steady, SteadyScheme, balance, led_up_to, moved_to, steady_on
from ._task import Hyper, Layout, Task, consecutive, layout, prior_blocks, prior_rows

MANY = 100  # steps, beyond which a program that is compiled well pays
MOST_STAGES = 8  # beyond it the powers of a step lose digits, and steps are halved instead


class Collocation(eqx.Module):
    """Solve the laws to the accuracy asked for, and fit the unknowns through the solver with exact derivatives.

    The axis along which conditions stand at the lower end only is marched along, with implicit Radau steps; all other
    axes are resolved by elements with Chebyshev nodes, or by Fourier nodes. Without such an axis the problem is
    steady, and one nonlinear system is solved.

    tolerance   of the fields, relative to their size: steps and nodes are refined until a run on the refined mesh
                agrees to it, at the solution, or to what moves no estimate by a thousandth of its error bar. Good
                values: 1e-8 for ODEs, 1e-6 for PDEs.
    steps       how many at the start, all equal, or the times between which they lie. By default they are chosen: from
                the data for ODEs, by the error of each step for laws of first order in time on an axis of space.
    nodes       on each space axis at the start, or a mapping from axis to a number of nodes or to `Elements`. By
                default elements are placed where the solution needs them on a single space axis, and 24 nodes are
                taken on each of several.
    stages      Radau points per step; the order of a step is 2 stages - 1. By default 5, and 7 where steps are chosen
                for a tolerance below 1e-6.
    continuation  `Continuation(Re=(100, 400))`: easier problems that lead Newton's method to a steady one without
                unknowns; by default none, and it starts from zero.
    """

    tolerance: float = 1e-8
    steps: int | tuple[float, ...] | None = eqx.field(static=True, default=None)
    nodes: int | tuple[tuple[str, int | Elements], ...] | None = eqx.field(static=True, default=None)
    stages: int | None = eqx.field(static=True, default=None)
    continuation: Continuation | None = None

    def __init__(
        self,
        tolerance: float = 1e-8,
        steps: int | Sequence[float] | None = None,
        nodes: int | Mapping[str, int | Elements] | None = None,
        stages: int | None = None,
        continuation: Continuation | None = None,
    ):
        self.tolerance = tolerance
        self.steps = steps if steps is None or isinstance(steps, int) else tuple(float(t) for t in steps)
        self.nodes = tuple(nodes.items()) if isinstance(nodes, Mapping) else nodes
        self.stages, self.continuation = stages, continuation

    def optimiser(self, task: Task) -> LevenbergMarquardt:
        """What minimises by default, whatever the number of unknowns."""
        return LevenbergMarquardt()

    def task(self, problem: Problem) -> CollocationTask:
        return placed(collocation_task(problem, self), self)


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
    start: Float[np.ndarray, " n"]
    """Where the fit starts: the guesses, or what a fit on a rougher mesh found."""
    refines_stages: bool
    """Whether a finer mesh has more stages on the same steps rather than more steps."""
    solved: Marched | Steady | None
    """The fields of a problem in which nothing is to be found."""

    @property
    def weighs_laws(self) -> bool:
        return False

    @property
    def long_loops(self) -> bool:
        return (
            bool(self.scheme.grid.lines) and self.solved is None and self.edges is not None and len(self.edges) > MANY
        )

    @property
    def blocks(self) -> dict[str, slice]:
        counts = {f"data: {item.label}": len(item.values) for item in self.observed}
        return consecutive({**counts, **prior_blocks(self.problem)})

    def described(self, row: int) -> str:
        return f"{super().described(row)} (with these unknowns the laws cannot be solved up to there)"

    def fields(self, raw: dict[str, Array]) -> Marched | Steady:
        if self.solved is not None:
            return self.solved
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
        """The same on a finer mesh: half as many nodes again on every element, and twice the steps or, where the steps
        were chosen by their error, two more stages in each."""
        grid, edges = self.scheme.grid.finer(), self.edges
        scheme = moved_to(self.solved, grid) if isinstance(self.solved, Steady) else self.scheme.on(grid)
        if isinstance(scheme, Scheme) and self.refines_stages and scheme.stages < MOST_STAGES:
            scheme = dataclasses.replace(scheme, stages=scheme.stages + 2)
        elif edges is not None:
            edges = halved(edges)
        finer = dataclasses.replace(self, scheme=scheme, edges=edges, solved=None)
        return finer if self.solved is None else finer.with_fields()

    def on_mesh_of(self, other: CollocationTask) -> CollocationTask:
        """The same on the mesh of another task, with as many stages in a step."""
        scheme = self.scheme.on(other.scheme.grid)
        if isinstance(scheme, Scheme) and isinstance(other.scheme, Scheme):
            scheme = dataclasses.replace(scheme, stages=other.scheme.stages)
        return dataclasses.replace(self, scheme=scheme, edges=other.edges, refines_stages=other.refines_stages)

    def with_fields(self) -> CollocationTask:
        """With the fields of a problem in which nothing is to be found: they are solved for once, here."""
        if isinstance(self.scheme, SteadyScheme):
            return dataclasses.replace(self, solved=steady_on(self.scheme, {}))
        assert self.edges is not None
        return dataclasses.replace(self, solved=marched_on(self.scheme, {}, jnp.asarray(self.edges)))


def collocation_task(problem: Problem, method: Collocation) -> CollocationTask:
    if not isinstance(problem.domain, Box) and row_of(problem.domain) is None:
        raise BadInput(
            f"Collocation solves on boxes, but the domain is a {type(problem.domain).__name__}; use"
            " method=lf.Neural(), for smooth fields lf.Neural(trial=lf.Spectral(12))."
        )
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
    grid = first_grid(problem, axis, periodic, method.nodes)
    conditions = all_face_conditions(problem)
    joints = joint_orders(problem, row.axis) if (row := row_of(problem.domain)) is not None else {}
    common = {
        "problem": problem,
        "grid": grid,
        "pairs": pairs,
        "sizes": scale.fields,
        "law_sizes": scale.laws,
        "junctions": junctions(problem, joints, scale),
    }
    boundary = tuple(c for c in conditions if c.face.axis != axis)
    if method.continuation is not None:
        check_continuation(problem, method.continuation, axis)
    if axis is None:
        scheme, edges = SteadyScheme(boundary=boundary, **common), None
        if method.continuation is not None:
            scheme = led_up_to(scheme, method.continuation)
    else:
        table = order_table(problem, axis)
        orders = {name: int(table[:, i].max()) for i, name in enumerate(problem.fields)}
        initial = tuple(c for c in conditions if c.face.axis == axis)
        check_initial(problem, axis, orders, initial)
        scheme = Scheme(
            march=axis, orders=orders, initial=initial, boundary=boundary, stages=method.stages or 5, **common
        )
        # Steps on one point cost microseconds, a new compilation on a doubled mesh seconds: an ODE starts fine.
        swings = float(problem.domain.length(axis) / scale.lengths[axis])
        steps = method.steps or max(16, round((8 if space else 28) * swings))
        ends = problem.domain.ends(axis)
        edges = np.linspace(*ends, steps + 1) if isinstance(steps, int) else given_steps(steps, axis, ends)
    return CollocationTask(
        problem=problem,
        layout=layout(problem, 0),
        observed=found,
        noise=noise_of(found),
        scheme=scheme,
        edges=edges,
        sizes=scale,
        finest=method.tolerance,
        start=np.zeros(layout(problem, 0).unknown_count),
        refines_stages=False,
        solved=None,
    )


def check_continuation(problem: Problem, continuation: Continuation, march: str | None) -> None:
    """Lessons lead Newton's method to a steady problem of which all coefficients are known."""
    if march is not None or problem.unknowns:
        why = f"{listing(problem.unknowns)} must be found" if problem.unknowns else f"it is marched along {march}"
        raise BadInput(
            f"Collocation takes a continuation for steady problems without unknowns, but here {why}; leave it out, or"
            " use method=lf.Neural(continuation=...)."
        )
    continuation.check(problem.constants)


def given_steps(times: tuple[float, ...], axis: str, ends: tuple[float, float]) -> Float[np.ndarray, " steps+1"]:
    """Times between which the user wants the steps to lie."""
    edges = np.asarray(times)
    if len(edges) < 2 or not np.all(np.diff(edges) > 0) or (edges[0], edges[-1]) != tuple(ends):
        raise BadInput(f"steps must be times that rise from {ends[0]:g} to {ends[1]:g}, the ends of {axis}.")
    return edges
