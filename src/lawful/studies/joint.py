"""A whole design in one go: a backbone with a chosen disulfide bond, a sequence for it, its side chains begun, a score.

1. Backbones are drawn and steered so that two residues chosen beforehand can be bonded, as in `disulfide`; of those in
   which the bond forms, the one with the fewest clashes and the lowest torsion energy is taken.
2. A sequence is written on it letter by letter, as in `sequence`: cysteines stand at the two places and nowhere else,
   the energy of pairs that touch on this fold, with preferences counted in native chains, and the net charge steer at
   each letter, particles thin and multiply. The lowest contact energy that meets the charge is taken.
3. Side chains are begun: beta carbons by ideal geometry, the sulphurs where the bond's best rotamers have them. Other
   atoms of side chains are not built.

The file that was written is then judged by other code: the bond from the sulphurs that stand in it, the sequence and
the charge letter by letter, contacts and clashes from the places. Beside the sequence stand what the model writes on
the same fold unguided, and the same letters shuffled: lower contact energies than theirs say that the sequence suits
this fold more than chance, by pairs of letters, and not that it folds.
"""

from __future__ import annotations

import math
import time
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput
from .._core.record import Account, Drawing, Section, Status, Table
from ..guidance import Constant, Energy, Particles, Term
from ..proteins import (
    AMINO_ACIDS,
    Backbone,
    ScoreSheet,
    SequenceModel,
    Trials,
    charge_near,
    compose,
    picture,
    pseudo_perplexities,
    scores,
    secondary_structure,
)
from ..proteins._reading import extra
from . import _bond_judge as bond_judge
from . import _chains_judge as judge
from . import disulfide
from ._base import Outcome, Request
from ._chains import NATURAL
from ._pdb import pdb_files, pdb_text
from ._scored import beside_natives
from ._sequence_fold import Fold
from ._sequence_model import WEIGHTS, language_model, preferences
from ._sequence_wish import charge_of, signed
from .backbone import LABEL

SUMMARY = "a backbone with a chosen disulfide, a sequence for it with its cysteines, sulphurs in place, one score sheet"
OPTIONS = {
    "length": "residues, 40 to 128; 60 by default (40 at quick effort)",
    "pair": "the residues to be bonded, counted from 1, such as 10-40",
    "charge": "net charge at pH 7, in e (2); met within 0.5",
    "count": "backbones to choose from; 8 by default (2 at quick effort, 32 at best)",
    "sequences": "to choose from; 64 by default (16 at quick effort, 200 at best)",
    "steps": "from noise to protein; 40 by default (8 at quick effort)",
    "strength": "of the backbone's guidance; 0.1 by default",
}
WITHIN, SHARP = 0.5, 3.5
"""e by which the charge may miss, and of how many standard deviations of the energy that is."""
SHUFFLES = 200
TOUCH, APART = 7.0, 3
"""A between beta carbons, and residues along the chain, from which on two touch."""


class Written(NamedTuple):
    """Sequences for a fold, and what each has: charge (e), energies of contacts and of torsions (kT)."""

    sequences: list[str]
    charges: Float[np.ndarray, " n"]
    energies: Float[np.ndarray, " n"]
    torsions: Float[np.ndarray, " n"]

    def best(self, charge: float) -> int:
        """The lowest energy of those that meet the charge; the nearest charge where none does."""
        miss = np.maximum(np.abs(self.charges - charge) - WITHIN, 0.0)
        return int(np.lexsort((self.energies + self.torsions, miss))[0])


def run(request: Request) -> Outcome:
    extra()
    begin = time.monotonic()
    charge = signed(request, "charge", 2.0)
    sequences = request.count("sequences", request.pick(16, 64, 200), 2, 4096)
    case, count, strength = drawing(request)
    arm = disulfide.arm(
        case, disulfide.pulled(case, case.maker.noise(count, request.seed), strength, request.seed), disulfide.FAST
    )
    ordered = [regular(each) for each in arm.backbones]
    chosen = min(range(count), key=lambda k: (not arm.forms[k], arm.clashes[k] > NATURAL, -ordered[k], arm.clashes[k]))
    backbone = arm.backbones[chosen]
    fold, template = fold_of(backbone), template_of(case)
    model, _ = language_model(Request(request.effort, request.seed, {"weights": str(WEIGHTS)}))
    ways = {
        "guided": written(model, fold, template, charge, sequences, request.seed, True),
        "unguided": written(model, fold, template, charge, sequences, request.seed, False),
    }
    best = ways["guided"].best(charge)
    sequence = ways["guided"].sequences[best]
    design = whole(case, backbone, sequence)
    text = pdb_text(design)
    sheet = scores([design], seed=request.seed)
    found = checked(case, text)
    shuffled = [fold.contacts_in(each) for each in shuffles(template, sequence, request.seed)]
    numbers = {
        "sequence": found["sequence"],
        "written_as_chosen": found["sequence"] == sequence,
        "bonds": found["bonds"],
        "bond_formed": found["bond_formed"],
        "charge": found["charge"],
        "charge_wanted": charge,
        "cysteines": found["cysteines"],
        "cysteines_right": found["cysteines"] == [k + 1 for bond in case.bonds for k in (bond.i, bond.j)],
        "contact_energy": {
            "design": found["contact_energy"],
            "guided": float(np.mean(ways["guided"].energies)),
            "unguided": float(np.mean(ways["unguided"].energies)),
            "shuffled": float(np.mean(shuffled)),
            "below_shuffled": float(np.mean(found["contact_energy"] < np.array(shuffled))),
        },
        "torsion_fit": {
            "design": fold.misfit_in(sequence),
            "guided": float(np.mean(ways["guided"].torsions)),
            "unguided": float(np.mean(ways["unguided"].torsions)),
        },
        "perplexity": dict(zip(("design", "unguided"), perplexities(model, sequence, ways["unguided"]), strict=True)),
        "sulphur_clashes": found["sulphur_clashes"],
        "scores": sheet.to_json(),
        "unlike": sheet.unlike(),
        "chosen_from": {"backbones": count, "formed": int(sum(arm.forms)), "sequences": sequences},
        "length": case.maker.length,
        "seconds": time.monotonic() - begin,
    }
    return told(numbers, case, design, sheet)


def drawing(request: Request) -> tuple[disulfide.Case, int, float]:
    """What `disulfide` makes of the options, with as many backbones as are wanted here."""
    count = request.count("count", request.pick(2, 8, 32), 1, 4096)
    options = {name: word for name, word in request.options.items() if name not in ("charge", "sequences")}
    case, _, _, strength = disulfide.asked(Request(request.effort, request.seed, {**options, "count": str(count)}))
    return case, count, strength


def regular(backbone: Backbone) -> float:
    """The share of residues in helices and strands."""
    letters = secondary_structure(backbone.xyz, backbone.sequence)
    return sum(map(letters.count, "HGIE")) / len(letters)


# the sequence


def template_of(case: disulfide.Case) -> str:
    sites = {k for bond in case.bonds for k in (bond.i, bond.j)}
    return "".join("C" if k in sites else "?" for k in range(case.maker.length))


def fold_of(backbone: Backbone) -> Fold:
    fold = Fold.of(backbone)
    if not fold.touching.any():
        raise BadInput("no residues of the backbone touch, so that no sequence suits it more than others; draw more.")
    return fold


def written(
    model: SequenceModel, fold: Fold, template: str, charge: float, count: int, seed: int, guided: bool
) -> Written:
    near = Term(lambda p: charge_near(p, charge, WITHIN / SHARP), schedule=Constant())
    energy = Energy(charge=near, **fold.terms)
    steer = {"energy": energy, "tilt": Trials(), "particles": Particles()} if guided else {}
    found = compose(model, jax.random.key(seed), template, count, without="C", **steer).sequences
    charges = np.array([charge_of(each) for each in found])
    energies, torsions = (np.array([of(each) for each in found]) for of in (fold.contacts_in, fold.misfit_in))
    return Written(found, charges, energies, torsions)


def shuffles(template: str, sequence: str, seed: int) -> list[str]:
    """The letters between the cysteines in other orders."""
    rng = np.random.default_rng(seed)
    places = np.array([k for k, letter in enumerate(template) if letter == "?"])
    letters = np.array(list(sequence))
    found = []
    for _ in range(SHUFFLES):
        each = letters.copy()
        each[places] = letters[rng.permutation(places)]
        found.append("".join(each))
    return found


def perplexities(model: SequenceModel, sequence: str, unguided: Written) -> tuple[float, float]:
    """By the model, of one residue among all others: of the design, and in the mean of what it writes unguided."""
    found = pseudo_perplexities(model, [sequence, *unguided.sequences])
    return float(found[0]), float(np.exp(np.mean(np.log(found[1:]))))


def whole(case: disulfide.Case, backbone: Backbone, sequence: str) -> Backbone:
    with_sulphurs = disulfide.bonded(case, backbone)
    return Backbone(backbone.xyz, sequence, sg=with_sulphurs.sg)


# the file, by code of its own


def checked(case: disulfide.Case, text: str) -> dict:
    """What the text of the PDB file says."""
    chain = judge.chains_of(text)["A"]
    atoms = lambda k: np.stack([chain.at(k, name) for name in ("N", "CA", "C", "CB", "SG")])
    bonds = [bond_judge.written(atoms(bond.i), atoms(bond.j)) for bond in case.bonds]
    table, letters = preferences()[0], [AMINO_ACIDS.index(letter) for letter in chain.sequence]
    away = np.linalg.norm(chain.betas()[:, None] - chain.betas()[None, :], axis=-1)
    touching = np.argwhere(np.triu(away < TOUCH, APART))
    partner = {k: other for bond in case.bonds for k, other in ((bond.i, bond.j), (bond.j, bond.i))}
    return {
        "sequence": chain.sequence,
        "bonds": [bond._asdict() for bond in bonds],
        "bond_formed": all(bond.formed for bond in bonds),
        "charge": charge_of(chain.sequence),
        "cysteines": [k + 1 for k, letter in enumerate(chain.sequence) if letter == "C"],
        "contact_energy": math.fsum(float(table[letters[i], letters[j]]) for i, j in touching),
        "sulphur_clashes": sum(judge.clashes_of(chain, k, "SG", {k, partner[k]}) for k in partner),
    }


# telling it


def status_of(numbers: dict) -> Status:
    energy = numbers["contact_energy"]
    failed = [
        said
        for said, good in (
            ("the bond does not form", numbers["bond_formed"]),
            ("cysteines are elsewhere", numbers["cysteines_right"] and numbers["written_as_chosen"]),
            (
                f"the charge is {numbers['charge']:.2f} e",
                abs(numbers["charge"] - numbers["charge_wanted"]) <= WITHIN,
            ),
            ("shuffled letters suit the fold as well", energy["design"] < energy["shuffled"]),
            (f"unlike natives in {', '.join(numbers['unlike'])}", not numbers["unlike"]),
        )
        if not good
    ]
    if failed:
        return Status(False, "; ".join(failed), "as asked for")
    return Status(
        True, "bond, cysteines and charge are as asked for, and the geometry is like natives'", "as asked for"
    )


def told(numbers: dict, case: disulfide.Case, design: Backbone, sheet: ScoreSheet) -> Outcome:
    status = status_of(numbers)
    energy, chosen = numbers["contact_energy"], numbers["chosen_from"]
    bond_rows = [
        (f"bond {bond.i + 1}-{bond.j + 1}",
         f"S-S {of['s_s']:.2f} A, CB-S {of['cb_s']:.2f} A, chi3 {of['chi3']:.0f} degrees, {of['energy']:.1f} kcal/mol")
        for bond, of in zip(case.bonds, numbers["bonds"], strict=True)
    ]  # fmt: skip
    table = Table(
        ("read from the file", ""),
        (
            *bond_rows,
            ("clashes of the sulphurs", str(numbers["sulphur_clashes"])),
            ("cysteines", ", ".join(map(str, numbers["cysteines"]))),
            ("net charge / e", f"{numbers['charge']:.2f} (wanted {numbers['charge_wanted']:g} within {WITHIN:g})"),
            ("contact energy / kT", f"{energy['design']:.2f}"),
            ("of the same letters shuffled", f"{energy['shuffled']:.2f}, above it in {energy['below_shuffled']:.0%}"),
            ("of what the model writes unguided", f"{energy['unguided']:.2f}"),
            ("misfit of letters and torsions / kT", f"{numbers['torsion_fit']['design']:.2f}"),
            ("of what the model writes unguided", f"{numbers['torsion_fit']['unguided']:.2f}"),
            ("perplexity by the model", f"{numbers['perplexity']['design']:.2f}"),
            ("of what it writes unguided", f"{numbers['perplexity']['unguided']:.2f}"),
        ),
    )
    quality = beside_natives("geometry", {"design": sheet}, ("nearest_training_tm", "pairwise_tm"))
    sentences = (
        f"Chosen from {chosen['backbones']} backbones, of which {chosen['formed']} form the bond, and"
        f" {chosen['sequences']} sequences, {numbers['seconds']:.0f} s in all.",
        numbers["sequence"],
        "Side chains beyond CB and the sulphurs are not built. " + LABEL,
    )
    pairs = [(bond.i, bond.j) for bond in case.bonds]
    draw = lambda: picture([design], [f"charge {numbers['charge']:.1f} e"], bonds=pairs)
    section = Section(
        "One design", (str(status), *sentences), (table, quality),
        (Drawing("design", "The backbone, its bond in green.", draw),),
    )  # fmt: skip
    main = Account(status, numbers["seconds"], (section,), "guided SE(3) flow, guided language model, ideal geometry")
    text = "\n".join([*table.lines(), "", *quality.lines(), "", *sentences])
    fasta = f">design charge={numbers['charge']:.2f} contacts={energy['design']:.2f}\n{numbers['sequence']}\n"
    files = {**pdb_files({"design": design}), "design.fasta": fasta.encode()}
    return Outcome(numbers, status, text, main, figures={"design": draw}, files=files)
