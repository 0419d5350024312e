"""Scores of backbones as a table, natives last."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .._core.record import Table
from ..proteins import ScoreSheet


def beside_natives(
    title: str, sheets: Mapping[str, ScoreSheet], left_out: Collection[str] = ("nearest_training_tm",)
) -> Table:
    """A row for each metric of the last sheet, a column for each sheet, and what natives have by the last."""
    *_, last = sheets.values()
    return Table(
        (title, *sheets, "natives"),
        tuple(
            (name, *(number(sheet[name].value) for sheet in sheets.values()), number(score.native))
            for name, score in last.scores.items()
            if name not in left_out
        ),
    )


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
