"""Ideal places of a residue's atoms."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Points = Float[Array | np.ndarray, "*batch 3"]

# Means over real chains that this room's data reproduce: angstrom and radians. R. A. Engh and R. Huber, Acta Cryst.
# A 47, 392 (1991) and Int. Tables F (2001), 18.3, give the same within a standard deviation.
N_CA, CA_C, C_N, C_O = 1.459, 1.525, 1.330, 1.232
N_CA_C, CA_C_N, C_N_CA, CA_C_O = np.deg2rad([111.0, 116.9, 121.7, 120.4])

# The beta carbon from N, CA and C: b = CA - N, c = C - CA, CB = CA + x b*c + y b + z c.
# J. Yang et al., PNAS 117, 1496 (2020), trRosetta.
BETA = (-0.58273431, 0.56802827, -0.54067466)

PSI_AT_END = np.deg2rad(-47.0)  # of the last residue, whose oxygen no next residue orients


def numpy_of(x: Array | np.ndarray):
    """`numpy` for its own arrays, else `jax.numpy`: thousands of chains, each of another length, are read without JAX,
    which would compile for each of them."""
    return np if isinstance(x, np.ndarray) else jnp


def place_atoms(
    rotation: Float[Array | np.ndarray, "*batch L 3 3"], origin: Float[Array | np.ndarray, "*batch L 3"]
) -> Float[Array | np.ndarray, "*batch L 4 3"]:
    """N, CA, C and O of residues whose frames are given, with ideal bonds and angles inside each residue.

        R e_x = (C - CA)/|C - CA|,   N in the half plane of R e_x and R e_y,   CA = t

    rotation   columns are the axes of the frame.
    origin     places of CA, angstrom.

    O lies in the plane of CA, C and the next N, and of the last residue where a helix has it. Nothing joins the
    residues: whether C meets the next N is up to the frames.
    """
    xp = numpy_of(origin)
    places = np.array([[N_CA * np.cos(N_CA_C), N_CA * np.sin(N_CA_C), 0.0], [0.0, 0.0, 0.0], [CA_C, 0.0, 0.0]])
    three = origin[..., None, :] + xp.einsum("...ij,aj->...ai", rotation, places.astype(origin.dtype))
    return xp.concatenate([three, place_oxygens(three)[..., None, :]], axis=-2)


def place_oxygens(three: Float[Array | np.ndarray, "*batch L 3 3"]) -> Float[Array | np.ndarray, "*batch L 3"]:
    """O of residues from N, CA and C (the axis of length 3): in the plane of CA, C and the next N.

        O = C + 1.232 A * (direction that makes 120.4 deg with C-CA, away from N)

    The last residue has no next N; it gets O by psi = -47 deg. Fails (NaN) where CA, C and N lie on a line.
    """
    xp = numpy_of(three)
    n, ca, c = (three[..., k, :] for k in range(3))
    along = unit(c - ca)
    # The next N; of the last residue one that psi puts there.
    towards = n[..., 1:, :] - c[..., :-1, :]
    last = turned(n[..., -1:, :] - ca[..., -1:, :], along[..., -1:, :], PSI_AT_END)
    towards = xp.concatenate([towards, last], axis=-2)
    across = unit(towards - xp.sum(towards * along, axis=-1, keepdims=True) * along)
    return c + C_O * (-np.cos(CA_C_O) * along - np.sin(CA_C_O) * across)


def ideal_cb(xyz: Float[Array | np.ndarray, "*batch L atoms 3"]) -> Float[Array | np.ndarray, "*batch L 3"]:
    """Where a beta carbon belongs, from N, CA and C (the first three atoms); for glycine too.

    On real residues the median error is 0.07 A. Source: Yang et al., PNAS 117, 1496 (2020).
    """
    xp = numpy_of(xyz)
    n, ca, c = (xyz[..., k, :] for k in range(3))
    b, c = ca - n, c - ca
    x, y, z = BETA
    return ca + x * xp.cross(b, c) + y * b + z * c


def unit(v: Points) -> Points:
    xp = numpy_of(v)
    return v / xp.linalg.norm(v, axis=-1, keepdims=True)


def turned(v: Points, axis: Points, angle: float) -> Points:
    """Vectors turned about unit axes (Rodrigues)."""
    xp = numpy_of(v)
    along = xp.sum(v * axis, axis=-1, keepdims=True) * axis
    return along + np.cos(angle) * (v - along) + np.sin(angle) * xp.cross(axis, v)
