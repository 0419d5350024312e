"""Rings of identical protein chains: a backbone drawn so that three copies of it, turned by 120 degrees, fit together.

One chain flows out of noise by the generator of `backbone`, beside an axis; its copies are the first one turned, at
each step, so that the symmetry is exact to rounding and nothing has to be mended. The energies of the ring steer: as
many contacts between neighbours as are wanted, and no atoms of one chain in another. They bend the chain and move it as
a whole, to the axis and about itself. In the end the first chain is relaxed with the ring's energies among its terms.

Beside it, from the same noise: chains drawn without the energies, whose copies lie as chance has it; and those relaxed
towards a ring, which tells what the relaxation alone does. Symmetry, clashes and contacts are counted on the PDB files
by other code. The chain's own scores stand beside natives', as in `backbone`. These are scores of geometry, not of
designability: nothing here says that a sequence folds or assembles so.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from .._core.record import Account, Drawing, Section, Status, Table
from ..fields.equivariant import Frames
from ..guidance import Energy, Term
from ..proteins import (
    Backbone,
    RingFlow,
    ScoreSheet,
    Symmetry,
    ring_clash_energy,
    ring_contact_energy,
    scores,
)
from ..proteins._chain_energies import KT
from ..proteins._generate import keys_of
from ..proteins._reading import extra
from . import _chains_judge as judge
from . import _symmetric_pictures as pictures
from ._base import Outcome, Request
from ._chains import Maker, clashes_per_100, maker, mean_of, proportion, pull, shown, steered
from ._pdb import pdb_files, pdb_text
from ._scored import beside_natives
from .backbone import LABEL

SUMMARY = "rings of identical protein chains, exactly symmetric, with contacts between neighbours and no clashes"
OPTIONS = {
    "length": "residues of a chain, 40 to 128; 60 by default (40 at quick effort)",
    "chains": "of a ring, 2 to 6; 3 by default",
    "contacts": "wanted between neighbours: pairs of residues whose beta carbons are within 8 A; 12 by default",
    "count": "rings; 16 by default (3 at quick effort, 200 at best)",
    "steps": "from noise to protein; 40 by default (8 at quick effort)",
    "strength": "of the guidance; 0.1 by default",
    "weights": "a file of weights to draw from, in place of those that come with the package",
}
NAMES = "ABCDEF"
SHARE = 0.9
"""How many rings should be as asked for."""
EXACT, ROUNDED = 1e-4, 2e-3
"""A: how far from symmetric a ring may be, in single precision and in the three digits of a file."""
SMOOTH = 3.5
"""Smooth contacts that are asked for, for each contact that is wanted: the smooth count hears pairs beyond 8 A, and how
many depends on the chain. With 2.5 a fifth of the rings were left with 8 to 11 contacts where 12 were wanted."""


class Together(eqx.Module):
    """The energies of a ring in kT, times a weight: 0 for chains that are to be left alone."""

    symmetry: Symmetry
    real: Bool[Array, " n"]
    wanted: float
    weight: Float[Array, ""]

    def clash(self, frames: Frames) -> Float[Array, ""]:
        return ring_clash_energy(frames, self.symmetry, self.real)

    def contacts(self, frames: Frames) -> Float[Array, ""]:
        return ring_contact_energy(frames, self.symmetry, self.wanted, self.real)

    def __call__(self, frames: Frames) -> Float[Array, ""]:
        return self.weight * (self.clash(frames) / KT + self.contacts(frames))


class Case(NamedTuple):
    """What is asked for, and what makes the chains."""

    maker: Maker
    symmetry: Symmetry
    contacts: int

    def together(self, weight: float) -> Together:
        real = jnp.asarray(self.maker.real(1)[0])
        return Together(self.symmetry, real, SMOOTH * self.contacts, jnp.asarray(weight))

    def flow(self) -> RingFlow:
        return RingFlow(self.maker.denoiser, jnp.asarray(self.maker.real(1)[0]), self.maker.schedule)

    @property
    def energy(self) -> Energy:
        of = self.together(1.0)
        return Energy(clash=Term(of.clash, "kcal/mol", kT=KT), contacts=Term(of.contacts, "kT"))


class Ring(NamedTuple):
    """Chains, and what the judge says of them. contacts: of the interface that has least; clashes: between chains."""

    chains: list[Backbone]
    raw: judge.Symmetric
    exact: judge.Symmetric
    in_file: judge.Symmetric
    contacts: int
    clashes: int
    formed: bool


class Arm(NamedTuple):
    """Rings made in one way."""

    rings: list[Ring]

    @property
    def firsts(self) -> list[Backbone]:
        return [ring.chains[0] for ring in self.rings]

    def per_100(self) -> Float[np.ndarray, " rings"]:
        """Clashes per 100 residues, inside chains and between them."""
        between = [100 * ring.clashes / sum(map(len, ring.chains)) for ring in self.rings]
        return clashes_per_100(self.firsts) + np.array(between)

    def told(self) -> dict:
        return {
            "satisfied": proportion([ring.formed for ring in self.rings]),
            "contacts": mean_of(np.array([float(ring.contacts) for ring in self.rings])),
            "clashes_between": mean_of(np.array([float(ring.clashes) for ring in self.rings])),
            "clashes_per_100": mean_of(self.per_100()),
        }


def run(request: Request) -> Outcome:
    extra()
    begin = time.monotonic()
    case, count, strength = asked(request)
    flow = case.flow()
    start = jax.vmap(flow.start)(keys_of(request.seed, count))
    # A pull of no strength leaves every answer as it is, and compiles once with one that has some.
    led, plain = (
        steered(flow, case.energy, [pull(each)], start, request.seed, progress=request.progress)
        for each in (strength, 0.0)
    )
    arms = {
        "guided": arm(case, led, 1.0),
        "relaxed_only": arm(case, plain, 1.0),
        "unguided": arm(case, plain, 0.0),
    }
    sheets = {name: scores(arms[name].firsts, seed=request.seed) for name in ("guided", "unguided")}
    rings = arms["guided"].rings
    worst = lambda which: {
        name: max(getattr(getattr(ring, which), name) for ring in rings) for name in judge.Symmetric._fields
    }
    numbers = {
        **{name: arms["guided"].told()[name] for name in ("satisfied", "contacts", "clashes_per_100")},
        "symmetry_error": {"drawn": worst("raw"), "relaxed": worst("exact"), "in_file": worst("in_file")},
        "ways": {name: each.told() for name, each in arms.items()},
        "scores": {name: sheet.to_json() for name, sheet in sheets.items()},
        "unlike": sheets["guided"].unlike(),
        "chains": case.symmetry.fold,
        "length": case.maker.length,
        "contacts_wanted": case.contacts,
        "rings": count,
        "strength": strength,
        "seconds": time.monotonic() - begin,
    }
    return told(numbers, arms, sheets)


def asked(request: Request) -> tuple[Case, int, float]:
    length = request.count("length", request.pick(40, 60), 40, 128)
    symmetry = Symmetry(request.count("chains", 3, 2, len(NAMES)))
    case = Case(maker(request, length), symmetry, request.count("contacts", 12, 1, 200))
    count = request.count("count", request.pick(3, 16, 200), 1, 4096)
    return case, count, request.number("strength", 0.1)


def arm(case: Case, frames: Frames, weight: float) -> Arm:
    """Rings relaxed, with the ring's energies among the terms or not, and judged."""
    done = case.maker.relaxed(frames, case.together(weight))
    parts = [rings_of(case, each) for each in (frames, done)]
    return Arm([judged(case, *both) for both in zip(*parts, strict=True)])


def rings_of(case: Case, frames: Frames) -> list[list[Backbone]]:
    """The chains of each ring: every one built from its own frames."""
    whole = jax.vmap(case.symmetry.ring)(frames)
    each = [
        case.maker.backbones(whole.map(lambda x, k=k: x[:, k]), "A" * case.maker.length)
        for k in range(whole.origin.shape[1])
    ]
    return [
        [Backbone(one.xyz, one.sequence, chain=name) for one, name in zip(chains, NAMES, strict=False)]
        for chains in zip(*each, strict=True)
    ]


def judged(case: Case, raw: Sequence[Backbone], done: Sequence[Backbone]) -> Ring:
    found = list(judge.chains_of(pdb_text(done)).values())
    m = len(found)
    places = lambda chains: [np.asarray(each.xyz, float).reshape(-1, 3) for each in chains]
    neighbours = [(found[k], found[(k + 1) % m]) for k in range(m if m > 2 else 1)]
    contacts = min(judge.contacts_between(*both) for both in neighbours)
    clashes = sum(judge.clashes_between(found[i], found[j]) for i in range(m) for j in range(i))
    return Ring(
        list(done), judge.symmetric(places(raw)), judge.symmetric(places(done)),
        judge.symmetric([each.xyz for each in found]), contacts, clashes,
        contacts >= case.contacts and clashes == 0,
    )  # fmt: skip


# telling it


def status_of(numbers: dict) -> Status:
    error, share = numbers["symmetry_error"], numbers["satisfied"]["value"]
    if error["relaxed"]["off"] > EXACT or error["in_file"]["off"] > ROUNDED:
        return Status(False, f"atoms are up to {error['relaxed']['off']:.0e} A from symmetric", "as asked for")
    reason = (
        f"{share:.0%} of the rings have {numbers['contacts_wanted']} contacts and more at each interface and no clash"
        f" between chains (goal {SHARE:.0%})"
    )
    if share < SHARE:
        return Status(False, reason, "as asked for")
    if numbers["unlike"]:
        return Status(False, f"{reason}; chains are unlike natives in {', '.join(numbers['unlike'])}", "as asked for")
    return Status(True, reason, "as asked for")


def told(numbers: dict, arms: dict[str, Arm], sheets: dict[str, ScoreSheet]) -> Outcome:
    status = status_of(numbers)
    said = {
        "guided": "guided at each step, relaxed as a ring",
        "relaxed_only": "unguided, relaxed as a ring",
        "unguided": "unguided, relaxed alone",
    }
    rows = tuple(
        (said[name], *(shown(each[key]) for key in ("satisfied", "contacts", "clashes_between", "clashes_per_100")))
        for name, each in numbers["ways"].items()
    )
    head = (f"{numbers['rings']} rings of {numbers['chains']} x {numbers['length']} residues", "as asked for")
    table = Table((*head, "contacts", "clashes between", "clashes per 100"), rows)
    quality = beside_natives("a chain by itself", sheets)
    error = numbers["symmetry_error"]
    sentences = (
        f"The turn from the first chain to the second takes each to its next within {error['drawn']['off']:.0e} A as"
        f" drawn, {error['relaxed']['off']:.0e} A relaxed and {error['in_file']['off']:.0e} A in the files, which keep"
        f" 0.001 A; it is {360 / numbers['chains']:g} degrees to {error['relaxed']['degrees']:.0e}.",
        "Symmetry, contacts and clashes between chains are counted on the PDB files by code of its own; the relaxation"
        " holds clashes and contacts, which are no independent evidence of quality after it.",
        LABEL,
    )
    rings = sorted(arms["guided"].rings, key=lambda ring: (not ring.formed, ring.clashes, -ring.contacts))
    draw = lambda: pictures.rings([ring.chains for ring in rings[:6]], [one_line(ring) for ring in rings[:6]])
    chart = lambda: pictures.interfaces(
        {said[name]: [(ring.contacts, ring.clashes) for ring in each.rings] for name, each in arms.items()},
        numbers["contacts_wanted"],
    )
    section = Section(
        "Rings of identical chains", (str(status), *sentences), (table, quality),
        (Drawing("rings", "Rings seen along their axis, each chain in a colour of its own.", draw),
         Drawing("interfaces", "Contacts and clashes between neighbours.", chart)),
    )  # fmt: skip
    main = Account(status, numbers["seconds"], (section,), "SE(3) flow of one chain, guided by its ring's energies")
    text = "\n".join([*table.lines(), "", *quality.lines(), "", *sentences])
    files = pdb_files({f"ring_{k + 1:03d}": ring.chains for k, ring in enumerate(arms["guided"].rings)})
    return Outcome(numbers, status, text, main, figures={"rings": draw, "interfaces": chart}, files=files)


def one_line(ring: Ring) -> str:
    return f"{ring.contacts} contacts, {ring.clashes} clashes"
