"""Nuclei repel: the wall that no training set describes."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._core.messages import BadInput
from ._pairs import Pairs
from ._switch import cutoff_quintic
from ._units import BOHR, COULOMB

SCREENING = ((0.18175, 3.1998), (0.50986, 0.94229), (0.28022, 0.4029), (0.028171, 0.20162))


def wall_energy(
    positions: Float[Array, "atoms 3"],
    cell: Float[Array, "3 3"] | None,
    numbers: Int[np.ndarray, " atoms"],
    pairs: Pairs,
    reach: float = 1.5,
) -> Float[Array, ""]:
    """Screened repulsion of nuclei (eV), which ends smoothly at `reach` (A), below all bonds but those of hydrogen.

    positions, cell in A, numbers are Z, pairs reach at least as far, or else `BadInput`.

        E = k sum_pairs Z_i Z_j / r  phi(r / a) w(r),    a = 0.8854 a0 / (Z_i^0.23 + Z_j^0.23)

    Source: J. F. Ziegler, J. P. Biersack and U. Littmark, The Stopping and Range of Ions in Solids (1985).
    """
    if reach > pairs.cutoff:
        raise BadInput(f"the wall reaches {reach:g} A, but the pairs only {pairs.cutoff:g}; list them that far.")
    z = jnp.asarray(numbers, dtype=jnp.result_type(float))
    r = jnp.sqrt(pairs.squares(positions, cell))
    x = r * (z[pairs.i] ** 0.23 + z[pairs.j] ** 0.23) / (0.88534 * BOHR)
    screening = sum(share * jnp.exp(-rate * x) for share, rate in SCREENING)
    return COULOMB * jnp.sum(z[pairs.i] * z[pairs.j] / r * screening * cutoff_quintic(r, reach))
