"""How native backbones look, measured by geometry alone."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput, listing
from .._core.precision import in_float64
from ._backbone import Backbone, padded
from ._clashes import clashes
from ._ramachandran import FAVOURED, ramachandran, ramachandran_kinds
from ._reading import BREAK
from ._secondary import run_lengths, secondary_structure
from ._shape import compactness, handedness
from ._similar import nearest_tm, pairwise_tm
from ._torsions import Internal, internal

TABLE = Path(__file__).with_name("natives.json")
LABEL = "geometry, not designability: nothing here says that a sequence folds into it"
LENGTHS = ("n_ca", "ca_c", "c_n", "c_o")
ANGLES = ("n_ca_c", "ca_c_n", "c_n_ca", "ca_c_o")
ROUND = 32

WHAT = {
    "ramachandran_favoured": "share of residues whose phi and psi are favoured",
    "clashes_per_100": "pairs of atoms that overlap by 0.4 A or more, per 100 residues",
    "helix_fraction": "share of residues in helices (H, G, I)",
    "strand_fraction": "share of residues in strands (E)",
    "helix_run": "mean length of helices, residues",
    "strand_run": "mean length of strands, residues",
    "rg_ratio": "radius of gyration over 2.2 L^0.38 A",
    "right_handed": "share of helix turns that are right-handed",
    "bonds_inside": "share of bond lengths between the 1st and 99th percentile of natives",
    "angles_inside": "share of bond angles there",
    "omega_inside": "share of omega there",
    "ca_ca_inside": "share of distances of neighbouring CA there",
    "chain_breaks": "peptide bonds above 2 A, per backbone",
    "pairwise_tm": "mean TM-score of pairs, by the shorter chain",
    "nearest_training_tm": "mean TM-score with the nearest of the training set",
}


# How a metric may differ from that of natives: value, native, and what chance does to the difference of two such sets.
PASSES: Mapping[str, Callable[[float, float, float], bool]] = {
    "ramachandran_favoured": lambda value, native, chance: value >= native - max(0.08, chance),
    "clashes_per_100": lambda value, native, chance: value <= native + max(0.5 * native, chance),
    "helix_fraction": lambda value, native, chance: abs(value - native) <= max(0.10, chance),
    "strand_fraction": lambda value, native, chance: abs(value - native) <= max(0.10, chance),
    "rg_ratio": lambda value, native, chance: abs(value - native) <= max(0.10 * native, chance),
    "right_handed": lambda value, native, chance: value >= 0.99 * native,
    "bonds_inside": lambda value, native, chance: value >= native - 0.05,
    "angles_inside": lambda value, native, chance: value >= native - 0.05,
    "omega_inside": lambda value, native, chance: value >= native - 0.05,
    "ca_ca_inside": lambda value, native, chance: value >= native - 0.05,
    "chain_breaks": lambda value, native, chance: value <= native,
}
CHANCE = 2.0  # standard deviations


class Score(NamedTuple):
    """A metric, and the same of natives by the same code; None where there is nothing to measure.

    chance   two standard deviations of the difference of two sets of natives of these sizes, where it is known.
    """

    value: float | None
    native: float | None
    chance: float = 0.0

    def to_json(self) -> dict[str, float | None]:
        return {"value": self.value, "native": self.native}


@dataclass(frozen=True)
class Native:
    """What natives measure.

    bounds   the 1st and 99th percentile of lengths (A) and angles (rad).
    values   each metric.
    spread   standard deviation of some metrics from chain to chain.
    count    of natives.
    """

    bounds: Mapping[str, tuple[float, float]]
    values: Mapping[str, float | None]
    spread: Mapping[str, float]
    count: int
    source: str

    def to_json(self) -> dict:
        return {
            "source": self.source,
            "count": self.count,
            "bounds": {name: list(ends) for name, ends in self.bounds.items()},
            "values": dict(self.values),
            "spread": dict(self.spread),
        }

    @classmethod
    def from_json(cls, record: Mapping) -> Native:
        bounds = {name: (float(low), float(high)) for name, (low, high) in record["bounds"].items()}
        return cls(bounds, dict(record["values"]), dict(record["spread"]), record["count"], str(record["source"]))


@dataclass(frozen=True)
class ScoreSheet:
    """Metrics by name beside those of natives. Geometry, not designability."""

    scores: Mapping[str, Score]
    backbones: int
    residues: int
    natives: str

    def __getitem__(self, name: str) -> Score:
        return self.scores[name]

    def to_json(self) -> dict[str, dict[str, float | None]]:
        """Each metric as {"value": v, "native": n}."""
        return {name: score.to_json() for name, score in self.scores.items()}

    def unlike(self) -> list[str]:
        """The metrics in which they are not like natives.

        Ramachandran 8 points below, clashes half as many again, helices or strands 10 points off, size 10 % off, or
        what chance does to sets of these sizes where that is more; left-handed helices above 1 %; lengths or
        angles 5 points less often where natives have them; chain breaks. TM-scores and lengths of runs have no limit.
        """
        return [
            name
            for name, passes in PASSES.items()
            if (score := self.scores[name]).value is not None
            and score.native is not None
            and not passes(score.value, score.native, score.chance)
        ]

    def rows(self) -> Iterator[tuple[str, str, str, str]]:
        """Name, value, native, and what it is."""
        shown = lambda value: "-" if value is None else f"{value:.3f}"
        for name, score in self.scores.items():
            yield name, shown(score.value), shown(score.native), WHAT[name]

    def __str__(self) -> str:
        lines = [
            f"{self.backbones} backbones, {self.residues} residues, beside {self.natives} ({LABEL})",
            f"{'':22}{'value':>8}{'native':>8}",
        ]
        return "\n".join(
            [*lines, *(f"{name:22}{value:>8}{native:>8}  {what}" for name, value, native, what in self.rows())]
        )


def scores(
    backbones: Sequence[Backbone],
    natives: Native | Sequence[Backbone] | None = None,
    *,
    training: Sequence[Backbone] | None = None,
    pairs: int = 300,
    seed: int = 0,
) -> ScoreSheet:
    """How native backbones look: each metric beside the same of natives, by the same code.

        print(proteins.scores(backbones))
        proteins.scores(backbones, held_out, training=trained_on)["nearest_training_tm"].value

    natives    backbones, or what `measured_natives` found of them; by default what it found of 304 chains of 40 to 128
               residues, one of each cluster of similar sequences, which comes with the library.
    training   what a generator was trained on, for `nearest_training_tm`.
    pairs      how many random pairs `pairwise_tm` is a mean over, at most.

    These are scores of geometry, not of designability: a backbone may have them all and no sequence that folds into it.
    Each backbone is taken alone, so strands that pair with another chain do not count as strands.
    Raises `BadInput` where there is no backbone, or one of fewer than 4 residues.
    """
    if natives is None:
        natives = usual_natives()
    elif not isinstance(natives, Native):
        natives = measured_natives(natives, training=training, pairs=pairs, seed=seed)
    found, _ = measured(backbones, natives.bounds, training, pairs, seed)
    chance = CHANCE * (1 / len(backbones) + 1 / natives.count) ** 0.5
    both = {name: Score(found[name], natives.values[name], chance * natives.spread.get(name, 0.0)) for name in WHAT}
    return ScoreSheet(both, len(backbones), sum(map(len, backbones)), natives.source)


@functools.cache
def usual_natives() -> Native:
    """What comes with the library."""
    return Native.from_json(json.loads(TABLE.read_text()))


def measured_natives(
    backbones: Sequence[Backbone],
    *,
    training: Sequence[Backbone] | None = None,
    pairs: int = 300,
    seed: int = 0,
    source: str | None = None,
) -> Native:
    """What natives measure, to be given to `scores` many times."""
    inside = together(backbones)
    bounds = {name: percentiles(inside[name]) for name in (*LENGTHS, *ANGLES, "omega", "ca_ca")}
    values, spread = measured(backbones, bounds, training, pairs, seed)
    return Native(bounds, values, spread, len(backbones), source or f"{len(backbones)} natives")


def percentiles(values: Float[np.ndarray, " some"]) -> tuple[float, float]:
    low, high = np.percentile(values, [1, 99])
    return float(low), float(high)


def measured(
    backbones: Sequence[Backbone],
    bounds: Mapping[str, tuple[float, float]],
    training: Sequence[Backbone] | None,
    pairs: int,
    seed: int,
) -> tuple[dict[str, float | None], dict[str, float]]:
    """Each metric of a set of backbones, and how some vary from chain to chain."""
    inside = together(backbones)
    residues = np.array([len(each) for each in backbones])
    letters = [secondary_structure(each.xyz, each.sequence) for each in backbones]
    whole = "|".join(letters)  # no run goes from one chain to the next
    share = lambda kinds: np.array([sum(told.count(kind) for kind in kinds) for told in letters]) / residues
    hands = [handedness(each.xyz, told) for each, told in zip(backbones, letters, strict=True)]
    right, left = sum(hand.right for hand in hands), sum(hand.left for hand in hands)
    within = lambda names: mean(
        np.concatenate([(inside[name] >= bounds[name][0]) & (inside[name] <= bounds[name][1]) for name in names])
    )
    favoured = inside["ramachandran"] >= FAVOURED
    each_inner = np.split(favoured, np.cumsum(residues - 2)[:-1])
    by_chain = {
        "ramachandran_favoured": np.array([np.mean(one) for one in each_inner]),
        "clashes_per_100": np.array([100 * clashes(np.asarray(one.xyz), one.sequence) for one in backbones]) / residues,
        "helix_fraction": share("HGI"),
        "strand_fraction": share("E"),
        "rg_ratio": np.array([float(compactness(np.asarray(one.ca, dtype=float))) for one in backbones]),
    }
    weighted = lambda name: float(np.sum(by_chain[name] * residues) / np.sum(residues))
    values = {
        "ramachandran_favoured": mean(favoured),
        "clashes_per_100": weighted("clashes_per_100"),
        "helix_fraction": weighted("helix_fraction"),
        "strand_fraction": weighted("strand_fraction"),
        "helix_run": mean(run_lengths(whole, "HGI")),
        "strand_run": mean(run_lengths(whole, "E")),
        "rg_ratio": mean(by_chain["rg_ratio"]),
        "right_handed": right / (right + left) if right + left else None,
        "bonds_inside": within(LENGTHS),
        "angles_inside": within(ANGLES),
        "omega_inside": within(["omega"]),
        "ca_ca_inside": within(["ca_ca"]),
        "chain_breaks": float(np.sum(inside["c_n"] > BREAK)) / len(backbones),
        "pairwise_tm": mean(pairwise_tm(backbones, pairs, seed)),
        "nearest_training_tm": None if training is None else mean(nearest_tm(backbones, training).tm),
    }
    return values, {name: float(np.std(each)) for name, each in by_chain.items()}


def mean(values: Sequence[float] | np.ndarray) -> float | None:
    return float(np.mean(values)) if len(values) else None


@in_float64
def together(backbones: Sequence[Backbone]) -> dict[str, Float[np.ndarray, " some"]]:
    """Lengths, angles, omega in [0, 2 pi) and Ramachandran scores of all residues of a set."""
    if not backbones:
        raise BadInput("scores: there is no backbone to score.")
    short = [f"number {k} ({len(each)})" for k, each in enumerate(backbones) if len(each) < 4]
    if short:
        raise BadInput(f"scores: backbones need 4 residues or more, but {listing(short[:3])} have fewer.")
    xyz, mask = padded(backbones, -(-max(map(len, backbones)) // ROUND) * ROUND)
    kinds = np.zeros((len(xyz), xyz.shape[1] - 2), dtype=int)
    # Few sizes, so that little is compiled.
    room = -(-len(xyz) // ROUND) * ROUND - len(xyz)
    roomy = lambda array: np.concatenate([array, np.zeros((room, *array.shape[1:]), array.dtype)])
    found: Internal = jax.tree.map(lambda values: np.asarray(values)[: len(xyz)], internals(roomy(xyz)))
    for k, each in enumerate(backbones):
        kinds[k, : len(each) - 2] = ramachandran_kinds(each.sequence, found.omega[k, : len(each) - 1])
    both = mask[:, 1:] & mask[:, :-1]
    collected = {
        name: values[mask if values.shape[1] == mask.shape[1] else both] for name, values in found._asdict().items()
    }
    collected["omega"] = collected["omega"] % (2 * np.pi)
    collected["ca_ca"] = np.linalg.norm(xyz[:, 1:, 1] - xyz[:, :-1, 1], axis=-1)[both]
    # phi of residue i + 1 stands in row i.
    usual = np.asarray(usualness(roomy(found.phi[:, :-1]), roomy(found.psi[:, 1:]), roomy(kinds)))[: len(xyz)]
    collected["ramachandran"] = usual[mask[:, 2:] & mask[:, :-2]]
    return collected


internals = jax.jit(internal)
usualness = jax.jit(ramachandran)
