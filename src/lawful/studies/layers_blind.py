"""How many layers are there? The number of hidden layers from one tap, by evidence.

A laminate of unknown make stands on a long steel bar; one end is tapped and the other end listened to, as in `layers`,
but now nobody says how many layers there are, nor of what. A record at normal incidence knows a layer by its impedance
and its travel time only, so these are looked for, with a loss factor, under wide priors: a factor of e to either side.

1. Stacks of 1, 2, 3, ... layers are fitted, each begun from the one below with a layer split in two, and at the end
   from the one above with two layers made one; as long as the record is not explained, also from a search. More layers
   always fit better. What decides is the evidence, the probability of the record with the unknowns averaged over their
   priors, by Laplace's method:

       log Z = -|r|^2 / 2 - m log(sigma sqrt(2 pi)) + (n/2) log(2 pi) - log det(J' J) / 2 - sum_j log(s_j sqrt(2 pi))

   r are the residuals of data and priors, J their slopes, sigma the noise found, s_j the widths of the n priors. A
   layer that explains nothing loses what its unknowns would have had to be told.
2. The same for laminates drawn at random, of 2 to 6 layers: how often is the right number found?
3. Some layers cannot be told apart, by anyone: a contrast below what the noise shows. A block is given a stiffer half,
   and the contrast falls; the probability that it counts as two layers is printed beside the error bar of the contrast
   in the Cramer-Rao bound, known before anything is measured.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from .. import media
from .._core.precision import in_float64
from .._core.record import Account, Drawing, Section, Status, Table
from ..problem import Normal, Real, Unknown
from ..report import INK, SKY, VERMILLION, WIDTH, house_style
from ..solve import Moment, watcher
from ._base import Outcome, Request
from ._specimen import BLOW, FOOT, REFERENCE, STRENGTH

SUMMARY = "how many hidden layers there are, by evidence, and which no record can tell apart"
OPTIONS = {
    "layers": "how many the laminate that is told about has, 2 to 6; 4 by default (2 for quick effort)",
    "snr": "signal to noise of the records in decibels, 40 by default",
    "draws": "random laminates for each number of layers; by default 1, 2 and 10 for quick, normal and best effort",
}

INTERVAL, COUNT = 5e-7, 300  # s; 150 microseconds at 2 MHz
MOST = 7  # layers that are tried
STARTS = 128  # of the search, as long as a record is not explained
LEANING = 4.0  # standard deviations of the correlation of neighbouring residuals from which on something is left over
TOLD = 3.0  # standard deviations of a contrast from which on layers count as different
MATERIALS: dict[str, tuple[float, float, float]] = {  # modulus in Pa, density in kg/m3, loss factor
    "carbon composite": (12e9, 1600.0, 0.015),
    "magnesium": (45e9, 1740.0, 0.003),
    "glass": (72e9, 2500.0, 0.002),
    "aluminium": (70e9, 2700.0, 0.002),
    "titanium": (114e9, 4430.0, 0.004),
    "brass": (100e9, 8500.0, 0.003),
    "alumina": (370e9, 3900.0, 0.002),
}
THINNEST, THICKEST = 0.010, 0.030  # m
TYPICAL = {"impedance": 1.6e7, "travel_time": 4e-6, "loss": 0.01}  # the middles of the priors
FACTOR = 1.0  # their width, in logarithms
SOURCE = media.Tap(right=FOOT)


Logs = dict[str, Float[np.ndarray, " layers"]]
"""Unknowns of every layer."""


class Laminate(NamedTuple):
    """What is really there."""

    names: tuple[str, ...]
    stack: media.Stack


class Ladder(NamedTuple):
    """Stacks of rising numbers of layers, fitted to one record, the logarithms of their evidence, and how probable each
    number is."""

    rungs: dict[int, media.Inversion]
    evidence: dict[int, float]
    probability: dict[int, float]

    @property
    def chosen(self) -> int:
        return best_of(self.evidence)


def run(request: Request) -> Outcome:
    begun = time.monotonic()
    count = request.count("layers", request.pick(2, 4), least=2, most=6)
    snr = request.number("snr", 40.0)
    draws = request.count("draws", request.pick(1, 2, 10), least=1, most=1000)
    watch = watcher(request.progress)
    try:
        laminate = drawn(count, request.seed)
        found = ladder(recorded(laminate.stack, snr, request.seed), request.seed)
        table = [
            entry
            for true in (request.pick((2,), (2, 3, 4, 5, 6)) if "draws" not in request.options else (2, 3, 4, 5, 6))
            for entry in [many(true, draws, snr, request.seed, watch)]
        ]
        halves = [split_block(contrast, snr, request.seed) for contrast in request.pick((0.2, 0.002), CONTRASTS)]
    finally:
        watch.close()
    numbers = {
        "true": count,
        "chosen": found.chosen,
        "snr": snr,
        "evidence": {str(n): value for n, value in found.evidence.items()},
        "probability": {str(n): value for n, value in found.probability.items()},
        "layers": [
            {name: one[name].to_json() for name in ("impedance", "travel_time", "loss")}
            for one in map(found.rungs[found.chosen].layer, range(found.chosen))
        ],
        "truth": {name: np.asarray(values).tolist() for name, values in felt(laminate.stack).items()},
        "weakest_contrast_in_sd": weakest(laminate.stack, snr),
        "table": table,
        "contrasts": halves,
    }
    status = verdict(found)
    lines = text(laminate, found, table, halves)
    figures = {
        "layers": lambda: strips(laminate, found),
        "evidence": lambda: evidence_figure(found, count, halves),
    }
    sections = (
        Section("How many layers", tuple(lines[: 2 + len(found.evidence)]), (), (
            Drawing("Layers", "above as found, below the truth; width: travel time; dark bands: ± 2 sd of where a layer"
                    " ends.", figures["layers"]),
            Drawing("Evidence", "each number of layers, and how probable a weak contrast is.", figures["evidence"]),
        )),
        Section("Laminates drawn at random", (), (Table(HEAD, tuple(rows(table))),)),
        Section("Layers that cannot be told apart", (), (Table(SPLIT_HEAD, tuple(split_rows(halves))),)),
    )  # fmt: skip
    account = Account(
        status, time.monotonic() - begun, sections, "least squares for each number of layers, by evidence"
    )
    return Outcome(numbers, status, "\n".join(lines), account, {}, figures)


CONTRASTS = (0.1, 0.03, 0.01, 0.006, 0.004, 0.003, 0.002, 0.001)
"""Of the impedance of the second half of a block to the first, less one."""


def drawn(count: int, seed: int) -> Laminate:
    """A random laminate, no material beside itself."""
    rng = np.random.default_rng([seed, count])
    names: list[str] = []
    while len(names) < count:
        name = str(rng.choice(list(MATERIALS)))
        if names[-1:] != [name]:
            names.append(name)
    modulus, density, loss = np.array([MATERIALS[name] for name in names]).T
    thickness = rng.uniform(THINNEST, THICKEST, count)
    return Laminate(tuple(names), media.Stack(thickness, modulus, density, loss, reference=REFERENCE))


def pulse() -> Float[np.ndarray, " count"]:
    return STRENGTH * np.asarray(media.hammer(INTERVAL * np.arange(COUNT), BLOW))


@in_float64
def recorded(stack: media.Stack, snr: float, seed: int) -> media.Waveforms:
    """The far end's velocity with white noise, which is not told to the inversion."""
    clean = np.asarray(media.records(SOURCE, stack, pulse(), INTERVAL)["far"])
    noise = loudness(clean, snr) * np.random.default_rng([seed, len(stack), 1]).normal(size=COUNT)
    return media.Waveforms(SOURCE, pulse(), INTERVAL, {"far": clean + noise})


def loudness(clean: Float[np.ndarray, " count"], snr: float) -> float:
    return float(np.sqrt(np.mean(clean**2))) * 10 ** (-snr / 20)


def medium(log_impedance, log_time, log_loss):
    """A stack by what a wave feels of it: with a speed of 1, thickness is travel time and modulus is impedance."""
    import jax.numpy as jnp

    impedance = TYPICAL["impedance"] * jnp.exp(log_impedance)
    crossing, loss = TYPICAL["travel_time"] * jnp.exp(log_time), TYPICAL["loss"] * jnp.exp(log_loss)
    return media.Stack(crossing, impedance, impedance, loss, reference=REFERENCE)


def unknowns(count: int) -> dict[str, Unknown]:
    """The same priors for every layer of every stack."""
    each = Real(np.zeros(count), scale=1.0, prior=Normal(0.0, FACTOR))
    return dict.fromkeys(("log_impedance", "log_time", "log_loss"), each)


def ladder(survey: media.Waveforms, seed: int, counts: range = range(1, MOST + 1)) -> Ladder:
    """Stacks of more and more layers, until twice in a row one more has made the record less probable; then back down
    for as long as one layer less, begun from the best, is more probable still."""
    rungs: dict[int, media.Inversion] = {}
    evidence: dict[int, float] = {}

    def climb(count: int, begin: list[Logs]) -> None:
        searched = not any(explains(rung) for rung in rungs.values())
        starts = STARTS if searched and count > 1 else 1
        found = media.invert(medium, unknowns(count), survey, starts=starts, seed=seed, begin=begin, progress=False)
        value = media.log_evidence(found)
        if value > evidence.get(count, -np.inf):
            rungs[count], evidence[count] = found, value

    for count in counts:
        climb(count, one_more(rungs[count - 1]) if count - 1 in rungs else [])
        if count - best_of(evidence) == 2:
            break
    while (count := best_of(evidence) - 1) in rungs:
        climb(count, one_less(rungs[count + 1]))
        if best_of(evidence) > count:
            break
    return Ladder(rungs, evidence, media.probabilities(evidence))


def explains(found: media.Inversion) -> bool:
    """Whether neighbouring residuals know nothing of each other, as those of white noise."""
    return found.fits[0].lean.z < LEANING


def best_of(evidence: dict[int, float]) -> int:
    return max(evidence, key=lambda count: evidence[count])


def logs_of(found: media.Inversion) -> Logs:
    return {name: np.asarray(found.unknowns[name].value) for name in found.unknowns}


def one_more(found: media.Inversion) -> list[Logs]:
    """Where to begin with one layer more: each layer in two halves, one stiffer than before and one softer."""
    logs, begun = logs_of(found), []
    for index in range(len(logs["log_time"])):
        for change in (0.5, -0.5):
            split = {name: np.insert(values, index, values[index]) for name, values in logs.items()}
            split["log_time"][index : index + 2] -= np.log(2)
            split["log_impedance"][index] += change
            split["log_impedance"][index + 1] -= change
            begun.append(split)
    return begun


def one_less(found: media.Inversion) -> list[Logs]:
    """Where to begin with one layer less: each two neighbours as one, of the impedance of either."""
    logs, begun = logs_of(found), []
    for index in range(len(logs["log_time"]) - 1):
        joined = {name: np.delete(values, index) for name, values in logs.items()}
        joined["log_time"][index] = np.logaddexp(*logs["log_time"][index : index + 2])
        begun.append(joined)
        begun.append({**joined, "log_impedance": np.delete(logs["log_impedance"], index + 1)})
    return begun


def felt(stack: media.Stack) -> dict[str, Float[np.ndarray, " layers"]]:
    """What waves feel of a stack, in Pa s/m and s."""
    root = np.sqrt(np.asarray(stack.modulus) * np.asarray(stack.density))
    return {"impedance": root, "travel_time": np.asarray(stack.thickness) * np.asarray(stack.density) / root}


@in_float64
def contrasts_in_sd(stack: media.Stack, snr: float) -> Float[np.ndarray, " interfaces"]:
    """Of the logarithm of impedance at every interface, over its Cramer-Rao bound: what can be known, before anything
    is measured."""
    clean = np.asarray(media.records(SOURCE, stack, pulse(), INTERVAL)["far"])
    survey = media.Waveforms(SOURCE, pulse(), INTERVAL, {"far": clean}, noise=loudness(clean, snr))
    true = felt(stack)
    logs = np.log(true["impedance"] / TYPICAL["impedance"])
    values = {
        "first": logs[0],
        "jumps": np.diff(logs),
        "log_time": np.log(true["travel_time"] / TYPICAL["travel_time"]),
        "log_loss": np.log(np.asarray(stack.loss) / TYPICAL["loss"]),
    }
    wide = {
        name: Real(np.zeros(np.shape(value)), scale=1.0, prior=Normal(0.0, FACTOR)) for name, value in values.items()
    }
    told = media.foresee(by_jumps, wide, survey, values).unknowns["jumps"]
    return np.abs(values["jumps"]) / np.asarray(told.sd)


def by_jumps(first, jumps, log_time, log_loss):
    """The same stack by its contrasts."""
    import jax.numpy as jnp

    return medium(first + jnp.concatenate([jnp.zeros(1), jnp.cumsum(jumps)]), log_time, log_loss)


def weakest(stack: media.Stack, snr: float) -> float:
    return float(np.min(contrasts_in_sd(stack, snr)))


def many(true: int, draws: int, snr: float, seed: int, watch) -> dict[str, Any]:
    """Random laminates of one number of layers, each inverted from scratch."""
    entries = []
    for draw in range(draws):
        own = 1000 * (seed + 1) + draw
        stack = drawn(true, own).stack
        found = ladder(recorded(stack, snr, own), own)
        best = found.rungs[found.chosen]
        entries.append(
            {
                "chosen": found.chosen,
                "probability_of_true": found.probability.get(true, 0.0),
                "weakest_contrast_in_sd": weakest(stack, snr),
                "explained": explains(best),
            }
        )
        watch(Moment(true, draw + 1, draws, float(found.chosen != true), {"layers": float(true)}))
    told = [entry for entry in entries if entry["weakest_contrast_in_sd"] > TOLD]
    return {
        "layers": true,
        "draws": draws,
        "right": sum(entry["chosen"] == true for entry in entries),
        "too_few": sum(entry["chosen"] < true for entry in entries),
        "too_many": sum(entry["chosen"] > true for entry in entries),
        "explained": sum(entry["explained"] for entry in entries),
        "can_be_told": len(told),
        "right_where_told": sum(entry["chosen"] == true for entry in told),
        "each": entries,
    }


def split_block(contrast: float, snr: float, seed: int) -> dict[str, float]:
    """40 mm of aluminium on 25 mm of titanium, the first half of the aluminium softer by a contrast of impedance."""
    modulus, density, loss = np.array([MATERIALS[name] for name in ("aluminium", "aluminium", "titanium")]).T
    modulus[1] *= (1 + contrast) ** 2
    stack = media.Stack([0.018, 0.022, 0.025], modulus, density, loss, reference=REFERENCE)
    found = ladder(recorded(stack, snr, seed), seed, range(2, 4))
    return {
        "contrast": contrast,
        "in_sd": float(contrasts_in_sd(stack, snr)[0]),
        "gain_in_log_evidence": found.evidence[3] - found.evidence[2],
        "probability_of_three": found.probability[3],
    }


def verdict(found: Ladder) -> Status:
    """The chosen stack must explain the record, and the number must be clear."""
    best, sure = found.rungs[found.chosen], found.probability[found.chosen]
    if not best.status.converged:
        return best.status
    if sure < 0.95:
        return Status(False, f"{found.chosen} layers are the most probable, but only with {sure:.2f}")
    return Status(True, f"{found.chosen} layers with probability {sure:.4f}; {best.status}")


HEAD = ("layers", "draws", "right", "too few", "too many", "explained", "can be told", "of these right")
SPLIT_HEAD = ("contrast %", "in sd", "gain in log evidence", "probability of two halves")


def rows(table: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    names = ("layers", "draws", "right", "too_few", "too_many", "explained", "can_be_told", "right_where_told")
    return [tuple(str(entry[name]) for name in names) for entry in table]


def split_rows(halves: list[dict[str, float]]) -> list[tuple[str, ...]]:
    return [
        (
            f"{100 * half['contrast']:g}",
            f"{half['in_sd']:.1f}",
            f"{half['gain_in_log_evidence']:.1f}",
            f"{half['probability_of_three']:.3f}",
        )
        for half in halves
    ]


def text(laminate: Laminate, found: Ladder, table: list[dict[str, Any]], halves: list[dict[str, float]]) -> list[str]:
    """The answer for a reader at a terminal."""
    best, true = found.rungs[found.chosen], felt(laminate.stack)
    lines = ["How many layers: log evidence, probability, noise left"]
    lines += [
        f"  {n} {value:10.1f}   {found.probability[n]:.4f}   {found.rungs[n].noise['far']:.3g} m/s"
        for n, value in found.evidence.items()
    ]
    lines.append(f"{found.chosen} layers chosen, {len(laminate.names)} are there: {', '.join(laminate.names)}")
    for index in range(found.chosen):
        one = best.layer(index)
        beside = (
            f" (true {true['impedance'][index]:.5g} and {true['travel_time'][index]:.5g})"
            if found.chosen == len(laminate.names)
            else ""
        )
        lines.append(f"  impedance {one['impedance']} Pa s/m, travel time {one['travel_time']} s{beside}")
    lines.append(
        f"Laminates drawn at random (can be told: every contrast above {TOLD:g} sd of the Cramer-Rao bound; explained:"
        " the search reached the noise)"
    )
    lines += ["  " + line for line in Table(HEAD, tuple(rows(table))).lines()]
    lines.append("A block with a stiffer half: when are there two?")
    lines += ["  " + line for line in Table(SPLIT_HEAD, tuple(split_rows(halves))).lines()]
    return lines


def strips(laminate: Laminate, found: Ladder):
    """The chosen layers beside the true ones, as wide as their travel times, coloured by impedance."""
    true = felt(laminate.stack)
    return media.strips_figure(
        found.rungs[found.chosen], "impedance", (true["travel_time"], true["impedance"]), "travel_time"
    )


@house_style()
def evidence_figure(found: Ladder, true: int, halves: list[dict[str, float]]):
    """Log evidence below the best by number of layers; the probability of two halves by their contrast."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    left, right = fig.subplots(1, 2)
    counts, best = list(found.evidence), max(found.evidence.values())
    short = [best - found.evidence[n] for n in counts]
    left.bar(counts, [1 + each for each in short], color=[VERMILLION if n == found.chosen else SKY for n in counts])
    for n, each in zip(counts, short, strict=True):
        left.text(n, 1.1 * (1 + each), f"{each:.0f}" if each else "chosen", ha="center", va="bottom", fontsize=8)
    left.set_yscale("log")
    left.set(xlabel=f"layers (there are {true})", ylabel="1 + log evidence below the best", xticks=counts)
    left.set_ylim(0.8, 4 * (1 + max(short)))
    right.semilogx([h["in_sd"] for h in halves], [h["probability_of_three"] for h in halves], "o-", color=VERMILLION)
    right.axvline(TOLD, color=INK, lw=0.8, ls="--")
    right.set(xlabel="contrast over its Cramér-Rao bound", ylabel="probability of two halves", ylim=(-0.05, 1.05))
    for half in halves:
        low = half["probability_of_three"] < 0.5  # the words stand on end, where the line does not run
        place, side = (half["in_sd"], half["probability_of_three"]), ("bottom" if low else "top")
        right.annotate(f"{100 * half['contrast']:g} %", place, xytext=(0, 7 if low else -7),
                       textcoords="offset points", rotation=90, ha="center", va=side, fontsize=8)  # fmt: skip
    return fig, left
