"""The numbers that describe a shape, checked."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .._core.messages import BadInput, listing, shown
from .._core.names import declare
from .._core.numbers import real_array

EXAMPLES = ("x=0", "y=0", "z=0")


def number(what: str, name: str, value: object) -> float:
    """One finite number."""
    try:
        found = real_array(value)
    except TypeError as error:
        raise BadInput(f"{what} {name} is {error}: {shown(value)}; give a number, such as {name}=1.") from None
    if found.ndim or not np.isfinite(found):
        raise BadInput(f"{what} {name} must be one finite number, but it is {shown(value)}.")
    return float(found)


def positive(what: str, name: str, value: object) -> float:
    """One finite number above zero."""
    found = number(what, name, value)
    if not found > 0:
        raise BadInput(f"{what} {name} is {found:g}, which leaves the shape no inside; it must be positive.")
    return found


def centre_of(what: str, centre: Mapping[str, object], count: int) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The axes and coordinates of a centre with `count` axes."""
    if len(centre) != count:
        raise BadInput(
            f"{what} takes a centre along {count} axes, such as {what}({', '.join(EXAMPLES[:count])}, ...), "
            f"but got {listing(centre)}."
        )
    declare(dict.fromkeys(centre, "axis"))
    return tuple(centre), tuple(number(what, name, value) for name, value in centre.items())
