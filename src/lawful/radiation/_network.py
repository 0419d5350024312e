"""An emissivity as a network: a smooth function of the wavelength between 0 and 1 by construction."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from .._core.messages import BadInput
from ..problem import Normal, Real


class EmissivityNetwork(eqx.Module):
    """eps(lambda) = logistic(b + sum_j a_j tanh(u_j xi + c_j)), xi = ln(lambda) scaled to [-1, 1] over low..high (um).

    A plain function of the wavelength and one vector of weights, for use inside a law:

        network = EmissivityNetwork(1.0, 12.0)
        laws={"emissivity": lambda y, l, weights: y - network.log(jnp.exp(l), weights)}
        unknowns={"weights": network.unknown()}

    width   neurons; 20 carry the spectrum of a metal to a tenth of a percent.
    Raises `BadInput` unless 0 < low < high and width is at least 1.
    """

    low: float = eqx.field(static=True)
    high: float = eqx.field(static=True)
    width: int = eqx.field(static=True, default=20)

    def __check_init__(self):
        if not (0 < self.low < self.high < np.inf and self.width >= 1):
            raise BadInput(
                f"EmissivityNetwork({self.low}, {self.high}, width={self.width}): give the wavelengths in um, the"
                " shorter first, and a width of at least 1."
            )

    def unknown(self, median: float = 0.5, seed: int = 0) -> Real:
        """The weights as an unknown of a `Problem`: at the guess eps = `median` everywhere; knees spread over the band.

        The outer weights may be of any usual size; knees and slopes stay near where they start, or flat directions
        would hold the fit up for hundreds of steps.
        """
        if not 0 < median < 1:
            raise BadInput(f"median={median}: an emissivity between 0 and 1 is meant, such as 0.5.")
        rng = np.random.default_rng(seed)
        slopes = rng.choice((-1.0, 1.0), self.width) * rng.uniform(1.0, 0.5 * self.width, self.width)
        knees = np.linspace(-1, 1, self.width)
        guess = np.concatenate([np.zeros(self.width), slopes, -slopes * knees, [np.log(median / (1 - median))]])
        sd = np.concatenate([np.full(self.width, 2.0), 0.1 * np.abs(slopes), 0.1 * np.abs(slopes), [3.0]])
        return Real(guess=guess, scale=sd, prior=Normal(guess, sd))

    def logit(self, wavelength: ArrayLike, weights: Float[Array, " n"]) -> Float[Array, "..."]:
        outer, slopes, offsets = jnp.split(weights[:-1], 3)
        middle, half = 0.5 * np.log(self.low * self.high), 0.5 * np.log(self.high / self.low)
        xi = (jnp.log(jnp.asarray(wavelength)) - middle) / half
        return weights[-1] + jnp.tanh(xi[..., None] * slopes + offsets) @ outer

    def __call__(self, wavelength: ArrayLike, weights: Float[Array, " n"]) -> Float[Array, "..."]:
        """The emissivity at wavelengths in um."""
        return jax.nn.sigmoid(self.logit(wavelength, weights))

    def log(self, wavelength: ArrayLike, weights: Float[Array, " n"]) -> Float[Array, "..."]:
        """Its logarithm, which does not underflow where eps is small."""
        return jax.nn.log_sigmoid(self.logit(wavelength, weights))
