"""Learning a potential from frames: energies, forces and stresses, several members of an ensemble at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, Key, PyTree

from .._core.leaves import by_name, put_back
from .._core.messages import BadInput
from ..solve import Keeper, Moment, Watcher, fingerprint, watcher
from ._ensemble import Ensemble
from ._frames import Frame, Frames
from ._labels import Labels
from ._said import Learned, answers, ready

Model = TypeVar("Model", bound=Learned)


class Tolerances(NamedTuple):
    """Errors that count alike: the loss is the sum of (error / tolerance)^2, energies per atom.

    energy    eV an atom.
    forces    eV/A.
    stress    eV/A^3.
    charges   e.
    dipole    e A.
    terms     eV, and `share` of the term's own size.
    """

    energy: float = 0.1
    forces: float = 1.0
    stress: float = 0.01
    charges: float = 0.05
    dipole: float = 0.05
    terms: float = 0.002
    share: float = 0.05


ALIKE = Tolerances()


def loss_of(model: Learned, frame: Frame, labels: Labels, tolerances: Tolerances) -> Float[Array, ""]:
    """Mean over the frames of the squared errors, each measured in its tolerance; what is NaN is not counted."""
    said = jax.vmap(lambda one: answers(model, one, labels))(frame)
    atoms = jnp.maximum(jnp.sum(frame.species >= 0, axis=-1), 1)
    weight = 1.0 if labels.weight is None else labels.weight
    losses = []
    if said.energy is not None and labels.energy is not None:
        each = tolerances.energy * atoms / jnp.sqrt(weight)
        losses.append(mean_square(said.energy, labels.energy, each))
    for name in ("forces", "stress", "charges", "dipole"):
        if getattr(labels, name) is not None:
            losses.append(mean_square(getattr(said, name), getattr(labels, name), getattr(tolerances, name)))
    terms = said.terms or {}
    for name, known in (labels.terms or {}).items():
        losses.append(mean_square(terms[name], known, tolerances.terms, tolerances.share))
    return sum(losses, jnp.zeros(()))


def mean_square(
    said: Float[Array | np.ndarray, "..."],
    labels: Float[Array | np.ndarray, "..."],
    tolerance: float | Float[Array, "..."],
    share: float = 0.0,
) -> Float[Array, ""]:
    """Of (said - label) / (tolerance + share |label|) over what is known. The slope of what is not is zero, not NaN; an
    answer that is NaN is not taken for a label that is missing."""
    known = jnp.isfinite(labels)
    labels = jnp.where(known, labels, 0.0)
    errors = (said - labels) / (tolerance + share * jnp.abs(labels))
    return jnp.sum(jnp.where(known, errors, 0.0) ** 2) / jnp.maximum(jnp.sum(known), 1)


class State(eqx.Module):
    """Where a training stands: all that a run needs to go on, members along the first axis."""

    parameters: PyTree
    moments: PyTree
    mean: PyTree
    epoch: Int[Array, ""]


class Lesson(eqx.Module):
    """What does not change while models learn: the frames, the optimiser, and all of a model but its parameters."""

    rest: PyTree
    scene: Frame
    labels: Labels
    key: Key
    memory: float
    tolerances: Tolerances = eqx.field(static=True)
    optimiser: optax.GradientTransformation = eqx.field(static=True)
    batch: int = eqx.field(static=True)
    updates: int = eqx.field(static=True)

    @classmethod
    def of(
        cls,
        models: Learned,
        frames: Frames,
        shift: Float[np.ndarray, " elements"],
        tolerances: Tolerances,
        epochs: int,
        batch: int,
        rate: float,
        key: Key,
    ) -> tuple[Lesson, PyTree]:
        """And the parameters to begin with."""
        parameters, rest = eqx.partition(models, eqx.is_inexact_array)
        updates = len(frames) // batch
        schedule = optax.warmup_cosine_decay_schedule(0.1 * rate, rate, 5 * updates, max(epochs, 6) * updates)
        optimiser = optax.chain(optax.clip_by_global_norm(10.0), optax.amsgrad(schedule))
        memory = 1 - 1 / max(0.01 * epochs * updates, 1.0)
        scene, labels = jax.tree.map(jnp.asarray, ready(models, frames, shift))
        return cls(rest, scene, labels, key, memory, tolerances, optimiser, batch, updates), parameters

    def update(self, carry: tuple, chosen: Int[Array, " batch"]) -> tuple[tuple, Array]:
        parameters, moments, mean = carry
        some, known = jax.tree.map(lambda x: x[chosen], (self.scene, self.labels))
        loss_at = lambda p: loss_of(eqx.combine(p, self.rest), some, known, self.tolerances)
        loss, slope = jax.value_and_grad(loss_at)(parameters)
        change, moments = self.optimiser.update(slope, moments, parameters)
        parameters = optax.apply_updates(parameters, change)
        mean = jax.tree.map(lambda old, new: self.memory * old + (1 - self.memory) * new, mean, parameters)
        return (parameters, moments, mean), loss

    def pass_over(self, parameters: PyTree, moments: PyTree, mean: PyTree, key: Key) -> tuple:
        """Of one member over all frames, in an order of its own."""
        order = jax.random.permutation(key, self.scene.species.shape[0])[: self.updates * self.batch]
        carry = parameters, moments, mean
        carry, losses = jax.lax.scan(lambda *a: self.update(*a), carry, order.reshape(self.updates, self.batch))
        return *carry, jnp.mean(losses)

    @eqx.filter_jit
    def epoch(self, state: State) -> tuple[State, Float[Array, " members"]]:
        members = jax.tree.leaves(state.parameters)[0].shape[0]
        keys = jax.random.split(jax.random.fold_in(self.key, state.epoch), members)
        parameters, moments, mean, losses = jax.vmap(self.pass_over)(state.parameters, state.moments, state.mean, keys)
        return State(parameters, moments, mean, state.epoch + 1), losses


def train(
    build: Callable[[Key], Model] | Ensemble,
    frames: Frames,
    validation: Frames | None = None,
    *,
    epochs: int = 500,
    batch: int = 5,
    rate: float = 2e-3,
    members: int = 1,
    tolerances: Tolerances = ALIKE,
    seed: int = 0,
    folder: str | Path | None = None,
    resume: bool = False,
    progress: bool | Watcher | None = None,
) -> Ensemble:
    """Fit `members` models, each from its own start and with its own order of the frames, at once.

    build        makes a model from a key, `lambda key: ShortRangeNetwork((1, 6, 8), key)`, say; or an ensemble, whose
                 members learn on: from other frames, or what they were not asked before.
    frames       a tenth are kept for validation where `validation` is not given.
    epochs       passes over the frames: 500 for a first answer, some thousands to the end.
    batch        frames in one update; 5 to 10.
    rate         of Adam's first updates, which falls to nothing along a cosine; 1e-3 to 5e-3.
    tolerances   errors that count alike.
    folder       where the state is kept; with `resume` a killed run goes on to the same answer.

    The models returned are running means over the last hundredth part of the updates. Their energies are relative to
    the model's `element_energies`, added in double precision. Float32 unless float64 is switched on.
    Raises `BadInput` for frames that a model cannot see, and where the loss is not finite, with the epoch.
    """
    if min(epochs, batch, members) < 1 or not 0 < rate < 1:
        raise BadInput(f"epochs={epochs}, batch={batch}, members={members}, rate={rate}: at least 1, and a small rate.")
    if validation is None:
        order = np.random.default_rng(seed).permutation(len(frames))
        kept = max(len(frames) // 10, 1)
        if kept == len(frames):
            raise BadInput("one frame is not enough to learn from; give some hundred.")
        frames, validation = frames[order[kept:]], frames[order[:kept]]
    keys = jax.random.split(jax.random.key(seed), members)
    models = build.models if isinstance(build, Ensemble) else eqx.filter_vmap(build)(keys)
    shift = models.element_energies(frames)
    key = jax.random.key(seed + 1)
    lesson, parameters = Lesson.of(models, frames, shift, tolerances, epochs, min(batch, len(frames)), rate, key)
    moments, nothing = jax.vmap(lesson.optimiser.init)(parameters), jnp.zeros((), jnp.int32)
    state = State(parameters, moments, parameters, nothing)
    digest = fingerprint(models, frames, validation, (epochs, batch, rate, tolerances, seed))
    keeper = Keeper(Path(folder) if folder else None, digest, resume, seconds=5.0)
    state, show = restored(state, keeper), watcher(progress)
    try:
        while int(state.epoch) < epochs:
            state, losses = lesson.epoch(state)
            if not bool(jnp.all(jnp.isfinite(losses))):
                raise BadInput(
                    f"the loss is no longer finite in epoch {int(state.epoch)}: look for frames with atoms nearly in"
                    f" one place, or take a smaller rate than {rate:g}."
                )
            show(Moment(1, int(state.epoch), epochs, float(jnp.mean(losses)), {}))
            keeper.save(partial(by_name, state), dict)
    except KeyboardInterrupt:
        keeper.save(partial(by_name, state), dict, force=True)
        raise
    finally:
        show.close()
    keeper.save(partial(by_name, state), dict, force=True)
    return Ensemble.calibrated(eqx.combine(state.mean, lesson.rest), shift, validation)


def restored(state: State, keeper: Keeper) -> State:
    found = keeper.load()
    if found is None:
        return state
    back = put_back(found[0], state)
    if back is None:
        raise BadInput(f"{keeper.path} holds another training; run without resume, or choose another folder.")
    return jax.tree.map(jnp.asarray, back)
