"""Where, how strongly and with which constants the laws are asked to hold at present."""

from __future__ import annotations

import equinox as eqx
import numpy as np
from jaxtyping import Float

Points = dict[str, Float[np.ndarray, " n"]]


class Ground(eqx.Module):
    """What may change between the steps of a fit while the numbers to be found stay as they are.

    places     collocation points by axis.
    emphasis   factor of the laws' rows at each of them, with mean square 1.
    lesson     how far a continuation has come, and the step of the fit at which it began.
    draws      how often the points were drawn, and the step at which they were last.
    unseen     root mean square of the laws' residual where the fit had not looked, when the points were last drawn.
    """

    places: Points
    emphasis: Float[np.ndarray, " n"]
    lesson: int = 0
    began: int = 0
    draws: int = 0
    drawn: int = 0
    unseen: float = np.inf

    def arrays(self) -> dict[str, np.ndarray]:
        """As a checkpoint holds it."""
        numbers = np.array([self.lesson, self.began, self.draws, self.drawn, self.unseen], dtype=float)
        places = {f"place {axis}": values for axis, values in self.places.items()}
        return {**places, "emphasis": self.emphasis, "ground": numbers}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Ground | None:
        """The inverse of `arrays`; None where there was none."""
        if "ground" not in arrays:
            return None
        lesson, began, draws, drawn, unseen = arrays["ground"].tolist()
        prefix = "place "
        places = {key.removeprefix(prefix): values for key, values in arrays.items() if key.startswith(prefix)}
        return cls(places, arrays["emphasis"], int(lesson), int(began), int(draws), int(drawn), unseen)


def even(places: Points) -> Ground:
    """Every point counts alike."""
    return Ground(places, np.ones(len(next(iter(places.values())))))
