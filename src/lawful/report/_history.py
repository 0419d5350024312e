"""How the fit went: the loss and its terms, and how the unknowns moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput
from ._lettering import lettered
from ._style import BLUE, DASHES, INK, SERIES, SMALL, WIDTH, house_style, logarithmic
from ._thinning import kept

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

History = Mapping[str, Sequence[float]]
SHOWN_UNKNOWNS = 12


@house_style()
def history_figure(history: History) -> tuple[Figure, Axes]:
    """The loss and each of its terms on a logarithmic axis against the cumulative step, by stages.

    Every other stage is shaded. Lines break between stages: the weights of the terms change there, so losses
    of different stages do not compare.
    `history` has the columns "stage", "step", "loss" and "term: ...". Returns (figure, its axes).
    Raises `BadInput` for an empty history.
    """
    from matplotlib.figure import Figure

    steps, breaks = cumulative(history)
    terms = {name.removeprefix("term: "): column(history, name) for name in history if name.startswith("term: ")}
    beside = 1 if any(len(name) > 26 for name in terms) else 2
    rows = -(-(len(terms) + 1) // beside)
    fig = Figure(figsize=(WIDTH, 2.5 + 0.2 * rows), layout="constrained")
    ax = fig.subplots()
    shade(ax, steps, breaks)
    lines = {"loss": column(history, "loss"), **terms}
    for i, (name, values) in enumerate(lines.items()):
        # The loss lies beneath its terms, broad, so that the one that makes it up stays visible.
        look = {"color": INK, "linewidth": 5, "alpha": 0.3, "zorder": 1.5} if i == 0 else series(i - 1)
        draw(ax, steps, np.where(values > 0, values, np.nan), breaks, label=lettered(name, 54), **look)
    everything = np.concatenate(list(lines.values()))
    positive = everything[np.isfinite(everything) & (everything > 0)]
    if positive.size:
        top = float(np.max(positive))
        logarithmic(ax, "y", max(min(float(np.min(positive)), top / 2), top * 1e-16), top)
    whole_steps(ax, 6)
    ax.set_xlabel("step, all stages")
    ax.set_ylabel("half the sum of squares")
    fig.legend(loc="outside lower center", ncols=beside)
    return fig, ax


@house_style()
def unknowns_figure(history: History) -> tuple[Figure, Axes]:
    """The value of each scalar unknown against the cumulative step, each in its own frame.

    Of many unknowns the first twelve are shown.

    `history` has the columns "stage", "step" and "unknown: ...". Returns (figure, its first axes).
    Raises `BadInput` where no unknown was recorded.
    """
    from matplotlib.figure import Figure

    steps, breaks = cumulative(history)
    names = [name for name in history if name.startswith("unknown: ")][:SHOWN_UNKNOWNS]
    if not names:
        raise BadInput(
            "the history has no column 'unknown: ...', so there is nothing to show; for the loss use history_figure."
        )
    columns = 2 if len(names) == 4 else min(len(names), 3)
    rows = -(-len(names) // columns)
    fig = Figure(figsize=(WIDTH, 2.6 if rows == 1 else 0.5 + 1.55 * rows), layout="constrained")
    parts = fig.subplots(rows, columns, sharex=True, squeeze=False).ravel()
    for ax, name in zip(parts, names, strict=False):
        values = column(history, name)
        shade(ax, steps, breaks, numbered=False)
        draw(ax, steps, values, [], color=BLUE, marker="o" if steps.size <= 40 else None, markersize=2.8)
        finite = values[np.isfinite(values)]
        if finite.size and np.min(finite) > 0 and np.max(finite) > 100 * np.min(finite):
            logarithmic(ax, "y", float(np.min(finite)), float(np.max(finite)))
        whole_steps(ax, 6 // columns)
        ax.set_title(lettered(name.removeprefix("unknown: "), 60 // columns))
    for ax in parts[len(names) :]:
        ax.set_visible(False)
    for ax in parts[max(0, len(names) - columns) : len(names)]:
        ax.tick_params(labelbottom=True)
        ax.set_xlabel("step")
    return fig, parts[0]


def column(history: History, name: str) -> Float[np.ndarray, " n"]:
    return np.asarray(history[name], dtype=float)


def cumulative(history: History) -> tuple[Float[np.ndarray, " n"], list[int]]:
    """Steps counted through all stages, and the rows at which a new stage begins."""
    if not len(history.get("step", ())):
        raise BadInput("the history is empty: the fit took no step, so there is nothing to draw.")
    step, stage = column(history, "step"), column(history, "stage")
    # The count starts anew where it does not grow; a stage may also go on counting.
    anew = np.flatnonzero(np.diff(step) <= 0)
    before = np.zeros(step.size)
    before[anew + 1] = step[anew]
    return step + np.cumsum(before), [int(i) + 1 for i in np.flatnonzero(np.diff(stage) != 0)]


def whole_steps(ax: Axes, most: int) -> None:
    """Ticks at whole steps, written out."""
    from matplotlib.ticker import MaxNLocator

    ax.ticklabel_format(axis="x", style="plain")
    ax.xaxis.set_major_locator(MaxNLocator(most, integer=True))


def series(index: int) -> dict:
    """A colour for each of the first lines, then the same colours dashed."""
    return {"color": SERIES[index % len(SERIES)], "linestyle": DASHES[index // len(SERIES) % len(DASHES)]}


def draw(ax: Axes, steps: np.ndarray, values: np.ndarray, breaks: list[int], label: str = "", **look) -> None:
    """One line, broken before each row of `breaks`, thinned where it is long; a single step is a dot."""
    most = max(900 // (len(breaks) + 1), 8)
    starts, stops = [0, *breaks], [*breaks, steps.size]
    for start, stop in zip(starts, stops, strict=True):
        rows = start + kept(values[start:stop], most=most)
        dot = {"marker": ".", "markersize": 5} if rows.size == 1 else {}
        ax.plot(steps[rows], values[rows], label=label if start == 0 and label else "_", **{**look, **dot})


def shade(ax: Axes, steps: np.ndarray, breaks: list[int], numbered: bool = True) -> None:
    """Every other stage shaded, and the number of each that is wide enough to carry it."""
    if not breaks:
        return
    middles = [(steps[i - 1] + steps[i]) / 2 for i in breaks]
    edges = [float(steps[0]), *middles, float(steps[-1])]
    for i, (left, right) in enumerate(pairwise(edges)):
        if i % 2:
            ax.axvspan(left, right, color=INK, alpha=0.07, zorder=0)
        if numbered and right - left > 0.05 * (edges[-1] - edges[0]):
            words = f"stage {i + 1}" if right - left > 0.14 * (edges[-1] - edges[0]) else f"{i + 1}"
            ax.text(
                (left + right) / 2,
                1.01,
                words,
                transform=ax.get_xaxis_transform(),
                ha="center",
                va="bottom",
                fontsize=SMALL,
            )
