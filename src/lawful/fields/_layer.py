"""A place where fields change steeply, seen through a coordinate that spreads it."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput, shown


class Layer(eqx.Module):
    """A shock or boundary layer: about `axis` = `at` fields change within `width`: `Layer("x", at=0.0, width=0.01)`.

    Trial fields see the coordinate arcsinh((x - at) / width), in which the layer is as wide as everything else:
    networks beside x itself, `Spectral` in its place (one layer an axis). A width wrong by a factor of three does no
    harm.
    Source: T. W. Tee and L. N. Trefethen, SIAM J. Sci. Comput. 28, 1798 (2006), for the inverse map.
    """

    axis: str = eqx.field(static=True)
    at: float
    width: float

    def __init__(self, axis: str, *, at: float, width: float):
        if not np.isfinite(at):
            raise BadInput(f"Layer({axis}, at={shown(at)}): give a finite place.")
        if not (np.isfinite(width) and width > 0):
            raise BadInput(f"Layer({axis}, width={shown(width)}): give a positive width, such as width=0.01.")
        self.axis, self.at, self.width = axis, float(at), float(width)

    def coordinate(self, value: Float[Array, ""], ends: tuple[float, float]) -> Float[Array, ""]:
        """The spread coordinate, from -1 at the lower end to 1 at the upper."""
        low, high = (np.arcsinh((end - self.at) / self.width) for end in ends)
        return (2 * jnp.arcsinh((value - self.at) / self.width) - low - high) / (high - low)
