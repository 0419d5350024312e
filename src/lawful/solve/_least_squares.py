"""Nonlinear least squares: minimise |r(x)|^2 by a trust region with geodesic acceleration.

Every choice below was made by measurement: on the 54 certified starts of the NIST StRD problems, on copies of the far
ones perturbed by 10 %, on the More-Garbow-Hillstrom set and on small trial networks. `benchmarks/nist.py` prints what
the defaults reach, beside MINPACK.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from .._core.mesh import all_finite, factor_of, norm_of, sharers, total
from ._optimiser import (
    BAD_JACOBIAN,
    BAD_START,
    GRADIENT,
    NO_DESCENT,
    REDUCTION,
    ROUNDING,
    RUNNING,
    STEP,
    STEP_LIMIT,
    Optimiser,
    OptimiserState,
    System,
    cost_of,
    first_of,
    unless_stopped,
)

_PROBE = 0.1  # the curvature along a step is measured at a tenth of it
_CURVED = 0.75  # a step is refused where its second-order part exceeds this fraction of its first-order part
_GAIN = 1e-4  # a step is accepted where the cost falls by at least this fraction of the prediction
_PATIENCE = 5  # accepted steps in a row without progress before the cost counts as settled
_NOISE = 10.0  # rounding of |r|^2, in units of eps |r| (|r| + |D x|)
_TOLD = 100.0  # a step this many roundings of x long can still be told from none
_STALLED = 0.9  # polishing goes on while each step lowers the gradient cosine at least to this fraction


class LeastSquaresSystem(eqx.Module):
    """A `System` made of two plain functions, `residual` and `linearise`, or of the residual alone."""

    residual: Callable[..., Float[Array, " m"]]  # of x (n,)
    linearise: Callable[..., tuple[Float[Array, " m"], Float[Array, "m n"]]]

    @classmethod
    def from_residual(cls, residual: Callable[[Array], Array], reverse: bool = False) -> LeastSquaresSystem:
        """The system of a residual, its Jacobian by automatic differentiation.

        Make it once and keep it: compiled code belongs to this object.

        Arguments:
        - `residual`: x (n,) -> r (m,).
        - `reverse`: False takes n forward derivatives side by side; True takes m backward ones, which is cheaper
          where m < n, and the only way where the residual has a reverse rule of its own.
        """

        def forward(x):
            value, pushforward = jax.linearize(residual, x)
            return value, jax.vmap(pushforward, out_axes=1)(jnp.eye(x.size, dtype=x.dtype))

        def backward(x):
            value, pullback = jax.vjp(residual, x)
            return value, jax.vmap(lambda row: pullback(row)[0])(jnp.eye(value.size, dtype=value.dtype))

        return cls(residual, backward if reverse else forward)


class LMState(OptimiserState):
    """Where a minimisation stands: arrays only, so that it can be saved, resumed bit for bit and vmapped."""

    x: Float[Array, " n"]  # the parameters
    cost: Float[Array, ""]  # |r(x)|^2
    gradient: Float[Array, ""]  # max_j |J_j . r| / (|J_j| |r|), at the last linearisation
    radius: Float[Array, ""]  # of the trust region: |D p| <= radius
    damping: Float[Array, ""]  # of the last step, 0 for a Gauss-Newton step
    scale: Float[Array, " n"]  # D: the largest norm that each column of J has had
    best_x: Float[Array, " n"]  # while polishing: the point of smallest offset, with its values
    best_cost: Float[Array, ""]
    best_gradient: Float[Array, ""]
    best_offset: Float[Array, ""]  # cosine between r and the tangent space; infinite while not polishing
    settled: Int[Array, ""]  # accepted steps in a row that lowered the cost by no more than ftol
    steps: Int[Array, ""]  # Jacobians taken
    residuals: Int[Array, ""]  # residuals evaluated besides
    status: Int[Array, ""]  # RUNNING, or why it stopped: see `reason`


class _Linear(NamedTuple):
    """The model r + J p at x, in the variables y = D p: J D^-1 = U diag(s) V'.

    Directions that are not resolved have coordinate 0 and s = 1, so that every formula leaves them alone: of all
    minimisers the shortest, which is what redundant parameters need.
    """

    x: Float[Array, " n"]
    residual: Float[Array, " m"]
    norm: Float[Array, ""]  # |r|
    jacobian: Float[Array, "m n"]
    size: Float[Array, ""]  # |D x|: the length of a step as large as x itself
    rounding: Float[Array, ""]  # what rounding x and r does to r
    s: Float[Array, " k"]
    target: Float[Array, " k"]  # U' r
    coordinates: Callable[[Float[Array, " m"]], Float[Array, " k"]]  # v -> U' v
    unscaled: Callable[[Float[Array, " k"]], Float[Array, " n"]]  # y -> D^-1 V y

    @property
    def noise(self) -> Float[Array, ""]:
        """What rounding does to |r|^2."""
        return _NOISE * self.rounding * self.norm


class _Search(NamedTuple):
    """The search for a step from one linearisation; each pass evaluates one residual, a probe or a trial."""

    x: Float[Array, " n"]  # of the last pass
    cost: Float[Array, ""]
    length: Float[Array, ""]  # |D p|
    radius: Float[Array, ""]  # for the next pass
    damping: Float[Array, ""]
    second: Float[Array, " m"]  # r'' along p, once probed
    probed: Bool[Array, ""]  # the next pass is a trial
    passes: Int[Array, ""]
    apart: Float[Array, ""]  # |r(x + p) - (r + J p)| of the shortest step that x can tell: what rounding does to r
    accepted: Bool[Array, ""]
    exhausted: Bool[Array, ""]


class LevenbergMarquardt(Optimiser):
    """Levenberg-Marquardt as a trust region, with geodesic acceleration and polishing to the rounding floor.

    Each step takes one Jacobian, factors J D^-1 = U S V' and moves by p + a/2, where

        p  minimises  |r + J p|^2    with |D p| <= radius   (hence the damping: the radius' multiplier)
        a  minimises  |r'' + J a|^2  with the same damping  (r'' = d^2 r(x + h p)/dh^2, from one more residual)

    Trial steps shrink the radius until the cost falls. What measurement decided:

    - A radius, not a damping that is raised and lowered by factors: whatever the factors, that lost MGH10 from its far
      start and from all 20 perturbed copies. With the radius 23 of 40 are solved (MINPACK: 28 of 40).
    - The first radius is 0.3 |D x|. MINPACK's factor of 100 throws BoxBOD onto a plateau with its first step (0 of 20
      perturbed starts solved, against 20), and with a factor of 1 MGH09 is lost.
    - D is the running maximum of the column norms; the present norms lose three of the far starts.
    - Acceleration halves the Jacobians on NIST (1005 against 1995 for all 54 starts); 60 steps bring trial networks for
      a boundary value problem to a cost of 5e-8 instead of 4e-5. Steps with a large second-order part are refused:
      they end on plateaus (taken without a instead, MGH09 falls from 24 of 24 perturbed starts to 18). A difference
      over a tenth of the step does as well as the exact second derivative and asks nothing of the residual.
    - One trial at a time: taking the best of several dampings needed more Jacobians and lost problems, since the lowest
      cost now is often the entrance to a narrow curved valley.
    - Where the predicted gain is below the rounding of the cost, Gauss-Newton goes on for as long as the gradient
      falls: the last digits, and an honest end where the residual itself is rounding (Lanczos1).

    Settings:
    - `gtol`: stop when max_j |J_j . r| / (|J_j| |r|), the largest cosine between the residual and a column, is at most
      this; it does not change with units. 1e-10 leaves 8 digits or more on NIST, 1e-8 leaves 5.
    - `ftol`: stop when 5 accepted steps in a row each lowered the cost by no more than this fraction of it. The
      default is rounding; 1e-6 suits trial networks, whose redundant weights would go on for ever.
    - `xtol`: stop when |D p| <= xtol |D x|. The default is rounding.
    - `max_steps`: the most Jacobians; the hardest NIST start takes a quarter of the default.
    - `max_trials`: the most residuals evaluated in search of one step.
    - `radius`: the first trust radius as a fraction of |D x|; at least 0.01 |r|, so that x = 0 is no trap.
    - `accelerate`: False leaves out a and its residual.
    - `normal`: True factors J'J by eigenvalues instead of J by QR and SVD: half the time for a thousand parameters,
      but it resolves directions only down to about 1e-7 of the largest instead of 1e-14.

    Fails where a local minimum or a plateau lies between start and solution: on a plateau the covariance names what
    the data do not determine; other starts are the cure for both.
    Source: J. J. More, The Levenberg-Marquardt algorithm: implementation and theory, 1978 (trust region, scaling);
    M. K. Transtrum and J. P. Sethna, arXiv:1201.5885 (acceleration).
    """

    gtol: float = 1e-10
    ftol: float = 1e-15
    xtol: float = 1e-15
    max_steps: int = 500
    max_trials: int = 60
    radius: float = 0.3
    accelerate: bool = True
    normal: bool = False

    success: ClassVar[frozenset[int]] = frozenset({GRADIENT, REDUCTION, STEP, ROUNDING})
    takes_jacobian: ClassVar[bool] = True

    def start(self, x: Float[Array, " n"], residual: Float[Array, " m"]) -> LMState:
        """The state at the starting point, where the residual is known."""
        cost = cost_of(residual)
        unknown, nothing = jnp.full((), jnp.inf, x.dtype), jnp.zeros((), jnp.int32)
        return LMState(
            x=x,
            cost=cost,
            gradient=unknown,
            radius=unknown,
            damping=jnp.zeros((), x.dtype),
            scale=jnp.zeros_like(x),
            best_x=x,
            best_cost=cost,
            best_gradient=unknown,
            best_offset=unknown,
            settled=nothing,
            steps=nothing,
            residuals=nothing,
            status=first_of([(~jnp.isfinite(cost), BAD_START)]),
        )

    def learnt(self, state: LMState) -> tuple:
        return state.radius, state.scale, state.steps, state.residuals

    def step(self, system: System, state: LMState) -> LMState:
        """One Jacobian, then a search for a step from it. A stopped state is returned as it is."""
        return self.move(system, state, *system.linearise(state.x))

    def move(
        self, system: System, state: LMState, residual: Float[Array, " m"], jacobian: Float[Array, "m n"]
    ) -> LMState:
        """A step from where residual and Jacobian are known."""
        usable = all_finite(jacobian) & jnp.isfinite(cost_of(residual))
        jacobian = jnp.where(usable, jacobian, 0.0)
        norms = norm_of(jacobian)
        scale = jnp.maximum(state.scale, norms)
        linear = _factor(state.x, residual, jacobian, norms, scale, self.normal)
        predicted = jnp.sum(linear.target**2)  # what Gauss-Newton promises to take off the cost
        usable &= jnp.isfinite(predicted)  # LAPACK answers NaN where it finds no factors
        scales = linear.norm * norms
        gradient = jnp.max(jnp.abs(total(residual @ jacobian)) / jnp.where(scales > 0, scales, 1.0))
        offset = jnp.sqrt(predicted) / jnp.where(linear.norm > 0, linear.norm, 1.0)
        falling = (offset <= _STALLED * state.best_offset) | (state.cost <= 0.5 * state.best_cost)
        stalled = jnp.isfinite(state.best_offset) & ~falling
        status = first_of([(~usable, BAD_JACOBIAN), (gradient <= self.gtol, GRADIENT), (stalled, ROUNDING)])
        polish = predicted <= linear.noise
        search = self._search(system, state, linear, polish, status != RUNNING)
        here = eqx.tree_at(lambda s: (s.gradient, s.scale), state, (gradient, scale))
        new = self._moved(here, linear, search, offset, polish, status)
        return unless_stopped(state, new)

    def reason(self, state: LMState) -> str:
        """One sentence on why a minimisation stopped."""
        after = f"after {int(state.steps)} steps"
        cosine = f"gradient cosine {float(state.gradient):.1e}"
        sentences = {
            RUNNING: f"still running {after}",
            GRADIENT: f"gradient vanished: {cosine} {after}",
            REDUCTION: f"cost settled: the last {_PATIENCE} steps lowered it by no more than ftol, {cosine} {after}",
            STEP: f"step below xtol: no parameter moves any more, {cosine} {after}",
            ROUNDING: f"rounding floor: |r|^2 = {float(state.cost):.3g} cannot be lowered any further,"
            f" {cosine} {after}",
            NO_DESCENT: f"no descent found: no step along the model lowers the cost, {cosine} {after}",
            STEP_LIMIT: f"step limit {int(state.steps)} reached, {cosine}",
            BAD_START: "residual is not finite at the start",
            BAD_JACOBIAN: f"Jacobian is not finite {after}",
        }
        return sentences[int(state.status)]

    def _search(self, system: System, state: LMState, linear: _Linear, polish, idle) -> _Search:
        """Passes of falling radius, up to the first step that lowers the cost; none where `idle`."""
        # Rounding of the residuals must not drown their second difference.
        audible = (2 / _PROBE**2) * linear.rounding <= 0.1 * jnp.linalg.norm(linear.target)
        straight = ~audible | polish | (not self.accelerate)
        first = jnp.maximum(self.radius * linear.size, 0.01 * linear.norm)
        start = _Search(
            x=state.x,
            cost=linear.norm**2,
            length=linear.size,
            radius=jnp.where(state.steps == 0, first, state.radius),
            damping=state.damping,
            second=jnp.zeros_like(linear.residual),
            probed=straight,
            passes=jnp.zeros((), jnp.int32),
            apart=jnp.zeros_like(linear.norm),
            accepted=jnp.zeros((), bool),
            exhausted=idle,
        )

        def one_pass(search: _Search) -> _Search:
            damping = jnp.where(polish, 0.0, _damping(linear.s, linear.target, search.radius))
            filtered = linear.s / (linear.s**2 + damping)
            y = filtered * linear.target
            p, length = linear.unscaled(-y), jnp.linalg.norm(y)
            # MINPACK's rule for the first Jacobian: a radius beyond the Gauss-Newton step says nothing.
            radius = jnp.where(state.steps == 0, jnp.minimum(search.radius, length), search.radius)
            a = linear.unscaled(-filtered * linear.coordinates(search.second))
            move = jnp.where(search.probed, p + 0.5 * a, _PROBE * p)
            x = linear.x + move
            ahead = system.residual(x)
            told = length > _TOLD * jnp.finfo(x.dtype).eps * linear.size
            apart = norm_of(ahead - linear.residual - linear.jacobian @ move)
            search = search._replace(
                x=x,
                cost=cost_of(ahead),
                length=length,
                radius=radius,
                damping=damping,
                passes=search.passes + 1,
                apart=jnp.where(told & jnp.isfinite(apart), apart, search.apart),
            )
            second = (2 / _PROBE) * ((ahead - linear.residual) / _PROBE - linear.jacobian @ p)
            tried = self._judged(linear, search, filtered, polish)._replace(probed=straight)
            probed = self._probed(linear, search, filtered, second)
            return jax.tree.map(lambda t, f: jnp.where(search.probed, t, f), tried, probed)

        return jax.lax.while_loop(lambda search: ~(search.accepted | search.exhausted), one_pass, start)

    def _probed(self, linear: _Linear, search: _Search, filtered, second) -> _Search:
        """After a probe: keep the curvature for the trial, or shrink the radius until the step is straight."""
        ratio = jnp.linalg.norm(filtered * linear.coordinates(second)) / search.length
        straight = ratio <= _CURVED  # False for NaN
        # The ratio is proportional to the length, and so says how long a straight step would be.
        factor = jnp.where(jnp.isfinite(ratio), jnp.clip(0.9 * _CURVED / ratio, 0.1, 0.7), 0.5)
        return search._replace(
            radius=jnp.where(straight, search.radius, factor * jnp.minimum(search.radius, search.length)),
            second=jnp.where(straight, second, 0.0),
            probed=straight,
            exhausted=~straight & self._spent(linear, search),
        )

    def _judged(self, linear: _Linear, search: _Search, filtered, polish) -> _Search:
        """After a trial: accept it or not, and choose the next radius. Polishing refuses only a rise of the cost."""
        cost = linear.norm**2
        share = linear.s * filtered  # of each coordinate of r that the step takes away, to first order
        gain = (cost - search.cost) / jnp.sum(linear.target**2 * share * (2 - share))
        wild = ~(search.cost < 100.0 * cost)
        shrunk = jnp.where(wild, 0.1, 0.5) * jnp.minimum(search.radius, search.length)
        growth = jnp.where(jnp.abs(gain - 1) < 1e-4, 10.0, 2.0)  # tenfold where the problem is as good as linear
        grown = jnp.where((search.damping == 0) | (gain >= 0.75), growth * search.length, search.radius)
        sane = (search.cost <= cost + 10 * linear.noise) & jnp.any(search.x != linear.x)
        accepted = jnp.where(polish, sane, gain > _GAIN)
        return search._replace(
            radius=jnp.where(polish, search.radius, jnp.where(gain > 0.25, grown, shrunk)),
            accepted=accepted,
            exhausted=~accepted & (polish | self._spent(linear, search)),
        )

    def _spent(self, linear: _Linear, search: _Search) -> Bool[Array, ""]:
        return (search.length <= self.xtol * linear.size) | (search.passes >= self.max_trials)

    def _moved(self, state: LMState, linear: _Linear, search: _Search, offset, polish, status) -> LMState:
        """The state after a search, or after none where `status` already says why."""
        moved, steps = search.accepted, state.steps + 1
        idle = linear.norm**2 - search.cost <= self.ftol * linear.norm**2
        settled = jnp.where(moved & idle & ~polish, state.settled + 1, 0)
        back = (status == ROUNDING) & (offset > state.best_offset)  # polishing stalled: return to the best point
        gradient = jnp.where(back, state.best_gradient, state.gradient)
        # A cost that is flat to rounding leaves a cosine of about sqrt(eps); a residual that is rounding, any cosine.
        flat = gradient <= 1e3 * jnp.sqrt(jnp.finfo(gradient.dtype).eps)
        # Sums of large terms round more than r and x tell. What they do was seen on the way: a promise below it is kept
        # or broken by chance.
        drowned = jnp.sum(linear.target**2) <= (2 * linear.norm + search.apart) * search.apart
        floor = flat | (linear.norm <= 1e3 * linear.rounding) | drowned
        failed = ((status == RUNNING) & ~moved) | (status == ROUNDING)
        found = first_of(
            [
                (failed & floor, ROUNDING),
                (failed, NO_DESCENT),
                (status != RUNNING, status),
                (~polish & (search.length <= self.xtol * linear.size), STEP),
                (settled >= _PATIENCE, REDUCTION),
                (steps >= self.max_steps, STEP_LIMIT),
            ]
        )
        choose = lambda new, old, best: jnp.where(moved, new, jnp.where(back, best, old))
        marked = moved & polish
        return LMState(
            x=choose(search.x, state.x, state.best_x),
            cost=choose(search.cost, state.cost, state.best_cost),
            gradient=gradient,
            radius=search.radius,
            damping=search.damping,
            scale=state.scale,
            best_x=jnp.where(marked, state.x, state.best_x),
            best_cost=jnp.where(marked, state.cost, state.best_cost),
            best_gradient=jnp.where(marked, state.gradient, state.best_gradient),
            best_offset=jnp.where(marked, offset, state.best_offset),
            settled=settled,
            steps=steps,
            residuals=state.residuals + search.passes,
            status=found,
        )


def minimise(
    system: System,
    x0: Float[Array, " n"],
    method: LevenbergMarquardt | None = None,
    on_step: Callable[[LMState], object] | None = None,
) -> LMState:
    """Minimise |r(x)|^2 from x0: a loop on the host over the compiled step.

    Arguments:
    - `system`: residual and Jacobian. Code is compiled once for each system (functions compare by identity, arrays
      in it may change freely), method and shape.
    - `x0`: start (n,). Parameters may differ in size by any factor; the right sign and order of magnitude help.
    - `method`: settings. The defaults suit problems with up to about a thousand parameters.
    - `on_step`: called with the state after every step, for a progress bar or a checkpoint.

    Returns the last state: `state.x`, `state.cost` = |r|^2, and `method.reason(state)`, one sentence on why it
    stopped. Only `state.status in method.success` means a minimum. An exception raised by `on_step` passes through.
    """
    x = jnp.asarray(x0)
    if x.ndim != 1 or x.size == 0 or not jnp.issubdtype(x.dtype, jnp.floating):
        raise ValueError(f"x0 must be a vector of floats, shape (n,) with n > 0; got shape {x.shape} of {x.dtype}")
    method = LevenbergMarquardt() if method is None else method
    state = _jitted_init(method, system, x)
    while int(state.status) == RUNNING:
        state = _jitted_step(method, system, state)
        if on_step is not None:
            on_step(state)
    return state


@eqx.filter_jit
def _jitted_init(method: LevenbergMarquardt, system: System, x: Array) -> LMState:
    return method.init(system, x)


@eqx.filter_jit
def _jitted_step(method: LevenbergMarquardt, system: System, state: LMState) -> LMState:
    return method.step(system, state)


def _factor(x: Array, residual: Array, jacobian: Array, norms: Array, scale: Array, normal: bool) -> _Linear:
    """The linear model at x. Tall Jacobians are reduced by QR first: the SVD then costs n^3, not m n^2."""
    m, n = jacobian.shape[0] * sharers(), jacobian.shape[1]
    eps = jnp.finfo(jacobian.dtype).eps
    divisor = jnp.where(scale > 0, scale, 1.0)
    scaled = jacobian / divisor
    if normal:
        squares, basis = jnp.linalg.eigh(total(scaled.T @ scaled))
        s, least = jnp.sqrt(jnp.maximum(squares, 0.0)), jnp.sqrt(max(m, n) * eps)
        project = lambda v: basis.T @ total(scaled.T @ v)
    elif m > n or sharers() > 1:
        triangle, along = factor_of(scaled)
        u, s, transposed = jnp.linalg.svd(triangle, full_matrices=False)
        basis, least = transposed.T, max(m, n) * eps
        project = lambda v: u.T @ along(v)
    else:
        u, s, transposed = jnp.linalg.svd(scaled, full_matrices=False)
        basis, least = transposed.T, max(m, n) * eps
        project = lambda v: u.T @ v
    resolved = s > least * jnp.max(s)
    safe = jnp.where(resolved | jnp.isnan(s), s, 1.0)
    coordinates = lambda v: jnp.where(resolved, project(v) / (safe if normal else 1.0), 0.0)
    norm = norm_of(residual)
    return _Linear(
        x=x,
        residual=residual,
        norm=norm,
        jacobian=jacobian,
        size=jnp.linalg.norm(divisor * x),
        rounding=eps * (norm + jnp.linalg.norm(norms * x)),  # today's columns: D remembers larger ones
        s=safe,
        target=coordinates(residual),
        coordinates=coordinates,
        unscaled=lambda y: (basis @ y) / divisor,
    )


def _damping(s: Float[Array, " k"], target: Float[Array, " k"], radius: Float[Array, ""]) -> Float[Array, ""]:
    """The lambda >= 0 at which |s target / (s^2 + lambda)| is within a tenth of the radius; 0 where that is longer.

    Newton's method on 1/|y| - 1/radius, which is nearly linear in lambda, kept inside a bracket (More 1978).
    """
    radius = jnp.maximum(radius, jnp.finfo(s.dtype).tiny)
    too_long = jnp.linalg.norm(target / s) > 1.1 * radius

    def length(damping):
        return jnp.linalg.norm(s * target / (s**2 + damping))

    def refine(carry):
        damping, lower, upper, count = carry
        y = s * target / (s**2 + damping)
        q = jnp.linalg.norm(y)
        lower, upper = jnp.where(q > radius, damping, lower), jnp.where(q > radius, upper, damping)
        slope = -jnp.sum(y**2 / (s**2 + damping)) / q
        newton = damping - (q - radius) / slope * (q / radius)
        inside = (newton > lower) & (newton < upper)
        middle = jnp.maximum(jnp.sqrt(lower * upper), 1e-3 * upper)
        return jnp.where(inside, newton, middle), lower, upper, count + 1

    def unsolved(carry):
        damping, _, _, count = carry
        return too_long & (jnp.abs(length(damping) - radius) > 0.1 * radius) & (count < 60)

    upper = jnp.linalg.norm(s * target) / radius
    damping, *_ = jax.lax.while_loop(unsolved, refine, (1e-3 * upper, jnp.zeros_like(upper), upper, 0))
    return jnp.where(too_long, damping, 0.0)
