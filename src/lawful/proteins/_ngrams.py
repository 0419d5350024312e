"""What counting achieves: the letters' frequencies, and those after the last few letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from .._core.messages import BadInput
from ._letters import LETTERS, encoded

BEGIN = LETTERS


@dataclass(frozen=True)
class NGram:
    """p(letter | the n - 1 letters before it), interpolated with shorter contexts after Witten and Bell.

        p_n = (count(context, letter) + kinds p_{n-1}) / (count(context) + kinds)

    where kinds is how many different letters were seen after the context. n = 1 are the frequencies of letters.

    counts   for each order from 1 to n, contexts (as one number, base 21) by letters.
    Source: I. H. Witten and T. C. Bell, IEEE Trans. Inf. Theory 37, 1085 (1991).
    """

    counts: tuple[Float[np.ndarray, "contexts letters"], ...]

    @classmethod
    def of(cls, sequences: Sequence[str], n: int) -> NGram:
        """From sequences; n of 1 to 4."""
        if not 1 <= n <= 4:
            raise BadInput(f"NGram.of(n={n}): from 1 to 4 letters; tables of more do not fill.")
        counts = [np.zeros(((LETTERS + 1) ** k, LETTERS)) for k in range(n)]
        for sequence in sequences:
            tokens = encoded(sequence)
            for k, table in enumerate(counts):
                np.add.at(table, (contexts(tokens, k), tokens), 1.0)
        return cls(tuple(counts))

    def log_probabilities(self, sequence: str) -> Float[np.ndarray, " L"]:
        """Of each letter after those before it."""
        tokens = encoded(sequence)
        p = np.full(len(tokens), 1 / LETTERS)
        for k, table in enumerate(self.counts):
            seen = table[contexts(tokens, k)]
            kinds = np.count_nonzero(seen, axis=1)
            total = seen.sum(axis=1) + kinds
            here = seen[np.arange(len(tokens)), tokens]
            p = np.where(total > 0, (here + kinds * p) / np.where(total > 0, total, 1.0), p)
        return np.log(p)

    def perplexity(self, sequences: Sequence[str]) -> float:
        """Exp of the mean of -log p over all residues."""
        said = np.concatenate([self.log_probabilities(sequence) for sequence in sequences])
        return float(np.exp(-said.mean()))


def contexts(tokens: Int[np.ndarray, " L"], k: int) -> Int[np.ndarray, " L"]:
    """The k letters before each place as one number."""
    padded = np.concatenate([np.full(k, BEGIN), tokens])
    number = np.zeros(len(tokens), dtype=np.int64)
    for back in range(k):
        number = number * (LETTERS + 1) + padded[back : back + len(tokens)]
    return number
