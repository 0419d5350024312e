"""Everything but the temperature eliminated: a spectrum's misfit as a function of T alone, exactly."""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from .._core.precision import in_float64
from ._emissivity import Known
from ._planck import log_radiance


class Eliminated(NamedTuple):
    """The residual W (ln L - mean - ln B(lambda, T)), where W whitens noise and prior and projects free functions away.

        K = sigma^2 1 + P P',  K = C C',  W = N' C^-1   with N an orthonormal basis of what C^-1 F does not reach

    Its square is what remains of the joint Gaussian when the numbers a and b of the emissivity are integrated out.
    volume   ln |K| + ln |F' K^-1 F|, what a change of sigma costs.
    """

    wavelength: Float[np.ndarray, " n"]
    mean: Float[np.ndarray, " n"]
    whiten: Float[np.ndarray, "rows n"]
    volume: Float[np.ndarray, ""]

    def misfit(self, log_l: Float[np.ndarray, " n"], temperature: float) -> float:
        residual, _ = self.residual(log_l, temperature)
        return float(residual @ residual)

    def residual(
        self, log_l: Float[np.ndarray, " n"], temperature: float
    ) -> tuple[Float[np.ndarray, " rows"], Float[np.ndarray, " rows"]]:
        """The residual and its derivative with T."""
        expected, slope = log_planck(self.wavelength, temperature)
        return self.whiten @ (log_l - self.mean - expected), -self.whiten @ slope


@in_float64
def log_planck(wavelength: Float[np.ndarray, " n"], temperature: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The logarithm of Planck's law, and its derivative with T."""
    return tuple(np.asarray(each) for each in with_slope(wavelength, temperature))  # type: ignore[return-value]


@jax.jit
def with_slope(wavelength: Float[Array, " n"], temperature: Float[Array, ""]) -> tuple[Array, Array]:
    one = lambda place: jax.value_and_grad(log_radiance, argnums=1)(place, temperature)
    return jax.vmap(one)(wavelength)


def eliminated(wavelength: Float[np.ndarray, " n"], known: Known, noise: float) -> Eliminated:
    """What stays of a spectrum at relative noise `noise` when the emissivity is eliminated."""
    mean, free, prior = known
    count = len(wavelength)
    root = np.linalg.cholesky(noise**2 * np.eye(count) + prior @ prior.T)
    volume = 2 * np.sum(np.log(np.diag(root)))
    whiten = np.linalg.solve(root, np.eye(count))
    if free.shape[1]:
        q, r = np.linalg.qr(whiten @ free, mode="complete")
        whiten = q[:, free.shape[1] :].T @ whiten
        volume += 2 * np.sum(np.log(np.abs(np.diag(r))))
    return Eliminated(wavelength, mean, whiten, np.asarray(volume))


def emissivity_at(
    wavelength: Float[np.ndarray, " n"],
    known: Known,
    noise: float,
    log_l: Float[np.ndarray, " n"],
    temperature: float,
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """The emissivity's logarithm at a temperature, the most likely, and its standard deviation there."""
    mean, free, prior = known
    departure = log_l - mean - log_planck(wavelength, temperature)[0]
    design = np.concatenate([free, prior], axis=1)
    if design.shape[1] == 0:
        return mean, np.zeros(len(log_l))
    held = np.concatenate([np.zeros(free.shape[1]), np.ones(prior.shape[1])])
    inverse = np.linalg.pinv(design.T @ design / noise**2 + np.diag(held), hermitian=True)
    weights = inverse @ (design.T @ departure) / noise**2
    sd = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", design, inverse, design), 0.0))
    return mean + design @ weights, sd
