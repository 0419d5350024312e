"""The last touch: an energy made least from where a sampler ended, all degrees of freedom free."""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from .._core.messages import NotTrusted
from ._energy import Energy
from ._process import Design, Process


class Relaxed(NamedTuple):
    """A design at rest. `before`, `after`: its terms in kT. `slope`: the norm of the gradient that is left."""

    design: Design
    before: Float[Array, " terms"]
    after: Float[Array, " terms"]
    slope: Float[Array, ""]


def relax(process: Process, energy: Energy, design: Design, *, steps: int = 200) -> Relaxed:
    """The energy's nearest minimum by L-BFGS, in displacements from the design, rotations included.

    steps   gradients at most along the way; searches along a line take a few more.

    Raises `NotTrusted` where a term is not finite at the design itself.
    """
    found = _relaxed(process, energy, design, steps)
    bad = [name for name, value in zip(energy.names, found.before, strict=True) if not jnp.isfinite(value)]
    if bad:
        raise NotTrusted(f"the term '{bad[0]}' is not finite at the design that was to be relaxed.")
    return found


@eqx.filter_jit
def _relaxed(process: Process, energy: Energy, design: Design, steps: int) -> Relaxed:
    loss = lambda by: energy(process.moved(design, by))
    solver, start = optax.lbfgs(), process.still(design)
    value_and_slope = optax.value_and_grad_from_state(loss)

    def step(carry: Any, _: None) -> tuple[Any, None]:
        by, state = carry
        value, slope = value_and_slope(by, state=state)
        update, new = solver.update(slope, state, by, value=value, grad=slope, value_fn=loss)
        moved = optax.apply_updates(by, update)
        better = loss(moved) < value
        keep = lambda a, b: jax.tree.map(lambda x, y: jnp.where(better, x, y), a, b)
        return (keep(moved, by), keep(new, state)), None

    (by, _), _ = jax.lax.scan(step, (start, solver.init(start)), None, steps)
    rest = process.moved(design, by)
    return Relaxed(rest, energy.each(design), energy.each(rest), optax.tree.norm(jax.grad(loss)(by)))
