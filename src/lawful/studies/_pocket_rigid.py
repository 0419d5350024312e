"""Rigid binders against a receptor: turned and shifted by steered particles, then relaxed to rest."""

from __future__ import annotations

import time

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ..fields.equivariant import Frames
from ..guidance import Constant, Particles, Pull, guided, relax
from ..proteins import (
    Backbone,
    Placing,
    Schedule,
    Surroundings,
    generate,
    load,
    pose_energy,
    radius_of_gyration,
    spheres_of,
    surroundings,
)
from ..proteins._placing import atoms_of
from ..proteins._weights import skeleton
from . import backbone as backbones
from ._pocket_cases import RESIDUES, Case, Placed, Pose, posed
from ._sequence_wish import bundle

REACH, STEP = 38.0, 1.0
"""Of a receptor's fields around the middle of its interface, angstrom."""
RELAXED = 16


def fields(case: Case) -> Surroundings:
    return surroundings(case.receptor, case.middle, REACH, STEP)


def bundled(length: int) -> Backbone:
    """Three helices with so many residues together: the last one shorter where they do not divide."""
    whole = bundle(-(-length // 3), 9.5)
    return Backbone(whole.xyz[:length])


def out_of_noise(lengths: list[int], steps: int, seed: int) -> list[Backbone]:
    denoiser, _ = load(backbones.WEIGHTS, skeleton(backbones.network))
    return generate(denoiser, lengths, seed=seed, schedule=Schedule(steps=steps))


def put(case: Case, binder: Backbone, count: int, steps: int, seed: int) -> Placed:
    begin = time.monotonic()
    process = placing(case, binder, fields(case), steps)
    energy = pose_energy(process.body, process.around)
    key = jax.random.key(seed)
    came = guided(process, energy, key, count, guides=[Pull(Constant(0.5), longest=2.0)], particles=Particles(0.3))
    order = np.argsort(sum(came.terms.values()), kind="stable")
    rests = [relax(process, energy, one(came.designs, int(k)), steps=60).design for k in order[:RELAXED]]
    return Placed(
        case,
        first_touches(process, binder, jax.random.split(jax.random.fold_in(key, 1), count), case),
        [posed(in_place(binder, pose), case) for pose in rests],
        time.monotonic() - begin,
        float(came.effective.min()) / count,
    )


def placing(case: Case, binder: Backbone, around: Surroundings, steps: int = 1) -> Placing:
    body = spheres_of(binder, RESIDUES)
    lever = float(radius_of_gyration(np.asarray(binder.xyz)[:, 1]))
    return Placing(body, around, jnp.asarray(case.middle), jnp.asarray(case.out), jnp.asarray(lever), steps=steps)


def first_touches(process: Placing, binder: Backbone, keys: Array, case: Case) -> list[Pose]:
    """Turned at random and brought in from outside until something is in the way."""
    poses = starts(process, keys)
    return [posed(in_place(binder, one(poses, k)), case) for k in range(len(keys))]


@eqx.filter_jit
def starts(process: Placing, keys: Array) -> Frames:
    return jax.vmap(process.start)(keys)


def one(poses: Frames, k: int) -> Frames:
    return poses.map(lambda x: x[k])


def in_place(binder: Backbone, pose: Frames) -> Backbone:
    """`spheres_of` lays the middle of all atoms into the origin; a pose moves from there."""
    centred = np.asarray(binder.xyz, dtype=float) - atoms_of(binder).mean(axis=(0, 1))
    return Backbone(centred @ np.asarray(pose.rotation, dtype=float).T + np.asarray(pose.origin, dtype=float))
