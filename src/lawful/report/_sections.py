"""Parts of a page that its author composed: sentences, tables, drawings, animations."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from .._core.record import Animation, Drawing, Section, Table
from ._figure_sections import drawn, gallery
from ._markup import Markup, element, image, joined


def bodies(sections: Iterable[Section]) -> dict[str, Markup]:
    """The body of each section under its title."""
    return {section.title: body(section, f"part{i}") for i, section in enumerate(sections)}


def body(section: Section, prefix: str) -> Markup:
    return joined(
        [
            *[element("p", sentence) for sentence in section.sentences],
            *[element("div", table(each), class_="scroll") for each in section.tables],
            gallery(picture(each, f"{prefix}-{i}") for i, each in enumerate(section.pictures)),
        ]
    )


def table(found: Table) -> Markup:
    """A table whose numbers stand flush right, and whose first column names the rows."""
    columns = list(zip(*found.rows, strict=True))
    classes = ["number" if all(map(is_number, column)) else "" for column in columns]

    def cell(tag: str, text: str, place: int, **attributes: str) -> Markup:
        kind = {"class_": classes[place]} if classes and classes[place] else {}
        return element(tag, text, **kind, **attributes)

    head = element("tr", *[cell("th", text, i, scope="col") for i, text in enumerate(found.head)])
    rows = [
        element(
            "tr", *[cell("td" if i else "th", text, i, **({} if i else {"scope": "row"})) for i, text in enumerate(row)]
        )
        for row in found.rows
    ]
    return element("table", element("thead", head), element("tbody", *rows))


def is_number(text: str) -> bool:
    """Whether a cell reads as a number, with an error bar, a unit or nothing said."""
    first = text.strip().split(" ")[0].rstrip("%x")
    try:
        float(first)
    except ValueError:
        return first in ("", "-")
    return True


def picture(found: Drawing | Animation, prefix: str) -> Markup:
    if isinstance(found, Drawing):
        return drawn(found.draw()[0], prefix, found.name, found.caption)
    source = f"data:image/gif;base64,{base64.b64encode(found.gif).decode()}"
    return element(
        "figure",
        image(src=source, alt=f"{found.name}: {found.caption}"),
        element("figcaption", element("b", found.name), f" {found.caption}"),
    )
