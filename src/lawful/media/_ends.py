"""What a stack ends on: nothing, a wall, a mass, or more material without end."""

from __future__ import annotations

import abc
import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from .._core.messages import BadInput, shown
from ._stack import is_traced, reference_frequency, stiffening


class End(eqx.Module):
    """The contract: what holds between displacement u and traction t on the end, a u + b t / s = 0, with t the force
    that the outside would need to exert for u; of a wave that arrives, (b Z - a) / (b Z + a) comes back."""

    @abc.abstractmethod
    def relation(self, s: Complex[Array, " freqs"]) -> tuple[Complex[Array, " freqs"], Complex[Array, " freqs"]]:
        """A and b: (0, 1) for a free end, (1, 0) for a fixed one, (impedance, 1) otherwise."""

    def reflection(self, impedance: Complex[Array, " freqs"], s: Complex[Array, " freqs"]) -> Complex[Array, " freqs"]:
        """The displacement of the wave that returns into a layer of this impedance, over that of the arriving one."""
        a, b = self.relation(s)
        return (b * impedance - a) / (b * impedance + a)

    @abc.abstractmethod
    def __str__(self) -> str: ...


class FreeEnd(End):
    """Nothing holds the end: no traction, twice the displacement."""

    def relation(self, s):
        return jnp.zeros_like(s), jnp.ones_like(s)

    def __str__(self) -> str:
        return "a free end"


class FixedEnd(End):
    """A wall that does not give: no motion; the displacement of a wave comes back with its sign turned."""

    def relation(self, s):
        return jnp.ones_like(s), jnp.zeros_like(s)

    def __str__(self) -> str:
        return "a fixed end"


class MassEnd(End):
    """A rigid mass, such as a sensor: its impedance is s times `mass`, kg for each m2 of the cross-section."""

    mass: float | Float[Array, ""]

    def __init__(self, mass):
        self.mass = positive_number("mass at an end", mass, "kg/m2")

    def relation(self, s):
        return s * self.mass, jnp.ones_like(s)

    def __str__(self) -> str:
        return f"a mass of {self.mass:.6g} kg/m2"


class HalfSpace(End):
    """Material that goes on without end, so that what enters it never returns; `modulus`, `density`, `loss` and
    `reference` as those of a `Stack`."""

    modulus: float | Float[Array, ""]
    density: float | Float[Array, ""]
    loss: float | Float[Array, ""]
    reference: float | Float[Array, ""]

    def __init__(self, modulus, density, loss=0.0, reference: float | None = None):
        self.modulus = positive_number("modulus of a half-space", modulus, "Pa")
        self.density = positive_number("density of a half-space", density, "kg/m3")
        if not is_traced(loss) and not (np.ndim(loss) == 0 and math.isfinite(loss) and loss >= 0):
            raise BadInput(f"the loss factor of a half-space is {shown(loss)}; it must be zero or positive.")
        self.loss = loss
        self.reference = reference_frequency(reference, (loss,))

    def impedance(self, s: Complex[Array, " freqs"]) -> Complex[Array, " freqs"]:
        return jnp.sqrt(self.modulus * self.density) * stiffening(self.loss, s, self.reference)

    def relation(self, s):
        return self.impedance(s), jnp.ones_like(s)

    def __str__(self) -> str:
        return f"a half-space of impedance {np.sqrt(self.modulus * self.density):.4g} Pa s/m"


def positive_number(what: str, value, unit: str):
    if is_traced(value):
        return value
    if np.ndim(value) or (not isinstance(value, int | float | np.number | np.ndarray) and not hasattr(value, "dtype")):
        raise BadInput(f"the {what} is {shown(value)}; give one number in {unit}.")
    if not (math.isfinite(float(value)) and float(value) > 0):
        raise BadInput(f"the {what} is {float(value):g} {unit}; it must be positive and finite.")
    return float(value)
