"""Two molecules: learned where they are near, right where they are far.

Energies of interaction of 91 pairs of molecules, neutral and charged, are known along curves of their separation. A
network with multipoles, induction and dispersion of its own (`HybridNetwork`) learns those up to 1.25 times the
equilibrium, and nothing further out. Of further pairs that touch, symmetry-adapted perturbation theory told
electrostatics, exchange and dispersion apart: its terms learn these first, one by one, and then all is learned
together. It is then judged at twice the equilibrium, beside the same network without physics, which sees nothing
there. Then the tails: exponents of the distance between 15 and 200 A, which must go to those of the laws of charges,
dipoles and dispersion, and what is left at 1000 A, where nothing may leak. At normal effort the terms are held against
the same theory for pairs cut out of proteins, none of which was learned from.

Efforts quick and normal judge the weights that come with the package (`weights/dimer.npz`, `dimer_network.npz`), on a
third of the curves and on all; an hour made them on one core. Effort best trains anew.

Sources: S66x8: J. Rezac, K. E. Riley and P. Hobza, J. Chem. Theory Comput. 7, 2427 (2011); IonicHB: J. Rezac and P.
Hobza, J. Chem. Theory Comput. 8, 141 (2012); NBC10ext: D. G. A. Smith et al., J. Phys. Chem. Lett. 7, 2197 (2016);
SAPT10K: doi 10.1063/5.0204064.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import jax
import numpy as np
from scipy.spatial.transform import Rotation

from .._core.messages import BadInput
from .._core.record import Account, Drawing, Section, Status, Table
from ..atoms import (
    KCAL_PER_MOL,
    Ensemble,
    Frames,
    HybridNetwork,
    Interactions,
    NetworkAlone,
    Structure,
    Tolerances,
    train,
)
from ..report import BLUE, GREEN, INK, ORANGE, VERMILLION
from ._base import Effort, Outcome, Request
from ._dimers import (
    NEAR,
    NUMBERS,
    PROTEINS,
    TOLERANCE,
    Component,
    Dimer,
    components,
    dimers,
    frames_of,
    only_energies,
    parts_of,
    terms_of,
    to_learn_parts_from,
    told_apart,
)
from ._tails import AXIS, FURTHEST, NEAREST, Left, Pair, Tail, left_over, tails

SUMMARY = "molecules that were learned near each other only, and are right far apart"
OPTIONS = {
    "epochs": "passes over the pairs at effort best, 3/2 of it for their parts (16)",
    "members": "networks in each ensemble at effort best (1)",
    "keep": "a folder for the state of the trainings at effort best, which go on there after a kill",
}
FAR = 1.9
WEIGHTS = Path(__file__).with_name("weights")
TOGETHER = 900  # pairs with parts, of those they were learned from, that all is learned from
GOAL = 0.05  # kcal/mol at twice the equilibrium
SHOWN = ("Water-Water", "AcOH-AcOH", "Benzene-Benzene_pi-pi", "acetatewater")


def hybrid(key: jax.Array) -> Interactions:
    return Interactions(network(key))


def without_physics(key: jax.Array) -> Interactions:
    return Interactions(NetworkAlone(network(key).short))


def network(key: jax.Array) -> HybridNetwork:
    return HybridNetwork(tuple(NUMBERS.values()), key, cutoff=4.0, sight=3.0, channels=16, layers=1)


def learned(request: Request, known: Sequence[Dimer]) -> tuple[Ensemble, Ensemble]:
    """With and without physics: trained anew at effort best, else what comes with the package."""
    builds = {"dimer": hybrid, "dimer_network": without_physics}
    given = [name for name in OPTIONS if name in request.options]
    if request.effort is not Effort.BEST:
        if given:
            raise BadInput(f"--set {given[0]} is for a training; add --effort best.")
        first, second = (Ensemble.load(WEIGHTS / f"{name}.npz", b(jax.random.key(0))) for name, b in builds.items())
        return first, second
    parts = to_learn_parts_from(told_apart())  # those nearest the curves come first
    if not parts:
        raise BadInput("sapt10k/sapt10k.zip was not found; set LAWFUL_DATA to the folder that holds sapt10k/.")
    curves = [dimer for dimer in known if dimer.place <= NEAR]
    keep = request.options.get("keep")
    epochs, members = request.count("epochs", 16, 1), request.count("members", 1, 1, 8)

    def taught(build: Callable[[jax.Array], Interactions] | Ensemble, frames: Frames, name: str, **how) -> Ensemble:
        folder = None if keep is None else Path(keep) / name
        usual = {"epochs": epochs, "rate": 5e-3, "tolerances": Tolerances(energy=TOLERANCE, terms=TOLERANCE)}
        settings = {**usual, "batch": 16, "members": members, "seed": request.seed, **how}
        return train(build, frames, frames, folder=folder, resume=True, progress=request.progress, **settings)

    together = frames_of([*curves, *parts[:TOGETHER]])
    alone = taught(without_physics, only_energies(together), "dimer_network")
    narrow = Tolerances(terms=0.4 * TOLERANCE, share=0.03)
    physics = taught(hybrid, parts_of(parts), "dimer_parts", epochs=3 * epochs // 2, tolerances=narrow)
    return taught(physics, together, "dimer", rate=3e-3), alone


def run(request: Request) -> Outcome:
    begin = time.monotonic()
    known = dimers()
    both = learned(request, known)
    if request.effort is Effort.QUICK:
        curves = sorted({(d.source, d.curve) for d in known})
        chosen = {*curves[::3], *((s, c) for s, c in curves if c in SHOWN)}
        known = [dimer for dimer in known if (dimer.source, dimer.curve) in chosen]
    frames, truth = frames_of(known), np.array([dimer.energy for dimer in known]) / KCAL_PER_MOL
    said = {name: energies(each, frames) for name, each in zip(("hybrid", "network"), both, strict=True)}
    model = both[0].member(0).model
    ends = tails(model, pairs_for_tails(known))
    apart = left_over(model, [pair_of(dimer) for dimer in first_of_each(known)])
    proteins = [] if request.effort is Effort.QUICK else [d for d in told_apart() if d.source in PROTEINS]
    terms = components(model, proteins) if proteins else []
    numbers = figures_of(known, truth, said, ends, apart, terms)
    status = verdict(numbers)
    tables = told(numbers)
    draw = lambda: figure(known, truth, said, ends)
    caption = (
        "Curves that were learned left of the dotted line only, errors against the separation, and the exponents of"
        " the tails."
    )
    section = Section("Near and far", (str(status),), tables, (Drawing("curves", caption, draw),))
    return Outcome(
        numbers,
        status,
        "\n\n".join("\n".join(table.lines()) for table in tables),
        Account(status, time.monotonic() - begin, (section,), "a network with charges, dipoles and dispersion"),
        figures={"curves": draw},
    )


def energies(ensemble: Ensemble, frames: Frames) -> np.ndarray:
    """Of interaction, kcal/mol, the mean of the members."""
    members = [terms_of(ensemble.member(k).model, frames) for k in range(ensemble.members)]
    return np.mean([np.sum(list(terms.values()), axis=0) for terms in members], axis=0)


def first_of_each(known: Sequence[Dimer]) -> list[Dimer]:
    return list({(d.source, d.curve): d for d in reversed(known)}.values())


def monomers(dimer: Dimer) -> tuple[Structure, Structure]:
    first = np.asarray(dimer.fragments.of) == 0
    places, numbers = np.asarray(dimer.structure.positions), dimer.structure.numbers
    return Structure(places[first], numbers[first]), Structure(places[~first], numbers[~first])


def pair_of(dimer: Dimer) -> Pair:
    charges = tuple(float(q) for q in dimer.fragments.totals)
    return Pair(dimer.curve, *monomers(dimer), (charges[0], charges[1]), 2 if any(charges) else 3)


def pairs_for_tails(known: Sequence[Dimer]) -> list[Pair]:
    """One for each law: two ions, an ion and a dipole, two dipoles, and atoms that have neither."""
    one = {dimer.curve: monomers(dimer) for dimer in known}
    acetate, water = one["acetatewater"][0], turned(one["Water-Water"][0])
    carbon = Structure(np.zeros((1, 3)), [6])
    return [
        Pair("two acetate ions", acetate, acetate, (-1.0, -1.0), 1),
        Pair("acetate and water", acetate, water, (-1.0, 0.0), 2),
        Pair("two waters", water, water, (0.0, 0.0), 3),
        Pair("two carbon atoms", carbon, carbon, (0.0, 0.0), 6),
    ]


def turned(water: Structure) -> Structure:
    """Its dipole along the line that it is moved on: the attraction of two in a row is the strongest."""
    places = np.asarray(water.positions)
    dipole = np.mean(places[water.numbers == 1], axis=0) - places[water.numbers == 8][0]
    turn = Rotation.align_vectors(AXIS[None], (dipole / np.linalg.norm(dipole))[None])[0]
    return Structure(turn.apply(places), water.numbers)


def figures_of(
    known: Sequence[Dimer],
    truth: np.ndarray,
    said: dict[str, np.ndarray],
    ends: Sequence[Tail],
    apart: Left,
    terms: Sequence[Component],
) -> dict:
    sources, places = np.array([d.source for d in known]), np.array([d.place for d in known])
    mean = lambda name, chosen: float(np.mean(np.abs(said[name] - truth)[chosen])) if np.any(chosen) else None
    neutral, near, far = sources == "s66x8", places <= NEAR, places >= FAR
    at = sorted(set(places[neutral]))
    charged = np.array([bool(np.any(d.fragments.totals)) for d in first_of_each(known)])
    return {
        "dimers": len(known),
        "mae_near": mean("hybrid", near),
        "mae_far": mean("hybrid", neutral & far),
        "mae_near_network_only": mean("network", near),
        "mae_far_network_only": mean("network", neutral & far),
        "by_separation": [
            {"place": float(p), **{name: mean(name, neutral & (places == p)) for name in said}} for p in at
        ],
        "mae_far_ions": mean("hybrid", (sources == "ionichb") & far),
        "tail_exponent": {
            t.pair.name: {"law": t.pair.power, "found": t.at_infinity, "float32": t.single} for t in ends
        },
        "tail_error": max(abs(t.at_infinity - t.pair.power) for t in ends),
        "tail_float32": max(t.single for t in ends),
        "separation_energy": float(np.max(np.abs(apart.without_dipoles[~charged]))),
        "separation_energy_with_dipoles": float(np.max(np.abs(apart.energies[~charged]))),
        "components": [each._asdict() for each in terms],
    }


def verdict(numbers: dict) -> Status:
    exact = numbers["tail_error"] < 1e-8 and abs(numbers["separation_energy"]) < 1e-9
    if not exact:
        return Status(False, "a tail is not the law's, or something leaks", "trusted")
    better = numbers["mae_far"] < 0.5 * numbers["mae_far_network_only"]
    good = "within" if numbers["mae_far"] <= GOAL else "short of"
    return Status(better, f"tails exact; far apart {good} {GOAL} kcal/mol", "trusted")


def told(numbers: dict) -> tuple[Table, ...]:
    kcal = lambda value: f"{value:.3f}"
    errors = Table(
        ("separation", "with physics, kcal/mol", "network only"),
        tuple((f"{r['place']:.2f}", kcal(r["hybrid"]), kcal(r["network"])) for r in numbers["by_separation"]),
    )
    exponents = Table(
        ("tail", "law", "found, at infinity", "float32 is off by, up to 200 A"),
        tuple(
            (name, f"{r['law']}", f"{r['found']:.10f}", f"{r['float32']:.0e}")
            for name, r in numbers["tail_exponent"].items()
        ),
    )
    apart = Table(
        ("at 1000 A", "eV"),
        (
            ("both less each, at most", f"{numbers['separation_energy_with_dipoles']:.1e}"),
            ("and less the law of their dipoles", f"{numbers['separation_energy']:.1e}"),
        ),
    )
    rows = tuple(
        (
            f"{r['term']}, {r['begin']:g} to {r['end']:g} A",
            f"{r['pairs']}",
            f"{r['slope']:.2f}",
            f"{r['correlation']:.3f}",
            kcal(r["mae"]),
        )
        for r in numbers["components"]
    )
    against = Table(("component, atoms at", "pairs", "slope", "correlation", "error, kcal/mol"), rows)
    return (errors, exponents, apart, *((against,) if rows else ()))


def figure(known: Sequence[Dimer], truth: np.ndarray, said: dict[str, np.ndarray], ends: Sequence[Tail]):
    from matplotlib.figure import Figure

    fig = Figure(figsize=(11, 6.5), layout="constrained")
    axes = fig.subplots(2, 3)
    names, places = np.array([d.curve for d in known]), np.array([d.place for d in known])
    for ax, name in zip(axes.flat[:4], SHOWN, strict=True):
        rows = np.flatnonzero(names == name)
        rows = rows[np.argsort(places[rows])]
        ax.axvline(NEAR, color="0.6", ls=":")
        ax.plot(places[rows], said["network"][rows], "s-", color=ORANGE, ms=4, label="network only")
        ax.plot(places[rows], said["hybrid"][rows], "o-", color=BLUE, ms=4, label="with physics")
        ax.plot(places[rows], truth[rows], "x", color=INK, label="reference")
        ax.set(title=name.replace("_", " "), xlabel="separation / equilibrium", ylabel="kcal/mol")
    axes[0, 0].legend()
    errors, slopes = axes[1, 1], axes[1, 2]
    neutral = np.array([d.source == "s66x8" for d in known])
    at = sorted(set(places[neutral]))
    for name, colour, label in (("network", ORANGE, "network only"), ("hybrid", BLUE, "with physics")):
        mean = [np.mean(np.abs(said[name] - truth)[neutral & (places == p)]) for p in at]
        errors.plot(at, mean, "o-", color=colour, label=label)
    errors.axvline(NEAR, color="0.6", ls=":")
    errors.axhline(GOAL, color="0.6", lw=0.8)
    errors.set(yscale="log", xlabel="separation / equilibrium", ylabel="mean error (kcal/mol)", title="S66x8")
    for t, colour in zip(ends, (VERMILLION, ORANGE, GREEN, BLUE), strict=True):
        slopes.plot(t.distances, t.exponents, "o-", ms=3, color=colour, label=t.pair.name)
        slopes.axhline(t.pair.power, color="0.8", lw=0.8, zorder=0)
    slopes.set(xscale="log", xlim=(NEAREST, FURTHEST), xlabel="distance (A)", ylabel="exponent", title="tails")
    slopes.set_xticks([15, 30, 60, 120, 200], ["15", "30", "60", "120", "200"])
    slopes.minorticks_off()
    slopes.legend(fontsize="small", loc="center right")
    return fig, axes[0, 0]
