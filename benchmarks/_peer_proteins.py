"""Secondary structure by mdtraj's DSSP and TM-scores by TM-align. Runs in the peers' environment.

python _peer_proteins.py chains.json answers.json
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
WORDS = "ALACYSASPGLUPHEGLYHISILELYSLEUMETASNPROGLNARGSERTHRVALTRPTYR"
NAMES = {letter: WORDS[3 * k : 3 * k + 3] for k, letter in enumerate(LETTERS)}


def dssp(xyz: np.ndarray, sequence: str) -> str:
    import mdtraj

    topology = mdtraj.Topology()
    chain = topology.add_chain()
    for letter in sequence:
        residue = topology.add_residue(NAMES[letter], chain)
        for atom in ("N", "CA", "C", "O"):
            topology.add_atom(atom, mdtraj.element.Element.getBySymbol(atom[0]), residue)
    frame = mdtraj.Trajectory((xyz / 10).reshape(1, -1, 3), topology)  # nm
    return "".join(letter.strip() or "-" for letter in mdtraj.compute_dssp(frame, simplified=False)[0])


def tm(x: np.ndarray, y: np.ndarray, sequences: tuple[str, str]) -> float:
    """By the shorter chain."""
    from tmtools import tm_align

    found = tm_align(x[:, 1], y[:, 1], *sequences)
    return float(max(found.tm_norm_chain1, found.tm_norm_chain2))


def main() -> None:
    asked, answers = sys.argv[1:]
    with open(asked, encoding="utf-8") as file:
        task = json.load(file)
    chains = {name: (np.array(xyz), sequence) for name, (xyz, sequence) in task["chains"].items()}
    begun = time.perf_counter()
    letters = {name: dssp(*chain) for name, chain in chains.items()}
    middle = time.perf_counter()
    scores = [
        [one, other, tm(chains[one][0], chains[other][0], (chains[one][1], chains[other][1]))]
        for one, other in task["pairs"]
    ]
    seconds = {"dssp": middle - begun, "tm_align": time.perf_counter() - middle}
    with open(answers, "w", encoding="utf-8") as file:
        json.dump({"dssp": letters, "tm_align": scores, "seconds": seconds}, file)


if __name__ == "__main__":
    main()
