"""Plane waves at an angle as sources: pushed from the surface, arriving from below, or echoed."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput
from ._oblique import check_slowness, oblique, sideways
from ._strata import Strata
from ._waveforms import Source


class Slanted(Source):
    """A wave that runs along `Strata` with one horizontal slowness, s/m."""

    slowness: float | Float[Array, ""]

    def __init__(self, slowness: float):
        check_slowness(slowness)
        self.slowness = slowness

    def check(self, medium, known):
        checked_strata(type(self).__name__, medium)

    def crossing(self, medium):
        return vertical_time(medium, self.slowness)


class PlaneWave(Slanted):
    """A traction on the free surface of `Strata` that runs along it with a horizontal slowness.

    Motions are velocities of the surface, m/s per Pa: `zz` vertical for a vertical traction, `xz` radial for a vertical
    one, `zx`, `xx`, and `yy` across (SH).

    slowness   s/m; 0 pushes everywhere at once.
    """

    names: ClassVar[tuple[str, ...]] = ("xx", "xz", "zx", "zz", "yy")
    passages: ClassVar[int] = 2

    def spectra(self, medium, s, known):
        found = s * oblique(medium, self.slowness, s).surface
        across = s * sideways(medium, self.slowness, s).surface
        return {"xx": found[0, 0], "xz": found[0, 1], "zx": found[1, 0], "zz": found[1, 1], "yy": across}


class Incoming(Slanted):
    """A plane wave that comes up the half-space below `Strata`, as from a distant earthquake.

    Motions are those of the free surface for unit waves: `zp` and `xp` vertical and radial for a P wave, `zs` and `xs`
    for an SV wave, `ys` across for an SH wave; time runs from when the wave enters the lowest layer at x = 0.

    slowness   horizontal, s/m: sin(angle) / speed in the half-space.
    """

    names: ClassVar[tuple[str, ...]] = ("xp", "zp", "xs", "zs", "ys")
    passages: ClassVar[int] = 1

    def spectra(self, medium, s, known):
        found = oblique(medium, self.slowness, s).arrival
        across = sideways(medium, self.slowness, s).arrival
        return {"xp": found[0, 0], "zp": found[1, 0], "xs": found[0, 1], "zs": found[1, 1], "ys": across}

    def check(self, medium, known):
        super().check(medium, known)
        if not medium.has_half_space:
            raise BadInput("Incoming waves need a half-space to come from; give one more of vp, vs and density.")


class Echoes(Slanted):
    """A plane wave that goes down the first layer of `Strata`, whose top has no surface: reflection at an angle.

    Motions are displacements of what comes back up for unit waves down: `pp`, `sp` (SV for P), `ps`, `ss`, and `hh` for
    SH.

    slowness   horizontal, s/m: sin(angle) / speed in the first layer.
    """

    names: ClassVar[tuple[str, ...]] = ("pp", "sp", "ps", "ss", "hh")
    passages: ClassVar[int] = 2

    def spectra(self, medium, s, known):
        found = oblique(medium, self.slowness, s).reflection
        across = sideways(medium, self.slowness, s).reflection
        return {"pp": found[0, 0], "sp": found[1, 0], "ps": found[0, 1], "ss": found[1, 1], "hh": across}


def checked_strata(what: str, medium: Any) -> None:
    if not isinstance(medium, Strata):
        raise BadInput(f"{what} works on Strata, but the medium is {type(medium).__name__}; return media.Strata(...).")


def vertical_time(medium: Strata, slowness: float | Array) -> Float[np.ndarray, " layers"]:
    """How long P waves need through each layer, straight down where they are evanescent at this slowness."""
    slow = 1 / np.asarray(medium.vp)[: len(medium)] ** 2
    upright = np.where(slow > float(slowness) ** 2, slow - float(slowness) ** 2, slow)
    return np.asarray(jnp.asarray(medium.thickness)) * np.sqrt(upright)
