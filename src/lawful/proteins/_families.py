"""Sequences from FASTA files, and which of them are relatives."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int

from .._core.messages import BadInput
from ._backbone import AMINO_ACIDS
from ._letters import LETTERS, encoded

WORD = 5


def read_fasta(path: str | Path) -> list[str]:
    """The sequences of a FASTA file, gzipped or not; those with letters beside the 20 amino acids are left out.

    Raises `BadInput` for a file that is not there, is damaged, or holds no sequence.
    """
    path = Path(path)
    if not path.is_file():
        raise BadInput(f"{path} is no file.")
    raw = path.read_bytes()
    try:
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is damaged, or no FASTA file ({error}).") from None
    records = text.split(">")[1:]
    sequences = ["".join(record.split("\n")[1:]).replace(" ", "").strip().upper() for record in records]
    found = [sequence for sequence in sequences if sequence and set(sequence) <= set(AMINO_ACIDS)]
    if not found:
        raise BadInput(f"{path} holds no protein sequence; a line '>name' begins each in FASTA files.")
    return found


def families(sequences: Sequence[str], share: float = 0.3) -> Int[np.ndarray, " sequences"]:
    """A number for each sequence, the same for relatives: those that share more than `share` of the five-letter words
    of the shorter one, and relatives of relatives.

    Words that stand in more than 200 sequences are not looked at. Models are trained and judged on different families:
    relatives of what was trained on would flatter them.
    """
    owners, words = [], []
    sizes = np.zeros(len(sequences), dtype=int)
    for k, sequence in enumerate(sequences):
        own = np.unique(words_of(encoded(sequence)))
        sizes[k] = len(own)
        owners.append(np.full(len(own), k))
        words.append(own)
    owner, word = np.concatenate(owners), np.concatenate(words)
    order = np.argsort(word, kind="stable")
    owner, word = owner[order], word[order]
    ends = np.flatnonzero(np.diff(word, append=-1)) + 1
    shared: dict[tuple[int, int], int] = {}
    for begin, end in zip(np.concatenate([[0], ends[:-1]]), ends, strict=True):
        here = owner[begin:end]
        if 1 < len(here) <= 200:
            for i, one in enumerate(here.tolist()):
                for other in here[i + 1 :].tolist():
                    shared[one, other] = shared.get((one, other), 0) + 1
    return linked(len(sequences), [pair for pair, n in shared.items() if n > share * min(sizes[list(pair)])])


def words_of(tokens: Int[np.ndarray, " L"]) -> Int[np.ndarray, " words"]:
    """Its five-letter words as numbers."""
    count = max(len(tokens) - WORD + 1, 0)
    number = np.zeros(count, dtype=np.int64)
    for k in range(WORD):
        number = number * LETTERS + tokens[k : k + count]
    return number


def linked(count: int, pairs: Sequence[tuple[int, int]]) -> Int[np.ndarray, " n"]:
    """The components of a graph, numbered from 0."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = np.array(pairs, dtype=int).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(count, count))
    return connected_components(graph, directed=False)[1]
