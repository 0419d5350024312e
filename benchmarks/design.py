"""Which search finds the texture of least friction with the same number of simulations?

    python benchmarks/design.py --budgets 100 400 1600 --seeds 3

A bearing pad of 16 x 16 free depths (the study `texture`) that must carry 20 N. One simulation costs 1, one with both
adjoint gradients 2, as the matrix is factored once; what a surrogate learns from counts in full. Median over seeds of
the least friction among simulated designs that carry the load, in N; "-" where none does.

    adjoint      linear programs on the solver's gradients, from a random texture
    surrogate    four fifths of the budget for data, values and gradients; then winners, and steps from the best
    cma          CMA-ES of the package cma on all 256 depths, lacking load punished
    cma pocket   the same on three numbers: length, width and depth of a pocket that is open at the inlet
    random       random free forms
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from _machine import machine
from peers import environment

from lawful._core.messages import NotTrusted
from lawful.design import Goal, Simulator, generate, improve, linear_programs, operator, optimise, scores, train, waves
from lawful.studies._pad import DEEPEST, Pad, pocket

HERE = Path(__file__).resolve().parent
LOAD = 20.0
PAD = Pad(16)
SPACE = PAD.space
GOAL = Goal("friction", {"load": (LOAD, None)})
SCALARS = ("load", "friction")


class Counted:
    """The least friction that carries the load among all that was asked, and what was asked."""

    def __init__(self):
        self.asked, self.least = 0, np.inf

    def __call__(self, depth: np.ndarray) -> float:
        """Friction with a punishment for lacking load; 2 in units of a flat pad where nothing is carried."""
        found = {name: float(value) for name, value in PAD.solved(depth).items() if name in SCALARS}
        self.asked += 1
        if found["load"] >= LOAD * (1 - 1e-5):
            self.least = min(self.least, found["friction"])
        return found["friction"] * (1 + 2 * max(1 - found["load"] / LOAD, 0.0))


def by_random(budget: int, seed: int) -> float:
    cost = Counted()
    for u in waves(SPACE, budget, seed):
        cost(np.asarray(PAD.depth(jnp.asarray(u.reshape(PAD.n, PAD.n)))))
    return cost.least


def by_adjoint(simulator: Simulator, budget: int, seed: int) -> float:
    best = optimise(simulator, GOAL, waves(SPACE, 1, seed), linear_programs(most=budget // 2, finest=1e-4))
    return float(best.walk.sample.values["friction"]) if best.kept else np.inf


def by_surrogate(simulator: Simulator, budget: int, seed: int) -> float:
    data = generate(simulator, waves(SPACE, 4 * budget // 10, seed))
    learned, held = data.split(max(len(data) // 8, 4))
    build = operator(PAD.view, width=16, depth=3, periodic=(False, False), patch=2)
    passes = int(np.clip(16_000 / len(learned), 20, 200))
    surrogate = train(SPACE, learned, build, held_out=held, members=2, passes=passes, seed=seed)
    score = scores(surrogate, held)
    left = budget // 2 - len(data) - len(data.failures)
    try:
        found = improve(
            surrogate, simulator, GOAL, waves(SPACE, 3, seed + 1), usual={name: score[name].sd for name in SCALARS},
            simulate=3, most=left - 3, close=1e-5, walker=linear_programs(most=50, finest=1e-3, better=1e-7),
        )  # fmt: skip
    except NotTrusted:
        return np.inf
    return float(found.sample.values["friction"]) if found.kept else np.inf


def by_cma(budget: int, seed: int, start: np.ndarray, depth: Callable[[np.ndarray], np.ndarray]) -> float:
    import cma

    cost = Counted()
    options = {"bounds": [0, 1], "maxfevals": budget, "seed": seed + 1, "verbose": -9}
    search = cma.CMAEvolutionStrategy(start, 0.3, options)
    while cost.asked < budget and not search.stop():
        asked = search.ask()
        search.tell(asked, [cost(depth(np.asarray(each))) for each in asked])
    return cost.least


def pocket_of(v: np.ndarray) -> np.ndarray:
    turns = iter(v)
    return DEEPEST * pocket(PAD.n, lambda low, high: low + (high - low) * float(next(turns)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budgets", type=int, nargs="+", default=[100, 400, 1600])
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    python = environment("design", HERE / "design-constraints.txt", (["cma"],))
    sys.path += [str(folder) for folder in python.parent.parent.glob("lib*/**/site-packages")]  # last: ours come first
    print(machine("lawful", "jax", "numpy", "scipy"))
    with jax.enable_x64(True):
        simulator = Simulator(PAD.simulate, SPACE, slopes=SCALARS)
        whole = lambda v: np.asarray(PAD.depth(jnp.asarray(v.reshape(PAD.n, PAD.n))))
        methods = {
            "adjoint": lambda budget, seed: by_adjoint(simulator, budget, seed),
            "surrogate": lambda budget, seed: by_surrogate(simulator, budget, seed),
            "cma": lambda budget, seed: by_cma(budget, seed, waves(SPACE, 1, seed)[0], whole),
            "cma pocket": lambda budget, seed: by_cma(budget, seed, np.full(3, 0.5), pocket_of),
            "random": by_random,
        }
        print(f"{'budget':>7}" + "".join(f"{name:>22}" for name in methods))
        for budget in arguments.budgets:
            row = f"{budget:7}"
            for search in methods.values():
                begin = time.perf_counter()
                found = np.array([search(budget, seed) for seed in range(arguments.seeds)])
                middle, seconds = float(np.median(found)), (time.perf_counter() - begin) / arguments.seeds
                row += f"{f'{middle:.5f}' if np.isfinite(middle) else '-':>12} {f'({seconds:.1f} s)':>9}"
            print(row, flush=True)


if __name__ == "__main__":
    main()
