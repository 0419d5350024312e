"""Runs are disturbed in every way that happens to them, taken up again, and compared with the undisturbed one.

    python tests/faults/campaign.py                      all kinds, more than 200 faults, some minutes
    python tests/faults/campaign.py --kind SIGTERM NaN --faults 5 --seed 3

Prints a line for each kind, and for each fault that lost something or was told badly. Exit 1 where there is one.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(HERE.parent.parent / ".cache" / "jax"))
os.environ.setdefault("MPLBACKEND", "Agg")


def main() -> int:
    from laws import METHODS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", nargs="+", default=[""], help="some kinds alone, by a part of their names")
    parser.add_argument("--faults", type=int, help="of each kind; by default as many as fit each")
    parser.add_argument("--problems", nargs="+", default=[*METHODS], choices=[*METHODS], help="which are disturbed")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    from bench import Bench, Nursery, every_step_kept
    from kinds import KINDS, killed, may_mount, small_disk

    nursery = Nursery()
    from shared import SHARED

    kinds = {**KINDS, **SHARED}
    chosen = {
        name: told for name, told in kinds.items() if any(part.lower() in name.lower() for part in arguments.kind)
    }
    rows, bad = [], 0
    with tempfile.TemporaryDirectory() as root, every_step_kept():
        bench = Bench(Path(root), tuple(arguments.problems))
        if any(name in KINDS for name in chosen):
            bench.prepare()
        for name, (count, kind) in chosen.items():
            if kind is small_disk and not may_mount():
                print(f"{name}: left out, file systems may not be mounted here", flush=True)
                continue
            draw, begin = random.Random(f"{name} {arguments.seed}"), time.monotonic()
            tries = came = kept = useful = 0
            count = arguments.faults or count
            while came < count and tries < 4 * count:
                tries += 1
                outcome = kind(bench, nursery, draw) if kind is killed else kind(bench, draw)
                for what, said in (("lost", outcome.lost), ("poor", outcome.poor)):
                    if said:
                        print(f"  {name} {tries}: {what}: {said}", flush=True)
                bad += bool(outcome.lost or outcome.poor)
                if outcome.came:
                    came, kept, useful = came + 1, kept + (not outcome.lost), useful + (not outcome.poor)
            rows.append((name, came, kept, useful))
            print(f"{name:40} {came:4} {kept:4} {useful:4}   {time.monotonic() - begin:.0f} s", flush=True)
    nursery.close()
    print("\n| fault | injected | nothing lost | exit and message right |\n|---|---:|---:|---:|")
    for name, *counts in [*rows, ("all", *(sum(row[i] for row in rows) for i in (1, 2, 3)))]:
        print(f"| {name} | {' | '.join(map(str, counts))} |")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
