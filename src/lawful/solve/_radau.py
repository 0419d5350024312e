"""Collocation at Radau points: the polynomials of one implicit time step."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


class RadauTables(NamedTuple):
    """Of the Lagrange polynomials l_j on the `stages` Radau points in (0, 1], the last of which is 1.

    nodes      where the law holds inside a step.
    powers     coefficients of l_j in powers of s, row j.
    integrals  integrals[q][i, j]: the q-fold integral of l_j from 0 to node i (q = 0 is the identity).
    """

    nodes: Float[np.ndarray, " stages"]
    powers: Float[np.ndarray, "stages stages"]
    integrals: tuple[Float[np.ndarray, "stages stages"], ...]


@functools.cache
def radau(stages: int, order: int) -> RadauTables:
    """Tables for laws of time derivative up to `order`.

    Radau IIA: stiffly accurate and L-stable, global order 2 stages - 1. Source: Hairer and Wanner, Solving Ordinary
    Differential Equations II (1996), IV.5. The points are the roots of the Jacobi polynomial P^(1,0) and the end.
    """
    from scipy.special import roots_jacobi

    inner = roots_jacobi(stages - 1, 1, 0)[0] if stages > 1 else np.zeros(0)
    nodes = np.append((inner + 1) / 2, 1.0)
    powers = np.linalg.inv(np.vander(nodes, increasing=True)).T
    integrals = [np.eye(stages)]
    for q in range(1, order + 1):
        integrals.append(np.stack([antiderivative(row, q, nodes) for row in powers], axis=1))
    return RadauTables(nodes, powers, tuple(integrals))


def antiderivative(coefficients: np.ndarray, times: int, place: np.ndarray) -> np.ndarray:
    """The `times`-fold integral from 0 of a polynomial in powers, at places."""
    return np.polynomial.polynomial.polyval(place, np.polynomial.polynomial.polyint(coefficients, times))


def step_polynomial(
    start: Float[Array, "order *grid"],
    highest: Float[Array, "stages *grid"],
    step: Float[Array, ""],
    s: Float[Array, ""],
    tables: RadauTables,
) -> Float[Array, "*grid"]:
    """The field inside a step, at fraction s: Taylor polynomial of the start plus the integrated highest derivative.

    `start` holds the field and its time derivatives below the order; `highest` the derivative of that order at the
    nodes. Differentiable in s to any order.
    """
    order, stages = start.shape[0], highest.shape[0]
    taylor = [(s * step) ** d / math.factorial(d) for d in range(order)]
    # s^p integrated `order` times is s^(p + order) p! / (p + order)!
    rises = [s ** (p + order) * (math.factorial(p) / math.factorial(p + order)) for p in range(stages)]
    weights = tables.powers @ jnp.stack(rises) * step**order
    value = jnp.tensordot(weights, highest, 1)
    return value + jnp.tensordot(jnp.stack(taylor), start, 1) if order else value
