"""Teaching a language model sequences: places are left out, and it says what stood there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Int, Key

from .._core.messages import BadInput
from .._core.schooling import schooled
from ..solve import fingerprint
from ._language import SequenceModel, surprise
from ._letters import MASK, encoded

LENGTHS = (64, 128, 256, 512)
"""Sequences are padded to one of these lengths, so that code is compiled four times only."""


class Shelf(eqx.Module):
    """Sequences padded to one length."""

    tokens: Int[Array, "sequences L"]
    real: Bool[Array, "sequences L"]

    def __len__(self) -> int:
        return len(self.tokens)


def shelves_of(sequences: Sequence[str]) -> tuple[Shelf, ...]:
    """Sequences by length, each on the lowest shelf that holds it.

    Raises `BadInput` for one longer than 512.
    """
    long = [len(s) for s in sequences if len(s) > LENGTHS[-1]]
    if long:
        raise BadInput(f"a sequence has {long[0]} residues; the model learns from up to {LENGTHS[-1]}.")
    found = []
    for least, most in zip((0, *LENGTHS[:-1]), LENGTHS, strict=True):
        some = [encoded(s) for s in sequences if least < len(s) <= most]
        tokens = np.full((len(some), most), MASK, np.int32)
        real = np.zeros((len(some), most), bool)
        for k, each in enumerate(some):
            tokens[k, : len(each)], real[k, : len(each)] = each, True
        if some:
            found.append(Shelf(jnp.asarray(tokens), jnp.asarray(real)))
    return tuple(found)


def teach(
    model: SequenceModel,
    sequences: Sequence[str],
    validation: Sequence[str],
    *,
    steps: int,
    seconds: float = np.inf,
    residues: int = 4096,
    rate: float = 1e-3,
    seed: int = 0,
    path: Path | None = None,
    every: int = 200,
    progress: bool | None = None,
) -> tuple[SequenceModel, dict[str, list[float]]]:
    """A model that has learned to say what stands at places left out, and how its surprise fell.

        min  < - sum over places left out of log p(residue | the others) / places left out >

    The answer is a running mean of the weights over about the last thousand steps.

    validation   of other families, see `families`; their perplexity is told every `every` steps.
    steps        after which to stop; the rate rises over 100 of them and falls like a half cosine.
    seconds      after which this call stops; with `path` another goes on.
    residues     in one step, padding included.
    path         where the state is kept; a killed training goes on there to the same numbers bit for bit.

    Raises `BadInput` where there is nothing to learn from, or for a file of another training.
    """
    if not len(sequences) or not len(validation):
        raise BadInput("teach: give sequences to learn from and others to be judged by.")
    shelves, held = shelves_of(sequences), shelves_of(validation)
    parameters, rest = eqx.partition(model, eqx.is_inexact_array)
    schedule = optax.warmup_cosine_decay_schedule(0.0, rate, min(100, steps // 2), steps, 0.01 * rate)
    optimiser = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(schedule, b2=0.99, weight_decay=0.01))

    @eqx.filter_jit
    def update(state: Any, shelf: Shelf, size: int, i: Array) -> tuple[Any, Array]:
        parameters, mean, moments = state
        a, b = jax.random.split(jax.random.fold_in(jax.random.key(seed), i))
        chosen = jax.random.choice(a, len(shelf), (size,), replace=len(shelf) < size)

        def loss(parameters: Any) -> Array:
            one = lambda key, tokens, real: surprise(eqx.combine(parameters, rest), key, tokens, real)
            return jnp.mean(jax.vmap(one)(jax.random.split(b, size), shelf.tokens[chosen], shelf.real[chosen]))

        value, slope = jax.value_and_grad(loss)(parameters)
        change, moments = optimiser.update(slope, moments, parameters)
        parameters = optax.apply_updates(parameters, change)
        share = jnp.maximum(1e-3, 1 / (i + 1.0)).astype(value.dtype)
        mean = jax.tree.map(lambda m, p: m + share * (p - m), mean, parameters)
        return (parameters, mean, moments), value

    # As many residues from each shelf as it holds.
    weight = np.array([float(np.sum(shelf.real)) for shelf in shelves])

    def step(state: Any, i: int) -> tuple[Any, dict[str, Array]]:
        which = int(np.random.default_rng((seed, i)).choice(len(shelves), p=weight / weight.sum()))
        size = max(residues // shelves[which].tokens.shape[1], 1)
        state, value = update(state, shelves[which], size, jnp.asarray(i, jnp.int32))
        return state, {"surprise": value}

    def look(state: Any, _: dict[str, float]) -> dict[str, float]:
        return {"perplexity": perplexity_on(eqx.combine(state[1], rest), held)}

    begin = parameters, parameters, optimiser.init(parameters)
    stamp = fingerprint(model, shelves, held, (steps, residues, rate, seed, every))
    (_, mean, _), told = schooled(
        step, begin, steps, what="learning sequences", path=path, stamp=stamp, every=every, seconds=seconds,
        progress=progress, look=look,
    )  # fmt: skip
    return eqx.combine(mean, rest), told


@eqx.filter_jit
def _surprises(model: SequenceModel, keys: Key[Array, " n"], shelf: Shelf) -> Array:
    return jax.vmap(lambda key, tokens, real: surprise(model, key, tokens, real))(keys, shelf.tokens, shelf.real)


def perplexity(model: SequenceModel, sequences: Sequence[str], seed: int = 0) -> float:
    """Exp of the mean of -log p per residue over all sequences, each residue counting alike: a bound from above on the
    model's perplexity, estimated with one draw of places left out a sequence (see `surprise`)."""
    return perplexity_on(model, shelves_of(sequences), seed)


def perplexity_on(model: SequenceModel, shelves: Sequence[Shelf], seed: int = 0, together: int = 4096) -> float:
    total, count = 0.0, 0.0
    for k, shelf in enumerate(shelves):
        size = max(together // shelf.tokens.shape[1], 1)
        keys = jax.random.split(jax.random.key(seed + k), len(shelf))
        for begin in range(0, len(shelf), size):
            here = slice(begin, begin + size)
            some = jax.tree.map(lambda x, here=here: x[here], shelf)
            lengths = np.sum(some.real, axis=1)
            total += float(np.sum(np.asarray(_surprises(model, keys[here], some)) * lengths))
            count += float(np.sum(lengths))
    return float(np.exp(total / count))
