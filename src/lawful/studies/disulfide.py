"""Protein backbones in which two chosen residues must be able to form a disulfide bond.

The pair is chosen before anything is drawn: any pair would be easy, since a native chain has about ten that fit. A
native pair fits by chance in about 0.4 % of cases. The generator of `backbone` is steered by physics at each of its
steps: the energy of the bond, with sulphurs built for all rotamers, pulls at the predicted chain, in a metric in which
a residue takes its neighbours along; in the end the chain is relaxed with the bond among its terms, and with clashes
priced so that the bond does not outbid them.

Beside it, from the same noise: the unguided generator, which is rejection sampling, since drawing again until a chain
fits keeps the share that fits; and the unguided chains relaxed towards the bond, which tells what the relaxation alone
does. Whether a bond forms is judged on the coordinates of the PDB files by other code: windows of CA-CA and CB-CB, S-S,
chi3 and the torsion energy over rotamers in steps of 5 degrees; real bonds and random native pairs go through it too,
where they are at hand. What guidance costs is the loss in Ramachandran and in clashes against the unguided chains,
relaxed alike. These are scores of geometry, not of designability: nothing here says that a sequence folds so.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput
from .._core.record import Account, Drawing, Section, Status, Table
from ..fields.equivariant import Frames
from ..guidance import Energy, Term
from ..proteins import Backbone, Distance, Disulfide, picture, refuse_contradictions
from ..proteins._chain_energies import KT
from ..proteins._reading import extra
from . import _bond_judge as judge
from . import _disulfide_pictures as pictures
from ._base import Effort, Outcome, Request
from ._chains import (
    FIRM,
    NATURAL,
    TOGETHER,
    Maker,
    Roomy,
    bootstrapped,
    clashes_per_100,
    favoured,
    maker,
    proportion,
    pull,
    shown,
    steered,
)
from ._measurements import in_data_folder
from ._pdb import pdb_files, pdb_text
from .backbone import LABEL

SUMMARY = "backbones with a disulfide bond between two residues chosen beforehand, by physics at each step"
OPTIONS = {
    "length": "residues, 40 to 128; 60 by default (40 at quick effort)",
    "pair": "the residues to be bonded, counted from 1, such as 10-40; several as 5-30,12-44",
    "apart": "distances between CA to be kept too, in A, such as 3-50=20",
    "count": "backbones; 16 by default (4 at quick effort, 200 for each of three seeds at best)",
    "steps": "from noise to protein; 40 by default (8 at quick effort)",
    "strength": "of the guidance; 0.1 by default",
    "weights": "a file of weights to draw from, in place of those that come with the package",
}
STRENGTHS = (0.0001, 0.001, 0.01, 0.1)
PARTICLES = (1, 4, 16)
LOSS, SHARE = 0.05, 0.9
"""What may be lost of quality, and how many should satisfy."""
FAST = 3.0
"""How many times what is asked for counts in the relaxation."""
SPREAD = 0.5
"""A of a distance that is asked for on either side."""


class Wish(eqx.Module):
    """All that is asked for, in kT, times a weight, 0 for chains that are to be left alone; and clashes."""

    wishes: tuple[Disulfide | Distance, ...]
    weight: Float[Array, ""]
    room: Roomy

    def __call__(self, frames: Frames) -> Float[Array, ""]:
        in_kt = [wish(frames) / (KT if isinstance(wish, Disulfide) else 1.0) for wish in self.wishes]
        return self.weight * jnp.sum(jnp.stack(in_kt)) + self.room(frames)


class Case(NamedTuple):
    """What is asked for, and what makes the chains."""

    maker: Maker
    wishes: tuple[Disulfide | Distance, ...]
    energy: Energy

    @property
    def bonds(self) -> tuple[Disulfide, ...]:
        return tuple(wish for wish in self.wishes if isinstance(wish, Disulfide))


class Arm(NamedTuple):
    """Chains made in one way, and what the judge says of each: before and after relaxation."""

    backbones: list[Backbone]
    raw: list[bool]
    forms: list[bool]
    bonds: list[judge.Bond]
    favoured: Float[np.ndarray, " chains"]
    clashes: Float[np.ndarray, " chains"]

    def share(self) -> float:
        return float(np.mean(self.forms))


def run(request: Request) -> Outcome:
    extra()
    begin = time.monotonic()
    case, count, seeds, strength = asked(request)
    parts = []
    for seed in seeds:
        start = case.maker.noise(count, seed)
        # A pull of no strength leaves every answer as it is, and compiles once with one that has some.
        plain, led = (pulled(case, start, each, seed) for each in (0.0, strength))
        parts.append((arm(case, plain, 0.0), arm(case, plain, FAST), arm(case, led, FAST)))
    free, bent, led = (joined([part[k] for part in parts]) for k in range(3))
    curve = by_strength(case, request, min(count, TOGETHER), seeds[0], strength, parts[0])
    crowd = by_particles(case, request, seeds[0])
    loss = losses(free, led)
    real = natives() if request.effort is not Effort.QUICK else None
    numbers = {
        "satisfied": proportion(led.forms),
        "satisfied_unguided": proportion(free.forms),
        "satisfied_relaxed_only": proportion(bent.forms),
        "satisfied_before_relaxation": proportion(led.raw),
        "satisfied_by_seed": [part[2].share() for part in parts],
        "quality_loss": max(loss.values(), key=lambda each: each["value"]),
        "quality_loss_by": loss,
        "ramachandran_favoured": {"guided": float(led.favoured.mean()), "unguided": float(free.favoured.mean())},
        "clashes_per_100": {"guided": float(led.clashes.mean()), "unguided": float(free.clashes.mean())},
        "strength": strength,
        "by_strength": curve,
        "by_particles": crowd,
        "judge": real,
        "pairs": [[bond.i + 1, bond.j + 1] for bond in case.bonds],
        "length": case.maker.length,
        "backbones": len(led.forms),
        "seeds": list(seeds),
        "seconds": time.monotonic() - begin,
    }
    return told(numbers, case, led, free)


def asked(request: Request) -> tuple[Case, int, tuple[int, ...], float]:
    length = request.count("length", request.pick(40, 60), 40, 128)
    wishes = (*bonds_of(request.options.get("pair", f"10-{length - 20}")), *distances_of(request.options.get("apart")))
    refuse_contradictions(wishes, length)
    source = maker(request, length)
    count = request.count("count", request.pick(4, 16, 200), 1, 4096)
    strength = request.number("strength", 0.1)
    named = {f"{type(wish).__name__.lower()}_{wish.i + 1}_{wish.j + 1}": term(wish) for wish in wishes}
    case = Case(source, wishes, Energy(**named))
    seeds = tuple(request.seed + k for k in range(request.pick(1, 1, 3)))
    return case, count, seeds, strength


def term(wish: Disulfide | Distance) -> Term:
    return Term(wish, "kcal/mol", kT=KT) if isinstance(wish, Disulfide) else Term(wish, "kT")


def bonds_of(word: str) -> list[Disulfide]:
    return [Disulfide(*numbered("pair", each)) for each in word.split(",")]


def distances_of(word: str | None) -> list[Distance]:
    found = []
    for each in word.split(",") if word else []:
        pair, _, far = each.partition("=")
        try:
            wanted = float(far)
        except ValueError:
            wanted = np.nan
        if not 0 < wanted < np.inf:
            raise BadInput(f"--set apart={each}: two residues and a distance in A are meant, such as 3-50=20.")
        found.append(Distance(*numbered("apart", pair), max(wanted - SPREAD, 0.0), wanted + SPREAD))
    return found


def numbered(option: str, word: str) -> tuple[int, int]:
    one, _, other = word.partition("-")
    if not (one.isdigit() and other.isdigit() and min(int(one), int(other)) > 0 and one != other):
        raise BadInput(f"--set {option}={word}: two different residues counted from 1 are meant, such as 10-40.")
    i, j = sorted((int(one) - 1, int(other) - 1))
    return i, j


# making chains


def pulled(case: Case, start: Frames, strength: float, seed: int, churn: float = 0.0, crowd: int | None = None):
    """Guided from the noise given; with `crowd`, in populations of so many particles."""
    return steered(case.maker.flow(churn), case.energy, [pull(strength)], start, seed, crowd, case.maker.progress)


# judging them


def arm(case: Case, frames: Frames, weight: float, firm: float = FIRM) -> Arm:
    """Chains relaxed, with the bond among the terms or not, and judged."""
    wish = Wish(case.wishes, jnp.asarray(weight), case.maker.roomy(firm))
    raw, done = backbones_of(case, frames), backbones_of(case, case.maker.relaxed(frames, wish))
    bonds = [judged(case, each) for each in done]
    return Arm(
        done, [all(bond.forms for bond in judged(case, each)) for each in raw],
        [all(bond.forms for bond in each) for each in bonds], [each[0] for each in bonds],
        favoured(done).mean(axis=1), clashes_per_100(done),
    )  # fmt: skip


def joined(arms: Sequence[Arm]) -> Arm:
    chained = lambda name: [one for each in arms for one in getattr(each, name)]
    return Arm(
        chained("backbones"), chained("raw"), chained("forms"), chained("bonds"),
        np.array(chained("favoured")), np.array(chained("clashes")),
    )  # fmt: skip


def backbones_of(case: Case, frames: Frames) -> list[Backbone]:
    """Alanines, with cysteines where bonds are asked for."""
    sites = {k for bond in case.bonds for k in (bond.i, bond.j)}
    return case.maker.backbones(frames, "".join("C" if k in sites else "A" for k in range(case.maker.length)))


def judged(case: Case, backbone: Backbone) -> list[judge.Bond]:
    """Each bond, from the text of the PDB file."""
    text = pdb_text(backbone)
    return [judge.judged(*judge.sites(text, bond.i + 1, bond.j + 1)) for bond in case.bonds]


def losses(free: Arm, led: Arm) -> dict[str, dict[str, float]]:
    """What is lost against the unguided, relative; of clashes at least against what natives have."""
    return {
        "ramachandran": bootstrapped(lambda a, b: (a - b) / a, free.favoured, led.favoured),
        "clashes": bootstrapped(lambda a, b: (b - a) / np.maximum(a, NATURAL), free.clashes, led.clashes),
    }


# what depends on what


def by_strength(case: Case, request: Request, count: int, seed: int, strength: float, known: tuple) -> list[dict]:
    """Success from no guidance, relaxed towards the bond all the same, to the strength that was used."""
    first = lambda arm: {"raw": float(np.mean(arm.raw[:count])), "satisfied": float(np.mean(arm.forms[:count]))}
    found = [{"strength": 0.0, **first(known[1])}]
    others = [each for each in request.pick((), STRENGTHS) if each != strength]
    start = case.maker.noise(count, seed)
    for each in others:
        found.append({"strength": each, **first(arm(case, pulled(case, start, each, seed), FAST))})
    found.append({"strength": strength, **first(known[2])})
    return sorted(found, key=lambda each: each["strength"])


def by_particles(case: Case, request: Request, seed: int) -> list[dict]:
    """Success in populations of so many that share one weak pull, with new noise at each step."""
    if request.effort is Effort.QUICK:
        return []
    found, start = [], case.maker.noise(TOGETHER, seed + 1000)
    for crowd in PARTICLES:
        here = arm(case, pulled(case, start, STRENGTHS[0], seed, churn=1.0, crowd=crowd), FAST)
        found.append({"particles": crowd, "raw": float(np.mean(here.raw)), "satisfied": here.share()})
    return found


def natives(most: int = 60) -> dict | None:
    """How many real bonds pass the judge, and how many random pairs of native chains."""
    folder = [in_data_folder("backbones_pdb", name) for name in ("disulfides.csv", "backbones_permissive.npz")]
    if not all(path.is_file() for path in folder):
        return None
    with np.load(folder[1], allow_pickle=False) as file:
        xyz, ends = file["xyz"].astype(float), file["offsets"]
    with folder[0].open() as text:
        rows = list(csv.DictReader(text))
    chi = np.deg2rad([[float(row[k]) for k in ("chi1_i", "chi2_i", "chi3", "chi2_j", "chi1_j")] for row in rows])
    rng = np.random.default_rng(0)
    chosen = [rows[k] for k in rng.permutation(len(rows))[:most]]
    pairs = [(int(row["chain_index"]), int(row["i"]), int(row["j"])) for row in chosen]
    random = []
    while len(random) < most:
        k = int(rng.integers(len(ends) - 1))
        i, j = sorted(rng.choice(ends[k + 1] - ends[k], 2, replace=False))
        if j - i >= 3 and np.isfinite(xyz[ends[k] + np.array([i, j])][:, [0, 1, 2, 4]]).all():
            random.append((k, i, j))
    forms = lambda some: [judge.judged(*(xyz[ends[k] + at][[0, 1, 2, 4]] for at in (i, j))).forms for k, i, j in some]
    return {
        "real_bonds_pass": proportion(forms(pairs)),
        "random_pairs_pass": proportion(forms(random)),
        "torsion_energy_p95": float(np.percentile(judge.katz(*chi.T), 95)),
        "limit": judge.WORST,
    }


# telling it


def status_of(numbers: dict) -> Status:
    share, loss = numbers["satisfied"], numbers["quality_loss"]
    if share["value"] < SHARE:
        return Status(False, f"{share['value']:.0%} form the bond, fewer than {SHARE:.0%}", "as asked for")
    if loss["value"] - 2 * loss["sd"] > LOSS:
        return Status(False, f"guidance costs {loss['value']:.0%} of quality, above {LOSS:.0%}", "as asked for")
    return Status(True, f"{share['value']:.0%} form the bond, {loss['value']:.0%} of quality lost", "as asked for")


def told(numbers: dict, case: Case, led: Arm, free: Arm) -> Outcome:
    status = status_of(numbers)
    pairs = ", ".join(f"{i}-{j}" for i, j in numbers["pairs"])
    rows = [
        ("guided at each step, relaxed", shown(numbers["satisfied"])),
        ("the same before relaxation", shown(numbers["satisfied_before_relaxation"])),
        ("unguided, relaxed towards the bond", shown(numbers["satisfied_relaxed_only"])),
        ("unguided: what rejection keeps", shown(numbers["satisfied_unguided"])),
    ]
    if numbers["judge"]:
        rows += [
            ("real disulfides", shown(numbers["judge"]["real_bonds_pass"])),
            ("random pairs of native chains", shown(numbers["judge"]["random_pairs_pass"])),
        ]
    quality = Table(
        ("quality after relaxation", "guided", "unguided", "relative loss"),
        tuple(
            (name, f"{numbers[name]['guided']:.3f}", f"{numbers[name]['unguided']:.3f}",
             shown(numbers["quality_loss_by"][key]))
            for name, key in (("ramachandran_favoured", "ramachandran"), ("clashes_per_100", "clashes"))
        ),
    )  # fmt: skip
    table = Table((f"bond {pairs} of {case.maker.length} residues", "forms"), tuple(rows))
    kept = sum(free.forms)
    sentences = (
        f"{numbers['backbones']} backbones from the same noise each, {numbers['seconds']:.0f} s in all. Rejection kept"
        f" {kept} of {len(free.forms)} unguided chains, guidance {sum(led.forms)} of as many, for as many calls of the"
        " network.",
        "Judged on the PDB files by code of its own; the relaxation holds bonds, Ramachandran and clashes in both, so"
        " that these are compared, and are no independent evidence of quality.",
        LABEL,
    )
    order = sorted(range(len(led.forms)), key=lambda k: (not led.forms[k], led.bonds[k].energy))
    some = [led.backbones[k] for k in order[:8]]
    pairs_of = [(bond.i, bond.j) for bond in case.bonds]
    draw = lambda: picture(some, [f"{led.bonds[k].energy:.1f} kcal/mol" for k in order[:8]], bonds=pairs_of)
    curve = lambda: pictures.curves(numbers)
    section = Section(
        "A bond between two chosen residues", (str(status), *sentences), (table, quality),
        (Drawing("curves", "What guidance and particles do.", curve),
         Drawing("backbones", "Some of them, the bond in green.", draw)),
    )  # fmt: skip
    main = Account(status, numbers["seconds"], (section,), "SE(3) flow guided by a disulfide's energy")
    text = "\n".join([*table.lines(), "", *quality.lines(), "", *sentences])
    return Outcome(numbers, status, text, main, figures={"curves": curve, "backbones": draw}, files=files(case, led))


def files(case: Case, led: Arm) -> dict[str, bytes]:
    """A PDB file for each, sulphurs where the judge found them."""
    return pdb_files({f"disulfide_{k + 1:03d}": bonded(case, each) for k, each in enumerate(led.backbones)})


def bonded(case: Case, backbone: Backbone) -> Backbone:
    """With sulphurs where the judge found them."""
    sg = np.full((len(backbone), 3), np.nan)
    for bond, said in zip(case.bonds, judged(case, backbone), strict=True):
        sg[[bond.i, bond.j]] = said.sulphurs
    return Backbone(backbone.xyz, backbone.sequence, sg=sg)
