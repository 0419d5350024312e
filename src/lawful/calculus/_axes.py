"""The named coordinates of a field function: read from its signature, checked at the door."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax.numpy as jnp
from jax import Array

from .._core.messages import BadInput, listing, nearest

Partial = tuple[str, ...]
"""A partial derivative as its axes, sorted: () is the value, ("x", "x") u_xx, ("t", "x") the mixed one."""


def canonical(partial: Iterable[str]) -> Partial:
    """The one spelling of a partial derivative: its axes, sorted. ("x", "t") becomes ("t", "x")."""
    if isinstance(partial, str):
        raise BadInput(f"a partial derivative is a tuple of axis names: write ('{partial}',), not '{partial}'.")
    names = tuple(partial)
    for name in names:
        if not isinstance(name, str):
            raise BadInput(f"an axis is a name, such as 'x', but {name!r} was given.")
    return tuple(sorted(names))


def distinct(axes: Iterable[str] | str, f: Callable) -> tuple[str, ...]:
    """The axes in the order given; refused where there is none, one is repeated or unknown to `f`."""
    names = (axes,) if isinstance(axes, str) else tuple(axes)
    if not names:
        raise BadInput(f"no axes were given; the axes of {title(f)} are: {listing(coordinates(f) or ())}.")
    if len(set(names)) < len(names):
        raise BadInput(f"the axes {listing(names)} name one axis twice; name each axis once.")
    check_axes(names, f)
    return names


def check_axes(names: Iterable[str], f: Callable) -> None:
    """Refuse a name that is no argument of `f`, naming those that are and the nearest."""
    known = coordinates(f)
    for name in names:
        if known is not None and name not in known:
            guess = nearest(str(name), known) or "."
            raise BadInput(f"{title(f)} has no axis '{name}'{guess} Its axes: {listing(known)}.")


def coordinates(f: Callable) -> tuple[str, ...] | None:
    """The names that `f` takes; None where it takes any name (`**point`)."""
    parameters = signature(f).parameters.values()
    for each in parameters:
        if each.kind in (each.POSITIONAL_ONLY, each.VAR_POSITIONAL):
            raise BadInput(
                f"{title(f)} takes '{each.name}' by position, but coordinates go by name;"
                " wrap it as `lambda x, t: ...`."
            )
    if any(each.kind is each.VAR_KEYWORD for each in parameters):
        return None
    return tuple(each.name for each in parameters)


def signature(f: Callable) -> inspect.Signature:
    """The signature of `f`; refused where there is none to read."""
    if not callable(f):
        raise BadInput(f"a function of named coordinates is needed, but {type(f).__name__} {f!r} was given.")
    try:
        return inspect.signature(f)
    except (TypeError, ValueError):
        raise BadInput(f"the signature of {title(f)} cannot be read; wrap it as `lambda x, t: ...`.") from None


def title(f: Callable) -> str:
    """What to call a function in a message."""
    name = getattr(f, "__name__", type(f).__name__)
    return "the function" if name == "<lambda>" else f"'{name}'"


def like(f: Callable, g: Callable, operator: str) -> Callable:
    """`g`, with the arguments of `f` as its signature, so that operators apply to what operators return."""
    theirs = signature(f)
    named = [
        each.replace(kind=each.KEYWORD_ONLY) if each.kind is each.POSITIONAL_OR_KEYWORD else each
        for each in theirs.parameters.values()
    ]
    unknown = inspect.Signature.empty
    g.__signature__ = theirs.replace(parameters=named, return_annotation=unknown)  # type: ignore[attr-defined]
    g.__name__ = g.__qualname__ = operator
    return g


def completed(f: Callable, point: Mapping[str, Any], axes: Iterable[str]) -> dict[str, Any]:
    """The point, with f's defaults filled in on `axes`; refused where a name is missing or unknown."""
    check_axes(point, f)
    parameters = signature(f).parameters
    defaults = {name: each.default for name, each in parameters.items() if each.default is not each.empty}
    needed = [name for name, each in parameters.items() if each.kind is not each.VAR_KEYWORD]
    missing = [name for name in dict.fromkeys((*needed, *axes)) if name not in {*point, *defaults}]
    if missing:
        raise BadInput(f"{title(f)} also needs {listing(missing)}; what came is: {listing(point)}.")
    return {**{name: defaults[name] for name in axes if name in defaults}, **point}


def coordinate(name: str, value: Any) -> Array:
    """A coordinate's value as a floating scalar; refused where it is an array of points."""
    array = floating(value)
    if array.ndim:
        raise BadInput(
            f"coordinate '{name}' has the shape {array.shape}, but a field function takes one point;"
            " map it over points with jax.vmap."
        )
    return array


def floating(value: Any) -> Array:
    """An array of floats, whatever numbers come in; a Python number keeps no precision of its own."""
    array = jnp.asarray(float(value) if isinstance(value, int) else value)
    return array if jnp.issubdtype(array.dtype, jnp.inexact) else array.astype(float)
