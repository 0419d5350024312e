"""What no sequence can do: targets that contradict a template, or each other."""

from __future__ import annotations

import numpy as np

from ._composing import left_out
from ._letters import HYDROPHOBICITY, MASK, charges, encoded, end_charge


def reachable(
    template: str,
    charge: float,
    moment: float,
    within: tuple[float, float],
    *,
    without: str = "",
    ph: float = 7.0,
    degrees: float = 100.0,
) -> str:
    """Why no filling of a template meets a charge and a moment, or nothing where one may.

    Each letter puts a point (charge, H cos, H sin) down, their sum lies in the convex hull of all such sums, and a
    linear programme says whether the ring of the moment's size comes into it, 72 directions of it tried. A hull is
    more than its fillings: on a few residues targets may pass here and have no sequence.

    charge, moment   wanted, e and kcal/mol a residue;  within: by how much each may be missed.
    """
    from scipy.optimize import linprog

    tokens = encoded(template)
    free = np.flatnonzero(~np.asarray(left_out(without)))
    kinds = [free if token == MASK else np.array([token]) for token in tokens]
    place = np.repeat(np.arange(len(tokens)), [len(kind) for kind in kinds])
    letter = np.concatenate(kinds)
    turn = np.deg2rad(degrees) * place
    h = HYDROPHOBICITY[letter] / len(tokens)
    q = charges(ph)[letter]
    both = end_charge(ph)
    one_each = (place == np.arange(len(tokens))[:, None]).astype(float)
    most = lambda values: np.sum(np.max(np.where(one_each > 0, values, -np.inf), axis=1))
    low, high = both - most(-q), both + most(q)
    if not low - within[0] <= charge <= high + within[0]:
        return f"a net charge of {charge:g} is out of reach: this template can have {low:.1f} to {high:.1f}"
    ways = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    largest = max(most(h * np.cos(turn - way)) for way in ways)
    if moment > largest + within[1]:
        return (
            f"a hydrophobic moment of {moment:g} kcal/mol is out of reach: this template can have up to {largest:.2f}"
        )
    sums = np.stack([q, h * np.cos(turn), h * np.sin(turn)])
    slack = np.array([within[0], within[1], within[1]])
    for way in ways:
        goal = np.array([charge - both, moment * np.cos(way), moment * np.sin(way)])
        found = linprog(
            np.zeros(len(place)), A_ub=np.concatenate([sums, -sums]), b_ub=np.concatenate([goal + slack, slack - goal]),
            A_eq=one_each, b_eq=np.ones(len(tokens)), bounds=(0, 1), method="highs",
        )  # fmt: skip
        if found.status == 0:
            return ""
    return (
        f"a net charge of {charge:g} and a moment of {moment:g} kcal/mol are each within reach, together they are not"
    )
