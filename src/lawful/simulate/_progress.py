"""What a long run says while it works."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

Watcher = Callable[[float, int], None]
"""Called now and then with the time that the run has reached, and the steps it has taken."""


class Progress:
    """A bar on a terminal, plain lines elsewhere where asked for, silence otherwise.

    `show` None: a bar where standard error is a terminal. True: lines where it is none. A function of your own is
    called with the time reached and the number of steps.
    """

    def __init__(self, show: bool | Watcher | None, begin: float, until: float):
        self.begin, self.until, self.last = begin, until, time.monotonic()
        self.own = show if callable(show) else None
        terminal = sys.stderr.isatty()
        self.lines = show is True and not terminal
        self.bar = self.started() if terminal and show is not False and self.own is None else None

    def started(self):
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        bar = Progress(
            TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("left"),
            TimeRemainingColumn(), console=Console(stderr=True), transient=True,
        )  # fmt: skip
        bar.start()
        self.task = bar.add_task("simulating", total=1.0)
        return bar

    def __call__(self, t: float, steps: int) -> None:
        if self.own is not None:
            self.own(t, steps)
        elif self.bar is not None:
            share = (t - self.begin) / (self.until - self.begin)
            self.bar.update(self.task, description=f"t = {t:.6g}, {steps} steps", completed=share)
        elif self.lines and time.monotonic() - self.last > 5.0:
            self.last = time.monotonic()
            sys.stderr.write(f"t = {t:.6g} of {self.until:g}, {steps} steps\n")
            sys.stderr.flush()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.stop()
