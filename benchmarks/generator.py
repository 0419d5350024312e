"""Which maker makes textures on command best, on targets that none of them has seen?

    python benchmarks/generator.py --targets 24 --each 8        the table, on the shipped weights
    python benchmarks/generator.py --ablate FOLDER --steps 100  the critic without each of the calculator's numbers

The weights are made by `lawful run generator --effort best --set keep=FOLDER`.

Targets (friction, pressure, smallest feature) are those of held-out simulated textures that keep all bounds: "dense"
where the nearest of the library lie closer than the median, "sparse" the tenth that lies furthest; and such as physics
does not allow, "beyond", at 0.6 to 0.9 of the friction of the best free form, which must be refused. Every texture is
simulated at the pressure asked for. A hit keeps all bounds and is within 5 % of the friction.

    bare        what the maker makes
    steered     the best of 8 by the surrogate, 6 steps of each on it
    corrected   the best 4 of these in turn, up to 8 steps each by the simulator's own slopes, until one hits
    mended      up to 4 of what the maker makes, as many such steps each: no word of the surrogate

`--ablate` trains critics anew in the folder of a training, all for as many steps.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from _machine import machine

from lawful._core.precision import float64, use_compilation_cache
from lawful.design import novelty, pairwise, vendi
from lawful.studies._ring import Ring
from lawful.studies._ring_generators import Library, Maker, by_network
from lawful.studies._ring_judge import SIZES, Judge, Target, rank_of
from lawful.studies._ring_shipped import Shipped, blank, load
from lawful.studies._ring_training import WITHOUT, kept_net, school
from lawful.studies._ring_trials import BARE, MENDED, STEERED, Trial, alike, makers, recipe_of, tried


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, help="instead of those that are shipped")
    parser.add_argument("--targets", type=int, default=24, help="half dense, half sparse")
    parser.add_argument("--each", type=int, default=8, help="samples for each target")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--ablate", type=Path, help="a folder for critics that lack one of the calculator's numbers")
    parser.add_argument("--steps", type=int, default=100, help="of these critics")
    parser.add_argument("--only", nargs="*", help="names of makers")
    parser.add_argument("--kinds", nargs="*", help="names of recipes")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    use_compilation_cache()
    print(machine("lawful", "jax", "numpy", "scipy"), flush=True)
    shipped = load(arguments.weights) if arguments.weights else load()
    seen = shipped.library.apart[0]
    if arguments.ablate:
        every = ablated(shipped, arguments.ablate, arguments.steps)
    else:
        every = makers(shipped._replace(library=seen))
    table(arguments, shipped, every)


def ablated(shipped: Shipped, folder: Path, steps: int) -> dict[str, Maker]:
    folder.mkdir(parents=True, exist_ok=True)
    examples, found = shipped.library.apart[0].examples(), {}
    for name in ("plain", "gan", *(f"gan-without-{part}" for part in WITHOUT)):
        training = school(name, examples, shipped.calculator, steps, True)
        net, seconds = kept_net(folder, f"{name}-{steps}", blank()["gan"], training)
        print(f"{name}: {steps} steps, {seconds:.0f} s of a processor", flush=True)
        found[name] = by_network(net)
    return found


def targets_of(known: Library, count: int, seed: int) -> tuple[list[Target], list[str]]:
    """Half dense, half sparse, of held-out textures."""
    seen, held = known.apart
    apart = np.sqrt(((held.wishes[:, None, :2] - seen.wishes[None, :, :2]) ** 2).sum(2))
    tenth = np.sort(apart, 1)[:, 9]
    rng = np.random.default_rng(seed)
    most = 2 * (len(tenth) // 10)
    if count > most:
        raise SystemExit(f"--targets {count}: {most} at most, half of them the sparsest tenth of held-out textures.")
    dense, sparse = np.flatnonzero(tenth < np.median(tenth)), np.argsort(-tenth)[: len(tenth) // 10]
    rows = [*rng.choice(dense, count // 2, replace=False), *rng.choice(sparse, count - count // 2, replace=False)]
    size = lambda i: float(np.clip(SIZES[max(rank_of(held.feature[i]) - 1, 0)], 0.05, 0.15))
    found = [Target(float(held.friction[i]), float(held.pressure[i]), size(i)) for i in rows]
    return found, ["dense"] * (count // 2) + ["sparse"] * (count - count // 2)


def table(arguments: argparse.Namespace, shipped: Shipped, every: dict[str, Maker]) -> None:
    seen = shipped.library.apart[0]
    kinds = lambda name: {"bare": BARE, "steered": STEERED, last_of(name): recipe_of(name)}
    recipes = [
        (name, kind, recipe) for name in arguments.only or every for kind, recipe in kinds(name).items()
        if (not arguments.kinds or kind in arguments.kinds) and (kind != "steered" or recipe_of(name) is not MENDED)
    ]  # fmt: skip
    results: dict[str, list[dict]] = {}
    print(f"{'maker':<22}{'recipe':<11}{'dense':>7}{'sparse':>8}{'valid':>7}{'median':>9}{'p90':>9}{'pairwise':>10}"
          f"{'Vendi':>7}{'novelty':>9}{'broken':>8}{'sims':>7}{'s each':>8}")  # fmt: skip
    with float64():
        judge = Judge(Ring(32))
        of_beyond(shipped)
        for seed in range(arguments.seeds):
            targets, where = targets_of(shipped.library, arguments.targets, seed)
            if seed == 0:
                of_data(shipped.library, targets, arguments.each)
            asked = [t for t in targets for _ in range(arguments.each)]
            dense = np.array([w == "dense" for w in where for _ in range(arguments.each)])
            for name, kind, recipe in recipes:
                begin = time.process_time()
                trial = tried(every[name], recipe, asked, shipped.calculator, judge, 100 + seed)
                row = line(name, kind, trial, dense, seen, time.process_time() - begin)
                results.setdefault(f"{name}, {kind}", []).append(row)
                if arguments.out:
                    arguments.out.write_text(json.dumps(results, indent=1))
        if arguments.seeds > 1:
            print("means over seeds")
            for name, rows in results.items():
                printed(*name.rsplit(", ", 1), mean_of(rows))


def last_of(name: str) -> str:
    return "mended" if recipe_of(name) is MENDED else "corrected"


def mean_of(rows: list[dict]) -> dict:
    keys = ("hits_dense", "hits_sparse", "valid_rate", "median_error", "p90_error", "novelty", "broken",
            "simulations_each", "seconds_each")  # fmt: skip
    mean = lambda values: None if any(v is None for v in values) else float(np.mean(values))
    told: dict[str, Any] = {key: mean([row[key] for row in rows]) for key in keys}
    various = {key: mean([row["diversity"][key] for row in rows]) for key in ("pairwise", "vendi")}
    return told | {"diversity": various}


def of_beyond(shipped: Shipped) -> None:
    """Targets that physics does not allow, as far as free forms tell: how many are refused."""
    rng = np.random.default_rng(0)
    pressures = np.exp(rng.uniform(*np.log(shipped.attainable.pressure[[0, -1]]), 100))
    ends = [shipped.attainable.at(p) for p in pressures]
    asked = [least * rng.uniform(0.6, 0.9) for least, _, _ in ends]
    no = sum(not least <= f <= high for f, (least, _, high) in zip(asked, ends, strict=True))
    print(f"beyond what physics allows: {no} of {len(asked)} targets refused", flush=True)


def line(name: str, kind: str, trial: Trial, dense: np.ndarray, seen: Library, seconds: float) -> dict:
    told = trial.record(seen) | {
        "hits_dense": float(trial.hits[dense].mean()),
        "hits_sparse": float(trial.hits[~dense].mean()),
        "broken": float(np.mean([len(v.violations(t)) for v, t in zip(trial.verdicts, trial.targets, strict=True)])),
        "seconds_each": seconds / len(trial.hits),
        "simulations_each": trial.simulations / len(trial.hits),
    }
    printed(name, kind, told)
    return {n: v for n, v in told.items() if n not in ("targets", "friction_simulated", "valid")}


def printed(name: str, kind: str, told: dict) -> None:
    percent = lambda x: "-" if x is None else f"{100 * x:.1f} %"
    various = told["diversity"]
    print(f"{name:<22}{kind:<11}{100 * told['hits_dense']:6.0f}%{100 * told['hits_sparse']:7.0f}%"
          f"{100 * told['valid_rate']:6.0f}%{percent(told['median_error']):>9}{percent(told['p90_error']):>9}"
          f"{various['pairwise'] or np.nan:10.3f}{various['vendi'] or np.nan:7.2f}{told['novelty']:9.3f}"
          f"{told['broken']:8.2f}{told['simulations_each']:7.1f}{told['seconds_each']:8.2f}", flush=True)  # fmt: skip


def of_data(known: Library, targets: list[Target], each: int) -> None:
    """How much known textures differ that do what a target asks for, and how new a texture of the same families is."""
    seen, held = known.apart
    groups = [alike(seen, t, each) for t in targets]
    far, count = np.mean([pairwise(g) for g in groups]), np.mean([vendi(g) for g in groups])
    new = float(np.median(novelty(held.maps, seen.maps)))
    print(f"known textures at the same targets: pairwise {far:.3f}, Vendi {count:.2f} of {each}; the held-out ones:"
          f" novelty {new:.3f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
