"""Backbones as smooth traces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

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
) -> tuple[Figure, np.ndarray]:
    """Every backbone in a panel of its own, in one scale: helices in red, strands in blue, the rest in grey.

    Each is seen along the axis in which it is shallowest, the first residue marked by a dot; what lies in front covers
    what lies behind, which fades.

    titles    one a backbone.
    columns   of panels.
    bonds     pairs of residues (from 0) to be joined by a line in all, such as disulfides.

    Returns figure and axes of Matplotlib. Raises `BadInput` where there is nothing to draw.
    """
    if not backbones:
        raise BadInput("picture: there is no backbone to draw.")
    with house_style():
        from matplotlib.figure import Figure

        columns = min(columns, len(backbones))
        rows = -(-len(backbones) // columns)
        fig = Figure(figsize=(2.6 * columns, 2.75 * rows + 0.5))
        fig.set_layout_engine("constrained", h_pad=0.1)
        axes = np.asarray(fig.subplots(rows, columns, squeeze=False))
        views = [seen(backbone) for backbone in backbones]
        reach = 1.04 * max(float(np.max(np.abs(view[:, :2]))) for view in views)
        for ax in axes.flat:
            ax.set_axis_off()
        for k, (backbone, view) in enumerate(zip(backbones, views, strict=True)):
            ax = axes.flat[k]
            draw(ax, view, secondary_structure(backbone.xyz, backbone.sequence), reach)
            for pair in bonds:
                ax.plot(*view[list(pair), :2].T, "o-", color=GREEN, ms=4, lw=2.2)
            ax.set_xlim(-reach, reach)
            ax.set_ylim(-reach, reach)
            ax.set_aspect("equal")
            if titles is not None:
                ax.set_title(titles[k], loc="center", fontsize="small")
        entries = ((VERMILLION, "helix"), (BLUE, "strand"), (GREY, "neither"), (INK, "first residue"))
        from matplotlib.lines import Line2D

        marks = [
            Line2D([], [], color=colour, lw=0 if label == "first residue" else 3, marker="o" if colour == INK else None)
            for colour, label in entries
        ]
        fig.legend(marks, [label for _, label in entries], loc="outside lower center", ncols=4, fontsize="small")
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


def draw(ax: Axes, view: Float[np.ndarray, "L 3"], letters: str, reach: float) -> None:
    from matplotlib.colors import to_rgb

    curve = smooth(view)
    colours = {**dict.fromkeys("HGI", VERMILLION), "E": BLUE}
    widths = {**dict.fromkeys("HGI", 3.6), "E": 4.6}
    # A residue's piece runs from half before it to half after it; the spline has PIECES steps before the first.
    begins = PIECES // 2 + PIECES * np.arange(len(view))
    pieces = [curve[begin : begin + PIECES + 1] for begin in begins]
    lines, shades, thick, caps = [], [], [], []
    for k in sorted(range(len(view)), key=lambda k: float(np.mean(pieces[k][:, 2]))):
        away = 0.5 * np.clip(0.5 - np.mean(pieces[k][:, 2]) / reach, 0.0, 1.0)
        colour = np.array(to_rgb(colours.get(letters[k], GREY)))
        width = widths.get(letters[k], 2.0)
        # A white rim below each piece covers what lies behind it, but for its neighbours in the chain.
        lines += [pieces[k][1:-1, :2], pieces[k][:, :2]]
        shades += [(1.0, 1.0, 1.0), tuple(colour * (1 - away) + away)]
        thick += [width + 2.2, width]
        caps += ["butt", "round"]
    for line, shade, width, cap in zip(lines, shades, thick, caps, strict=True):
        ax.plot(line[:, 0], line[:, 1], color=shade, lw=width, solid_capstyle=cap, solid_joinstyle="round")
    ax.plot(*curve[0, :2], "o", color=INK, ms=4)
