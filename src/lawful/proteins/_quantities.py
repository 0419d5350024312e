"""What a sequence says of a protein's charge, its amphiphilic helices and its contacts; smooth in probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput
from ._backbone import AMINO_ACIDS, Backbone
from ._ideal import ideal_cb
from ._letters import HYDROPHOBICITY, LETTERS, Soft, charges, end_charge

REACH = 7.0
APART = 3


def net_charge(soft: Soft, ph: float = 7.0, ends: bool = True) -> Float[Array, ""]:
    """The mean net charge in units of e, side chains and (with `ends`) both ends, each by itself."""
    return jnp.sum(soft @ charges(ph)) + (end_charge(ph) if ends else 0.0)


def hydrophobic_moment(soft: Soft, degrees: float = 100.0) -> Float[Array, ""]:
    """|sum_n H_n exp(i n delta)| / L, kcal/mol: how much one side of a helix (100 degrees a residue) or a strand (160
    to 180) is more hydrophobic than the other.

    Source: D. Eisenberg, R. M. Weiss, T. C. Terwilliger, PNAS 81, 140 (1984).
    """
    h = soft @ HYDROPHOBICITY
    turn = jnp.arange(len(h)) * np.deg2rad(degrees)
    square = jnp.sum(h * jnp.cos(turn)) ** 2 + jnp.sum(h * jnp.sin(turn)) ** 2
    # Where there is no moment its slope is 0, not infinite.
    some = square > 0
    return jnp.where(some, jnp.sqrt(jnp.where(some, square, 1.0)), 0.0) / len(h)


def contacts(backbone: Backbone, reach: float = REACH) -> Float[np.ndarray, "L L"]:
    """1 where two residues touch: their ideal CB within `reach` A, at least three residues apart; each pair once."""
    xyz = np.asarray(backbone.xyz)
    cb = np.asarray(ideal_cb(xyz))
    near = np.linalg.norm(cb[:, None] - cb, axis=-1) < reach
    place = np.arange(len(cb))
    return (near & (place - place[:, None] >= APART)).astype(float)


def contact_energy(
    soft: Soft, touching: Float[np.ndarray, "L L"], table: Float[np.ndarray, "letters letters"]
) -> Float[Array, ""]:
    """Sum over pairs that touch of e(a, b), in kT: how well a sequence suits a fold's contacts."""
    return jnp.sum(touching * (soft @ table @ soft.T))


def contact_table(backbones: Sequence[Backbone], prior: float = 20.0) -> Float[np.ndarray, "letters letters"]:
    """e(a, b) = -ln (N_ab / expected), kT: how much more often two residues touch than their frequencies explain.

    N_ab counts contacts (`contacts`), expected ones are those between residues that touch others as often as a and b
    do, whoever they are: quasi-chemical approximation with the mean residue as reference. `prior` contacts are added
    to both, so that rare pairs say little.

    Source: S. Miyazawa and R. L. Jernigan, J. Mol. Biol. 256, 623 (1996), for the approximation; the reference state
    here is simpler.
    Raises `BadInput` where there are no contacts.
    """
    counted = np.zeros((LETTERS, LETTERS))
    for each in backbones:
        tokens = np.array([AMINO_ACIDS.find(letter) for letter in each.sequence])
        i, j = np.nonzero(contacts(each))
        known = (tokens[i] >= 0) & (tokens[j] >= 0)
        np.add.at(counted, (tokens[i][known], tokens[j][known]), 1.0)
    counted = counted + counted.T  # each pair from both sides
    total = counted.sum()
    if total == 0:
        raise BadInput("contact_table: no residues touch in what was given.")
    share = counted.sum(axis=1) / total
    expected = total * np.outer(share, share)
    return -np.log((counted + prior) / (expected + prior))
