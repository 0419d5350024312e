"""What a thin film with cavitation costs, with the gradient of its friction in every thickness, and how the cost grows.

    python benchmarks/lubrication.py --cells 64 128 256 512 1024

A square slider full of round dimples, first-order upwind; compiled beforehand, best of three (of one from 512 on),
every time another film. Beside the time of the wall stands that of the processors, which other work disturbs less.
"""

from __future__ import annotations

import argparse
import resource
import time

import equinox as eqx
import jax
from _machine import machine

from lawful.lubrication import JFO, Film, Grid, Upwind, dimples, flow


def friction(height, grid: Grid):
    film = Film(grid, height, 5.0, 0.03, ambient=1e5, cavitation=JFO(3e4), couette=Upwind())
    found = flow(film)
    return found.friction, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, nargs="+", default=[64, 128, 256, 512, 1024])
    print(machine("lawful", "jax", "numpy", "scipy"))
    names = f"{'with gradient / s':>18} {'CPU / s':>8} {'steps':>6} {'imbalance':>10} {'MB':>6}"
    print(f"{'cells':>12} {'solve / s':>10} {names}")
    with jax.enable_x64(True):
        for cells in parser.parse_args().cells:
            grid = Grid((cells, cells), (0.08, 0.08))
            height = 15e-6 + dimples(grid, (0.02, 0.02), 0.007, 12e-6)
            solve = eqx.filter_jit(friction)
            slope = eqx.filter_jit(eqx.filter_value_and_grad(friction, has_aux=True))
            alone, _ = best(lambda h, solve=solve, grid=grid: solve(h, grid), height)
            both, busy = best(lambda h, slope=slope, grid=grid: slope(h, grid), height)
            (_, found), _ = slope(height, grid)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            size = f"{cells} x {cells}"
            left = f"{int(found.steps):6} {float(found.imbalance):10.1e} {peak:6.0f}"
            print(f"{size:>12} {alone:10.3f} {both:18.3f} {busy:8.3f} {left}", flush=True)


def best(call, height) -> tuple[float, float]:
    """By the wall's clock and the processors'."""
    jax.block_until_ready(call(height))
    times = []
    for i in range(3 if height.size < 512**2 else 1):
        other = jax.block_until_ready(height * (1 + 0.01 * (i + 1)))  # or its matrix would be remembered
        begin, busy = time.perf_counter(), time.process_time()
        jax.block_until_ready(call(other))
        times.append((time.perf_counter() - begin, time.process_time() - busy))
    return min(times)


if __name__ == "__main__":
    main()
