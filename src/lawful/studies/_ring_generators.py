"""Generators of ring textures on demand, what they learn from, and their rivals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..design import Adversarial, Dataset, Examples, Matched, Physics, Surrogate, on_demand, steered
from ..guidance import Energy, Particles, Pull, Term, guided
from ._ring import CONTROLS, SAFETY, THINNEST, YIELD
from ._ring_data import TOLD
from ._ring_judge import CENTRE, SIZES, SPREAD, Points, Target, feature, rank_of
from ._ring_sweeping import unswept

Textures = Float[np.ndarray, "n 16 16"]
Wishes = Float[np.ndarray, "n 3"]
ALLOWED = 0.7 * YIELD / SAFETY  # of the smooth highest stress, which lies below the highest one, Pa
STRAINED, THICK = 0.9, 1.15  # of the allowed stress and the thinnest film, where a calculator begins to complain
HELD_OUT = 400  # examples that no generator sees


class Library(NamedTuple):
    """Simulated textures that keep all bounds: what generators learn from and what retrieval looks up."""

    maps: Textures
    friction: Float[np.ndarray, " n"]
    pressure: Float[np.ndarray, " n"]
    feature: Float[np.ndarray, " n"]

    @property
    def wishes(self) -> Wishes:
        raw = np.stack([np.log(self.friction), np.log(self.pressure), self.feature], 1)
        return ((raw - CENTRE) / SPREAD).astype(np.float32)

    def examples(self, seed: int = 0) -> Examples:
        """A wish asks for a feature that is at least so large: what has one of 0.15 is an example for 0.09 too."""
        rng = np.random.default_rng(seed)
        rank = rank_of(self.feature)
        asked = SIZES[np.maximum(rank - rng.integers(0, 4, len(rank)), 0)]
        wishes = Library(self.maps, self.friction, self.pressure, asked).wishes
        return Examples(jnp.asarray(self.maps, jnp.float32), jnp.asarray(wishes))

    def rows(self, pick: Any) -> Library:
        return Library(*(each[pick] for each in self))

    @property
    def apart(self) -> tuple[Library, Library]:
        """What generators may see, and the last ones, which none does: targets are made of them."""
        held = min(HELD_OUT, len(self.maps) // 4)
        return self.rows(slice(None, -held)), self.rows(slice(-held, None))


def library(data: Dataset) -> Library:
    """What of the data at pressures keeps all bounds."""
    fine = (data.values["gap"] >= np.log(THINNEST)) & (data.values["stress"] <= np.log(ALLOWED))
    data = data.rows(fine)
    low = float(np.log(TOLD[0]))
    pressure = np.exp(low + np.log(TOLD[1] / TOLD[0]) * data.units[:, -1])
    maps = data.units[:, :-1].reshape(-1, CONTROLS, CONTROLS)
    sizes = np.array([feature(c) for c in maps])
    return Library(maps.astype(np.float32), np.exp(data.values["friction"]), pressure, sizes)


class Calculator(eqx.Module):
    """The surrogate as a calculator of maps and wishes, in single precision."""

    surrogate: Surrogate

    @staticmethod
    def of(surrogate: Surrogate) -> Calculator:
        single = lambda leaf: leaf.astype(jnp.float32) if eqx.is_inexact_array(leaf) else leaf
        return Calculator(jax.tree.map(single, surrogate))

    def said(self, x: Float[Array, "16 16"], wish: Float[Array, "3"]) -> dict[str, Array]:
        """Logarithms of friction, stress and gap at the pressure of a wish."""
        log_p = CENTRE[1] + SPREAD[1] * wish[1]
        low, high = (float(np.log(p)) for p in TOLD)
        u = jnp.concatenate([x.ravel(), jnp.clip((log_p - low) / (high - low), 0.0, 1.0)[None]]).astype(x.dtype)
        each = self.surrogate.each(u)
        return {name: jnp.mean(value, 0) for name, value in each.items()}

    def missed(self, x: Float[Array, "16 16"], wish: Float[Array, "3"]) -> Float[Array, "3"]:
        """By the friction, the stress and the film, as logarithms; the last two only where they break a bound."""
        said = self.said(x, wish)
        off = said["friction"] - (CENTRE[0] + SPREAD[0] * wish[0])
        over = jnp.maximum(said["stress"] - np.log(STRAINED * ALLOWED), 0.0)
        under = jnp.maximum(np.log(THICK * THINNEST) - said["gap"], 0.0)
        return jnp.stack([off, over, under]).astype(x.dtype)

    def told(self, x: Float[Array, "16 16"], wish: Float[Array, "3"]) -> Float[Array, "5"]:
        """What a critic hears: friction, its distance from what is asked for, stress and film beside their bounds
        (logarithms), and how much of the map is finer than asked for."""
        said = self.said(x, wish)
        off = said["friction"] - (CENTRE[0] + SPREAD[0] * wish[0])
        stress, film = said["stress"] - np.log(ALLOWED), said["gap"] - np.log(THINNEST)
        fine = unswept(x, CENTRE[2] + SPREAD[2] * wish[2])
        return jnp.stack([(said["friction"] - CENTRE[0]) / SPREAD[0], off, stress, film, fine]).astype(x.dtype)

    def steer(self, steps: int) -> Callable[[Array, Array], Array]:
        return lambda x, wish: steered(self.missed, x, wish, steps)


FRICTION, STRENGTH, LOAD, FEATURE = range(4)
ORDINARY = 0.03  # of a tile is not swept by discs of its own feature


def physics(calculator: Calculator, *, without: tuple[int, ...] = (), weights=(6.0, 4.0, 4.0, 6.0)) -> Physics:
    """The calculator in the critic: friction, strength, load and feature as inputs and as faults; `without` leaves some
    out."""
    heard = jnp.asarray([float(k not in without) for k in (FRICTION, FRICTION, STRENGTH, LOAD, FEATURE)], jnp.float32)
    scale = jnp.asarray([1.0, 3.0, 1.0, 1.0, 10.0], jnp.float32)
    inputs = lambda told: heard * 3 * jnp.tanh(scale * told / 3)
    over = lambda r: jnp.maximum(r, 0.0)
    missed: tuple[Callable[[Array], Array], ...] = (
        lambda told: told[1],
        lambda told: over(told[2] - np.log(STRAINED)),
        lambda told: over(np.log(THICK) - told[3]),
        lambda told: over(told[4] - ORDINARY) / ORDINARY,
    )
    # A square near nought, straight beyond, so that no sample rules.
    fault = lambda r: lambda told: jnp.sqrt(r(told) ** 2 + 1e-4) - 1e-2
    pairs = enumerate(zip(weights, missed, strict=True))
    return Physics(calculator.told, inputs, tuple((w, fault(r)) for k, (w, r) in pairs if k not in without))


@eqx.filter_jit
def steered_all(calculator: Calculator, maps: Array, wishes: Array, steps: int) -> tuple[Array, Array]:
    """Each map after `steps` on the surrogate, and what it then still misses by it."""

    def one(pair: tuple[Array, Array]) -> tuple[Array, Array]:
        x = calculator.steer(steps)(*pair) if steps else pair[0]
        return x, calculator.missed(x, pair[1])

    return jax.lax.map(one, (maps, wishes), batch_size=16)


Maker = Callable[[Wishes, int], Textures]
"""Maps for wishes, by a seed."""


def by_network(net: Matched | Adversarial) -> Maker:
    return lambda wishes, seed: np.asarray(net(jnp.asarray(wishes, jnp.float32), jax.random.PRNGKey(seed)))


def by_retrieval(known: Library) -> Maker:
    """What of the library did nearly that: for the k-th same wish the k-th nearest."""

    def made(wishes: Wishes, seed: int) -> Textures:
        del seed
        found, asked = [], {}
        for wish in np.asarray(wishes):
            k = asked.get(wish.tobytes(), 0)
            asked[wish.tobytes()] = k + 1
            found.append(known.maps[nearest(known, wish)[k % len(known.maps)]])
        return np.stack(found)

    return made


def by_chance(known: Library) -> Maker:
    """Any of the library: where direct optimisation starts."""
    return lambda wishes, seed: known.maps[np.random.default_rng(seed).integers(0, len(known.maps), len(wishes))]


def by_crossing(known: Library, among: int = 64) -> Maker:
    """Between two of the `among` that did most nearly that: turned around the ring, and mirrored, to where they are
    most alike, and mixed. For the same wish no parent comes twice before all have come. Nothing is learned, and no such
    texture is known."""

    def made(wishes: Wishes, seed: int) -> Textures:
        rng, found, left = np.random.default_rng(seed), [], {}
        for wish in np.asarray(wishes):
            rest = left.get(wish.tobytes(), ())
            if len(rest) < 2:
                rest = rng.permutation(nearest(known, wish)[:among])
            left[wish.tobytes()] = rest[2:]
            one, other = known.maps[rest[:2]]
            found.append(mixed(one, fitted(other, one), rng.uniform(0.25, 0.75)))
        return np.stack(found)

    return made


def mixed(one: Points, other: Points, share: float) -> Points:
    """A mean of two with as much contrast as they have: means of unlike textures are flat, and flat ones are alike."""
    mean = share * one + (1 - share) * other
    middle, contrast = np.mean(mean), share * np.std(one) + (1 - share) * np.std(other)
    return np.clip(middle + (mean - middle) * contrast / max(float(np.std(mean)), 1e-3), 0.0, 1.0)


def nearest(known: Library, wish: Float[np.ndarray, "3"]) -> np.ndarray:
    """Rows of the library by how near they are to a wish; a larger feature than is asked for is no fault."""
    off = known.wishes - wish
    off[:, 2] = np.minimum(off[:, 2], 0.0) * 4
    return np.argsort(np.sum(off**2, 1))


def fitted(one: Points, to: Points) -> Points:
    """A texture begun elsewhere around the ring, and mirrored across it, so that it is most like another one."""
    ways = [np.roll(m, k, 0) for m in (one, one[:, ::-1]) for k in range(len(one))]
    return min(ways, key=lambda m: float(np.sum((m - to) ** 2)))


def by_guidance(net: Matched, calculator: Calculator, steps: int = 40, together: int = 8) -> Maker:
    """The flow, with the calculator's energy at each of its steps: particles of the same wish, `together` at once, led
    by its gradient and thinned by it."""
    missed = lambda k: lambda asked: calculator.missed(asked.unit, asked.wish)[k] ** 2
    # As many kT as a texture is off by of what the calculator itself is.
    kT = lambda part: 2 * part**2
    energy = Energy(friction=Term(missed(0), "1", kT(0.05)), stress=Term(missed(1), "1", kT(0.1)),
                    film=Term(missed(2), "1", kT(0.05)))  # fmt: skip
    guides = (Pull(longest=1.0),)

    def made(wishes: Wishes, seed: int) -> Textures:
        rows: dict[bytes, list[int]] = {}
        for i, wish in enumerate(np.asarray(wishes, np.float32)):
            rows.setdefault(wish.tobytes(), []).append(i)
        found = np.empty((len(wishes), CONTROLS, CONTROLS))
        with jax.enable_x64(False):
            for j, (wish, places) in enumerate(rows.items()):
                process = on_demand(net, jnp.asarray(np.frombuffer(wish, np.float32)), steps=steps)
                for first in range(0, len(places), together):
                    key = jax.random.fold_in(jax.random.fold_in(jax.random.PRNGKey(seed), j), first)
                    told = guided(process, energy, key, together, guides=guides, particles=Particles())
                    some = places[first : first + together]
                    found[some] = np.asarray(told.designs.unit)[: len(some)]
        return found

    return made


def ranked(
    maker: Maker, calculator: Calculator, targets: list[Target], draws: int, steps: int, seed: int
) -> Float[np.ndarray, "targets draws 16 16"]:
    """For each target `draws` maps, after `steps` on the surrogate each; the best first, by it and by their measured
    feature, if steps were asked for. None of this is a simulation."""
    asked = [Target(t.friction, t.pressure, 1.1 * t.feature) for t in targets for _ in range(draws)]
    wishes = np.stack([t.wish for t in asked])
    maps = maker(wishes, seed)
    shape = (len(targets), draws, CONTROLS, CONTROLS)
    if not steps:
        return maps.reshape(shape)
    maps, left = (np.asarray(a) for a in steered_all(calculator, jnp.asarray(maps), jnp.asarray(wishes), steps))
    small = np.array([feature(c) < t.feature / 1.1 for c, t in zip(maps, asked, strict=True)])
    cost = (np.abs(left) @ np.array([1.0, 3.0, 3.0]) + 10.0 * small).reshape(len(targets), draws)
    return maps.reshape(shape)[np.arange(len(targets))[:, None], np.argsort(cost, 1)]


@eqx.filter_jit
def said_of(calculator: Calculator, map_: Array, wish: Array) -> dict[str, Array]:
    return calculator.said(map_, wish)


def gap_guess(calculator: Calculator, texture: Points, target: Target) -> float:
    """The film that carries the pressure, by the surrogate, m: where the simulator begins to look."""
    said = said_of(calculator, jnp.asarray(texture, jnp.float32), jnp.asarray(target.wish))
    return float(np.exp(float(said["gap"])))
