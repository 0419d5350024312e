"""Protein sequences to order: net charge, hydrophobic moment, and cysteines where a bond is to be, nowhere else.

    p(sequence) exp(-E(sequence)),   p: a masked language model,   E: how far charge and moment are from what is asked

A small transformer that was taught natural sequences by leaving residues out writes new ones, one residue after the
other in random order. At each the energy bends the probabilities of the twenty letters: by its slope in them (Slopes),
or by trying each (Trials). Particles thin and multiply unfinished sequences, so that what comes out follows the formula
above. What the letters still open will add is reckoned with, mean and variance: early letters are free, late ones make
the sum right. Cysteines stand in the template and are written nowhere else.

1. Charge (Henderson and Hasselbalch, side chains and ends, pH 7) and moment (Eisenberg, 100 degrees a residue) of each
   sequence are counted again apart from the energies.
2. Beside it: the same model without guidance, of which only the hits would be taken, for as many readings of the model.
3. Perplexity, by the model, of one residue where it knows all others: what guidance costs in likeness to proteins.
4. On a short template with two or three open places all fillings are tried. The total variation between the draws and
   the exact distribution stands beside that of as many independent draws from the exact one.

`--set backbone=FILE.pdb` adds the energy of touching pairs on that fold, with preferences counted in native chains, and
that of letters in its torsions (proline is stiff, glycine goes anywhere);
`--set backbone=bundle` takes three helices side by side. A fold's energy, not a folding simulation.

The weights come with the package (`weights/language.npz`, card `weights/language.md`). Effort best makes 200 sequences
with each of three seeds; `--set keep=DIR --set hours=4` teaches the model first, or goes on where it was.
"""

from __future__ import annotations

import math
import time
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from .._core.record import Account, Drawing, Section, Status, Table
from ..guidance import Constant, Energy, Particles, Term
from ..proteins import (
    SequenceModel,
    Slopes,
    Tilt,
    Trials,
    charge_near,
    compose,
    encoded,
    enumerated,
    moment_near,
    pseudo_perplexities,
)
from ._base import Effort, Outcome, Request
from ._sequence_model import BY_COUNTING, language_model
from ._sequence_picture import picture
from ._sequence_wish import WITHIN, Found, Wish, judged, wished

SUMMARY = "protein sequences to order: charge, hydrophobic moment, cysteines at a pair, by a steered language model"
OPTIONS = {
    "length": "residues (50; 30 at quick effort)",
    "charge": "net charge at pH 7, in e (3); hit within 0.5",
    "moment": "hydrophobic moment at 100 degrees a residue, kcal/mol (0.35); hit within 0.05",
    "cysteines": "the two residues that are cysteines, such as 10-40, or none; no others are",
    "count": "sequences of each kind and seed (64; 16 at quick, 200 at best effort)",
    "backbone": "a PDB or mmCIF file whose touching pairs are to suit the sequence, or bundle",
    "weights": "a file of weights in place of those that come with the package",
    "keep": "at effort best: the folder of a training, which goes on there",
    "hours": "at effort best: how long to train this time (1)",
}
GOALS = 0.95, 0.05
UNGUIDED, BEST = "unguided", "particles"


class Way(NamedTuple):
    """times: how many sequences are written for each that is kept."""

    tilt: Tilt | None = None
    particles: Particles | None = None
    times: int = 1


WAYS = {
    UNGUIDED: Way(),
    "slopes": Way(Slopes()),
    "trials": Way(Trials()),
    # A population has copies in the end: twice as many are written, and the copies left out.
    BEST: Way(Trials(), Particles(), times=2),
}


class Tried(NamedTuple):
    """What one way wrote, over all seeds."""

    sequences: list[str]
    found: list[Found]
    perplexities: Float[np.ndarray, " n"]
    rates: list[float]  # of hits, by seed
    effective: float  # the least, as a share
    parents: float  # as a share
    seconds: float

    @property
    def rate(self) -> float:
        return float(np.mean([each.hit for each in self.found]))

    @property
    def perplexity(self) -> float:
        return float(np.exp(np.mean(np.log(self.perplexities))))

    def record(self) -> dict:
        mean = lambda name: float(np.mean([getattr(each, name) for each in self.found]))
        return {
            "hit_rate": self.rate,
            "hit_rates_by_seed": self.rates,
            "hits": sum(each.hit for each in self.found),
            "perplexity": self.perplexity,
            "charge": mean("charge"),
            "moment": mean("moment"),
            "cysteines_right": mean("alone"),
            "contact_energy": mean("contacts"),
            "torsion_misfit": mean("torsions"),
            "effective": self.effective,
            "beginnings": self.parents,
            "different": len(set(self.sequences)) / len(self.sequences),
            "seconds": self.seconds,
        }


def run(request: Request) -> Outcome:
    begin = time.monotonic()
    wish = wished(request)
    count = request.count("count", request.pick(16, 64, 200), 2, 2000)
    model, about = language_model(request)
    seeds = [request.seed + k for k in range(request.pick(1, 1, 3))]
    chosen = (UNGUIDED, "slopes", BEST) if request.effort is Effort.QUICK else tuple(WAYS)
    tries = {name: tried(model, wish, WAYS[name], count, seeds) for name in chosen}
    held_to_all = (BEST,) if request.effort is Effort.QUICK else tuple(name for name in chosen if name != UNGUIDED)
    oracle = compared(model, request, held_to_all)
    return told(wish, about, tries, oracle, time.monotonic() - begin)


def tried(model: SequenceModel, wish: Wish, way: Way, count: int, seeds: list[int]) -> Tried:
    begin = time.monotonic()
    energy = None if way == Way() else wish.energy
    runs = [
        compose(
            model,
            jax.random.key(seed),
            wish.template,
            way.times * count,
            energy=energy,
            tilt=way.tilt,
            particles=way.particles,
            without="C",
        )
        for seed in seeds
    ]
    seconds = time.monotonic() - begin
    kept = [different(one.sequences, count) for one in runs]
    found = [[judged(wish, each) for each in some] for some in kept]
    sequences = [each for some in kept for each in some]
    return Tried(
        sequences,
        [each for one in found for each in one],
        pseudo_perplexities(model, sequences),
        [float(np.mean([each.hit for each in one])) for one in found],
        min(float(one.effective.min()) for one in runs) / (way.times * count),
        float(np.mean([one.parents for one in runs])) / (way.times * count),
        seconds,
    )


def different(sequences: list[str], count: int) -> list[str]:
    """`count` of them, copies last."""
    once = list(dict.fromkeys(sequences))
    left = list(sequences)
    for each in once:
        left.remove(each)
    return [*once, *left][:count]


def compared(model: SequenceModel, request: Request, names: tuple[str, ...]) -> dict:
    """Total variation from the exact distribution on a short template, beside that of independent draws from it."""
    template = request.pick("MK?LCA?E", "MK?LCA?E", "MK?LCA?E?K")
    count = request.pick(1000, 4000, 8000)
    energy = Energy(
        charge=Term(lambda p: charge_near(p, 1.0, 0.5), schedule=Constant()),
        moment=Term(lambda p: moment_near(p, 0.5, 0.1), schedule=Constant()),
    )
    exact = enumerated(model, template, energy, without="C")
    free = enumerated(model, template, without="C")
    place = {tuple(letters): k for k, letters in enumerate(exact.letters.tolist())}
    places = [n for n, letter in enumerate(template) if letter == "?"]
    off = lambda which: 0.5 * float(np.sum(np.abs(np.bincount(which, minlength=len(place)) / count - exact.shares)))
    found = {}
    for name in names:
        way = WAYS[name]
        drawn = compose(
            model, jax.random.key(request.seed), template, count, energy=energy, tilt=way.tilt,
            particles=way.particles, without="C",
        )  # fmt: skip
        found[name] = off([place[tuple(encoded(each)[places].tolist())] for each in drawn.sequences])
    rng = np.random.default_rng(request.seed)
    found["independent draws"] = float(np.mean([off(rng.choice(len(place), count, p=exact.shares)) for _ in range(20)]))
    found["without energy"] = 0.5 * float(np.sum(np.abs(free.shares - exact.shares)))
    return {"template": template, "draws": count, "fillings": len(place), "total_variation": found}


def told(wish: Wish, about: dict, tries: dict[str, Tried], oracle: dict, seconds: float) -> Outcome:
    main, plain = tries[BEST], tries[UNGUIDED]
    ratio = np.log(main.perplexities)
    loss = main.perplexity / plain.perplexity - 1
    spread = lambda values: float(np.var(values, ddof=1)) / len(values)
    sd = (1 + loss) * math.sqrt(spread(ratio) + spread(np.log(plain.perplexities)))
    # As many readings of the model: each sequence that was written, kept or not, is one try.
    times = WAYS[BEST].times
    rejection, below = (min(times * share, 1.0) for share in (plain.rate, most_likely_below(plain)))
    good = main.rate >= GOALS[0] and loss <= GOALS[1]
    reason = (
        f"{main.rate:.1%} of {len(main.found)} sequences hit charge, moment and cysteines (goal {GOALS[0]:.0%}),"
        f" perplexity {loss:+.1%} (goal at most {GOALS[1]:+.0%})"
    )
    status = Status(good, reason, "trusted")
    held = {name: about[name] for name in (*BY_COUNTING, "perplexity") if name in about}
    numbers = {
        "asked": {
            "length": len(wish.template), "charge": wish.charge, "moment": wish.moment, "cysteines": list(wish.pair),
            "within": list(WITHIN), "backbone": wish.fold_name,
        },
        "hit_rate": main.rate,
        "hit_rate_rejection": rejection,
        "hit_rate_rejection_below": below,
        "perplexity_loss": loss,
        "perplexity_loss_sd": sd,
        "perplexity": main.perplexity,
        "perplexity_unguided": plain.perplexity,
        "effective": main.effective,
        "seconds": main.seconds,
        "ways": {name: each.record() for name, each in tries.items()},
        "oracle": oracle,
        "held_out": held,
    }  # fmt: skip
    tables = (ways_table(wish, tries, oracle), *([held_table(held, about)] if held else []))
    sentences = (
        f"asked: {len(wish.template)} residues, charge {wish.charge:g} within {WITHIN[0]:g} e, moment {wish.moment:g}"
        f" within {WITHIN[1]:g} kcal/mol, cysteines at {' and '.join(map(str, wish.pair)) or 'no residue'} only"
        + (f", pairs that touch on '{wish.fold_name}' content, letters as its torsions like" if wish.fold else ""),
        f"Rejection sampling fills {rejection:.1%} of the places for as many readings of the model (95 %: below"
        f" {below:.1%}).",
        f"All fillings of {oracle['template']} tried: as many independent draws from the exact distribution are off by"
        f" {oracle['total_variation']['independent draws']:.3f}, the model without energy by"
        f" {oracle['total_variation']['without energy']:.3f}.",
        "Perplexity by a small model: likeness to the statistics of proteins, nothing of folding.",
    )
    drawing = lambda: picture(wish, {name: (each.sequences, each.found) for name, each in tries.items()}, held, {
        "unguided": plain.perplexity, "guided": main.perplexity,
    })  # fmt: skip
    caption = (
        "Charges and moments of sequences and the window asked for; perplexities; guided sequences with acids red,"
        " bases blue, hydrophobic residues dark and cysteines yellow."
    )
    section = Section(
        "Sequences to order", (str(status), *sentences), tables, (Drawing("sequences", caption, drawing),)
    )
    account = Account(status, seconds, (section,), "masked language model steered by energies")
    lines = [line for table in tables for line in ("", *table.lines())]
    files = {f"{name}.fasta": fasta(tries[key]) for name, key in (("guided", BEST), ("unguided", UNGUIDED))}
    text = "\n".join([*sentences, *lines])
    return Outcome(numbers, status, text, account, figures={"sequences": drawing}, files=files)


def most_likely_below(tried: Tried) -> float:
    """The upper end of Wilson's interval of a share."""
    n, p, z = len(tried.found), tried.rate, 1.96
    return float((p + z**2 / (2 * n) + z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))) / (1 + z**2 / n))


def ways_table(wish: Wish, tries: dict[str, Tried], oracle: dict) -> Table:
    head = ["", "hits", "charge", "moment", "perplexity", "different", "least effective", "off exact", "s"]
    if wish.fold:
        head += ["contacts / kT", "torsions / kT"]
    rows = []
    for name, each in tries.items():
        record = each.record()
        off = oracle["total_variation"].get(name)
        row = [
            name, f"{each.rate:.1%}", f"{record['charge']:.2f}", f"{record['moment']:.3f}", f"{each.perplexity:.2f}",
            f"{record['different']:.0%}", f"{each.effective:.0%}", "-" if off is None else f"{off:.3f}",
            f"{each.seconds:.1f}",
        ]  # fmt: skip
        by_fold = [f"{record[key]:.2f}" for key in ("contact_energy", "torsion_misfit")]
        rows.append((*row, *by_fold) if wish.fold else tuple(row))
    return Table(tuple(head), tuple(rows))


def held_table(held: dict, about: dict) -> Table:
    rows = [(name if name != "perplexity" else "this model", f"{value:.2f}") for name, value in held.items()]
    return Table((f"{about.get('held_out', 0)} held-out sequences read by", "perplexity"), tuple(rows))


def fasta(tried: Tried) -> bytes:
    """With what each was found to have."""
    records = (
        f">{k} charge={found.charge:.2f} moment={found.moment:.3f} perplexity={perplexity:.2f}"
        f" {'hit' if found.hit else 'missed'}\n{sequence}\n"
        for k, (sequence, found, perplexity) in enumerate(
            zip(tried.sequences, tried.found, tried.perplexities, strict=True), 1
        )
    )
    return "".join(records).encode()
