"""A multilayer perceptron as trial field."""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, PyTree

from .._core.messages import BadInput, shown
from ..geometry import Box, sobol_points
from ._base import Place, Trial, checked_count


class Fourier(eqx.Module):
    """Fourier features: the network sees sin(w . xi) and cos(w . xi) beside the coordinates, w ~ N(0, scale^2).

    count   how many frequencies; 8 to 32.
    scale   their standard deviation in radians per half-length of the axis: about pi times the number of periods.
    Source: Tancik et al., Fourier features let networks learn high frequency functions, NeurIPS 2020.
    """

    count: int = 16
    scale: float = 10.0
    seed: int = eqx.field(static=True, default=0)

    def __check_init__(self):
        checked_count("Fourier", "count", self.count)
        if not 0 < self.scale < np.inf:
            raise BadInput(f"Fourier(scale={self.scale}): the scale must be positive and finite; 10 is a good start.")

    def frequencies(self, inputs: int) -> Float[np.ndarray, "count inputs"]:
        # Even quantiles of the normal distribution rather than draws: no gap in the band, whatever the seed.
        from scipy.special import ndtri

        unit = sobol_points(Box(**{f"w{i}": (0.0, 1.0) for i in range(inputs)}), self.count, self.seed)
        return self.scale * ndtri(np.clip(np.stack(list(unit.values()), axis=1), 1e-6, 1 - 1e-6))


class MLP(Trial):
    """tanh(W_n ... tanh(W_1 xi + b_1) ...), a linear layer last. A periodic axis enters as sines and cosines.

    width        neurons per layer. 16 to 24 carry a smooth field to 1e-6 and better with a Gauss-Newton fit.
    depth        hidden layers; 2 for one axis, 3 for sharp fields on two.
    activation   smooth, since laws take its derivatives.
    fourier      `Fourier(...)` where the field has many periods across an axis.
    harmonics    sines and cosines given to the network on each periodic axis.
    """

    @property
    def beside(self) -> bool:
        return True

    @property
    def nonlinear(self) -> bool:
        return True

    width: int = 16
    depth: int = 2
    activation: Callable = eqx.field(static=True, default=jnp.tanh)
    fourier: Fourier | None = None
    harmonics: int = 2

    def __check_init__(self):
        for name in ("width", "depth", "harmonics"):
            checked_count("MLP", name, getattr(self, name))
        if not callable(self.activation):
            given = shown(self.activation)
            raise BadInput(f"MLP(activation={given}): the activation must be a smooth function, such as jnp.tanh.")

    def init(self, key: Key, axes: tuple[str, ...], periodic: tuple[str, ...], outputs: int) -> PyTree:
        inputs = self.features(dict.fromkeys(axes, jnp.zeros(())), periodic).size
        sizes = [inputs, *[self.width] * self.depth, outputs]
        keys = jax.random.split(key, len(sizes))
        layers = [glorot(k, n, m) for k, n, m in zip(keys, sizes[:-1], sizes[1:], strict=False)]
        # Knees spread over the box: without it every neuron of the first layer bends at the centre.
        weight, _ = layers[0]
        weight = weight * max(1.0, 2.0 / np.sqrt(inputs))
        knees = jax.random.uniform(keys[-1], (self.width, inputs), minval=-1.0, maxval=1.0)
        layers[0] = (weight, -jnp.sum(weight * knees, axis=1))
        return layers

    def __call__(self, params: PyTree, place: Place, periodic: tuple[str, ...]) -> Float[Array, " outputs"]:
        signal = self.features(place, periodic)
        for weight, bias in params[:-1]:
            signal = self.activation(weight @ signal + bias)
        weight, bias = params[-1]
        return weight @ signal + bias

    def features(self, place: Place, periodic: tuple[str, ...]) -> Float[Array, " inputs"]:
        open_axes = [value for axis, value in place.items() if axis not in periodic]
        waves = [
            wave(np.pi * k * place[axis])
            for axis in place
            if axis in periodic
            for k in range(1, self.harmonics + 1)
            for wave in (jnp.sin, jnp.cos)
        ]
        if self.fourier is not None and open_axes:
            phase = self.fourier.frequencies(len(open_axes)) @ jnp.stack(open_axes)
            waves += [*jnp.sin(phase), *jnp.cos(phase)]
        return jnp.stack([*open_axes, *waves])

    def collocation_points(self, axes: int) -> int:
        if axes > 1:
            return min(64 * self.width * self.depth, 6000)
        return 16 * self.width if self.fourier is None else int(12 * self.width + 6 * self.fourier.scale)


def glorot(key: Key, inputs: int, outputs: int) -> tuple[Float[Array, "outputs inputs"], Float[Array, " outputs"]]:
    """Uniform weights of variance 2 / (inputs + outputs), zero bias. Source: Glorot and Bengio, AISTATS 2010."""
    bound = np.sqrt(6.0 / (inputs + outputs))
    return jax.random.uniform(key, (outputs, inputs), minval=-bound, maxval=bound), jnp.zeros(outputs)
