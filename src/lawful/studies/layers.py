"""X-ray vision by law and data: the layers inside a laminate, from a tap on one end and a sensor at the other.

Three bonded layers, aluminium, acrylic glass and titanium, stand on a long steel bar. The free end is tapped; a sensor
at the foot records 150 microseconds of velocity. Nothing is known of the layers but their densities: guesses are the
same for all three, and wrong by factors of up to 5. The record is computed exactly (a recursion over reflections in
Laplace's domain, no mesh), so thicknesses are as good unknowns as moduli, and the fit has exact derivatives.

What can be known, and what cannot:

1. At normal incidence a record depends on each layer only by its impedance sqrt(rho E) and its travel time
   d sqrt(rho/E). With the density given, thickness and modulus follow. Without it no one can tell them: stretch the
   layer by a, stiffen it by a, dilute it by a, and the record is the same to the last bit. The study lets density go
   free, and prints exactly these directions, found in the Jacobian, not put in by hand. What is determined is found as
   well as before.
2. Beside every error bar stands the Cramer-Rao bound, which no unbiased method can beat, and over many draws of the
   noise the scatter of the estimates is held against it.
3. The misfit has many local minima. How often the search ends in the right one is counted.
4. If both ends of the laminate were free, the record from the far end would read the same for the laminate turned
   round. The inversion finds both answers and refuses to choose.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from .. import media
from .._core.messages import BadInput
from .._core.record import Account, Drawing, Section, Status, Table
from ..solve import Moment, watcher
from ._base import Outcome, Request
from ._specimen import COUNT, FOOT, MATERIALS, TRUTH, clean_record, noisy, unknowns, with_density, with_nothing

SUMMARY = "thickness and stiffness of three hidden layers from one tap, with error bars and what no record can tell"
OPTIONS = {
    "snr": "signal to noise in decibels of the record that is told about, 40 by default",
    "draws": "draws of the noise for each level; by default 2, 24 and 200 for quick, normal and best effort",
    "keep": "a file that keeps every finished draw, a line each, so that a run that was killed goes on from there",
}

LEVELS = (40.0, 30.0, 20.0)  # dB
SHOWN = ("thickness", "modulus")


def run(request: Request) -> Outcome:
    begun = time.monotonic()
    snr = request.number("snr", 40.0)
    draws = request.count("draws", request.pick(2, 24, 200), least=1)
    levels = LEVELS if "draws" in request.options else request.pick(LEVELS[:1], LEVELS)
    source = media.Tap(right=FOOT)
    clean = clean_record(TRUTH, source)
    told = media.invert(
        with_density,
        unknowns(3, density=False),
        noisy(clean, source, snr, request.seed).survey,
        seed=request.seed,
        progress=request.progress,
    )
    free = media.invert(
        with_nothing,
        unknowns(3, density=True),
        noisy(clean, source, snr, request.seed).survey,
        seed=request.seed,
        progress=request.progress,
    )
    kept = Kept(draws, levels, request)
    try:
        table = [coverage(clean, source, level, kept, request) for level in levels]
    finally:
        kept.watch.close()
    turned = both_ends_free(request)
    numbers = {
        **told.to_json(),
        "snr": snr,
        "bounds": bounds_json(told),
        "errors_percent": errors(told),
        "coverage": table,
        "unknown_density": {
            "undetermined": list(free.undetermined),
            "layers": free.to_json()["layers"],
            "errors_percent": errors(free, ("impedance", "travel_time")),
        },
        "both_ends_free": {"answers": 1 + len(turned.alternatives), "status": str(turned.status)},
    }
    numbers.pop("status")
    account = page(told, free, turned, table, time.monotonic() - begun)
    figures = {
        "strips": lambda: media.strips_figure(told, truth=(TRUTH["thickness"], TRUTH["modulus"])),
        "record": lambda: media.fit_figures(told)["far"],
        "landscape": lambda: landscape(told),
    }
    return Outcome(numbers, verdict(told, free, turned), text(told, free, turned, table), account, {}, figures)


def exact(name: str) -> Float[np.ndarray, " layers"]:
    """A property of the true layers, or what waves feel of them."""
    root = np.sqrt(TRUTH["modulus"] * TRUTH["density"])
    derived = {"impedance": root, "travel_time": TRUTH["thickness"] * TRUTH["density"] / root}
    return {**TRUTH, **derived}[name]


def errors(found: media.Inversion, names: tuple[str, ...] = SHOWN) -> dict[str, list[float]]:
    """Relative errors in percent, a number per layer."""
    return {name: [float(e) for e in 100 * np.abs(found.layers[name].value / exact(name) - 1)] for name in names}


def coverage(clean: np.ndarray, source: media.Tap, snr: float, kept: Kept, request: Request) -> dict[str, Any]:
    """Errors, error bars and the search over many draws of the noise, each from scratch."""
    found = kept.all_of(snr, lambda draw: one_draw(clean, source, snr, draw, request))
    misses = np.array([draw["misses"] for draw in found])
    sds, bounds = (np.array([draw[name] for draw in found]) for name in ("sds", "bounds"))
    half = len(TRUTH["thickness"])
    middle = np.median(100 * np.abs(misses), axis=0)
    spread = np.sqrt(np.mean(misses**2, axis=0))
    return {
        "snr": snr,
        "draws": len(found),
        "median_error_percent": {"thickness": float(np.max(middle[:half])), "modulus": float(np.max(middle[half:]))},
        "inside_two_sd": float(np.mean(np.abs(misses) <= 2 * sds)),
        "scatter_over_bound": [float(r) for r in spread / np.sqrt(np.mean(bounds**2, axis=0))],
        "search_success": float(np.mean([draw["reached"] for draw in found])),
        "trusted": float(np.mean([draw["trusted"] for draw in found])),
        "mean_starts": float(np.mean([draw["starts"] for draw in found])),
    }


def one_draw(clean: np.ndarray, source: media.Tap, snr: float, draw: int, request: Request) -> dict[str, Any]:
    """One inversion from scratch: misses, error bars and bounds relative to the truth, and how the search went."""
    recording = noisy(clean, source, snr, 1000 * request.seed + draw)
    found = media.invert(with_density, unknowns(3, density=False), recording.survey, seed=draw, progress=False)
    joined = lambda estimates, part: np.concatenate(
        [np.asarray(getattr(estimates[name], part)) / exact(name) for name in SHOWN]
    ).tolist()
    return {
        "misses": [value - 1 for value in joined(found.layers, "value")],
        "sds": joined(found.layers, "sd"),
        "bounds": joined(found.bounds, "sd"),
        # The right valley is one that explains the record to its noise.
        "reached": bool(found.noise["far"] < 1.1 * recording.noise),
        "trusted": found.status.converged,
        "starts": found.search.starts,
    }


class Kept:
    """Draws by level, told about as they come; with a file, each is written there as it is done, and what the file
    holds of the same seed is not computed again."""

    def __init__(self, draws: int, levels: tuple[float, ...], request: Request):
        self.draws, self.levels, self.seed = draws, levels, request.seed
        self.path = Path(request.options["keep"]) if "keep" in request.options else None
        self.done = dict(self.read()) if self.path and self.path.is_file() else {}
        self.watch = watcher(request.progress)

    def read(self) -> Iterator[tuple[tuple[float, int], dict[str, Any]]]:
        assert self.path is not None
        for number, line in enumerate(self.path.read_text(encoding="utf-8").splitlines()):
            try:
                entry = json.loads(line)
                key, seed = (float(entry["snr"]), int(entry["draw"])), entry["seed"]
            except (ValueError, KeyError, TypeError):
                if line.startswith("{"):  # cut off by a kill
                    continue
                raise BadInput(
                    f"--set keep={self.path}: line {number + 1} is no draw of this study; name a new file."
                ) from None
            if seed == self.seed:
                yield key, entry

    def all_of(self, snr: float, make: Callable[[int], dict[str, Any]]) -> list[dict[str, Any]]:
        """The draws of one level."""
        begun = self.levels.index(snr) * self.draws
        for draw in range(self.draws):
            if (snr, draw) not in self.done:
                entry = {"snr": snr, "draw": draw, "seed": self.seed, **make(draw)}
                self.done[snr, draw] = entry
                if self.path is not None:
                    with self.path.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(entry) + "\n")
            worst = max(abs(miss) for miss in self.done[snr, draw]["misses"])
            self.watch(Moment(0, begun + draw + 1, self.draws * len(self.levels), worst, {"snr": snr}))
        return [self.done[snr, draw] for draw in range(self.draws)]


def both_ends_free(request: Request) -> media.Inversion:
    """The same laminate hanging free: its far end records the same when it is turned round."""
    source = media.Tap()
    clean = clean_record(TRUTH, source, 2 * COUNT)
    recording = noisy(clean, source, 40.0, request.seed)
    return media.invert(
        with_density, unknowns(3, density=False), recording.survey, seed=request.seed, progress=request.progress
    )


def bounds_json(found: media.Inversion) -> dict[str, list[float]]:
    """Cramer-Rao bounds of what is shown, in the units of the layers."""
    return {name: np.asarray(found.bounds[name].sd).tolist() for name in SHOWN}


def verdict(told: media.Inversion, free: media.Inversion, turned: media.Inversion) -> Status:
    """Both answers must be trusted, what cannot be known must be named, and the ambiguous record refused."""
    for found in (told, free):
        if not found.status.converged:
            return found.status
    if len(free.undetermined) != len(TRUTH["thickness"]) or told.undetermined:
        return Status(False, f"{len(free.undetermined)} free directions were found where there are 3 and none")
    if len(turned.alternatives) != 1:
        return Status(False, f"{1 + len(turned.alternatives)} answers were found where there are two")
    return told.status


def text(told: media.Inversion, free: media.Inversion, turned: media.Inversion, table: list[dict]) -> str:
    """The answer for a reader at a terminal."""
    lines = ["One record, densities known (bound: Cramer-Rao, the least error bar that any unbiased method can have)"]
    bounds = bounds_json(told)
    for index, material in enumerate(MATERIALS):
        one = told.layer(index)
        lines.append(
            f"  {material:14} thickness {one['thickness']} m (bound {bounds['thickness'][index]:.2g}, true"
            f" {TRUTH['thickness'][index]:g}), modulus {one['modulus']} Pa (bound"
            f" {bounds['modulus'][index]:.2g}, true {TRUTH['modulus'][index]:g})"
        )
    lines += [f"  {said}" for said in told.sentences()]
    lines.append("The same record, densities unknown")
    lines += [f"  {said}" for said in free.sentences()[:1]]
    lines += [
        f"  {material:14} impedance {free.layer(i)['impedance']} Pa s/m (true {exact('impedance')[i]:.6g}), travel time"
        f" {free.layer(i)['travel_time']} s (true {exact('travel_time')[i]:.6g})"
        for i, material in enumerate(MATERIALS)
    ]
    lines += ["Many draws of the noise, each searched for from scratch", *table_text(table)]
    lines += ["Both ends free", f"  {turned.status}"]
    return "\n".join(lines)


def rows(table: list[dict]) -> list[tuple[str, ...]]:
    return [
        (
            f"{row['snr']:g}",
            f"{row['draws']}",
            f"{row['median_error_percent']['thickness']:.3g}",
            f"{row['median_error_percent']['modulus']:.3g}",
            f"{100 * row['inside_two_sd']:.1f}",
            f"{min(row['scatter_over_bound']):.2f} to {max(row['scatter_over_bound']):.2f}",
            f"{100 * row['search_success']:.1f}",
            f"{100 * row['trusted']:.1f}",
            f"{row['mean_starts']:.0f}",
        )
        for row in table
    ]


HEAD = (
    "SNR dB",
    "draws",
    "median error d %",
    "median error E %",
    "inside 2 sd %",
    "scatter / bound",
    "search ends right %",
    "trusted %",
    "starts",
)


def table_text(table: list[dict]) -> list[str]:
    return ["  " + line for line in Table(HEAD, tuple(rows(table))).lines()]


def landscape(told: media.Inversion):
    """How the misfit looks along the thickness of the first layer and the modulus of the second."""
    found = media.landscape(told, "thickness[0]", "modulus[1]")
    return media.landscape_figure(found, (TRUTH["thickness"][0], TRUTH["modulus"][1]))


def page(
    told: media.Inversion, free: media.Inversion, turned: media.Inversion, table: list[dict], seconds: float
) -> Account:
    """The report: the answer, what is not determined, the draws, the ambiguous record."""
    own = told.record("")
    landscape_drawing = Drawing(
        "Misfit", "many valleys; a single start would end in one of them.", lambda: landscape(told)
    )
    found_thickness = np.asarray(turned.layers["thickness"].value)
    turned_table = Table(
        ("layer", "thickness found", "thickness of the other answer"),
        tuple(
            (str(i + 1), f"{own:.5g} m", f"{other:.5g} m")
            for alternative in turned.alternatives[:1]
            for i, (own, other) in enumerate(zip(found_thickness, alternative.layers["thickness"], strict=True))
        ),
    )
    sections = (
        *own.sections,
        Section("Without the densities", tuple(free.sentences()), (free.table(),)),
        Section(
            "Many draws of the noise",
            ("Each draw was searched for from scratch; errors are the medians of the worst layer.",),
            (Table(HEAD, tuple(rows(table))),),
            (landscape_drawing,),
        ),
        Section("Both ends free", (str(turned.status),), (turned_table,)),
    )
    return Account(told.status, seconds, sections, "multistart least squares on exact layer responses")
