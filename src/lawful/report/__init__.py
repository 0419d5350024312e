"""Figures, tables and the HTML report of a solution. Sees records and arrays, never solvers."""

from ._fits import fit_figure
from ._history import history_figure, unknowns_figure
from ._html import page, write_html
from ._maps import field_figure, residual_figure
from ._report import report
from ._style import (
    BLUE,
    GREEN,
    INK,
    ONE_SIDED,
    ORANGE,
    SERIES,
    SKY,
    TWO_SIDED,
    VERMILLION,
    WIDTH,
    house_style,
    logarithmic,
)
from ._tables import summary

__all__ = [
    "BLUE",
    "GREEN",
    "INK",
    "ONE_SIDED",
    "ORANGE",
    "SERIES",
    "SKY",
    "TWO_SIDED",
    "VERMILLION",
    "WIDTH",
    "field_figure",
    "fit_figure",
    "history_figure",
    "house_style",
    "logarithmic",
    "page",
    "report",
    "residual_figure",
    "summary",
    "unknowns_figure",
    "write_html",
]
