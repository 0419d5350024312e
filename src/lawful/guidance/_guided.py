"""The loop: a sampler's steps, bent and weighed by an energy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, Int, Key

from .._core.compilation import compiled
from .._core.messages import BadInput, NotTrusted, shown
from ._energy import Energy
from ._guides import Guide
from ._particles import Particles, resampled, taken
from ._process import Design, Process


class Guided(NamedTuple):
    """What came out.

    designs      one for each sample.
    terms        each term of the energy at the designs, in kT, by name.
    course       the same at the answers of every step.
    effective    the effective number of samples at every step; all of them without particles.
    parents      from how many different beginnings the samples descend.
    """

    designs: Design
    terms: dict[str, Float[np.ndarray, " samples"]]
    course: dict[str, Float[np.ndarray, "steps samples"]]
    effective: Float[np.ndarray, " steps"]
    parents: int


class _Population(NamedTuple):
    designs: Design
    before: Design  # what was expected a step ago
    energy: Float[Array, " n"]  # scheduled, a step ago
    log_weights: Float[Array, " n"]
    parents: Int[Array, " n"]
    failed: Int[Array, ""]  # the first step at which something was not finite, or -1
    culprit: Design  # the design at which it was not


def guided(
    process: Process,
    energy: Energy,
    key: Key,
    count: int,
    *,
    guides: Sequence[Guide] = (),
    particles: Particles | None = None,
    start: Design | None = None,
) -> Guided:
    """`count` designs of a sampler, steered by an energy at every step.

    guides      applied to each answer in their order: `Pull()` or `Through()`, then `Project(...)`.
    particles   `Particles()`: the designs as one population that follows p(design) exp(-E) in the limit of many;
                None: each by itself, as the guides lead it, which is biased.
    start       `count` designs in one tree to begin with, in place of the process's own noise: to compare with what
                the same noise gives unguided.

    Raises `BadInput` for a count below one; `NotTrusted` where an energy or its gradient is not finite, with the term
    and the step.
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise BadInput(f"guided(count={shown(count)}): how many designs, a whole number of at least 1.")
    if start is not None and (came := jax.tree.leaves(start)[0].shape[0]) != count:
        raise BadInput(f"guided(count={count}): as many designs to begin with are needed, but {came} came.")
    last, terms, course, effective = _run(process, energy, key, count, tuple(guides), particles, start)
    if int(last.failed) >= 0:
        raise NotTrusted(blamed(process, energy, last))
    named = lambda values: {name: np.asarray(values[..., i]) for i, name in enumerate(energy.names)}
    parents = len(np.unique(np.asarray(last.parents)))
    return Guided(last.designs, named(terms), named(course), np.asarray(effective), parents)


@compiled(lambda *_: 1)
def _run(
    process: Process,
    energy: Energy,
    key: Key,
    count: int,
    guides: tuple[Guide, ...],
    particles: Particles | None,
    given: Design | None,
):
    begin, go = jax.random.split(key)
    designs = jax.vmap(process.start)(jax.random.split(begin, count)) if given is None else given
    nothing = jnp.zeros(count)
    start = _Population(
        designs, designs, nothing, nothing, jnp.arange(count), jnp.asarray(-1), taken(designs, jnp.asarray(0))
    )
    body = lambda now, k: _step(process, energy, go, guides, particles, now, k)
    last, (course, effective) = jax.lax.scan(body, start, jnp.arange(process.steps))
    terms = jax.vmap(energy.each)(last.designs)
    last = noted(last, jnp.asarray(process.steps), jnp.all(jnp.isfinite(terms), axis=1), last.designs)
    if particles is not None:
        final = terms @ energy.strengths(jnp.ones(()))
        which = resampled(jax.random.fold_in(go, process.steps), last.log_weights - final + last.energy)
        last, terms = last._replace(designs=taken(last.designs, which), parents=last.parents[which]), terms[which]
    return last, terms, course, effective


def _step(
    process: Process,
    energy: Energy,
    key: Key,
    guides: tuple[Guide, ...],
    particles: Particles | None,
    now: _Population,
    k: Int[Array, ""],
):
    count = len(now.energy)
    choose, shake = jax.random.split(jax.random.fold_in(key, k))
    answers = jax.vmap(lambda design, before: process.answer(design, k, before))(now.designs, now.before)
    terms = jax.vmap(energy.each)(answers)
    scheduled = terms @ energy.strengths(process.share(k))
    now = noted(now, k, jnp.all(jnp.isfinite(terms), axis=1), answers)
    effective = jnp.asarray(float(count))
    if particles is not None:
        which, kept, effective = particles.thinned(choose, now.log_weights - scheduled + now.energy)
        answers, scheduled = taken(answers, which), scheduled[which]
        now = now._replace(
            designs=taken(now.designs, which),
            before=taken(now.before, which),
            parents=now.parents[which],
            log_weights=kept,
        )

    def onward(design: Design, before: Design, answer: Design, key: Key):
        bent = answer
        for guide in guides:
            bent = guide.bent(process, energy, design, before, bent, k)
        return _moved(process, design, answer, bent, key, k, bool(guides))

    designs, ratio = jax.vmap(onward)(now.designs, now.before, answers, jax.random.split(shake, count))
    now = noted(now, k, jax.vmap(finite)(designs), answers)
    following = now._replace(designs=designs, before=answers, energy=scheduled, log_weights=now.log_weights + ratio)
    return following, (terms, effective)


def _moved(
    process: Process, design: Design, answer: Design, bent: Design, key: Key, k: Int[Array, ""], guided: bool
) -> tuple[Design, Float[Array, ""]]:
    """The next design, and the log of how much likelier the unguided step would have made it than the bent one did."""
    mean, spread = process.mean(design, answer, k), process.spread(k)
    rest, back = ravel_pytree(process.still(mean))
    shift = ravel_pytree(process.apart(mean, process.mean(design, bent, k)))[0] if guided else rest
    by = shift + spread * jax.random.normal(key, rest.shape, rest.dtype)
    safe = jnp.where(spread > 0, spread, 1.0)
    ratio = jnp.where(spread > 0, (shift @ shift - 2 * (by @ shift)) / (2 * safe**2), 0.0)
    return process.moved(mean, back(by)), ratio


def finite(design: Design) -> Bool[Array, ""]:
    return jnp.all(jnp.isfinite(ravel_pytree(design)[0]))


def noted(now: _Population, k: Int[Array, ""], fine: Bool[Array, " n"], designs: Design) -> _Population:
    """The first step at which something is not finite, and the first design at which it is not."""
    first = (now.failed < 0) & ~jnp.all(fine)
    at = taken(designs, jnp.argmin(fine))
    culprit = jax.tree.map(lambda new, old: jnp.where(first, new, old), at, now.culprit)
    return now._replace(failed=jnp.where(first, k, now.failed), culprit=culprit)


def blamed(process: Process, energy: Energy, last: _Population) -> str:
    """Which term was not finite, or has a gradient that is not, and where."""
    step, design = int(last.failed), last.culprit
    where = f"at step {step} of {process.steps}"
    still = process.still(design)
    for name, term in energy.terms.items():
        value, slope = jax.value_and_grad(lambda by, of=term.function: of(process.moved(design, by)))(still)
        if not np.isfinite(value):
            return f"the term '{name}' is {value} {where}; nothing was sampled."
        if not finite(slope):
            return f"the gradient of the term '{name}' is not finite {where}; nothing was sampled."
    return f"the sampler itself gave numbers that are not finite {where}; nothing was sampled."
