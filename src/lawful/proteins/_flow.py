"""The way from noise to a protein: what noise is, what lies between, and the steps along it."""

from __future__ import annotations

from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key

from ..fields.equivariant import Frames, centre, geodesic, uniform_rotations

SHORTEST, LONGEST = 40, 128
STEP = 3.8
"""From one CA to the next, A."""
COMPACT = 1.1
"""Rg / (2.2 L^0.38 A) of a folded chain."""


@cache
def chain_noise() -> Float[np.ndarray, "lengths 2"]:
    """(rho, sigma) of the noise for every length: its neighbours lie a CA-CA step apart, its Rg is a protein's.

    A stationary chain x_i+1 = rho x_i + sqrt(1 - rho^2) sigma xi has steps of mean square 6 sigma^2 (1 - rho) and,
    about its mean, Rg^2 = 3 sigma^2 (1 - mean of rho^|i-j|). Rho by bisection, at most 0.999: a free chain of 40 steps
    is no larger than a protein.
    """
    table = np.zeros((LONGEST + 1, 2))
    for count in range(2, LONGEST + 1):
        apart = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
        wanted = (COMPACT * 2.2 * count**0.38) ** 2
        low, high = 0.0, 0.999
        for _ in range(60):
            rho = (low + high) / 2
            square = STEP**2 / (6 * (1 - rho))
            low, high = (rho, high) if 3 * square * (1 - np.mean(rho**apart)) < wanted else (low, rho)
        table[count] = rho, np.sqrt(STEP**2 / (6 * (1 - rho)))
    return table


def noise(key: Key, real: Bool[Array, " n"]) -> Frames:
    """The prior: CA from a centred Gaussian chain as large as a protein, rotations uniform on SO(3)."""
    a, b = jax.random.split(key)
    n = real.shape[0]
    return Frames(uniform_rotations(b, (n,)), as_chain(jax.random.normal(a, (n, 3)), real))


def as_chain(white: Float[Array, "n 3"], real: Bool[Array, " n"]) -> Float[Array, "n 3"]:
    """Independent normal numbers as a centred Gaussian chain, in angstrom: neighbours go together."""
    places = walked(white, real, jnp.sum(real))
    return (places - centre(places, real)) * real[:, None]


def walked(white: Float[Array, "n 3"], real: Bool[Array, " n"], residues: Int[Array, ""]) -> Float[Array, "n 3"]:
    """The same about the origin, with the steps of a chain of so many `residues`, of which this may be a stretch."""
    rho, sigma = jnp.asarray(chain_noise(), white.dtype)[residues]
    place = jnp.arange(real.shape[0])
    apart = place[:, None] - place[None, :]
    root = jnp.where(apart >= 0, rho ** jnp.maximum(apart, 0), 0.0) * sigma
    root = root * jnp.where(place == 0, 1.0, jnp.sqrt(1 - rho**2))
    return root @ white


def as_white(places: Float[Array, "n 3"], real: Bool[Array, " n"]) -> Float[Array, "n 3"]:
    """Numbers that `as_chain` makes these centred places of: each place less what the one before says of it."""
    return unwalked(places, real, jnp.sum(real))


def unwalked(places: Float[Array, "n 3"], real: Bool[Array, " n"], residues: Int[Array, ""]) -> Float[Array, "n 3"]:
    """Numbers that `walked` makes these places of."""
    rho, sigma = jnp.asarray(chain_noise(), places.dtype)[residues]
    news = jnp.concatenate([places[:1], (places[1:] - rho * places[:-1]) / jnp.sqrt(1 - rho**2)])
    return news / sigma * real[:, None]


def between(start: Frames, end: Frames, t: Float[Array, ""]) -> Frames:
    """A share t of the way: straight for the origins, along the geodesic for the rotations."""
    origin = (1 - t) * start.origin + t * end.origin
    return Frames(geodesic(start.rotation, end.rotation, t), origin)


class Schedule(eqx.Module):
    """How a sample is drawn.

    steps      50 to 100.
    turning    rotations approach the answer at the rate max(turning, 1/(1-t)); 10 settles them early.
    spread     factor of the noise at the start; below 1: fewer surprises, less variety.
    """

    steps: int = eqx.field(static=True, default=80)
    turning: float | Float[Array, ""] = 10.0
    spread: float | Float[Array, ""] = 1.0


def step_along(frames: Frames, answer: Frames, t: Array, after: Array, schedule: Schedule) -> Frames:
    """From t to `after`, towards the answer: origins by the straight way, rotations faster at first."""
    moved = (after - t) / (1 - t)
    turned = jnp.minimum(jnp.maximum(moved, schedule.turning * (after - t)), 1.0)
    origin = frames.origin + moved * (answer.origin - frames.origin)
    return Frames(geodesic(frames.rotation, answer.rotation, turned), origin)
