"""Do derivatives by name cost more than derivatives nested by hand?

    python benchmarks/derivatives.py
    python benchmarks/derivatives.py --points 1024 --repetitions 101 --single

For each law the residual at all points, and the gradient of its mean square with respect to the network's
parameters, are computed twice from the same network and points: with `jax.jvp` nested by hand, where each
level hands on value and slope together, and with `lawful.calculus.partials`. Both go through
`jit(vmap(...))`.

The two are timed in turn, in an order that alternates, so that whatever else the machine does meets both
alike; the ratio is the median over the pairs, with the quartiles. Compilation (tracing included) is timed
once each, the compilation cache off. Before anything is timed the two results are compared.

The last law is run on a softplus network: softplus has a derivative of its own in JAX, so there is no series
rule for it, and `partials` nests `jax.jvp` there as one would by hand.

Exit status 1 where a median ratio exceeds 1.15, the ceiling that the library promises.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from importlib import metadata
from typing import Any, NamedTuple

from _machine import now, processor

CEILING = 1.15
NU, DISPERSION = 0.01, 0.0025  # any numbers do: they do not change the cost
Net = Callable[..., Any]
"""A network as a function of two coordinates: net(x, second) -> number."""


class Law(NamedTuple):
    """A residual written twice: from `partials`, and with nested `jax.jvp`."""

    name: str
    wanted: tuple[tuple[str, ...], ...]
    by_name: Callable
    by_hand: Callable
    activation: str = "tanh"


def along(f: Callable) -> Callable:
    """One level of nesting: x -> (f(x), f'(x))."""
    import jax
    import jax.numpy as jnp

    return lambda x: jax.jvp(f, (x,), (jnp.ones_like(x),))


def burgers_by_hand(u: Net, x, t):
    _, u_t = along(lambda t: u(x, t))(t)
    (value, u_x), (_, u_xx) = along(along(lambda x: u(x, t)))(x)
    return u_t + value * u_x - NU * u_xx


def kdv_by_hand(u: Net, x, t):
    _, u_t = along(lambda t: u(x, t))(t)
    ((value, u_x), _), (_, (_, u_xxx)) = along(along(along(lambda x: u(x, t))))(x)
    return u_t + value * u_x + DISPERSION * u_xxx


def kuramoto_by_hand(u: Net, x, t):
    _, u_t = along(lambda t: u(x, t))(t)
    fourfold = along(along(along(along(lambda x: u(x, t)))))(x)
    (((value, u_x), (_, u_xx)), _), (_, (_, (_, u_xxxx))) = fourfold
    return u_t + value * u_x + u_xx + u_xxxx


def biharmonic_by_hand(u: Net, x, y):
    def second(f: Callable) -> Callable:
        return lambda x: along(along(f))(x)[1][1]

    u_xxxx = second(second(lambda x: u(x, y)))(x)
    u_yyyy = second(second(lambda y: u(x, y)))(y)
    u_xxyy = second(lambda y: second(lambda x: u(x, y))(x))(y)
    return u_xxxx + 2 * u_xxyy + u_yyyy


def burgers_by_name(u):
    return u["t",] + u[()] * u["x",] - NU * u["x", "x"]


def kdv_by_name(u):
    return u["t",] + u[()] * u["x",] + DISPERSION * u["x", "x", "x"]


def kuramoto_by_name(u):
    return u["t",] + u[()] * u["x",] + u["x", "x"] + u["x", "x", "x", "x"]


def biharmonic_by_name(u):
    # The second coordinate is called t here too, so that all laws share one network.
    return u["x", "x", "x", "x"] + 2 * u["t", "t", "x", "x"] + u["t", "t", "t", "t"]


LOW = ((), ("t",), ("x",))
KS = (*LOW, ("x", "x"), ("x",) * 4)
LAWS = (
    Law("Burgers, order 2", (*LOW, ("x", "x")), burgers_by_name, burgers_by_hand),
    Law("Korteweg-de Vries, order 3", (*LOW, ("x",) * 3), kdv_by_name, kdv_by_hand),
    Law("Kuramoto-Sivashinsky, order 4", KS, kuramoto_by_name, kuramoto_by_hand),
    Law(
        "biharmonic, order 4 mixed",
        (("x",) * 4, ("t", "t", "x", "x"), ("t",) * 4),
        biharmonic_by_name,
        biharmonic_by_hand,
    ),
    Law("Kuramoto-Sivashinsky, softplus", KS, kuramoto_by_name, kuramoto_by_hand, "softplus"),
)


def network(key, sizes: tuple[int, ...]) -> list:
    """Weights and biases of a dense network, at the scale of its widths."""
    import jax
    import jax.numpy as jnp

    keys = jax.random.split(key, len(sizes) - 1)
    return [
        (jax.random.normal(k, (m, n)) / jnp.sqrt(m), jnp.zeros(n))
        for k, m, n in zip(keys, sizes[:-1], sizes[1:], strict=True)
    ]


def evaluate(parameters: list, activation: Callable, x, t):
    """The network's value at one point."""
    import jax.numpy as jnp

    h = jnp.stack([x, t])
    for weight, bias in parameters[:-1]:
        h = activation(h @ weight + bias)
    weight, bias = parameters[-1]
    return (h @ weight + bias)[0]


def residuals(law: Law, lawful: bool) -> Callable:
    """The function (parameters, points) -> the law's residual at each point."""
    import jax
    import jax.numpy as jnp

    from lawful.calculus import partials

    activation = {"tanh": jnp.tanh, "softplus": jax.nn.softplus}[law.activation]

    def at(parameters, x, t):
        def u(x, t):
            return evaluate(parameters, activation, x, t)

        return law.by_name(partials(u, law.wanted)(x=x, t=t)) if lawful else law.by_hand(u, x, t)

    return lambda parameters, points: jax.vmap(lambda point: at(parameters, *point))(points)


def compiled(function: Callable, *arguments) -> tuple[Callable, float]:
    """The function compiled for these arguments, and the seconds that took, tracing included."""
    import jax

    start = time.perf_counter()
    program = jax.jit(function).lower(*arguments).compile()
    return program, time.perf_counter() - start


def milliseconds(program: Callable, *arguments) -> float:
    import jax

    start = time.perf_counter()
    jax.block_until_ready(program(*arguments))
    return 1e3 * (time.perf_counter() - start)


def difference(a, b) -> float:
    """The largest difference of two trees of arrays, relative to the largest entry of each array."""
    import jax
    import jax.numpy as jnp

    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return max(float(jnp.max(jnp.abs(p - q)) / jnp.max(jnp.abs(q))) for p, q in pairs)


class Row(NamedTuple):
    law: str
    what: str
    hand_ms: float
    lawful_ms: float
    ratio: float
    quartiles: tuple[float, float]
    hand_compile: float
    lawful_compile: float
    difference: float


def measure(law: Law, what: str, options: argparse.Namespace) -> Row:
    """Time one law both ways on the same network and points."""
    import jax
    import jax.numpy as jnp

    def task(lawful: bool) -> Callable:
        residual = residuals(law, lawful)
        if what == "residual":
            return residual
        return jax.grad(lambda parameters, points: jnp.mean(residual(parameters, points) ** 2))

    parameters = network(jax.random.key(0), (2, *(options.width,) * options.depth, 1))
    points = jax.random.uniform(jax.random.key(1), (options.points, 2), minval=-1.0)
    hand, hand_compile = compiled(task(False), parameters, points)
    lawful, lawful_compile = compiled(task(True), parameters, points)
    apart = difference(lawful(parameters, points), hand(parameters, points))
    hand_ms, lawful_ms = [], []
    for repetition in range(options.repetitions):
        turns = [(hand, hand_ms), (lawful, lawful_ms)]
        for program, times in turns if repetition % 2 else reversed(turns):
            times.append(milliseconds(program, parameters, points))
    ratios = [b / a for a, b in zip(hand_ms, lawful_ms, strict=True)]
    lower, middle, upper = statistics.quantiles(ratios, n=4)
    medians = statistics.median(hand_ms), statistics.median(lawful_ms)
    return Row(law.name, what, *medians, middle, (lower, upper), hand_compile, lawful_compile, apart)


def header(options: argparse.Namespace) -> str:
    import jax
    import numpy as np

    backend = jax.devices()[0]
    precision = "float32" if options.single else "float64"
    return (
        f"{now()}; {processor()}, {os.cpu_count()} cores, {platform.system()}; device {backend.device_kind}\n"
        f"Python {platform.python_version()}, jax {jax.__version__}, jaxlib {metadata.version('jaxlib')},"
        f" numpy {np.__version__}; {precision}\n"
        f"network 2-{options.depth}x{options.width}-1, {options.points} points,"
        f" {options.repetitions} interleaved pairs; times are medians"
    )


def line(row: Row) -> str:
    return (
        f"| {row.law} | {row.what} | {row.hand_ms:.1f} | {row.lawful_ms:.1f} | {row.ratio:.2f}"
        f" | {row.quartiles[0]:.2f} to {row.quartiles[1]:.2f} | {row.hand_compile:.2f}"
        f" | {row.lawful_compile:.2f} | {row.difference:.0e} |"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--points", type=int, default=4096)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--repetitions", type=int, default=41, help="interleaved pairs of each measurement")
    parser.add_argument("--single", action="store_true", help="float32 instead of float64")
    options = parser.parse_args()

    import jax

    jax.config.update("jax_enable_compilation_cache", False)
    with jax.enable_x64(not options.single):
        print(header(options), end="\n\n")
        print(
            "| law | computed | by hand (ms) | lawful (ms) | ratio | quartiles | compile by hand (s)"
            " | compile lawful (s) | difference |"
        )
        print("|---|---|---|---|---|---|---|---|---|")
        rows = []
        for law in LAWS:
            for what in ("residual", "gradient"):
                rows.append(measure(law, what, options))
                print(line(rows[-1]), flush=True)
    worst = max(rows, key=lambda row: row.ratio)
    print(f"\nlargest ratio: {worst.ratio:.2f} ({worst.law}, {worst.what}); ceiling {CEILING}")
    return 0 if worst.ratio <= CEILING else 1


if __name__ == "__main__":
    sys.exit(main())
