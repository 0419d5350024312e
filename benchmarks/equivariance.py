"""Which equivariant layers learn most in a second of one core: points (EGNN), scalars and vectors (GVP), frames.

    LAWFUL_DATA=... python benchmarks/equivariance.py [SECONDS] [--ablation]

One task: chains of 64 residues (stretches of real ones; none of a cluster is in both sets) are half-way to noise, and
the network says where each CA was. Every network gets the same N, CA and C, the same distances along the chain, and
the same seconds of processor time to learn, compilation not counted; the error is that of held-out chains at fixed
noise. The last columns say what a rotation changes after learning, and what a mirror does.

With --ablation: what equivariance buys. Attention among frames beside a transformer of as many weights that sees the
coordinates themselves, as they are or turned at random each time they are seen, both learning from a sixteenth, a
quarter and all of the chains.
"""

from __future__ import annotations

import os

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from _machine import machine
from jaxtyping import Array, Float, Key

from lawful.fields.equivariant import (
    Dense,
    FrameBlock,
    Frames,
    PointMessages,
    VectorMessages,
    beside,
    relative_features,
    uniform_rotations,
)
from lawful.proteins import Backbone, place_atoms, read_set, split
from lawful.proteins._flow import between, noise
from lawful.proteins._language import Block

RESIDUES, BATCH, APART, T = 64, 8, 8, 0.7
REAL = jnp.ones(RESIDUES, bool)
Atoms = Float[Array, "n 3 3"]


def order() -> Float[np.ndarray, "n n edges"]:
    """Which residue comes how far behind which, as zeros and ones."""
    place = np.arange(RESIDUES)
    apart = np.clip(place[None] - place[:, None], -APART - 1, APART + 1) + APART + 1
    return (apart[..., None] == np.arange(2 * APART + 3)).astype(np.float32)


ORDER = jnp.asarray(order())
START = jnp.asarray(np.stack([np.minimum(np.arange(RESIDUES), np.arange(RESIDUES)[::-1]) < 4], -1).astype(np.float32))


class ByPoints(eqx.Module):
    """Scalars, and three points a residue that move."""

    first: Dense
    layers: tuple[PointMessages, ...]

    def __init__(self, key: Key, channels: int, layers: int, handed: bool):
        first, *keys = jax.random.split(key, layers + 1)
        self.first = Dense((1, channels), first)
        edges = ORDER.shape[-1]
        self.layers = tuple(PointMessages(channels, k, points=3, edges=edges, handed=handed) for k in keys)

    def __call__(self, x: Atoms) -> Float[Array, "n 3"]:
        s = self.first(START)
        for layer in self.layers:
            s, x = layer(s, x, ORDER, REAL)
        return x[:, 1]


class ByVectors(eqx.Module):
    """Scalars and vectors of a residue; the first vectors are its bonds and those to its neighbours."""

    first: Dense
    layers: tuple[VectorMessages, ...]
    last: Float[Array, " vectors"]

    def __init__(self, key: Key, channels: int, layers: int, handed: bool):
        first, *keys = jax.random.split(key, layers + 1)
        self.first = Dense((1, channels), first)
        edges = ORDER.shape[-1]
        self.layers = tuple(VectorMessages(channels, 16, k, edges=edges, handed=handed) for k in keys)
        self.last = jnp.zeros(16)

    def __call__(self, x: Atoms) -> Float[Array, "n 3"]:
        ca, s = x[:, 1], self.first(START)
        near = [beside(ca, step) - ca for step in (-3, -2, -1, 1, 2, 3)]
        near = [v * (jnp.sum(beside(jnp.ones_like(ca), step), -1, keepdims=True) > 0)
                for v, step in zip(near, (-3, -2, -1, 1, 2, 3), strict=True)]  # fmt: skip
        v = jnp.stack([x[:, 0] - ca, x[:, 2] - ca, *near], axis=1)
        v = jnp.concatenate([v, jnp.zeros((RESIDUES, 16 - v.shape[1], 3), v.dtype)], axis=1)
        for layer in self.layers:
            s, v = layer(s, v, ca, ORDER, REAL)
        return ca + jnp.einsum("ncx,c->nx", v, self.last)


class ByFrames(eqx.Module):
    """Frames of N, CA and C, attention among them."""

    first: Dense
    pair: Dense
    layers: tuple[FrameBlock, ...]

    def __init__(self, key: Key, channels: int, layers: int):
        first, pair, *keys = jax.random.split(key, layers + 2)
        self.first, self.pair = Dense((1, channels), first), Dense((24 + ORDER.shape[-1], 24, 24), pair)
        self.layers = tuple(FrameBlock(channels, 24, k, heads=4) for k in keys)

    def __call__(self, x: Atoms) -> Float[Array, "n 3"]:
        frames, s = Frames.from_points(x[:, 0], x[:, 1], x[:, 2]), self.first(START)
        pairs = self.pair(jnp.concatenate([relative_features(frames.pairs(), 2.0, 12), ORDER], axis=-1))
        for layer in self.layers:
            s, frames = layer(s, frames, pairs, REAL)
        return frames.origin


class ByCoordinates(eqx.Module):
    """A transformer that sees x, y and z: what a turned chain means it has to learn."""

    first: Dense
    layers: tuple[Block, ...]
    last: Dense

    def __init__(self, key: Key, channels: int, layers: int):
        first, last, *keys = jax.random.split(key, layers + 2)
        self.first, self.last = Dense((9 + START.shape[-1], channels), first), Dense((channels, 3), last, scale=0.1)
        self.layers = tuple(Block(channels, 4, k) for k in keys)

    def __call__(self, x: Atoms) -> Float[Array, "n 3"]:
        s = self.first(jnp.concatenate([x.reshape(RESIDUES, 9), START], axis=-1))
        for layer in self.layers:
            s = layer(s, REAL)
        return x[:, 1] + self.last(s)


def noisy(x: Atoms, key: Key) -> tuple[Atoms, Float[Array, "n 3"]]:
    """Atoms (nm) on the way to noise, and where CA belongs."""
    there = Frames.from_points(x[:, 0], x[:, 1], x[:, 2])
    frames = between(noise(key, REAL), there, jnp.asarray(T))
    return 0.1 * place_atoms(frames.rotation, frames.origin)[:, :3], 0.1 * there.origin


def errors(network: Callable, x: Float[Array, "chains n 3 3"], keys: Key) -> Float[Array, " chains"]:
    """Mean square distance of CA, nm^2."""
    given, wanted = jax.vmap(noisy)(x, keys)
    return jnp.mean(jnp.sum((jax.vmap(network)(given) - wanted) ** 2, -1), -1)


def stretches(chains: list[Backbone]) -> Float[Array, "chains n 3 3"]:
    found = [np.asarray(each.xyz)[:RESIDUES, :3] for each in chains if len(each) >= RESIDUES]
    return jnp.asarray(np.stack([x - x[:, 1].mean(axis=0) for x in found]), jnp.float32)


def taught(
    network: eqx.Module, known: Array, held: Array, marks: list[float], tumbled: bool = False
) -> tuple[eqx.Module, list[float], int]:
    """The network after the last mark, and the held-out error (A) when so many seconds of processor time are used.

    tumbled   each chain is turned at random whenever it is seen.
    """
    parameters, rest = eqx.partition(network, eqx.is_inexact_array)
    optimiser = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(1e-3, b2=0.99))

    @jax.jit
    def update(parameters, moments, key):
        a, b, c = jax.random.split(key, 3)
        some = known[jax.random.choice(a, len(known), (BATCH,), replace=False)]
        if tumbled:
            some = jnp.einsum("bnax,bxy->bnay", some, uniform_rotations(c, (BATCH,)))
        mean = lambda p: jnp.mean(errors(eqx.combine(p, rest), some, jax.random.split(b, BATCH)))
        change, moments = optimiser.update(jax.grad(mean)(parameters), moments)
        return optax.apply_updates(parameters, change), moments

    @jax.jit
    def looked(parameters):
        keys = jax.random.split(jax.random.key(9), len(held))
        return 10 * jnp.sqrt(jnp.mean(errors(eqx.combine(parameters, rest), held, keys)))

    moments, key = optimiser.init(parameters), jax.random.key(1)
    jax.block_until_ready((update(parameters, moments, key), looked(parameters)))
    found, used, updates = [], 0.0, 0
    while len(found) < len(marks):
        begin = time.process_time()
        parameters, moments = jax.block_until_ready(update(parameters, moments, jax.random.fold_in(key, updates)))
        used, updates = used + time.process_time() - begin, updates + 1
        if used >= marks[len(found)]:
            found.append(float(looked(parameters)))
    return eqx.combine(parameters, rest), found, updates


def moved(network: Callable, x: Atoms) -> tuple[float, float]:
    """What a rotation changes, and a mirror, relative to the answer's size."""
    turn = uniform_rotations(jax.random.key(3), ())
    flip = jnp.asarray([1.0, 1.0, -1.0])
    said = network(x)
    change = lambda a, b: float(jnp.max(jnp.abs(a - b)) / jnp.max(jnp.abs(said)))
    return change(network(x @ turn.T), said @ turn.T), change(network(x * flip), said * flip)


def weights_of(network: eqx.Module) -> int:
    return sum(leaf.size for leaf in jax.tree.leaves(eqx.filter(network, eqx.is_inexact_array)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", nargs="?", type=float, default=60.0, help="of processor time, for each training")
    parser.add_argument("--ablation", action="store_true", help="frames beside a network that is not equivariant")
    arguments = parser.parse_args()
    folder = Path(os.environ.get("LAWFUL_DATA", "../shared/data"))
    chains = read_set(folder / "cgdms" / "cgdms_train_backbones.npz")
    parts = split(chains.clusters, (0.9, 0.1))
    known, held = (stretches([chains.backbones[k] for k in part]) for part in parts)
    held, marks = held[:48], [arguments.seconds / 4, arguments.seconds / 2, arguments.seconds]
    print(machine("lawful", "jax", "equinox"))
    print(f"{len(known)} chains to learn from, {len(held)} held out, noise at t = {T}")
    keys = jax.random.split(jax.random.key(9), len(held))
    nothing = 10 * float(jnp.sqrt(jnp.mean(errors(lambda x: x[:, 1], held, keys))))
    print(f"rms error of CA without a network: {nothing:.2f} A")
    example = jax.vmap(noisy)(held, keys)[0][0]
    (ablation if arguments.ablation else layers)(known, held, marks, example)


def layers(known: Array, held: Array, marks: list[float], example: Atoms) -> None:
    key = jax.random.key(0)
    networks = {
        "points, E(3)": ByPoints(key, 64, 4, False),
        "points, SE(3)": ByPoints(key, 64, 4, True),
        "vectors, O(3)": ByVectors(key, 64, 4, False),
        "vectors, SO(3)": ByVectors(key, 64, 4, True),
        "frames, SE(3)": ByFrames(key, 64, 3),
    }
    head = " ".join(f"{f'A, {mark:.0f} s':>9}" for mark in marks)
    print(f"{'layers':16} {'weights':>8} {'updates':>8} {head} {'rotation':>9} {'mirror':>9}", flush=True)
    for name, network in networks.items():
        learned, found, updates = taught(network, known, held, marks)
        turned, mirrored = moved(eqx.filter_jit(learned), example)
        row = " ".join(f"{value:9.3f}" for value in found)
        print(f"{name:16} {weights_of(network):8} {updates:8} {row} {turned:9.0e} {mirrored:9.0e}", flush=True)


def ablation(known: Array, held: Array, marks: list[float], example: Atoms) -> None:
    key = jax.random.key(0)
    frames, coordinates = ByFrames(key, 64, 3), ByCoordinates(key, 96, 4)
    contenders = {
        "frames, SE(3)": (frames, False),
        "coordinates": (coordinates, False),
        "coordinates, tumbled": (coordinates, True),
    }
    head = " ".join(f"{f'A, {mark:.0f} s':>9}" for mark in marks)
    print(
        f"{'network':22} {'weights':>8} {'chains':>7} {'updates':>8} {head} {'learned':>9} {'rotation':>9}", flush=True
    )
    for name, (network, tumbled) in contenders.items():
        for count in (len(known) // 16, len(known) // 4, len(known)):
            learned, found, updates = taught(network, known[:count], held, marks, tumbled)
            at_home = errors(learned, known[: min(count, 48)], jax.random.split(jax.random.key(8), min(count, 48)))
            own = 10 * float(jnp.sqrt(jnp.mean(at_home)))
            turned, _ = moved(eqx.filter_jit(learned), example)
            row = " ".join(f"{value:9.3f}" for value in [*found, own])
            print(f"{name:22} {weights_of(network):8} {count:7} {updates:8} {row} {turned:9.0e}", flush=True)


if __name__ == "__main__":
    main()
