"""Can the thin-film solver be trusted? Sliders, journal bearings and pockets whose answers are known.

    d/dx[rho h^3/(12 mu) dp/dx] + d/dy[...] = d/dx[(1 - theta) rho h U/2]
    p >= p_cav,  theta >= 0,  (p - p_cav) theta = 0

1. Films that stay full against closed forms: plane, stepped, parabolic and exponential sliders, the long bearing of
   Sommerfeld and the short one of Ocvirk, on two grids and extrapolated.
2. Fowell's pocket, whose film ruptures and reforms, against its exact load, on grids fine enough to see the order.
3. Bertocchi's pockets in two dimensions, piezoviscous and compressible, against digitised pressures.
4. Woloszynski's fully textured slider against an independent program.
5. Fourteen journal bearings of Lund and Thomsen: where the shaft stands, stiffness and damping. These are derivatives
   of the film force through the rupturing film, taken by implicit differentiation and not by differences.

Parts 3 and 5, left out at quick effort, read reference data, and say so where there are none. Friction counts the part
1 - theta of a broken film.
"""

from __future__ import annotations

import math
import time

import numpy as np

from .._core.precision import in_float64
from .._core.record import Account, Drawing, Section, Status, Table
from ..lubrication import Elrod, Flow
from ..report import BLUE, GREEN, INK, VERMILLION
from . import _bearings as known
from ._base import Outcome, Request

SUMMARY = "thin films with cavitation against closed forms, measured pockets and tables of journal bearings"
OPTIONS = {"cells": "cells of the finest grid for Fowell's pocket, 3200 by default (800 at quick effort)"}

CLOSED = 1e-6  # what closed forms must be met to


@in_float64
def run(request: Request) -> Outcome:
    begin = time.monotonic()
    cells = request.count("cells", request.pick(800, 3200), 200, 25_600)
    closed = known.sliders(request.pick(200, 500)) + known.sommerfeld(400, 0.5)
    if request.pick(False, True):
        closed.append(known.ocvirk(320, 0.5))
    pockets = {speed: fowell(cells, speed) for speed in known.FOWELL}
    wide = {kind: bertocchi(request, kind) for kind in request.pick((), ("narrow", "wide"))}
    textures = [woloszynski(count) for count in request.pick((1,), (1, 2, 4))]
    shafts = lund_thomsen(request.pick(0, 14))
    return told(closed, pockets, wide, textures, shafts, cells, time.monotonic() - begin)


def fowell(cells: int, speed: float) -> dict:
    """Errors of the load by upwind differences on two grids, their order, and what `Elrod` makes of the finest."""
    exact = known.FOWELL[speed]
    flows = [known.fowell(n, speed) for n in (cells // 4, cells)]
    errors = [float(each.load) / exact - 1 for each in flows]
    second = known.fowell(cells, speed, Elrod)
    return {
        "load": float(flows[-1].load),
        "exact": exact,
        "error": errors[-1],
        "order": math.log(errors[0] / errors[1]) / math.log(4),
        "error_elrod": float(second.load) / exact - 1,
        "friction": float(flows[-1].friction),
        "peak": float(flows[-1].peak),
        "imbalance": float(max(each.imbalance for each in flows)),
        "curves": curves(second),
    }


def curves(flow: Flow) -> dict[str, np.ndarray]:
    """Places in mm, pressures in MPa, films in micrometres and cavity fractions."""
    units = {"x": (flow.film.grid.x, 1e3), "pressure": (flow.pressure, 1e-6), "height": (flow.film.height, 1e6)}
    found = {name: unit * np.asarray(field) for name, (field, unit) in units.items()}
    return {**found, "fraction": np.asarray(flow.fraction)}


def bertocchi(request: Request, kind: str) -> dict:
    flow, seen = known.bertocchi(request.pick((100, 50), (400, 200)), kind), known.digitised()
    load = known.BERTOCCHI[kind][2]
    found = {
        "load": float(flow.load),
        "reference": load,
        "gap": float(flow.load) / load - 1,
        "line": centre_line(flow),
        "seen": None,
    }
    if seen is not None:
        x, p = seen[kind]
        rms = float(np.sqrt(np.mean((np.interp(x, *found["line"]) - p) ** 2)))
        found |= {"rms_of_peak": rms / float(np.max(p)), "seen": (x, p)}
    return found


def centre_line(flow: Flow) -> tuple[np.ndarray, np.ndarray]:
    """Places by the length, and pressures in MPa."""
    across = flow.pressure.shape[1]
    middle = np.mean(np.asarray(flow.pressure)[:, (across - 1) // 2 : across // 2 + 1], axis=1)
    return np.asarray(flow.film.grid.x)[:, 0] / float(flow.film.grid.length[0]), middle / 1e6


def woloszynski(count: int) -> dict:
    """Beside the load, that of a plate one cell smaller each way, as if the other program's rim were cells at ambient
    pressure: with it all three loads agree to 0.3 %, which suggests so and does not prove it."""
    flow = known.woloszynski(count)
    load, friction = known.WOLOSZYNSKI[count]
    inside = (1 - 1 / (30 * count)) ** 2
    return {
        "dimples": count * count,
        "load": float(flow.load),
        "load_without_rim": float(flow.load) * inside,
        "reference": load,
        "friction": float(flow.friction) * inside,
        "reference_friction": friction,
        "cavitated": float(flow.cavitated),
    }


def lund_thomsen(most: int) -> list[dict] | None:
    rows = known.lund_thomsen() if most else []
    if rows is None:
        return None
    found = []
    for row in rows[:most]:
        number = {name: value for name, value in row.items() if isinstance(value, float)}
        preload = 0.5 if "preload" in str(row["bearing"]) else 0.0
        shaft = known.balanced(number["S"], number["L_over_D"], preload)
        stiffness = np.array([[number["Kxx"], number["Kxy"]], [number["Kyx"], number["Kyy"]]])
        damping = np.array([[number["Bxx"], number["Bxy"]], [number["Bxy"], number["Byy"]]])
        found.append(
            {
                "bearing": row["bearing"],
                "S": number["S"],
                "L_over_D": number["L_over_D"],
                "eps": shaft.eps,
                "eps_table": number["eps"],
                "phi": shaft.phi,
                "phi_table": number["phi_deg"],
                "stiffness_off": float(np.max(np.abs(shaft.stiffness - stiffness)) / np.max(np.abs(stiffness))),
                "damping_off": float(np.max(np.abs(shaft.damping - damping)) / np.max(np.abs(damping))),
            }
        )
    return found


def told(closed, pockets, wide, textures, shafts, cells, seconds) -> Outcome:
    worst = max(closed, key=lambda each: each.off)
    good = worst.off < CLOSED and all(abs(p["error"]) < 0.004 * 3200 / cells for p in pockets.values())
    lines = [f"{len(closed)} closed forms: the worst off by {worst.off:.1e} ({worst.name})"]
    for speed, p in pockets.items():
        lines.append(
            f"Fowell's pocket at {speed:g} m/s: {p['load']:.3f} N/m, exact {p['exact']:.3f}: {100 * p['error']:+.3f} %"
            f" upwind (order {p['order']:.3f}), {100 * p['error_elrod']:+.4f} % Elrod, on {cells} cells"
        )
    for kind, b in wide.items():
        seen = f"rms {100 * b['rms_of_peak']:.2f} % of peak to the digitised curve" if b["seen"] else NOT_HERE
        lines.append(f"Bertocchi's {kind} pocket: {b['load']:.5g} N, other program {100 * b['gap']:+.2f} %; {seen}")
    for t in textures:
        lines.append(
            f"{t['dimples']} dimples: load {t['load']:.2f} N, without the rim {t['load_without_rim']:.2f}, other"
            f" program {t['reference']}; friction {t['friction']:.3f} N, {t['reference_friction']}"
        )
    if shafts is None:
        lines.append(f"Lund and Thomsen's bearings: {NOT_HERE}")
    elif shafts:
        eps = max(abs(s["eps"] - s["eps_table"]) for s in shafts)
        phi = sorted(abs(s["phi"] - s["phi_table"]) for s in shafts)
        force = max(max(s["stiffness_off"], s["damping_off"]) for s in shafts)
        good = good and eps < 0.01 and force < 0.06
        lines.append(
            f"{len(shafts)} bearings of Lund and Thomsen: eccentricity off by at most {eps:.4f}, attitude by"
            f" {phi[-1]:.2f} degrees (median {phi[len(phi) // 2]:.2f}), stiffness and damping by {100 * force:.1f} % of"
            f" the largest"
        )
    status = Status(good, lines[0] if good else "a figure misses its reference, see the table", "trusted")
    bare = lambda rows: {name: value for name, value in rows.items() if name not in ("curves", "line", "seen")}
    numbers = {
        "closed_forms": [{"name": c.name, "found": c.found, "reference": c.reference, "off": c.off} for c in closed],
        "worst_closed_form": worst.off,
        "fowell": {f"{speed:g}": bare(p) for speed, p in pockets.items()},
        "bertocchi": {kind: bare(b) for kind, b in wide.items()},
        "woloszynski": textures,
        "lund_thomsen": shafts,
    }
    table = Table(
        ("film", "found", "reference", "off"),
        tuple((c.name, f"{c.found:.9g}", f"{c.reference:.9g}", f"{c.off:.1e}") for c in closed),
    )
    draw = lambda: figure(pockets[1.0]["curves"], wide, shafts)
    section = Section(
        "Films whose answers are known", tuple(lines), (table,),
        (Drawing("films", "A pocket whose film ruptures and reforms, pressures beside their references.", draw),),
    )  # fmt: skip
    account = Account(status, seconds, (section,), "finite volumes, Newton's method on the active set, sparse LU")
    return Outcome(numbers, status, "\n".join(lines), account, figures={"films": draw})


NOT_HERE = "no reference data: set LAWFUL_DATA to its folder (see the README)"


def figure(pocket: dict, wide: dict, shafts: list[dict] | None):
    from matplotlib.figure import Figure

    fig = Figure(figsize=(13, 3.8), layout="constrained")
    left, middle, right = fig.subplots(1, 3)
    x = pocket["x"]
    left.plot(x, pocket["pressure"], color=BLUE, label="pressure / MPa")
    left.plot(x, 10 * pocket["fraction"], color=VERMILLION, label="10 × cavity fraction")
    left.plot(x, pocket["height"], color=INK, lw=1, label="film / μm")
    left.axvline(3.6112627, color=INK, ls=":", lw=1)
    left.set(xlabel="x / mm", ylim=(-0.5, 13), title="Fowell's pocket; dotted: exact reformation")
    left.legend(loc="upper right", fontsize="small")
    for (kind, each), colour in zip(wide.items(), (BLUE, GREEN), strict=False):
        middle.plot(*each["line"], color=colour, label=f"{kind} pocket")
        if each["seen"]:
            middle.plot(*each["seen"], "o", color=colour, ms=3, mfc="none", label=f"{kind}, digitised")
    middle.set(xlabel="x / L", ylabel="pressure / MPa", title="Bertocchi's pockets, centre line")
    if wide:
        middle.legend(loc="upper left", fontsize="small")
    for slender, colour in ((0.5, BLUE), (1.0, GREEN)):
        some = [s for s in shafts or () if s["L_over_D"] == slender and "groove" in s["bearing"]]
        right.plot([s["eps"] for s in some], [s["phi"] for s in some], color=colour, label=f"L/D = {slender:g}")
        right.plot([s["eps_table"] for s in some], [s["phi_table"] for s in some], "o", color=colour, mfc="none")
    right.set(xlabel="eccentricity", ylabel="attitude / degrees", title="Shafts; rings: Lund and Thomsen")
    right.legend()
    return fig, (left, middle, right)
