"""Size, contacts and handedness of a chain."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Bool, Float

from ._ideal import numpy_of
from ._secondary import secondary_structure

RADIUS, POWER = 2.2, 0.38  # of gyration: 2.2 L^0.38 A for globular chains. J. Skolnick et al., J. Mol. Biol. 265, 217


def distance_map(points: Float[Array | np.ndarray, "*batch L 3"]) -> Float[Array | np.ndarray, "*batch L L"]:
    """Distances of all pairs, angstrom. The derivative of coinciding points, so of the diagonal, is zero."""
    xp = numpy_of(points)
    squared = xp.sum((points[..., :, None, :] - points[..., None, :, :]) ** 2, axis=-1)
    apart = squared > 0
    return xp.where(apart, xp.sqrt(xp.where(apart, squared, 1.0)), 0.0)


def contact_map(
    points: Float[Array | np.ndarray, "*batch L 3"], cutoff: float = 8.0, separation: int = 3
) -> Bool[Array | np.ndarray, "*batch L L"]:
    """Which residues are within `cutoff` angstrom (of CB, by habit: `ideal_cb`) and `separation` or more apart in the
    chain."""
    k = np.arange(points.shape[-2])
    return (distance_map(points) < cutoff) & (np.abs(k[:, None] - k) >= separation)


def radius_of_gyration(points: Float[Array | np.ndarray, "*batch L 3"]) -> Float[Array | np.ndarray, "*batch"]:
    """Root of the mean square distance from the middle, angstrom."""
    xp = numpy_of(points)
    away = points - xp.mean(points, axis=-2, keepdims=True)
    return xp.sqrt(xp.mean(xp.sum(away**2, axis=-1), axis=-1))


def compactness(points: Float[Array | np.ndarray, "*batch L 3"]) -> Float[Array | np.ndarray, "*batch"]:
    """Radius of gyration over that of a globular chain of L residues, 2.2 L^0.38 A; natives have about 1.1."""
    return radius_of_gyration(points) / (RADIUS * points.shape[-2] ** POWER)


class Handedness(NamedTuple):
    """How many turns of helices wind to the right and to the left; natives have hardly any of the second kind."""

    right: int
    left: int


def handedness(xyz: Float[Array | np.ndarray, "L 4 3"], letters: str | None = None) -> Handedness:
    """How many turns of alpha helices wind to the right, and how many to the left.

    A turn is four residues in a row that are all alpha helix by `secondary_structure`, whose hydrogen bonds do not ask
    for the hand; it is right where the torsion of their alpha carbons is positive (about 50 degrees in a right-handed
    helix).

    letters   the secondary structure, where it is known already.
    """
    ca = np.asarray(xyz, dtype=float)[:, 1]
    letters = secondary_structure(xyz) if letters is None else letters
    helix = np.array([letter == "H" for letter in letters], dtype=bool)
    turns = helix[:-3] & helix[1:-2] & helix[2:-1] & helix[3:]
    u, v, w = ca[1:-2] - ca[:-3], ca[2:-1] - ca[1:-2], ca[3:] - ca[2:-1]
    right = np.sum(np.cross(u, v) * w, axis=-1) > 0  # the sign of the torsion
    return Handedness(int(np.sum(turns & right)), int(np.sum(turns & ~right)))
