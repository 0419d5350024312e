"""Which maker makes textures on command best, on targets that none of them has seen?

    python benchmarks/generator.py --targets 24 --each 8       the table, on the shipped weights
    python benchmarks/generator.py --train FOLDER              data, surrogate, makers, weights: from nothing

Targets (friction, pressure, smallest feature) are those of held-out simulated textures that keep all bounds: "dense"
where the nearest of the library lie closer than the median, "sparse" the tenth that lies furthest. Every texture is
simulated at the pressure asked for. A hit keeps all bounds and is within 5 % of the friction.

    bare        what the maker makes
    steered     the best of 8 by the surrogate, 6 steps of each on it
    corrected   the same, and up to 3 steps by the simulator's own slopes
    mended      the nearest known texture, and up to 4 such steps at once
    random start   any texture of the library, up to 8 such steps: direct optimisation

`--ablate` names further files of makers that were trained without one of the calculator's numbers.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import equinox as eqx
import numpy as np
from _machine import machine

from lawful._core.files import read_arrays, write_arrays
from lawful._core.leaves import by_name
from lawful._core.precision import float64, use_compilation_cache
from lawful.design import Surrogate, compete, match, pairwise, scores, vendi
from lawful.design._adversarial import Relativistic, Wasserstein
from lawful.studies._ring import Ring
from lawful.studies._ring_attainable import attainable
from lawful.studies._ring_data import asked_space, at_pressure, simulated
from lawful.studies._ring_generators import HELD_OUT, Calculator, Library, by_network, library, physics
from lawful.studies._ring_judge import SIZES, Judge, Target
from lawful.studies._ring_shipped import Attainable, Shipped, blank, filled, load, save
from lawful.studies._ring_surrogate import build, learned
from lawful.studies._ring_trials import BARE, CORRECTED, DIRECT, MENDED, STEERED, Recipe, Trial, alike, makers, tried

TEXTURES, PASSES, MEMBERS = 24_000, 14, 2
PRESSURES = np.array([0.4e6, 1e6, 2.5e6, 5e6, 8e6])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, help="a folder for all that is made; goes on where it was killed")
    parser.add_argument("--textures", type=int, default=TEXTURES)
    parser.add_argument("--passes", type=int, default=PASSES)
    parser.add_argument("--flow-steps", type=int, default=1000)
    parser.add_argument("--gan-steps", type=int, default=350)
    parser.add_argument("--weights", type=Path, help="instead of those that are shipped; what --train writes to")
    parser.add_argument("--targets", type=int, default=24, help="half dense, half sparse")
    parser.add_argument("--each", type=int, default=8, help="samples for each target")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--ablate", nargs="*", type=Path, default=[])
    parser.add_argument("--only", nargs="*", help="names of makers")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    use_compilation_cache()
    print(machine("lawful", "jax", "numpy", "scipy"), flush=True)
    if arguments.train:
        made(arguments)
    else:
        table(arguments)


def made(arguments: argparse.Namespace) -> None:
    """Everything from nothing; each part is kept in the folder."""
    folder, ring = arguments.train, Ring(32)
    with float64():
        data = at_pressure(ring, simulated(ring, arguments.textures, folder / "data", progress=True))
        known = kept_library(folder, data)
        surrogate, said = kept_surrogate(folder, data, arguments.passes)
        can = kept_attainable(folder, known, ring)
    calculator, examples = Calculator.of(surrogate), known.rows(slice(None, -HELD_OUT)).examples()
    blanks, nets, spent = blank(), {}, {}
    trainings = {
        "flow": lambda path: match(examples, steps=arguments.flow_steps, path=path, progress=True),
        "gan": lambda path: compete(
            examples, contest=Relativistic(), physics=physics(calculator), variety=1.0, stamp="gan",
            steps=arguments.gan_steps, path=path, progress=True,
        ),
        "plain": lambda path: compete(
            examples, contest=Wasserstein(), steps=arguments.gan_steps, path=path, progress=True
        ),
    }  # fmt: skip
    for name, training in trainings.items():
        path = folder / f"{name}-0.npz"
        if not path.exists():
            begin = time.monotonic()
            net, _ = training(folder / f"{name}-0-state.npz")
            leaves = by_name(eqx.filter(net, eqx.is_inexact_array))
            write_arrays(path, leaves, {"seconds": time.monotonic() - begin})
        found, meta = read_arrays(path)
        nets[name], spent[name] = filled(blanks[name], found, path), meta["seconds"]
    card = {
        "what": "makers of textures of a sliding ring's face on command, and a surrogate of what such textures do",
        "data": f"{arguments.textures} random textures at random gaps, simulated; {len(known.maps)} keep all bounds,"
        f" {HELD_OUT} of them held out; no measured friction is in it",
        "seeds": {"data": 0, "order": 1, "surrogate": 0, "makers": 0},
        "surrogate": {"passes": arguments.passes, "members": MEMBERS, "held-out": said},
        "steps": {"flow": arguments.flow_steps, "gan": arguments.gan_steps, "plain": arguments.gan_steps},
        "seconds": spent,
        "command": "python benchmarks/generator.py --train FOLDER",
        "default": "nearest known",
        "licence": "Apache-2.0",
    }
    path = arguments.weights or folder / "generator.npz"
    # Only what makers may see is shipped, and looked up by retrieval; held-out textures come last.
    save(path, Shipped(calculator, nets, known, can, card))
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


def kept_library(folder: Path, data) -> Library:
    path = folder / "library.npz"
    if not path.exists():
        known = library(data)
        known = known.rows(np.random.default_rng(1).permutation(len(known.maps)))
        np.savez(path, **known._asdict())
    return Library(**dict(np.load(path)))


def kept_surrogate(folder: Path, data, passes: int) -> tuple[Surrogate, dict]:
    path = folder / "surrogate.npz"
    data = data.rows(np.random.default_rng(9).permutation(len(data)))
    rest, test = data.split(400)
    first, held = rest.split(300)
    if not path.exists():
        learned(first, held, members=MEMBERS, passes=passes, seed=0, progress=True).save(path)
    surrogate = Surrogate.load(path, asked_space(), build())
    guesses, told = surrogate.guesses(test.units), {}
    for name, score in scores(surrogate, test).items():
        off = np.abs(np.asarray(guesses[name].value) - test.values[name])
        told[name] = {"median_error_of_log": float(np.median(off)), "r2": score.r2, "cosine": score.cosine}
    print(json.dumps(told, indent=1), flush=True)
    return surrogate, told


def kept_attainable(folder: Path, known: Library, ring: Ring) -> Attainable:
    path = folder / "attainable.npz"
    if not path.exists():
        can, _ = attainable(known, Judge(ring), PRESSURES, starts=1, most=25)
        np.savez(path, **can._asdict())
    return Attainable(**dict(np.load(path)))


def targets_of(known: Library, count: int, seed: int) -> tuple[list[Target], list[str]]:
    """Half dense, half sparse, of held-out textures."""
    seen, held = known.rows(slice(None, -HELD_OUT)), known.rows(slice(-HELD_OUT, None))
    apart = np.sqrt(((held.wishes[:, None, :2] - seen.wishes[None, :, :2]) ** 2).sum(2))
    tenth = np.sort(apart, 1)[:, 9]
    rng = np.random.default_rng(seed)
    dense, sparse = np.flatnonzero(tenth < np.median(tenth)), np.argsort(-tenth)[: HELD_OUT // 10]
    rows = [*rng.choice(dense, count // 2, replace=False), *rng.choice(sparse, count - count // 2, replace=False)]
    size = lambda i: float(np.clip(SIZES[max(np.searchsorted(SIZES, held.feature[i] - 1e-9) - 1, 0)], 0.05, 0.15))
    found = [Target(float(held.friction[i]), float(held.pressure[i]), size(i)) for i in rows]
    return found, ["dense"] * (count // 2) + ["sparse"] * (count - count // 2)


def table(arguments: argparse.Namespace) -> None:
    shipped = load(arguments.weights) if arguments.weights else load()
    seen = shipped.library.rows(slice(None, -HELD_OUT))
    every = makers(shipped._replace(library=seen))
    recipes = [(name, kind, recipe) for name in arguments.only or every for kind, recipe in recipes_of(name)]
    for path in arguments.ablate:
        every[path.stem] = by_network(filled(blank()["gan"], read_arrays(path)[0], path))
        recipes.append((path.stem, "bare", BARE))
    results: dict[str, list[dict]] = {}
    print(f"{'maker':<20}{'recipe':<11}{'dense':>7}{'sparse':>8}{'valid':>7}{'median':>9}{'p90':>9}{'pairwise':>10}"
          f"{'Vendi':>7}{'novelty':>9}{'sims':>7}{'s each':>8}")  # fmt: skip
    with float64():
        judge = Judge(Ring(32))
        for seed in range(arguments.seeds):
            targets, where = targets_of(shipped.library, arguments.targets, seed)
            if seed == 0:
                of_data(seen, targets, arguments.each)
            asked = [t for t in targets for _ in range(arguments.each)]
            dense = np.array([w == "dense" for w in where for _ in range(arguments.each)])
            for name, kind, recipe in recipes:
                begin = time.monotonic()
                trial = tried(every[name], recipe, asked, shipped.calculator, judge, 100 + seed)
                row = line(name, kind, trial, dense, seen, time.monotonic() - begin)
                results.setdefault(f"{name}, {kind}", []).append(row)
                if arguments.out:
                    arguments.out.write_text(json.dumps(results, indent=1))


def recipes_of(name: str) -> list[tuple[str, Recipe]]:
    if name == "random start":
        return [("direct", DIRECT)]
    mended = [("mended", MENDED)] if name == "nearest known" else []
    return [*mended, ("bare", BARE), ("steered", STEERED), ("corrected", CORRECTED)]


def line(name: str, kind: str, trial: Trial, dense: np.ndarray, seen: Library, seconds: float) -> dict:
    told = trial.record(seen) | {
        "hits_dense": float(trial.hits[dense].mean()),
        "hits_sparse": float(trial.hits[~dense].mean()),
        "seconds_each": seconds / len(trial.hits),
        "simulations_each": trial.simulations / len(trial.hits),
    }
    percent = lambda x: "-" if x is None else f"{100 * x:.1f} %"
    various = told["diversity"]
    print(f"{name:<20}{kind:<11}{100 * told['hits_dense']:6.0f}%{100 * told['hits_sparse']:7.0f}%"
          f"{100 * told['valid_rate']:6.0f}%{percent(told['median_error']):>9}{percent(told['p90_error']):>9}"
          f"{various['pairwise'] or np.nan:10.3f}{various['vendi'] or np.nan:7.2f}{told['novelty']:9.3f}"
          f"{told['simulations_each']:7.1f}{told['seconds_each']:8.2f}", flush=True)  # fmt: skip
    return {n: v for n, v in told.items() if n not in ("targets", "friction_simulated", "valid")}


def of_data(seen: Library, targets: list[Target], each: int) -> None:
    """How much known textures differ that do what a target asks for."""
    groups = [alike(seen, t, each) for t in targets]
    far, count = np.mean([pairwise(g) for g in groups]), np.mean([vendi(g) for g in groups])
    print(f"known textures at the same targets: pairwise {far:.3f}, Vendi {count:.2f} of {each}", flush=True)


if __name__ == "__main__":
    main()
