"""Learning to make backbones: noise is put on real ones, and the network says where they were."""

from __future__ import annotations

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

from .._core.schooling import schooled
from ..fields.equivariant import Frames
from ..solve import fingerprint
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
    """All that a training needs to go on: what is learned, Adam's moments, and the running mean."""

    parameters: PyTree
    moments: PyTree
    mean: PyTree


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

    @eqx.filter_jit
    def update(self, state: State, room: Room, size: int, i: Int[Array, ""]) -> tuple[State, Losses]:
        """One update from `size` chains of the room, drawn anew each time; everything follows from the step i."""
        key = jax.random.fold_in(self.key, i)
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
        memory = jnp.minimum(self.memory, (1.0 + i) / (10.0 + i))
        mean = jax.tree.map(lambda old, new: memory * old + (1 - memory) * new, state.mean, parameters)
        return State(parameters, moments, mean), found


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
    every: int = 250,
    half: bool = False,
    progress: bool | None = None,
) -> tuple[Denoiser, dict[str, list[float]]]:
    """A network that has learned to find real backbones in noise, and what was told on the way.

    The answer is the running mean of its weights. Told are the update ("step"), the seconds, how many chains were seen,
    and losses of the validation chains, see `Losses`.

    backbones    of 40 to 128 residues. Mirror images would teach both hands: none are made.
    validation   chains of other clusters; their loss, at fixed noise, is told every `every` updates.
    updates      after which to stop, counted from the first; `hours` stops this call earlier.
    residues     in one update, padding included.
    rate         of Adam; rises over 200 updates and falls like 1/sqrt after 4000.
    memory       of the running mean.
    half         whether dense layers multiply in bfloat16, for a GPU; weights and geometry stay in single precision.
    folder       where the state is kept every minute, with weights.npz at every look; a training that was killed, or
                 whose hours are over, goes on there and reaches the same numbers, bit for bit, on the same machine.

    Raises `BadInput` for a folder of another training, `ArithmeticError` where the loss is no longer finite.
    """
    rooms, held = rooms_of(backbones), rooms_of(validation)
    parameters, rest = eqx.partition(denoiser, eqx.is_inexact_array)
    lesson = Lesson(rest, jax.random.key(seed), rate, 200, 4000, memory)
    share = np.array([len(room) for room in rooms], float)
    room_at = lambda i: int(np.random.default_rng((seed, i)).choice(len(rooms), p=share / share.sum()))
    size_at = lambda i: max(residues // ROOMS[room_at(i)], 1)
    path = Path(folder) if folder else None

    def step(state: State, i: int) -> tuple[State, dict[str, Array]]:
        with jax.default_matmul_precision("bfloat16") if half else nullcontext():
            state, found = lesson.update(state, rooms[room_at(i)], size_at(i), jnp.asarray(i, jnp.int32))
        return state, {"learned": found.total()}

    def look(state: State, notes: dict[str, float]) -> dict[str, float]:
        mean = eqx.combine(state.mean, rest)
        found = {"chains": float(sum(map(size_at, range(int(notes["step"]))))), **validated(mean, held, residues)}
        if path:
            save(path / "weights.npz", mean, notes | found)
        return found

    begin = State(parameters, lesson.optimiser.init(parameters), parameters)
    settings = (residues, rate, memory, seed, every, *(("bfloat16",) if half else ()))
    state, told = schooled(
        step, begin, updates, what="learning backbones", path=path and path / "checkpoint.npz",
        stamp=fingerprint(denoiser, rooms, held, settings), every=every, seconds=3600 * hours, progress=progress,
        look=look,
    )  # fmt: skip
    return eqx.combine(state.mean, rest), told


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
