"""The parts of the page that show figures: each with its numbers as text beneath."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from .._core.record import FieldPanel, FitPanel, Record, ResidualPanel
from ._fits import fit_figure, has_noise, in_noise, tally
from ._history import SHOWN_UNKNOWNS, column, cumulative, history_figure, unknowns_figure
from ._maps import field_figure, residual_figure
from ._markup import Markup, element, joined
from ._sentences import misfit, reach, residual
from ._svg import inline_svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def drawn(fig: Figure, prefix: str, name: str, caption: str) -> Markup:
    """A figure with its caption."""
    return element(
        "figure",
        inline_svg(fig, prefix, f"{name}: {caption}"),
        element("figcaption", element("b", name), f" {caption}"),
    )


def gallery(figures: Iterable[Markup]) -> Markup:
    found = list(figures)
    return element("div", *found, class_="figures") if found else Markup("")


def fits(record: Record) -> Markup:
    """chi2, noise levels, and each measured column beside its prediction."""
    levels = ", ".join(f"{label}: {level:.4g}" for label, level in record.noise.items())
    noise = [element("p", f"Noise, estimated, one standard deviation: {levels}.")] if levels else []
    told = misfit(record)
    shown = (
        drawn(fit_figure(panel)[0], f"fit{i}", panel.label, fit_caption(panel)) for i, panel in enumerate(record.fits)
    )
    return joined(
        [
            element("p", f"{told[0].upper()}{told[1:]}." if told == "no data" else f"{told}."),
            *noise,
            gallery(shown),
        ]
    )


def fit_caption(panel: FitPanel) -> str:
    """How many measurements, how far off, and where most."""
    left = in_noise(panel)
    count = f"{left.size} measurement{'s' * (left.size != 1)}"
    if not left.size:
        return f"{count}."
    worst = int(np.argmax(np.abs(left)))
    where = ", ".join(f"{axis} = {place[worst]:.4g}" for axis, place in panel.points.items())
    rms = float(np.sqrt(np.mean(left**2)))
    found = f"rms {rms:.3g}, largest {left[worst]:+.3g} at {where}"
    if has_noise(panel.sd):
        return f"{count}. Residuals in units of the noise: {found}; {tally(left)}."
    return f"{count}. Residuals in the unit of the data, since the noise is not positive and finite: {found}."


def fields(panels: Iterable[FieldPanel], prefix: str) -> Markup:
    """Each field with its band."""
    return gallery(
        drawn(field_figure(panel)[0], f"{prefix}{i}", panel.name, f"{reach(panel)}.") for i, panel in enumerate(panels)
    )


def residuals(panels: Iterable[ResidualPanel]) -> Markup:
    """How well each law holds between the points at which it was imposed."""
    shown = gallery(
        drawn(residual_figure(panel)[0], f"law{i}", panel.law, f"{residual(panel)}.") for i, panel in enumerate(panels)
    )
    said = (
        "Each law on a fine grid of its own, divided by the typical size of the law's terms: at 1e-3 they"
        " balance to a thousandth. The worst place is marked."
    )
    return joined([element("p", said), shown]) if shown else shown


def history(record: Record) -> Markup:
    """Loss, terms and unknowns over the steps."""
    table = record.history
    if not len(table.get("step", ())):
        return Markup("")
    steps, breaks = cumulative(table)
    loss = column(table, "loss")
    ends = [*(row - 1 for row in breaks), steps.size - 1]
    stages = f" over {len(ends)} stages" if breaks else ""
    caption = f"{steps[-1]:.0f} steps{stages}; last loss {loss[-1]:.6g}."
    weight = column(table, "weight") if "weight" in table else np.ones(1)
    if weight[0] != weight[-1]:
        caption += f" The weight of the laws went from {weight[0]:.3g} to {weight[-1]:.3g}."
    if breaks:
        caption += " Lines break where a stage begins: weights change there, so losses do not compare across."
    shown = [drawn(history_figure(table)[0], "history", "Loss", caption)]
    names = [name for name in table if name.startswith("unknown: ")]
    if names:
        last = [f"{name.removeprefix('unknown: ')} = {table[name][-1]:.6g}" for name in names[:SHOWN_UNKNOWNS]]
        more = f" {len(names) - SHOWN_UNKNOWNS} more are not drawn." if len(names) > SHOWN_UNKNOWNS else ""
        caption = f"Last values: {', '.join(last)}.{more}"
        shown.append(drawn(unknowns_figure(table)[0], "unknowns", "Unknowns", caption))
    return gallery(shown)
