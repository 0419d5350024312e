"""Sequences as numbers, and what is known of each amino acid."""

from __future__ import annotations

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._core.messages import BadInput
from ._backbone import AMINO_ACIDS

LETTERS = len(AMINO_ACIDS)
MASK = LETTERS
"""The token of a place that is not known."""

Soft = Float[Array, "L letters"]
"""A sequence as probabilities: a row for each residue, in the order of `AMINO_ACIDS`. One-hot rows are a sequence."""

_PLACE = {letter: place for place, letter in enumerate(AMINO_ACIDS)}


def encoded(sequence: str) -> Int[np.ndarray, " L"]:
    """Letters as numbers; `?` is a place that is not known.

    Raises `BadInput` for other letters, with their place.
    """
    for place, letter in enumerate(sequence):
        if letter not in _PLACE and letter != "?":
            raise BadInput(
                f"'{letter}' at residue {place + 1} is none of the 20 amino acids {AMINO_ACIDS}, and no '?' for an"
                " unknown one."
            )
    return np.array([_PLACE.get(letter, MASK) for letter in sequence], dtype=np.int32)


def decoded(tokens: Sequence[int] | Int[np.ndarray, " L"]) -> str:
    """Numbers 0 to 19 as one-letter codes, "?" where the place is masked: the inverse of `encoded`."""
    return "".join("?" if token == MASK else AMINO_ACIDS[token] for token in np.asarray(tokens).tolist())


def soft(sequence: str) -> Soft:
    """A sequence as one-hot rows; an unknown residue as equal shares."""
    tokens = encoded(sequence)
    rows = np.full((len(tokens), LETTERS), 1 / LETTERS)
    known = tokens != MASK
    rows[known] = np.eye(LETTERS)[tokens[known]]
    return jnp.asarray(rows)


def by_letter(values: dict[str, float]) -> Float[np.ndarray, " letters"]:
    return np.array([values.get(letter, 0.0) for letter in AMINO_ACIDS])


HYDROPHOBICITY = by_letter(
    dict(
        zip(
            "ARNDCQEGHILKMFPSTWYV",
            (0.62, -2.53, -0.78, -0.90, 0.29, -0.85, -0.74, 0.48, -0.40, 1.38, 1.06, -1.50, 0.64, 1.19, 0.12, -0.18,
             -0.05, 0.81, 0.26, 1.08),
            strict=True,
        )
    )
)  # fmt: skip
"""The consensus scale, kcal/mol. D. Eisenberg, E. Schwarz, M. Komaromy, R. Wall, J. Mol. Biol. 179, 125 (1984)."""

ACIDS = {"D": 3.5, "E": 4.2, "C": 6.8, "Y": 10.3}
BASES = {"H": 6.6, "K": 10.5, "R": 13.8}
"""pKa of side chains, means in folded proteins. C. N. Pace, G. R. Grimsley, J. M. Scholtz, J. Biol. Chem. 284, 13285
(2009); arginine: C. A. Fitch et al., Protein Sci. 24, 752 (2015)."""
ENDS = 7.7, 3.3
"""pKa of the chain's N- and C-terminus, ibid."""


def charges(ph: float = 7.0) -> Float[np.ndarray, " letters"]:
    """The mean charge of each side chain at a pH, in units of e, by Henderson and Hasselbalch."""
    positive = {letter: 1 / (1 + 10 ** (ph - pka)) for letter, pka in BASES.items()}
    negative = {letter: -1 / (1 + 10 ** (pka - ph)) for letter, pka in ACIDS.items()}
    return by_letter(positive | negative)


def end_charge(ph: float = 7.0) -> float:
    """The mean charge of both ends of a chain together, in units of e."""
    amine, acid = ENDS
    return 1 / (1 + 10 ** (ph - amine)) - 1 / (1 + 10 ** (acid - ph))
