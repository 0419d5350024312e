"""The TM-score: how alike two folds are, from 0 to 1."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ._superpose import superpose

WINDOWS = ((1, 1), (2, 3), (4, 7), (8, 15))  # the part 1/k of a chain, and from how many places a search starts
STEPS = 12
MOST = 200


def tm_scale(length: Float[Array, ""] | float) -> Float[Array, ""]:
    """d0 = 1.24 (L - 15)^(1/3) - 1.8 A, and at least 0.5 A."""
    return jnp.maximum(1.24 * jnp.cbrt(jnp.maximum(jnp.asarray(length, float), 15.0) - 15.0) - 1.8, 0.5)


def tm_score(
    x: Float[Array, "L 3"],
    y: Float[Array, "L 3"],
    mask: Bool[Array, " L"] | None = None,
    length: Float[Array, ""] | float | None = None,
) -> Float[Array, ""]:
    """TM-score of two chains whose residues correspond by number.

        TM = max over motions of  1/L sum_i 1 / (1 + (d_i/d0)^2),   d0 = 1.24 (L - 15)^(1/3) - 1.8 A

    x, y     alpha carbons, angstrom.
    mask     which residues count; all by default.
    length   L, the number of residues by default.

    The search starts from superpositions of stretches of the chain, 26 in all, and climbs from each: with weights
    1/(1 + (d/d0)^2)^2 each weighted superposition raises the score. It may end in a local maximum, so the value is a
    lower bound. Differentiable: at a maximum the motion's own change does not count.

    Y. Zhang and J. Skolnick, Proteins 57, 702 (2004).
    """
    mask = jnp.ones(x.shape[:-1], bool) if mask is None else mask
    count = jnp.sum(mask)
    norm = jnp.asarray(count if length is None else length, x.dtype)
    d0 = tm_scale(norm).astype(x.dtype)
    fixed = jax.lax.stop_gradient((x, y, d0))
    climb = lambda w: climbed(*fixed, mask, w, STEPS)
    ends = jax.vmap(climb)(windows(mask, x.dtype))
    best = jax.tree.map(lambda each: each[jnp.argmax(ends.score)], ends)
    best = to_the_top(*fixed, mask, best)
    r, t = jax.lax.stop_gradient((best.rotation, best.translation))
    return jnp.sum(closeness(x @ r.T + t, y, d0) * mask) / norm


class Motion(NamedTuple):
    rotation: Float[Array, "3 3"]
    translation: Float[Array, "3"]
    score: Float[Array, ""]


def windows(mask: Bool[Array, " L"], dtype) -> Float[Array, "starts L"]:
    """Stretches of the chain, halves overlapping."""
    rank = (jnp.cumsum(mask) - 0.5) / jnp.sum(mask)
    ends = [(low, low + 1 / k) for k, count in WINDOWS for low in np.linspace(0, 1 - 1 / k, count)]
    low, high = np.array(ends, dtype=dtype).T
    return ((rank >= low[:, None]) & (rank <= high[:, None]) & mask).astype(dtype)


def closeness(moved: Float[Array, "L 3"], y: Float[Array, "L 3"], d0: Float[Array, ""]) -> Float[Array, " L"]:
    return 1 / (1 + jnp.sum((moved - y) ** 2, axis=-1) / d0**2)


def step(x, y, d0, mask, weights) -> tuple[Motion, Float[Array, " L"]]:
    """A weighted superposition, its score and the next weights.

    The score never falls: 1/(1 + s) lies above its tangents in s, so the least weighted sum of squares raises it.
    """
    r, t, _ = superpose(x, y, weights)
    near = closeness(x @ r.T + t, y, d0) * mask
    return Motion(r, t, jnp.sum(near)), near**2


def climbed(x, y, d0, mask, weights, steps: int) -> Motion:
    motion, weights = step(x, y, d0, mask, weights)
    return jax.lax.fori_loop(0, steps, lambda _, held: step(x, y, d0, mask, held[1]), (motion, weights))[0]


def to_the_top(x, y, d0, mask, start: Motion) -> Motion:
    """On until the motion stands still, so that derivatives are right to rounding."""
    still = 30 * jnp.finfo(x.dtype).eps

    def go(held):
        motion, _, k = held
        weights = (closeness(x @ motion.rotation.T + motion.translation, y, d0) * mask) ** 2
        new, _ = step(x, y, d0, mask, weights)
        turn = jnp.max(jnp.abs(new.rotation - motion.rotation))
        shift = jnp.max(jnp.abs(new.translation - motion.translation)) / d0
        return new, jnp.maximum(turn, shift), k + 1

    on = lambda held: (held[1] > still) & (held[2] < MOST)
    return jax.lax.while_loop(on, go, (start, jnp.asarray(jnp.inf, x.dtype), 0))[0]


class Alignment(NamedTuple):
    """score: TM by the shorter chain; partner: for each residue of the first chain that of the second, -1 for none."""

    score: Float[Array, "*batch"]
    partner: Int[Array, "*batch N"]
    rotation: Float[Array, "*batch 3 3"]
    translation: Float[Array, "*batch 3"]


PLACES = 9  # where along each chain stretches are laid on one another
STRETCHES = (12, 28)  # residues
TRIED, KEPT = 20, 4  # guesses that are improved once, and until the end
ROUNDS, STEPS_A_ROUND = 6, 3


@jax.jit
def tm_align(
    x: Float[Array, "N 3"],
    y: Float[Array, "M 3"],
    x_mask: Bool[Array, " N"] | None = None,
    y_mask: Bool[Array, " M"] | None = None,
) -> Alignment:
    """TM-score of two chains whose correspondence is sought too, by structure alone and in the order of the chains.

        TM = max over motions and alignments of  1/L sum over aligned (i, j) of 1 / (1 + (d_ij/d0)^2),   L the shorter

    x, y             alpha carbons, angstrom.
    x_mask, y_mask   which rows are residues; padding stands last.

    First guesses lay stretches of 12 and 28 residues from all over one chain on those of the other; the best are
    improved by alignment and superposition in turn, each of which can only raise the score. The alignment of most score
    for a given motion is found exactly (dynamic programming, gaps cost nothing). The value is a lower bound, on the
    average as high as TM-align's. For many pairs, `jax.vmap` or `jax.lax.map`.

    After Y. Zhang and J. Skolnick, Nucleic Acids Res. 33, 2302 (2005), with other first guesses and steps.
    """
    x_mask = jnp.ones(len(x), bool) if x_mask is None else x_mask
    y_mask = jnp.ones(len(y), bool) if y_mask is None else y_mask
    shorter = jnp.minimum(jnp.sum(x_mask), jnp.sum(y_mask))
    d0 = tm_scale(shorter).astype(x.dtype)
    both = x_mask[:, None] & y_mask[None, :]

    def promise(r, t):
        """A bound of what an alignment can reach, on every other residue."""
        near = nearness(x[::2] @ r.T + t, y, d0 + 1.0, both[::2])
        return jnp.sum(jnp.max(near, axis=-1))

    def improve(rounds):
        def again(_, held):
            r, t = held[:2]
            partner = aligned(nearness(x @ r.T + t, y, d0, both))
            pairs, there = partner >= 0, y[partner]
            weights = (closeness(x @ r.T + t, there, d0) * pairs) ** 2
            motion = Motion(r, t, jnp.zeros((), x.dtype))
            for _ in range(STEPS_A_ROUND):
                motion, weights = step(x, there, d0, pairs, weights)
            return motion.rotation, motion.translation, motion.score, partner

        def of(r, t):
            return jax.lax.fori_loop(0, rounds, again, (r, t, jnp.zeros((), x.dtype), jnp.full(len(x), -1)))

        return jax.vmap(of)

    r, t = guesses(x, y, jnp.sum(x_mask), jnp.sum(y_mask))
    _, chosen = jax.lax.top_k(jax.vmap(promise)(r, t), TRIED)
    r, t, score, _ = improve(1)(r[chosen], t[chosen])
    _, chosen = jax.lax.top_k(score, KEPT)
    r, t, score, partner = improve(ROUNDS)(r[chosen], t[chosen])
    best = jnp.argmax(score)
    return Alignment(score[best] / shorter, partner[best], r[best], t[best])


def guesses(x, y, n: Int[Array, ""], m: Int[Array, ""]):
    """Motions that lay stretches of x on stretches of y."""
    share = np.linspace(0, 1, PLACES)
    motions = []
    for length in STRETCHES:
        size = jnp.minimum(length, jnp.minimum(n, m))
        inside = jnp.arange(length)
        a, b = (
            points[jnp.minimum(jnp.round(share * (count - size)).astype(int)[:, None] + inside, len(points) - 1)]
            for points, count in ((x, n), (y, m))
        )
        a, b = (jnp.broadcast_to(each, (PLACES, PLACES, length, 3)) for each in (a[:, None], b[None, :]))
        fit = superpose(a, b, jnp.broadcast_to((inside < size).astype(x.dtype), a.shape[:-1]))
        motions.append((fit.rotation.reshape(-1, 3, 3), fit.translation.reshape(-1, 3)))
    rotations, translations = zip(*motions, strict=True)
    return jnp.concatenate(rotations), jnp.concatenate(translations)


def nearness(moved: Float[Array, "N 3"], y: Float[Array, "M 3"], d0, both: Bool[Array, "N M"]) -> Float[Array, "N M"]:
    square = jnp.sum(moved**2, axis=-1)[:, None] + jnp.sum(y**2, axis=-1)[None, :] - 2 * moved @ y.T
    return both / (1 + jnp.maximum(square, 0.0) / d0**2)


def aligned(score: Float[Array, "N M"]) -> Int[Array, " N"]:
    """The partner of each row in the monotone alignment of largest total score; -1 for none. Gaps cost nothing."""

    def down(above, row):
        # Best totals of alignments that end at or before each column.
        diagonal = jnp.concatenate([jnp.zeros(1, row.dtype), above[:-1]]) + row
        best = jax.lax.cummax(jnp.maximum(above, diagonal))
        return best, best

    start = jnp.zeros(score.shape[1], score.dtype)
    _, best = jax.lax.scan(down, start, score)
    above = jnp.concatenate([start[None], best[:-1]])

    def up(limit, rows):
        """Columns below `limit` are free; a row is used where it raises the total."""
        here, over = rows
        last = jnp.maximum(limit - 1, 0)
        used = (limit > 0) & (here[last] > over[last])
        column = jnp.argmax(here >= here[last])  # the first that reaches it
        return jnp.where(used, column, limit), jnp.where(used, column, -1)

    _, partner = jax.lax.scan(up, jnp.asarray(score.shape[1]), (best, above), reverse=True)
    return partner
