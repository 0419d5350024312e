"""What was found, as part of the page: values with error bars, what is free, what hangs together."""

from __future__ import annotations

import numpy as np

from .._core.estimates import Estimate
from .._core.record import Record
from ._markup import Markup, element, joined, listed
from ._sentences import components, freedom, interval, relative

WHOLE_TABLE = 12
"""Correlations of more unknowns than this are listed by size instead."""
STRONGEST = 20
ENTRIES = 60
"""Entries of a vector that have a row each."""


def estimates(record: Record) -> Markup:
    """The table of found numbers, what they cannot tell, and how they hang together."""
    if not record.estimates:
        also = "Unknown fields are shown below." if record.unknown_fields else "Nothing was to be found: all was given."
        return joined([element("p", also), *undetermined(record)])
    head = ("unknown", "value ± sd", "95 % interval", "sd / value")
    rows = [row for name, estimate in record.estimates.items() for row in estimate_rows(name, estimate)]
    table = element(
        "table",
        element("thead", element("tr", *[element("th", cell, scope="col") for cell in head])),
        element("tbody", *rows),
    )
    how = f"An interval is value ± t sd, with the quantile t {freedom(record)}. "
    how += "It holds to first order in the noise."
    return joined(
        [
            element("div", table, class_="scroll"),
            element("p", how, class_="soft"),
            *undetermined(record),
            correlations(record),
        ]
    )


def estimate_rows(name: str, estimate: Estimate) -> list[Markup]:
    """One row for a scalar; for a vector a row with all of it and one for each entry."""
    rows = []
    if np.ndim(estimate.value):
        rows.append(
            element(
                "tr",
                element("th", name, scope="row"),
                element("td", str(estimate), class_="long", colspan="3"),
            )
        )
    parts = list(components(name, estimate))
    for label, part in parts[:ENTRIES]:
        cells = [element("td", text, class_="number") for text in (str(part), interval(part), relative(part))]
        rows.append(element("tr", element("th", label, scope="row"), *cells))
    if len(parts) > ENTRIES:
        said = f"{len(parts) - ENTRIES} more entries stand in the line above them all"
        rows.append(element("tr", element("td"), element("td", said, class_="soft", colspan="3")))
    return rows


def undetermined(record: Record) -> list[Markup]:
    if not record.undetermined:
        return []
    said = "The data leave these combinations of unknowns free. Measure what changes with them, or give a prior."
    return [element("h3", "Not determined"), element("p", said), listed(record.undetermined)]


def correlations(record: Record) -> Markup:
    """The correlation matrix as a shaded table, or of many unknowns the strongest pairs."""
    names, matrix = record.correlation
    if len(names) < 2:
        return Markup("")
    title = element("h3", "Correlations of the estimates")
    if len(names) > WHOLE_TABLE:
        pairs = [(i, j) for i in range(len(names)) for j in range(i) if np.isfinite(matrix[i, j])]
        strongest = sorted(pairs, key=lambda pair: -abs(matrix[pair]))[:STRONGEST]
        words = [f"{names[j]} and {names[i]}: {matrix[i, j]:+.3f}" for i, j in strongest]
        return joined([title, element("p", f"The strongest {len(words)} of {len(pairs)} pairs."), listed(words)])
    head = element("tr", element("td"), *[element("th", name, scope="col") for name in names])
    rows = [
        element(
            "tr",
            element("th", name, scope="row"),
            *[shaded(float(matrix[i, j]), i == j) for j in range(len(names))],
        )
        for i, name in enumerate(names)
    ]
    table = element("table", element("thead", head), element("tbody", *rows), class_="correlation")
    return joined([title, element("div", table, class_="scroll")])


def shaded(value: float, diagonal: bool) -> Markup:
    """A correlation on a ground as strong as it is: blue for opposite, red for alike."""
    if not np.isfinite(value):
        return element("td", "-")
    if diagonal:
        return element("td", "1", class_="soft")
    colour = "213, 94, 0" if value > 0 else "0, 114, 178"
    return element("td", f"{value:+.3f}", style=f"background: rgba({colour}, {0.55 * min(abs(value), 1):.2f})")
