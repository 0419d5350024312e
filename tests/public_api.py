"""The public names of lawful with their signatures, a line each.

    python tests/public_api.py        # writes tests/public_api.txt anew; `make api` does it

Public is what a room's `__all__` names, and what the front page takes from there; of classes also the methods and
properties without an underscore. Annotations stand as they are written, defaults as they are shown.
"""

from __future__ import annotations

import enum
import importlib
import inspect
import re
import types
import typing
from collections.abc import Iterator
from pathlib import Path

LISTING = Path(__file__).resolve().parent / "public_api.txt"
PACKAGE = Path(__file__).resolve().parent.parent / "src" / "lawful"


def rooms() -> list[str]:
    """Every room that has a front of its own, but the studies, which are run by name."""
    found = sorted(front.parent.name for front in PACKAGE.glob("*/__init__.py"))
    return [name for name in found if not name.startswith("_") and name != "studies"]


def lines() -> list[str]:
    """The whole listing."""
    homes = {name: importlib.import_module(f"lawful.{name}") for name in rooms()}
    front = importlib.import_module("lawful")
    return [
        *(line for name in sorted(front.__all__) for line in on_the_front(front, name, homes)),
        *(
            line
            for room, module in homes.items()
            for name in sorted(module.__all__)
            for line in told(f"lawful.{room}.{name}", getattr(module, name))
        ),
    ]


def on_the_front(front: types.ModuleType, name: str, homes: dict[str, types.ModuleType]) -> Iterator[str]:
    """A name of the front page: where it comes from, or what it is where no room has it."""
    thing = getattr(front, name)
    home = next((room for room, module in homes.items() if getattr(module, name, None) is thing), None)
    if home is None:
        yield from told(f"lawful.{name}", thing)
    else:
        yield f"lawful.{name} = lawful.{home}.{name}"


def told(name: str, thing: object) -> Iterator[str]:
    """A name with its signature; below a class its methods and properties."""
    if isinstance(thing, enum.EnumType):
        yield f"{name}: {', '.join(thing.__members__)}"
    elif inspect.isclass(thing):
        yield f"{name}{signature(thing)}"
        for own in sorted(vars_of(thing)):
            yield from member(f"    {name.rpartition('.')[2]}.{own}", inspect.getattr_static(thing, own))
    elif callable(thing):
        yield f"{name}{signature(thing)}"
    else:
        yield f"{name}: {type(thing).__name__}"


def vars_of(kind: type) -> set[str]:
    """Public methods and properties that a class has from lawful, not from what it is built on."""
    return {
        name
        for each in kind.__mro__
        if each.__module__.split(".")[0] == "lawful"
        for name, value in vars(each).items()
        if not name.startswith("_") and (callable(value) or isinstance(value, property | classmethod | staticmethod))
    }


def member(name: str, thing: object) -> Iterator[str]:
    if isinstance(thing, property):
        yield name
    else:
        inner = getattr(thing, "__func__", thing)
        yield f"{name}{signature(inner)}"


def signature(thing: object) -> str:
    """Arguments, defaults and annotations on one line; without addresses, which differ from run to run."""
    try:
        found = inspect.signature(thing)
    except (TypeError, ValueError):
        return "(...)"
    parameters = [
        each.replace(default=shown(each.default), annotation=written(each.annotation))
        for each in found.parameters.values()
    ]
    whole = found.replace(parameters=parameters, return_annotation=written(found.return_annotation))
    text = " ".join(str(whole).split())
    return re.sub(r" at 0x[0-9a-f]+", "", text)


class Written(str):
    """Text that shows itself without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def shown(default: object) -> object:
    """A default by its name where it is a function or class."""
    if default is inspect.Parameter.empty or not callable(default) or not hasattr(default, "__name__"):
        return default
    return Written(default.__name__)


def written(annotation: object) -> object:
    """An annotation as it stands in the source."""
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    return Written(annotation) if isinstance(annotation, str) else annotation


def text() -> str:
    return "\n".join(lines()) + "\n"


if __name__ == "__main__":
    LISTING.write_text(text(), encoding="utf-8")
