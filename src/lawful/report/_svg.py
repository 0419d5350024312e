"""A figure as SVG inside a page: real text, ids of its own, colours that follow the page."""

from __future__ import annotations

import io
import re
import warnings
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from ._markup import Markup, printable
from ._style import BLUE, INK, SKY, VERMILLION, house_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

THEMED = {"ink": INK, "blue": BLUE, "vermillion": VERMILLION, "sky": SKY}
"""Colours that the page may lighten on a dark ground, by the names of its CSS variables."""


@house_style()
def inline_svg(fig: Figure, prefix: str, label: str) -> Markup:
    """The figure as an `<svg>` element without namespaces, which HTML does not need.

    `prefix` sets its ids apart from those of other figures; `label` is what a screen reader says.
    """
    import matplotlib

    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": prefix})
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The reader's browser draws the letters and has glyphs for what this font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        fig.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    root = ElementTree.fromstring(buffer.getvalue())
    for parent in root.iter():
        for child in [child for child in parent if bare(child.tag) in ("metadata", "style")]:
            parent.remove(child)
    for node in root.iter():
        node.tag = bare(node.tag)
        node.attrib = {bare(key): adapted(bare(key), value, prefix) for key, value in node.attrib.items()}
        node.text, node.tail = stripped(node.text), stripped(node.tail)
    box = root.attrib["viewBox"]
    root.attrib = {"viewBox": box, "role": "img", "aria-label": printable(label)}
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def bare(name: str) -> str:
    """A tag or attribute without its namespace."""
    return name.rpartition("}")[2]


def stripped(text: str | None) -> str | None:
    return text if text and text.strip() else None


def adapted(key: str, value: str, prefix: str) -> str:
    """An attribute with ids that carry the prefix, colours of the page, paths to a hundredth of a point."""
    if key == "id":
        return f"{prefix}-{value}"
    if key == "href":
        return f"#{prefix}-{value[1:]}" if value.startswith("#") else value
    if key == "clip-path":
        return value.replace("url(#", f"url(#{prefix}-")
    if key == "style":
        # Quoted font names end where the page's own font begins.
        value = re.sub(r"'DejaVu Sans'[^;]*", "var(--sans, sans-serif)", value)
        value = re.sub(r"image-rendering:[^;]*;?", "", value)
        for name, colour in THEMED.items():
            value = value.replace(colour, f"var(--{name}, {colour})")
        return value
    if key in ("d", "x", "y"):
        return re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), value)
    return value
