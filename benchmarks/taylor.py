"""Taylor steps beside heyoka's and Diffrax's best: error against time, one trajectory and a thousand, derivatives.

    python benchmarks/taylor.py [--python PEER] [--quick] [--answers FILE]

All three follow the same motions in double precision; the reference is heyoka in extended precision. Seconds are of
processor time, of all cores together, and the least of several runs, so that other work on the machine counts little:
`one` of a compiled run, `thousand` of a thousand starts at once (heyoka: one after another / in its batch mode),
`derivative` of a reverse derivative of one entry by the start (heyoka, which has none: all forward ones), `compiled` of
what comes before the first. lawful's steps are taken without proofs, as the peers have none; what proofs cost is told
in a table of its own, with the price of `safe_step` for each of 10,000 bodies.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import _taylor_cases as cases
import jax
import jax.numpy as jnp
import numpy as np
from _machine import machine
from peers import environment

import lawful as lf

HERE = Path(__file__).resolve().parent
MANY, REPEATS, BODIES = 1000, 7, 10_000
STEPS = 4096


def kepler(t, y, args):
    cube = (y[0] * y[0] + y[1] * y[1]) ** -1.5
    return jnp.stack([y[2], y[3], -y[0] * cube, -y[1] * cube])


def lorenz(t, y, args):
    return jnp.stack([cases.SIGMA * (y[1] - y[0]), y[0] * (cases.RHO - y[2]) - y[1], y[0] * y[1] - cases.BETA * y[2]])


def solar_system(t, y, args):
    half = y.size // 2
    q, masses = y[:half].reshape(-1, 3), np.array(cases.MASSES)
    i, j = np.triu_indices(len(masses), 1)
    apart = q[j] - q[i]
    pull = cases.GRAVITY * apart * (jnp.sum(apart * apart, axis=1) ** -1.5)[:, None]
    signs = np.zeros((len(masses), len(i)))
    signs[i, np.arange(len(i))] = masses[j]
    signs[j, np.arange(len(i))] = -masses[i]
    return jnp.concatenate([y[half:], (signs @ pull).ravel()])


def pendulums(t, y, args):
    a, w = y[: cases.PENDULUMS], y[cases.PENDULUMS :]
    pull = cases.SPRING * jnp.diff(a)
    nothing = jnp.zeros(1)
    return jnp.concatenate([w, -jnp.sin(a) + jnp.concatenate([pull, nothing]) - jnp.concatenate([nothing, pull])])


MOTIONS = {"kepler": kepler, "lorenz": lorenz, "pendulums": pendulums, "solar system": solar_system}


def by_lawful(motion: Callable, until: float, tolerance: float, most: int = STEPS) -> Callable:
    method = lf.Taylor(tolerance, certify=False, fast=True)
    return lambda y: lf.rollout(motion, y, jnp.array([until]), method=method, most=most)[-1]


def by_diffrax(motion: Callable, until: float, tolerance: float, adjoint=None) -> Callable:
    import diffrax

    def final(y):
        found = diffrax.diffeqsolve(
            diffrax.ODETerm(motion),
            diffrax.Dopri8(),
            0.0,
            until,
            until / 1e4,
            y,
            stepsize_controller=diffrax.PIDController(rtol=tolerance, atol=tolerance),
            max_steps=16 * STEPS,
            adjoint=diffrax.ForwardMode() if adjoint is None else adjoint,
        )
        return found.ys[-1]

    return final


def timed(final: Callable, start: np.ndarray, repeats: int) -> tuple[np.ndarray, float, float]:
    """Final state, the least seconds of some runs, seconds of the first run beyond that."""
    begun = time.process_time()
    compiled = jax.jit(final)
    jax.block_until_ready(compiled(start))
    first, seconds = time.process_time() - begun, []
    for _ in range(repeats):
        begun = time.process_time()
        found = jax.block_until_ready(compiled(start))
        seconds.append(time.process_time() - begun)
    return np.asarray(found), min(seconds), first - min(seconds)


def starts(name: str) -> np.ndarray:
    start = np.tile(np.array(cases.STARTS[name]), (MANY, 1))
    start[:, 0] += 1e-6 * np.arange(MANY)
    return start


HEAD = " ".join([f"{'':13} {'library':8}", *(f"{w:>{n}}" for w, n in (
    ("tolerance", 9), ("error", 9), ("one", 10), ("thousand", 15), ("derivative", 10), ("compiled", 9)))])  # fmt: skip


def compare(answers: dict, quick: bool) -> None:
    print(HEAD)
    for name, answer in answers.items():
        exact, start = np.array(answer["exact"]), np.array(cases.STARTS[name])
        for row in answer["rows"]:
            many = f"{row['many']:.3f} / {row['lanes']:.3f}" if row.get("lanes") else f"{row.get('many', math.nan):.3f}"
            slopes = row.get("derivatives", math.nan)
            show(name, "heyoka", row["tolerance"], np.array(row["final"]), exact, row["one"], many, slopes, row["made"])
        for library in ("lawful", "Diffrax"):
            for tolerance in cases.TOLERANCES[: 4 if library == "lawful" else 3]:
                if quick and tolerance != cases.COMPARED:
                    continue
                make = by_lawful if library == "lawful" else by_diffrax
                final = make(MOTIONS[name], cases.UNTIL[name], tolerance)
                found, one, before = timed(final, start, REPEATS)
                many, slopes = math.nan, math.nan
                if tolerance == cases.COMPARED:
                    _, many, _ = timed(jax.vmap(final), starts(name), 2)
                    _, slopes, _ = timed(jax.grad(differentiable(library, name)), start, 3)
                show(name, library, tolerance, found, exact, one, f"{many:.3f}", slopes, before)


def differentiable(library: str, name: str) -> Callable:
    """The first entry of the final state, for reverse derivatives."""
    motion, until = MOTIONS[name], cases.UNTIL[name]
    if library == "lawful":
        final = by_lawful(motion, until, cases.COMPARED, most=512)
    else:
        import diffrax

        final = by_diffrax(motion, until, cases.COMPARED, diffrax.RecursiveCheckpointAdjoint())
    return lambda y: final(y)[0]


def show(name, library, tolerance, found, exact, one, many, slopes, made) -> None:
    error = np.linalg.norm(found - exact) / np.linalg.norm(exact)
    row = f"{name:13} {library:8} {tolerance:9.0e} {error:9.1e} {one:10.2e} {many:>15} {slopes:10.2e} {made:9.2f}"
    print(row.replace("nan", "  -"), flush=True)


def prices() -> None:
    """What a proof costs a step, and what `safe_step` costs a body."""
    start = np.array(cases.STARTS["kepler"])
    for words, method in {
        "without proofs": lf.Taylor(1e-12, certify=False, fast=True),
        "with proofs": lf.Taylor(1e-12, fast=True),
    }.items():
        lf.simulate(kepler, start, 1.0, method=method, progress=False)
        begun = time.perf_counter()
        run = lf.simulate(kepler, start, cases.UNTIL["kepler"], method=method, progress=False)
        each = (time.perf_counter() - begun) / run.steps.count
        print(f"kepler, {words}: {run.steps.count} steps, {1e6 * each:.0f} microseconds each")
    bodies = np.tile(start, (BODIES, 1)) * np.linspace(0.9, 1.1, BODIES)[:, None]
    step = jax.jit(jax.vmap(lambda y: lf.safe_step(kepler, y, 1e-3).quadratic))
    jax.block_until_ready(step(bodies))
    seconds, processor = [], []
    for _ in range(REPEATS):
        begun, spent = time.perf_counter(), time.process_time()
        jax.block_until_ready(step(bodies))
        seconds.append(time.perf_counter() - begun)
        processor.append(time.process_time() - spent)
    print(
        f"safe_step: {1e6 * statistics.median(processor) / BODIES:.2f} microseconds of one core a body"
        f" ({1e6 * statistics.median(seconds) / BODIES:.2f} by the clock)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", type=Path, help="an interpreter that has heyoka; by default one is made")
    parser.add_argument("--answers", type=Path, help="what heyoka answered before, kept here")
    parser.add_argument("--quick", action="store_true", help="one tolerance, 1e-12")
    arguments = parser.parse_args()
    python = arguments.python or environment("taylor", HERE / "taylor-constraints.txt", (["heyoka"],))
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.answers or Path(folder, "answers.json")
        if not path.exists():
            subprocess.run([str(python), str(HERE / "_peer_taylor.py"), str(path)], check=True)
        found = json.loads(path.read_text(encoding="utf-8"))
    print(machine("lawful", "jax", "diffrax"), f"heyoka {found['version']}")
    with jax.enable_x64(True):
        compare(found["cases"], arguments.quick)
        prices()


if __name__ == "__main__":
    main()
