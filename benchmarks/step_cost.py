"""What does a Gauss-Newton step cost, against parameters and collocation points?

    .venv/bin/python benchmarks/step_cost.py [--out DIR] [--repeats 5]

Burgers' equation with a network of three hidden layers. A step is one Jacobian and one search for a damping. Medians of
the repeats, after compilation; the exponents are slopes of straight lines in the logarithms. The last rows form the
Jacobian's triangular factor block by block, as is done where the Jacobian itself would take more than 1 GiB.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from _machine import machine

import lawful as lf
from lawful.solve import _fit
from lawful.solve._fit import FitState, hyper_of
from lawful.solve._task import WeightedSystem

WIDTHS, POINTS = (10, 14, 20, 28, 40), (1000, 2000, 4000, 8000)
FIXED_POINTS, FIXED_WIDTH = 4000, 20


def problem() -> lf.Problem:
    domain = lf.Box(x=(-1, 1), t=(0, 1))
    return lf.Problem(
        domain,
        "u",
        {"burgers": lambda u, u_t, u_x, u_xx, nu: u_t + u * u_x - nu * u_xx},
        [lf.Value(domain.at(t=0), u=lambda x: -jnp.sin(jnp.pi * x)), lf.Value(domain.at(x=(-1, 1)), u=0.0)],
        constants={"nu": 0.05},
    )


def measured(width: int, points: int, repeats: int, whole: bool = True) -> dict[str, float]:
    """Seconds of the Jacobian and of the search, and the sizes."""
    method = lf.Neural(trial=lf.MLP(width=width, depth=3), points=points)
    task = method.task(problem())
    optimiser = lf.GaussNewton().traced()
    state = FitState(np.asarray(task.start), np.zeros(0), 1.0)
    system, x = WeightedSystem(task, hyper_of(task, state)), jnp.asarray(task.start)
    look = _fit.linearised if whole else _fit.factored
    known = look(system, x)
    now = _fit.begun(optimiser, x, known[0])
    for _ in range(3):  # the first steps compile, and leave the random start behind
        now = _fit.moved(system, optimiser, now, *known)
        known = look(system, now.x)
    looks, moves = [], []
    for _ in range(repeats):
        begin = time.perf_counter()
        known = jax.block_until_ready(look(system, now.x))
        middle = time.perf_counter()
        now = jax.block_until_ready(_fit.moved(system, optimiser, now, *known))
        looks.append(middle - begin)
        moves.append(time.perf_counter() - middle)
    return {
        "parameters": len(task.start),
        "points": points,
        "jacobian": statistics.median(looks),
        "search": statistics.median(moves),
        "MB": 8e-6 * points * len(task.start) if whole else 8e-6 * 3 * len(task.start) ** 2,
    }


def exponent(rows: list[dict[str, float]], against: str, what: str) -> float:
    """The slope of log seconds over log size, of the larger half of the sizes."""
    late = rows[len(rows) // 2 - 1 :]
    x, y = (np.log([row[key] for row in late]) for key in (against, what))
    return float(np.polyfit(x, y, 1)[0])


def show(title: str, rows: list[dict[str, float]], against: str) -> None:
    print(f"\n{title}\n{'parameters':>10} {'points':>7} {'Jacobian, s':>12} {'search, s':>10} {'matrix, MB':>11}")
    for row in rows:
        print(
            f"{row['parameters']:10.0f} {row['points']:7.0f} {row['jacobian']:12.3f} {row['search']:10.3f}"
            f" {row['MB']:11.1f}"
        )
    print(
        f"exponent in {against}: Jacobian {exponent(rows, against, 'jacobian'):.2f}, search"
        f" {exponent(rows, against, 'search'):.2f}"
    )


def picture(by_parameters: list, by_points: list, blocks: list, path: Path) -> None:
    from matplotlib.figure import Figure

    fig = Figure(figsize=(9, 3.8), layout="constrained")
    for ax, rows, against in zip(fig.subplots(1, 2), (by_parameters, by_points), ("parameters", "points"), strict=True):
        for what, colour in (("jacobian", "#0072B2"), ("search", "#D55E00")):
            x, y = ([row[key] for row in rows] for key in (against, what))
            ax.loglog(x, y, "o-", color=colour, label=f"{what}, exponent {exponent(rows, against, what):.2f}")
        if against == "parameters":
            x, y = ([row[key] for row in blocks] for key in ("parameters", "jacobian"))
            ax.loglog(x, y, "s--", color="#009E73", label="factor, block by block")
        ax.set(xlabel=against, ylabel="seconds")
        ax.set_xticks([row[against] for row in rows], [f"{row[against]:.0f}" for row in rows])
        ax.minorticks_off()
        ax.legend(fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(path, dpi=150)
    print(f"written: {path}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=None, help="folder for the picture")
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    print(machine("jax", "numpy"))
    with jax.enable_x64(True):
        by_parameters = [measured(width, FIXED_POINTS, asked.repeats) for width in WIDTHS]
        by_points = [measured(FIXED_WIDTH, points, asked.repeats) for points in POINTS]
        blocks = [measured(width, FIXED_POINTS, asked.repeats, whole=False) for width in WIDTHS[1:4]]
    show(f"against parameters, {FIXED_POINTS} points", by_parameters, "parameters")
    show(f"against points, width {FIXED_WIDTH}", by_points, "points")
    show("triangular factor, block by block", blocks, "parameters")
    if asked.out is not None:
        picture(by_parameters, by_points, blocks, asked.out / "step_cost.png")


if __name__ == "__main__":
    main()
