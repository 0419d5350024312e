"""Layers of isotropic solids, in which compression and shear travel at speeds of their own."""

from __future__ import annotations

import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from .._core.messages import BadInput, listing
from ._stack import is_traced, loss_column, positive_column, reference_frequency, stiffening


class Strata(eqx.Module):
    """Isotropic layers on a half-space, or between two faces; the first lies on top.

    thickness      of each layer, m.
    vp, vs         speeds of compression and shear, m/s.
    density        kg/m3.
    loss_p, loss_s   loss factors 1/Q of the two, as in `Stack`; 0 by default.
    reference      Hz, at which the speeds hold; needed only where there is loss.

    One more speed and density than thicknesses: the last are those of the half-space below. As many: the last layer
    has a lower face.

    Raises `BadInput` for what is not positive and finite, for lengths that do not fit, and where vs is above
    sqrt(3)/2 vp: no stable solid has that.
    """

    thickness: Float[Array | np.ndarray, " layers"]
    vp: Float[Array | np.ndarray, " media"]
    vs: Float[Array | np.ndarray, " media"]
    density: Float[Array | np.ndarray, " media"]
    loss_p: Float[Array | np.ndarray, " media"]
    loss_s: Float[Array | np.ndarray, " media"]
    reference: float | Float[Array, ""]

    def __init__(self, thickness, vp, vs, density, loss_p=0.0, loss_s=0.0, reference: float | None = None):
        self.thickness = positive_column("thickness", thickness)
        columns = {name: positive_column(name, v) for name, v in (("vp", vp), ("vs", vs), ("density", density))}
        counts = {name: len(column) for name, column in columns.items()}
        layers = len(self.thickness)
        if len(set(counts.values())) > 1 or counts["vp"] not in (layers, layers + 1):
            came = listing(f"{n} of {name}" for name, n in counts.items())
            raise BadInput(
                f"{layers} layers need {layers + 1} of vp, vs and density each (the last for the half-space below), or"
                f" {layers} where the last has a lower face; got {came}."
            )
        self.vp, self.vs, self.density = columns.values()
        self.loss_p, self.loss_s = loss_column(loss_p, counts["vp"]), loss_column(loss_s, counts["vp"])
        self.reference = reference_frequency(reference, (self.loss_p, self.loss_s))
        if not is_traced(self.vp, self.vs):
            fast = np.asarray(self.vs) > math.sqrt(0.75) * np.asarray(self.vp)
            if np.any(fast):
                place = int(np.argmax(fast))
                raise BadInput(
                    f"vs of layer {place + 1} is {self.vs[place]:g} m/s and vp {self.vp[place]:g} m/s; a stable solid"
                    " has vs below 0.866 vp."
                )

    def __len__(self) -> int:
        return self.thickness.shape[0]

    @property
    def has_half_space(self) -> bool:
        return self.vp.shape[0] > len(self)

    @property
    def shear_modulus(self) -> Float[Array, " media"]:
        return jnp.asarray(self.density) * jnp.asarray(self.vs) ** 2

    @property
    def travel_time(self) -> Float[Array, " layers"]:
        """Of compression, straight through each layer, s."""
        return jnp.asarray(self.thickness) / jnp.asarray(self.vp)[: len(self)]

    def quantities(self) -> dict[str, Float[Array, "..."]]:
        """What users know layers by, the half-space left out of what it has no thickness for."""
        return {
            "thickness": jnp.asarray(self.thickness),
            "vp": jnp.asarray(self.vp),
            "vs": jnp.asarray(self.vs),
            "density": jnp.asarray(self.density),
        }

    def moduli(
        self, s: Complex[Array, " freqs"]
    ) -> tuple[Complex[Array, "media freqs"], Complex[Array, "media freqs"]]:
        """Lambda + 2 mu and mu at complex frequencies, losses included."""
        density = jnp.asarray(self.density)[:, None]
        faster_p = stiffening(jnp.asarray(self.loss_p)[:, None], s, self.reference)
        faster_s = stiffening(jnp.asarray(self.loss_s)[:, None], s, self.reference)
        return (
            density * (jnp.asarray(self.vp)[:, None] * faster_p) ** 2,
            density * (jnp.asarray(self.vs)[:, None] * faster_s) ** 2,
        )
