"""Does what is given on a boundary go on smoothly inside?

Constructions use a formula for boundary values inside the domain as well. One that jumps, has a kink or a singular
point there, such as cos(3 arctan2(y, x)) at the centre of a disk, would be carried into the field, and between the
points at which the laws are asked to hold nobody would see it.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .._core.precision import in_float64
from ..calculus import partials
from ._problem import Problem
from ._robin import ScalarField, known_at, right_hand_side
from ._surfaces import Points, SurfaceCondition

PAIRS = 2**11
STEP = 0.005  # between the two points of a pair, of the longest side: short against all that a field should do
SEEN = 0.02  # of the range of values or slopes: a jump between two points that slopes do not explain
ROUGHER = 100.0  # times more curved inside than on the boundary


@in_float64
def goes_on_inside(problem: Problem, condition: SurfaceCondition) -> bool:
    """Whether the right-hand side is finite inside, without jumps and kinks, and not much rougher than on its pieces.

    Pairs of neighbouring points tell: over a short step values must change as slopes say, and slopes as curvatures say.
    """
    value, slope = right_hand_side(problem, condition, known_at(problem))
    if not set(problem.vocabulary.resolve_all(condition.target, f"the value of {condition}")) & set(condition.axes):
        return True
    axes = condition.axes
    reach = max(problem.domain.length(axis) for axis in axes)
    here = problem.domain.sample(PAIRS, 5)
    turn = np.random.default_rng(5).normal(size=(len(axes), PAIRS))
    step = STEP * reach * turn / np.linalg.norm(turn, axis=0)
    there = {**here, **{axis: here[axis] + step[i] for i, axis in enumerate(axes)}}
    inside = problem.domain.contains(there)
    here, there = ({axis: values[inside] for axis, values in points.items()} for points in (here, there))
    border, _ = condition.border(128, 0)
    return all(
        is_smooth(function, axes, (here, there, border), jnp.asarray(step[:, inside].T), reach)
        for function in (value, slope)
        if function is not None
    )


def is_smooth(
    function: ScalarField,
    axes: tuple[str, ...],
    places: tuple[Points, Points, Points],
    step: Float[jax.Array, "n axes"],
    reach: float,
) -> bool:
    wanted = ((), *((a,) for a in axes), *((a, b) for a in axes for b in axes))

    def local(point):
        found = partials(function, wanted)(**point)
        slopes = jnp.stack([found[(a,)] for a in axes])
        return found[()], slopes, jnp.stack([jnp.stack([found[tuple(sorted((a, b)))] for b in axes]) for a in axes])

    look = jax.jit(jax.vmap(local))
    (value, slope, curve), (other, slope_there, curve_there), (edge, _, curve_edge) = (look(p) for p in places)
    if not all(bool(jnp.all(jnp.isfinite(found))) for found in (value, slope, curve, other, slope_there, curve_there)):
        return False
    jump = jnp.abs(other - value - 0.5 * jnp.sum((slope + slope_there) * step, axis=1))
    bend = jnp.abs(slope_there - slope - 0.5 * jnp.einsum("nab,nb->na", curve + curve_there, step))
    rounding = 1e-9 * jnp.max(jnp.abs(value))
    smallest = jnp.max(jnp.abs(edge)) / reach**2
    return bool(
        (jnp.max(jump) <= SEEN * jnp.ptp(value) + rounding)
        & (jnp.max(bend) <= SEEN * jnp.max(jnp.abs(slope)) + rounding / reach)
        & (jnp.max(jnp.abs(curve)) <= ROUGHER * (jnp.max(jnp.abs(curve_edge)) + smallest))
    )
