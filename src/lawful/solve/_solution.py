"""What came out: callable fields, unknowns with error bars, a verdict, and how it was reached."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from .._core.estimates import Estimate, plain
from .._core.files import write_arrays, write_json
from .._core.messages import BadInput, listing, nearest
from .._core.precision import in_float64
from .._core.record import Status
from ..problem import Model, Problem
from ._audit import Audit
from ._correlation import ResidualCorrelation, residual_correlation
from ._evaluate import evaluate_batch
from ._fit import Fitted, Step, history_rows
from ._scaling import Sizes
from ._task import Task
from ._unknown_field import FieldEstimate


@dataclass(frozen=True)
class CrossCheck:
    """The other method's opinion of the same laws with the unknowns that were found.

    `difference` is the largest difference of each field between the two, relative to the field's size; `method` says
    who re-solved. Differences far above the accuracy asked for mean that one of the two is wrong.
    """

    method: str
    difference: dict[str, float]
    status: Status

    def __str__(self) -> str:
        found = listing(f"{name} by {value:.1e}" for name, value in self.difference.items())
        return f"re-solved by {self.method} ({self.status}): fields differ at most in {found} of their size"


@dataclass(frozen=True)
class Solution:
    """The answer to a problem.

    solution["k"]            an `Estimate`, value ± sd; a `FieldEstimate` for an unknown field.
    solution.u(x=.., t=..)   a field, a derived quantity or a derivative, at arrays of coordinates.
    solution.status          converged or not, with the reason.
    solution.check()         the other method's opinion.
    solution.to_xarray(), .plot(), .save(folder), .residual_map(law)
    """

    problem: Problem
    method: Any
    model: Model
    status: Status
    estimates: dict[str, Estimate | FieldEstimate]
    noise: dict[str, float]
    chi2: float
    dof: float
    correlation: tuple[tuple[str, ...], Float[np.ndarray, "n n"]]
    undetermined: tuple[str, ...]
    history: tuple[Step, ...]
    log_likelihood: float
    accuracy: float | None
    """Of the fields, relative to their size, against a run on a finer mesh; None where the method has no mesh."""
    audits: tuple[Audit, ...]
    """For each law its residual at points that no fit has seen; empty on one axis."""
    seconds: float
    sizes: Sizes
    task: Task = field(repr=False)
    fitted: Fitted = field(repr=False)
    refinements: int = 0
    digest: str = field(repr=False, default="")
    crosscheck: CrossCheck | None = None

    @property
    def p_value(self) -> float:
        """The probability of a worse fit if the laws are right and the given noise is; NaN where noise was
        estimated."""
        if self.noise or self.dof <= 0:
            return float("nan")
        from scipy import special

        return float(special.chdtrc(self.dof, self.chi2))

    def residual_correlation(self) -> dict[str, ResidualCorrelation]:
        """For each measured column, how neighbouring residuals lean; on problems with one axis, empty beyond."""
        if len(self.problem.domain.axes) != 1:
            return {}
        [axis] = self.problem.domain.axes
        found, start = {}, self.task.data_rows.start
        for item in self.task.observed:
            rows = slice(start, start + len(item.values))
            found[item.label] = residual_correlation(item.points[axis], self.fitted.residual[rows])
            start = rows.stop
        return found

    @property
    def bic(self) -> float:
        """The Bayesian information criterion, -2 log L + k log n, with k unknowns and noise levels and n measurements.

        Lower is better; the evidence ratio of two models of the same data is about exp(-difference / 2).
        Source: Schwarz, Annals of Statistics 6, 461 (1978).
        """
        count = sum(len(item.values) for item in self.task.observed)
        return -2 * self.log_likelihood + (count - self.dof + len(self.noise)) * float(np.log(max(count, 1)))

    def __getitem__(self, name: str) -> Any:
        """What was found for an unknown: an `Estimate`, or a `FieldEstimate` for an unknown field."""
        if name not in self.estimates:
            raise BadInput(
                f"'{name}' is not an unknown of this problem{nearest(name, self.estimates)} Unknowns:"
                f" {listing(self.estimates)}."
            )
        return self.estimates[name]

    def __getattr__(self, name: str) -> Callable[..., Float[np.ndarray, "..."]]:
        problem = self.__dict__.get("problem")
        if problem is None or name.startswith("__"):
            raise AttributeError(name)
        try:
            problem.vocabulary.resolve(name, "the solution")
        except BadInput as error:
            raise AttributeError(str(error)) from None
        return lambda **points: self.evaluate(name, **points)

    @in_float64
    def evaluate(self, what: str | Callable, **points: Float[np.ndarray, "..."] | float) -> Float[np.ndarray, "..."]:
        """A named quantity, or any function of named quantities, at places given by coordinate; arrays broadcast.

        `evaluate("u_x", x=0.5, t=t)`, `evaluate(lambda u, u_x: u * u_x, x=x, t=1.0)`.
        Raises `BadInput` for a missing or unknown coordinate.
        """
        axes = self.problem.domain.axes
        if set(points) != set(axes):
            raise BadInput(
                f"a place needs the coordinates {listing(axes)}, but got {listing(points) if points else 'none'}."
            )
        places = np.broadcast_arrays(*[np.asarray(points[axis], dtype=float) for axis in axes])
        flat = {axis: place.ravel() for axis, place in zip(axes, places, strict=True)}
        inside = self.problem.domain.contains(flat)
        if not np.all(inside):
            raise BadInput(
                f"the fields are known inside the domain only; {int(np.sum(~inside))} of {inside.size} places"
                " lie outside."
            )
        return np.asarray(evaluate_batch(self.model, what, flat)).reshape(places[0].shape)

    @in_float64
    def residual_map(
        self, law: str, counts: Mapping[str, int] | None = None
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """A law's residual, in units of the typical size of its terms, on a regular grid that the fit has not seen.

        Returns (lines by axis, values on their grid), NaN outside a shape.
        """
        if law not in self.problem.laws:
            raise BadInput(
                f"there is no law '{law}'{nearest(law, self.problem.laws)} Laws: {listing(self.problem.laws)}."
            )
        lines = self.lines(counts)
        return lines, self.on_grid(self.problem.laws[law], lines) / float(self.sizes.laws[law])

    @in_float64
    def on_grid(self, what: str | Callable, lines: Mapping[str, np.ndarray]) -> Float[np.ndarray, "..."]:
        """A named quantity, or a function of named quantities, on the grid of some lines; NaN outside a shape."""
        places = mesh(lines)
        flat = {axis: places[axis].ravel() for axis in self.problem.domain.axes}
        inside = self.problem.domain.contains(flat)
        values = np.full(inside.shape, np.nan)
        if inside.any():
            there = {axis: column[inside] for axis, column in flat.items()}
            values[inside] = np.asarray(evaluate_batch(self.model, what, there))
        return values.reshape(next(iter(places.values())).shape)

    def lines(self, counts: Mapping[str, int] | None = None) -> dict[str, np.ndarray]:
        """Regular coordinates on each axis; by default 401 on one axis, 101 on each of two, 21 beyond."""
        box = self.problem.domain
        usual = {1: 401, 2: 101}.get(len(box.axes), 21)
        return {axis: np.linspace(*box.ends(axis), (counts or {}).get(axis, usual)) for axis in box.axes}

    def to_xarray(self, counts: Mapping[str, int] | None = None):
        """Every field and derived quantity on a regular grid (NaN outside a shape), as an `xarray.Dataset`; estimates
        are its attributes."""
        import xarray as xr

        lines = self.lines(counts)
        names = (*self.problem.fields, *self.problem.derived)
        variables = {name: (tuple(lines), self.on_grid(name, lines)) for name in names}
        return xr.Dataset(variables, coords=lines, attrs={name: str(found) for name, found in self.estimates.items()})

    def check(self) -> Solution:
        """Re-solve with the other method on the found unknowns; the same solution with `crosscheck` filled in."""
        from ._crosscheck import crosscheck

        return replace(self, crosscheck=crosscheck(self))

    def plot(self):
        """Data and fit where there is one axis, the first field as a map where there are two: (fig, ax)."""
        from ..report import field_figure, fit_figure
        from ._record import field_panels, fit_panels

        fits = fit_panels(self) if len(self.problem.domain.axes) == 1 else ()
        return fit_figure(fits[0]) if fits else field_figure(field_panels(self)[0])

    def record(self, title: str = "lawful solution"):
        """What the report is made from: arrays, names and sentences."""
        from ._record import record

        return record(self, title)

    def summary(self) -> str:
        """The verdict and the estimates as text."""
        from ..report import summary

        return summary(self.record())

    def save(self, folder: str | os.PathLike) -> Path:
        """Write `solution.json` (for people and programs) and `solution.npz` (for `lf.load`) into a folder."""
        path = Path(folder)
        write_json(path / "solution.json", self.to_json())
        fitted = self.fitted
        arrays = {
            "x": fitted.x,
            "levels": fitted.levels,
            "residual": fitted.residual,
            "covariance": fitted.uncertain.covariance,
            "loose": fitted.uncertain.loose,
            "leverage": fitted.uncertain.leverage,
        }
        meta = {
            "fingerprint": self.digest,
            "weight": plain(fitted.weight),
            "converged": fitted.converged,
            "reason": fitted.reason,
            "history": history_rows(fitted.history),
            "accuracy": None if self.accuracy is None else plain(self.accuracy),
            "refinements": self.refinements,
            "seconds": self.seconds,
        }
        write_arrays(path / "solution.npz", arrays, meta)
        return path

    def to_json(self) -> dict:
        """Numbers as numbers, estimates as {"value": v, "sd": s}."""
        return {
            **{name: found.to_json() for name, found in self.estimates.items()},
            "status": str(self.status),
            "converged": self.status.converged,
            **({"residuals": {audit.law: audit.to_json() for audit in self.audits}} if self.audits else {}),
            "noise": {label: plain(level) for label, level in self.noise.items()},
            "seconds": self.seconds,
        }


def mesh(lines: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return dict(zip(lines, np.meshgrid(*lines.values(), indexing="ij"), strict=True))
