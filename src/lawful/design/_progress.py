"""What long work says meanwhile."""

from __future__ import annotations

import time

from .._core.progress import Meter


class Progress:
    """How many of a number of equal pieces are done, see `Meter`."""

    def __init__(self, what: str, total: int, show: bool | None):
        self.what, self.total, self.begin = what, total, time.monotonic()
        self.meter = Meter(what, total, show, counted=True)

    def at(self, done: int, note: str = "") -> None:
        rate = done / max(time.monotonic() - self.begin, 1e-9)
        self.meter.at(done, f"{self.what} {note}", f"{self.what}: {done} of {self.total}, {rate:.1f}/s {note}")

    def close(self) -> None:
        self.meter.close()
