"""Names and numbers as one line of a figure or a terminal can show them."""

from __future__ import annotations

import math


def one_line(text: str) -> str:
    """Text without line feeds, control characters and escape sequences, which a terminal would obey."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def lettered(text: str, most: int = 60) -> str:
    """A name on one line, shortened in the middle, since names differ at their ends."""
    line = one_line(text)
    if len(line) <= most:
        return line
    head = (most - 1) * 2 // 3
    return f"{line[:head].rstrip()}…{line[len(line) - (most - 1 - head) :].lstrip()}"


def power(value: float, _: int | None = None) -> str:
    """A number on an axis in decades: 0.01, 1, 300, 10⁻⁵, 2×10⁶."""
    if not (value > 0 and math.isfinite(value)):
        return ""
    exponent = math.floor(math.log10(value) + 1e-9)
    if -2 <= exponent <= 3:
        return f"{value:.3g}" if value < 1000 else f"{value:.0f}"
    digits = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    leading = f"{value / 10.0**exponent:.3g}"
    return f"10{digits}" if leading == "1" else f"{leading}×10{digits}"
