"""Learning to make backbones: noise is put on real ones, and the network says where they were."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, ArrayLike, Bool, Float, Int, Key, PyTree

from .._core.leaves import by_name, put_back
from .._core.messages import BadInput
from .._core.progress import Meter
from ..fields.equivariant import Frames
from ..solve import Keeper, fingerprint
from ._backbone import Backbone
from ._denoiser import Denoiser
from ._flow import between, noise
from ._losses import Losses, losses_of
from ._weights import save

ROOMS = (64, 96, 128)
"""Chains are padded to one of these lengths, so that code is compiled three times only."""


class Room(eqx.Module):
    """Chains padded to one length."""

    frames: Frames
    real: Bool[Array, "chains n"]

    def __len__(self) -> int:
        return len(self.real)


def rooms_of(backbones: Sequence[Backbone]) -> tuple[Room, ...]:
    """Chains by length, centred at their mean CA, in the smallest room that holds them."""
    found = []
    for least, most in zip((0, *ROOMS[:-1]), ROOMS, strict=True):
        some = [each for each in backbones if least < len(each) <= most]
        xyz = np.tile(np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]), (len(some), most, 1, 1))
        real = np.zeros((len(some), most), bool)
        for k, each in enumerate(some):
            atoms = np.asarray(each.xyz)[:, :3]
            xyz[k, : len(each)] = atoms - atoms[:, 1].mean(axis=0)
            real[k, : len(each)] = True
        atoms = jnp.asarray(xyz, jnp.float32)
        frames = Frames.from_points(atoms[:, :, 0], atoms[:, :, 1], atoms[:, :, 2])
        found.append(Room(frames, jnp.asarray(real)))
    return tuple(found)


def loss_of_chain(
    denoiser: Denoiser, true: Frames, real: Bool[Array, " n"], key: Key, t: Float[Array, ""], twice: Bool[Array, ""]
) -> Losses:
    """Of one chain at one time; `twice`: the network hears a first answer of its own (self-conditioning)."""
    start = noise(key, real)
    noisy = between(start, true, t)
    first = lambda: denoiser.given(noisy, t, noisy, jnp.zeros(()), real)
    before = jax.lax.stop_gradient(jax.lax.cond(twice, first, lambda: noisy))
    said = denoiser.given(noisy, t, before, twice.astype(t.dtype), real)
    return losses_of(said, true, t, real)


class State(eqx.Module):
    """All that a training needs to go on."""

    parameters: PyTree
    moments: PyTree
    mean: PyTree
    step: Int[Array, ""]


class Lesson(eqx.Module):
    """What does not change while a network learns.

    Rates rise over `warm` updates to `rate`, and fall like 1/sqrt(updates) after `level`: with no end in sight, so that
    a training goes on as long as there is time.
    """

    rest: PyTree
    key: Key
    rate: float = eqx.field(static=True)
    warm: int = eqx.field(static=True)
    level: int = eqx.field(static=True)
    memory: float = eqx.field(static=True)

    @property
    def optimiser(self) -> optax.GradientTransformation:
        def schedule(step: ArrayLike) -> Array:
            step = jnp.asarray(step)
            return self.rate * jnp.minimum((step + 1) / self.warm, jnp.sqrt(self.level / jnp.maximum(step, self.level)))

        return optax.chain(optax.clip_by_global_norm(1.0), optax.adam(schedule, b2=0.99))

    @eqx.filter_jit(donate="all-except-first")
    def update(self, state: State, room: Room, size: int) -> tuple[State, Losses]:
        """One update from `size` chains of the room, drawn anew each time; everything follows from the step."""
        key = jax.random.fold_in(self.key, state.step)
        a, b, c, d = jax.random.split(key, 4)
        chosen = jax.random.choice(a, len(room), (size,), replace=len(room) < size)
        some = jax.tree.map(lambda x: x[chosen], room)
        t = (jnp.arange(size) + jax.random.uniform(b, (size,))) / size
        twice = jax.random.bernoulli(c)
        keys = jax.random.split(d, size)

        def loss_at(parameters: PyTree) -> tuple[Array, Losses]:
            denoiser = eqx.combine(parameters, self.rest)
            one = partial(loss_of_chain, denoiser, twice=twice)
            found = jax.vmap(one)(some.frames, some.real, keys, t)
            found = jax.tree.map(jnp.mean, found)
            return found.total(), found

        (_, found), slope = jax.value_and_grad(loss_at, has_aux=True)(state.parameters)
        change, moments = self.optimiser.update(slope, state.moments, state.parameters)
        parameters = optax.apply_updates(state.parameters, change)
        memory = jnp.minimum(self.memory, (1.0 + state.step) / (10.0 + state.step))
        mean = jax.tree.map(lambda old, new: memory * old + (1 - memory) * new, state.mean, parameters)
        return State(parameters, moments, mean, state.step + 1), found


class Course(eqx.Module):
    """How a training went: a row for each look at the validation chains."""

    denoiser: Denoiser
    updates: int = eqx.field(static=True)
    chains: int = eqx.field(static=True)
    seconds: float = eqx.field(static=True)
    history: tuple[dict[str, float], ...] = eqx.field(static=True)


def learn(
    denoiser: Denoiser,
    backbones: Sequence[Backbone],
    validation: Sequence[Backbone],
    *,
    updates: int,
    hours: float = np.inf,
    residues: int = 1024,
    rate: float = 1e-3,
    memory: float = 0.999,
    seed: int = 0,
    folder: str | Path | None = None,
    resume: bool = True,
    look: int = 250,
    half: bool = False,
    progress: bool | None = None,
) -> Course:
    """Teach a network to find real backbones in noise; the answer is the running mean of its weights.

    backbones    of 40 to 128 residues. Mirror images would teach both hands: none are made.
    validation   chains of other clusters; their loss, at fixed noise, is looked at every `look` updates.
    updates      after which to stop, counted from the first; `hours` stops this run earlier.
    residues     in one update, padding included.
    rate         of Adam; rises over 200 updates and falls like 1/sqrt after 4000.
    memory       of the running mean.
    half         whether dense layers multiply in bfloat16, for a GPU; weights and geometry stay in single precision.
    folder       where the state is kept every minute, with weights.npz at every look; with `resume` a killed run goes
                 on there and reaches the same numbers, bit for bit, on the same machine.

    Raises `BadInput` where the loss is no longer finite, and for a folder of another training.
    """
    rooms, held = rooms_of(backbones), rooms_of(validation)
    parameters, rest = eqx.partition(denoiser, eqx.is_inexact_array)
    lesson = Lesson(rest, jax.random.key(seed), rate, 200, 4000, memory)
    # Updates take their state's memory: the network that was given must not be part of it.
    first, mean = (jax.tree.map(jnp.copy, parameters) for _ in range(2))
    state = State(first, lesson.optimiser.init(parameters), mean, jnp.zeros((), jnp.int32))
    settings = (residues, rate, memory, seed, *(("bfloat16",) if half else ()))
    keeper = Keeper(Path(folder) if folder else None, fingerprint(denoiser, rooms, held, settings), resume, 60.0)
    state, meta = restored(state, keeper)
    spent, chains, history = meta["seconds"], meta["chains"], list(meta["history"])
    share = np.array([len(room) for room in rooms], float)
    meter, begin, told = Meter("learning", updates, progress, counted=True), time.monotonic(), "no look yet"
    step = int(state.step)
    so_far = lambda: {"seconds": spent + time.monotonic() - begin, "chains": chains, "history": history}
    while step < updates and time.monotonic() - begin < 3600 * hours:
        which = int(np.random.default_rng((seed, step)).choice(len(rooms), p=share / share.sum()))
        size = max(residues // ROOMS[which], 1)
        with jax.default_matmul_precision("bfloat16") if half else nullcontext():
            state, found = lesson.update(state, rooms[which], size)
        step, chains = step + 1, chains + size
        if step % look == 0:
            if not np.isfinite(float(found.total())):
                meter.close()
                raise BadInput(f"the loss is no longer finite at update {step}; take a smaller rate than {rate:g}.")
            mean = eqx.combine(state.mean, rest)
            history.append({"update": step, "chains": chains, **validated(mean, held, residues)})
            told = f"validation loss {history[-1]['loss']:.3f}"
            if folder:
                save(Path(folder) / "weights.npz", mean, so_far())
        meter.at(step, f"learning, {told}", f"update {step} of {updates}, {so_far()['seconds']:.0f} s, {told}")
        keeper.save(partial(by_name, state), so_far)
    keeper.save(partial(by_name, state), so_far, force=True)
    meter.close()
    last = so_far()
    return Course(eqx.combine(state.mean, rest), step, chains, last["seconds"], tuple(history))


def restored(state: State, keeper: Keeper) -> tuple[State, dict]:
    found = keeper.load()
    if found is None:
        return state, {"seconds": 0.0, "chains": 0, "history": []}
    back = put_back(found[0], state)
    if back is None:
        raise BadInput(f"{keeper.path} holds another training; choose another folder.")
    return jax.tree.map(jnp.asarray, back), found[1]


@eqx.filter_jit
def losses_at(denoiser: Denoiser, room: Room, keys: Key, t: Float[Array, " chains"]) -> Losses:
    one = partial(loss_of_chain, denoiser, twice=jnp.asarray(True))
    return jax.vmap(one)(room.frames, room.real, keys, t)


def validated(denoiser: Denoiser, rooms: Sequence[Room], residues: int, most: int = 64) -> dict[str, float]:
    """Mean losses over (at most `most`) chains of each room, with the same noise and times at every look."""
    found = []
    for k, room in enumerate(rooms):
        size = max(residues // room.real.shape[1], 1)
        for begin in range(0, min(len(room), most) // size * size, size):
            some = jax.tree.map(lambda x, a=begin, b=begin + size: x[a:b], room)
            keys = jax.random.split(jax.random.key(1000 * k + begin), size)
            found.append(losses_at(denoiser, some, keys, (jnp.arange(size) + 0.5) / size))
    mean = jax.tree.map(lambda *x: jnp.mean(jnp.concatenate(x)), *found)
    return {"loss": float(mean.total()), **{name: float(value) for name, value in mean._asdict().items()}}
