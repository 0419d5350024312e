"""HTML by composition: what is not markup is escaped, so that no name can become one."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import final


@final
class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(name: str, *children: str, **attributes: str) -> Markup:
    """`<name attribute="...">children</name>`; plain strings are escaped, `class_` is written `class`."""
    return Markup(f"<{name}{said(attributes)}>{joined(children)}</{name}>")


def image(**attributes: str) -> Markup:
    """`<img attribute="...">`, which has no end."""
    return Markup(f"<img{said(attributes)}>")


def said(attributes: Mapping[str, str]) -> str:
    return "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(printable(value))}"' for key, value in attributes.items()
    )


def joined(children: Iterable[str]) -> Markup:
    return Markup("".join(child if isinstance(child, Markup) else html.escape(printable(child)) for child in children))


def printable(text: str) -> str:
    """Control characters, which HTML forbids, as the sign for what cannot be shown."""
    return "".join(letter if allowed(ord(letter)) else "\ufffd" for letter in text)


def allowed(code: int) -> bool:
    """Tab, line feed, and whatever is neither a control character nor half of a surrogate pair."""
    return code in (9, 10) or (32 <= code < 127) or (code >= 160 and not 0xD800 <= code < 0xE000)


def listed(sentences: Iterable[str]) -> Markup:
    return element("ul", *[element("li", sentence) for sentence in sentences])
