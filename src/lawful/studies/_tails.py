"""How a learned potential goes to nothing: exponents of its tails, and what is left at a thousand angstroms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.compilation import compiled
from .._core.precision import float64
from ..atoms import COULOMB, AtomsInMolecules, Fragments, Frame, Frames, HybridNetwork, Structure

NEAREST, FURTHEST = 15.0, 200.0  # A
START = 30.0  # A, where the pairs are put first
AXIS = np.array([0.48, 0.6, 0.64])  # a direction without meaning


class Pair(NamedTuple):
    """Two molecules and the power of their distance that their energy falls with."""

    name: str
    first: Structure
    second: Structure
    charges: tuple[float, float]
    power: int


class Tail(NamedTuple):
    """Exponents -d ln|E| / d ln r at each distance, the one at infinity, and what single precision changes."""

    pair: Pair
    distances: Float[np.ndarray, " n"]
    energies: Float[np.ndarray, " n"]
    exponents: Float[np.ndarray, " n"]
    at_infinity: float
    single: float


def alone(structure: Structure) -> np.ndarray:
    """Positions about their mean."""
    places = np.asarray(structure.positions)
    return places - np.mean(places, axis=0)


def frames_at(pairs: Sequence[Pair], distance: float) -> Frames:
    structures, fragments = [], []
    for pair in pairs:
        places = np.concatenate([alone(pair.first), alone(pair.second) + distance * AXIS])
        structures.append(Structure(places, np.concatenate([pair.first.numbers, pair.second.numbers])))
        parts = np.repeat([0, 1], [len(pair.first), len(pair.second)])
        fragments.append(Fragments(parts, np.array(pair.charges)))
    return Frames(structures, np.zeros(len(pairs)), fragments=fragments)


def lonely(pairs: Sequence[Pair]) -> Frames:
    """The molecules of the pairs one by one, first and second in turn."""
    each = [(s, q) for pair in pairs for s, q in zip((pair.first, pair.second), pair.charges, strict=True)]
    structures = [Structure(alone(s), s.numbers) for s, _ in each]
    fragments = [Fragments(np.zeros(len(s), dtype=int), np.array([q])) for s, q in each]
    return Frames(structures, np.zeros(len(each)), fragments=fragments)


def scene(model: HybridNetwork, frames: Frames, kind: type) -> Frame:
    return cast(frames.seen(model.species(frames.numbers), model.cutoff), kind)


def cast(tree: Any, kind: type) -> Any:
    return jax.tree.map(lambda x: jnp.asarray(x, kind) if eqx.is_inexact_array(x) else jnp.asarray(x), tree)


def tails(model: HybridNetwork, pairs: Sequence[Pair]) -> list[Tail]:
    """In double precision; distances are Chebyshev's points in 1/r, so that a polynomial carries on to 1/r = 0."""
    nodes = np.cos(np.pi * (np.arange(16) + 0.5) / 16)
    inverse = 0.5 * (1 / NEAREST + 1 / FURTHEST) + 0.5 * (1 / NEAREST - 1 / FURTHEST) * nodes
    with float64():
        energies, exponents = exponents_at(model, pairs, 1 / inverse, float)
    _, light = exponents_at(model, pairs, 1 / inverse, np.float32)
    limits = [np.polynomial.chebyshev.Chebyshev.fit(inverse, each, 15)(0.0) for each in exponents]
    gaps = np.max(np.abs(light - exponents), axis=1)
    return [
        Tail(*row) for row in zip(pairs, [1 / inverse] * len(pairs), energies, exponents, limits, gaps, strict=True)
    ]


def exponents_at(
    model: HybridNetwork, pairs: Sequence[Pair], distances: np.ndarray, kind: type
) -> tuple[np.ndarray, np.ndarray]:
    frames = scene(model, frames_at(pairs, START), kind)
    values, slopes = slopes_along(cast(model, kind), frames, jnp.asarray(distances, kind), jnp.asarray(AXIS, kind))
    return np.asarray(values, float), np.asarray(-distances * slopes / values, float)


@compiled(lambda *_: 0)
def slopes_along(model: HybridNetwork, frames: Frame, distances: Array, axis: Array) -> tuple[Array, Array]:
    """Energies of interaction and their derivatives along the distance, of each frame at each distance."""

    def energy(frame: Frame, r: Array) -> Array:
        assert frame.fragments is not None
        second = (jnp.asarray(frame.fragments.of) == 1)[:, None]
        moved = frame.positions + jnp.where(second, (r - START) * axis, 0.0)
        return sum(model.interaction(eqx.tree_at(lambda f: f.positions, frame, moved)).values(), jnp.zeros(()))

    along = lambda frame: lambda r: jax.jvp(lambda at: energy(frame, at), (r,), (jnp.ones_like(r),))
    return jax.vmap(lambda frame: jax.vmap(along(frame))(distances))(frames)


class Left(NamedTuple):
    """Of pairs at a great distance, eV: the energy of both less that of each, and the same less the dipoles' law."""

    energies: Float[np.ndarray, " pairs"]
    without_dipoles: Float[np.ndarray, " pairs"]


def left_over(model: HybridNetwork, pairs: Sequence[Pair], distance: float = 1000.0) -> Left:
    with float64():
        double = cast(model, float)
        together, each = scene(model, frames_at(pairs, distance), float), scene(model, lonely(pairs), float)
        whole, atoms = said_of(double, together)
        parts, _ = said_of(double, each)
    energies = np.asarray(whole) - np.sum(np.asarray(parts).reshape(-1, 2), axis=1)
    charged = np.asarray(atoms.charges)[..., None] * np.asarray(together.positions)
    moments = np.asarray(atoms.dipoles) + charged
    assert together.fragments is not None
    of = np.asarray(together.fragments.of)[..., None]
    a, b = (np.sum(np.where(of == k, moments, 0.0), axis=1) for k in (0, 1))
    law = COULOMB * (np.sum(a * b, axis=1) - 3 * (a @ AXIS) * (b @ AXIS)) / distance**3
    return Left(energies, energies - law)


@compiled(lambda *_: 0)
def said_of(model: HybridNetwork, frames: Frame) -> tuple[Array, AtomsInMolecules]:
    return jax.vmap(model.energy)(frames), jax.vmap(model.atoms)(frames)
