"""The pictures of the study on rings: chains seen along the axis, and what neighbours have with each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..proteins import Backbone, secondary_structure
from ..proteins._picture import paint, pieces
from ..report import BLUE, GREEN, INK, VERMILLION, house_style

COLOURS = (BLUE, VERMILLION, GREEN, "#e69f00", "#9467bd", "#8c564b")


def rings(several: Sequence[Sequence[Backbone]], titles: Sequence[str], columns: int = 3):
    """Every ring in a panel of its own, in one scale; a cross where the axis is."""
    with house_style():
        from matplotlib.figure import Figure

        columns = min(columns, len(several))
        rows = -(-len(several) // columns)
        fig = Figure(figsize=(3.2 * columns, 3.4 * rows), layout="constrained")
        axes = np.asarray(fig.subplots(rows, columns, squeeze=False))
        reach = 1.06 * max(float(np.max(np.abs(np.asarray(one.ca)[:, :2]))) for ring in several for one in ring)
        for ax in axes.flat:
            ax.set_axis_off()
        for ax, ring, title in zip(axes.flat, several, titles, strict=False):
            everything = []
            for one, colour in zip(ring, COLOURS, strict=False):
                letters = secondary_structure(one.xyz, one.sequence)
                everything += pieces(np.asarray(one.ca, float), letters, dict.fromkeys(range(len(one)), colour))
            paint(ax, everything, reach)
            ax.plot(0, 0, "+", color=INK, ms=8)
            ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
            ax.set_title(title, loc="center", fontsize="small")
        return fig, axes


def interfaces(found: Mapping[str, Sequence[tuple[int, int]]], wanted: int):
    """Contacts of the poorest interface against clashes between chains, a point for each ring."""
    with house_style():
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator

        fig = Figure(figsize=(5.4, 4.4), layout="constrained")
        ax = fig.subplots()
        for (label, points), colour, marker in zip(found.items(), (BLUE, "#e69f00", INK), "os+", strict=True):
            contacts, clashes = np.array(points).T
            ax.plot(contacts, clashes, marker, color=colour, label=label, alpha=0.8)
        ax.axvline(wanted, color=INK, lw=0.8, ls=":")
        ax.margins(0.08)
        ax.yaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set(xlabel="contacts between neighbours", ylabel="clashes between chains")
        ax.legend(fontsize="small", loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
        return fig, ax
