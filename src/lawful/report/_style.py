"""How figures look: palette, lettering, ticks. Nothing here knows what is drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from ._lettering import power

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

WIDTH = 6.4  # inches: two figures side by side on a laptop, lettering at its natural size

# Text, axes, grid and shading differ in opacity only, so that one substitution suits a dark page.
INK = "#1f2933"

# Colours that people with any of the common colour deficiencies tell apart, black left to INK.
# Source: Okabe & Ito, Color Universal Design (2008).
BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
)
SERIES = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
DASHES = ("-", "--", ":", "-.")

ONE_SIDED = "viridis"  # even steps of lightness
TWO_SIDED = "RdBu_r"  # blue below, white at zero, red above

LETTERING = 10.5  # points
SMALL = LETTERING - 1.5


def style() -> dict:
    """Matplotlib settings of every figure, over the library's own defaults rather than those of the user."""
    return {
        "font.size": LETTERING,
        "font.family": ["DejaVu Sans"],
        "axes.titlesize": LETTERING,
        "axes.titlelocation": "left",
        "axes.labelsize": LETTERING,
        "legend.fontsize": LETTERING - 1,
        "legend.frameon": False,
        "legend.borderaxespad": 0.2,
        "xtick.labelsize": LETTERING - 1,
        "ytick.labelsize": LETTERING - 1,
        "text.color": INK,
        # Names come from users: a dollar sign is a dollar sign.
        "text.parse_math": False,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "axes.titlecolor": INK,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.grid": True,
        "axes.formatter.useoffset": False,
        "axes.formatter.limits": (-3, 6),
        "grid.color": INK,
        "grid.alpha": 0.13,
        "grid.linewidth": 0.6,
        "xtick.color": INK,
        "ytick.color": INK,
        "lines.linewidth": 1.7,
        "lines.solid_capstyle": "butt",
        "patch.linewidth": 0.0,
        "savefig.dpi": 160,
    }


@contextmanager
def house_style() -> Iterator[None]:
    """Draw inside it, or decorate a function that draws; the user's own settings are untouched afterwards."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(style())
        yield


def in_decades(axis: Axis, low: float, high: float) -> None:
    """Ticks for a logarithmic axis from `low` to `high`: powers of ten, more where the range is narrow."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    decades = math.log10(high / low)
    if decades < 0.7:
        axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    else:
        axis.set_major_locator(LogLocator(subs=(1.0,) if decades > 2 else (1.0, 2.0, 5.0), numticks=7))
    axis.set_major_formatter(FuncFormatter(power))
    axis.set_minor_formatter(NullFormatter())


def logarithmic(ax: Axes, which: str, low: float, high: float) -> None:
    """Turn the "x" or "y" axis of `ax` into decades that show `low` to `high` with a margin."""
    room = max((high / low) ** 0.05, 1.02)
    if which == "x":
        ax.set_xscale("log", nonpositive="clip")
        ax.set_xlim(low / room, high * room)
        in_decades(ax.xaxis, low / room, high * room)
    else:
        ax.set_yscale("log", nonpositive="clip")
        ax.set_ylim(low / room, high * room)
        in_decades(ax.yaxis, low / room, high * room)


def spans_decades(values: Float[np.ndarray, "..."]) -> bool:
    """Whether positive values crowd towards zero on a linear axis: three decades, half in the last tenth."""
    if values.size == 0 or not np.all(np.isfinite(values)) or np.min(values) <= 0:
        return False
    return bool(np.max(values) / np.min(values) >= 1e3 and np.median(values) < 0.1 * np.max(values))
