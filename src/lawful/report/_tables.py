"""A solution as text for the terminal: at most 100 columns, plain characters."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

import numpy as np

from .._core.record import Record
from ._lettering import lettered, one_line
from ._sentences import components, duration, interval, misfit, reach, relative, residual

COLUMNS = 100
LABEL = 18
SHOWN_COMPONENTS = 24


def summary(record: Record) -> str:
    """The verdict, the estimates with sd and 95 % interval, and what was asked of the solution, as one text.

    No line is wider than 100 columns; what has nothing to say is left out.
    """
    title = lettered(record.title, COLUMNS)
    noise = (f"{label}: {level:.4g}" for label, level in record.noise.items())
    parts = [
        f"{title}\n{'=' * len(title)}",
        wrapped(str(record.status)),
        estimates(record),
        paragraph("not shown", cut_short(record)),
        paragraph("undetermined", record.undetermined),
        paragraph("unknown fields", (f"{panel.name}: {reach(panel)}" for panel in record.unknown_fields)),
        paragraph("noise, estimated", noise),
        paragraph("misfit", [misfit(record)]),
        paragraph("law residuals", (f"{panel.law}: {residual(panel)}" for panel in record.residuals)),
        paragraph("laws", record.laws),
        paragraph("imposed exactly", record.exact),
        paragraph("penalised", record.penalised),
        paragraph("observed", record.observed),
        paragraph("notes", record.notes),
        paragraph("method", [f"{record.method}, {duration(record.seconds)}"]),
    ]
    return "\n".join(part for part in parts if part)


def estimates(record: Record) -> str:
    """The table of found quantities, one row for each number."""
    rows = [
        (label, str(part), interval(part), relative(part))
        for name, estimate in record.estimates.items()
        for label, part in list(components(name, estimate))[:SHOWN_COMPONENTS]
    ]
    if not rows:
        return "" if record.unknown_fields else "\nnothing was to be found\n"
    head = ("unknown", "value ± sd", "95 % interval", "sd/value")
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(4)]
    widths[0] = max(min(widths[0], COLUMNS - sum(widths[1:]) - 6), len(head[0]))
    beside = sum(widths) + 6 <= COLUMNS
    if not beside:
        widths[0] = max(min(max(len(row[0]) for row in rows), COLUMNS - widths[1] - widths[3] - 4), len(head[0]))
    lines = []
    for label, value, ends, share in [head, *rows]:
        cells = [
            (lettered(label, widths[0]), widths[0]),
            (value, widths[1]),
            (ends, widths[2]),
            (share, -widths[3]),
        ]
        lines.append(line(cells if beside else [cells[0], cells[1], cells[3]]))
        if not beside:
            lines.append(line([("", 4), (ends, 0)]))
    return "\n" + "\n".join(lines) + "\n"


def line(cells: list[tuple[str, int]]) -> str:
    """Cells of given widths, those of negative width flush right."""
    return "  ".join(text.ljust(width) if width >= 0 else text.rjust(-width) for text, width in cells).rstrip()


def cut_short(record: Record) -> Iterator[str]:
    """Which long vectors the table shows in part."""
    for name, estimate in record.estimates.items():
        if np.size(estimate.value) > SHOWN_COMPONENTS:
            count = np.size(estimate.value)
            yield f"{name} has {count} components, of which the table shows the first {SHOWN_COMPONENTS}"


def paragraph(label: str, sentences: Iterable[str]) -> str:
    """A label, and beside it one sentence below the other."""
    blocks = [wrapped(sentence, LABEL) for sentence in sentences]
    return label.ljust(LABEL) + "\n".join(blocks)[LABEL:] if blocks else ""


def wrapped(sentence: str, indent: int = 0) -> str:
    space = " " * indent
    return "\n".join(
        textwrap.wrap(one_line(sentence), COLUMNS, initial_indent=space, subsequent_indent=space + "  " * bool(indent))
        or [space]
    )
