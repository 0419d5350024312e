"""What a film does where it is pulled: three models, each as one signed unknown in every cell.

Cavitation is a complementarity: in every cell either the pressure is above that of cavitation, or the film is broken.
One number w says both, w > 0 for the pressure and w < 0 for how far the film is broken, so that the complementarity
holds by construction and Newton's method on w is the primal-dual active-set method.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float


class Split(NamedTuple):
    """What a cell's unknown stands for; all have its shape.

    pressure  over that of cavitation, in units of the film's pressure scale.
    fraction  theta, the part of the gap that is no fluid.
    source    fluid that comes from nowhere, in units of the film's scale; not zero where a model does not keep mass.
    full      1 where the film is whole, else 0.
    """

    pressure: Float[Array, "..."]
    fraction: Float[Array, "..."]
    source: Float[Array, "..."]
    full: Float[Array, "..."]


def whole(w: Float[Array, "..."]) -> Float[Array, "..."]:
    return jnp.where(w > 0, 1.0, 0.0)


class JFO(eqx.Module):
    """Jakobsson, Floberg and Olsson: the film ruptures and reforms, and no fluid is lost.

        p >= p_cav,  theta >= 0,  (p - p_cav) theta = 0,  transport by (1 - theta) h

    pressure  of cavitation, Pa, on the scale of the film's ambient pressure.

    Source: H. G. Elrod, J. Lubr. Technol. 103, 350 (1981); R. F. Ausas et al., J. Tribol. 129, 866 (2007).
    """

    pressure: Float[Array, ""]

    def __init__(self, pressure: Any = 0.0):
        self.pressure = jnp.asarray(pressure, float)

    def split(self, w: Float[Array, "..."]) -> Split:
        return Split(jnp.where(w > 0, w, 0.0), jnp.where(w > 0, 0.0, -w), jnp.zeros_like(w), whole(w))


class SwiftStieber(eqx.Module):
    """Swift and Stieber (also named after Reynolds): p >= p_cav, and dp/dx = 0 where the film ruptures.

    Where the film is broken mass is not kept, so that it reforms in the wrong place: for textures use `JFO`. Most
    tables of journal bearings are made with this one.

    pressure  of cavitation, Pa, on the scale of the film's ambient pressure.
    """

    pressure: Float[Array, ""]

    def __init__(self, pressure: Any = 0.0):
        self.pressure = jnp.asarray(pressure, float)

    def split(self, w: Float[Array, "..."]) -> Split:
        none = jnp.zeros_like(w)
        return Split(jnp.where(w > 0, w, 0.0), none, jnp.where(w > 0, 0.0, -w), whole(w))


class NoCavitation(eqx.Module):
    """A film that stands any pull, as Sommerfeld assumed: pressures may fall without limit.

    pressure  that the fluid's properties are counted from, Pa.
    """

    pressure: Float[Array, ""]

    def __init__(self, pressure: Any = 0.0):
        self.pressure = jnp.asarray(pressure, float)

    def split(self, w: Float[Array, "..."]) -> Split:
        none = jnp.zeros_like(w)
        return Split(w, none, none, jnp.ones_like(w))


Cavitation = JFO | SwiftStieber | NoCavitation
