"""How often is the verdict right? 200 draws of the study `channel` for each number of sensors and level of noise.

    python benchmarks/channel_coverage.py --draws 200 --out coverage.json

For each cell: how often the missing term u_x was named, and alone; how often the 95 % interval held its coefficient 2;
how often a model that lacks nothing was flagged, at the level of the tool (1 %) and at 5 %; and how often a mesh too
coarse to judge was blamed, once by collocation on 4 nodes and 2 steps, once by upwind differences of the right equation
on 20 cells. Every draw has noise of its own and is judged from the beginning. With 200 draws, 184 to 196 intervals is
what chance allows an honest 95 %.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from _machine import machine

import lawful as lf
from lawful._core.precision import use_compilation_cache
from lawful.solve import at_sensors
from lawful.studies import channel
from lawful.verify import ForwardModel, Kind, Measurements, judge


def setup(sensors: int, percent: float, method: lf.Collocation) -> tuple[ForwardModel, Measurements]:
    problem = channel.problem(*channel.readings(0, sensors, percent))
    return at_sensors(problem, channel.terms(problem), method)


def cell(sensors: int, percent: float, draws: int, flow: float, method: lf.Collocation) -> dict:
    """Counts over the draws of one cell."""
    model, data = setup(sensors, percent, method)
    counts = dict.fromkeys(("named", "alone", "covered", "flagged", "flagged_5", "blamed", "other"), 0)
    values, p_values, begin = [], [], time.monotonic()
    for seed in range(draws):
        columns, sd = channel.readings(seed, sensors, percent, flow)
        found = judge(model, data.like(columns["u"], sd))
        counts["named"] += "u_x" in found.missing
        counts["alone"] += found.missing == ("u_x",)
        counts["flagged"] += found.rejected
        counts["flagged_5"] += bool(found.p < 0.05)
        counts["blamed"] += found.kind in (Kind.GRID, Kind.NOT_VERIFIED)
        counts["other"] += found.kind in (Kind.UNEXPLAINED, Kind.NOISE)
        p_values.append(found.p)
        if found.missing == ("u_x",):
            [estimate] = found.coefficients
            low, high = estimate.interval(0.95)
            counts["covered"] += bool(low <= flow <= high)
            values.append((float(estimate.value), float(estimate.sd)))
    seconds = (time.monotonic() - begin) / draws
    spread = (
        {"mean": float(np.mean([v for v, _ in values])), "sd": float(np.mean([s for _, s in values]))} if values else {}
    )
    return {"sensors": sensors, "noise": percent, "flow": flow, "draws": draws, **counts, **spread, "seconds": seconds}


def upwind(draws: int) -> dict:
    """How often the mesh is blamed where the equation is right and its upwind solution coarse."""
    blamed, alone = 0, 0
    for seed in range(draws):
        judged, name, z = channel.upwind_trap(seed)
        blamed += judged.kind is Kind.GRID
        alone += name == "u_xx" and abs(z) > 5
    return {"draws": draws, "blamed": blamed, "score_test_alone_names_u_xx": alone}


def line(row: dict) -> str:
    what = "null" if row["flow"] == 0 else "flow"
    text = f"{what} {row['sensors']:3d} sensors {row['noise']:4g} %: "
    if row["flow"] == 0:
        text += f"flagged {row['flagged']} (at 5 %: {row['flagged_5']})"
    else:
        text += f"named {row['named']}, alone {row['alone']}, covered {row['covered']} of these"
        text += f", {row.get('mean', float('nan')):.4f} ± {row.get('sd', float('nan')):.2g}"
    return (
        f"{text}; blamed {row['blamed']}, other {row['other']}; of {row['draws']}, {1e3 * row['seconds']:.0f} ms each"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--sensors", type=int, nargs="+", default=[5, 20, 50])
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 1.0, 5.0, 10.0])
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    use_compilation_cache()
    print(machine("jax", "numpy", "scipy"), flush=True)
    fine = lf.Collocation(nodes=14, steps=10, stages=5)
    finest = lf.Collocation(nodes=16, steps=14, stages=6)
    coarse = lf.Collocation(nodes=4, steps=2, stages=2)
    rows = [{**cell(20, 5.0, arguments.draws, channel.FLOW, coarse), "mesh": "4 nodes, 2 steps"}]
    print(f"coarse collocation: {line(rows[-1])}", flush=True)
    trap = upwind(arguments.draws)
    print(f"upwind: {trap}", flush=True)
    for sensors in arguments.sensors:
        for percent in arguments.noise:
            for flow in (channel.FLOW, 0.0):
                draws = arguments.draws if percent else 1  # without noise all draws are the same
                rows.append(cell(sensors, percent, draws, flow, fine if percent else finest))
                print(line(rows[-1]), flush=True)
    if arguments.out:
        arguments.out.write_text(json.dumps({"cells": rows, "upwind": trap}, indent=1))


if __name__ == "__main__":
    main()
