"""What a long run says while it works."""

from __future__ import annotations

from collections.abc import Callable

from .._core.progress import Meter

Watcher = Callable[[float, int], None]
"""Called now and then with the time that the run has reached, and the steps it has taken."""


class Progress:
    """The time that a run has reached, see `Meter`; `show` may also be a function of it and the number of steps."""

    def __init__(self, show: bool | Watcher | None, begin: float, until: float):
        self.begin, self.until = begin, until
        self.own = show if callable(show) else None
        self.meter = Meter("simulating", 1.0, False if callable(show) else show, counted=False)

    def __call__(self, t: float, steps: int) -> None:
        if self.own is not None:
            self.own(t, steps)
            return
        share = (t - self.begin) / (self.until - self.begin) if self.until > self.begin else 1.0
        self.meter.at(share, f"t = {t:.6g}, {steps} steps", f"t = {t:.6g} of {self.until:g}, {steps} steps")

    def close(self) -> None:
        self.meter.close()
