"""The two ways in which work can fail on purpose: bad input, and a result that is not to be trusted."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BadInput(ValueError):
    """What the user gave cannot be used. The one-line message says what, where and the cure (exit code 2)."""

    def __init__(self, message: str):
        # Messages quote what came, and tables, arrays and modules print themselves on several lines.
        super().__init__(" ".join(message.split()))


class NotTrusted(RuntimeError):
    """The work ran, but its result is not to be trusted; the message says why (exit code 1)."""


def listing(names: Iterable[str]) -> str:
    """Names for a sentence: "a, b and c"; "none" where there are none."""
    words = list(names)
    if len(words) < 2:
        return words[0] if words else "none"
    return ", ".join(words[:-1]) + " and " + words[-1]


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence: an offer of the closest known name, or a full stop where none is close."""
    names = list(known)
    same = [other for other in names if other.lower() == name.lower()]
    found = same or difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean '{found[0]}'?" if found else "."


def shown(value: object, most: int = 60) -> str:
    """What came, for a message: its repr, cut where it is long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= most else text[: most - 3] + "..."
