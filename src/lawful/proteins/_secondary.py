"""Helices and strands by their hydrogen bonds."""

from __future__ import annotations

from itertools import groupby
from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Bool, Float

from ._hydrogen_bonds import bound, hydrogen_bonds

BEND = np.deg2rad(70.0)


def secondary_structure(xyz: Float[Array | np.ndarray, "L 4 3"], sequence: str | None = None) -> str:
    """One letter a residue, as DSSP has them: H alpha, G 3-10 and I pi helix, E strand, B lone bridge, T turn, S bend,
    and - for none.

    An n-turn is a bond of C=O of residue i with N-H of residue i + n; two in a row make a helix. Two residues are a
    bridge where the bonds on either side fit a parallel or an antiparallel pair; bridges in a row make a ladder, small
    bulges allowed, and its residues a strand. Residues of several chains may stand in one array: bonds reach over chain
    breaks, turns and ladders do not.

    W. Kabsch and C. Sander, Biopolymers 22, 2577 (1983), with pi helices before alpha helices as in DSSP 2.2 and later.
    """
    xyz = np.asarray(xyz, dtype=float)
    length = len(xyz)
    piece = np.concatenate([[0], np.cumsum(~np.asarray(bound(xyz)))])
    bonds = hydrogen_bonds(xyz, sequence)
    letters = np.full(length, "-")
    for ladder in ladders(bonds, piece):
        for first, last in ((ladder.i0, ladder.i1), (ladder.j0, ladder.j1)):
            stretch = letters[first : last + 1]
            stretch[stretch != "E"] = "E" if ladder.size > 1 else "B"
    starts = {n: turns(bonds, piece, n) for n in (3, 4, 5)}
    for n, letter, over in ((4, "H", "-HGITSEB"), (3, "G", "-G"), (5, "I", "-IH")):
        for i in range(1, length - n):
            inside = letters[i : i + n]
            if starts[n][i] and starts[n][i - 1] and all(each in over for each in inside):
                inside[:] = letter
    turn = np.zeros(length, dtype=bool)
    for n, start in starts.items():
        for k in range(1, n):
            turn[k:] |= start[: length - k]
    loose = letters == "-"
    letters[loose & turn] = "T"
    letters[loose & ~turn & bends(xyz[:, 1], piece)] = "S"
    return "".join(letters)


def turns(bonds: Bool[np.ndarray, "L L"], piece: np.ndarray, n: int) -> Bool[np.ndarray, " L"]:
    """Where C=O of a residue is bonded to N-H of the n-th after it."""
    start = np.zeros(len(bonds), dtype=bool)
    if len(bonds) > n:
        start[:-n] = np.diagonal(bonds, n) & (piece[:-n] == piece[n:])
    return start


def bends(ca: Float[np.ndarray, "L 3"], piece: np.ndarray) -> Bool[np.ndarray, " L"]:
    """Where the chain turns by more than 70 degrees from two residues before to two after."""
    bend = np.zeros(len(ca), dtype=bool)
    if len(ca) > 4:
        before, after = ca[2:-2] - ca[:-4], ca[4:] - ca[2:-2]
        cosine = np.sum(before * after, axis=-1) / np.linalg.norm(before, axis=-1) / np.linalg.norm(after, axis=-1)
        bend[2:-2] = (cosine < np.cos(BEND)) & (piece[:-4] == piece[4:])
    return bend


class Ladder(NamedTuple):
    """Bridges in a row: residues i0 to i1 beside j0 to j1, `size` bridges."""

    parallel: bool
    i0: int
    i1: int
    j0: int
    j1: int
    size: int


def ladders(bonds: Bool[np.ndarray, "L L"], piece: np.ndarray) -> list[Ladder]:
    """All ladders, those that a bulge parts joined."""
    found: list[Ladder] = []
    for i, j, parallel in bridges(bonds, piece):
        for k, one in enumerate(found):
            follows = one.j1 + 1 == j if parallel else one.j0 - 1 == j
            if one.parallel == parallel and one.i1 + 1 == i and follows:
                found[k] = one._replace(i1=i, j0=min(one.j0, j), j1=max(one.j1, j), size=one.size + 1)
                break
        else:
            found.append(Ladder(parallel, i, i, j, j, 1))
    found.sort(key=lambda one: one.i0)
    k = 0
    while k < len(found):
        other = k + 1
        while other < len(found):
            if joined_by_bulge(found[k], found[other], piece):
                a, b = found[k], found.pop(other)
                found[k] = Ladder(a.parallel, a.i0, b.i1, min(a.j0, b.j0), max(a.j1, b.j1), a.size + b.size)
            else:
                other += 1
        k += 1
    return found


def bridges(bonds: Bool[np.ndarray, "L L"], piece: np.ndarray) -> list[tuple[int, int, bool]]:
    """Pairs i < j that are bridged, and whether in parallel, in the order of i, then j."""
    length = len(bonds)
    if length < 6:
        return []
    i, j = np.arange(1, length - 1)[:, None], np.arange(1, length - 1)[None, :]
    whole = piece[:-2] == piece[2:]
    allowed = (j >= i + 3) & (i + 4 < length) & whole[:, None] & whole[None, :]

    def around(x: int, y: int) -> tuple[slice, slice]:
        """Residues i + x and j + y, for all i and j that have neighbours on both sides."""
        return slice(1 + x, length - 1 + x), slice(1 + y, length - 1 + y)

    gives = lambda x, y: bonds.T[around(x, y)]  # N-H of i + x to C=O of j + y
    takes = lambda x, y: bonds[around(x, y)]  # C=O of i + x from N-H of j + y
    along = ((gives(1, 0) & takes(-1, 0)) | (takes(0, 1) & gives(0, -1))) & allowed
    against = ((gives(1, -1) & takes(-1, 1)) | (takes(0, 0) & gives(0, 0))) & allowed & ~along
    return [(int(i) + 1, int(j) + 1, bool(along[i, j])) for i, j in np.argwhere(along | against)]


def joined_by_bulge(a: Ladder, b: Ladder, piece: np.ndarray) -> bool:
    """Whether b goes on where a ends, with at most one extra residue on one strand and four on the other."""
    if a.parallel != b.parallel:
        return False
    ends_i = min(a.i0, b.i0), max(a.i1, b.i1)
    ends_j = min(a.j0, b.j0), max(a.j1, b.j1)
    if piece[ends_i[0]] != piece[ends_i[1]] or piece[ends_j[0]] != piece[ends_j[1]]:
        return False
    gap_i = b.i0 - a.i1
    gap_j = b.j0 - a.j1 if a.parallel else a.j0 - b.j1
    if not 0 < gap_i < 6 or gap_j < 0:
        return False
    return (gap_j < 6 and gap_i < 3) or gap_j < 3


def run_lengths(letters: str, kinds: str) -> list[int]:
    """Lengths of the stretches whose letters are all among `kinds`, such as "H" or "E"."""
    return [len(list(run)) for inside, run in groupby(letters, key=lambda each: each in kinds) if inside]
