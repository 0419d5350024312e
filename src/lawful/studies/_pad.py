"""One cell of a bearing: a square pad between grooves, smooth where it slides and textured where it stands."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..design import Range, Space
from ..lubrication import JFO, Film, Flow, Grid, Open, Periodic, flow

SIDE = 0.01  # m
GAP = 5e-6  # h0, the thinnest film, m
DEEPEST = 5e-6  # m
SPEED, VISCOSITY = 2.0, 0.01  # m/s, Pa s
AMBIENT = 1e5  # Pa, absolute; oil ruptures at 0
FOUND = 1e-9  # of imbalance
LOAD = VISCOSITY * SPEED * SIDE**3 / GAP**2  # N, the unit mu U L^2 B / h0^2
FRICTION = VISCOSITY * SPEED * SIDE**2 / GAP  # N, of a flat film at the thinnest gap

Texture = Float[Array, "n n"]
"""Depths by the deepest allowed, 0 to 1: along the sliding direction, then across."""


@dataclass(frozen=True)
class Pad:
    """n x n cells; `endless` pads lie side by side without end, others have grooves all around. `feature` is how fine
    a texture can be, by the side: a depth is a mean of what is asked for so far around."""

    n: int
    endless: bool = False
    feature: float = 0.1

    @property
    def space(self) -> Space:
        return Space(texture=Range(0.0, 1.0, (self.n, self.n)))

    def depth(self, texture: Texture) -> Float[Array, "n n"]:
        """What is made of a design: each entry is spread over a feature, m."""
        along, across = spreading(self.n, self.feature, False), spreading(self.n, self.feature, self.endless)
        return DEEPEST * (jnp.asarray(along) @ texture @ across.T)

    def flow(self, depth: Float[Array, "n n"]) -> Flow:
        grid = Grid(depth.shape, (SIDE, SIDE))  # type: ignore[arg-type]
        sides = Periodic() if self.endless else Open()
        return flow(Film(grid, GAP + depth, SPEED, VISCOSITY, y=sides, ambient=AMBIENT, cavitation=JFO(0.0)))

    def simulate(self, texture: Texture) -> dict[str, Array]:
        """Load and friction, N, and the pressure above ambient, Pa; NaN where no flow was found."""
        found = told(self.flow(self.depth(texture)))
        return {name: found[name] for name in ("load", "friction", "pressure")}

    def solved(self, depth: Float[Any, "n n"]) -> dict[str, Array]:
        """All that is told of a film of such depths, m."""
        return solved(self, jnp.asarray(depth))

    def view(self, texture: Texture) -> Float[Array, "3 n n"]:
        """The film, its shear and its resistance to flow, each about as large as 1."""
        h = 1 + self.depth(texture) / GAP
        return jnp.stack([h - 1.5, 1 / h - 0.7, 8 / h**3 - 2.5])


@functools.partial(jax.jit, static_argnums=0)
def solved(pad: Pad, depth: Float[Array, "n n"]) -> dict[str, Array]:
    return told(pad.flow(depth))


def told(found: Flow) -> dict[str, Array]:
    known = lambda value: jnp.where(found.imbalance < FOUND, value, jnp.nan)
    over = found.pressure - found.film.ambient
    maps = {"pressure": known(over), "fraction": found.fraction, "height": found.film.height}
    return {"load": known(found.load), "friction": known(found.friction), "peak": found.peak, **maps}


def spreading(n: int, feature: float, periodic: bool) -> Float[np.ndarray, "n n"]:
    """The mean over neighbours nearer than a feature, with weights that fall linearly; rows sum to one."""
    away = np.abs(np.arange(n)[:, None] - np.arange(n)) / n
    away = np.minimum(away, 1 - away) if periodic else away
    weight = np.maximum(1 - away / (feature + 1e-12), 0.0)
    return weight / weight.sum(axis=1, keepdims=True)


def dimples(n: int, draw: Callable[[float, float], float]) -> Float[np.ndarray, "n n"]:
    """A random pattern of round or long dimples, depths by the deepest allowed: a single one or up to nine in a part
    from half of it on, as wide as 60 to 100 % of their pitch, flat or hollow. Edges are as wide as a cell."""
    count = (1, 1) if draw(0, 1) < 0.5 else (int(draw(1, 4)), int(draw(1, 4)))
    first, part, wide = draw(0, 0.2), draw(0.5, 1.0), draw(0.6, 1.0)
    part = min(part, 1 - first)
    s = (np.arange(n) + 0.5) / n
    pitch = part / count[0], wide / count[1]
    x, y = s[:, None] - first, s[None] - 0.5 * (1 - wide)
    inside = (x > 0) & (x < part) & (y > 0) & (y < wide)
    fill = draw(0.6, 1.0), draw(0.6, 1.0)
    radii = 0.5 * fill[0] * pitch[0], 0.5 * fill[1] * pitch[1]
    r = np.hypot((x % pitch[0] - pitch[0] / 2) / radii[0], (y % pitch[1] - pitch[1] / 2) / radii[1])
    floor = np.maximum(1 - r**2, 0.0) if draw(0, 1) < 0.3 else 1.0
    return draw(0.2, 1.0) * floor * np.where(inside, np.clip((1 - r) * min(radii) * n + 0.5, 0, 1), 0.0)


def pocket(n: int, draw: Callable[[float, float], float]) -> Float[np.ndarray, "n n"]:
    """A random rectangular pocket that is open where oil comes in: Rayleigh's step with lands on its sides."""
    long, wide, deep = draw(0.5, 1.0), draw(0.5, 1.0), draw(0.5, 1.0)
    s = (np.arange(n) + 0.5) / n
    edge = lambda inside: np.clip(inside * n + 0.5, 0, 1)
    return deep * edge(long - s)[:, None] * edge(0.5 * wide - np.abs(s - 0.5))[None]
