"""Adam, for trial fields with too many parameters for a Jacobian."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PyTree

from .._core.mesh import total
from ._optimiser import (
    BAD_START,
    REDUCTION,
    RUNNING,
    STEP_LIMIT,
    Optimiser,
    OptimiserState,
    System,
    cost_of,
    first_of,
    unless_stopped,
)

_SLOWER, _WILD = 0.5, 0.2  # the rate after a step that gained nothing, and after one that went to infinity
_LEAST = 1e-4  # of the first rate: slower than this, nothing moves


class AdamState(OptimiserState):
    """Where a minimisation stands: arrays only."""

    x: Float[Array, " n"]
    cost: Float[Array, ""]
    moments: PyTree
    rate: Float[Array, ""]  # relative to the first one
    settled: Int[Array, ""]  # steps in a row that lowered the cost by no more than ftol
    steps: Int[Array, ""]
    status: Int[Array, ""]


class Adam(Optimiser):
    """Gradient descent with momentum, each parameter scaled by its own recent gradients.

    One step is `updates` updates with the gradient of |r|^2 / rows. A step that does not lower the cost is taken back,
    and the next one has half the rate, or a fifth where the cost was no longer finite.

    rate        of the first updates; 1e-3 to 1e-2 for networks in scaled variables.
    updates     in one step, between two looks from outside.
    max_steps   the most steps; 500 of 100 updates are what networks are usually given.
    ftol        stop when `patience` steps in a row have each lowered the cost by no more than this fraction of it.

    Needs no Jacobian while it descends, and so carries any number of parameters; it ends at some 1e-3 of the residual
    where a Gauss-Newton step would go on to rounding. Choose it for networks of more than some thousands of parameters.
    Source: D. P. Kingma and J. Ba, arXiv:1412.6980.
    """

    rate: float = 5e-3
    updates: int = 100
    max_steps: int = 500
    ftol: float = 1e-4
    patience: int = 20

    takes_jacobian: ClassVar[bool] = False
    success: ClassVar[frozenset[int]] = frozenset({REDUCTION})

    def start(self, x: Float[Array, " n"], residual: Float[Array, " m"]) -> AdamState:
        cost, nothing = cost_of(residual), jnp.zeros((), jnp.int32)
        return AdamState(
            x=x,
            cost=cost,
            moments=optax.scale_by_adam().init(x),
            rate=jnp.ones((), x.dtype),
            settled=nothing,
            steps=nothing,
            status=first_of([(~jnp.isfinite(cost), BAD_START)]),
        )

    def learnt(self, state: AdamState) -> tuple:
        return state.moments, state.rate, state.steps

    def move(self, system: System, state: AdamState, *known: Array) -> AdamState:
        """`updates` updates; of what is known only the number of rows is needed."""

        def update(carry: tuple, _: None) -> tuple[tuple, None]:
            here, moments = carry
            residual, pull = jax.vjp(system.residual, here)
            # Adam divides the size of the gradient away, except where it is as small as its eps.
            gradient = total(pull(residual)[0]) / (known[0] if known else residual).shape[0]
            direction, moments = optax.scale_by_adam().update(gradient, moments)
            return (here - self.rate * state.rate * jnp.asarray(direction), moments), None

        (here, moments), _ = jax.lax.scan(update, (state.x, state.moments), None, self.updates)
        cost = cost_of(system.residual(here))
        wild, better = ~jnp.isfinite(cost), cost < state.cost
        fresh = optax.scale_by_adam().init(state.x)
        moments = jax.tree.map(lambda went, new: jnp.where(better, went, new), moments, fresh)
        rate = state.rate * jnp.where(wild, _WILD, jnp.where(better, 1.0, _SLOWER))
        idle = ~(state.cost - cost > self.ftol * state.cost)
        settled, steps = jnp.where(idle, state.settled + 1, 0), state.steps + 1
        over = (settled >= self.patience) | (rate < _LEAST)
        new = AdamState(
            x=jnp.where(better, here, state.x),
            cost=jnp.where(better, cost, state.cost),
            moments=moments,
            rate=rate,
            settled=settled,
            steps=steps,
            status=first_of([(over, REDUCTION), (steps >= self.max_steps, STEP_LIMIT)]),
        )
        return unless_stopped(state, new)

    def reason(self, state: AdamState) -> str:
        after = f"after {int(state.steps) * self.updates} updates, rate {self.rate * float(state.rate):.1e}"
        return {
            RUNNING: f"still running {after}",
            REDUCTION: f"cost settled: no step lowered it by more than ftol any longer, {after}",
            STEP_LIMIT: f"step limit reached {after}",
            BAD_START: "residual is not finite at the start",
        }[int(state.status)]
