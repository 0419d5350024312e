"""A blow on one end of a stack, or a wave that arrives there, at normal incidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from .._core.messages import BadInput
from ._ends import End, FreeEnd
from ._named import checked_names, given
from ._normal import respond
from ._stack import Stack
from ._waveforms import Source


class Tap(Source):
    """A traction that presses on the first face of a `Stack`; motions `near` and `far`, velocities of both faces, and
    `reflection`, the wave that comes back up the first layer for one that goes down it.

    left, right   what the stack ends on: `FreeEnd()` (the default), `FixedEnd()`, `MassEnd(...)`, `HalfSpace(...)`, or
                  a function of unknowns that returns one: lambda mass: MassEnd(mass).

    Velocities are per Pa of traction; displacement and acceleration are `near / s` and `s * near` in `observe`.
    """

    names: ClassVar[tuple[str, ...]] = ("near", "far", "reflection")
    passages: ClassVar[int] = 1

    left: End | Callable
    right: End | Callable

    def __init__(self, left: End | Callable | None = None, right: End | Callable | None = None):
        self.left = FreeEnd() if left is None else left
        self.right = FreeEnd() if right is None else right

    def spectra(self, medium, s, known):
        left, right = given(self.left, known, "the left end"), given(self.right, known, "the right end")
        found = respond(medium, s, left, right)
        return {"near": found.near, "far": found.far, "reflection": found.reflection}

    def check(self, medium, known):
        if not isinstance(medium, Stack):
            raise BadInput(f"Tap works on a Stack, but the medium is {type(medium).__name__}; return media.Stack(...).")
        for where, end in (("left", self.left), ("right", self.right)):
            found = end
            if not isinstance(end, End):
                checked_names(end, known, f"the {where} end")
                found = given(end, known, f"the {where} end")
            if not isinstance(found, End):
                raise BadInput(
                    f"the {where} end must be FreeEnd(), HalfSpace(...) or the like, not {type(found).__name__}."
                )

    def crossing(self, medium):
        return np.asarray(medium.travel_time)
