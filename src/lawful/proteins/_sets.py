"""Sets of many chains that share labels of similar sequences, and how to split them."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import equinox as eqx
import numpy as np
from jaxtyping import Float, Int

from .._core.messages import BadInput
from ._backbone import AMINO_ACIDS, Backbone
from ._hydrogen_bonds import bound
from ._ideal import place_oxygens
from ._reading import BREAK, MISSING, OXYGENS, SHORT, UNKNOWN, Report
from ._shape import compactness


class ChainSet(eqx.Module):
    """Backbones, the cluster of similar sequences of each, and where each comes from."""

    backbones: tuple[Backbone, ...]
    clusters: Int[np.ndarray, " chains"]
    names: tuple[str, ...] = eqx.field(static=True)
    report: Report = eqx.field(static=True)

    def __len__(self) -> int:
        return len(self.backbones)

    def __getitem__(self, chosen: slice | Sequence[int] | Int[np.ndarray, " some"]) -> ChainSet:
        """Some of the chains."""
        index = np.arange(len(self))[chosen if isinstance(chosen, slice) else np.asarray(chosen, dtype=int)]
        backbones = tuple(self.backbones[k] for k in index)
        report = Report(self.report.source, len(backbones), sum(map(len, backbones)))
        return ChainSet(backbones, self.clusters[index], tuple(self.names[k] for k in index), report)


def read_set(
    path: str | Path, *, least: int = 40, most: int = 128, compact: float | None = 1.25, designed: bool = False
) -> ChainSet:
    """Chains from one packed file (.npz): xyz, offsets, seq and cluster, and atoms, which names the columns of xyz.

    least, most   residues of a chain; longer and shorter ones are left out.
    compact       the largest radius of gyration allowed, in units of 2.2 L^0.38 A (of a globular chain); None for all.
    designed      whether chains of kind "designed" are wanted beside those from experiments.

    Without atoms O they are placed in the planes of the peptides. Chains are split at breaks, their parts keep the
    cluster. What was left out is counted in the report. Raises `BadInput` for a file that is not there or not such a
    set, or where nothing is left.
    """
    path = Path(path)
    held = arrays(path)
    names = [str(name) for name in held["atoms"]]
    columns = [names.index(name) for name in ("N", "CA", "C")]
    left, noted = Counter(), Counter()
    backbones, clusters, titles = [], [], []
    for k, (begin, end) in enumerate(zip(held["offsets"][:-1], held["offsets"][1:], strict=True)):
        if not designed and "kind" in held and held["kind"][k] == "designed":
            left["designed chains"] += 1
            continue
        sequence = str(held["seq"][k])
        xyz = held["xyz"][begin:end].astype(float)
        for first, last in unbroken(xyz[:, columns], sequence, left):
            part = slice(first, last)
            length = last - first
            if length < least:
                left[SHORT] += length
            elif length > most:
                left[f"chains of more than {most} residues"] += 1
            elif compact is not None and compactness(xyz[part, columns[1]]) > compact:
                left["chains that are not compact"] += 1
            else:
                backbones.append(one_chain(xyz[part], sequence[part], names, noted))
                clusters.append(int(held["cluster"][k]))
                titles.append(f"{title(held, k)}" + (f" from {first + 1}" if first else ""))
    report = Report(path.name, len(backbones), sum(map(len, backbones)), +left, +noted)
    if not backbones:
        raise BadInput(f"{path} holds no chain of {least} to {most} residues that could be used ({report}).")
    return ChainSet(tuple(backbones), np.array(clusters), tuple(titles), report)


def arrays(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise BadInput(f"{path} does not exist; give a packed set of chains (.npz).")
    try:
        with np.load(path, allow_pickle=False) as file:
            held = {name: file[name] for name in file.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise BadInput(f"{path} is not a readable .npz file ({error}).") from None
    missing = [name for name in ("xyz", "offsets", "seq", "cluster", "atoms") if name not in held]
    if missing or not {"N", "CA", "C"} <= {str(name) for name in held["atoms"]}:
        raise BadInput(f"{path} is not a set of chains: it lacks {', '.join(missing) or 'atoms N, CA and C'}.")
    return held


def unbroken(three: Float[np.ndarray, "L 3 3"], sequence: str, left: Counter) -> list[tuple[int, int]]:
    """Ends of the stretches of known residues that are bound to one another."""
    whole = np.isfinite(three).all(axis=(1, 2))
    known = np.array([letter in AMINO_ACIDS for letter in sequence], dtype=bool)
    left[MISSING] += int(np.sum(~whole))
    left[UNKNOWN] += int(np.sum(whole & ~known))
    good = whole & known
    joined = good[1:] & good[:-1] & bound(three, BREAK)
    begins = np.flatnonzero(good & ~np.concatenate([[False], joined]))
    ends = np.flatnonzero(good & ~np.concatenate([joined, [False]])) + 1
    return [(int(a), int(b)) for a, b in zip(begins, ends, strict=True)]


def one_chain(xyz: Float[np.ndarray, "L atoms 3"], sequence: str, names: list[str], noted: Counter) -> Backbone:
    three = xyz[:, [names.index(name) for name in ("N", "CA", "C")]]
    oxygen = xyz[:, names.index("O")].copy() if "O" in names else np.full_like(three[:, 0], np.nan)
    lacking = ~np.isfinite(oxygen).all(axis=-1)
    if lacking.any():
        noted[OXYGENS] += int(lacking.sum())
        oxygen[lacking] = np.asarray(place_oxygens(three))[lacking]
    cb, sg = (xyz[:, names.index(name)] if name in names else None for name in ("CB", "SG"))
    return Backbone(np.concatenate([three, oxygen[:, None]], axis=1), sequence, cb=cb, sg=sg)


def title(held: Mapping[str, np.ndarray], k: int) -> str:
    if "name" in held:
        return str(held["name"][k])
    return " ".join(str(held[name][k]) for name in ("path", "chain") if name in held) or str(k)


def split(
    clusters: Int[np.ndarray, " chains"] | Sequence[int], fractions: Sequence[float], seed: int = 0
) -> tuple[Int[np.ndarray, " part"], ...]:
    """Which chains belong to each part, so that no cluster lies in two.

        train, test = proteins.split(chains.clusters, (0.9, 0.1))

    clusters    the label of each chain; chains of one label are similar and stay together.
    fractions   how much of the chains each part gets, summing to at most 1; met to within a cluster.
    seed        of the order in which clusters are dealt out.

    Sets that share labels are split together: join their labels first. Raises `BadInput` for fractions that are not
    positive or sum to more than 1, and where a part would be empty.
    """
    labels = np.asarray(clusters)
    share = np.asarray(fractions, dtype=float)
    if share.ndim != 1 or not share.size or not np.all(share > 0) or share.sum() > 1 + 1e-9:
        raise BadInput(f"fractions must be positive and sum to at most 1, but {list(fractions)} came.")
    order = np.random.default_rng(seed).permutation(np.unique(labels))
    rank = {int(label): k for k, label in enumerate(order)}
    ranks = np.array([rank[int(label)] for label in labels], dtype=int)
    # Where the middle of each cluster lies when all chains stand in a row.
    sizes = np.bincount(ranks, minlength=len(order))
    middle = (np.cumsum(sizes) - 0.5 * sizes) / len(labels)
    part = np.searchsorted(np.cumsum(share), middle[ranks], side="right")
    parts = tuple(np.flatnonzero(part == k) for k in range(len(share)))
    if not all(len(each) for each in parts):
        raise BadInput(f"{len(order)} clusters are too few for the fractions {list(fractions)}: a part would be empty.")
    return parts


def representatives(clusters: Int[np.ndarray, " chains"] | Sequence[int], seed: int = 0) -> Int[np.ndarray, " some"]:
    """One chain of each cluster, drawn at random; in ascending order."""
    labels = np.asarray(clusters)
    order = np.random.default_rng(seed).permutation(len(labels))
    _, first = np.unique(labels[order], return_index=True)
    return np.sort(order[first])
