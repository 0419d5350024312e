"""A stack of homogeneous layers, and what a wave at normal incidence feels of it."""

from __future__ import annotations

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Complex, Float
from numpy.typing import ArrayLike

from .._core.messages import BadInput, listing, shown
from .._core.numbers import real_array

QUANTITIES = {
    "thickness": ("m", "0.02"),
    "modulus": ("Pa", "70e9"),
    "density": ("kg/m3", "2700.0"),
    "vp": ("m/s", "5000.0"),
    "vs": ("m/s", "3000.0"),
}
"""The positive properties of a layer: unit, and an example for messages."""


class Stack(eqx.Module):
    """Layers that one kind of wave crosses, the first that it meets first.

        rho u_tt = (M u_x)_x,   M = modulus (s / 2 pi reference)^(2 gamma),   tan(pi gamma) = loss

    thickness   of each layer, m.
    modulus     that of the wave: Young's in a thin rod, lambda + 2 mu for compression, mu for shear, Pa.
    density     kg/m3.
    loss        loss factor 1/Q, the tangent of the phase between stress and strain, the same at all frequencies; one
                number or one for each layer. A constant loss factor makes a causal wave disperse: stiffness grows
                slowly with frequency, and `modulus` is its size at `reference`.
    reference   Hz; needed only where there is loss. A good choice is the middle of the measured band.

    Raises `BadInput` for what is not positive and finite, a negative loss, lengths that differ.
    Source of the law of loss: E. Kjartansson, J. Geophys. Res. 84, 4737 (1979).
    """

    thickness: Float[Array | np.ndarray, " layers"]
    modulus: Float[Array | np.ndarray, " layers"]
    density: Float[Array | np.ndarray, " layers"]
    loss: Float[Array | np.ndarray, " layers"]
    reference: float | Float[Array | np.ndarray, ""]

    def __init__(self, thickness, modulus, density, loss: ArrayLike = 0.0, reference: float | None = None):
        given = {"thickness": thickness, "modulus": modulus, "density": density}
        columns = {name: positive_column(name, values) for name, values in given.items()}
        counts = {name: len(column) for name, column in columns.items()}
        if len(set(counts.values())) > 1:
            raise BadInput(
                f"the layers differ in number ({listing(f'{name} has {n}' for name, n in counts.items())}); give one"
                " number per layer."
            )
        self.thickness, self.modulus, self.density = columns.values()
        self.loss = loss_column(loss, counts["thickness"])
        self.reference = reference_frequency(reference, (self.loss,))

    def __len__(self) -> int:
        return self.thickness.shape[0]

    @property
    def speed(self) -> Float[Array, " layers"]:
        """sqrt(modulus / density), m/s, at the reference frequency."""
        return jnp.sqrt(self.modulus / self.density)

    @property
    def impedance(self) -> Float[Array, " layers"]:
        """sqrt(modulus density), Pa s/m: what the strength of echoes depends on."""
        return jnp.sqrt(self.modulus * self.density)

    @property
    def travel_time(self) -> Float[Array, " layers"]:
        """Thickness / speed, s: when echoes come."""
        return jnp.asarray(self.thickness) / self.speed

    def quantities(self) -> dict[str, Float[Array, " layers"]]:
        """What users know layers by, and what a wave at normal incidence feels of them."""
        return {
            "thickness": jnp.asarray(self.thickness),
            "modulus": jnp.asarray(self.modulus),
            "density": jnp.asarray(self.density),
            "loss": jnp.asarray(self.loss),
            "impedance": self.impedance,
            "travel_time": self.travel_time,
        }

    def dispersion(self, s: Complex[Array, " freqs"]) -> Complex[Array, "layers freqs"]:
        """sqrt(M / modulus), by which losses change impedance, and divide travel time: 1 without them."""
        return stiffening(self.loss[:, None], s, self.reference)


def stiffening(loss: Array | np.ndarray | float, s: Complex[Array, " freqs"], reference) -> Complex[Array, "..."]:
    """(s / 2 pi reference)^gamma with tan(pi gamma) = loss."""
    return jnp.exp(jnp.arctan(loss) / math.pi * jnp.log(s / (2 * math.pi * reference)))


def is_traced(*values: object) -> bool:
    """Whether a value is known only when compiled code runs, so that nothing can be said about it now."""
    return any(isinstance(leaf, Tracer) for value in values for leaf in jax.tree.leaves(value))


def positive_column(name: str, values) -> Float[Array | np.ndarray, " layers"]:
    """A property of every layer; what can be looked at must be positive and finite."""
    if is_traced(values):
        return jnp.atleast_1d(jnp.asarray(values))
    unit, example = QUANTITIES[name]
    try:
        column = np.atleast_1d(real_array(values))
    except TypeError as error:
        raise BadInput(f"the {name} is {shown(values)}, {error}; give numbers in {unit}, such as {example}.") from None
    if column.ndim != 1 or not column.size:
        raise BadInput(f"the {name} has shape {column.shape}; give one number per layer, in {unit}.")
    for place, value in enumerate(column):
        if not (math.isfinite(value) and value > 0):
            raise BadInput(
                f"the {name} of layer {place + 1} is {value:g} {unit}; it must be positive and finite, such as"
                f" {name}={example}."
            )
    return column


def loss_column(loss, count: int) -> Float[Array | np.ndarray, " layers"]:
    if is_traced(loss):
        return jnp.broadcast_to(jnp.asarray(loss), (count,))
    try:
        column = real_array(loss)
    except TypeError as error:
        raise BadInput(f"the loss factor is {shown(loss)}, {error}; give numbers such as loss=0.01.") from None
    if column.shape not in ((), (1,), (count,)):
        raise BadInput(f"the loss factor has shape {column.shape}; give one number, or {count}, one per layer.")
    column = np.broadcast_to(column, (count,)).copy()
    for place, value in enumerate(column):
        if not (math.isfinite(value) and value >= 0):
            raise BadInput(
                f"the loss factor of layer {place + 1} is {value:g}; it must be zero or positive, such as loss=0.01."
            )
    return column


def reference_frequency(reference, losses) -> float | Array:
    if is_traced(reference):
        return reference
    if reference is None:
        if not is_traced(losses) and not any(np.any(np.asarray(loss) > 0) for loss in losses):
            return 1.0
        raise BadInput(
            "layers with loss need the frequency at which the moduli hold; give reference= in Hz, such as the middle"
            " of the measured band."
        )
    if not (math.isfinite(reference) and reference > 0):
        raise BadInput(f"the reference frequency is {shown(reference)}; it must be positive and finite, in Hz.")
    return float(reference)
