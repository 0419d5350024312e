"""What a run lets others see while it works: one small JSON file, rewritten beside and renamed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.estimates import Estimate, plain
from .._core.files import write_json
from .._core.record import Status
from ..problem import Model, Problem
from ._estimates import estimates
from ._evaluate import evaluate_batch, model_at
from ._fit import FitState, Step, uncertain
from ._record import history
from ._scaling import Sizes
from ._task import Task, WeightedSystem
from ._uncertainty import Uncertainty
from ._unknown_field import FieldEstimate

if TYPE_CHECKING:
    from ._solution import Solution

LIVE = "live.json"
SHARE = 0.05  # of the time that the run has taken: the most that all looks beyond the history may take
MOST_STEPS = 400  # of the history
MOST_LAWS = 6
LINE, SIDE = 401, 64  # places of a residual's line, and along each side of its map: as many as reports and audits take


class Live:
    """Writes `live.json` into the folder of a run, for `lawful view`: the history so far, estimates with error bars,
    maps of the laws' residual.

    folder    where; None to write nothing.
    method    what the run is called.
    seconds   between two writings.
    patience  seconds of a run before the first look beyond its history.

    Looking never changes what is computed, and whatever costs something (error bars from the Jacobian at hand, maps)
    is left out until all of it together has taken less than a twentieth of the run.
    """

    def __init__(self, folder: Path | None, method: str, seconds: float = 1.0, patience: float = 20.0):
        self.folder, self.method, self.seconds, self.patience = folder, method, seconds, patience
        self.begin, self.last, self.spent = time.monotonic(), -np.inf, 0.0
        self.bars: tuple[int, Uncertainty] | None = None
        self.maps: list[dict] = []
        self.seen: dict = {"history": {}, "estimates": {}}
        self.write({"state": "preparing", "reason": "the problem is being prepared and compiled"})

    def follow(self, system: WeightedSystem, state: FitState, known: Sequence[Array], limit: int) -> None:
        """One step of the fit was taken; `known` is what the optimiser knows there, `limit` the most steps of the
        stage."""
        now = time.monotonic()
        if self.folder is None or now - self.last < self.seconds:
            return
        self.last = now
        if now - self.begin > self.patience and self.spent <= SHARE * (now - self.begin):
            self.look(system, state, known)
            self.spent += time.monotonic() - now
        bars = None if self.bars is None else self.bars[1]
        self.seen = {
            "history": columns(thinned(state.history)),
            "estimates": told(system.task, state, bars),
            "bars_of_stage": None if self.bars is None else self.bars[0],
            "residuals": self.maps,
            "stage": state.stage,
            "step": state.history[-1].step,
            "limit": int(limit),
        }
        self.write({"state": "running"})

    def judged(self, stage: int, found: Uncertainty) -> None:
        """The error bars at the end of a stage."""
        self.bars = stage, found

    def look(self, system: WeightedSystem, state: FitState, known: Sequence[Array]) -> None:
        """What costs something: error bars here, and where the laws are unmet."""
        task = system.task
        if len(known) > 1:
            residual, jacobian = (np.asarray(array) for array in known)
            if np.all(np.isfinite(residual)) and np.all(np.isfinite(jacobian)):
                self.bars = state.stage, uncertain(system, state.x, residual, jacobian)
        self.maps = residual_maps(task.problem, model_at(task, jnp.asarray(state.x)), task.sizes)

    def stop(self, why: str) -> None:
        """The run ended before its end."""
        self.write({"state": "stopped", "reason": why})

    def end(self, solution: Solution) -> None:
        """The run is done."""
        if self.folder is None:
            return
        self.seen = {
            "history": columns(thinned(solution.history)),
            "estimates": {
                name: found.to_json() for name, found in solution.estimates.items() if isinstance(found, Estimate)
            },
            "residuals": residual_maps(solution.problem, solution.model, solution.sizes),
        }
        self.write({"state": "finished", **verdict(solution.status)})

    def write(self, how: Mapping) -> None:
        if self.folder is None:
            return
        record = {"format": 1, "method": self.method, "seconds": time.monotonic() - self.begin, **how, **self.seen}
        try:
            write_json(self.folder / LIVE, record)
        except OSError:
            # A full disk is for the checkpoint to report, without which a run cannot go on; without this file it can.
            self.folder = None


def verdict(status: Status) -> dict:
    return {"converged": status.converged, "reason": status.reason}


def told(task: Task, state: FitState, found: Uncertainty | None) -> dict[str, dict]:
    """Every unknown that is a number or an array of numbers: value, and sd as far as it is known."""
    if found is not None:
        freedom = task.noise.freedom(found.leverage[task.data_rows])
        return {
            name: value.to_json()
            for name, value in estimates(task, state.x, found, freedom).items()
            if not isinstance(value, FieldEstimate)
        }
    raw, problem = task.layout.raw(jnp.asarray(state.x)), task.problem
    return {
        name: {"value": plain(problem.unknowns[name].value(raw[name]))}
        for name in task.layout.names
        if problem.unknowns[name].over is None
    }


def thinned(steps: Sequence[Step]) -> list[Step]:
    """At most some hundreds of the steps, evenly, the last of them always."""
    stride = -(-len(steps) // MOST_STEPS)
    return list(steps[::-1][:: max(stride, 1)][::-1])


def columns(steps: Sequence[Step]) -> dict[str, list]:
    """The history as columns; null for what is not finite, or what a stage lacks."""
    return {name: [plain(value) for value in column] for name, column in history(steps).items()}


def residual_maps(problem: Problem, model: Model, sizes: Sizes) -> list[dict]:
    """The residual of each of the first laws, in units of the typical size of its terms, on a line or a square of
    places (through the middle of the further axes); null outside a shape and where it is not finite."""
    domain = problem.domain
    side = LINE if len(domain.axes) == 1 else SIDE
    grid = {axis: np.linspace(*domain.ends(axis), side) for axis in domain.axes[:2]}
    places = dict(zip(grid, (p.ravel() for p in np.meshgrid(*grid.values(), indexing="ij")), strict=True))
    count = side ** len(grid)
    places |= {axis: np.full(count, np.mean(domain.ends(axis))) for axis in domain.axes[2:]}
    inside = np.asarray(domain.contains(places))
    if not inside.any():
        return []
    first = int(np.argmax(inside))  # fills the places outside: one shape of arrays is compiled, whatever the domain
    points = {axis: np.where(inside, values, values[first]) for axis, values in places.items()}
    lines = {axis: rounded(line, 6) for axis, line in grid.items()}
    found = []
    for name, law in list(problem.laws.items())[:MOST_LAWS]:
        values = np.asarray(evaluate_batch(model, law, points)) / float(sizes.laws[name])
        shown = np.where(inside, values, np.nan).reshape([side] * len(grid))
        found.append({"law": name, "grid": lines, "values": rounded(shown, 3)})
    return found


def rounded(values: Float[np.ndarray, "..."], digits: int) -> list | float | None:
    """An array as JSON holds it, to so many digits; null for what is not finite."""
    if values.ndim:
        return [rounded(part, digits) for part in values]
    return float(f"{float(values):.{digits}g}") if np.isfinite(values) else None
