"""How usual the torsions phi and psi are.

The grids in ramachandran.npz are of the Richardson laboratory and under CC-BY-4.0; ramachandran.txt says whence.
"""

from __future__ import annotations

import functools
import itertools
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

TABLE = Path(__file__).with_name("ramachandran.npz")
GENERAL, GLYCINE, BRANCHED, BEFORE_PROLINE, TRANS_PROLINE, CIS_PROLINE = range(6)
FAVOURED = 0.02
ALLOWED = np.array([0.0005, 0.001, 0.001, 0.001, 0.001, 0.002])  # by kind
BIN = np.deg2rad(2.0)
FLOOR = 1e-5  # added, so that bins without any residue have a logarithm


@functools.cache
def log_grids() -> Float[np.ndarray, "6 180 180"]:
    with np.load(TABLE, allow_pickle=False) as file:
        return np.log(file["grids"].astype(float) + FLOOR)


def ramachandran_kinds(
    sequence: str, omega: Float[Array | np.ndarray, " L-1"] | None = None
) -> Int[np.ndarray, " L-2"]:
    """Which of the six grids each residue but the first and the last has: `phi[:-1]` and `psi[1:]` are theirs.

    0 general, 1 glycine, 2 isoleucine or valine, 3 before proline, 4 trans proline, 5 cis proline: cis where the
    torsion omega before it is within 90 degrees of zero; trans where no omega is given.
    """
    kinds = []
    for k, (letter, following) in enumerate(itertools.pairwise(sequence[1:])):
        if letter == "G":
            kinds.append(GLYCINE)
        elif letter == "P":
            cis = omega is not None and float(np.cos(omega[k])) > 0
            kinds.append(CIS_PROLINE if cis else TRANS_PROLINE)
        elif following == "P":
            kinds.append(BEFORE_PROLINE)
        else:
            kinds.append(BRANCHED if letter in "IV" else GENERAL)
    return np.array(kinds, dtype=int)


def ramachandran(
    phi: Float[Array | np.ndarray, "*batch"],
    psi: Float[Array | np.ndarray, "*batch"],
    kinds: Int[Array | np.ndarray, "*batch"] | int = GENERAL,
) -> Float[Array, "*batch"]:
    """The share of well-determined residues whose torsions are less usual: 1 at the best place, 0 where there are none.

    phi, psi   radians, of one residue each.
    kinds      its grid, see `ramachandran_kinds`.

    0.02 and more is called favoured; 0.0005 and more allowed (0.001 but for the general kind, 0.002 for cis proline).
    Between the centres of the bins of 2 degrees the logarithm is interpolated by periodic cubics (Catmull and Rom), so
    the derivative is continuous; -log of it is an energy in units of kT.

    C. J. Williams et al., Protein Science 27, 293 (2018): Top8000.
    """
    phi, psi = jnp.asarray(phi), jnp.asarray(psi)
    kinds = jnp.broadcast_to(jnp.asarray(kinds), phi.shape)
    grids = jnp.asarray(log_grids().astype(phi.dtype))
    rows, row_weights = cubic(phi)
    columns, column_weights = cubic(psi)
    values = grids[kinds[..., None, None], rows[..., :, None], columns[..., None, :]]
    return jnp.exp(jnp.einsum("...ij,...i,...j->...", values, row_weights, column_weights)) - FLOOR


def cubic(turn: Float[Array, "*batch"]) -> tuple[Int[Array, "*batch 4"], Float[Array, "*batch 4"]]:
    """The four bins around an angle and their weights."""
    place = (turn + np.pi) / BIN - 0.5
    first = jnp.floor(place)
    u = place - first
    weights = jnp.stack(
        [
            0.5 * (-u + 2 * u**2 - u**3),
            0.5 * (2 - 5 * u**2 + 3 * u**3),
            0.5 * (u + 4 * u**2 - 3 * u**3),
            0.5 * (-(u**2) + u**3),
        ],
        axis=-1,
    )
    bins = (first[..., None].astype(int) + np.arange(-1, 3)) % 180
    return bins, weights
