"""Ways to bend a step: by the energy's gradient at the answer or through the network, and onto a constraint."""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int

from ._energy import Energy
from ._process import Design, Process
from ._schedules import Constant, Schedule


class Guide(eqx.Module):
    """The contract: another answer in place of the network's."""

    @abc.abstractmethod
    def bent(
        self, process: Process, energy: Energy, design: Design, before: Design, answer: Design, k: Int[Array, ""]
    ) -> Design:
        """The answer to go by at step k; `answer` is what the network, and guides before this one, say."""


class Pull(Guide):
    """The gradient at the predicted clean design: answer' = answer - strength variance(k) grad E(answer).

    Costs a gradient of the energy, none of the network. The variance is the process's rule of thumb for how much the
    clean design can still differ from the answer; with the true one and a linear energy it is exact.

    strength   1 follows the rule; more exaggerates.
    longest    the longest displacement of one step, in the tangent's units; infinite by default.
    least      the energy that a good design has, in kT: no step goes further than where the tangent would reach it,
               factor <= (E - least)/|grad E|^2, so that a stiff energy is not overshot. By default there is none.
    steps      pulls, one after another.
    Source: J. Song et al., Pseudoinverse-guided diffusion models, ICLR 2023; J. L. Watson et al., Nature 620, 1089
    (2023), for gradients of the predicted structure; B. Polyak, Introduction to Optimization (1987), 5.3, for `least`.
    """

    strength: Schedule = Constant()
    longest: float = jnp.inf
    least: float = -jnp.inf
    steps: int = eqx.field(static=True, default=1)

    def bent(self, process, energy, design, before, answer, k):
        share = process.share(k)
        factor = self.strength(share) * process.variance(k)
        limited = not (isinstance(self.least, float) and self.least == -jnp.inf)

        def pulled(at: Design) -> Design:
            height = lambda by: energy(process.moved(at, by), share)
            value, slope = jax.value_and_grad(height)(process.still(at))
            length = factor
            if limited:
                above = jnp.maximum(value - self.least * jnp.max(energy.strengths(share)), 0.0)
                square = jnp.sum(ravel_pytree(slope)[0] ** 2)
                length = jnp.minimum(factor, above / jnp.where(square > 0, square, 1.0))
            return process.moved(at, shortened(slope, -length, self.longest))

        if self.steps == 1:
            return pulled(answer)
        return jax.lax.fori_loop(0, self.steps, lambda _, at: pulled(at), answer)


class Through(Guide):
    """The gradient through the network: answer' = answer - strength gain(k) grad_x E(answer(x)).

    The network's own derivative says which changes of the noisy design it would follow. Costs a reverse derivative of
    the network at each step.

    Source: H. Chung et al., Diffusion posterior sampling, ICLR 2023.
    """

    strength: Schedule = Constant()
    longest: float = jnp.inf

    def bent(self, process, energy, design, before, answer, k):
        share = process.share(k)
        ahead = lambda by: energy(process.answer(process.moved(design, by), k, before), share)
        slope = jax.grad(ahead)(process.still(design))
        return process.moved(answer, shortened(slope, -self.strength(share) * process.gain(k), self.longest))


class Project(Guide):
    """The nearest design that meets constraint(design) = 0, by Newton's steps: a constraint that holds exactly.

        by' = by - J' (J J')^-1 c,    J the derivative of the constraint in the displacement

    constraint   design -> vector of a few numbers, all 0 where it is met.
    steps        Newton's; 5 double the digits five times.
    begins       the share of the way from which on it is imposed.
    Source: J. Nocedal and S. J. Wright, Numerical Optimization (2006), 10.3 and 18.1.
    """

    constraint: Callable[[Any], Float[Array, " m"]]
    steps: int = eqx.field(static=True, default=5)
    begins: float = 0.0

    def bent(self, process, energy, design, before, answer, k):
        imposed = self.onto(process, answer)
        on = process.share(k) >= self.begins
        return jax.tree.map(lambda a, b: jnp.where(on, a, b), imposed, answer)

    def onto(self, process: Process, design: Design) -> Design:
        flat, back = ravel_pytree(process.still(design))
        missed = lambda by: jnp.atleast_1d(self.constraint(process.moved(design, back(by))))

        def newton(by: Float[Array, " n"], _: None) -> tuple[Float[Array, " n"], None]:
            miss, jacobian = missed(by), jax.jacrev(missed)(by)
            # Least squares rather than J J': constraints that say the same twice do no harm.
            return by - jnp.linalg.lstsq(jacobian, miss)[0], None

        by, _ = jax.lax.scan(newton, flat, None, self.steps)
        return process.moved(design, back(by))


def shortened(slope: Any, factor: Float[Array, ""], longest: float) -> Any:
    """Factor * slope, no longer than `longest`."""
    flat, back = ravel_pytree(slope)
    by = factor * flat
    length = jnp.linalg.norm(by)
    safe = jnp.where(length > longest, length, 1.0)
    return back(by * jnp.where(length > longest, longest / safe, 1.0))
