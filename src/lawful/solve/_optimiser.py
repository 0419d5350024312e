"""What an optimiser is to a fit: something that goes from residuals to a step, and says why it stopped."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol, Self

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from .._core.mesh import total

RUNNING, GRADIENT, REDUCTION, STEP, ROUNDING, NO_DESCENT, STEP_LIMIT, BAD_START, BAD_JACOBIAN = range(9)

MOST_PARAMETERS = 5000  # for a step, or an error bar, that factors the Jacobian: beyond it that takes minutes


class System(Protocol):
    """What is minimised: a pytree with these two functions, which must agree about the residual.

    Where several devices share the work each has some of the rows; sums over rows go through `total`.
    """

    def residual(self, x: Float[Array, " n"]) -> Float[Array, " m"]:
        """r(x), already weighted, so that |r|^2 is what is to be small."""
        ...

    def linearise(self, x: Float[Array, " n"]) -> tuple[Float[Array, " m"], Float[Array, "m n"]]:
        """r(x) and the Jacobian J_ij = dr_i/dx_j."""
        ...


class OptimiserState(eqx.Module):
    """Where a minimisation stands: arrays only, so that it can be saved and resumed bit for bit."""

    x: eqx.AbstractVar[Float[Array, " n"]]
    cost: eqx.AbstractVar[Float[Array, ""]]
    """|r(x)|^2"""
    steps: eqx.AbstractVar[Int[Array, ""]]
    status: eqx.AbstractVar[Int[Array, ""]]
    """RUNNING, or why it stopped: see `Optimiser.reason`."""


class Optimiser(eqx.Module):
    """The contract between an optimiser and a fit."""

    max_steps: eqx.AbstractVar[int]
    ftol: eqx.AbstractVar[float]

    takes_jacobian: ClassVar[bool]
    """Whether a step needs the Jacobian, or only residuals."""
    takes_factor: ClassVar[bool] = False
    """Whether the triangular factor of the Jacobian does as well."""
    success: ClassVar[frozenset[int]]
    hopeless: ClassVar[frozenset[int]] = frozenset({BAD_START, BAD_JACOBIAN})

    @abc.abstractmethod
    def start(self, x: Float[Array, " n"], residual: Float[Array, " m"]) -> Any:
        """The state at the starting point, where the residual is known."""

    def rebased(self, state: Any, residual: Float[Array, " m"]) -> Any:
        """The state where x is the same and the rows have changed: running again, with what was learnt about x."""
        return eqx.tree_at(self.learnt, self.start(state.x, residual), self.learnt(state))

    def learnt(self, state: Any) -> tuple[Any, ...]:
        """The parts of a state that stay true where the rows change."""
        return (state.steps,)

    @abc.abstractmethod
    def move(self, system: System, state: Any, *known: Array) -> Any:
        """A step, from where the residual is known, and the Jacobian if the optimiser takes it."""

    @abc.abstractmethod
    def reason(self, state: Any) -> str:
        """One sentence on why a minimisation stopped."""

    def init(self, system: System, x: Float[Array, " n"]) -> Any:
        """The state at the starting point x (n,), before the first step; evaluates the residual once."""
        x = jnp.asarray(x)
        return self.start(x, system.residual(x))

    def rough(self) -> Self:
        """Settings for the first of several stages, whose last digits would be thrown away."""
        return eqx.tree_at(lambda optimiser: optimiser.ftol, self, max(self.ftol, 1e-3))

    def traced(self) -> Self:
        """Tolerances as arrays: numbers of the call, not of the compiled code, which then serves every stage."""
        return jax.tree.map(lambda leaf: jnp.asarray(leaf) if isinstance(leaf, float) else leaf, self)


def unless_stopped(state: OptimiserState, new: Any) -> Any:
    """The new state, or the old one as it is where the minimisation has stopped."""
    return jax.tree.map(lambda old, fresh: jnp.where(state.status == RUNNING, fresh, old), state, new)


def cost_of(residual: Float[Array, " m"]) -> Float[Array, ""]:
    """|r|^2, infinite where the residual or its square is not finite."""
    cost = total(jnp.sum(residual**2))
    return jnp.where(jnp.isfinite(cost), cost, jnp.inf)


def first_of(cases: Sequence[tuple[Array, int | Array]]) -> Int[Array, ""]:
    """The code of the first case that holds; RUNNING where none does."""
    conditions, codes = zip(*cases, strict=True)
    return jnp.select(conditions, [jnp.asarray(code, jnp.int32) for code in codes], jnp.asarray(RUNNING, jnp.int32))
