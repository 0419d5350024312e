"""The report: one self-contained page that asks nothing of any network and runs no script."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from .._core.files import write_atomically
from .._core.record import Record
from ._css import STYLE
from ._estimates_table import estimates
from ._figure_sections import fields, fits, history, residuals
from ._markup import Markup, element, listed
from ._sentences import duration

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What a browser may do with the page: use its own styles and pictures, load nothing, run nothing."""


def write_html(record: Record, path: str | os.PathLike) -> Path:
    """Write the report of a solution as one HTML file, whole or not at all; returns where it is.

    Folders are made as needed. Raises `OSError` where the place cannot be written.
    """
    place = Path(path)
    write_atomically(place, page(record).encode())
    return place


def page(record: Record) -> str:
    """The report as HTML: verdict, estimates, fit, fields, residuals of the laws, history, what was asked.

    One page with its styles and figures inside. Names and sentences of the user are escaped, and the page's
    own policy forbids scripts and loading. Numbers are text; each estimate stands exactly as `str(estimate)`
    writes it.
    """
    sections = {
        "Notes": listed(record.notes) if record.notes else "",
        "Estimates": estimates(record),
        "Unknown fields": fields(record.unknown_fields, "unknown-field"),
        "Fit to the data": fits(record),
        "Fields": fields(record.fields, "field"),
        "Residuals of the laws": residuals(record.residuals),
        "How the fit went": history(record),
        "What was asked": asked(record),
        "How it was found": provenance(record),
    }
    told = {title: body for title, body in sections.items() if body}
    head = element(
        "head",
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
        Markup('<link rel="icon" href="data:,">'),
        element("title", record.title),
        element("style", Markup(STYLE)),
    )
    links = [element("a", title, href=f"#{anchor(title)}") for title in told]
    parts = [element("section", element("h2", title), body, id=anchor(title)) for title, body in told.items()]
    main = element(
        "main",
        element("h1", record.title),
        element("p", f"{record.method}, {duration(record.seconds)}", class_="soft"),
        verdict(record),
        element("nav", *links, aria_label="Sections"),
        *parts,
    )
    return f'<!DOCTYPE html>\n<html lang="en">{head}{element("body", main)}</html>\n'


def anchor(title: str) -> str:
    return "section-" + title.lower().replace(" ", "-")


def verdict(record: Record) -> Markup:
    """Converged or not, the reason, and what the reader must not overlook."""
    good, free = record.status.converged, len(record.undetermined)
    lines = [
        element("strong", "✓ Converged" if good else "✗ Not converged"),
        element("p", record.status.reason),
    ]
    if not good:
        lines.append(element("p", "The numbers below are those of the last step: take none of them as a result."))
    if free:
        what = "one direction" if free == 1 else f"{free} directions"
        lines.append(
            element(
                "p",
                f"The data leave {what} in the unknowns free: see what is not determined, under Estimates.",
            )
        )
    return element("div", *lines, class_=f"verdict {'good' if good and not free else 'bad'}")


def asked(record: Record) -> Markup:
    """The problem as it was posed, and which of it holds exactly."""
    return definitions(
        [
            ("laws", record.laws),
            ("imposed exactly", record.exact),
            ("penalised", record.penalised),
            ("observed", record.observed),
        ]
    )


def provenance(record: Record) -> Markup:
    """Method, time, scaling, versions: what it takes to do it again."""
    versions = ", ".join(f"{name} {number}" for name, number in record.versions.items())
    return definitions(
        [
            ("method", [record.method]),
            ("time", [duration(record.seconds)]),
            ("scaling", [record.scaling] if record.scaling else ()),
            ("versions", [versions] if versions else ()),
        ]
    )


def definitions(rows: Iterable[tuple[str, Iterable[str]]]) -> Markup:
    """A label and its sentences, row by row; "none" where there is none, since that too is an answer."""
    cells = []
    for label, sentences in rows:
        cells += [element("dt", label), element("dd", listed(list(sentences) or ["none"]))]
    return element("dl", *cells)
