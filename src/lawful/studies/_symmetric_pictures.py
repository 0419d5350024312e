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
    """Contacts of the poorest interface against clashes between chains, a row of points for each way.

    A point is a ring: filled where it has neither too few contacts nor a clash.
    """
    with house_style():
        from matplotlib.figure import Figure

        fig = Figure(figsize=(6.4, 1.1 * len(found) + 1.2), layout="constrained")
        axes = fig.subplots(len(found), 1, sharex=True, squeeze=False)[:, 0]
        most = max(clashes for points in found.values() for _, clashes in points)
        for ax, (label, points), colour in zip(axes, found.items(), (BLUE, "#e69f00", INK), strict=True):
            contacts, clashes = np.array(points).T
            good = (contacts >= wanted) & (clashes == 0)
            for some, face in ((good, colour), (~good, "none")):
                ax.plot(contacts[some], clashes[some], "o", color=colour, mfc=face, alpha=0.7)
            ax.axvline(wanted, color=INK, lw=0.8, ls=":")
            # Most have no clash and a few have hundreds: linear to 1, then by tens.
            ax.set_yscale("symlog", linthresh=1.0, linscale=0.5)
            ax.set_yticks([0, 1, 10, 100][: 2 + len(str(max(most, 1)))], minor=False)
            ax.set_yticks([], minor=True)
            ax.yaxis.set_major_formatter("{x:g}")
            ax.set_ylim(-0.5, max(2.0 * most, 3.0))
            ax.set_title(f"{label}: {good.sum()} of {len(good)} as asked for", fontsize="small", loc="left")
        axes[-1].set_xlabel(f"contacts of the poorest interface ({wanted} wanted)")
        axes[len(axes) // 2].set_ylabel("clashes between chains")
        return fig, axes
