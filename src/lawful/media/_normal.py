"""Waves at normal incidence: exact, by a recursion over reflections that cannot overflow."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex

from ._ends import End, FreeEnd
from ._stack import Stack


class Response(NamedTuple):
    """What a stack does at the frequencies s, for a unit traction that presses on the face of the first layer.

    near, far     velocity of the first face and of the last, m/s for each Pa.
    reflection    displacement of the wave that leaves the first face, over that of one that arrives there, in a medium
                  of the impedance of the first layer.
    """

    s: Complex[Array, " freqs"]
    near: Complex[Array, " freqs"]
    far: Complex[Array, " freqs"]
    reflection: Complex[Array, " freqs"]


def respond(stack: Stack, s: Complex[Array, " freqs"], left: End | None = None, right: End | None = None) -> Response:
    """The response of a stack between two ends, at complex frequencies.

    With r_i the reflection between layers i and i + 1 and R_i that of all below, seen from the top of layer i,

        R_i = e_i (r_i + R_i+1) / (1 + r_i R_i+1) e_i,       e_i = exp(-s tau_i)

    and the wave that goes down is multiplied by e_i (1 + r_i) / (1 + r_i R_i+1) from the top of one layer to the next.
    Nothing in it grows with frequency, thickness or loss, so it neither overflows nor loses digits; the work is linear
    in layers and frequencies.

    stack         the layers; thickness, modulus, density and loss may be traced and differentiated.
    s             sigma + 2 pi i f with sigma >= 0, 1/s. At resonances of a lossless stack sigma = 0 divides by zero;
                  `Clock` chooses one that makes time records exact.
    left, right   what the stack ends on; free ends by default. The traction also moves what is on the left.

    Source: B. L. N. Kennett, Seismic Wave Propagation in Stratified Media (1983), chapter 6, for the recursion.
    """
    left, right = FreeEnd() if left is None else left, FreeEnd() if right is None else right
    change = stack.dispersion(s)
    impedance = stack.impedance[:, None] * change
    crossing = jnp.exp(-s * stack.travel_time[:, None] / change)
    bottom, mirror = right.reflection(impedance[-1], s), left.reflection(impedance[0], s)
    reflection, passed = chain(impedance, crossing, bottom)
    down = (1 + mirror) / (
        2 * impedance[0] * (1 - mirror * reflection)
    )  # the first wave downwards, for a unit traction
    return Response(s, down * (1 + reflection), down * passed, reflection)


def chain(
    impedance: Complex[Array, "layers freqs"],
    crossing: Complex[Array, "layers freqs"],
    bottom: Complex[Array, " freqs"],
) -> tuple[Complex[Array, " freqs"], Complex[Array, " freqs"]]:
    """Reflection at the top of a chain of layers, and displacement of its last face, for a unit wave downwards there.

    impedance   of each layer.
    crossing    exp(-s tau) of each.
    bottom      reflection at the last face.
    """
    contrast = (impedance[:-1] - impedance[1:]) / (impedance[:-1] + impedance[1:])

    def up(below, layer):
        """From the top of the layer below to the top of this one."""
        reflection, passed = below
        r, e = layer
        echo = 1 / (1 + r * reflection)
        return (e * e * (r + reflection) * echo, passed * e * (1 + r) * echo), None

    e = crossing[-1]
    found, _ = jax.lax.scan(up, (e * e * bottom, e * (1 + bottom)), (contrast, crossing[:-1]), reverse=True)
    return found
