"""What long work says meanwhile."""

from __future__ import annotations

import sys
import time


class Progress:
    """A bar with time left on a terminal, plain lines elsewhere where asked for, silence otherwise.

    `show` None: a bar where standard error is a terminal. True: lines where it is none. False: silence.
    """

    def __init__(self, what: str, total: int, show: bool | None):
        self.what, self.total, self.begin, self.last = what, total, time.monotonic(), time.monotonic()
        terminal = sys.stderr.isatty()
        self.lines = show is True and not terminal
        self.bar = self.started() if terminal and show is not False else None

    def started(self):
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("left"),
            TimeRemainingColumn(), console=Console(stderr=True), transient=True,
        )  # fmt: skip
        bar.start()
        self.task = bar.add_task(self.what, total=self.total)
        return bar

    def at(self, done: int, note: str = "") -> None:
        now = time.monotonic()
        if self.bar is not None:
            self.bar.update(self.task, completed=done, description=f"{self.what} {note}")
        elif self.lines and now - self.last > 5.0:
            self.last = now
            sys.stderr.write(f"{self.what}: {done} of {self.total}, {done / (now - self.begin):.1f}/s {note}\n")
            sys.stderr.flush()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.stop()
