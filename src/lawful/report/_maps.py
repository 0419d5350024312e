"""Fields and residuals of laws over their grids: a line on one axis, a map on two, a slice on more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from .._core.record import FieldPanel, ResidualPanel
from ._lettering import lettered
from ._style import (
    BLUE,
    INK,
    ONE_SIDED,
    SMALL,
    TWO_SIDED,
    VERMILLION,
    WIDTH,
    house_style,
    in_decades,
    logarithmic,
)
from ._thinning import coarser, kept

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

DECADES = 8
"""A residual's line is drawn down to this many decades below the worst: less is rounding."""
FAINTEST = 0.02
"""This share of a residual's map, the smallest, has one colour: zeros must not use up the scale."""
FINE = 40
"""Places a side from which a map is a picture, whose colours run into each other."""


@house_style()
def field_figure(panel: FieldPanel) -> tuple[Figure, Axes]:
    """A field: a line with its band of ±2 sd on one axis, a map on two.

    A map of the sd, where there is one, lies beside that of the field. A field on more axes is cut through
    the middle of the further ones; the title says where. Places where the band is infinite, i.e. which the
    data do not determine, are shaded. Returns (figure, its main axes).
    """
    middle = tuple(length // 2 for length in panel.values.shape)
    names, cut, place = slice_through(panel.grid, middle)
    values, sd = panel.values[cut], None if panel.sd is None else panel.sd[cut]
    title = lettered(f"{panel.name}{place}")
    if len(names) == 1:
        return band(panel.grid[names[0]], values, sd, names[0], lettered(panel.name, 36), title if place else "")
    lines = (panel.grid[names[0]], panel.grid[names[1]])
    shown = [(title, values, signed(values))]
    if sd is not None and np.any(np.isfinite(sd)):
        shown.append((lettered(f"sd of {panel.name}{place}"), sd, None))
    return sheets(shown, lines, names, panel.one_scale)


@house_style()
def residual_figure(panel: ResidualPanel) -> tuple[Figure, Axes]:
    """The size of a law's residual on a logarithmic scale, the worst place marked.

    The unit is the typical size of the law's terms. On more than two axes the cut goes through the worst
    place. What is more than eight decades below the worst, or in a map among its smallest 2 %, is drawn at
    that floor. Returns (figure, its axes).
    """
    from matplotlib.figure import Figure

    size = np.where(np.isfinite(panel.values), np.abs(panel.values), np.nan)
    if not np.any(size > 0):
        return blank(
            f"{panel.law}: the residual is zero everywhere" if np.any(size == 0) else f"{panel.law}: no finite residual"
        )
    worst = np.unravel_index(int(np.nanargmax(size)), size.shape)
    names, cut, place = slice_through(panel.grid, tuple(map(int, worst)))
    top = float(np.nanmax(size))
    floor = max(top * 10.0**-DECADES, float(np.min(size[size > 0])))
    values = np.fmax(size[cut], floor)
    if panel.one_scale:
        values = np.where(np.isnan(size[cut]), np.nan, values)  # outside the shape nothing is drawn
    peak = [float(panel.grid[name][worst[list(panel.grid).index(name)]]) for name in names]
    fig = Figure(figsize=(WIDTH, 3.1 if len(names) == 1 else 3.5), layout="constrained")
    ax = fig.subplots()
    if len(names) == 1:
        rows = kept(values)
        ax.plot(panel.grid[names[0]][rows], values[rows], color=BLUE, linewidth=1.2)
        ax.axhline(panel.rms, color=INK, linewidth=0.9, linestyle="--", label=f"rms {panel.rms:.1e}")
        ax.plot(peak, [top], "o", color=VERMILLION, markersize=6, label=f"worst {top:.1e}", clip_on=False)
        logarithmic(ax, "y", min(floor, top / 2), top)
        ax.set_xlabel(lettered(names[0]))
        ax.set_ylabel("|residual| / size of terms")
        ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)
    else:
        faint = float(np.nanquantile(values, FAINTEST))
        decades(fig, ax, (panel.grid[names[0]], panel.grid[names[1]]), values, min(faint, top / 2), top)
        # Black on white shows on every colour of the map.
        ax.plot(
            *peak,
            "o",
            markersize=11,
            markerfacecolor="none",
            markeredgecolor="white",
            markeredgewidth=3.2,
            clip_on=False,
        )
        ax.plot(
            *peak,
            "o",
            markersize=11,
            markerfacecolor="none",
            markeredgecolor="black",
            markeredgewidth=1.4,
            clip_on=False,
        )
        ax.set_xlabel(lettered(names[0]))
        ax.set_ylabel(lettered(names[1]))
        if panel.one_scale:
            ax.set_aspect("equal")
    ax.set_title(lettered(f"{panel.law}{place}", 40))
    return fig, ax


def slice_through(grid: dict[str, np.ndarray], index: tuple[int, ...]) -> tuple[tuple[str, ...], tuple, str]:
    """(axes that are drawn: the first two with several places; index that cuts the others; its words)."""
    drawn = tuple(name for name, line in grid.items() if len(line) > 1)[:2] or tuple(grid)[:1]
    cut = tuple(slice(None) if name in drawn else i for name, i in zip(grid, index, strict=True))
    words = [
        f"{name} = {line[i]:.4g}" for (name, line), i in zip(grid.items(), index, strict=True) if name not in drawn
    ]
    return drawn, cut, f" at {', '.join(words)}" if words else ""


def band(
    place: np.ndarray, values: np.ndarray, sd: np.ndarray | None, axis: str, name: str, title: str
) -> tuple[Figure, Axes]:
    """A line with ±2 sd around it."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(WIDTH, 3.1), layout="constrained")
    ax = fig.subplots()
    lower, upper = (values, values) if sd is None else (values - 2 * sd, values + 2 * sd)
    rows = kept(values) if sd is None else kept(values, lower, upper)
    place, values, lower, upper = place[rows], values[rows], lower[rows], upper[rows]
    if sd is not None:
        known = np.isfinite(sd[rows])
        ax.fill_between(place, lower, upper, where=list(known), color=BLUE, alpha=0.22, label="±2 sd, at each place")
        if not np.all(known):
            floor = ax.get_xaxis_transform()
            ax.fill_between(
                place, 0, 1, where=list(~known), color=INK, alpha=0.12, transform=floor, label="undetermined"
            )
    ax.plot(
        place,
        values,
        color=BLUE,
        marker="o" if place.size == 1 else None,
        label=name if sd is None else "found",
    )
    held = np.concatenate([values, lower, upper])
    shorten(ax, values, held[np.isfinite(held)])
    if sd is not None:
        ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3)
    ax.set_xlabel(lettered(axis))
    ax.set_ylabel(name)
    ax.set_title(title)
    return fig, ax


def shorten(ax: Axes, values: np.ndarray, held: np.ndarray) -> None:
    """Keep a wide band from flattening the line: it may take the line's height thrice on either side."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return
    low, high = float(np.min(finite)), float(np.max(finite))
    room = 3 * max(high - low, 0.1 * max(abs(low), abs(high)))
    bottom, top = max(float(np.min(held)), low - room), min(float(np.max(held)), high + room)
    if room == 0:
        return
    if bottom > np.min(held) or top < np.max(held):
        margin = 0.04 * (top - bottom)
        ax.set_ylim(bottom - margin, top + margin)
        ax.annotate("the band reaches beyond this frame", (0.01, 0.02), xycoords="axes fraction", fontsize=SMALL)


def sheets(
    shown: list[tuple[str, np.ndarray, Normalize | None]], lines: tuple, names: tuple[str, ...], one_scale: bool
) -> tuple[Figure, Axes]:
    """Maps beside each other over the same plane, on one scale for both axes where they are lengths of a shape."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(WIDTH, 3.5 if len(shown) == 1 else 3.0), layout="constrained")
    parts = np.atleast_1d(fig.subplots(1, len(shown), sharey=True))
    for ax, (title, values, norm) in zip(parts, shown, strict=True):
        sheet = tiles(ax, lines, values, ONE_SIDED if norm is None else TWO_SIDED, norm)
        fig.colorbar(sheet, ax=ax).outline.set_visible(False)
        ax.set_title(title)
        ax.set_xlabel(lettered(names[0]))
        if one_scale:
            ax.set_aspect("equal")
    parts[0].set_ylabel(lettered(names[1]))
    return fig, parts[0]


def decades(fig: Figure, ax: Axes, lines: tuple, values: np.ndarray, low: float, high: float) -> None:
    """A map in powers of ten."""
    from matplotlib.colors import LogNorm

    sheet = tiles(ax, lines, values, ONE_SIDED, LogNorm(low, high))
    bar = fig.colorbar(sheet, ax=ax, extend="min" if np.nanmin(values) < low else "neither")
    bar.outline.set_visible(False)
    bar.ax.minorticks_off()
    in_decades(bar.ax.yaxis, low, high)
    bar.set_label("|residual| / size of terms")


def tiles(ax: Axes, lines: tuple, values: np.ndarray, cmap: str, norm: Normalize | None) -> ScalarMappable:
    """A coloured plane.

    A fine regular grid is kept as a picture of one pixel a cell, which is small and which a browser enlarges
    smoothly; the cells of a coarse or uneven grid are drawn, so that one sees them.
    """
    cells, thinned = coarser(lines, values)
    shown = np.ma.masked_invalid(thinned).T
    ax.grid(False)
    if min(thinned.shape) < FINE or not (even(cells[0]) and even(cells[1])):
        return ax.pcolormesh(*cells, shown, cmap=cmap, norm=norm, rasterized=True, shading="nearest")
    edges = [(line[0] - (line[1] - line[0]) / 2, line[-1] + (line[1] - line[0]) / 2) for line in cells]
    extent = (*edges[0], *edges[1])
    return ax.imshow(shown, cmap=cmap, norm=norm, extent=extent, origin="lower", aspect="auto", interpolation="none")


def even(line: np.ndarray) -> bool:
    """Whether places follow each other at one distance; the last of a thinned line may be nearer."""
    gaps = np.diff(line)[:-1]
    return bool(np.all(np.abs(gaps - gaps[0]) < 1e-6 * abs(gaps[0])))


def signed(values: Float[np.ndarray, "..."]) -> Normalize | None:
    """Colours symmetric around zero, for a field that goes to both sides of it."""
    from matplotlib.colors import Normalize

    finite = values[np.isfinite(values)]
    low, high = (float(np.min(finite)), float(np.max(finite))) if finite.size else (0.0, 0.0)
    reach = max(abs(low), abs(high))
    return Normalize(-reach, reach) if low < -0.1 * reach and high > 0.1 * reach else None


def blank(sentence: str) -> tuple[Figure, Axes]:
    """A figure that says why there is nothing to draw."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(WIDTH, 1.0), layout="constrained")
    ax = fig.subplots()
    ax.set_axis_off()
    ax.text(0.5, 0.5, lettered(sentence, 80), ha="center", va="center", transform=ax.transAxes)
    return fig, ax
