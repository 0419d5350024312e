"""How a learned potential goes to nothing: exponents of its tails, and what is left at a thousand angstroms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.precision import float64
from ..atoms import COULOMB, Fragments, Frame, Frames, HybridNetwork, Structure

NEAREST, FURTHEST = 15.0, 200.0  # A
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


def together(pair: Pair, distance: float) -> Frames:
    places = np.concatenate([alone(pair.first), alone(pair.second) + distance * AXIS])
    numbers = np.concatenate([pair.first.numbers, pair.second.numbers])
    parts = Fragments(np.repeat([0, 1], [len(pair.first), len(pair.second)]), np.array(pair.charges))
    return Frames([Structure(places, numbers)], [0.0], fragments=[parts])


def scene(model: HybridNetwork, frames: Frames) -> Frame:
    return jax.tree.map(jnp.asarray, frames.seen(model.species(frames.numbers), model.cutoff))


def tail(model: HybridNetwork, pair: Pair) -> Tail:
    """In double precision; distances are Chebyshev's points in 1/r, so that a polynomial carries on to 1/r = 0."""
    nodes = np.cos(np.pi * (np.arange(16) + 0.5) / 16)
    inverse = 0.5 * (1 / NEAREST + 1 / FURTHEST) + 0.5 * (1 / NEAREST - 1 / FURTHEST) * nodes
    with float64():
        energies, exponents = exponents_at(model, pair, 1 / inverse, float)
    _, light = exponents_at(model, pair, 1 / inverse, np.float32)
    limit = np.polynomial.chebyshev.Chebyshev.fit(inverse, exponents, 15)(0.0)
    return Tail(pair, 1 / inverse, energies, exponents, float(limit), float(np.max(np.abs(light - exponents))))


def exponents_at(model: HybridNetwork, pair: Pair, distances: np.ndarray, kind: type) -> tuple[np.ndarray, np.ndarray]:
    cast = lambda tree: jax.tree.map(lambda x: x.astype(kind) if eqx.is_inexact_array(x) else x, tree)
    frame = jax.tree.map(lambda x: x[0], scene(model, together(pair, 30.0)))
    values, slopes = slopes_along(cast(model), cast(frame), jnp.asarray(distances, kind), jnp.asarray(AXIS, kind))
    return np.asarray(values, float), np.asarray(-distances * slopes / values, float)


@eqx.filter_jit
def slopes_along(model: HybridNetwork, frame: Frame, distances: Array, axis: Array) -> tuple[Array, Array]:
    """Energies of interaction and their derivatives along the distance."""
    assert frame.fragments is not None
    second = (frame.fragments.of == 1)[:, None]

    def energy(r: Array) -> Array:
        moved = frame.positions + jnp.where(second, (r - 30.0) * axis, 0.0)
        return sum(model.interaction(eqx.tree_at(lambda f: f.positions, frame, moved)).values(), jnp.zeros(()))

    return jax.vmap(jax.value_and_grad(energy))(distances)


class Left(NamedTuple):
    """Of pairs at a great distance, eV: the energy of both less that of each, and the same less the dipoles' law."""

    energies: Float[np.ndarray, " pairs"]
    without_dipoles: Float[np.ndarray, " pairs"]


def left_over(model: HybridNetwork, pairs: Sequence[Pair], distance: float = 1000.0) -> Left:
    with float64():
        double = jax.tree.map(lambda x: x.astype(float) if eqx.is_inexact_array(x) else x, model)
        rows = [left_of(double, pair, distance) for pair in pairs]
    return Left(*(np.array(column) for column in zip(*rows, strict=True)))


def left_of(model: HybridNetwork, pair: Pair, distance: float) -> tuple[float, float]:
    one = lambda frames: jax.tree.map(lambda x: x[0], scene(model, frames))
    frame = one(together(pair, distance))
    lonely = [
        Frames([Structure(alone(s), s.numbers)], [0.0], fragments=[Fragments(np.zeros(len(s), int), np.array([q]))])
        for s, q in zip((pair.first, pair.second), pair.charges, strict=True)
    ]
    energy = float(energy_of(model, frame) - sum(energy_of(model, one(each)) for each in lonely))
    atoms = atoms_of(model, frame)
    moments = np.asarray(atoms.dipoles) + np.asarray(atoms.charges)[:, None] * np.asarray(frame.positions)
    a, b = np.sum(moments[: len(pair.first)], axis=0), np.sum(moments[len(pair.first) :], axis=0)
    law = COULOMB * (a @ b - 3 * (a @ AXIS) * (b @ AXIS)) / distance**3
    return energy, energy - float(law)


energy_of = eqx.filter_jit(lambda model, frame: model.energy(frame))
atoms_of = eqx.filter_jit(lambda model, frame: model.atoms(frame))
