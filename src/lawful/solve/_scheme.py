"""What is stepped and how."""

from __future__ import annotations

import dataclasses
import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..problem import FaceCondition, Problem
from ._grid import Grid
from ._layers import Junction
from ._radau import RadauTables, radau


class Scheme(eqx.Module):
    """What is stepped and how: everything about the discretisation that does not depend on numbers to be found."""

    problem: Problem
    grid: Grid
    march: str = eqx.field(static=True)
    orders: dict[str, int]
    pairs: dict[str, str]
    initial: tuple[FaceCondition, ...]
    boundary: tuple[FaceCondition, ...]
    junctions: tuple[Junction, ...]
    sizes: dict[str, Array]
    law_sizes: dict[str, Array]
    stages: int = eqx.field(static=True)

    def on(self, grid: Grid) -> Scheme:
        """The same on another grid."""
        return dataclasses.replace(self, grid=grid)

    def tables(self, name: str) -> RadauTables:
        return radau(self.stages, self.orders[name])


def halved(edges: Float[np.ndarray, " steps+1"]) -> Float[np.ndarray, " halves+1"]:
    """Every step in two."""
    return np.sort(np.concatenate([edges, 0.5 * (edges[1:] + edges[:-1])]))


def levels_at_stages(scheme: Scheme, state, highest, step) -> dict[str, list[Float[Array, "stages *grid"]]]:
    """Every field with its time derivatives, the highest included, at all stages."""
    levels = {}
    for name, order in scheme.orders.items():
        tables = scheme.tables(name)
        rows = []
        for d in range(order):
            rise = step ** (order - d) * jnp.tensordot(tables.integrals[order - d], highest[name], 1)
            terms = [(tables.nodes * step) ** (q - d) / math.factorial(q - d) for q in range(d, order)]
            rows.append(rise + jnp.tensordot(jnp.stack(terms, axis=1), state[name][d:], 1))
        levels[name] = [*rows, highest[name]]
    return levels
