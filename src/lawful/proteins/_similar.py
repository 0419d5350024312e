"""How alike the backbones of a set are, and which of a library is nearest to each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from .._core.messages import BadInput
from ._backbone import Backbone
from ._shape import distance_map
from ._tm import tm_align

BATCH = 16  # pairs at a time
ROUND = 32  # lengths are padded to multiples, so that few are compiled
POINTS = 24  # of a chain in its outline


class Nearest(NamedTuple):
    """For each backbone the TM-score with the nearest of a library, by the shorter chain, and which one that is."""

    tm: Float[np.ndarray, " count"]
    which: Int[np.ndarray, " count"]


def pairwise_tm(backbones: Sequence[Backbone], most: int = 500, seed: int = 0) -> Float[np.ndarray, " pairs"]:
    """TM-scores of all pairs, by the shorter chain and with the alignment sought; none for a single backbone.

    most   where there are more pairs, as many random ones.
    """
    first, second = np.triu_indices(len(backbones), 1)
    if len(first) > most:
        chosen = np.sort(np.random.default_rng(seed).choice(len(first), most, replace=False))
        first, second = first[chosen], second[chosen]
    return tm_of_pairs(backbones, backbones, first, second)


def nearest_tm(backbones: Sequence[Backbone], library: Sequence[Backbone], candidates: int = 16) -> Nearest:
    """The nearest of a library, among the `candidates` whose maps of distances are most alike, so by a lower bound.

    Maps are compared at 24 places along each chain as sum |exp(-d/10 A) - exp(-d'/10 A)|, and length counts in that it
    stretches the map.
    """
    if not library:
        raise BadInput("nearest_tm: the library holds no backbones.")
    candidates = min(candidates, len(library))
    mine, theirs = (np.stack([outline(each) for each in several]) for several in (backbones, library))
    unlike = np.stack([np.sum(np.abs(theirs - one), axis=-1) for one in mine])
    second = np.argsort(unlike, axis=1, kind="stable")[:, :candidates]
    first = np.repeat(np.arange(len(backbones)), candidates)
    tm = tm_of_pairs(backbones, library, first, second.reshape(-1)).reshape(second.shape)
    best = np.argmax(tm, axis=1)
    rows = np.arange(len(backbones))
    return Nearest(tm[rows, best], second[rows, best])


def outline(backbone: Backbone) -> Float[np.ndarray, " features"]:
    """The map of distances at evenly spread places along the chain."""
    ca = np.asarray(backbone.ca, dtype=float)
    at = np.linspace(0, len(ca) - 1, POINTS)
    places = np.stack([np.interp(at, np.arange(len(ca)), ca[:, k]) for k in range(3)], axis=-1)
    return np.exp(-np.asarray(distance_map(places))[np.triu_indices(POINTS, 2)] / 10.0)


def tm_of_pairs(
    backbones: Sequence[Backbone],
    others: Sequence[Backbone],
    first: Int[np.ndarray, " pairs"],
    second: Int[np.ndarray, " pairs"],
) -> Float[np.ndarray, " pairs"]:
    if not len(first):
        return np.zeros(0)
    longest = max(max(map(len, backbones)), max(map(len, others)))
    room = -(-longest // ROUND) * ROUND
    x, x_mask = alpha_carbons(backbones, room)
    y, y_mask = alpha_carbons(others, room)
    full = -(-len(first) // BATCH) * BATCH
    i, j = (np.resize(each, full).reshape(-1, BATCH) for each in (first, second))
    scores = [np.asarray(of_batch(x[a], y[b], x_mask[a], y_mask[b])) for a, b in zip(i, j, strict=True)]
    return np.concatenate(scores)[: len(first)].astype(float)


@jax.jit
def of_batch(
    x: Float[Array, "pairs L 3"],
    y: Float[Array, "pairs L 3"],
    x_mask: Bool[Array, "pairs L"],
    y_mask: Bool[Array, "pairs L"],
) -> Float[Array, " pairs"]:
    return jax.vmap(lambda *pair: tm_align(*pair).score)(x, y, x_mask, y_mask)


def alpha_carbons(backbones: Sequence[Backbone], room: int):
    """Single precision, the middle taken off, is more than the search needs."""
    places = np.zeros((len(backbones), room, 3), dtype=np.float32)
    mask = np.zeros((len(backbones), room), dtype=bool)
    for k, backbone in enumerate(backbones):
        ca = np.asarray(backbone.ca, dtype=float)
        places[k, : len(ca)], mask[k, : len(ca)] = ca - ca.mean(axis=0), True
    return places, mask
