"""What a solution tells: arrays, names and sentences, without any solver. Reports and plots are made from this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from .estimates import Estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Status:
    """Whether the result is to be trusted, and the sentence that says why the work stopped.

    `word` is what a good result is called: "converged" for a fit, "certified" for a proof, "trusted" elsewhere.
    """

    converged: bool
    reason: str
    word: str = "converged"

    @property
    def verdict(self) -> str:
        return self.word if self.converged else f"not {self.word}"

    def __str__(self) -> str:
        return f"{self.verdict}: {self.reason}"


@dataclass(frozen=True)
class FitPanel:
    """One measured column beside its prediction, in the unit of the column; `sd` is the noise of each row."""

    label: str
    points: dict[str, Float[np.ndarray, " n"]]
    measured: Float[np.ndarray, " n"]
    predicted: Float[np.ndarray, " n"]
    sd: Float[np.ndarray, " n"]
    curve: tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]] | None
    """On one axis: places and predicted values between the measurements."""


@dataclass(frozen=True)
class FieldPanel:
    """A field on a regular grid: `values` has one axis for each entry of `grid`, NaN outside a shape; `sd` is a
    pointwise band or None. `one_scale`: the first two axes are lengths of a shape, drawn to the same scale."""

    name: str
    grid: dict[str, Float[np.ndarray, " n"]]
    values: Float[np.ndarray, "..."]
    sd: Float[np.ndarray, "..."] | None = None
    one_scale: bool = False


@dataclass(frozen=True)
class ResidualPanel:
    """A law's residual on an independent fine grid, relative to the typical size of the law's terms; NaN outside a
    shape. `one_scale`: the first two axes are lengths of a shape, drawn to the same scale."""

    law: str
    grid: dict[str, Float[np.ndarray, " n"]]
    values: Float[np.ndarray, "..."]
    one_scale: bool = False

    @property
    def rms(self) -> float:
        return float(np.sqrt(np.mean(self.seen**2)))

    @property
    def worst(self) -> float:
        return float(np.max(np.abs(self.seen)))

    @property
    def seen(self) -> Float[np.ndarray, " n"]:
        """The values inside; on a box all of them, whatever they are."""
        return self.values[~np.isnan(self.values)] if self.one_scale else self.values.ravel()

    @property
    def where(self) -> dict[str, float]:
        index = np.unravel_index(
            int((np.nanargmax if self.one_scale else np.argmax)(np.abs(self.values))), self.values.shape
        )
        return {axis: float(line[i]) for (axis, line), i in zip(self.grid.items(), index, strict=True)}


@dataclass(frozen=True)
class Table:
    """Rows of text under a head, as a reader should see them; numbers stand flush right."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def lines(self) -> list[str]:
        """Plain text for a terminal, the head first."""
        columns = zip(self.head, *self.rows, strict=True)
        widths = [max(map(len, column)) for column in columns]
        return [
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            for row in (self.head, *self.rows)
        ]


@dataclass(frozen=True)
class Drawing:
    """A figure that is drawn when the page is made: `draw()` returns (fig, ax). `caption` says what to see in it."""

    name: str
    caption: str
    draw: Callable[[], tuple[Figure, Any]]


@dataclass(frozen=True)
class Animation:
    """A finished picture that moves: the bytes of a GIF."""

    name: str
    caption: str
    gif: bytes


@dataclass(frozen=True)
class Section:
    """A titled part of a page: sentences first, then tables, then pictures."""

    title: str
    sentences: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[Drawing | Animation, ...] = ()


@dataclass(frozen=True)
class Account:
    """What was found where there is no single solution: a simulation, a comparison, a design.

    `method` says in a few words how; `status` whether to believe it.
    """

    status: Status
    seconds: float
    sections: tuple[Section, ...]
    method: str = ""
    title: str = "lawful account"

    def record(self, title: str) -> Account:
        """The same under another title."""
        return replace(self, title=title)


@dataclass(frozen=True)
class Record:
    """A solution as a reader sees it."""

    title: str
    method: str
    status: Status
    seconds: float
    estimates: dict[str, Estimate]
    correlation: tuple[tuple[str, ...], Float[np.ndarray, "n n"]]
    undetermined: tuple[str, ...]
    noise: dict[str, float]
    """Estimated levels only."""
    chi2: float
    dof: float
    exact: tuple[str, ...]
    penalised: tuple[str, ...]
    observed: tuple[str, ...]
    laws: tuple[str, ...]
    scaling: str
    fits: tuple[FitPanel, ...]
    fields: tuple[FieldPanel, ...]
    unknown_fields: tuple[FieldPanel, ...]
    residuals: tuple[ResidualPanel, ...]
    history: dict[str, list[float]]
    """Columns of equal length: "stage", "step", "weight", "loss", and one for each term of the loss and each unknown
    ("term: ...", "unknown: ...")."""
    versions: dict[str, str]
    notes: tuple[str, ...] = field(default_factory=tuple)
    """Sentences for the reader: the other method's opinion, a goodness of fit, a warning."""
    sections: tuple[Section, ...] = ()
    """What else there is to tell, shown after the notes."""
