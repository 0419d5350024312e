"""The report: one self-contained page that asks nothing of any network and runs no script."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from .._core.files import write_atomically
from .._core.record import Account, Record, Status
from ._css import STYLE
from ._estimates_table import estimates
from ._figure_sections import fields, fits, history, residuals
from ._markup import Markup, element, listed
from ._sections import bodies
from ._sentences import duration

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What a browser may do with the page: use its own styles and pictures, load nothing, run nothing."""


def write_html(record: Record | Account, path: str | os.PathLike) -> Path:
    """Write a report as one HTML file, whole or not at all; returns where it is.

    Folders are made as needed. Raises `OSError` where the place cannot be written.
    """
    place = Path(path)
    write_atomically(place, page(record).encode())
    return place


def page(record: Record | Account) -> str:
    """A report as HTML: the verdict, then section by section what was found and how.

    One page with its styles and figures inside. Names and sentences of the user are escaped, and the page's
    own policy forbids scripts and loading. Numbers are text; each estimate stands exactly as `str(estimate)`
    writes it.
    """
    return solution_page(record) if isinstance(record, Record) else account_page(record)


def solution_page(record: Record) -> str:
    """Of a solution: verdict, estimates, fit, fields, residuals of the laws, history, what was asked."""
    sections = {
        "Notes": listed(record.notes) if record.notes else "",
        **bodies(record.sections),
        "Estimates": estimates(record),
        "Unknown fields": fields(record.unknown_fields, "unknown-field"),
        "Fit to the data": fits(record),
        "Fields": fields(record.fields, "field"),
        "Residuals of the laws": residuals(record.residuals),
        "How the fit went": history(record),
        "What was asked": asked(record),
        "How it was found": provenance(record),
    }
    warning = "The numbers below are those of the last step: take none of them as a result."
    judged = verdict(record.status, record.undetermined, warning)
    return framed(record.title, f"{record.method}, {duration(record.seconds)}", judged, sections)


def account_page(account: Account) -> str:
    """Of anything else: the verdict and its own sections."""
    how = ", ".join(part for part in (account.method, duration(account.seconds)) if part)
    return framed(account.title, how, verdict(account.status), bodies(account.sections))


def framed(title: str, how: str, judged: Markup, sections: Mapping[str, str]) -> str:
    """The page around sections; those without a body are left out."""
    told = {name: body for name, body in sections.items() if body}
    head = element(
        "head",
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
        Markup('<link rel="icon" href="data:,">'),
        element("title", title),
        element("style", Markup(STYLE)),
    )
    links = [element("a", name, href=f"#{anchor(name)}") for name in told]
    parts = [element("section", element("h2", name), body, id=anchor(name)) for name, body in told.items()]
    main = element(
        "main",
        element("h1", title),
        element("p", how, class_="soft"),
        judged,
        element("nav", *links, aria_label="Sections"),
        *parts,
    )
    return f'<!DOCTYPE html>\n<html lang="en">{head}{element("body", main)}</html>\n'


def anchor(title: str) -> str:
    return "section-" + title.lower().replace(" ", "-")


def verdict(status: Status, undetermined: tuple[str, ...] = (), warning: str = "") -> Markup:
    """To be trusted or not, the reason, and what the reader must not overlook."""
    good, free = status.converged, len(undetermined)
    lines = [element("strong", f"{'✓' if good else '✗'} {status.verdict.capitalize()}"), element("p", status.reason)]
    if not good and warning:
        lines.append(element("p", warning))
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
