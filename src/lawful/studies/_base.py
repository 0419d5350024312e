"""What every study is: a story with a question, run from the command line, the docs and the tests alike."""

from __future__ import annotations

import enum
import importlib
import math
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from .._core.messages import BadInput, listing, nearest
from .._core.record import Account, Record, Status
from ..solve import Solution


class Effort(enum.StrEnum):
    """How hard a study tries: `QUICK` for tests, `NORMAL` for readers, `BEST` for records."""

    QUICK = "quick"
    NORMAL = "normal"
    BEST = "best"


@dataclass(frozen=True)
class Request:
    """What a run of a study was asked for. `options` are the words behind --set name=value."""

    effort: Effort = Effort.NORMAL
    seed: int = 0
    options: Mapping[str, str] = field(default_factory=dict)
    progress: bool | None = None

    def pick(self, quick: Any, normal: Any, best: Any = None) -> Any:
        """A number for each effort; the best effort is the normal one where nothing better is given."""
        return {Effort.QUICK: quick, Effort.NORMAL: normal, Effort.BEST: normal if best is None else best}[self.effort]

    def number(self, name: str, default: float) -> float:
        """An option that is a positive number."""
        word = self.options.get(name, default)
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value > 0):
            raise BadInput(f"--set {name}={word}: '{name}' must be a number above 0, such as {name}={default:g}.")
        return value

    def count(self, name: str, default: int, least: int, most: int = 100_000) -> int:
        """An option that is a whole number between `least` and `most`."""
        value = self.number(name, default)
        if value != int(value) or not least <= value <= most:
            raise BadInput(
                f"--set {name}={self.options[name]}: '{name}' must be a whole number from {least} to {most}, such as"
                f" {name}={default}."
            )
        return int(value)

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """An option that is one of several words, the first where it is not given."""
        word = self.options.get(name, choices[0])
        if word not in choices:
            raise BadInput(f"--set {name}={word}: '{name}' must be {listing(choices)}.")
        return word


class Told(Protocol):
    """What a page can be made of: a `Solution`, or an `Account` of anything else."""

    @property
    def seconds(self) -> float: ...

    def record(self, title: str) -> Record | Account: ...


@dataclass(frozen=True)
class Outcome:
    """What a study found.

    numbers    what --json prints: numbers as numbers, estimates as {"value": v, "sd": s}.
    status     whether the study as a whole is to be trusted, and why.
    text       the answer for a reader at a terminal.
    main       what the report is about: a solution, or an `Account`.
    others     further ones by title, each reported on a page of its own.
    figures    figures by name, made when they are saved.
    files      further files by name, such as an animation, as bytes.
    """

    numbers: dict[str, Any]
    status: Status
    text: str
    main: Told
    others: Mapping[str, Told] = field(default_factory=dict)
    figures: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)


def study_names() -> list[str]:
    """Every public module of the studies is one."""
    modules = pkgutil.iter_modules([str(Path(__file__).parent)])
    return sorted(m.name.replace("_", "-") for m in modules if not m.name.startswith("_"))


def study(name: str):
    """The module of a study. Raises `BadInput` for a name that there is not."""
    if name not in study_names():
        raise BadInput(f"there is no study '{name}'{nearest(name, study_names())} See `lawful list`.")
    return importlib.import_module(f"{__package__}.{name.replace('-', '_')}")


def check_options(study: str, options: Mapping[str, str], known: Mapping[str, str]) -> None:
    """Refuse a --set name that the study does not have."""
    for name in options:
        if name not in known:
            raise BadInput(f"study '{study}' has no option '{name}'{nearest(name, known)} Options: {listing(known)}.")


def all_trusted(*solutions: Solution) -> Status:
    """The first status that is not converged, or the first of all."""
    return next((s.status for s in solutions if not s.status.converged), solutions[0].status)
