"""Layers as coloured strips, records beside their fit, and the landscape of a misfit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from .._core.record import Drawing, FitPanel
from ..report import INK, ONE_SIDED, WIDTH, fit_figure, house_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ._inverted import Fit, Inversion

WIDEST = 0.4  # of the mean layer: error bars beyond it are drawn up to here
PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))
UNITS = {
    "thickness": "m",
    "modulus": "Pa",
    "density": "kg/m³",
    "impedance": "Pa s/m",
    "travel_time": "s",
    "vp": "m/s",
    "vs": "m/s",
}


def scaled(largest: float, unit: str) -> tuple[float, str]:
    """What to divide numbers by so that they read well, and their unit then; kg/m³ stays as it is."""
    if unit.startswith("kg") or not np.isfinite(largest) or largest <= 0:
        return 1.0, unit
    size, prefix = next(((s, p) for s, p in PREFIXES if largest >= s), PREFIXES[-1])
    return size, prefix + unit


@house_style()
def strips_figure(
    inversion: Inversion,
    quantity: str = "modulus",
    truth: tuple[Float[np.ndarray, " layers"], Float[np.ndarray, " layers"]] | None = None,
    across: str | None = None,
) -> tuple[Figure, Axes]:
    """The layers side by side, as wide as they are thick, coloured by a quantity; interfaces with bands of ± 2 sd.

    quantity   of `inversion.layers`.
    truth      thickness (or what `across` names) and quantity of what is really there, if that is known: drawn below.
    across     what the strips are as wide as: "thickness" or "travel_time"; by default the first if it is determined.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure

    drawn = "thickness" if np.all(np.isfinite(inversion.layers["thickness"].sd)) else "travel_time"
    truth = truth if across is not None or drawn == "thickness" else None
    across = across or drawn
    if not np.all(np.isfinite(inversion.layers[quantity].sd)):
        quantity = "impedance"
    widths, shown = inversion.layers[across], inversion.layers[quantity]
    values, wide = np.asarray(shown.value), np.asarray(widths.value)
    size, unit = scaled(float(np.max(values)), UNITS.get(quantity, ""))
    step, length = scaled(float(np.sum(wide)), UNITS[across])
    every = values if truth is None else np.concatenate([values, truth[1]])
    norm = LogNorm(every.min() / size / 1.15, every.max() / size * 1.15)
    fig = Figure(figsize=(WIDTH, 2.6 if truth is None else 3.4), layout="constrained")
    ax = fig.subplots()
    strip(ax, wide / step, values / size, np.asarray(shown.sd) / size, 1.0, norm)
    edges = np.cumsum(wide) / step
    for edge, sd in zip(edges, edge_sd(inversion, across) / step, strict=True):
        reach = min(2 * sd, WIDEST * float(np.mean(wide)) / step)
        ax.axvspan(edge - reach, edge + reach, ymin=0.0, ymax=1.0, color=INK, alpha=0.35, lw=0, zorder=3)
    ticks = [1.4]
    names = ["found"]
    if truth is not None:
        strip(ax, np.asarray(truth[0]) / step, np.asarray(truth[1]) / size, None, 0.0, norm)
        ticks, names = [1.4, 0.4], ["found", "true"]
    ax.set_yticks(ticks, names)
    ax.set(xlabel=f"{'depth' if across == 'thickness' else 'travel time'} in {length}", xlim=(0, 1.02 * edges[-1]))
    ax.grid(False)
    fig.colorbar(ScalarMappable(norm, ONE_SIDED), ax=ax, label=f"{quantity} in {unit}")
    return fig, ax


def strip(ax: Axes, widths, values, sd, bottom: float, norm) -> None:
    """One row of coloured layers, each with its number."""
    from matplotlib import colormaps

    left = 0.0
    for index, (width, value) in enumerate(zip(widths, values, strict=True)):
        colour = colormaps[ONE_SIDED](norm(value))
        ax.barh(bottom, width, left=left, height=0.8, align="edge", color=colour, edgecolor="white", lw=0.8)
        dark = np.dot(colour[:3], (0.299, 0.587, 0.114)) < 0.55
        text = f"{value:.4g}" if sd is None else f"{value:.4g}\n± {sd[index]:.2g}"
        if width > 0.09 * sum(widths):
            place = left + width / 2, bottom + 0.4
            ax.text(*place, text, ha="center", va="center", color="white" if dark else INK, fontsize=9, zorder=4)
        left += width


def edge_sd(inversion: Inversion, across: str) -> Float[np.ndarray, " layers"]:
    """Standard deviations of where layers end, correlations between them included."""
    import jax.numpy as jnp

    from .._core.precision import float64
    from ._identify import knowledge, propagated
    from ._verdict import linearised

    with float64():
        x = jnp.asarray(inversion.x)
        known = knowledge(np.asarray(linearised(inversion.misfit, x)[1]))
        ends = lambda x: {"ends": jnp.cumsum(inversion.misfit.guess(x)[0].quantities()[across])}
        return np.asarray(propagated(ends, x, known, inversion.dof)["ends"].sd)


def panel(fit: Fit) -> FitPanel:
    """A channel as the report draws measured columns."""
    sd = np.full(len(fit.measured), fit.sd)
    return FitPanel(fit.channel, {fit.axis: fit.places}, fit.measured, fit.predicted, sd, (fit.places, fit.predicted))


def fit_figures(inversion: Inversion) -> dict[str, tuple[Figure, Axes]]:
    """Each channel beside its prediction, and what is left in units of the noise."""
    return {fit.channel: fit_figure(panel(fit)) for fit in inversion.fits}


def fit_drawings(inversion: Inversion) -> tuple[Drawing, ...]:
    return tuple(
        Drawing(
            f.channel, "measured, predicted, and what is left in units of the noise.", lambda f=f: fit_figure(panel(f))
        )
        for f in inversion.fits
    )


def strips_drawing(inversion: Inversion) -> Drawing:
    return Drawing(
        "Layers", "as wide as they are thick; dark bands: ± 2 sd of an interface.", lambda: strips_figure(inversion)
    )
