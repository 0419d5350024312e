"""Textures as depths below a smooth wall: dimples, grooves, chevrons. A free form is any array of depths."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput
from .._core.once import being_traced
from ._grid import Grid

Field = Float[Array, "*cells"]

FEWEST = 4  # cells across a feature, below which a grid does not know its shape


def resolved(grid: Grid, **sizes: Any) -> None:
    """Refuse a feature that the grid cannot show."""
    if being_traced((grid.length, sizes)):
        return
    coarse = max(float(size) for size in grid.spacing)
    for name, size in sizes.items():
        if not np.all(np.asarray(size) > 0):
            raise BadInput(f"texture: {name} is {float(np.min(size)):g} m; it must be above 0.")
        if np.min(size) < FEWEST * coarse * (1 - 1e-9):
            need = [int(np.ceil(FEWEST * float(length) / np.min(size))) for length in grid.length]
            raise BadInput(
                f"texture: {name} is {float(np.min(size)):g} m, finer than {FEWEST} cells of {coarse:g} m: the grid"
                f" cannot show it. Take cells={tuple(need)} or more, or a larger {name}."
            )


def edge(grid: Grid, inside: Field) -> Field:
    """From 0 to 1 over one cell, smoothly, of a signed distance to an outline (m); so shapes are differentiable."""
    width = jnp.max(jnp.stack(grid.spacing))
    s = jnp.clip(0.5 + inside / width, 0.0, 1.0)
    return s * s * (3 - 2 * s)


def nearest_centre(place: Field, pitch: Any) -> Field:
    """The distance along an axis to the middle of the cell of the pattern, with its sign."""
    return place - pitch * (jnp.floor(place / pitch) + 0.5)


def dimples(grid: Grid, pitch: tuple[Any, Any], radius: Any, depth: Any, round_floor: bool = False) -> Field:
    """Round dimples on a rectangular lattice.

    pitch        distances of the middles along x and y, m; the first stands half a pitch from either end.
    radius       m, below half of either pitch.
    depth        in the middle, m.
    round_floor  a paraboloid down to `depth`, instead of a flat floor.
    """
    resolved(grid, diameter=2 * radius)
    if not being_traced((pitch, radius)) and 2 * radius > min(pitch):
        raise BadInput(
            f"dimples: radius={float(radius):g} m is more than half of the pitch {pitch}: they would overlap."
        )
    r = jnp.hypot(nearest_centre(grid.x, pitch[0]), nearest_centre(grid.y, pitch[1]) + 1e-30)
    floor = 1 - (r / radius) ** 2 if round_floor else jnp.ones_like(r)
    return depth * edge(grid, radius - r) * jnp.maximum(floor, 0.0)


def grooves(grid: Grid, pitch: Any, width: Any, depth: Any, angle: Any = 0.0) -> Field:
    """Straight grooves, m.

    pitch  between the middles of neighbours, at right angles to them, m.
    width  of a groove, m; one that the cells cannot show is refused with `BadInput`.
    depth  below the land, m.
    angle  of the grooves to the y axis, rad: 0 lies across the sliding direction.
    """
    resolved(grid, width=width, land=pitch - width)
    across = grid.x * jnp.cos(angle) + (grid.y * jnp.sin(angle) if len(grid.cells) == 2 else 0.0)
    return depth * edge(grid, 0.5 * width - jnp.abs(nearest_centre(across, pitch)))


def chevrons(grid: Grid, pitch: Any, width: Any, depth: Any, arms: Any, slope: Any = 1.0) -> Field:
    """V-shaped grooves whose points lie against the sliding direction where `slope` is above 0, m.

    pitch  along x, between neighbours.     width  of a groove along x.
    arms   extent of one V along y.         slope  dx/dy of an arm.
    """
    resolved(grid, width=width, land=pitch - width, arms=arms)
    along = grid.x - slope * jnp.abs(nearest_centre(grid.y, arms))
    return depth * edge(grid, 0.5 * width - jnp.abs(nearest_centre(along, pitch)))
