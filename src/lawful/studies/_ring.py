"""One tile of a textured ring: a face of white metal that stands still, over a steel face that slides around.

The texture repeats itself around the ring without end; both rims are open to oil at ambient pressure. A tile that
repeats itself in both directions would carry nothing that its neighbours do not take back: without a rim no pressure is
known, and with the mean of it given any film carries it. The rims are what makes lift a property of the texture.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..design import Range, Space
from ..lubrication import (
    JFO,
    Film,
    Flow,
    GreenwoodTripp,
    Grid,
    HalfSpace,
    Mixed,
    Open,
    PatirCheng,
    Periodic,
    contact_modulus,
    flow,
    stresses,
)

SIDE = 1e-3  # of a tile: around the ring, and across it, m
SPEED, VISCOSITY = 2.0, 0.02  # m/s, Pa s
AMBIENT = 1e5  # Pa, absolute; oil ruptures at 0
DEEPEST = 2e-6  # m
ROUGH = 0.1e-6  # standard deviation of both faces' heights together, m
THINNEST, THICKEST = 0.1e-6, 1.6e-6  # films: below the first, which is as thin as faces are rough, they wear, m
SIMULATED = 0.07e-6, 1.6e-6  # films that are simulated, m
WHITE_METAL, STEEL = (53e9, 0.35), (210e9, 0.3)  # Young's modulus in Pa, Poisson's ratio
YIELD, SAFETY = 36e6, 1.5  # of tin-based white metal at 100 C, Pa; and by which no stress may come near it
DEPTHS = (0.0, 0.02e-3, 0.05e-3, 0.1e-3, 0.2e-3)  # where stresses are looked at, m
FOUND = 1e-9  # of imbalance
PRESSURES = 1e6, 8e6  # Pa, mean over a tile: where generators are asked and learn

CONTROLS = 16  # control points of a texture along each side
Tile = Float[Array, "n n"]


@dataclass(frozen=True)
class Ring:
    """A tile of n x n cells. A texture is a smooth surface through 16 x 16 control points from 0 (the face) to 1 (the
    deepest), so that it is the same one on any grid."""

    n: int = 32

    @property
    def space(self) -> Space:
        low, high = (float(np.log(gap)) for gap in SIMULATED)
        return Space(texture=Range(0.0, 1.0, (CONTROLS, CONTROLS)), gap=Range(low, high))

    def depth(self, texture: Float[Array, "16 16"]) -> Tile:
        """Depths in the cells, m: cubic B-splines of the control points, then steeper between floor and face."""
        around, across = splines(self.n, True), splines(self.n, False)
        s = jnp.asarray(around) @ texture @ jnp.asarray(across).T
        return DEEPEST * steep(s)

    def flow(self, depth: Tile, gap: Any) -> Flow:
        grid = Grid(depth.shape, (SIDE, SIDE))  # type: ignore[arg-type]
        film = Film(
            grid, gap + depth, SPEED, VISCOSITY, x=Periodic(), y=Open(), ambient=AMBIENT, cavitation=JFO(0.0),
            flow_factor=PatirCheng(ROUGH),
        )  # fmt: skip
        return flow(film)

    def simulate(self, texture: Float[Array, "16 16"], gap: Any) -> dict[str, Array]:
        """At a gap (its logarithm, m): logarithms of the pressure that is carried, of friction and of stress."""
        found = told(self, self.flow(self.depth(texture), jnp.exp(gap)))
        return {name: found[name] for name in ("pressure", "friction", "stress")}


def steep(s: Array) -> Array:
    """From 0 to 1, flat at both ends: floors and faces are level, walls steeper than splines are."""
    s = jnp.clip(s, 0.0, 1.0)
    return s * s * (3 - 2 * s)


def relief(texture: Float[Array, "16 16"], n: int) -> Tile:
    """Depths of a texture in n x n cells, by the deepest that may be made, in the precision of its control points."""
    around, across = (jnp.asarray(splines(n, periodic), texture.dtype) for periodic in (True, False))
    return steep(around @ texture @ across.T)


@functools.cache
def splines(n: int, periodic: bool) -> Float[np.ndarray, "n 16"]:
    """Means over cells of cubic B-splines of control points that stand in the middles of 16 equal parts."""
    fine = 8
    s = (np.arange(n * fine) + 0.5) / (n * fine) * CONTROLS - 0.5
    first, t = np.floor(s).astype(int), s - np.floor(s)
    parts = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3]) / 6
    rows = np.zeros((n * fine, CONTROLS))
    for k in range(4):
        at = first - 1 + k
        at = at % CONTROLS if periodic else np.clip(at, 0, CONTROLS - 1)
        np.add.at(rows, (np.arange(n * fine), at), parts[k])
    return rows.reshape(n, fine, CONTROLS).mean(1)


def asperities() -> GreenwoodTripp:
    modulus = contact_modulus(*WHITE_METAL, *STEEL)
    return GreenwoodTripp(ROUGH, density=4e10, radius=10e-6, modulus=modulus, friction=0.12)


def told(ring: Ring, found: Flow) -> dict[str, Array]:
    """Pressure carried (mean over the tile, above ambient, Pa), friction coefficient, highest stress of von Mises in
    the white metal (Pa), and maps. NaN where no flow was found."""
    mixed = Mixed(found, asperities())
    whole = jnp.all((found.fraction >= 0) & (found.fraction <= 1))  # else the film is broken all around the ring
    known = lambda value: jnp.where((found.imbalance < FOUND) & whole, value, jnp.nan)
    over = found.pressure - AMBIENT + mixed.asperity_pressure
    stress = below(ring, over)
    area = SIDE**2
    return {
        "pressure": known(mixed.load / area),
        "friction": known(mixed.friction / mixed.load),
        "stress": known(stress.smooth_peak(24.0)),
        "peak stress": known(stress.peak),
        "touching": known(mixed.asperity_load / mixed.load),
        "film": found.film.height,
        "over": over,
        "fraction": found.fraction,
    }


def below(ring: Ring, over: Tile):
    """Stresses under a tile whose neighbours around the ring are like it, and beyond whose rims nothing presses."""
    beside = jnp.concatenate([over, jnp.zeros_like(over)], axis=1)
    grid = Grid(beside.shape, (SIDE, 2 * SIDE))  # type: ignore[arg-type]
    space = HalfSpace(grid, contact_modulus(*WHITE_METAL), WHITE_METAL[1], periodic=True)
    return stresses(space, beside, DEPTHS)
