"""What a model that learns says of frames: energies, differentiated once."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ._frames import Frame, Frames, Labels
from ._slopes import slopes


class Learned(Protocol):
    """What can be trained: a pytree of arrays that says the energy of a frame."""

    @property
    def elements(self) -> tuple[int, ...]: ...

    @property
    def cutoff(self) -> float: ...

    @property
    def shift(self) -> Float[Array, " elements"]: ...

    def element_energies(self, frames: Frames) -> Float[np.ndarray, " elements"]: ...

    def energy(self, frame: Frame) -> Float[Array, ""]: ...

    def species(self, numbers: Int[np.ndarray, "..."]) -> Int[np.ndarray, "..."]: ...


class Said(NamedTuple):
    """What a model says of a frame."""

    energy: Float[Array | np.ndarray, "*frames"]
    forces: Float[Array | np.ndarray, "*frames atoms 3"]
    stress: Float[Array | np.ndarray, "*frames 3 3"] | None


def said_of(model: Learned, frame: Frame) -> Said:
    """Energy, forces and, in a cell, stress of one frame by one backward pass."""

    def energy(positions: Array, cell: Array | None) -> tuple[Array, None]:
        place = positions, cell
        return model.energy(
            eqx.tree_at(lambda f: (f.positions, f.cell), frame, place, is_leaf=lambda x: x is None)
        ), None

    cell = None if frame.cell is None else jnp.asarray(frame.cell)
    value, _, forces, stress = slopes(energy, jnp.asarray(frame.positions), cell)
    return Said(value, forces, stress)


def said_without_forces(model: Learned, frame: Frame) -> Said:
    """The energy alone, where nothing else is known to compare with."""
    return Said(model.energy(frame), jnp.full(frame.positions.shape, jnp.nan), None)


@eqx.filter_jit
def said_by_all(models: Any, frames: Frame) -> Said:
    """Of models along a first axis, of frames along a second."""
    arrays, rest = eqx.partition(models, eqx.is_inexact_array)
    of_all = lambda part: jax.vmap(lambda frame: said_of(eqx.combine(part, rest), frame))(frames)
    return jax.vmap(of_all)(arrays)


def ready(models: Learned, frames: Frames, shift: Float[np.ndarray, " elements"]) -> tuple[Frame, Labels]:
    """Frames and labels for the model, energies relative to the elements' so that single precision carries them."""
    scene = frames.seen(models.species(frames.numbers), models.cutoff)
    relative = frames.labels.energy - frames.counts(models.elements) @ shift
    double = jax.config.jax_enable_x64  # pyright: ignore[reportAttributeAccessIssue]
    lighter = lambda x: (
        np.asarray(x, dtype=float if double else np.float32) if np.issubdtype(x.dtype, np.floating) else x
    )
    return jax.tree.map(lighter, (scene, eqx.tree_at(lambda l: l.energy, frames.labels, relative)))
