"""The user's functions of named quantities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._core.messages import BadInput, listing, nearest
from .._core.names import arguments


def called(function: Callable, known: Mapping[str, Any], where: str) -> Any:
    """A function with the quantities that its arguments name."""
    return function(**{name: known[name] for name in checked_names(function, known, where)})


def checked_names(function: Callable, known: Mapping[str, Any], where: str) -> tuple[str, ...]:
    """The names of a function's arguments. Raises `BadInput` for one that nothing known has."""
    names = arguments(function, where)
    for name in names:
        if name not in known:
            raise BadInput(f"{where} uses '{name}', which is not known{nearest(name, known)} Known: {listing(known)}.")
    return names


def given(value: Any, known: Mapping[str, Any], where: str) -> Any:
    """A plain value, or what a function of named quantities makes of them."""
    return called(value, known, where) if callable(value) else value
