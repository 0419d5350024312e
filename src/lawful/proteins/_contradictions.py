"""When several wishes cannot be had at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from .._core.messages import BadInput
from ._disulfide import CA_CA, Disulfide
from ._restraints import Distance

Bounds = Float[np.ndarray, "n n"]

STEP_LIMITS = (2.8, 4.0)
"""Between neighbouring CA, cis and trans, A."""
TOUCHING = 3.0
"""No two CA are nearer, A."""
SLIGHT = 1e-9


def refuse_contradictions(wishes: Sequence, length: int) -> None:
    """Raise `BadInput`, in a sentence, where no chain of `length` residues can meet all wishes at once.

    wishes   `Disulfide`s and `Distance`s; others are not looked at.

    A cysteine has one bond at most. Of distances between CA each has an upper and a lower limit, from the wishes and
    from the chain (2.8 to 4.0 A for neighbours, 3.0 A at least for all); upper limits are tightened by u_ij <= u_ik +
    u_kj, lower ones by l_ij >= l_ik - u_kj, until a lower one is above its upper one, or none changes. What passes may
    still be impossible in space.

    Source: G. Crippen and T. Havel, Distance Geometry and Molecular Conformation (1988), bound smoothing.
    """
    bonds = [wish for wish in wishes if isinstance(wish, Disulfide)]
    both = [*bonds, *(wish for wish in wishes if isinstance(wish, Distance))]
    taken: dict[int, Disulfide] = {}
    for wish in both:
        if max(wish.i, wish.j) >= length:
            raise BadInput(f"residue {max(wish.i, wish.j) + 1} was asked for, but the chain has {length}.")
    for bond in bonds:
        for k in (bond.i, bond.j):
            if k in taken and {bond.i, bond.j} != {taken[k].i, taken[k].j}:
                raise BadInput(
                    f"residue {k + 1} is asked for in two disulfides, {pair(taken[k])} and {pair(bond)}; a cysteine"
                    " has one sulphur: leave one out."
                )
            taken[k] = bond
    upper, lower = np.full((length, length), np.inf), np.full((length, length), TOUCHING)
    for bound in (upper, lower):
        np.fill_diagonal(bound, 0.0)
    one = np.arange(length - 1)
    upper[one, one + 1] = upper[one + 1, one] = STEP_LIMITS[1]
    lower[one, one + 1] = lower[one + 1, one] = STEP_LIMITS[0]
    for wish in both:
        low, high = CA_CA if isinstance(wish, Disulfide) else (wish.low, wish.high)
        for i, j in ((wish.i, wish.j), (wish.j, wish.i)):
            upper[i, j], lower[i, j] = min(upper[i, j], high), max(lower[i, j], low)
        for k in range(length):
            upper = np.minimum(upper, upper[:, k, None] + upper[None, k])
        changed = True
        while changed and not over(lower, upper).any():
            old = lower
            for k in range(length):
                lower = np.maximum(lower, lower[:, k, None] - upper[None, k])
                lower = np.maximum(lower, lower.T)
            changed = bool(np.any(lower > old + SLIGHT))
        if over(lower, upper).any():
            raise BadInput(
                f"the wishes contradict each other: with residues {wish.i + 1} and {wish.j + 1} between {low:g} and"
                f" {high:g} A, {conflict(lower, upper)}"
            )


def over(lower: Bounds, upper: Bounds) -> Bool[np.ndarray, "n n"]:
    return lower > upper + SLIGHT


def conflict(lower: Bounds, upper: Bounds) -> str:
    gap = lower - upper
    if over(lower, upper)[~np.eye(len(gap), dtype=bool)].any():
        np.fill_diagonal(gap, -np.inf)  # that a residue would be apart from itself is true then, but says less
    i, j = np.unravel_index(int(np.argmax(gap)), gap.shape)
    return (
        f"CA {min(i, j) + 1} and {max(i, j) + 1} would have to be at least {lower[i, j]:.1f} and at most"
        f" {upper[i, j]:.1f} A apart, by the other wishes and the chain; change one."
    )


def pair(wish: Disulfide | Distance) -> str:
    return f"{wish.i + 1}-{wish.j + 1}"
