"""What moves: a right-hand side of first order is a plain function, one of second order says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree


class SecondOrder(eqx.Module):
    """A motion q'' = a(t, q, v, args) with v = q'.

    acceleration  `a(t, q, v, args)`: position and velocity are arrays or pytrees of arrays of one structure, which the
                  acceleration returns too.
    mass          of each entry of q, as a number or a pytree whose leaves broadcast against q's. Only impacts and
                  resting contacts ask for it: it says how bodies share a push. With rotations it holds moments of
                  inertia in the places of the angles.

    The state of such a motion is the pair (q, v).
    """

    acceleration: Callable[..., PyTree]
    mass: PyTree = eqx.field(default_factory=lambda: np.asarray(1.0))


class State(NamedTuple):
    """Position and velocity of a motion of second order."""

    q: Any
    v: Any


def inverse_masses(mass: PyTree, q: PyTree) -> Float[Array, " n"]:
    """1 / mass for every entry of q in a row; 0 where the mass is infinite."""
    structure = jax.tree.structure(q)
    leaves = jax.tree.leaves(q)
    masses = jax.tree.leaves(mass) if jax.tree.structure(mass) == structure else [mass] * len(leaves)
    rows = [
        jnp.ravel(jnp.broadcast_to(1.0 / jnp.asarray(m, float), jnp.shape(x)))
        for m, x in zip(masses, leaves, strict=True)
    ]
    return jnp.concatenate(rows) if rows else jnp.zeros(0)
