"""A plain perceptron on the last axis, with no state but its weights."""

from __future__ import annotations

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key


class Dense(eqx.Module):
    """A plain perceptron with SiLU between its layers, on the last axis.

    sizes   numbers in, in between and out, (64, 128, 3) say.
    scale   factor of the last layer's first weights; 0 makes an answer that starts at zero.
    """

    weights: tuple[Float[Array, "inputs outputs"], ...]
    biases: tuple[Float[Array, " outputs"], ...]

    def __init__(self, sizes: tuple[int, ...], key: Key, scale: float = 1.0):
        keys = jax.random.split(key, len(sizes) - 1)
        weights = [
            jax.random.normal(k, (n, m)) / math.sqrt(n) for k, n, m in zip(keys, sizes[:-1], sizes[1:], strict=True)
        ]
        self.weights = (*weights[:-1], scale * weights[-1])
        self.biases = tuple(jnp.zeros(m) for m in sizes[1:])

    def __call__(self, x: Float[Array, "... inputs"]) -> Float[Array, "... outputs"]:
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = jax.nn.silu(x @ weight + bias)
        return x @ self.weights[-1] + self.biases[-1]


def normalised(x: Float[Array, "... channels"]) -> Float[Array, "... channels"]:
    """Each row with mean 0 and variance 1: layer normalisation without weights (the next layer has them)."""
    x = x - jnp.mean(x, axis=-1, keepdims=True)
    return x * jax.lax.rsqrt(jnp.mean(x**2, axis=-1, keepdims=True) + 1e-5)
