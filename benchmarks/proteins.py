"""Secondary structure beside mdtraj's DSSP, and TM-scores beside TM-align, on real chains.

    LAWFUL_DATA=DIR python benchmarks/proteins.py [--all] [--keep FILE] [--python PEERS]

One chain of every twelfth cluster of similar sequences and pairs of these; with `--all`, every cluster and 300 pairs.
`--keep` writes the peers' answers, with which the tests compare (tests/proteins/peers.json).
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from _machine import machine
from peers import environment

from lawful import proteins

HERE = Path(__file__).resolve().parent
T = TypeVar("T")


def chosen(every: int) -> dict[str, proteins.Backbone]:
    root = Path(os.environ.get("LAWFUL_DATA", HERE.parents[1] / "shared" / "data"))
    chains = proteins.read_set(root / "backbones_pdb" / "backbones_permissive.npz")
    return {chains.names[k]: chains.backbones[k] for k in proteins.representatives(chains.clusters)[::every]}


def peers(python: Path, chains: dict[str, proteins.Backbone], pairs: Sequence[tuple[str, str]]) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        asked, answers = Path(folder, "chains.json"), Path(folder, "answers.json")
        told = {name: (np.round(chain.xyz, 3).tolist(), chain.sequence) for name, chain in chains.items()}
        asked.write_text(json.dumps({"chains": told, "pairs": pairs}), encoding="utf-8")
        subprocess.run([str(python), str(HERE / "_peer_proteins.py"), str(asked), str(answers)], check=True)
        return json.loads(answers.read_text(encoding="utf-8"))


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """The second run, when all is compiled."""
    work()
    begun = time.perf_counter()
    return work(), time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="every cluster, 300 pairs")
    parser.add_argument("--keep", type=Path, help="write the peers' answers to this file")
    parser.add_argument("--python", type=Path, help="an interpreter that has both; by default one is made")
    arguments = parser.parse_args()
    steps = (["mdtraj", "tmtools"],)
    python = arguments.python or environment("proteins", HERE / "proteins-constraints.txt", steps)
    chains = chosen(1 if arguments.all else 12)
    every = list(itertools.combinations(chains, 2))
    count = min(300 if arguments.all else 48, len(every))
    pairs = [every[k] for k in np.random.default_rng(0).choice(len(every), count, replace=False)]
    answers = peers(python, chains, pairs)
    print(machine("lawful", "jax", "numpy"))
    letters, seconds = timed(
        lambda: {name: proteins.secondary_structure(chain.xyz, chain.sequence) for name, chain in chains.items()}
    )
    same = [a == b for name, told in letters.items() for a, b in zip(told, answers["dssp"][name], strict=True)]
    print(
        f"secondary structure: {sum(same)} of {len(same)} residues of {len(chains)} chains as DSSP;"
        f" {seconds:.2f} s, DSSP {answers['seconds']['dssp']:.2f} s"
    )
    off, seconds = compared(chains, pairs, answers)
    print(
        f"TM-score of {count} pairs less TM-align's: mean {np.mean(off):+.4f}, sd {np.std(off):.4f}, from"
        f" {np.min(off):+.3f} to {np.max(off):+.3f}; {seconds:.1f} s, TM-align {answers['seconds']['tm_align']:.1f} s"
    )
    if arguments.keep:
        del answers["seconds"]
        arguments.keep.write_text(json.dumps(answers, indent=1) + "\n", encoding="utf-8")


def compared(chains: dict, pairs: Sequence[tuple[str, str]], answers: dict) -> tuple[np.ndarray, float]:
    """Differences of the scores, and how long they took."""
    from lawful.proteins._similar import tm_of_pairs

    names, several = list(chains), list(chains.values())
    first, second = (np.array([names.index(pair[k]) for pair in pairs]) for k in (0, 1))
    found, seconds = timed(lambda: tm_of_pairs(several, several, first, second))
    return found - np.array([pair[2] for pair in answers["tm_align"]]), seconds


if __name__ == "__main__":
    main()
