"""What the exact forward model of a stack of layers costs with its gradient, and how the cost grows.

    python benchmarks/layers.py

The misfit of the far record's spectrum, and its derivatives in thickness, modulus, density and loss of every layer, in
double precision by one reverse pass. Best of several runs, on one core.
"""

from __future__ import annotations

import os
import time

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import jax
import jax.numpy as jnp
import numpy as np
from _machine import machine

from lawful import media

REPEATS = 40


def stack(count: int) -> media.Stack:
    """Layers of four metals and plastics in turn."""
    thickness = np.resize([0.03, 0.02, 0.025, 0.01], count)
    modulus, density = np.resize([70e9, 5.5e9, 114e9, 45e9], count), np.resize([2700.0, 1180.0, 4430.0, 1740.0], count)
    return media.Stack(thickness, modulus, density, 0.01, 1e5)


def misfit(stack: media.Stack, s, measured):
    found = media.respond(stack, s, right=media.HalfSpace(200e9, 7850.0)).far
    return jnp.sum(jnp.abs(found - measured) ** 2)


def milliseconds(layers: int, frequencies: int) -> tuple[float, float]:
    """Of the misfit with its gradient, and of compiling it."""
    s = jnp.asarray(2e3 + 2j * np.pi * np.linspace(0, 4e5, frequencies))
    tree = jax.tree.map(jnp.asarray, stack(layers))
    begun = time.perf_counter()
    program = jax.jit(jax.value_and_grad(misfit)).lower(tree, s, s).compile()
    compiling = time.perf_counter() - begun
    jax.block_until_ready(program(tree, s, s))
    best = np.inf
    for _ in range(REPEATS):
        begun = time.perf_counter()
        jax.block_until_ready(program(tree, s, s))
        best = min(best, time.perf_counter() - begun)
    return 1e3 * best, 1e3 * compiling


def main() -> None:
    print(machine("lawful", "jax", "numpy"))
    print(f"{'layers':>6} {'frequencies':>11} {'ms':>8} {'us per 100 layer-frequencies':>28} {'compiling ms':>12}")
    with jax.enable_x64(True):
        for layers, frequencies in ((10, 512), (10, 1024), (10, 2048), (20, 512), (40, 512), (80, 512), (160, 512)):
            best, compiling = milliseconds(layers, frequencies)
            share = 1e5 * best / (layers * frequencies)
            print(f"{layers:6} {frequencies:11} {best:8.3f} {share:28.2f} {compiling:12.0f}")


if __name__ == "__main__":
    main()
