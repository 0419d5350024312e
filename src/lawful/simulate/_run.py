"""What a simulation hands back: the motion at any time, what happened on the way, and how far it is proven."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, PyTree

from .._core.messages import BadInput, listing, shown
from .._core.record import Account, Status
from ._base import Happening, Steps
from ._motion import State

NEGLIGIBLE = 1e-100  # a remainder below it is that of a polynomial motion: none


@dataclass(frozen=True)
class Drift:
    """How an invariant of the motion moved: its value at the start, and the largest change at the ends of steps.

    `relative` is the change over the largest value; at impacts that take energy it is no invariant.
    """

    first: float
    change: float
    relative: float
    values: Float[np.ndarray, " n"]


@dataclass(frozen=True)
class Run:
    """A motion, and what is known about it.

    run(t)            the state at one time or many, by the polynomial of the step: dense output, as exact as the steps.
    run.t, run.y      the ends of the steps and the states there; run.final the last state.
    run.happenings    impacts, rests, releases and events, each with a bracket of its time.
    run.status        "certified" where every step is proven, "estimated" where some are not, "not certified" where the
                      run stopped short; with the reason.
    run.steps         the steps with their bounds; run.drift the invariants.
    run.plot(), run.record()   a picture, and what reports are made from.
    """

    steps: Steps
    status: Status
    method: str
    seconds: float
    drift: dict[str, Drift]
    structure: Any
    second_order: bool

    @property
    def t(self) -> Float[np.ndarray, " n+1"]:
        """Where steps begin, and the end of the last."""
        return np.append(self.steps.begin, self.steps.final_t)

    @property
    def y(self) -> PyTree:
        """The states at `t`, along a first axis; after the impact where a step ends at one."""
        leaves = [
            np.concatenate([unit[:, 0], last[None]])
            for unit, last in zip(self.steps.unit, self.steps.final_y, strict=True)
        ]
        return self._state(leaves)

    @property
    def final(self) -> PyTree:
        """The state at the end."""
        return self._state(list(self.steps.final_y))

    @property
    def happenings(self) -> tuple[Happening, ...]:
        return self.steps.happenings

    @property
    def certified(self) -> bool:
        """Whether every step is proven and the run arrived."""
        return self.status.converged and self.status.word == "certified"

    def __call__(self, t: float | Float[np.ndarray, "..."]) -> PyTree:
        """The state at times within the run, their axes first; at an impact the state after it.

        Raises `BadInput` for times outside.
        """
        times = np.asarray(t, dtype=float)
        begin, end = self.t[0], self.steps.final_t
        slack = 1e-12 * (abs(begin) + abs(end))
        if not np.all((times >= begin - slack) & (times <= end + slack)):
            raise BadInput(
                f"the motion is known from t = {begin:g} to {end:g}, but it was asked for at {shown(t)};"
                " simulate further, with until=..."
            )
        if not self.steps.count:
            return self._state([np.broadcast_to(y, (*times.shape, *y.shape)) for y in self.steps.final_y])
        which = np.clip(np.searchsorted(self.steps.begin, times, side="right") - 1, 0, None)
        place = (times - self.steps.begin[which]) / self.steps.h[which]
        return self._state([horner(unit[which], place) for unit in self.steps.unit])

    def plot(self):
        """The state against time, with the happenings marked: (fig, axes)."""
        from ._picture import motion_figure

        return motion_figure(self)

    def record(self, title: str = "lawful simulation") -> Account:
        """What a report is made from."""
        from ._account import account

        return account(self, title)

    def summary(self) -> str:
        """The verdict, the happenings and the invariants as text."""
        from ._account import sentences

        return "\n".join([str(self.status), *sentences(self)])

    def _state(self, leaves: list[np.ndarray]) -> PyTree:
        state = jax.tree.unflatten(self.structure, leaves)
        return State(*state) if self.second_order else state


def horner(unit: Float[np.ndarray, "*times n1 *shape"], place: Float[np.ndarray, "*times"]) -> Float[np.ndarray, "..."]:
    """Polynomials along the axis after those of the times."""
    axis = np.ndim(place)
    rows = np.moveaxis(unit, axis, 0)
    s = np.reshape(place, (*np.shape(place), *[1] * (rows.ndim - 1 - axis)))
    value = rows[-1]
    for row in rows[-2::-1]:
        value = value * s + row
    return value


def status_of(steps: Steps) -> Status:
    """The verdict on a run."""
    if steps.stopped:
        return Status(False, steps.stopped, "certified")
    bare = int(np.sum(~steps.proven))
    kinds = [h.kind for h in steps.happenings]
    met = listing(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    events = f"; happenings: {met}" if kinds else ""
    if bare or not steps.count:
        first = f", the first at t = {steps.begin[np.argmin(steps.proven)]:.6g}" if bare else ""
        why = f" ({steps.doubt})" if steps.doubt else ""
        return Status(True, f"{bare} of {steps.count} steps have no proof{first}{why}{events}", "estimated")
    worst, rounding = (float(np.max(bound, initial=0.0)) for bound in (steps.remainder, steps.rounding))
    truncation = f"at most {worst:.2g}" if worst > NEGLIGIBLE else "nothing"
    return Status(
        True,
        f"each of {steps.count} steps is proven to stray from the exact motion by {truncation}, and by at most"
        f" {rounding:.2g} through rounding{events}",
        "certified",
    )


def drifts(run: Run, invariants: Mapping[str, Callable], names: Callable) -> dict[str, Drift]:
    """Each invariant at the ends of steps; `names(t, state)` gives what its function may ask for."""
    found = {}
    times, states = run.t, jax.tree.leaves(run.y)
    for name, function in invariants.items():
        values = np.asarray(names(function, times, states), dtype=float)
        change = float(np.max(np.abs(values - values[0])))
        size = float(np.max(np.abs(values)))
        found[name] = Drift(float(values[0]), change, change / size if size else change, values)
    return found
