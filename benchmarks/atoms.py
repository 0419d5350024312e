"""What long-range forces cost an atom, against how many there are, beside torch-pme on the same term.

    python benchmarks/atoms.py [--most N] [--python PEER]

Boxes of water, points with the charges of SPC/Fw, near pairs within 6 A found beforehand and the same for both; energy
and forces in double precision on one core. Both are set to leave out 1e-4 of the forces, measured against sums of 1e-9:
lawful by its accuracy, torch-pme's P3M (five nodes) by the widest mesh that reaches it in the smallest box.

Then what the long range adds to a network: energy, forces and stress of 3,000 atoms by an untrained ShortRangeNetwork
of 32 channels and two layers with a cutoff of 5 A, alone and with MeshEwald and Dispersion (9 A), in single precision
as such networks run; and a list of neighbours made on the host and by a compiled CellList.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from _machine import machine
from peers import environment

import lawful.atoms as at
from lawful._core.compilation import options
from lawful.studies import _spc_fw as water

HERE = Path(__file__).resolve().parent
PER_EDGE, SPACING, CUTOFF, ACCURACY = (4, 6, 8, 10, 12, 15), 3.1, 6.0, 1e-4
RUNS = 10


def timed(function, *args, runs: int = RUNS) -> tuple[object, float]:
    """What it returns, and the fastest of several runs in seconds."""
    found = jax.block_until_ready(function(*args))
    seconds = []
    for _ in range(runs):
        begin = time.perf_counter()
        jax.block_until_ready(function(*args))
        seconds.append(time.perf_counter() - begin)
    return found, min(seconds)


def ours(structure: at.Structure, charges: np.ndarray, folder: Path, name: str) -> dict:
    """Our figures, with all that the peer needs in a file."""
    place, cell, q = jnp.asarray(structure.positions), jnp.asarray(structure.cell), jnp.asarray(charges)
    sums = at.MeshEwald.of(structure, ACCURACY, CUTOFF)
    slope = lambda sums: jax.jit(jax.value_and_grad(lambda r: sums(r, cell, q)), **options(3))
    exact = at.Ewald.of(structure, 1e-9) if len(structure) < 2000 else at.MeshEwald.of(structure, 1e-8, 9.0)
    reference = -np.asarray(slope(exact)(place)[1])
    (_, down), seconds = timed(slope(sums), place)
    pairs = sums.pairs
    assert pairs.shift is not None
    np.savez(
        folder / f"{name}.npz", positions=structure.positions, cell=structure.cell, charges=charges, forces=reference,
        pairs=np.stack([pairs.i, pairs.j], axis=1), shift=pairs.shift, smear=sums.smear, cutoff=CUTOFF,
    )  # fmt: skip
    error = float(np.linalg.norm(down + reference) / np.linalg.norm(reference))
    return {"atoms": len(structure), "mesh": sums.mesh, "seconds": seconds, "error": error}


def overhead(per_edge: int = 10) -> None:
    """Of the long range, beside a network; and of lists."""
    structure = water.box(per_edge, per_edge * SPACING, seed=0)
    charges = np.tile([water.OXYGEN, water.HYDROGEN, water.HYDROGEN], per_edge**3)
    network = at.ShortRangeNetwork((1, 8), jax.random.key(0), cutoff=5.0, channels=32, layers=2)
    sums, dispersion = at.MeshEwald.of(structure, ACCURACY, CUTOFF), at.Dispersion.free_atoms(structure.numbers)
    terms = {
        "network": network.term(structure),
        "coulomb": eqx.Partial(sums, charges=charges),
        "dispersion": eqx.Partial(dispersion, pairs=at.near_pairs(structure, 9.0)),
    }
    light = lambda tree: jax.tree.map(lambda x: jnp.asarray(x, np.float32) if eqx.is_inexact_array(x) else x, tree)
    seconds = []
    for names in (("network",), tuple(terms)):
        potential = light(at.HybridPotential({name: terms[name] for name in names}))
        place, cell = (jnp.asarray(each, np.float32) for each in (structure.positions, structure.cell))
        seconds.append(timed(lambda p, r, c: p(r, c).forces, potential, place, cell, runs=5)[1])
    alone, both = seconds
    print(
        f"{len(structure)} atoms, energy, forces and stress: network {alone:.2f} s, with long range {both:.2f} s:"
        f" {100 * (both / alone - 1):.0f} % more"
    )
    find = eqx.filter_jit(at.CellList.of(structure, 5.0))
    _, device = timed(find, jnp.asarray(structure.positions), jnp.asarray(structure.cell), runs=5)
    _, host = timed(lambda: at.Neighbours.of(structure, 5.0), runs=5)
    print(f"neighbours within 5 A: {1e3 * host:.0f} ms on the host, {1e3 * device:.0f} ms compiled")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=20_000, help="leave out boxes with more atoms")
    parser.add_argument("--python", type=Path, help="an interpreter that has torch-pme; by default one is made")
    arguments = parser.parse_args()
    steps = (["torch"], ["torch-pme", "vesin", "scipy"])
    python = arguments.python or environment("atoms", HERE / "atoms-constraints.txt", steps)
    rows, folder = [], Path(tempfile.mkdtemp())
    with jax.enable_x64(True):
        for n in PER_EDGE:
            if 3 * n**3 <= arguments.most:
                structure = water.box(n, n * SPACING, seed=0)
                charges = np.tile([water.OXYGEN, water.HYDROGEN, water.HYDROGEN], n**3)
                rows.append(ours(structure, charges, folder, f"{len(rows)}"))
    asked = {"files": [str(folder / f"{k}.npz") for k in range(len(rows))], "accuracy": ACCURACY, "runs": RUNS}
    told = subprocess.run(
        [str(python), str(HERE / "_peer_atoms.py")],
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    theirs = json.loads(told.stdout)
    print(machine("lawful", "jax", "numpy"))
    print("atoms, microseconds an atom of lawful, of torch-pme, forces off by in lawful, in torch-pme, meshes of both")
    for row, peer in zip(rows, theirs, strict=True):
        print(
            f"{row['atoms']:6} {1e6 * row['seconds'] / row['atoms']:8.1f} {1e6 * peer['seconds'] / row['atoms']:8.1f}"
            f" {row['error']:9.1e} {peer['error']:9.1e}   {'x'.join(map(str, row['mesh']))}"
            f" {'x'.join(map(str, peer['mesh']))}"
        )
    overhead()


if __name__ == "__main__":
    main()
