"""Conditions as an all-at-once fit meets them: built into the trial field, or rows of the fit on the boundary."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..fields import Factor, Imposed, Wall, Walls, vanishing_on
from ..geometry import sobol_points
from ..problem import FaceCondition, Problem, SurfaceCondition, right_hand_side
from ._scaling import Sizes, shape_length

Points = dict[str, Float[np.ndarray, " points"]]
Known = Mapping[str, Array | np.ndarray]


class Exact(eqx.Module):
    """The conditions that constructions impose; `factors` vanish on the pieces with values, by field."""

    faces: tuple[FaceCondition, ...]
    walls: tuple[SurfaceCondition, ...]
    factors: dict[str, Factor]

    def imposed(self, problem: Problem, field: str, known: Known) -> list[Imposed]:
        """Those of a field on faces, with right-hand sides as functions of the point."""
        return [Imposed(c.face, c.order, *right_hand_side(problem, c, known)) for c in self.faces if c.field == field]

    def walled(self, problem: Problem, field: str, known: Known) -> Walls | None:
        """Those of a field on pieces of a shape; None where there are none."""
        walls = tuple(
            Wall(c.surfaces, value, c.normal, slope, c.apart)
            for c in self.walls
            if c.field == field
            for value, slope in [right_hand_side(problem, c, known)]
        )
        return Walls(walls, self.factors.get(field)) if walls else None


def exact_conditions(problem: Problem, faces: Sequence[FaceCondition], walls: Sequence[SurfaceCondition]) -> Exact:
    """The exact ones of all conditions."""
    walls = tuple(c for c in walls if c.exact)
    values = {c.field: [w.surfaces for w in walls if w.field == c.field and not w.normal] for c in walls}
    factors = {name: vanishing_on(groups, problem.domain) for name, groups in values.items() if groups}
    return Exact(tuple(c for c in faces if c.exact), walls, factors)


class Penalty(eqx.Module):
    """A condition that the fit weighs: where it is asked to hold, and the outward normals there (none on faces)."""

    condition: FaceCondition | SurfaceCondition
    places: Points
    normals: Points

    def size(self, sizes: Sizes, problem: Problem) -> Float[Array, ""]:
        """A typical size of the quantity: of the field, over a length for every derivative."""
        condition = self.condition
        base = jnp.asarray(sizes.fields.get(condition.field, 1.0))
        size = base / math.prod([sizes.lengths[axis] for axis in condition.quantity.partial])
        if isinstance(condition, SurfaceCondition) and condition.normal:
            size = size / shape_length(condition.axes, sizes.lengths)
        return size


def penalties(
    problem: Problem, faces: Sequence[FaceCondition], walls: Sequence[SurfaceCondition], seed: int
) -> tuple[Penalty, ...]:
    """Those of all conditions that are not exact, with their points."""
    on_pieces = [Penalty(c, *c.border(128, seed + 1)) for c in walls if not c.exact]
    return (*(Penalty(c, face_points(problem, c, seed), {}) for c in faces if not c.exact), *on_pieces)


def face_points(problem: Problem, condition: FaceCondition, seed: int) -> Points:
    """Points of the domain, pressed onto a face."""
    count = 1 if len(problem.domain.axes) == 1 else 128
    places = sobol_points(problem.domain, count, seed + 1)
    places[condition.face.axis] = np.full(count, problem.domain.ends(condition.face.axis)[condition.face.side])
    return places
