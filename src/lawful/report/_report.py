"""One call from a solution to its page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from .._core.record import Account, Record
from ._html import write_html


class Recorded(Protocol):
    """Anything that can tell what it found, such as a solution."""

    def record(self) -> Record | Account: ...


def report(solution: Recorded, path: str | os.PathLike) -> Path:
    """Write a solution as one self-contained HTML page: estimates, verdict, fits, residual maps, history.

    solution   what `lf.solve` returned.
    path       of the page, such as "run/report.html"; its folder is made where it is missing.
    Returns the path.
    """
    return write_html(solution.record(), Path(path))
