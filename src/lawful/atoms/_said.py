"""What a model that learns says of frames: energies, differentiated once."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._core.compilation import compiled
from .._core.messages import BadInput, listing
from ._frames import Frame, Frames
from ._labels import Labels
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


absent = lambda x: x is None
of_terms = lambda labels: labels.terms


def answers(model: Any, frame: Frame, labels: Labels) -> Labels:
    """What a model says of one frame, of all that the labels hold and of nothing else."""
    said = Labels(None)
    if labels.forces is not None or labels.stress is not None:
        value, forces, stress = said_of(model, frame)
        said = Labels(value, forces, stress)
    elif labels.energy is not None:
        said = Labels(model.energy(frame))
    if labels.terms is not None:
        terms = model.terms(frame)
        said = eqx.tree_at(of_terms, said, {name: terms[name] for name in labels.terms}, is_leaf=absent)
    if labels.charges is not None or labels.dipole is not None:
        atoms = model.atoms(frame)
        dipole = atoms.charges @ jnp.asarray(frame.positions) + jnp.sum(atoms.dipoles, axis=0)
        said = eqx.tree_at(lambda l: (l.charges, l.dipole), said, (atoms.charges, dipole), is_leaf=absent)
    return said


@compiled(lambda *_: 1)
def said_by_all(models: Any, frames: Frame) -> Said:
    """Of models along a first axis, of frames along a second."""
    arrays, rest = eqx.partition(models, eqx.is_inexact_array)
    of_all = lambda part: jax.vmap(lambda frame: said_of(eqx.combine(part, rest), frame))(frames)
    return jax.vmap(of_all)(arrays)


def ready(models: Learned, frames: Frames, shift: Float[np.ndarray, " elements"]) -> tuple[Frame, Labels]:
    """Frames and labels for the model, energies relative to the elements' so that single precision carries them."""
    scene = frames.seen(models.species(frames.numbers), models.cutoff)
    labels = frames.labels.held()
    refuse_unsaid(models, labels)
    if labels.energy is not None:
        relative = labels.energy - frames.counts(models.elements) @ shift
        labels = eqx.tree_at(lambda l: l.energy, labels, relative)
    double = jax.config.jax_enable_x64  # pyright: ignore[reportAttributeAccessIssue]
    lighter = lambda x: (
        np.asarray(x, dtype=float if double else np.float32) if np.issubdtype(x.dtype, np.floating) else x
    )
    return jax.tree.map(lighter, (scene, labels))


def refuse_unsaid(model: Any, labels: Labels) -> None:
    """Labels that a model has no answer to."""
    name, beside = type(model).__name__, "leave them out, or train a model that has it, such as HybridNetwork."
    if labels.terms is not None:
        known = getattr(model, "named", ())
        unknown = [each for each in labels.terms if each not in known]
        if unknown:
            has = f"its terms are {listing(known)}" if known else "its energy has no terms"
            raise BadInput(
                f"terms {listing(unknown)} are known of frames, but {name} does not say them: {has}; {beside}"
            )
    for what, given in (("charges", labels.charges), ("dipole", labels.dipole)):
        if given is not None and not hasattr(model, "atoms"):
            raise BadInput(f"the frames' {what} is known, but {name} says no charges; {beside}")
