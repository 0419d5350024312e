"""How native does a protein backbone look? Natives, and four ways to be wrong, by the same scores.

Given a PDB or mmCIF file (`--set file=1abc.cif`), its chains are read, what had to be left out is counted, and each
metric is told beside that of 304 natives. Without a file the scores themselves are put to the test: chains of 40 to 128
residues from real structures are split into two halves that share no cluster of similar sequences. One half says what
natives are like. The other half must pass, and four spoiled copies of it must not:

1. mirrored: every distance, angle and hydrogen bond is kept, only the hand is wrong, so an energy of distances alone
   would not notice;
2. noise of 0.5 A on every atom;
3. random torsions with ideal bonds and angles, a random walk of a chain;
4. stretched to twice the distance between neighbours' centres and with its bonds broken.

All of it is geometry and says nothing on designability, which is whether a sequence folds into the backbone.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._core.messages import BadInput
from .._core.precision import in_float64
from .._core.record import Account, Drawing, Section, Status, Table
from ..proteins import (
    Backbone,
    Native,
    ScoreSheet,
    ideal_internal,
    internal,
    measured_natives,
    picture,
    ramachandran,
    read,
    read_set,
    rebuild,
    representatives,
    scores,
    split,
)
from ..report import BLUE, INK, house_style
from ._base import Outcome, Request
from ._measurements import in_data_folder

SUMMARY = "how native protein backbones look: geometry, secondary structure and hand, of a file or of spoiled natives"
OPTIONS = {
    "file": "a PDB or mmCIF file to score; without one, natives from the data folder are spoiled and scored",
    "count": "held-out natives to be spoiled; 80 by default (10 at quick effort)",
}

HELD_OUT = "held-out natives"
NOISE = 0.5  # A
LABEL = "These are scores of geometry, not of designability."


def run(request: Request) -> Outcome:
    return of_file(request) if "file" in request.options else of_natives(request)


def of_file(request: Request) -> Outcome:
    begin = time.monotonic()
    if "count" in request.options:
        raise BadInput("--set count goes without --set file: a file is scored whole.")
    backbones, report = read(request.options["file"])
    sheet = scores(backbones, seed=request.seed)
    unlike = sheet.unlike()
    reason = f"scored; not like natives in {', '.join(unlike)}" if unlike else "scored; like natives in every metric"
    status = Status(True, reason, "measured")
    numbers = {
        **sheet.to_json(),
        "unlike": unlike,
        "segments": report.segments,
        "residues": report.residues,
        "left_out": dict(report.left_out),
        "noted": dict(report.noted),
    }
    shown = backbones[:16]
    draw = lambda: picture(shown, [f"{each.chain} {each.numbers[0]}-{each.numbers[-1]}" for each in shown])
    table = Table(("metric", "value", "native", "what"), tuple(sheet.rows()))
    section = Section(
        "Scores", (f"{report}.", LABEL), (table,), (Drawing("backbones", "Helices orange, strands blue.", draw),)
    )
    main = Account(status, time.monotonic() - begin, (section,), "geometry of the main chain")
    return Outcome(numbers, status, f"{report}\n{sheet}", main, figures={"backbones": draw})


def of_natives(request: Request) -> Outcome:
    begin = time.monotonic()
    count = request.count("count", request.pick(10, 80, 150), 4)
    known, tested, source = halves(request.pick(80, 150), count, request.seed)
    natives = measured_natives(known, pairs=request.pick(10, 100), seed=request.seed, source="the other half")
    rng = np.random.default_rng(request.seed)
    cases = {
        HELD_OUT: tested,
        "mirrored": [changed(each, np.asarray(each.xyz) * [1, 1, -1]) for each in tested],
        "noise 0.5 A": [
            changed(each, np.asarray(each.xyz) + NOISE * rng.normal(size=each.xyz.shape)) for each in tested
        ],
        "random torsions": [random_walk(each, rng) for each in tested],
        "stretched": [changed(each, stretched(np.asarray(each.xyz))) for each in tested],
    }
    sheets = {
        name: scores(
            each,
            natives,
            training=known if name == HELD_OUT else None,
            pairs=request.pick(10, 100),
            seed=request.seed,
        )
        for name, each in cases.items()
    }
    unlike = {name: sheet.unlike() for name, sheet in sheets.items()}
    status = judged(unlike)
    numbers = {
        "chains": {"known": len(known), "tested": len(tested)},
        "unlike": unlike,
        "scores": {name: sheet.to_json() for name, sheet in sheets.items()},
    }
    return told(numbers, status, cases, sheets, natives, source, time.monotonic() - begin)


def halves(known: int, tested: int, seed: int) -> tuple[list[Backbone], list[Backbone], str]:
    """At most so many chains of two halves that share no cluster; one chain of each cluster."""
    path = in_data_folder("backbones_pdb", "backbones_permissive.npz")
    if not path.is_file():
        raise BadInput(
            f"{path} was not found; give a PDB or mmCIF file with --set file=FILE, or set LAWFUL_DATA to the folder"
            " that holds backbones_pdb/."
        )
    chains = read_set(path)
    chains = chains[representatives(chains.clusters, seed)]
    one, other = split(chains.clusters, (0.5, 0.5), seed)
    rng = np.random.default_rng(seed)  # neighbours in the file are of one source
    first, second = rng.permutation(one)[:known], rng.permutation(other)[:tested]
    return [chains.backbones[k] for k in first], [chains.backbones[k] for k in second], str(chains.report)


def changed(backbone: Backbone, xyz: Array | np.ndarray) -> Backbone:
    return Backbone(np.asarray(xyz), backbone.sequence, chain=backbone.chain, numbers=backbone.numbers)


def stretched(xyz: np.ndarray) -> np.ndarray:
    """Residues kept rigid, their places twice as far apart."""
    ca = xyz[:, 1:2]
    return xyz + (ca - ca.mean(axis=0))


@in_float64
def random_walk(backbone: Backbone, rng: np.random.Generator) -> Backbone:
    room = 128  # one length, compiled once
    phi, psi = rng.uniform(-np.pi, np.pi, (2, room - 1))
    return changed(backbone, np.asarray(grown(jnp.asarray(phi), jnp.asarray(psi)))[: len(backbone)])


@jax.jit
def grown(phi, psi):
    return rebuild(ideal_internal(phi, psi))


def judged(unlike: dict[str, list[str]]) -> Status:
    missed = [name for name, found in unlike.items() if name != HELD_OUT and not found]
    if missed:
        return Status(False, f"{', '.join(missed)} could not be told from natives", "told apart")
    if unlike[HELD_OUT]:
        return Status(False, f"natives of the other half differ too, in {', '.join(unlike[HELD_OUT])}", "told apart")
    return Status(True, "held-out natives pass, and each spoiled copy fails", "told apart")


def told(
    numbers: dict,
    status: Status,
    cases: Mapping[str, Sequence[Backbone]],
    sheets: Mapping[str, ScoreSheet],
    natives: Native,
    source: str,
    seconds: float,
) -> Outcome:
    shown = lambda value: "-" if value is None else f"{value:.3f}"
    rows = [
        (metric, shown(natives.values[metric]), *(shown(sheet[metric].value) for sheet in sheets.values()))
        for metric in natives.values
    ]
    table = Table(("metric", "natives", *sheets), tuple(rows))
    verdicts = [
        f"{name}: {'unlike natives in ' + ', '.join(found) if found else 'like natives'}"
        for name, found in numbers["unlike"].items()
    ]
    pictures = lambda: picture([each[0] for each in cases.values()], list(cases), columns=len(cases))
    maps = lambda: torsion_maps({name: each for name, each in cases.items() if name != "stretched"})
    sections = (
        Section("Told apart", (*verdicts, LABEL), (table,)),
        Section(
            "One chain",
            (),
            (),
            (
                Drawing("backbones", "A held-out native and spoiled copies: helices orange, strands blue.", pictures),
                Drawing("torsions", "phi and psi of all residues over what is favoured and allowed.", maps),
            ),
        ),
        Section("Source", (f"{source}.",)),
    )
    main = Account(status, seconds, sections, "geometry of the main chain")
    text = "\n".join([*table.lines(), *verdicts, LABEL])
    return Outcome(numbers, status, text, main, figures={"backbones": pictures, "torsions": maps})


def torsion_maps(cases: Mapping[str, Sequence[Backbone]]):
    """A panel for each case: torsions over the borders of what is favoured and allowed."""
    with house_style():
        from matplotlib.figure import Figure

        fig = Figure(figsize=(2.7 * len(cases), 3.0), layout="constrained")
        axes = fig.subplots(1, len(cases), sharey=True)
        degrees = np.linspace(-180, 180, 181)
        phi, psi = np.meshgrid(np.deg2rad(degrees), np.deg2rad(degrees), indexing="ij")
        usual = np.asarray(ramachandran(phi.astype(np.float32), psi.astype(np.float32)))
        for ax, (name, backbones) in zip(axes, cases.items(), strict=True):
            ax.contourf(degrees, degrees, usual.T, levels=[0.0005, 0.02, 2], colors=["#e3eef6", "#b5d3e8"])
            ax.contour(degrees, degrees, usual.T, levels=[0.0005, 0.02], colors=INK, linewidths=0.4)
            points = np.concatenate([torsions(each) for each in backbones], axis=1)
            ax.plot(*np.rad2deg(points), ".", ms=1.2, color=BLUE, alpha=0.5, rasterized=True)
            ax.set(xlim=(-180, 180), ylim=(-180, 180), xticks=(-180, -90, 0, 90, 180), yticks=(-180, -90, 0, 90, 180))
            ax.set_xlabel("φ / degrees")
            ax.set_aspect("equal")
            ax.set_title(name, fontsize="small")
        axes[0].set_ylabel("ψ / degrees")
        return fig, axes


def torsions(backbone: Backbone) -> np.ndarray:
    """Of the residues that have both, in single precision and padded to one length."""
    xyz = np.resize(np.asarray(backbone.xyz, dtype=np.float32), (128, 4, 3))
    found = padded_internal(xyz)
    inner = len(backbone) - 2
    return np.stack([np.asarray(found.phi)[:inner], np.asarray(found.psi)[1 : inner + 1]])


@jax.jit
def padded_internal(xyz):
    return internal(xyz)
