"""What a sequence is to meet: read from words, refused where nothing can, turned into an energy, and judged apart."""

from __future__ import annotations

import cmath
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput
from ..guidance import Constant, Energy, Term
from ..proteins import (
    Backbone,
    charge_near,
    ideal_internal,
    moment_near,
    reachable,
    read,
    rebuild,
)
from ..proteins._backbone import AMINO_ACIDS
from ..proteins._letters import ACIDS, BASES, ENDS, HYDROPHOBICITY
from ._base import Request
from ._sequence_fold import Fold

WITHIN = 0.5, 0.05
"""By how much a charge (e) and a moment (kcal/mol) may miss. Charges of sequences lie about one apart."""
SHARP = 3.5
"""Windows are so many standard deviations of the energies' wide: few sequences that follow them lie outside."""
SHORTEST, LONGEST = 4, 256
BUNDLE = "bundle"


class Wish(NamedTuple):
    """pair: the residues, counted from 1, that are to be cysteines; no others are."""

    template: str
    pair: tuple[int, ...]
    charge: float
    moment: float
    fold: Fold | None = None
    fold_name: str | None = None

    @property
    def energy(self) -> Energy:
        whole = Constant()
        terms = {
            "charge": Term(lambda p: charge_near(p, self.charge, WITHIN[0] / SHARP), schedule=whole),
            "moment": Term(lambda p: moment_near(p, self.moment, WITHIN[1] / SHARP), schedule=whole),
        }
        return Energy(**terms, **(self.fold.terms if self.fold else {}))


class Found(NamedTuple):
    """Of one sequence. contacts, torsions: kT, 0 without a fold."""

    charge: float
    moment: float
    alone: bool
    contacts: float
    torsions: float
    hit: bool


def judged(wish: Wish, sequence: str) -> Found:
    """Letter by letter, in double precision and without the energies that steered."""
    charge = charge_of(sequence)
    scale = dict(zip(AMINO_ACIDS, HYDROPHOBICITY.tolist(), strict=True))
    turned = (scale[x] * cmath.exp(1j * math.radians(100 * n)) for n, x in enumerate(sequence))
    moment = abs(sum(turned)) / len(sequence)
    alone = tuple(n for n, x in enumerate(sequence, 1) if x == "C") == wish.pair
    touching, misfit = (wish.fold.contacts_in(sequence), wish.fold.misfit_in(sequence)) if wish.fold else (0.0, 0.0)
    near = abs(charge - wish.charge) <= WITHIN[0] and abs(moment - wish.moment) <= WITHIN[1]
    return Found(charge, moment, alone, touching, misfit, near and alone)


def charge_of(sequence: str) -> float:
    """At pH 7, in e."""
    titrated = [1 / (1 + 10 ** (7 - BASES[x])) for x in sequence if x in BASES]
    titrated += [-1 / (1 + 10 ** (ACIDS[x] - 7)) for x in sequence if x in ACIDS]
    amine, acid = ENDS
    return math.fsum(titrated) + 1 / (1 + 10 ** (7 - amine)) - 1 / (1 + 10 ** (acid - 7))


def wished(request: Request) -> Wish:
    """Raises `BadInput` for what no sequence can meet."""
    name, fold = folded(request)
    length = request.count("length", request.pick(30, 50), SHORTEST, LONGEST)
    if fold is not None:
        if "length" in request.options and length != len(fold.touching):
            raise BadInput(
                f"--set length={length}: the backbone '{name}' has {len(fold.touching)} residues, and its sequence"
                " has as many; leave length out."
            )
        length = len(fold.touching)
    pair = cysteines(request, length)
    template = "".join("C" if n in pair else "?" for n in range(1, length + 1))
    if "?" not in template:
        raise BadInput(f"--set length={length}: nothing is left to be written beside the cysteines.")
    charge = signed(request, "charge", 3.0)
    moment = request.number("moment", 0.35)
    reason = reachable(template, charge, moment, WITHIN, without="C")
    if reason:
        raise BadInput(f"{reason} ({length} residues, cysteines: {len(pair)}).")
    return Wish(template, pair, charge, moment, fold, name)


def signed(request: Request, name: str, default: float) -> float:
    word = request.options.get(name, default)
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadInput(f"--set {name}={word}: '{name}' must be a number, such as {name}={default:g}.")
    return value


def cysteines(request: Request, length: int) -> tuple[int, ...]:
    word = request.options.get("cysteines", f"{max(length // 5, 1)}-{length - length // 5}")
    if word == "none":
        return ()
    first, _, last = word.partition("-")
    if not (first.isdigit() and last.isdigit()):
        raise BadInput(f"--set cysteines={word}: two residues are meant, such as 10-40, or none.")
    pair = int(first), int(last)
    if not 1 <= pair[0] < pair[1] <= length:
        raise BadInput(f"--set cysteines={word}: residues are counted from 1 to {length}, the first before the second.")
    return pair


def folded(request: Request) -> tuple[str | None, Fold | None]:
    """`--set backbone=FILE`, or bundle for one made here."""
    word = request.options.get("backbone")
    if word is None:
        return None, None
    backbone = bundle() if word == BUNDLE else read(Path(word)).backbones[0]
    if not SHORTEST <= len(backbone) <= LONGEST:
        raise BadInput(
            f"--set backbone={word}: its first segment has {len(backbone)} residues; {SHORTEST} to {LONGEST} are read."
        )
    return Path(word).name, Fold.of(backbone)


def helix(length: int) -> Float[np.ndarray, "L 4 3"]:
    """An ideal alpha helix along x, its middle at the origin."""
    one = np.asarray(rebuild(ideal_internal(*(np.deg2rad([[-62.0], [-43.0]]) * np.ones((2, length - 1))))))
    ca = one[:, 1]
    middle = ca.mean(axis=0)
    axes = np.linalg.svd(ca - middle, full_matrices=False)[2]
    axes[2] *= np.sign(np.linalg.det(axes))  # no mirror
    return (one - middle) @ axes.T


def bundle(length: int = 16, apart: float = 8.5) -> Backbone:
    """Three helices side by side, up, down and up, without the turns between them."""
    one, over = helix(length), np.diag([-1.0, -1.0, 1.0])
    corners = apart * np.array([[0, 0, 0], [0, 1, 0], [0, 0.5, math.sqrt(0.75)]])
    return Backbone(np.concatenate([one + corners[0], one @ over + corners[1], one + corners[2]]))
