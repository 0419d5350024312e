"""What a long fit says while it works."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Moment:
    """One step of a fit, for whoever watches it. `limit` is the most steps that this stage may take."""

    stage: int
    step: int
    limit: int
    loss: float
    unknowns: dict[str, float]

    @property
    def note(self) -> str:
        return ", ".join(f"{name} = {value:.5g}" for name, value in list(self.unknowns.items())[:4])


class Watcher(Protocol):
    """Anything that can be shown the moments of a fit."""

    def __call__(self, moment: Moment) -> None: ...

    def close(self) -> None: ...


class Silent:
    """Says nothing."""

    def __call__(self, moment: Moment) -> None:
        pass

    def close(self) -> None:
        pass


class Lines:
    """Plain lines on standard error, at most one every few seconds: for logs and pipes."""

    def __init__(self, seconds: float = 5.0):
        self.seconds, self.begin, self.last, self.count = seconds, time.monotonic(), time.monotonic(), 0

    def __call__(self, moment: Moment) -> None:
        self.count += 1
        now = time.monotonic()
        if now - self.last >= self.seconds:
            rate = self.count / (now - self.begin)
            line = f"stage {moment.stage} step {moment.step} loss {moment.loss:.6g} {moment.note} ({rate:.1f} steps/s)"
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
            self.last = now

    def close(self) -> None:
        pass


class Bar:
    """A progress bar with rate and time left, on a terminal."""

    def __init__(self):
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            ProgressColumn,
            Task,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.text import Text

        class RateColumn(ProgressColumn):
            def render(self, task: Task) -> Text:
                return Text(f"{task.speed or 0:.1f}/s")

        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("step {task.completed:.0f}"),
            RateColumn(),
            TimeElapsedColumn(),
            TextColumn("at most"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self.bar.start()
        self.task = self.bar.add_task("starting", total=None)

    def __call__(self, moment: Moment) -> None:
        text = f"stage {moment.stage}  loss {moment.loss:.5g}  {moment.note}"
        self.bar.update(self.task, description=text, completed=moment.step, total=moment.limit)

    def close(self) -> None:
        self.bar.stop()


def watcher(show: bool | Watcher | None) -> Watcher:
    """`None`: a bar where standard error is a terminal, silence elsewhere. True: lines where it is not."""
    if callable(show):
        return show
    if show is False or (show is None and not sys.stderr.isatty()):
        return Silent()
    return Bar() if sys.stderr.isatty() else Lines()
