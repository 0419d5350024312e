"""Rings of identical chains: cyclic symmetry about the z axis, which holds because only one chain is free."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key

from .._core.messages import BadInput
from ..fields.equivariant import Frames, centre, matmul, rotation_exp, rotation_log, turn
from ._apart import squares_apart
from ._chain_atoms import chain_atoms
from ._chain_energies import overlap_energy
from ._chain_flow import ChainFlow, Move
from ._flow import unwalked, walked
from ._restraints import window

TOUCH = 8.0
"""A between beta carbons at which half a contact is counted."""
BESIDE = 1.5
"""Radii of gyration (of 2.2 L^0.38 A) between the axis and a chain at first: spheres of that size just touch."""


class Symmetry(eqx.Module):
    """C_m about the z axis: chain k of a ring is the first one turned by k 360/m degrees.

    fold   m, how many chains; 2 and more.
    """

    fold: int = eqx.field(static=True, default=3)

    def __check_init__(self):
        if self.fold < 2:
            raise BadInput(f"Symmetry({self.fold}): a ring has at least 2 chains.")

    def turns(self, dtype: Any = float) -> Float[Array, "m 3 3"]:
        """The rotations, that of the first chain first."""
        angle = 2 * np.pi * np.arange(self.fold) / self.fold
        c, s, o = np.cos(angle), np.sin(angle), np.zeros(self.fold)
        rows = np.stack([np.stack([c, -s, o], -1), np.stack([s, c, o], -1), np.stack([o, o, o + 1], -1)], -2)
        return jnp.asarray(rows.astype(dtype))

    def chain(self, frames: Frames, k: int) -> Frames:
        """Chain k, from 0."""
        by = self.turns(frames.origin.dtype)[k]
        return Frames(matmul(by, frames.rotation), turn(by, frames.origin))

    def ring(self, frames: Frames) -> Frames:
        """All chains, along a new first axis."""
        by = self.turns(frames.origin.dtype)[:, None]
        return Frames(matmul(by, frames.rotation), turn(by, frames.origin))

    def pairs(self) -> list[tuple[int, float]]:
        """Chains that the first one meets, each kind of pair once, and how often it comes for each chain."""
        return [(k, 0.5 if 2 * k == self.fold else 1.0) for k in range(1, self.fold // 2 + 1)]


class RingFlow(ChainFlow):
    """The flow of a ring of identical chains as a `guidance.Process`; a design is the `Frames` of its first chain.

        flow = RingFlow(denoiser, real)
        found = guidance.guided(flow, Energy(...), key, 16, guides=[Pull()])
        rings = jax.vmap(Symmetry(3).ring)(found.designs)

    real   which of the padded places of a chain are residues, (n,).

    The network draws one chain, as it draws any, and knows nothing of the others. Where the chain lies about the axis
    and how it faces its neighbours is what an energy of the ring says, such as `ring_contact_energy`: displacements
    move the chain as a whole too, and its middle stays where it is as long as nothing pulls. It begins
    `BESIDE` radii of gyration from the axis. The other chains are the first one turned at every step, to rounding.
    There is no new noise on the way: `churn` is not heard.
    """

    def start(self, key: Key) -> Frames:
        begin = super().start(key)
        size = 2.2 * jnp.sum(self.real) ** 0.38
        beside = jnp.stack([BESIDE * size, jnp.zeros_like(size), jnp.zeros_like(size)])
        return Frames(begin.rotation, (begin.origin + beside.astype(begin.origin.dtype)) * self.real[:, None])

    def answer(self, design: Frames, k: Int[Array, ""], before: Frames) -> Frames:
        middle = centre(design.origin, self.real)
        said = super().answer(self.centred(design), k, self.centred(before))
        return Frames(said.rotation, (said.origin + middle) * self.real[:, None])

    def centred(self, frames: Frames) -> Frames:
        return Frames(frames.rotation, (frames.origin - centre(frames.origin, self.real)) * self.real[:, None])

    def spread(self, k: Int[Array, ""]) -> Float[Array, ""]:
        return jnp.zeros(())

    def moved(self, design: Frames, by: Move) -> Frames:
        shift = walked(by.shift, self.real, jnp.sum(self.real)) * self.real[:, None]
        return Frames(matmul(design.rotation, rotation_exp(by.turn)), design.origin + self.schedule.spread * shift)

    def apart(self, one: Frames, other: Frames) -> Move:
        turned = rotation_log(matmul(jnp.swapaxes(one.rotation, -1, -2), other.rotation))
        shift = (other.origin - one.origin) / self.schedule.spread
        return Move(turned * self.real[:, None], unwalked(shift, self.real, jnp.sum(self.real)))


def ring_clash_energy(frames: Frames, symmetry: Symmetry, real: Bool[Array, " n"] | None = None) -> Float[Array, ""]:
    """Atoms of different chains that stand in one another, kcal/mol for each chain of the ring: see `clash_energy`."""
    first = chain_atoms(frames, real)
    there = jnp.repeat(jnp.ones(len(first), bool) if real is None else real, 5)
    flat = first.reshape(-1, 3)
    both = there[:, None] & there[None, :]
    by = symmetry.turns(flat.dtype)
    return sum((share * overlap_energy(flat, turn(by[k], flat), both) for k, share in symmetry.pairs()), jnp.zeros(()))


def ring_contacts(frames: Frames, symmetry: Symmetry, real: Bool[Array, " n"] | None = None) -> Float[Array, ""]:
    """How many pairs of residues of a chain and the next one touch, smoothly: sum of 1/(1 + (d/8 A)^6), d of CB."""
    cb = chain_atoms(frames, real)[:, 4]
    there = jnp.ones(len(cb), bool) if real is None else real
    other = turn(symmetry.turns(cb.dtype)[1], cb)
    square = squares_apart(cb, other)
    return jnp.sum(jnp.where(there[:, None] & there[None, :], 1 / (1 + (square / TOUCH**2) ** 3), 0.0))


def ring_contact_energy(
    frames: Frames, symmetry: Symmetry, wanted: float, real: Bool[Array, " n"] | None = None, width: float = 2.0
) -> Float[Array, ""]:
    """As many `ring_contacts` as wanted or more, kT: `window`."""
    return window(ring_contacts(frames, symmetry, real), wanted, jnp.inf, width)
