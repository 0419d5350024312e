"""Where pieces of a boundary meet each other, or the end of a further axis: do values agree?"""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput, listing
from .._core.precision import in_float64
from ..geometry import Surface, together
from ._corners import TOLERANCE, Clash
from ._faces import FaceCondition
from ._problem import Problem
from ._robin import known_at, right_hand_side
from ._surfaces import Points, SurfaceCondition, lies_on
from ._walls import clash_at_end, names_of, size

NEAR = 0.05
"""The share of a shape's size within which sampled points of two surfaces in space count as neighbours."""
NEAREST = 16


def check_meetings(
    problem: Problem, conditions: tuple[SurfaceCondition, ...], faces: tuple[FaceCondition, ...]
) -> None:
    """Refuse values of a field that jump from piece to piece, or from a piece to the end of an axis."""
    values = [c for c in conditions if c.exact and not c.normal]
    for first, second in itertools.combinations(values, 2):
        if first.field == second.field:
            refuse(first, second, clash_between(problem, first, second))
    ends = [c for c in faces if c.exact and c.order == 0]
    for piece, end in itertools.product(values, ends):
        if piece.field == end.field:
            refuse(piece, end, clash_at_end(problem, piece, end))


def refuse(first: SurfaceCondition, second: SurfaceCondition | FaceCondition, found: Clash | None) -> None:
    if found is None:
        return
    where = ", ".join(f"{axis}={value:.4g}" for axis, value in found.place.items())
    chance = f" (they agree for one value of {listing(found.unknown)} only)" if found.unknown else ""
    raise BadInput(
        f"conditions contradict each other at {where}: {first} says {found.first:.6g}, {second} says"
        f" {found.second:.6g}{chance}; make them agree there, for example by a short ramp."
    )


def clash_between(problem: Problem, first: SurfaceCondition, second: SurfaceCondition) -> Clash | None:
    """Where the values on two conditions' pieces disagree most, next to each other; None where they agree or never
    meet."""
    if first.target is second.target:
        return None
    pairs = [meeting(problem, one, two) for one in first.surfaces for two in second.surfaces]
    pairs = [found for found in pairs if found is not None]
    if not pairs:
        return None
    points = together([points for points, _ in pairs])
    gaps = np.concatenate([gap for _, gap in pairs])
    used = tuple(name for c in (first, second) for name in names_of(problem, c) if name in problem.unknowns)
    for raw in (0.0, 0.3, -0.7) if used else (0.0,):
        one, two, steep = with_slopes(problem, first, second, points, raw)
        excess = np.abs(one - two) - 2 * steep * gaps - TOLERANCE * max(np.abs(one).max(), np.abs(two).max())
        worst = int(np.argmax(np.where(np.isnan(excess), np.inf, excess)))
        if not excess[worst] <= 0:
            place = {axis: float(values[worst]) for axis, values in points.items()}
            return Clash(place, float(one[worst]), float(two[worst]), used)
    return None


def meeting(problem: Problem, one: Surface, two: Surface) -> tuple[Points, Float[np.ndarray, " n"]] | None:
    """Points where two pieces meet, with how far they are from it: the ends of curves exactly, surfaces in space by
    the nearest of many points."""
    if len(one.carrier.axes) == 2:
        points = one.carrier.place(np.array([[0.0], [1.0]]))
        near = np.flatnonzero(lies_on((two,), points, size(problem)))
        gaps = np.zeros(len(near))
    else:
        points = one.sample(2**10, 0)
        points = {axis: points[axis] for axis in one.carrier.axes}
        gaps = np.abs(np.asarray(distances(two, points)))
        near = np.argsort(gaps)[:NEAREST]
        near = near[gaps[near] < NEAR * size(problem)]
        gaps = gaps[near]
    if not len(near):
        return None
    points = {axis: values[near] for axis, values in points.items()}
    if one.span is None:
        return points, gaps
    along = one.span.sample(len(near) * 8, 1)
    return {**{axis: np.repeat(values, 8) for axis, values in points.items()}, **along}, np.repeat(gaps, 8)


@in_float64
def distances(surface: Surface, points: Points) -> Float[jax.Array, " n"]:
    return jax.jit(jax.vmap(lambda point: surface.distance(**point)))(points)


@in_float64
def with_slopes(
    problem: Problem, first: SurfaceCondition, second: SurfaceCondition, points: Points, raw: float
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Both values at points, and how steep they are together."""
    known = known_at(problem, raw)
    functions = [right_hand_side(problem, c, known)[0] for c in (first, second)]
    found, steep = [], np.zeros(len(next(iter(points.values()))))
    for function in functions:
        values, slopes = jax.vmap(jax.value_and_grad(lambda point, f=function: f(**point)))(points)
        found.append(np.asarray(values))
        steep = steep + np.sqrt(sum(np.asarray(slopes[axis]) ** 2 for axis in first.axes))
    return found[0], found[1], np.asarray(jnp.asarray(steep))
