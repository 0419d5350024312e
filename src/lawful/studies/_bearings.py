"""The bearings and pockets that the study `slider` is held against, and what is known of each."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..lubrication import (
    JFO,
    Barus,
    DowsonHigginson,
    Film,
    Flow,
    Fluid,
    Grid,
    NoCavitation,
    Open,
    Periodic,
    SwiftStieber,
    Upwind,
    Wall,
    exponential,
    flow,
    journal,
    parabola,
    step,
    wedge,
)
from ._measurements import in_data_folder


class Against(NamedTuple):
    """A computed figure beside its reference."""

    name: str
    found: float
    reference: float

    @property
    def off(self) -> float:
        return abs(self.found / self.reference - 1)


def refined(value: Callable[[int], Any], cells: int) -> Any:
    """Richardson's extrapolation of a scheme of second order, from half the cells."""
    return (4 * value(cells) - value(cells // 2)) / 3


# Sliders of unit length, outlet, speed and viscosity


def slider(cells: int, shape: Callable[[Array], Array]) -> Flow:
    grid = Grid(cells, 1.0)
    return flow(Film(grid, shape(grid.x), 1.0, 1.0))


def sliders(cells: int) -> list[Against]:
    """Load and friction of the classical sliders."""
    rows = []
    for r in (1.5, 2.188705, 3.0):
        shape = lambda x, r=r: wedge(x, 1.0, r, 1.0)
        load = 6 * (math.log(r) - 2 * (r - 1) / (r + 1)) / (r - 1) ** 2
        drag = 4 * math.log(r) / (r - 1) - 6 / (r + 1)
        rows += both(f"plane slider, r = {r:g}", shape, cells, load, drag)
    for d in (1.0, 1.5):
        shape = lambda x, d=d: parabola(x, 1.0, 1 + d, 1.0)
        rows += both(f"parabola, d = {d:g}", shape, cells, *integrated(lambda x, d=d: 1 + d * (1 - x) ** 2))
    shape = lambda x: exponential(x, 1.0, 2.310250, 1.0)
    rows += both("exponential, best", shape, cells, *integrated(lambda x: 2.310250 ** (1 - x)))
    # A step is exact where it lies on a face; the best one lies 1.5e-6 from the 130th of 181 cells, and where the load
    # is greatest it does not feel that in first order.
    ideal = 1 + math.sqrt(3) / 2
    best = slider(181, lambda x: step(x, 130 / 181, ideal, 1.0))
    rows.append(Against("Rayleigh step, greatest load: W", float(best.load), rayleigh(ideal)))
    least = slider(cells, lambda x: step(x, 0.8, 2.0, 1.0))
    rows.append(Against("Rayleigh step, least friction: f L/h0", float(least.coefficient), 4.0))
    return rows


def both(name: str, shape: Callable[[Array], Array], cells: int, load: float, drag: float) -> list[Against]:
    found = refined(lambda n: np.array([(f := slider(n, shape)).load, f.friction]), cells)
    return [Against(f"{name}: W", float(found[0]), load), Against(f"{name}: F", float(found[1]), drag)]


def stepped_load(height: float, place: float) -> float:
    """Of a step from `height` to 1."""
    return 3 * (height - 1) / (height**3 / place + 1 / (1 - place))


def best_place(height: float) -> float:
    """Where a step of this height carries most."""
    return height**1.5 / (1 + height**1.5)


def rayleigh(height: float) -> float:
    """The load of a step at its best place."""
    return stepped_load(height, best_place(height))


def integrated(h: Callable[[np.ndarray], np.ndarray]) -> tuple[float, float]:
    """Load and friction of a slider by Gauss quadrature: p' = 6 (h - h*) / h^3."""
    nodes, weights = np.polynomial.legendre.leggauss(80)
    x, weights = 0.5 * (nodes + 1), 0.5 * weights
    i2, i3 = (weights @ h(x) ** -k for k in (2.0, 3.0))
    slope = lambda x: 6 * (h(x) - i2 / i3) / h(x) ** 3
    load = -weights @ (x * slope(x))  # by parts
    return float(load), float(weights @ (1 / h(x) + 0.5 * h(x) * slope(x)))


# Journal bearings of unit radius, clearance, speed and viscosity


def sommerfeld(cells: int, e: float) -> list[Against]:
    """The long bearing that stands any pull."""

    def found(cells: int) -> np.ndarray:
        grid = Grid(cells, 2 * np.pi)
        out = flow(Film(grid, journal(grid.x, 1.0, -e, 0.0), 1.0, 1.0, cavitation=NoCavitation()))
        return np.array([jnp.sum(out.pressure * jnp.sin(grid.x)) * grid.area, out.friction])

    root = (2 + e * e) * math.sqrt(1 - e * e)
    load, drag = refined(found, cells)
    return [
        Against(f"Sommerfeld, e = {e:g}: W", load, 12 * np.pi * e / root),
        Against(f"Sommerfeld, e = {e:g}: F", drag, 4 * np.pi * (1 + 2 * e * e) / root),
    ]


def ocvirk(cells: int, e: float) -> Against:
    """The short bearing, half of it: what the load by width^3 goes to where the width goes to nothing."""

    def found(cells: int, width: float) -> float:
        grid = Grid((cells, cells // 4), (2 * np.pi, width))
        height = journal(grid.x, 1.0, -e, 0.0)
        out = flow(Film(grid, height, 1.0, 1.0, x=Periodic(), cavitation=NoCavitation()))
        over = jnp.maximum(out.pressure, 0.0)
        force = jnp.hypot(jnp.sum(over * jnp.cos(grid.x)), jnp.sum(over * jnp.sin(grid.x)))
        return float(force * grid.area) / width**3

    narrow = lambda n: (4 * found(n, 0.01) - found(n, 0.02)) / 3
    exact = e * math.sqrt(np.pi**2 * (1 - e * e) + 16 * e * e) / (4 * (1 - e * e) ** 2)
    return Against(f"Ocvirk, e = {e:g}: W", refined(narrow, cells), exact)


# Pockets


FOWELL = {0.02: 1333.452, 1.0: 34165.701}
"""Exact loads by speed, N/m: D. Fowell et al., J. Tribol. 129, 336 (2007), evaluated."""


def fowell(cells: int, speed: float, scheme: type = Upwind) -> Flow:
    grid = Grid(cells, 0.01)
    pocket = jnp.where((grid.x > 0.002) & (grid.x < 0.005), 1e-6, 0.0)
    height = wedge(grid.x, 0.01, 1.05e-6, 1e-6) + pocket
    return flow(Film(grid, height, speed, 0.01, ambient=1e5, cavitation=JFO(0.0), couette=scheme()))


BERTOCCHI = {"narrow": (0.01, 0.007, 329.09), "wide": (0.3, 0.21, 81215.0)}
"""Width of the slider and of its pocket, m, and an independent program's load on 400 x 200 cells, N."""


def bertocchi(cells: tuple[int, int], kind: str) -> Flow:
    width, pocket, _ = BERTOCCHI[kind]
    grid = Grid(cells, (0.02, width))
    inside = (grid.x > 0.004) & (grid.x < 0.010) & (jnp.abs(grid.y - width / 2) < pocket / 2)
    height = wedge(grid.x, 0.02, 1.1e-6, 1e-6) + jnp.where(inside, 0.4e-6, 0.0)
    oil = Fluid(Barus(0.01, 1.2e-8), DowsonHigginson())
    return flow(Film(grid, height, 1.0, oil, ambient=1e5, cavitation=JFO(0.0), couette=Upwind()))


def digitised() -> dict[str, Float[np.ndarray, "2 n"]] | None:
    """Pressures (MPa) on the centre line against x / L, of Bertocchi et al., Tribol. Int. 67, 61 (2013)."""
    path = in_data_folder("ehl_fbns_bench", "Bertocchi_2013", "Pressure_Bertocchi_2013.csv")
    if not path.is_file():
        return None
    with path.open(newline="", encoding="utf-8-sig") as lines:
        table = [
            [float(cell.replace(",", ".")) if cell else math.nan for cell in row] for row in list(csv.reader(lines))[1:]
        ]
    x, narrow, wide = np.array(table).T
    return {name: np.array([x, p])[:, np.isfinite(p)] for name, p in (("narrow", narrow), ("wide", wide))}


WOLOSZYNSKI = {1: (-229.67, 38.871), 2: (-252.00, 40.226), 4: (-268.47, 41.030)}
"""Load and friction (N) of K x K dimples by an independent program whose outermost cells are at the ambient pressure.
The film: T. Woloszynski et al., Tribol. Lett. 58, 18 (2015)."""


def woloszynski(count: int) -> Flow:
    along = np.zeros(30)
    along[[4, 25]], along[5:25] = 0.5, 1.0
    dimple = np.tile(np.minimum.outer(along, along), (count, count))
    grid = Grid(dimple.shape, (0.08, 0.08))
    film = Film(grid, 15e-6 + 12e-6 * dimple, 5.0, 0.03, ambient=1e5, cavitation=JFO(3e4), couette=Upwind())
    return flow(film)


# Lund and Thomsen's bearings: two pads of 160 degrees, unit radius, clearance, speed and viscosity


class Balance(NamedTuple):
    """Where a loaded shaft stands: eccentricity, attitude in degrees, and its stiffness and damping by the load, in
    axes along the load and across it (the way the shaft turns where it is thrown)."""

    eps: float
    phi: float
    stiffness: Float[np.ndarray, "2 2"]
    damping: Float[np.ndarray, "2 2"]


@eqx.filter_jit
def pull(place: Array, velocity: Array, preload: Array, slender: Array) -> Float[Array, "2"]:
    """The force of both films on the shaft; `place` from the middle of the bearing, down and right."""
    arc = np.pi * 160 / 180

    def pad(start: Array, lift: Array) -> Array:
        grid = Grid(PAD, (arc, slender))  # half of the width 2 L/D, from its edge to its middle
        angle = start + grid.x
        radial = lambda v: v[1] * jnp.cos(angle) - v[0] * jnp.sin(angle)
        height = 1 - radial(place + jnp.stack([lift, jnp.zeros_like(lift)]))
        film = Film(grid, height, 1.0, 1.0, y=(Open(), Wall()), cavitation=SwiftStieber(), squeeze=-radial(velocity))
        p = 2 * flow(film).pressure * grid.area
        return -jnp.stack([jnp.sum(-p * jnp.sin(angle)), jnp.sum(p * jnp.cos(angle))])

    # The middle of the lower pad's arc lies above that of the bearing: the shaft is nearer to it by the preload.
    lower = pad(jnp.asarray(np.pi * 190 / 180), preload)
    return lower + pad(jnp.asarray(np.pi * 10 / 180), -preload)


PAD = (80, 20)
slopes = eqx.filter_jit(lambda *args: jax.jacfwd(pull, (0, 1))(*args))


def balanced(sommerfeld_number: float, slender: float, preload: float) -> Balance:
    load = 2 * slender / (np.pi * sommerfeld_number)
    place, still = jnp.array([0.1, 0.1]), jnp.zeros(2)
    rest = jnp.asarray(preload), jnp.asarray(slender)
    stiffness = damping = jnp.zeros((2, 2))
    for _ in range(60):
        miss = pull(place, still, *rest) + jnp.array([load, 0.0])
        stiffness, damping = slopes(place, still, *rest)
        move = -jnp.linalg.solve(stiffness, miss)
        place = place + move * jnp.minimum(1.0, 0.08 / jnp.linalg.norm(move))
        if jnp.linalg.norm(move) < 1e-8:
            break
    down, right = place
    return Balance(
        float(jnp.hypot(down, right)),
        float(jnp.degrees(jnp.arctan2(right, down))),
        np.asarray(-stiffness / load),
        np.asarray(-damping / load),
    )


def lund_thomsen() -> list[dict[str, float | str]] | None:
    path = in_data_folder("journal_bearing_tables", "lund_thomsen_1978.csv")
    if not path.is_file():
        return None
    with path.open(newline="", encoding="utf-8") as lines:
        return [
            {name: word if name == "bearing" else float(word) for name, word in row.items()}
            for row in csv.DictReader(lines)
        ]
