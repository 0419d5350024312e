"""Flow matching between Gaussian noise and designs in a vector space."""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key


class GaussianFlow(eqx.Module):
    """x_t = (1 - t) noise + t design, with a network that predicts the design: `expected(x, t) -> x_1`.

    A step from t to t' goes through what the prediction says of both ends, x_0 = (x - t x_1) / (1 - t),

        x' = t' x_1 + sqrt((1 - t')^2 - s^2) x_0 + s xi,    s = churn (1 - t') sqrt(1 - ((1 - t') t / ((1 - t) t'))^2)

    expected   the network: noisy design, t -> clean design.
    shape      of a design.
    steps      50 to 200.
    churn      0: the noise decides everything. 1: new noise in every step, which particles need, or copies of one stay
               copies.
    spread_of_designs   standard deviation of a coordinate of the designs.

    Source: Y. Lipman et al., Flow matching for generative modeling, ICLR 2023; J. Song, C. Meng, S. Ermon, Denoising
    diffusion implicit models, ICLR 2021 (the step).
    """

    expected: Callable[[Float[Array, "..."], Float[Array, ""]], Float[Array, "..."]]
    shape: tuple[int, ...] = eqx.field(static=True)
    steps: int = eqx.field(static=True, default=100)
    churn: float = 1.0
    spread_of_designs: float = 1.0

    def share(self, k: Int[Array, ""]) -> Float[Array, ""]:
        return k / self.steps

    def start(self, key: Key) -> Float[Array, "..."]:
        return jax.random.normal(key, self.shape)

    def answer(self, design, k, before):
        return self.expected(design, self.share(k))

    def mean(self, design, answer, k):
        t, after = self.share(k), self.share(k + 1)
        noise = (design - t * answer) / (1 - t)
        left = jnp.sqrt(jnp.maximum((1 - after) ** 2 - self.spread(k) ** 2, 0.0))  # all of it is new in the first step
        return after * answer + left * noise

    def spread(self, k):
        t, after = self.share(k), self.share(k + 1)
        kept = (1 - after) * t / ((1 - t) * after)
        return self.churn * (1 - after) * jnp.sqrt(1 - kept**2)

    def variance(self, k):
        t = self.share(k)
        known = (t * self.spread_of_designs) ** 2
        return self.spread_of_designs**2 * (1 - t) ** 2 / ((1 - t) ** 2 + known)

    def gain(self, k):
        # At t = 0 the noisy design says nothing of the clean one, and the gradient is 0.
        t = self.share(k)
        return (1 - t) ** 2 / jnp.maximum(t, 1 / self.steps)

    def moved(self, design, by):
        return design + by

    def apart(self, one, other):
        return other - one

    def still(self, design):
        return jnp.zeros_like(design)
