"""What is asked of a ring's texture, and the simulator's word on it: at the pressure asked for, on any grid."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Int
from scipy.ndimage import distance_transform_edt

from ..design import Sample, Simulator, shortest
from ..design._dataset import of_samples
from ._ring import CONTROLS, SAFETY, SIMULATED, THINNEST, YIELD, Ring, splines, steep, told
from ._ring_data import SCALARS, TOLD, at_pressure

Points = Float[np.ndarray, "16 16"]
SIZES = np.array([0.0, 0.05, 0.07, 0.09, 0.11, 0.13, 0.15, 0.175, 0.2, 0.25, 0.3])  # of features, by the side
SLACK = 1e-6  # sizes in files are single
NEAR = 0.05  # a friction that is this close is a hit
WIDEST = 5e-6  # film that is looked at, m
CLOSE = 1e-5  # of the pressure asked for
FAR = 0.7  # pressures, as a logarithm, over which a simulation's slopes are followed
SETTLED = 0.1  # the same, over which they are believed


@dataclass(frozen=True)
class Target:
    """friction: its coefficient; pressure: Pa, mean over the tile; feature: the smallest to be made, by the side."""

    friction: float
    pressure: float
    feature: float = 0.09

    @property
    def wish(self) -> Float[np.ndarray, "3"]:
        """In units of their spread over examples."""
        raw = np.array([np.log(self.friction), np.log(self.pressure), self.feature])
        return ((raw - CENTRE) / SPREAD).astype(np.float32)


CENTRE, SPREAD = np.array([np.log(0.03), np.log(2.2e6), 0.13]), np.array([0.7, 0.75, 0.06])


class Verdict(NamedTuple):
    """Of the simulator: NaN where it found no film between the thinnest that is simulated and `WIDEST`."""

    friction: float
    stress: float
    gap: float
    feature: float
    asked: int
    """Simulations that it took."""

    def violations(self, target: Target) -> tuple[str, ...]:
        """What is broken: no film carries the pressure, or too thin a one; stress; feature."""
        found = []
        if not self.gap >= THINNEST:
            found.append("load")
        if not self.stress <= YIELD / SAFETY:
            found.append("strength")
        if not self.feature >= target.feature:
            found.append("feature")
        return tuple(found)

    def valid(self, target: Target) -> bool:
        return not self.violations(target)

    def error(self, target: Target) -> float:
        return self.friction / target.friction - 1

    def hit(self, target: Target) -> bool:
        return self.valid(target) and abs(self.error(target)) <= NEAR


@functools.partial(jax.jit, static_argnums=0)
def solved(ring: Ring, texture: Float[Array, "16 16"], gap: Float[Array, ""]) -> dict[str, Array]:
    return told(ring, ring.flow(ring.depth(texture), gap))


stepped = jax.jit(shortest)


@dataclass
class Judge:
    """The simulator on a grid, at pressures instead of gaps. Call it in double precision."""

    ring: Ring

    @functools.cached_property
    def simulator(self) -> Simulator:
        return Simulator(self.ring.simulate, self.ring.space, slopes=SCALARS)

    def gap(self, texture: Points, pressure: float, guess: float = 4e-7) -> tuple[float, dict[str, Array], int]:
        """The film that carries a pressure, what else is told of it, and how many simulations it took: secants of the
        logarithms, kept inside a bracket. NaN where there is none."""
        low, high = float(np.log(SIMULATED[0])), float(np.log(WIDEST))
        c, log_p = jnp.asarray(texture, float), float(np.log(pressure))
        at, before, slope, asked = float(np.clip(np.log(guess), low, high)), None, -1.5, 0
        for _ in range(24):
            found = solved(self.ring, c, jnp.exp(at))
            asked += 1
            carried = float(found["pressure"])
            if not np.isfinite(carried):  # broken all around: only a thinner film might be whole
                high, before = at, None
                at = 0.5 * (low + high)
            else:
                miss = float(np.log(max(carried, 1.0))) - log_p
                if abs(miss) < CLOSE:
                    return float(np.exp(at)), found, asked
                low, high = (at, high) if miss > 0 else (low, at)
                if before is not None and abs(at - before[0]) > 1e-12:
                    slope = (miss - before[1]) / (at - before[0])
                before = at, miss
                to = at - miss / slope if slope < 0 else np.inf
                if not low < to < high:
                    # An end is asked before it is believed that there is none.
                    to = 0.5 * (low + high)
                at = to
            if high - low < 1e-12:
                break
        return float("nan"), {}, asked

    def __call__(self, texture: Points, target: Target, guess: float = 4e-7) -> Verdict:
        gap, found, asked = self.gap(texture, target.pressure, guess)
        size = feature(texture)
        if not found:
            return Verdict(np.nan, np.nan, np.nan, size, asked)
        return Verdict(float(found["friction"]), float(found["peak stress"]), gap, size, asked)

    def at(self, texture: Points, pressure: float, guess: float = 4e-7) -> tuple[Sample, int]:
        """Logarithms of friction, stress and gap, and their slopes in the texture and the pressure."""
        gap, _, asked = self.gap(texture, pressure, guess)
        if not np.isfinite(gap):
            return Sample({}, {}, "no film carries it"), asked
        return self.beside(texture, pressure, gap), asked + 1

    def beside(self, texture: Points, pressure: float, gap: float) -> Sample:
        """The same from one simulation, at a gap that carries about as much: by its slopes what is told is carried over
        to the pressure. `off`: by how much, as a logarithm; fails beyond `FAR`."""
        r = self.ring.space.ranges["gap"]
        said = self.simulator.sample(np.append(texture.ravel(), (np.log(gap) - r.low) / (r.high - r.low)))
        if said.failure:
            return said
        off = float(np.log(pressure / max(float(said.values["pressure"]), 1.0)))
        if abs(off) > FAR:
            return Sample({}, {}, "another gap carries it")
        data = at_pressure(self.ring, of_samples(np.append(texture.ravel(), 0.0)[None], [said], 0.0))
        if not len(data):
            return Sample({}, {}, "a thicker film carries more")
        values, slopes = ({n: rows[0] for n, rows in table.items()} for table in (data.values, data.slopes))
        values["gap"] = np.log(gap)
        by = off / np.log(TOLD[1] / TOLD[0])
        return Sample({n: v + by * slopes[n][-1] for n, v in values.items()} | {"off": np.asarray(off)}, slopes)

    def corrected(self, texture: Points, target: Target, steps: int, guess: float = 4e-7) -> Corrected:
        """Steps of Gauss and Newton by the simulator's own slopes, until the friction is within a fifth of a hit.

        Texture and gap move together, with one simulation each step. From a step that made it worse the next one begins
        where that began, and is shorter.
        """
        x, gap, spent, share = np.asarray(texture, float), guess, 0, 1.0
        best: Footing | None = None
        for _ in range(steps):
            said, spent = self.beside(x, target.pressure, gap), spent + 1
            if said.failure and best is None:
                said, asked = self.at(x, target.pressure, gap)
                spent += asked
                if said.failure:
                    return Corrected(texture, guess, spent)
            here = None if said.failure else Footing.of(x, said, target)
            if here is not None and (best is None or here.cost < best.cost):
                best, share = here, 1.0
                if here.there:
                    break
            else:
                share *= 0.4
            assert best is not None
            x = best.texture + share * (best.next() - best.texture)
            # The film that carries the pressure there, by the same slopes.
            by = best.said.slopes["gap"][:-1] @ (x - best.texture).ravel()
            gap = best.gap * float(np.exp(np.clip(by, -0.5, 0.5)))
        return Corrected(texture, guess, spent) if best is None else Corrected(best.texture, best.gap, spent)


class Corrected(NamedTuple):
    """gap: the film that carries the pressure, about."""

    texture: Points
    gap: float
    simulations: int


class Footing(NamedTuple):
    """A texture with what the simulator says of it, and what it misses: where the next step begins.

    r   of friction, of the stress and of the film, logarithms; the last two only where they break a bound, both with a
        margin: slopes are those of a smooth highest stress, which lies below the highest one.
    """

    texture: Points
    said: Sample
    r: Float[np.ndarray, "3"]

    @staticmethod
    def of(texture: Points, said: Sample, target: Target) -> Footing:
        v = {name: float(value) for name, value in said.values.items()}
        off = v["friction"] - np.log(target.friction)
        over = max(v["stress"] - np.log(0.7 * YIELD / SAFETY), 0.0)
        under = max(np.log(1.1 * THINNEST) - v["gap"], 0.0)
        return Footing(texture, said, np.array([off, over, under]))

    @property
    def cost(self) -> float:
        return float(np.sum(np.abs(self.r)))

    @property
    def gap(self) -> float:
        return float(np.exp(self.said.values["gap"]))

    @property
    def there(self) -> bool:
        near = np.abs(self.r) <= np.array([NEAR / 5, 0.0, 0.0])
        return bool(np.all(near) and abs(self.said.values["off"]) < SETTLED)

    def next(self) -> Points:
        rows = [sign * self.said.slopes[n][:-1] for n, sign in (("friction", 1.0), ("stress", 1.0), ("gap", -1.0))]
        slopes = np.stack(rows).reshape(3, CONTROLS, CONTROLS) * (np.abs(self.r) > 0)[:, None, None]
        return np.asarray(stepped(jnp.asarray(self.r), jnp.asarray(slopes), jnp.asarray(self.texture)))


def rank_of(sizes: ArrayLike) -> Int[np.ndarray, "..."]:
    """The places in `SIZES` of the smallest ones that are no smaller."""
    return np.asarray(np.searchsorted(SIZES, np.asarray(sizes) - SLACK))


def feature(texture: Points) -> float:
    """The smallest feature, by the side: the widest disc by which both the pockets (deeper than half of the deepest)
    and the face between them can be swept, all but 1 % of the tile; in steps of `SIZES`. Around the ring tiles follow
    each other, at the rims nothing is swept out."""
    n = 64
    depth = np.asarray(steep(jnp.asarray(splines(n, True) @ np.asarray(texture, float) @ splines(n, False).T)))
    if float(np.max(depth)) < 0.02:
        return float(SIZES[-1])
    deep = np.asarray(depth > 0.5 * np.max(depth))
    pad = int(np.ceil(SIZES[-1] * n)) + 1
    along = np.arange(-pad, n + pad)
    inside = deep[along % n][:, np.clip(along, 0, n - 1)]
    tile = (slice(pad, -pad), slice(pad, -pad))
    reach_of = lambda each: np.asarray(distance_transform_edt(each))
    wide = [reach_of(each) for each in (inside, ~inside)]

    def swept(size: float) -> bool:
        r = 0.5 * size * n
        for each, reach in zip((inside, ~inside), wide, strict=True):
            core = reach > r
            kept = (reach_of(~core) <= r + 0.5) if core.any() else np.zeros_like(each)
            if np.mean((each & ~kept)[tile]) > 0.01:
                return False
        return True

    low, high = 0, len(SIZES)  # SIZES[low] passes, SIZES[high] does not
    while high - low > 1:
        mid = (low + high) // 2
        low, high = (mid, high) if swept(float(SIZES[mid])) else (low, mid)
    return float(SIZES[low])
