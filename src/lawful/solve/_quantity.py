"""The discretisation error of a quantity of interest: the residual of the solution, weighted by an adjoint."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Protocol

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.names import arguments, signature_of
from ..problem import Model, Problem, Real
from ..verify import Line, Verification, quantity_line, weighted_residual
from ._candidates import free_name
from ._collocation import Collocation, CollocationTask, collocation_task


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
    """A law of which a share of another model's residual is forgiven: law(...) - share[cell] * residual(place).

    With share 1 that other model solves it; with share 0 it is the law.
    """

    law: Callable
    other: Model
    share: str = eqx.field(static=True)
    edges: Float[np.ndarray, " cells+1"]
    axis: str = eqx.field(static=True)

    @property
    def __name__(self) -> str:
        return getattr(self.law, "__name__", "law")

    @property
    def __signature__(self) -> inspect.Signature:
        axes = self.other.problem.domain.axes
        return signature_of(tuple(dict.fromkeys((*arguments(self.law, "the law"), *axes, self.share))))

    def __call__(self, **values):
        point = {axis: values[axis] for axis in self.other.problem.domain.axes}
        cell = jnp.searchsorted(jnp.asarray(self.edges), point[self.axis], side="right") - 1
        share = values[self.share][jnp.clip(cell, 0, len(self.edges) - 2)]
        own = self.law(**{name: values[name] for name in arguments(self.law, "the law")})
        return own - share * self.other.call(self.law, point)


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
    relaxed = relaxed_problem(task.problem, here, axis, edges)
    fresh = collocation_task(relaxed, Collocation(tolerance=task.finest))
    fine = task.finer()
    assert fine is not None
    scheme = dataclasses.replace(fresh.scheme, grid=fine.scheme.grid)
    if hasattr(fine.scheme, "stages"):
        scheme = dataclasses.replace(scheme, stages=fine.scheme.stages)
    fresh = dataclasses.replace(fresh, scheme=scheme, edges=fine.edges)

    @jax.jit
    def of_shares(shares: Float[Array, " cells"]) -> Float[Array, ""]:
        # The unknown is Real(guess=1, scale=1): its raw number is the share less one.
        raw = jnp.concatenate([jnp.asarray(x), shares - 1])
        return jnp.asarray(quantity(at_of(fresh.model(raw))))

    return weighted_residual(of_shares, cells)


def relaxed_problem(problem: Problem, here: Model, axis: str, edges: np.ndarray) -> Problem:
    """With a share of the residual of a solution forgiven in each cell along an axis: one more unknown, a vector."""
    share = free_name(problem, "share")
    laws = {name: Relaxed(law, here, share, edges, axis) for name, law in problem.laws.items()}
    unknowns = {**problem.unknowns, share: Real(np.ones(len(edges) - 1), scale=1.0)}
    return dataclasses.replace(problem, laws=laws, unknowns=unknowns)
