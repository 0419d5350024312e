"""From an easier problem to the one that is meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import equinox as eqx
import numpy as np

from .._core.messages import BadInput, listing, nearest, shown
from .._core.numbers import real_array


class Continuation(eqx.Module):
    """Constants that start elsewhere and come to their value in a few lessons: `Continuation(nu=(0.05, 0.02, 0.01))`.

    Each lesson starts from the field that the last one found; after the values that are given here comes the value that
    the problem states. Viscosity from large to small lets a shock grow where it belongs, instead of being looked for.

    steps    the most steps of a lesson.
    enough   a lesson ends where the laws' residual, relative to their terms, is below this.
    """

    values: tuple[tuple[str, tuple[float, ...]], ...] = eqx.field(static=True)
    steps: int = 40
    enough: float = 1e-3

    def __init__(self, *, steps: int = 40, enough: float = 1e-3, **constants: Sequence[float]):
        if not constants:
            raise BadInput("Continuation() names no constant; write lf.Continuation(nu=(0.05, 0.02)).")
        lengths = {}
        for name, values in constants.items():
            try:
                array = np.ravel(real_array(values))
            except TypeError as error:
                raise BadInput(f"Continuation({name}={shown(values)}): {error}; give numbers.") from None
            if not array.size or not np.all(np.isfinite(array)):
                raise BadInput(f"Continuation({name}={shown(values)}): give at least one number, all finite.")
            lengths[name] = tuple(array.tolist())
        if len({len(values) for values in lengths.values()}) > 1:
            raise BadInput(f"Continuation: {listing(lengths)} must have the same number of values.")
        self.values, self.steps, self.enough = tuple(lengths.items()), steps, enough

    @property
    def lessons(self) -> int:
        """How many lessons come before the problem itself."""
        return len(self.values[0][1])

    def check(self, constants: Mapping[str, object]) -> None:
        """Refuse a name that is no constant of the problem."""
        for name, _ in self.values:
            if name not in constants:
                raise BadInput(
                    f"Continuation names '{name}', which is no constant of the problem{nearest(name, constants)}"
                    f" Constants: {listing(constants) or 'none'}."
                )

    def at(self, lesson: int) -> dict[str, np.ndarray]:
        """The constants of a lesson; nothing once the problem itself is reached."""
        if lesson >= self.lessons:
            return {}
        return {name: np.asarray(values[lesson]) for name, values in self.values}
