"""Dry elastic contact: which cells touch, and with what pressure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from .._core.messages import BadInput, shown
from .._core.once import being_traced
from ._halfspace import HalfSpace, convolved, sinking, smoothing_undone
from ._stress import Stress, stresses

Cells = Float[Array, "nx ny"]

MOST = 400  # steps of Polonsky and Keer
CLOSE = 1e-8  # of the load that a step still moves
TURNS = 30  # of the set, after that
TIGHT = 1e-13  # of linear solutions


class Contact(eqx.Module):
    """An elastic contact that was found. All of it is differentiable by shape, load or approach, modulus and size.

    pressure   on each cell, Pa; 0 where it does not touch.
    gap        left between the bodies, m; 0 where they touch.
    approach   of the bodies since they would first have met undeformed, where the given gap is 0; m. On a periodic
               surface its mean counts, which does not sink.
    load       N.
    missed     the worst pull or overlap, by the highest pressure and by the approach or the largest height: rounding.
    steps      of Polonsky and Keer's method, and of the set after it.
    """

    space: HalfSpace
    pressure: Cells
    gap: Cells
    approach: Float[Array, ""]
    load: Float[Array, ""]
    missed: Float[Array, ""]
    steps: Int[Array, ""]

    @property
    def touching(self) -> Bool[Array, "nx ny"]:
        return self.pressure > 0

    @property
    def area(self) -> Float[Array, ""]:
        """That touches, in whole cells, m2: no derivative."""
        return jnp.sum(self.touching) * self.space.grid.area

    @property
    def peak(self) -> Float[Array, ""]:
        """The highest pressure, Pa; its derivative is that of one cell."""
        return jnp.max(self.pressure)

    @property
    def converged(self) -> bool:
        return bool(self.missed < 1e-8)

    def stress(self, depths: Any) -> Stress:
        """Below the surface, Pa."""
        return stresses(self.space, self.pressure, depths)


def contact(space: HalfSpace, gap: Any, *, load: Any = None, approach: Any = None) -> Contact:
    """Press a shape against a half-space.

        p >= 0,  g = gap + u(p) - approach >= 0,  p g = 0,    sum p dA = load

        touch = contact(space, r**2 / (2 * radius), load=10.0)
        touch.peak, touch.approach, touch.stress(depths).peak

    gap       of the undeformed bodies where they first meet, m, of shape `space.grid.cells`; a rough surface under a
              plate: its highest point less its heights.
    load      N, or
    approach  m. One of the two.

    Conjugate gradients on the cells that touch, then the linear problem of these cells to rounding. Derivatives are the
    implicit ones of that problem: exact as long as no cell begins or ceases to touch.
    Source: I. A. Polonsky and L. M. Keer, Wear 231, 206 (1999).

    Raises `BadInput` for none or both of load and approach, a load not above 0, a gap of another shape or not finite.
    Look at `converged`.
    """
    gap = jnp.asarray(gap, float)
    if gap.shape != space.grid.cells:
        raise BadInput(f"contact: gap has the shape {gap.shape}, but the grid has {shown(space.grid.cells)} cells.")
    if (load is None) == (approach is None):
        raise BadInput("contact: give either load=, in newtons, or approach=, in metres.")
    if not being_traced(gap) and not np.all(np.isfinite(np.asarray(gap))):
        raise BadInput("contact: gap has numbers that are not finite.")
    if load is not None and not being_traced(load) and not (np.isfinite(load) and load > 0):
        raise BadInput(f"contact: load={shown(load)} must be above 0: a half-space without adhesion only pushes.")
    if approach is not None and not being_traced((gap, approach)) and not approach > float(jnp.min(gap)):
        raise BadInput(
            f"contact: at approach={float(approach):g} m nothing touches: the least gap is {float(jnp.min(gap)):g} m."
            f" Ask for more."
        )
    as_number = lambda a: None if a is None else jnp.asarray(a, float)
    return pressed(space, gap, as_number(load), as_number(approach))


class Push(NamedTuple):
    """What presses: one of the two."""

    load: Float[Array, ""] | None
    approach: Float[Array, ""] | None


@eqx.filter_jit
def pressed(space: HalfSpace, gap: Cells, load: Float[Array, ""] | None, approach: Float[Array, ""] | None) -> Contact:
    push = Push(load, approach)
    still = jax.lax.stop_gradient((space, gap, push))
    guess, steps = polonsky_keer(*still)
    touching, turns = settled(*still, guess)
    pressure, approach = on_set(space, gap, push, touching)
    left = gap + space.displacement(pressure) - approach
    # What touches has no gap, what does not no pressure; what is left of either is what was missed.
    scale = jnp.abs(approach) + jnp.max(gap) - jnp.min(gap)
    pull = jnp.max(-pressure) / jnp.max(pressure)
    missed = jnp.maximum(pull, jnp.max(jnp.where(touching, jnp.abs(left), -left)) / scale)
    total = jnp.sum(pressure) * space.grid.area
    return Contact(
        space, pressure, jnp.where(touching, 0.0, left), approach, total, jax.lax.stop_gradient(missed), steps + turns
    )


def pushed(push: Push) -> Float[Array, ""]:
    assert push.load is not None
    return push.load


class Pursuit(NamedTuple):
    pressure: Cells
    direction: Cells
    square: Float[Array, ""]
    keeps: Float[Array, ""]
    change: Float[Array, ""]
    step: Int[Array, ""]


def polonsky_keer(space: HalfSpace, gap: Cells, push: Push) -> tuple[Cells, Int[Array, ""]]:
    """Conjugate gradients, in which pressures below 0 are cut and cells that overlap are taken in."""
    spectrum, area = sinking(space), space.grid.area
    sink = lambda p: convolved(space, p, spectrum)
    on = lambda touching, f: jnp.where(touching, f, 0.0)

    def centred(touching: Bool[Array, "nx ny"], f: Cells) -> Cells:
        """By the approach that is free where the load is given."""
        return f if push.load is None else f - jnp.sum(on(touching, f)) / jnp.maximum(jnp.sum(touching), 1)

    def step(at: Pursuit) -> Pursuit:
        touching = at.pressure > 0
        g = centred(touching, sink(at.pressure) + gap - (0.0 if push.approach is None else push.approach))
        square = jnp.sum(on(touching, g * g))
        direction = on(touching, g + at.keeps * square / at.square * at.direction)
        r = centred(touching, sink(direction))
        curve = jnp.sum(on(touching, r * direction))
        length = jnp.where(curve > 0, jnp.sum(on(touching, g * direction)) / jnp.where(curve > 0, curve, 1.0), 0.0)
        p = jnp.maximum(at.pressure - length * direction, 0.0)
        overlap = (p == 0) & (g < 0)
        p = jnp.where(overlap, -jnp.abs(length) * g, p)
        if push.load is not None:
            p = p * push.load / (jnp.sum(p) * area)
        change = jnp.sum(jnp.abs(p - at.pressure)) / jnp.sum(p)
        return Pursuit(p, direction, square, jnp.where(jnp.any(overlap), 0.0, 1.0), change, at.step + 1)

    if push.approach is not None:
        start = jnp.where(gap < push.approach, space.modulus * (push.approach - gap) / space.grid.length[0], 0.0)
    else:
        start = jnp.full(gap.shape, pushed(push) / (gap.size * area))
    one = jnp.ones((), gap.dtype)
    begin = Pursuit(start, jnp.zeros_like(gap), one, 0 * one, jnp.inf * one, jnp.zeros((), int))
    end = jax.lax.while_loop(lambda at: (at.step < MOST) & (at.change > CLOSE), step, begin)
    return end.pressure, end.step


def settled(space: HalfSpace, gap: Cells, push: Push, guess: Cells) -> tuple[Bool[Array, "nx ny"], Int[Array, ""]]:
    """The cells that push where none overlaps, from a set near to it: pulling cells leave, overlapping ones enter."""

    def turn(at: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        touching, _, count = at
        pressure, approach = on_set(space, gap, push, touching)
        left = gap + space.displacement(pressure) - approach
        rounding = 1e-12 * (jnp.abs(approach) + jnp.max(gap) - jnp.min(gap))
        other = jnp.where(touching, pressure > 0, left < -rounding)
        return other, jnp.any(other != touching), count + 1

    begin = (guess > 0, jnp.asarray(True), jnp.zeros((), int))
    touching, _, count = jax.lax.while_loop(lambda at: at[1] & (at[2] < TURNS), turn, begin)
    return touching, count


def on_set(space: HalfSpace, gap: Cells, push: Push, touching: Bool[Array, "nx ny"]) -> tuple[Cells, Float[Array, ""]]:
    """Pressure and approach where it is known which cells touch: K p = approach - gap on them, p = 0 elsewhere."""
    spectrum = sinking(space)
    # A uniform pressure must sink a periodic surface too, or the problem of a full contact were singular.
    yields = jax.lax.stop_gradient(2 * jnp.max(jnp.stack(space.grid.length)) / space.modulus) if space.periodic else 0.0
    on = lambda f: jnp.where(touching, f, 0.0)
    # Identity where nothing touches, in units of the diagonal, so that the operator is one on all cells.
    unit = jax.lax.stop_gradient(space.grid.spacing[0] / space.modulus)
    sink = lambda p: on(convolved(space, on(p), spectrum) + yields * jnp.mean(on(p))) + unit * (p - on(p))
    solve = solver(sink, lambda r: on(smoothing_undone(space.grid, on(r))) * space.modulus / 2 + (r - on(r)) / unit)
    by_approach, by_gap = jax.vmap(solve)(jnp.stack([on(jnp.ones_like(gap)), on(gap)]))
    if push.approach is not None:
        # The mean of a periodic surface does not sink: approach = level - yields * mean(p), with p linear in the level.
        level = (push.approach - yields * jnp.mean(by_gap)) / (1 - yields * jnp.mean(by_approach))
        return level * by_approach - by_gap, push.approach
    level = (pushed(push) / space.grid.area + jnp.sum(by_gap)) / jnp.sum(by_approach)
    pressure = level * by_approach - by_gap
    return pressure, level - yields * jnp.mean(pressure)


def solver(operator: Callable[[Cells], Cells], near_inverse: Callable[[Cells], Cells]) -> Callable[[Cells], Cells]:
    """Preconditioned conjugate gradients to rounding; differentiable, and the same transposed."""

    def descend(apply: Callable[[Cells], Cells], right: Cells) -> Cells:
        still = jax.lax.stop_gradient
        precondition = lambda r: still(near_inverse(r))
        return jax.scipy.sparse.linalg.cg(apply, right, tol=TIGHT, maxiter=300, M=precondition)[0]

    return lambda right: jax.lax.custom_linear_solve(operator, right, descend, descend, symmetric=True)
