"""Measurements beside predictions, and what is left between them in units of the noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput, listing, nearest
from .._core.record import FitPanel
from ._lettering import lettered
from ._style import BLUE, INK, SMALL, TWO_SIDED, VERMILLION, WIDTH, house_style, logarithmic, spans_decades
from ._thinning import kept

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DRAWN_ONE_BY_ONE = 300
"""More points than this are drawn as a picture inside the figure: one cannot tell them apart anyway."""
WITH_BARS = 3000
"""More points than this have no error bars drawn: they would hide the points."""
BEYOND_TWO = 0.0455
"""The share of a normal distribution beyond two standard deviations."""


@house_style()
def fit_figure(panel: FitPanel, *axes: str) -> tuple[Figure, Axes]:
    """Measured against predicted, with the residuals in units of the noise.

    With one coordinate: measurements with error bars (one standard deviation of the noise), the predicted
    curve, and below them (measured - predicted) / noise with the band of ±2. With two: predicted against
    measured values, and the residuals in the plane. `axes` chooses coordinates; by default all are taken, of
    more than two the first two.

    Where the noise is not positive and finite, residuals are shown in the unit of the measurement, and
    labelled so.
    Returns (figure, its main axes). Raises `BadInput` for a coordinate that the panel lacks.
    """
    for axis in axes:
        if axis not in panel.points:
            hint = nearest(axis, panel.points)
            raise BadInput(f"'{panel.label}' has no coordinate '{axis}'{hint} Coordinates: {listing(panel.points)}.")
    chosen = (axes or tuple(panel.points))[:2]
    return along(panel, chosen[0]) if len(chosen) == 1 else across(panel, chosen[0], chosen[1])


def along(panel: FitPanel, axis: str) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    fig = Figure(figsize=(WIDTH, 4.4), layout="constrained")
    upper, lower = fig.subplots(2, 1, sharex=True, height_ratios=(3, 1.2))
    place = panel.points[axis]
    measurements(upper, place, panel.measured, panel.sd)
    if panel.curve is not None and len(panel.points) == 1:
        rows = kept(panel.curve[1])
        upper.plot(panel.curve[0][rows], panel.curve[1][rows], color=VERMILLION, label="predicted", zorder=3)
    else:
        marks = {"linestyle": "none", "marker": "x", "markersize": 4.5, "markeredgewidth": 1.1}
        few = len(place) <= DRAWN_ONE_BY_ONE
        upper.plot(place, panel.predicted, color=VERMILLION, label="predicted", rasterized=not few, zorder=3, **marks)
    low, high = panel.measured - np.nan_to_num(panel.sd, posinf=0.0), panel.predicted
    if spans_decades(panel.measured) and min(np.min(low), np.min(high)) > 0:
        everything = np.concatenate([low, panel.measured + panel.sd, high])
        logarithmic(upper, "y", float(np.min(everything)), float(np.max(everything)))
    if spans_decades(place):
        logarithmic(lower, "x", float(np.min(place)), float(np.max(place)))
    upper.set_ylabel(lettered(panel.label, 36))
    upper.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)
    misses(lower, place, panel)
    lower.set_xlabel(lettered(axis))
    fig.align_ylabels([upper, lower])
    return fig, upper


def measurements(
    ax: Axes, place: Float[np.ndarray, " n"], values: Float[np.ndarray, " n"], sd: Float[np.ndarray, " n"]
) -> None:
    """Points, with bars of one standard deviation where they help."""
    barred = has_noise(sd) and len(values) <= WITH_BARS
    ax.errorbar(
        place,
        values,
        yerr=sd if barred else None,
        fmt="o",
        color=BLUE,
        elinewidth=1.0,
        label="measured ± noise sd" if barred else "measured",
        **weight(len(values)),
        zorder=2,
    )


def weight(count: int) -> dict:
    """Points that are few stand out; many are faint, so that the curve and their density show through."""
    return {"markersize": 3.6} if count <= DRAWN_ONE_BY_ONE else {"markersize": 2.2, "alpha": 0.4, "rasterized": True}


def misses(ax: Axes, place: Float[np.ndarray, " n"], panel: FitPanel) -> None:
    """Residuals over one coordinate, with the band in which about 95 % of them belong."""
    left = in_noise(panel)
    ax.axhline(0.0, color=INK, linewidth=0.8, zorder=1)
    ax.plot(place, left, "o", color=BLUE, zorder=2, **weight(len(place)))
    if not has_noise(panel.sd):
        ax.set_ylabel("measured\n− predicted")
        return
    ax.axhspan(-2.0, 2.0, color=INK, alpha=0.08, zorder=0)
    ax.set_ylabel("residual\n/ noise sd")
    reach = max(3.2, 1.12 * float(np.max(np.abs(left), initial=0.0)))
    ax.set_ylim(-reach, reach)
    ax.set_title(tally(left), fontsize=SMALL, loc="right", pad=3)


def tally(left: Float[np.ndarray, " n"]) -> str:
    """How many residuals lie outside the band, beside how many should."""
    share = BEYOND_TWO * left.size
    expected = f"{share:.0f}" if share >= 10 else f"{share:.2g}"
    return f"outside ±2: {int(np.sum(np.abs(left) > 2))} of {left.size}, about {expected} expected"


def across(panel: FitPanel, horizontal: str, vertical: str) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    fig = Figure(figsize=(WIDTH, 3.3), layout="constrained")
    one, two = fig.subplots(1, 2, width_ratios=(1, 1.25))
    few = len(panel.measured) <= DRAWN_ONE_BY_ONE
    measurements(one, panel.predicted, panel.measured, panel.sd)
    ends = extremes(np.concatenate([panel.predicted, panel.measured]))
    one.plot(ends, ends, color=INK, linewidth=0.9, label="equal", zorder=3)
    if spans_decades(panel.measured) and np.min(panel.predicted) > 0:
        logarithmic(one, "x", *ends)
        logarithmic(one, "y", *ends)
    elif np.ptp(ends) > 0:
        one.xaxis.set_major_locator(MaxNLocator(3))
    one.set_xlabel("predicted")
    one.set_ylabel("measured")
    one.set_title(lettered(panel.label, 32))

    left = in_noise(panel)
    noisy = has_noise(panel.sd)
    size = float(np.max(np.abs(left), initial=0.0))
    limit = min(max(size, 3.0), 6.0) if noisy else size or 1.0
    spots = two.scatter(
        panel.points[horizontal],
        panel.points[vertical],
        c=left,
        cmap=TWO_SIDED,
        vmin=-limit,
        vmax=limit,
        s=26 if few else 9,
        edgecolors="#5f6b76" if few else "none",
        linewidths=0.5,
        rasterized=not few,
    )
    two.set_xlabel(lettered(horizontal, 30))
    two.set_ylabel(lettered(vertical, 30))
    bar = fig.colorbar(spots, ax=two, extend="both" if size > limit else "neither")
    bar.outline.set_visible(False)
    bar.set_label("residual / noise sd" if noisy else "measured − predicted")
    if noisy:
        two.set_title(tally(left), fontsize=SMALL, loc="right")
    return fig, one


def extremes(values: Float[np.ndarray, " n"]) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return (float(np.min(finite)), float(np.max(finite))) if finite.size else (0.0, 1.0)


def has_noise(sd: Float[np.ndarray, " n"]) -> bool:
    return bool(np.all(np.isfinite(sd) & (sd > 0)))


def in_noise(panel: FitPanel) -> Float[np.ndarray, " n"]:
    """Residuals in units of the noise, or in the unit of the measurement where the noise is no scale."""
    left = panel.measured - panel.predicted
    return left / panel.sd if has_noise(panel.sd) else left
