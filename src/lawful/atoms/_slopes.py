"""Forces and stress: an energy differentiated once, along positions and strain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def slopes(
    energy: Callable[[Array, Array | None], tuple[Float[Array, ""], Any]],
    positions: Float[Array, "atoms 3"],
    cell: Float[Array, "3 3"] | None,
) -> tuple[Float[Array, ""], Any, Float[Array, "atoms 3"], Float[Array, "3 3"] | None]:
    """Of energy(positions, cell) -> (eV, more): both, forces (eV/A) and, in a cell, stress (eV/A^3).

    The strain moves the positions and the cell alike; stress is dE/dstrain / volume, made symmetric.
    """

    def strained(positions, strain):
        return energy(positions + positions @ strain, None if cell is None else cell + cell @ strain)

    (value, more), (slope, virial) = jax.value_and_grad(strained, argnums=(0, 1), has_aux=True)(
        positions, jnp.zeros((3, 3), positions.dtype)
    )
    stress = None if cell is None else 0.5 * (virial + virial.T) / jnp.abs(jnp.linalg.det(cell))
    return value, more, -slope, stress
