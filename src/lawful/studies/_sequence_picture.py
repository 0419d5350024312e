"""The picture of the study of sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..report import BLUE, INK
from ._sequence_wish import WITHIN, Found, Wish

KINDS = {"DE": "#d1495b", "KRH": "#3a6ea5", "AILMFVWY": "#4a4e57", "C": "#f2c14e", "GPSTNQ": "#d9dce1"}
SHOWN = 16


def picture(
    wish: Wish,
    tries: Mapping[str, tuple[Sequence[str], Sequence[Found]]],
    held: Mapping[str, float],
    made: Mapping[str, float],
):
    """Where sequences lie, how surprised the model is, and some of them letter by letter."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch, Rectangle

    last = list(tries)[-1]
    sequences = tries[last][0][:SHOWN]
    fig = Figure(figsize=(9.6, 4.2 + 0.21 * len(sequences)), layout="constrained")
    where, bars = fig.add_gridspec(2, 5, height_ratios=(3.4, 0.4 + 0.2 * len(sequences))), None
    scatter, bars, letters = (
        fig.add_subplot(where[0, :3]),
        fig.add_subplot(where[0, 3:]),
        fig.add_subplot(where[1, :]),
    )
    window = Rectangle(
        (wish.charge - WITHIN[0], wish.moment - WITHIN[1]), 2 * WITHIN[0], 2 * WITHIN[1],
        fill=False, edgecolor=INK, lw=1.4, zorder=3,
    )  # fmt: skip
    scatter.add_patch(window)
    looks = {"unguided": ("0.6", "o"), "slopes": ("#e08e45", "^"), "trials": ("#5b9a68", "s"), "particles": (BLUE, "o")}
    for name, (_, found) in tries.items():
        color, marker = looks[name]
        share = np.mean([each.hit for each in found])
        scatter.plot(
            [each.charge for each in found], [each.moment for each in found], marker, ms=4, color=color, alpha=0.7,
            mew=0, label=f"{name}: {share:.0%} hit",
        )  # fmt: skip
    scatter.set(xlabel="net charge at pH 7 / e", ylabel="hydrophobic moment / (kcal/mol)")
    scatter.legend(fontsize="small")
    names = {**{name: value for name, value in held.items() if name != "perplexity"}}
    if "perplexity" in held:
        names["this model"] = held["perplexity"]
    labels = [*names, *(f"{name} samples" for name in made)]
    values = [*names.values(), *made.values()]
    colors = ["0.7"] * len(names) + ["0.45", BLUE]
    if "this model" in names:
        colors[list(names).index("this model")] = INK
    at = range(len(labels))
    bars.barh(at, values, color=colors)
    for y, value in zip(at, values, strict=True):
        bars.text(value - 0.3, y, f"{value:.2f}", ha="right", va="center", color="white", fontsize="small")
    bars.axvline(20, color=INK, lw=0.8, ls=":")
    bars.set(yticks=at, yticklabels=labels, xlim=(0, 20.5), xlabel="perplexity (20: no idea)")
    bars.invert_yaxis()
    bars.set_title("held-out proteins, read in order;\nsamples, one residue among all others", fontsize="small")
    small = min(7.5, 420 / len(wish.template))
    for y, sequence in enumerate(sequences):
        for x, letter in enumerate(sequence):
            color = next(c for kind, c in KINDS.items() if letter in kind)
            letters.add_patch(Rectangle((x + 0.5, y - 0.5), 1, 1, facecolor=color, edgecolor="white", lw=0.4))
            dark = color in ("#f2c14e", "#d9dce1")
            letters.text(x + 1, y, letter, ha="center", va="center", fontsize=small, color=INK if dark else "white")
    letters.set(xlim=(0.5, len(wish.template) + 0.5), ylim=(len(sequences) - 0.5, -0.5), yticks=[], xlabel="residue")
    letters.set_title(f"the first {len(sequences)} sequences by {last}", fontsize="medium", loc="left")
    kinds = dict(zip(("acid", "base", "hydrophobic", "cysteine", "other"), KINDS.values(), strict=True))
    letters.legend(
        handles=[Patch(color=color, label=name) for name, color in kinds.items()], ncols=5, fontsize="small",
        loc="lower right", bbox_to_anchor=(1.0, 1.0), frameon=False,
    )  # fmt: skip
    return fig, scatter
