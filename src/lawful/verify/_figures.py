"""Pictures of a verification."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..report import BLUE, GREEN, INK, ORANGE, SKY, VERMILLION, WIDTH, house_style, logarithmic

if TYPE_CHECKING:
    from ._identify import Profile
    from ._verification import Verification

QUANTILE = 3.84  # of chi-squared with one degree of freedom
PARTS = (("discretisation", BLUE), ("parameters", GREEN), ("noise", ORANGE), ("left", VERMILLION))
MOST_BARS = 30


def canvas(height: float = 3.4):
    from matplotlib.figure import Figure

    fig = Figure(figsize=(WIDTH, height), layout="constrained")
    return fig, fig.subplots()


@house_style()
def budget_figure(found: Verification):
    """Stacked bars in the unit of each sensor; squares add, so parts are drawn by their share of the square."""
    lines = found.budget[:MOST_BARS]
    fig, ax = canvas(max(2.2, 0.9 + 0.26 * len(lines)))
    for row, line in enumerate(lines):
        squares = [(0.0 if math.isnan(v) else v**2) for v in (getattr(line, name) for name, _ in PARTS)]
        whole, start = math.sqrt(sum(squares)), 0.0
        for (name, colour), square in zip(PARTS, squares, strict=True):
            width = whole * square / max(sum(squares), 1e-300)
            ax.barh(row, width, left=start, color=colour, height=0.7, label=name if row == 0 else None)
            start += width
    ax.set_yticks(range(len(lines)), [line.name for line in lines])
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(f"error in the unit of {', '.join(dict.fromkeys(line.quantity for line in lines))}")
    fig.legend(loc="outside upper center", ncols=4)
    return fig, ax


@house_style()
def terms_figure(found: Verification):
    """Gains of the refitted candidates."""
    shown = [each for each in found.terms if each.coefficient is not None]
    fig, ax = canvas(max(1.8, 0.8 + 0.3 * len(shown)))
    gains = [max(each.gain, 1e-1) for each in shown]
    chosen = set(found.missing)
    ax.barh(range(len(shown)), gains, color=[VERMILLION if each.name in chosen else SKY for each in shown], height=0.7)
    for row, each in enumerate(shown):
        ax.annotate(f" {each.coefficient}", (gains[row], row), va="center", fontsize=9)
    ax.set_yticks(range(len(shown)), [each.name for each in shown])
    ax.invert_yaxis()
    logarithmic(ax, "x", min(gains) / 3, max(gains) * 100)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel("gain in deviance (logarithmic), with the coefficient")
    return fig, ax


@house_style()
def mesh_figure(found: Verification):
    """How differences fall from mesh to mesh."""
    fall = found.judgement.mesh.fall
    fig, ax = canvas(2.4)
    names = ["h to h'", "h' to h''", "h'' to h'''"][: len(fall)]
    values = [max(value, 1e-17) for value in fall]
    ax.plot(names, values, "o-", color=BLUE)
    logarithmic(ax, "y", min(values) / 3, max(values) * 3)
    ax.set_ylabel("rms difference over\nlargest value")
    ax.set_xlabel("between a mesh and the next finer one")
    return fig, ax


@house_style()
def proposal_figure(found: Verification):
    """What another sensor would bring, by place."""
    proposal = found.proposal
    assert proposal is not None
    fig, ax = canvas(2.6)
    [axis, *_] = proposal.place
    places = np.asarray(proposal.places[axis])
    ax.plot(places, proposal.curve, color=BLUE)
    ax.axvline(proposal.place[axis], color=VERMILLION, lw=1.2, ls="--")
    tell = proposal.purpose.startswith("tell")
    ax.axhline(proposal.now, color=INK, lw=0.9, ls=":")
    ax.annotate("now", (places[0], proposal.now), va="bottom", fontsize=9)
    ax.set_xlabel(axis)
    ax.set_ylabel("expected difference\nof deviances" if tell else "error bar of\nthe coefficient")
    return fig, ax


@house_style()
def influence_figure(found: Verification):
    """The coefficient without each sensor."""
    seen = [each for each in found.influence if math.isfinite(each.coefficient)]
    fig, ax = canvas(2.6)
    places = np.arange(len(seen))
    ax.errorbar(
        places, [each.coefficient for each in seen], yerr=[each.sd for each in seen], fmt="o", ms=4, color=BLUE, lw=1
    )
    step = max(1, len(seen) // 10)
    ax.set_xticks(places[::step], [each.sensor for each in seen][::step], rotation=35, ha="right")
    ax.set_ylabel("coefficient")
    return fig, ax


@house_style()
def residual_figure(found: Verification):
    """Residuals in units of noise, before and after, along the axis with most places."""
    data, judgement = found.data, found.judgement
    axis = max(data.places, key=lambda a: len(np.unique(data.places[a][np.isfinite(data.places[a])])))
    known = np.isfinite(data.places[axis])
    fig, ax = canvas(2.8)
    sd = judgement.search.best.found.sd if judgement.search is not None else judgement.null.found.sd
    ax.plot(
        data.places[axis][known],
        -(judgement.null.found.miss / sd)[known],
        "o",
        ms=3,
        color=VERMILLION,
        alpha=0.55,
        label="as it stands",
    )
    if judgement.search is not None and judgement.search.terms:
        label = f"with {', '.join(judgement.search.terms)}"
        ax.plot(
            data.places[axis][known],
            -judgement.search.best.found.whitened[known],
            "o",
            ms=3,
            color=BLUE,
            alpha=0.55,
            label=label,
        )
    ax.set_xlabel(axis)
    ax.set_ylabel("measured - predicted\nin units of noise")
    fig.legend(loc="outside upper center", ncols=2)
    return fig, ax


@house_style()
def profile_figure(found: Profile):
    """How the deviance rises away from the best value."""
    fig, ax = canvas(2.8)
    ax.plot(found.values, found.rise, "o-", ms=3, color=BLUE)
    ax.axhline(QUANTILE, color=INK, lw=0.9, ls=":")
    ax.annotate("95 %", (found.values[0], QUANTILE), va="bottom", fontsize=9)
    ax.set_xlabel(found.name)
    ax.set_ylabel("rise of the deviance")
    ax.set_ylim(0, max(2 * QUANTILE, 1.05 * float(np.max(found.rise))))
    return fig, ax
