"""Backbones as smooth traces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput
from ..report import BLUE, GREEN, INK, VERMILLION, house_style
from ._backbone import Backbone
from ._secondary import secondary_structure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PIECES = 8  # between two residues
GREY = "#8b95a1"


def picture(
    backbones: Sequence[Backbone],
    titles: Sequence[str] | None = None,
    columns: int = 4,
    bonds: Sequence[tuple[int, int]] = (),
    marked: Sequence[int] = (),
) -> tuple[Figure, np.ndarray]:
    """Every backbone in a panel of its own, in one scale: helices in red, strands in blue, the rest in grey.

    Each is seen along the axis in which it is shallowest, the first residue marked by a dot; what lies in front covers
    what lies behind, which fades.

    titles    one a backbone.
    columns   of panels.
    bonds     pairs of residues (from 0) to be joined by a line in all, such as disulfides.
    marked    residues (from 0) in green in all, such as a motif.

    Returns figure and axes of Matplotlib. Raises `BadInput` where there is nothing to draw.
    """
    if not backbones:
        raise BadInput("picture: there is no backbone to draw.")
    with house_style():
        from matplotlib.figure import Figure

        columns = min(columns, len(backbones))
        rows = -(-len(backbones) // columns)
        side = 2.6 if columns > 1 else 5.2  # a single one is seen larger
        fig = Figure(figsize=(side * columns, (side + 0.15) * rows + 0.5))
        fig.set_layout_engine("constrained", h_pad=0.1)
        axes = np.asarray(fig.subplots(rows, columns, squeeze=False))
        views = [seen(backbone) for backbone in backbones]
        reach = 1.04 * max(float(np.max(np.abs(view[:, :2]))) for view in views)
        for ax in axes.flat:
            ax.set_axis_off()
        for k, (backbone, view) in enumerate(zip(backbones, views, strict=True)):
            ax = axes.flat[k]
            letters = secondary_structure(backbone.xyz, backbone.sequence)
            paint(ax, pieces(view, letters, dict.fromkeys(marked, GREEN)), reach)
            ax.plot(*smooth(view)[0, :2], "o", color=INK, ms=4)
            for pair in bonds:
                ax.plot(*view[list(pair), :2].T, "o-", color=GREEN, ms=4, lw=2.2)
            ax.set_xlim(-reach, reach)
            ax.set_ylim(-reach, reach)
            ax.set_aspect("equal")
            if titles is not None:
                ax.set_title(titles[k], loc="center", fontsize="small")
        entries = ((VERMILLION, "helix"), (BLUE, "strand"), (GREY, "neither"), (INK, "first residue"))
        if marked:
            entries = (*entries, (GREEN, "given"))
        if bonds:
            entries = (*entries, (GREEN, "bond"))
        from matplotlib.lines import Line2D

        marks = [
            Line2D([], [], color=colour, lw=0 if label == "first residue" else 3, marker="o" if colour == INK else None)
            for colour, label in entries
        ]
        labels, across = [label for _, label in entries], 6 if columns > 2 else 3
        fig.legend(marks, labels, loc="outside lower center", ncols=across, fontsize="small")
        return fig, axes


def seen(backbone: Backbone) -> Float[np.ndarray, "L 3"]:
    """Alpha carbons across, up and towards the viewer; turned, not mirrored."""
    ca = np.asarray(backbone.ca, dtype=float)
    ca = ca - ca.mean(axis=0)
    _, _, axes = np.linalg.svd(ca, full_matrices=False)
    if np.linalg.det(axes) < 0:
        axes[2] *= -1
    return ca @ axes.T


def smooth(points: Float[np.ndarray, "L 3"]) -> Float[np.ndarray, "pieces 3"]:
    """A cubic B-spline, which passes near the points: a helix stays a helix, a strand loses its zigzag."""
    ends = np.concatenate([points[:1], points[:1], points, points[-1:], points[-1:]])
    u = (np.arange(PIECES) / PIECES)[:, None, None]
    weights = ((1 - u) ** 3, 3 * u**3 - 6 * u**2 + 4, -3 * u**3 + 3 * u**2 + 3 * u + 1, u**3)
    four = [ends[k : len(ends) - 3 + k] for k in range(4)]
    curve = sum(weight * each for weight, each in zip(weights, four, strict=True)) / 6
    return np.swapaxes(np.asarray(curve), 0, 1).reshape(-1, 3)


class Piece(NamedTuple):
    """A residue's part of the trace."""

    points: Float[np.ndarray, "n 3"]
    colour: str
    width: float


def pieces(
    view: Float[np.ndarray, "L 3"], letters: str, colours: Mapping[int, str] | None = None, other: str = GREY
) -> list[Piece]:
    """Helices in red, strands in blue, the rest in `other`; `colours` of some residues (from 0) instead."""
    curve = smooth(view)
    kinds = {**dict.fromkeys("HGI", VERMILLION), "E": BLUE}
    widths = {**dict.fromkeys("HGI", 3.6), "E": 4.6}
    chosen = colours or {}
    # A residue's piece runs from half before it to half after it; the spline has PIECES steps before the first.
    return [
        Piece(
            curve[begin : begin + PIECES + 1],
            chosen.get(k, kinds.get(letters[k], other)),
            widths.get(letters[k], 2.0),
        )
        for k, begin in enumerate(PIECES // 2 + PIECES * np.arange(len(view)))
    ]


def paint(ax: Axes, several: Sequence[Piece], reach: float) -> None:
    """What lies in front covers what lies behind, which fades."""
    from matplotlib.colors import to_rgb

    lines, shades, thick, caps = [], [], [], []
    for piece in sorted(several, key=lambda piece: float(np.mean(piece.points[:, 2]))):
        away = 0.5 * np.clip(0.5 - np.mean(piece.points[:, 2]) / reach, 0.0, 1.0)
        colour = np.array(to_rgb(piece.colour))
        # A white rim below each piece covers what lies behind it, but for its neighbours in the chain.
        lines += [piece.points[1:-1, :2], piece.points[:, :2]]
        shades += [(1.0, 1.0, 1.0), tuple(colour * (1 - away) + away)]
        thick += [piece.width + 2.2, piece.width]
        caps += ["butt", "round"]
    for line, shade, width, cap in zip(lines, shades, thick, caps, strict=True):
        ax.plot(line[:, 0], line[:, 1], color=shade, lw=width, solid_capstyle=cap, solid_joinstyle="round")
