"""How far a linear or a quadratic prediction may be trusted: the step of a game loop, with its bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, PyTree

from .._core.messages import BadInput, shown
from ._arithmetic import Balls
from ._ball import EPS, Ball, between, exact, up
from ._event import Plain
from ._expand import expand, settled
from ._given import Given, as_array, leaves_of, taken_apart
from ._kept import Listed
from ._polynomial import lowest
from ._recipe import recipe_of

LOOKS = 2  # at tubes of different length: more find two percent at most
HALVINGS = 12  # of the step that keeps a gap open


class SafeStep(NamedTuple):
    """Predictions from one state, and how far they are good.

    rate, bend          y(h) is about y + h rate, and about y + h rate + h^2 bend.
    linear, quadratic   the longest steps (to two percent) for which these are proven to be within the tolerance.
    linear_error, quadratic_error   the proven bounds at those steps.
    free                the longest step, up to `quadratic`, for which the gap is proven to stay above zero.
    """

    rate: PyTree
    bend: PyTree
    linear: Float[Array, ""]
    quadratic: Float[Array, ""]
    linear_error: Float[Array, ""]
    quadratic_error: Float[Array, ""]
    free: Float[Array, ""]


def safe_step(
    f: Callable[..., PyTree],
    y: PyTree,
    tolerance: float | Float[Array, ""],
    *,
    t: float | Float[Array, ""] = 0.0,
    args: PyTree = None,
    gap: Callable[..., Array] | None = None,
    longest: float = 1.0,
) -> SafeStep:
    """The longest steps for which Euler's and the quadratic model of y' = f(t, y, args) stay within a tolerance.

        |y(s) - y - s y'| <= max |y''| / 2 s^2,    |y(s) - y - s y' - s^2 y'' / 2| <= max |y'''| / 6 s^3,   0 <= s <= h

    with the maximum over all states that the motion can have meanwhile, enclosed by interval arithmetic. Nothing else
    is needed: no trial step, no history. A pure function, to be compiled and mapped over bodies with `jax.vmap`.

    Arguments:
    - `f`, `y`, `t`, `args`: as for `simulate`.
    - `tolerance`: of every entry of y, in its own unit.
    - `gap`: a function gap(t, y, args) that is positive while nothing is touched; `free` is then how far one can go
      without touching, `quadratic` where there is none.
    - `longest`: no step is longer.

    Returns a `SafeStep`; its steps are 0 where nothing can be proven, as at a kink of `f`.
    Double precision has to be on: `with jax.enable_x64(True): ...` around the compiled function.
    Raises `BadInput` where f or gap have no series or enclosure, and outside double precision.
    """
    if jnp.result_type(float) != jnp.float64:
        raise BadInput(
            "safe_step computes in double precision; call it, or what it is compiled into, inside"
            " `with jax.enable_x64(True):`."
        )
    if not isinstance(longest, float | int) or not longest > 0:
        raise BadInput(f"safe_step(longest={shown(longest)}): the longest step must be above zero.")
    structure, state = jax.tree.structure(y), leaves_of(y)
    parts, parameters = taken_apart(Given(f, (), (), args))
    system, begin = Plain(parts.joined, structure), jnp.asarray(t, float)

    def flow(t, *rest):
        y, given = list(rest[: len(state)]), list(rest[len(state) :])
        rates, _ = system.flow(t, y, [], given)
        free = jnp.ones(()) if gap is None else gap(t, jax.tree.unflatten(structure, y), parts.joined(given).args)
        return [*rates, jnp.ravel(jnp.asarray(free, float))]

    recipe, arrays = recipe_of(jax.make_jaxpr(flow)(begin, *state, *parameters), len(state), 0)
    if recipe.unproven:
        raise BadInput(f"the right-hand side uses {recipe.unproven[0]}, which has no enclosure; write it otherwise.")
    known = settled(recipe, [*parameters, *arrays], jnp.where(begin == begin, 1.0, jnp.nan))
    point = Around(recipe, known, begin, state)
    allowed = as_array(jnp.asarray(tolerance, float))
    linear, linear_error, _ = point.longest_step(1, allowed, longest)
    quadratic, quadratic_error, others = point.longest_step(2, allowed, longest)
    free = quadratic if gap is None else point.free(quadratic, others)
    shaped = lambda k: jax.tree.unflatten(structure, [c.mid[k] for c in point.coefficients])
    return SafeStep(shaped(1), shaped(2), linear, quadratic, linear_error, quadratic_error, free)


class Around:
    """The series of a motion at a point, and proofs of short polynomials around it."""

    def __init__(self, recipe, known, t, state: list[Array]):
        self.recipe, self.known, self.t, self.state = recipe, known, t, state
        found = self.expanded(exact(t), [exact(x) for x in state], 3)
        self.coefficients, self.guard = found.state, found.others[0]

    def expanded(self, t: Ball, y: list[Ball], order: int):
        self.arithmetic = Balls()
        return expand(self.recipe, self.arithmetic, Listed, t, y, [], self.known, order)

    def bounds(self, order: int, h, allowed) -> tuple[Array, Array, Array]:
        """Over the tube of all that can happen up to h: bounds of the coefficient beyond `order`, of the rounding of
        those up to it, and of the same coefficient of the gap."""
        tube, roundings = [], []
        for c in self.coefficients:
            end = sum(c.mid[k] * h**k for k in range(1, order + 1))
            rounding = sum(up(c.rad[k] + 8 * EPS * jnp.abs(c.mid[k])) * h**k for k in range(1, order + 1))
            span = self.span(c.mid, order, h, end)
            tube.append(Ball(c.mid[0] + span.mid, up(span.rad + rounding + allowed + EPS * jnp.abs(c.mid[0]))))
            roundings.append(jnp.max(rounding, initial=0.0))
        time = between(self.t, self.t + h)
        found = self.expanded(Ball(time.mid, up(time.rad + 4 * EPS * (jnp.abs(self.t) + h))), tube, order + 1)
        beyond = jnp.max(jnp.stack([jnp.max(x.most[order + 1], initial=0.0) for x in found.state]))
        beyond = jnp.where(self.arithmetic.doubtful, jnp.inf, beyond)
        return beyond, up(jnp.max(jnp.stack(roundings))), found.others[0].most[order + 1]

    def span(self, c, order: int, h, end) -> Ball:
        """All values of c_1 s + c_2 s^2 for 0 <= s <= h."""
        if order == 1:
            return between(jnp.minimum(0.0, end), jnp.maximum(0.0, end))
        middle = 0.5 * c[1] * h  # the Bernstein coefficients are 0, this, and the value at the end
        return between(
            jnp.minimum(jnp.minimum(0.0, end), middle), jnp.maximum(jnp.maximum(0.0, end), middle)
        )  # fmt: skip

    def longest_step(self, order: int, allowed, longest) -> tuple[Array, Array, Array]:
        """The longest step that some looks can prove, its error, and the next coefficient of the gap.

        The tube of a shorter step lies inside that of a longer one. A look at h that bounds the next coefficient by M
        therefore proves every step up to (allowed / M)^(1 / (order + 1)) and h; looks between that and h prove more.
        """
        sizes = [jnp.max(jnp.abs(c.mid[order + 1]), initial=0.0) for c in self.coefficients]
        most = jnp.max(jnp.stack(sizes))
        hope = jnp.where(most > 0, (allowed / jnp.where(most > 0, most, 1.0)) ** (1 / (order + 1)), jnp.inf)

        def look(_, carry):
            h, best, error, third = carry
            next_one, rounding, gap = self.bounds(order, h, allowed)
            room = jnp.maximum(allowed - rounding, 0.0) * (1 - 1e-9)
            proven = jnp.minimum(h, (room / jnp.maximum(next_one, 1e-300)) ** (1 / (order + 1)) * (1 - 1e-9))
            proven = jnp.where(jnp.isfinite(next_one) & jnp.isfinite(proven), proven, 0.0)
            better = proven > best
            error = jnp.where(better, up(next_one * proven ** (order + 1) * (1 + 64 * EPS) + rounding), error)
            best, third = jnp.where(better, proven, best), jnp.where(better, gap, third)
            return jnp.where(best > 0, jnp.sqrt(best * h), 0.25 * h), best, error, third

        zero = jnp.zeros_like(hope)
        blank = jnp.zeros_like(self.guard.mid[0])
        _, best, error, third = lax.fori_loop(0, LOOKS, look, (jnp.minimum(hope, longest), zero, zero, blank))
        return best, error, third

    def free(self, h, third) -> Float[Array, ""]:
        """How far every gap stays above zero: its quadratic in Bernstein's form, less the remainder."""
        rows = self.guard.mid[:3]
        radius = self.guard.rad[:3]

        def clear(width):
            scales = jnp.stack([jnp.ones_like(width), width, width * width])[:, None]
            error = jnp.sum(radius * scales, 0) + third * width**3
            return jnp.all(lowest(rows * scales, up(error * (1 + 64 * EPS)), 0.0, 1.0) > 0)

        def halve(_, carry):
            low, high = carry
            middle = 0.5 * (low + high)
            ok = clear(middle)
            return jnp.where(ok, middle, low), jnp.where(ok, high, middle)

        low, _ = lax.fori_loop(0, HALVINGS, halve, (jnp.zeros_like(h), h))
        return jnp.where(clear(h), h, low)
