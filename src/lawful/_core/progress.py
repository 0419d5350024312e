"""A bar with time left on a terminal, plain lines elsewhere where asked for, silence otherwise."""

from __future__ import annotations

import sys
import time

SECONDS = 5.0  # between two lines


class Meter:
    """How far long work has come, on standard error.

    what     the work, at first.
    total    what there is to do.
    show     None: a bar where standard error is a terminal. True: lines where it is none. False: silence.
    counted  whether the bar says how many of how many are done, or else the time so far.
    """

    def __init__(self, what: str, total: float, show: bool | None, *, counted: bool):
        self.total, self.begin, self.last = total, time.monotonic(), time.monotonic()
        terminal = sys.stderr.isatty()
        self.lines = show is True and not terminal
        self.bar = self.started(what, counted) if terminal and show is not False else None

    def started(self, what: str, counted: bool):
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn() if counted else TimeElapsedColumn(),
            TextColumn("left"), TimeRemainingColumn(), console=Console(stderr=True), transient=True,
        )  # fmt: skip
        bar.start()
        self.task = bar.add_task(what, total=self.total)
        return bar

    def at(self, done: float, label: str, line: str) -> None:
        """So much is done: the label of the bar, or a line if the last one was long ago."""
        if self.bar is not None:
            self.bar.update(self.task, description=label, completed=done)
        elif self.lines and time.monotonic() - self.last > SECONDS:
            self.last = time.monotonic()
            sys.stderr.write(line + "\n")
            sys.stderr.flush()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.stop()


class Progress:
    """How many of a number of equal pieces are done, see `Meter`; `done` of them before this run."""

    def __init__(self, what: str, total: int, show: bool | None, done: int = 0):
        self.what, self.total, self.before, self.begin = what, total, done, time.monotonic()
        self.meter = Meter(what, total, show, counted=True)

    def at(self, done: int, note: str = "") -> None:
        rate = (done - self.before) / max(time.monotonic() - self.begin, 1e-9)
        self.meter.at(done, f"{self.what} {note}", f"{self.what}: {done} of {self.total}, {rate:.1f}/s {note}")

    def close(self) -> None:
        self.meter.close()
