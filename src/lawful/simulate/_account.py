"""What a run tells its reader: sentences, tables and the picture of the motion."""

from __future__ import annotations

import numpy as np

from .._core.messages import listing
from .._core.record import Account, Drawing, Section, Table
from ._base import Happening
from ._run import Run

SHOWN = 20  # happenings in a table


def account(run: Run, title: str) -> Account:
    """The page of a run."""
    motion = Drawing("motion", "Each entry of the state against time; lines mark what happened.", run.plot)
    sections = [Section("Motion", (counted(run),), (), (motion,))]
    if run.happenings:
        more = len(run.happenings) - SHOWN
        rest = (f"The first {SHOWN} of {SHOWN + more}.",) if more > 0 else ()
        sections.append(Section("What happened", rest, (happenings(run.happenings[:SHOWN]),)))
    if run.drift:
        rows = tuple((name, f"{d.first:.9g}", f"{d.change:.2g}", f"{d.relative:.2g}") for name, d in run.drift.items())
        sections.append(
            Section("Invariants", (), (Table(("invariant", "at the start", "largest change", "relative"), rows),))
        )
    return Account(run.status, run.seconds, tuple(sections), run.method, title)


def sentences(run: Run) -> list[str]:
    """The invariants and the first happenings, a line each."""
    lines = [f"{name}: changed by {d.change:.2g}, {d.relative:.2g} of its size" for name, d in run.drift.items()]
    lines += [f"t = {h.time:.9g}: {h.kind} {labelled(h)}".rstrip() for h in run.happenings[:SHOWN]]
    more = len(run.happenings) - SHOWN
    return [*lines, f"... and {more} more happenings"] if more > 0 else lines


def counted(run: Run) -> str:
    h = run.steps.h
    lengths = f", {np.min(h):.3g} to {np.max(h):.3g} long" if len(h) else ""
    return f"{run.steps.count} steps from t = {run.t[0]:g} to {run.t[-1]:g}{lengths}."


def happenings(some: tuple[Happening, ...]) -> Table:
    rows = tuple(
        (f"{h.time:.12g}", h.kind, labelled(h), f"{h.upper - h.lower:.1g}" if h.certain else "no proof") for h in some
    )
    return Table(("time", "kind", "where", "width of the proven bracket"), rows)


def labelled(happening: Happening) -> str:
    return listing([f"{happening.name} {happening.which}"]) if happening.name else ""
