"""The contract between a method and the verbs: what it is given, what it hands back."""

from __future__ import annotations

import abc
from dataclasses import dataclass, field

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float, PyTree

from ._given import Given
from ._progress import Watcher


@dataclass(frozen=True)
class Happening:
    """Something that a run came upon.

    `time` is the best value; where `certain`, it is proven, of the motion that starts where the step does, that it did
    not happen before `lower`, and that it has happened at `upper`; what earlier steps erred comes on top. `kind` is
    "impact", "rest", "release", "stick", "slip", "passed", "reset", "end" or "graze";
    a graze is a contact so slight that it cannot be told from a miss, and there no derivative exists. `which` counts
    the gaps of one contact, or the events of one name. `step` is the step that it ends.
    """

    time: float
    lower: float
    upper: float
    kind: str
    name: str
    which: int
    certain: bool
    step: int


@dataclass(frozen=True)
class Steps:
    """What a method hands back: polynomials in (time - begin) / h, one a step, and what is known about them.

    `remainder` and `rounding` bound the distance to the exact motion from the step's start, for each leaf of the state
    the largest entry; NaN where a method has no bound.
    """

    begin: Float[np.ndarray, " n"]
    h: Float[np.ndarray, " n"]
    unit: list[Float[np.ndarray, "n order1 ..."]]
    final_t: float
    final_y: list[np.ndarray]
    remainder: Float[np.ndarray, "n leaves"]
    rounding: Float[np.ndarray, "n leaves"]
    proven: np.ndarray
    happenings: tuple[Happening, ...] = ()
    stopped: str = ""
    """Why the run did not arrive; empty where it did."""
    doubt: str = ""
    """Why steps have no proof, as far as it is known."""
    work: dict[str, float] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return len(self.begin)


class Method(eqx.Module):
    """How time is advanced."""

    @property
    @abc.abstractmethod
    def words(self) -> str:
        """The method in a few words, for records."""

    @abc.abstractmethod
    def check(self, given: Given, start: PyTree) -> None:
        """Refuse what the method cannot do. Raises `BadInput`."""

    @abc.abstractmethod
    def run(self, given: Given, start: PyTree, t: float, until: float, watch: Watcher) -> Steps:
        """Advance from `t` to `until`, in as many steps as it takes."""

    @abc.abstractmethod
    def states(self, given: Given, start: PyTree, t, times: Float[Array, " n"], most: int) -> PyTree:
        """The states at rising times as a differentiable function, NaN where `most` steps do not suffice."""
