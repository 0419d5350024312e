"""Contacts that stay closed: the pushes that hold their gaps at zero, found together with the accelerations.

For the closed gaps g with normals G, tangents T in the plane (their rows act on v) and masses M,

    a = a_free + M^-1 (G' n + T' s),      d^2 g / dt^2 = 0 for the n of closed gaps,  n = 0 for the others,
                                          d/dt (T v)   = 0 for the s that stick,   s = -mu n side where they slide.

All of it is written with operations that have laws for series, so that a motion in contact has one like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from ._motion import inverse_masses

if TYPE_CHECKING:
    from ._mechanics import Mechanics


def held(mechanics: Mechanics, motion, contacts, args, t, q, v, free, data) -> tuple[object, Float[Array, " guards"]]:
    """The accelerations with the pushes of closed contacts, and what is watched about these: pushes, slips, bounds."""
    closed, sticking, side, faces = data
    x, speed, a = (ravel_pytree(part)[0] for part in (q, v, free))
    one = jnp.ones_like(t)

    def gaps(t, x):
        found = mechanics.gaps(contacts, t, mechanics.unravel(x), args)[mechanics.resting]
        return jnp.sum(faces * found, 1)

    def rate(t, x, u):
        return jax.jvp(gaps, (t, x), (one, u))[1]

    def slip(t, x, u):
        return mechanics.slips(contacts, t, x, u, faces)[0]

    normals = jax.jacfwd(gaps, 1)(t, x)
    bend = jax.jvp(rate, (t, x, speed), (one, speed, a))[1]
    inverse = inverse_masses(motion.mass, q)
    count = len(mechanics.frictional)
    if not count:
        system = closed[:, None] * (normals * inverse) @ normals.T + jnp.diag(1 - closed)
        push = solved(system, -closed * bend)
        return mechanics.unravel(a + inverse * (push @ normals)), push
    slips, norms = mechanics.slips(contacts, t, x, speed, faces)
    mu = mechanics.each(contacts, "friction")[mechanics.frictional] * norms  # a push is a force over the gap's slope
    tangents = jax.jacfwd(slip, 2)(t, x, speed)
    drift = jax.jvp(slip, (t, x, speed), (one, speed, a))[1]
    rows = jnp.concatenate([normals, tangents])
    # Which of the resting contacts each frictional one is.
    pick = jnp.asarray(mechanics.frictional[:, None] == mechanics.resting[None, :], float)
    holds = jnp.concatenate([closed, sticking])
    sliding = (mu * side * (1 - sticking))[:, None] * pick
    blank = jnp.zeros((len(closed), len(holds)))
    alone = jnp.concatenate([blank, jnp.concatenate([sliding, jnp.zeros((count, count))], 1)])
    system = holds[:, None] * ((rows * inverse) @ rows.T) + jnp.diag(1 - holds) + alone
    pushes = solved(system, -holds * jnp.concatenate([bend, drift]))
    push, grip = pushes[: len(closed)], pushes[len(closed) :]
    bound = mu * (pick @ push)
    watched = jnp.concatenate([push, side * slips, bound - grip, bound + grip])
    return mechanics.unravel(a + inverse * (pushes @ rows)), watched


def solved(matrix: Float[Array, "n n"], right: Float[Array, " n"]) -> Float[Array, " n"]:
    """Gauss-Jordan elimination in plain operations; the diagonal is never zero."""
    count = right.shape[0]
    for i in range(count):
        row, value = matrix[i] / matrix[i, i], right[i] / matrix[i, i]
        column = matrix[:, i] - jnp.eye(count)[i]
        matrix, right = matrix - column[:, None] * row, right - column * value
    return right
