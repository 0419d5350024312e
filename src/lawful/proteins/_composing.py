"""Sequences written letter by letter in any order, steered by an energy at each letter."""

from __future__ import annotations

import abc
import itertools
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key

from .._core.messages import BadInput, NotTrusted, shown
from ..guidance import Constant, Energy, Particles, Schedule, resampled
from ._language import SequenceModel
from ._letters import LETTERS, MASK, Soft, decoded, encoded


class Tilt(eqx.Module):
    """The contract: how much each letter at some places would change the energy."""

    @abc.abstractmethod
    def changes(
        self, energy: Energy, soft: Soft, places: Int[Array, " m"], share: Float[Array, ""]
    ) -> Float[Array, "m letters"]:
        """In kT, up to a constant at each place."""


class Slopes(Tilt):
    """The energy's gradient in the probabilities: one derivative for all letters, exact where the energy is linear.

    Source: H. Nisonoff, J. Xiong, S. Allenspach, J. Listgarten, Unlocking guidance for discrete state-space diffusion
    and flow models, ICLR 2025 (there through the noisy state).
    """

    strength: Schedule = Constant()

    def changes(self, energy, soft, places, share):
        return self.strength(share) * jax.grad(lambda p: energy(p, share))(soft)[places]


class Trials(Tilt):
    """The energy of every letter tried in every place: twenty energies a place, exact for one place at a time."""

    strength: Schedule = Constant()

    def changes(self, energy, soft, places, share):
        tried = lambda place, letter: energy(soft.at[place].set(letter), share)
        each = jax.vmap(lambda place: jax.vmap(lambda letter: tried(place, letter))(jnp.eye(LETTERS)))(places)
        return self.strength(share) * each


class Composed(NamedTuple):
    """Sequences, and what steered them.

    sequences      the letters.
    log_p          of each under the model, in the order in which it was written, the energy left out.
    terms          the energy's at the sequences, in kT, by name.
    effective      the effective number of sequences at every step.
    parents        from how many beginnings they descend.
    """

    sequences: list[str]
    log_p: Float[np.ndarray, " n"]
    terms: dict[str, Float[np.ndarray, " n"]]
    effective: Float[np.ndarray, " steps"]
    parents: int


class _Page(NamedTuple):
    tokens: Int[Array, "n L"]
    order: Int[Array, "n steps m"]
    log_p: Float[Array, " n"]
    log_weights: Float[Array, " n"]
    energy: Float[Array, " n"]
    parents: Int[Array, " n"]


def compose(
    model: SequenceModel,
    key: Key,
    template: str,
    count: int,
    *,
    energy: Energy | None = None,
    tilt: Tilt | None = None,
    particles: Particles | None = None,
    without: str = "",
    at_once: int = 1,
    temperature: float = 1.0,
) -> Composed:
    """`count` sequences that fill the `?` of a template, in orders drawn at random.

        proteins.compose(model, key, "?" * 30 + "C" + "?" * 20 + "C" + "?" * 10, 8)

    template      letters stay as they are: a chosen pair of cysteines, a motif.
    energy        of `Soft` sequences, rows of probabilities; unknown places have those that the model gives.
    tilt          `Slopes()` or `Trials()`: by how much the energy bends each letter's probability.
    particles     `Particles()`: the sequences as one population that follows p(sequence) exp(-E) in the limit of many.
    without       letters that are never written, "C" where cysteines stand in the template only: p is then the model's
                  with these left out at every step.
    at_once       letters a step, each by itself: faster, less true to the model.
    temperature   of the model; below 1 it says what it holds for likely.

    Raises `BadInput` for letters that are none, a template without `?`, numbers below one.
    """
    tokens = encoded(template)
    open_places = np.flatnonzero(tokens == MASK)
    if not len(open_places):
        raise BadInput("compose: the template has no '?', so nothing is left to be written.")
    for name, value in {"count": count, "at_once": at_once}.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise BadInput(f"compose({name}={shown(value)}): a whole number of at least 1.")
    barred = left_out(without)
    if not temperature > 0:
        raise BadInput(f"compose(temperature={shown(temperature)}): a positive number; 1 is the model as it is.")
    if energy is None and (tilt is not None or particles is not None):
        raise BadInput("compose: a tilt or particles follow an energy; give energy=Energy(...).")
    page, terms, effective = _composed(
        model, key, jnp.asarray(tokens), jnp.asarray(open_places), count, energy, tilt, particles, barred, at_once,
        temperature,
    )  # fmt: skip
    for i, name in enumerate(energy.names if energy else ()):
        if not np.all(np.isfinite(terms[:, i])):
            raise NotTrusted(f"the term '{name}' is not finite for a sequence that was written.")
    named = {name: np.asarray(terms[:, i]) for i, name in enumerate(energy.names if energy else ())}
    sequences = [decoded(row) for row in np.asarray(page.tokens)]
    parents = len(np.unique(np.asarray(page.parents)))
    return Composed(sequences, np.asarray(page.log_p), named, np.asarray(effective), parents)


@eqx.filter_jit
def _composed(
    model: SequenceModel,
    key: Key,
    template: Int[Array, " L"],
    places: Int[Array, " k"],
    count: int,
    energy: Energy | None,
    tilt: Tilt | None,
    particles: Particles | None,
    barred: Bool[Array, " letters"],
    at_once: int,
    temperature: float,
):
    mix, go = jax.random.split(key)
    order = jax.vmap(lambda k: jax.random.permutation(k, places))(jax.random.split(mix, count))
    steps = -(-len(places) // at_once)
    # What fills the last step lies beyond the sequence, where nothing is written.
    order = jnp.pad(order, ((0, 0), (0, steps * at_once - len(places))), constant_values=len(template))
    nothing = jnp.zeros(count)
    page = _Page(
        jnp.broadcast_to(template, (count, len(template))),
        order.reshape(count, steps, at_once),
        nothing,
        nothing,
        nothing,
        jnp.arange(count),
    )

    def write(page: _Page, k: Int[Array, ""]) -> tuple[_Page, Float[Array, ""]]:
        share = k / steps
        choose, draw = jax.random.split(jax.random.fold_in(go, k))
        said = jax.vmap(lambda tokens: without_letters(model(tokens) / temperature, barred))(page.tokens)
        soft = jax.vmap(softened)(page.tokens, said)
        effective = jnp.asarray(float(count))
        if energy is not None:
            now = jax.vmap(lambda p, of=energy: of(p, share))(soft)
            page = page._replace(log_weights=page.log_weights - now + page.energy, energy=now)
        if particles is not None:
            which, kept, effective = particles.thinned(choose, page.log_weights)
            page, said, soft = jax.tree.map(lambda x: x[which], (page, said, soft))
            page = page._replace(log_weights=kept)

        def one(key: Key, tokens, here, said, soft):
            real = here < len(tokens)
            base = said[jnp.minimum(here, len(tokens) - 1)]
            bent = base
            if tilt is not None and energy is not None:
                bent = jax.nn.log_softmax(base - tilt.changes(energy, soft, jnp.minimum(here, len(tokens) - 1), share))
            letters = jax.random.categorical(key, bent)
            own = jnp.take_along_axis(base, letters[:, None], axis=1)[:, 0]
            drawn = jnp.take_along_axis(bent, letters[:, None], axis=1)[:, 0]
            new = tokens.at[here].set(letters.astype(tokens.dtype), mode="drop")
            return new, jnp.sum(jnp.where(real, own, 0.0)), jnp.sum(jnp.where(real, own - drawn, 0.0))

        here = page.order[:, k]
        tokens, own, ratio = jax.vmap(one)(jax.random.split(draw, count), page.tokens, here, said, soft)
        written = page._replace(tokens=tokens, log_p=page.log_p + own, log_weights=page.log_weights + ratio)
        return written, effective

    page, effective = jax.lax.scan(write, page, jnp.arange(steps))
    if energy is None:
        return page, jnp.zeros((count, 0)), effective
    terms = jax.vmap(lambda tokens: energy.each(jax.nn.one_hot(tokens, LETTERS)))(page.tokens)
    if particles is not None:
        last = terms @ energy.strengths(jnp.ones(()))
        which = resampled(jax.random.fold_in(go, steps), page.log_weights - last + page.energy)
        page, terms = jax.tree.map(lambda x: x[which], (page, terms))
    return page, terms, effective


def left_out(letters: str) -> Bool[Array, " letters"]:
    """Which letters are not to be written.

    Raises `BadInput` for one that is none, or where none is left.
    """
    barred = np.isin(np.arange(LETTERS), encoded(letters))
    if "?" in letters or barred.all():
        raise BadInput(f"without={shown(letters)}: name letters that are not to be written, and leave some.")
    return jnp.asarray(barred)


def without_letters(log_p: Float[Array, "L letters"], barred: Bool[Array, " letters"]) -> Float[Array, "L letters"]:
    """The other letters' probabilities, summing to 1; minus infinity for those left out."""
    return jax.nn.log_softmax(jnp.where(barred, -jnp.inf, log_p))


def softened(tokens: Int[Array, " L"], log_p: Float[Array, "L letters"]) -> Soft:
    """Known places as they are, the others as the model sees them."""
    return jnp.where((tokens == MASK)[:, None], jnp.exp(log_p), jax.nn.one_hot(tokens, LETTERS))


class Exact(NamedTuple):
    """Every way to fill a template. letters: of the open places. shares: of p(sequence) exp(-E), summing to 1."""

    letters: Int[np.ndarray, "fillings places"]
    shares: Float[np.ndarray, " fillings"]


def enumerated(model: SequenceModel, template: str, energy: Energy | None = None, *, without: str = "") -> Exact:
    """What `compose` with particles tends to, by trying all: p is the mean over all orders of writing.

    without   letters that are never written.

    Raises `BadInput` for a template with more than three open places.
    """
    tokens = encoded(template)
    places = np.flatnonzero(tokens == MASK)
    if not 1 <= len(places) <= 3:
        raise BadInput(f"enumerated: one to three '?' can be tried in all ways, and the template has {len(places)}.")
    barred = left_out(without)
    free = np.flatnonzero(~np.asarray(barred))
    letters = np.array(list(itertools.product(free, repeat=len(places))), dtype=np.int32)
    orders = list(itertools.permutations(range(len(places))))
    p = np.zeros(len(letters))
    for order in orders:
        filled, log_p = np.tile(tokens, (len(letters), 1)), np.zeros(len(letters))
        for k in order:
            # Many fillings are the same as far as they are written: each is read once.
            pages, which = np.unique(filled, axis=0, return_inverse=True)
            log_p += np.asarray(_read(model, jnp.asarray(pages), barred))[which.ravel(), places[k], letters[:, k]]
            filled[:, places[k]] = letters[:, k]
        p += np.exp(log_p) / len(orders)
    if energy is not None:
        whole = np.tile(tokens, (len(letters), 1))
        whole[:, places] = letters
        p = p * np.exp(-np.asarray(jax.vmap(lambda t: energy(jax.nn.one_hot(t, LETTERS)))(jnp.asarray(whole))))
    return Exact(letters, p / p.sum())


@eqx.filter_jit
def _read(
    model: SequenceModel, pages: Int[Array, "n L"], barred: Bool[Array, " letters"]
) -> Float[Array, "n L letters"]:
    return jax.vmap(lambda tokens: without_letters(model(tokens), barred))(pages)
