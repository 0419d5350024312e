"""The discretisation error of a quantity of interest: the residual of the solution, weighted by an adjoint."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.names import arguments, join_derivative, signature_of
from ..problem import Flux, Model, Problem, Real, Value, changed
from ..verify import Line, Verification, quantity_line, weighted_residual
from ._candidates import free_name
from ._collocation import Collocation, CollocationTask, collocation_task

BEFORE = 1e-11  # of an axis


class At(Protocol):
    """Evaluates a named quantity, or a function of named quantities, at places; arrays broadcast."""

    def __call__(self, what: str | Callable, **points: Array | float) -> Array: ...


def at_of(model: Model) -> At:
    axes = model.problem.domain.axes

    def at(what: str | Callable, **points: Array | float) -> Array:
        places = jnp.broadcast_arrays(*[jnp.asarray(points[axis], dtype=float) for axis in axes])

        def one(point: dict[str, Array]) -> Array:
            return jnp.asarray(model.quantity(what, point) if isinstance(what, str) else model.call(what, point))

        flat = {axis: place.ravel() for axis, place in zip(axes, places, strict=True)}
        return jax.vmap(one)(flat).reshape(places[0].shape)

    return at


class Relaxed(eqx.Module):
    """A function of named quantities of which a share of another model's miss is forgiven:

        function(...) - share[cell] * (function - aim of that model at the same place)

    For a law the aim is nothing; for the target of a condition it is what the condition is about. With share 1 the
    other model meets it, with share 0 it is as it was.
    """

    function: Callable
    aim: Callable | None
    other: Model
    share: str = eqx.field(static=True)
    edges: Float[np.ndarray, " cells+1"]
    axis: str = eqx.field(static=True)

    @property
    def __name__(self) -> str:
        return getattr(self.function, "__name__", "function")

    @property
    def __signature__(self) -> inspect.Signature:
        return signature_of((*arguments(self.function, "it"), *self.other.problem.domain.axes, self.share))

    def __call__(self, **values):
        point = {axis: jnp.asarray(values[axis]) for axis in self.other.problem.domain.axes}
        cell = jnp.searchsorted(jnp.asarray(self.edges), point[self.axis], side="right") - 1
        share = jnp.asarray(values[self.share])[jnp.clip(cell, 0, len(self.edges) - 2)]
        own = self.function(**{name: values[name] for name in arguments(self.function, "it")})
        # The rates of a march jump at the end of each step, where its last stage lies: they are those before the jump.
        point[self.axis] = point[self.axis] - BEFORE * (self.edges[-1] - self.edges[0])
        miss = self.other.call(self.function, point) - (0.0 if self.aim is None else self.aim(self.other, point))
        return own - share * miss


class Aim(eqx.Module):
    """A quantity of a model, times a sign: what a condition on one face is about."""

    name: str = eqx.field(static=True)
    sign: float = eqx.field(static=True)

    def __call__(self, model: Model, point: dict) -> Array:
        return self.sign * jnp.asarray(model.quantity(self.name, point))


def quantity_budget(
    task: CollocationTask, found: Verification, quantities: Mapping[str, Callable[[At], object]]
) -> list[tuple[float, Line]]:
    """Value and line of the budget for each quantity of interest."""
    judgement = found.judgement
    final = judgement.search.best.found if judgement.search is not None else judgement.null.found
    from ._forward import forward_model

    rows = []
    model = forward_model(task, len(judgement.null.scored.z))
    for name, quantity in quantities.items():
        value = jax.jit(lambda x, quantity=quantity: jnp.asarray(quantity(at_of(task.model(x)))))
        estimate = adjoint_error(task, final.x, quantity)
        rows.append(
            quantity_line(name, lambda x, value=value: float(value(jnp.asarray(x))), model, final, estimate.error)
        )
    return rows


def adjoint_error(task: CollocationTask, x: np.ndarray, quantity: Callable[[At], object], cells: int = 16):
    """The discretisation error of a quantity at numbers x, in all and by its origin along the first axis of the mesh.

    On a finer mesh the law of which the share s of this solution's residual is forgiven has this very solution for
    s = 1, and a better one for s = 0: J(exact) - J(here) is -dJ/ds to first order, and dJ/ds is the residual weighted
    by the adjoint solution, found backwards through the solver. Source: Becker and Rannacher, Acta Numerica 10, 1
    (2001).
    """
    here = task.model(jnp.asarray(x))
    axis = getattr(task.scheme, "march", None) or task.problem.domain.axes[0]
    edges = np.linspace(*task.problem.domain.ends(axis), cells + 1)
    fresh = collocation_task(relaxed_problem(task.problem, here, axis, edges), Collocation(tolerance=task.finest))
    fine = task.finer()
    assert fine is not None
    fresh = fresh.on_mesh_of(fine)

    @jax.jit
    def of_shares(shares: Float[Array, " cells"]) -> Float[Array, ""]:
        # The unknown is Real(guess=1, scale=1): its raw number is the share less one.
        raw = jnp.concatenate([jnp.asarray(x), shares - 1])
        return jnp.asarray(quantity(at_of(fresh.model(raw))))

    return weighted_residual(of_shares, cells)


def relaxed_problem(problem: Problem, here: Model, axis: str, edges: np.ndarray) -> Problem:
    """With a share of what a solution misses of laws and conditions forgiven in each cell along an axis: one more
    unknown, a vector. Conditions are met at the nodes of its mesh only, and count as well."""
    share = free_name(problem, "share")

    def relaxed(function: Callable, aim: Callable | None) -> Relaxed:
        return Relaxed(function, aim, here, share, edges, axis)

    conditions = []
    for condition in problem.conditions:
        if not isinstance(condition, Value | Flux):
            conditions.append(condition)
            continue
        for face in condition.part.faces:
            part = problem.domain.at(**{face.axis: problem.domain.ends(face.axis)[face.side]})
            targets = {}
            for name, target in condition.targets.items():
                aim = Aim(name, 1.0)
                if isinstance(condition, Flux):
                    aim = Aim(join_derivative(name, (face.axis,), problem.domain.axes), 1.0 if face.side else -1.0)
                targets[name] = relaxed(target, aim)
            conditions.append(type(condition)(part, **targets))
    laws = {name: relaxed(law, None) for name, law in problem.laws.items()}
    unknowns = {**problem.unknowns, share: Real(cast(Any, np.ones(len(edges) - 1)), scale=1.0)}
    return changed(problem, laws=laws, conditions=tuple(conditions), unknowns=unknowns)
