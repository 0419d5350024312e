"""Binders that take their form at the receptor: chains out of noise, steered by its atoms at every step."""

from __future__ import annotations

import time

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..fields.equivariant import Frames
from ..guidance import Energy, Term
from ..proteins import Backbone, Chain, Nearby, Overlap, Touching
from ..proteins._shape import POWER, RADIUS
from ._chains import Maker, Roomy, pull, steered
from ._pocket_cases import Case, Placed, posed
from ._pocket_rigid import fields, first_touches, placing

STRENGTH = 0.1
"""Of the pull."""
ATOMS, SURFACE = 0.1, 5.0
"""A^2 of overlap and residues near the receptor that make one kT on the way."""
SHARP = 0.02
"""A^2 of overlap that make one kT in the relaxation; a contact then makes one."""
TOUCHES = 16
"""First touches of each unguided chain."""


class Wish(eqx.Module):
    """What the relaxation asks for beside a good chain, kT: no overlap, many contacts; times a weight, 0 for chains
    that are to be left alone; and no clashes in the chain."""

    overlap: Overlap
    touching: Touching
    weight: Float[Array, ""]
    room: Roomy

    def __call__(self, frames: Frames) -> Float[Array, ""]:
        return self.weight * (self.overlap(frames) / SHARP + self.touching(frames)) + self.room(frames)


def grown(case: Case, maker: Maker, count: int, seed: int) -> Placed:
    """Guided chains, and from the same noise unguided ones, relaxed alike and brought in turned at random.

    A chain of the generator is always about its own middle. The receptor is put where a round one would just lie on it:
    so far outside the middle of the interface as its radius of gyration.
    """
    begin = time.monotonic()
    around = fields(case)
    origin = case.middle + RADIUS * maker.length**POWER * case.out
    here = around.about(origin)
    chain = Chain(jnp.asarray(maker.real(1)[0]))
    overlap = Overlap(chain, here)
    energy = Energy(overlap=Term(overlap, "A^2", kT=ATOMS), near=Term(Nearby(chain, here), "residues", kT=SURFACE))
    noise = maker.noise(count, seed)

    def made(weight: float) -> list[Backbone]:
        frames = steered(maker.flow(), energy, [pull(STRENGTH * weight)], noise, seed, progress=maker.progress)
        wish = Wish(overlap, Touching(chain, here), jnp.asarray(weight), maker.roomy())
        return maker.backbones(maker.relaxed(frames, wish), "A" * maker.length)

    free, led = made(0.0), made(1.0)
    starts = []
    for k, each in enumerate(free):
        keys = jax.random.split(jax.random.fold_in(jax.random.key(seed), k), TOUCHES)
        starts += first_touches(placing(case, each, around), each, keys, case)
    rests = [posed(Backbone(np.asarray(each.xyz, float) + origin), case) for each in led]
    return Placed(case, starts, rests, time.monotonic() - begin, free=free)
