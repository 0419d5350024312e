"""New backbones from noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Key

from .._core.messages import BadInput
from ..fields.equivariant import Frames, centre, uniform_rotations
from ._backbone import Backbone
from ._chain_flow import ChainFlow, sample, starts
from ._denoiser import Denoiser
from ._flow import LONGEST, SHORTEST, Schedule, between, noise
from ._ideal import place_atoms, place_oxygens
from ._settle import Wish, all_settled

ROUND = 16  # lengths are padded to multiples, so that few are compiled


def generate(
    denoiser: Denoiser,
    lengths: Sequence[int],
    *,
    seed: int = 0,
    schedule: Schedule | None = None,
    relax: bool = True,
    together: int = 16,
) -> list[Backbone]:
    """A backbone of each length, of alanines, with ideal geometry inside each residue.

        proteins.generate(denoiser, [80] * 16, seed=1)

    lengths    40 to 128 residues, what the network was trained on.
    seed       the same seed gives the same backbones on the same machine.
    schedule   how many steps and how fast.
    relax      whether bonds, torsions and clashes are mended in the end (`settled`).
    together   chains computed at once.

    What comes out looks more or less like a protein; whether a sequence folds into it is not known.
    Raises `BadInput` for lengths outside the trained range.
    """
    return built(drawn(denoiser, lengths, seed=seed, schedule=schedule, together=together), relax)


class Drawn(NamedTuple):
    """Chains as a sampler leaves them, padded to one length. which: their places among all that were asked for."""

    frames: Frames
    real: Bool[np.ndarray, "chains n"]
    which: tuple[int, ...]


def drawn(
    denoiser: Denoiser, lengths: Sequence[int], *, seed: int = 0, schedule: Schedule | None = None, together: int = 16
) -> list[Drawn]:
    """The first half of `generate`: frames, some chains at a time.

    Raises `BadInput` for lengths outside the trained range.
    """
    outside = [length for length in lengths if not SHORTEST <= length <= LONGEST]
    if outside:
        raise BadInput(
            f"backbones of {outside[0]} residues were asked for, but the network knows {SHORTEST} to {LONGEST}."
        )
    found = []
    keys = keys_of(seed, len(lengths))
    for room in sorted({-(-length // ROUND) * ROUND for length in lengths}):
        here = [k for k, length in enumerate(lengths) if -(-length // ROUND) * ROUND == room]
        for begin in range(0, len(here), together):
            # The last ones go together with some that were drawn before: another size would be compiled anew.
            some = here[max(min(begin, len(here) - together), 0) :][:together]
            real = np.arange(room) < np.array([lengths[k] for k in some])[:, None]
            one = len({lengths[k] for k in some}) == 1
            flow = ChainFlow(denoiser, jnp.asarray(real[0] if one else real), schedule or Schedule())
            start = starts(keys[np.array(some)], jnp.asarray(real), flow.schedule)
            frames = sample(flow, start)
            found.append(Drawn(frames, real, tuple(some)))
    return found


def keys_of(seed: int, count: int) -> Key:
    """One for each chain, whatever the others are."""
    return jnp.stack([jax.random.fold_in(jax.random.key(seed), k) for k in range(count)])


def built(chains: Sequence[Drawn], relax: bool = True, wish: Wish | None = None) -> list[Backbone]:
    """The second half of `generate`: chains `settled`, or not, and atoms placed, in the order of the lengths.

    wish   a further energy that the relaxation makes small, frames -> kT.
    """
    found: dict[int, Backbone] = {}
    for frames, real, which in chains:
        frames = all_settled(frames, jnp.asarray(real), wish) if relax else frames
        xyz = np.asarray(place_atoms(frames.rotation, frames.origin))
        for k, atoms, here in zip(which, xyz, real, strict=True):
            found[k] = Backbone(with_last_oxygen(atoms[: int(here.sum())]))
    return [found[k] for k in sorted(found)]


def with_last_oxygen(xyz: Float[np.ndarray, "L 4 3"]) -> Float[np.ndarray, "L 4 3"]:
    """The last residue's O where it belongs without a next residue: padding is none."""
    xyz = np.array(xyz)
    xyz[-1, 3] = np.asarray(place_oxygens(xyz[-2:, :3]))[-1]
    return xyz


def equivariance_error(denoiser: Denoiser, length: int = 64, seed: int = 0) -> tuple[float, float]:
    """How far the answer is from turning with the input, and from mirroring with it: relative to its size.

    The largest over places and axes of a noisy chain half-way. The first is rounding: 1e-5 in single, 1e-12 in double
    precision. The second is of order one: the network knows left from right.
    """
    key = jax.random.key(seed)
    a, b, c = jax.random.split(key, 3)
    real = jnp.ones(length, bool)
    dtype = denoiser.first.biases[0].dtype
    cast = lambda frames: jax.tree.map(lambda x: x.astype(dtype), frames)
    there = Frames(uniform_rotations(b, (length,)), noise(b, real).origin)
    noisy = orthonormal(cast(between(noise(a, real), there, jnp.asarray(0.5))))
    t = jnp.asarray(0.5, dtype)
    answer = jax.jit(lambda frames: denoiser(frames, t, frames, real))
    turn, shift = uniform_rotations(c, ()).astype(dtype), jnp.asarray([5.0, -3.0, 2.0], dtype)
    turn = orthonormal(Frames(turn, shift)).rotation
    said = answer(noisy)
    turned = answer(Frames(turn @ noisy.rotation, noisy.origin @ turn.T + shift))
    size = jnp.max(jnp.abs(said.origin))
    error = jnp.maximum(
        jnp.max(jnp.abs(turned.origin - said.origin @ turn.T)) / size,
        jnp.max(jnp.abs(turned.rotation - turn @ said.rotation)),
    )
    flip = jnp.asarray([1.0, 1.0, -1.0], dtype)
    # A mirrored residue has its N, CA and C mirrored; its frame is then made anew, right-handed.
    atoms = jnp.asarray(place_atoms(noisy.rotation, noisy.origin)) * flip
    other = answer(Frames.from_points(atoms[:, 0], atoms[:, 1], atoms[:, 2]))
    mirrored = jnp.max(jnp.abs(other.origin - (said.origin - centre(said.origin, real)) * flip)) / size
    return float(error), float(mirrored)


def orthonormal(frames: Frames) -> Frames:
    """With rotations that are so to the last digit of their precision."""
    x, y = frames.rotation[..., 0], frames.rotation[..., 1]
    return Frames(Frames.from_points(y, jnp.zeros_like(x), x).rotation, frames.origin)
