"""Damped Gauss-Newton steps for trial networks: long, curved, and cheap."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from .._core.mesh import all_finite, gathered, norm_of, sharers, total
from ._optimiser import (
    BAD_JACOBIAN,
    BAD_START,
    GRADIENT,
    NO_DESCENT,
    REDUCTION,
    ROUNDING,
    RUNNING,
    STEP_LIMIT,
    Optimiser,
    OptimiserState,
    System,
    cost_of,
    first_of,
    unless_stopped,
)

_PROBE = 0.1  # the curvature along a step is measured at a tenth of it
_GAIN = 1e-6  # a step counts where it lowers the cost by this fraction, or by half of a smaller promise
_FACTOR = 4.0  # between one damping and the next that is tried
_LOWER = 2  # how many lower dampings are tried after a success that promised something
_HIGHER = 20  # how many higher ones after a failure
_FAINT = 1e-12  # of the largest column: a parameter that is felt less is not scaled up
_DIGITS = 1e-11  # below this damping the normal equations have lost theirs, and J itself is factored
_SMALL = 1e-4  # a promised gain, as a fraction of the cost, below which a step that fails is no failure
_PATIENCE = 5
PARTS = 4  # blocks of columns of which J'J is made


class GaussNewtonState(OptimiserState):
    """Where a minimisation stands: arrays only."""

    x: Float[Array, " n"]
    cost: Float[Array, ""]
    gradient: Float[Array, ""]  # max_j |J_j . r| / (|J_j| |r|), at the last linearisation
    damping: Float[Array, ""]  # of the last step, relative to the squared columns
    settled: Int[Array, ""]  # steps in a row that lowered the cost by no more than ftol
    steps: Int[Array, ""]
    status: Int[Array, ""]


class _Trial(NamedTuple):
    """One damping tried: where its step leads, what the linear model promised of it, and whether it counts."""

    x: Float[Array, " n"]
    cost: Float[Array, ""]
    promise: Float[Array, ""]
    good: Bool[Array, ""]


class _Search(NamedTuple):
    """The search for a damping: up until a step counts, then down for as long as longer steps count too."""

    best: _Trial
    damping: Float[Array, ""]  # of the best
    promise: Float[Array, ""]  # the largest fraction of the cost that the linear model promised to take off
    next: Float[Array, ""]
    up: Int[Array, ""]
    down: Int[Array, ""]
    done: Bool[Array, ""]


class _Linear(NamedTuple):
    """r + J p: rows with the same J'J as J has, and the products J p and J'v."""

    rows: Float[Array, "k n"]
    ahead: Callable[[Float[Array, " n"]], Float[Array, " m"]]
    back: Callable[[Float[Array, " m"]], Float[Array, " n"]]


def linear_model(
    system: System, x: Float[Array, " n"], residual: Float[Array, " m"], rows: Float[Array, "k n"]
) -> _Linear:
    """From the Jacobian itself, or from its triangular factor, when products are derivatives of the residual."""
    if rows.shape[0] == residual.shape[0]:
        return _Linear(rows, lambda p: rows @ p, lambda v: total(v @ rows))
    ahead = lambda p: jax.jvp(system.residual, (x,), (p,))[1]
    return _Linear(rows, ahead, lambda v: total(jax.vjp(system.residual, x)[1](v)[0]))


class GaussNewton(Optimiser):
    """Gauss-Newton with damping, the longest step that still counts, and geodesic acceleration.

    With r the residual, J its Jacobian and D the diagonal of J'J, a step at damping l is p + a/2,

        p = -(J'J + l D)^-1 J'r        a = -(J'J + l D)^-1 J'r''     r'' the second derivative of r along p

    Dampings are tried in factors of four. Of those whose step lowers the cost and is not too curved, the *least* is
    taken, not the one with the lowest cost: in the long curved valleys of trial networks the best next cost comes from
    short steps that crawl. Measured on Burgers with a shock (921 parameters, 2000 points, two cores): with acceleration
    4e-7 of error in a minute, without it 4e-6, with the best cost instead of the longest step 4e-5.

    Each damping costs one Cholesky factor of n^3/3, corrected by one step of refinement; below a damping of 1e-11,
    where normal equations lose their digits, the triangular factor comes from J by QR. A Jacobian of more than 1 GiB is
    never formed: its triangular factor is, block by block, at about twice the cost.

    - `ftol`: stop when 5 steps in a row each lowered the cost by no more than this fraction.
    - `gtol`: stop when the largest cosine between the residual and a column of J is at most this.
    - `curvature`: a step counts where |D a| is at most this fraction of |D p|.
    - `least`: the least damping.
    - `max_steps`: the most Jacobians.

    Prefer `LevenbergMarquardt` for problems of few parameters, whose last digits and error bars matter.
    Source: M. K. Transtrum and J. P. Sethna, arXiv:1201.5885 (acceleration); A. Bjorck, Numerical Methods for Least
    Squares Problems, SIAM 1996, 2.9 (corrected seminormal equations).
    """

    ftol: float = 1e-5
    gtol: float = 1e-12
    curvature: float = 0.75
    least: float = 1e-15
    max_steps: int = 400
    damping: float = 1e-3

    success: ClassVar[frozenset[int]] = frozenset({GRADIENT, REDUCTION, ROUNDING})
    takes_jacobian: ClassVar[bool] = True
    takes_factor: ClassVar[bool] = True

    def start(self, x: Float[Array, " n"], residual: Float[Array, " m"]) -> GaussNewtonState:
        cost, nothing = cost_of(residual), jnp.zeros((), jnp.int32)
        return GaussNewtonState(
            x=x,
            cost=cost,
            gradient=jnp.full((), jnp.inf, x.dtype),
            damping=jnp.asarray(self.damping, x.dtype),
            settled=nothing,
            steps=nothing,
            status=first_of([(~jnp.isfinite(cost), BAD_START)]),
        )

    def learnt(self, state: GaussNewtonState) -> tuple:
        return state.gradient, state.damping, state.steps

    def move(
        self, system: System, state: GaussNewtonState, residual: Float[Array, " m"], jacobian: Float[Array, "k n"]
    ) -> GaussNewtonState:
        """A step; in place of the Jacobian (m rows) its triangular factor (n rows) will do."""
        usable = all_finite(jacobian) & jnp.isfinite(cost_of(residual))
        jacobian = jnp.where(usable, jacobian, 0.0)
        residual = jnp.where(usable, residual, 0.0)
        norm, norms = norm_of(residual), norm_of(jacobian)
        product = norm * norms
        linear = linear_model(system, state.x, residual, jacobian)
        slope = linear.back(residual)
        gradient = jnp.max(jnp.abs(slope) / jnp.where(product > 0, product, 1.0))
        halted = first_of([(~usable, BAD_JACOBIAN), (gradient <= self.gtol, GRADIENT)])
        search = self._search(system, state, residual, linear, slope, halted != RUNNING)
        moved = search.best.good
        steps = state.steps + 1
        idle = state.cost - search.best.cost <= self.ftol * state.cost
        settled = jnp.where(moved & idle, state.settled + 1, 0)
        rounding = jnp.finfo(residual.dtype).eps * (norm + jnp.linalg.norm(norms * state.x))
        status = first_of(
            [
                (halted != RUNNING, halted),
                (~moved & (norm <= 1e3 * rounding), ROUNDING),
                (~moved & (search.promise <= _SMALL), REDUCTION),
                (~moved, NO_DESCENT),
                (settled >= _PATIENCE, REDUCTION),
                (steps >= self.max_steps, STEP_LIMIT),
            ]
        )
        new = GaussNewtonState(
            x=jnp.where(moved, search.best.x, state.x),
            cost=jnp.where(moved, search.best.cost, state.cost),
            gradient=gradient,
            damping=jnp.where(moved, search.damping, state.damping),
            settled=settled,
            steps=steps,
            status=status,
        )
        return unless_stopped(state, new)

    def reason(self, state: GaussNewtonState) -> str:
        after = f"after {int(state.steps)} steps, damping {float(state.damping):.1e}"
        return {
            RUNNING: f"still running {after}",
            GRADIENT: f"gradient vanished {after}",
            REDUCTION: f"cost settled: no step lowers it by more than ftol any longer, {after}",
            ROUNDING: f"rounding floor: |r|^2 = {float(state.cost):.3g} cannot be lowered any further, {after}",
            NO_DESCENT: f"no descent found: no damping lowers the cost, {after}",
            STEP_LIMIT: f"step limit reached {after}",
            BAD_START: "residual is not finite at the start",
            BAD_JACOBIAN: f"Jacobian is not finite {after}",
        }[int(state.status)]

    def _search(self, system: System, state: GaussNewtonState, residual, linear: _Linear, slope, idle) -> _Search:
        gram = total(squared(linear.rows))
        diagonal = jnp.diag(gram)
        scale = jnp.maximum(diagonal, _FAINT * jnp.max(diagonal) + jnp.finfo(gram.dtype).tiny)

        def attempt(damping: Float[Array, ""]) -> _Trial:
            upper = triangular(gram, linear.rows, damping * scale, damping < _DIGITS)
            solve = lambda v: jax.scipy.linalg.cho_solve((upper, False), v)
            p = solve(-slope)
            p = p - solve(linear.back(residual + linear.ahead(p)) + damping * scale * p)
            straight = linear.ahead(p)
            ahead = system.residual(state.x + _PROBE * p)
            bend = (2 / _PROBE) * ((ahead - residual) / _PROBE - straight)
            a = -solve(linear.back(bend))
            curved = jnp.sqrt(jnp.sum(scale * a**2) / jnp.sum(scale * p**2))
            x = state.x + p + 0.5 * a
            cost = cost_of(system.residual(x))
            promise = -(slope @ p) / state.cost
            gain = 1 - cost / state.cost
            good = (curved <= self.curvature) & (gain > 0) & (gain >= jnp.minimum(_GAIN, 0.5 * promise))
            return _Trial(x, cost, promise, good)

        def one(search: _Search) -> _Search:
            damping = search.next
            tried = attempt(damping)
            found, first = search.best.good, tried.good & ~search.best.good
            best = jax.tree.map(lambda new, old: jnp.where(tried.good, new, old), tried, search.best)
            up = search.up + (~found & ~tried.good)
            down = search.down + (tried.good & ~(first & (search.up > 0)))
            # After a failure the first success stands; after a success longer steps are tried, a few at a time.
            far = (down > _LOWER) & (tried.promise > _SMALL)
            ended = (found & ~tried.good) | (first & (search.up > 0)) | far | (up > _HIGHER)
            following = jnp.where(tried.good, damping / _FACTOR, damping * _FACTOR)
            return _Search(
                best,
                jnp.where(tried.good, damping, search.damping),
                jnp.maximum(search.promise, tried.promise),
                following,
                up,
                down,
                ended | (following < self.least),
            )

        nothing = jnp.zeros((), jnp.int32)
        none = jnp.zeros_like(state.cost)
        here = _Trial(state.x, state.cost, none, jnp.zeros((), bool))
        start = _Search(here, state.damping, none, jnp.maximum(state.damping, self.least), nothing, nothing, idle)
        return jax.lax.while_loop(lambda search: ~search.done, one, start)


def squared(rows: Float[Array, "m n"]) -> Float[Array, "n n"]:
    """J'J by blocks of columns, those below the diagonal from those above it: five eighths of the work."""
    edges = [round(rows.shape[1] * share / PARTS) for share in range(PARTS + 1)]
    parts = [rows[:, low:high] for low, high in itertools.pairwise(edges)]
    upper = {(i, j): parts[i].T @ parts[j] for i in range(PARTS) for j in range(i, PARTS)}
    return jnp.block([[upper[i, j] if j >= i else upper[j, i].T for j in range(PARTS)] for i in range(PARTS)])


def triangular(
    gram: Float[Array, "n n"], jacobian: Float[Array, "m n"], ridge: Float[Array, " n"], faint: Bool[Array, ""]
) -> Float[Array, "n n"]:
    """Upper triangular R with R'R = J'J + diag(ridge), from J itself where `faint`."""

    def by_squares(_: None) -> Float[Array, "n n"]:
        return jnp.linalg.cholesky(gram + jnp.diag(ridge), upper=True)

    def by_rows(_: None) -> Float[Array, "n n"]:
        rows = gathered(jacobian if sharers() == 1 else jnp.linalg.qr(jacobian, mode="r"))
        return jnp.linalg.qr(jnp.concatenate([rows, jnp.diag(jnp.sqrt(ridge))]), mode="r")

    return jax.lax.cond(faint, by_rows, by_squares, None)
