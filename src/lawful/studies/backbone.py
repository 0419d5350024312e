"""Protein backbones out of noise, by a network that does not care how they tumble.

A chain of rigid frames, one for N, CA and C of each residue, begins as a Gaussian chain of random turns and flows in
50 to 100 steps to where a network says each residue belongs. The network sees only what residues look like from each
other, so whatever turns the noise turns the protein: to rounding, and measured here in the weights that are used. It
knows left from right. In the end chains are relaxed: peptide bonds, torsions, clashes and hydrogen bonds nearly formed
are mended together, all residues free to turn and to move. Scores of these are told before and after; after it they are
no independent evidence, since the relaxation holds what they measure.

Each metric stands beside the same of natives that were not trained on, by the same code. They are scores of geometry,
not of designability: nothing here says that a sequence folds into a backbone.

Efforts quick and normal use the weights that come with the package (`weights/backbone.npz`; their card is
`weights/backbone.md`). Effort best trains anew, or goes on with a training: `--set keep=DIR --set hours=4`, and as
often again as there is time; the weights are in DIR/weights.npz, which `--set weights=FILE` draws from. A training
begins from weights of its own, or from those of FILE, with Adam's moments and rate as at the beginning.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np

from .._core.messages import BadInput
from .._core.precision import float64
from .._core.record import Account, Drawing, Section, Status, Table
from ..proteins import (
    Backbone,
    Denoiser,
    Schedule,
    ScoreSheet,
    built,
    drawn,
    equivariance_error,
    learn,
    load,
    measured_natives,
    nearest_tm,
    picture,
    read_set,
    scores,
    split,
)
from ..proteins._reading import extra
from ..proteins._weights import skeleton
from ._base import Effort, Outcome, Request
from ._measurements import in_data_folder
from ._pdb import pdb_files
from ._scored import beside_natives, number

SUMMARY = "protein backbones out of noise: SE(3) flow on residue frames, scored beside natives"
OPTIONS = {
    "length": "residues of a backbone, 40 to 128 (80), or a range such as 40-128, which is gone through evenly",
    "count": "backbones to be made (16; 4 at quick effort)",
    "steps": "from noise to protein (60; 10 at quick effort)",
    "seed": "of the noise, like --seed",
    "weights": "a file of weights to draw from, or at effort best to begin with, in place of those of the package",
    "keep": "at effort best: the folder of the training, which goes on there after a kill or on another day",
    "hours": "at effort best: how long to train this time (1)",
}
WEIGHTS = Path(__file__).with_name("weights") / "backbone.npz"
HELD = (
    "Relaxed: bonds, angles, omega, Ramachandran and clashes are terms of the relaxation, so that their scores after it"
    " are no independent evidence; the column 'drawn' is what the network alone makes."
)
LABEL = "Scores of geometry, not of designability."
SETS = (("cgdms", "cgdms_train_backbones.npz"), ("backbones_pdb", "backbones_permissive.npz"))
SHOWN = 16


def network(seed: int = 0) -> Denoiser:
    return Denoiser(jax.random.key(seed), channels=96, pair=24, blocks=4, heads=6)


def chains() -> tuple[list[Backbone], list[Backbone]] | None:
    """To train on, and held out: compact chains of 40 to 128 residues, no cluster of sequences in both."""
    paths = [in_data_folder(*names) for names in SETS]
    if not all(path.is_file() for path in paths):
        return None
    sets = [read_set(path) for path in paths]
    backbones = [each for one in sets for each in one.backbones]
    parts = split(np.concatenate([one.clusters for one in sets]), (0.9, 0.1))
    known, held = ([backbones[k] for k in part] for part in parts)
    return known, held


def trained(request: Request) -> tuple[Denoiser, dict]:
    options = [name for name in ("keep", "hours") if name in request.options]
    given = Path(request.options["weights"]) if "weights" in request.options else None
    if given and not given.is_file():
        raise BadInput(f"--set weights={given}: there is no such file.")
    if request.effort is not Effort.BEST:
        if options:
            raise BadInput(f"--set {options[0]} is for a training; add --effort best.")
        return load(given or WEIGHTS, skeleton(network))
    found = chains()
    if found is None:
        raise BadInput("the chains to train on were not found; set LAWFUL_DATA to the folder of cgdms/.")
    denoiser, told_of = learn(
        load(given, skeleton(network))[0] if given else network(request.seed), *found, updates=1_000_000,
        hours=request.number("hours", 1.0), seed=request.seed,
        folder=request.options.get("keep"), progress=request.progress,
    )  # fmt: skip
    return denoiser, {name: values[-1] for name, values in told_of.items()}


def lengths(request: Request) -> list[int]:
    """One of each backbone."""
    count = request.count("count", request.pick(4, 16), 1, 4096)
    word = request.options.get("length", "80")
    first, _, last = word.partition("-")
    if not first.isdigit() or (last and not last.isdigit()):
        raise BadInput(f"--set length={word}: a number of residues or a range is meant, such as 80 or 40-128.")
    ends = int(first), int(last or first)
    return [round(length) for length in np.linspace(*ends, count)]


def run(request: Request) -> Outcome:
    extra()  # what writes the files in the end
    wanted = lengths(request)
    steps = request.count("steps", request.pick(10, 60), 1, 1000)
    seed = request.count("seed", 1, 1, 2**31 - 1) if "seed" in request.options else request.seed
    denoiser, about = trained(request)
    begin = time.monotonic()
    chains_drawn = drawn(denoiser, wanted, seed=seed, schedule=Schedule(steps=steps))
    backbones = built(chains_drawn)
    seconds = time.monotonic() - begin
    raw = built(chains_drawn, relax=False)
    known, held = chains() or (None, None)
    natives = None
    if held is not None and request.effort is not Effort.QUICK:
        natives = measured_natives(held, source=f"{len(held)} natives that were not trained on")
    sheet, before = scores(backbones, natives, seed=seed), scores(raw, natives, pairs=1, seed=seed)
    nearest = None
    if known is not None and request.effort is not Effort.QUICK:
        nearest = [float(np.mean(nearest_tm(some, known).tm)) for some in (backbones, held or [])]
    exact, mirrored = errors(denoiser)
    status = judged(sheet, exact)
    numbers = {
        **sheet.to_json(),
        "nearest_training_tm": dict(zip(("value", "native"), nearest or (None, None), strict=True)),
        "before_relaxation": {name: score.value for name, score in before.scores.items()},
        "unlike": sheet.unlike(),
        "equivariance_error": exact,
        "mirror_difference": mirrored,
        "sampling_seconds": seconds,
        "backbones": len(backbones),
        "lengths": wanted,
        "trained": {"chains_seen": about["chains"], "seconds": about["seconds"]},
    }
    return told(numbers, status, backbones, sheet, before, time.monotonic() - begin)


def errors(denoiser: Denoiser) -> tuple[dict[str, float], float]:
    """Of the weights in use: what a rotation changes in single and double precision, and what a mirror does."""
    single, mirrored = equivariance_error(denoiser)
    with float64():
        double = jax.tree.map(lambda x: x.astype(float) if isinstance(x, jax.Array) else x, denoiser)
        doubled, _ = equivariance_error(double)
    return {"float32": single, "float64": doubled}, mirrored


def judged(sheet: ScoreSheet, exact: dict[str, float]) -> Status:
    if exact["float64"] > 1e-12 or exact["float32"] > 1e-5:
        return Status(False, f"a rotation changes the answer by {exact['float64']:.0e}", "like natives")
    unlike = sheet.unlike()
    reason = f"unlike natives in {', '.join(unlike)}" if unlike else "each metric of geometry is like natives'"
    return Status(not unlike, reason, "like natives")


def files(backbones: Sequence[Backbone]) -> dict[str, bytes]:
    """A PDB file for each."""
    return pdb_files({f"backbone_{k + 1:03d}": each for k, each in enumerate(backbones)})


def told(
    numbers: dict,
    status: Status,
    backbones: list[Backbone],
    sheet: ScoreSheet,
    before: ScoreSheet,
    seconds: float,
) -> Outcome:
    scored = beside_natives("metric", {"drawn": before, "relaxed": sheet})
    nearest = numbers["nearest_training_tm"]
    last = ("nearest_training_tm", "-", number(nearest["value"]), number(nearest["native"]))
    table = Table(scored.head, (*scored.rows, last))
    exact = numbers["equivariance_error"]
    sentences = (
        f"{len(backbones)} backbones in {numbers['sampling_seconds']:.1f} s; natives: {sheet.natives}.",
        f"A rotation changes the network's answer by {exact['float64']:.0e} in double and {exact['float32']:.0e} in"
        f" single precision; a mirror by {numbers['mirror_difference']:.2f} of its size.",
        HELD,
        LABEL,
    )
    some = backbones[:SHOWN]
    sheet_of = lambda: picture(some, [f"{k + 1}: {len(each)} residues" for k, each in enumerate(some)])
    caption = "Backbones out of noise, helices orange, strands blue."
    section = Section(
        "Made from noise", (str(status), *sentences), (table,), (Drawing("backbones", caption, sheet_of),)
    )
    main = Account(status, seconds, (section,), "SE(3) flow matching on residue frames")
    text = "\n".join([*table.lines(), *sentences])
    return Outcome(numbers, status, text, main, figures={"backbones": sheet_of}, files=files(backbones))
