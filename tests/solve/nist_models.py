"""The 27 NIST StRD regression models: `MODELS[name](b, x)` predicts the response, b (p,), x (d, m) -> (m,).

Each formula is the one stated in the problem's .dat file, with no change of variables: the point of the set is that
an optimiser must cope with them as they stand.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from nist_data import NistProblem


def saturating_exponential(b, x):
    return b[0] * (1 - jnp.exp(-b[1] * x[0]))


def misra1b(b, x):
    return b[0] * (1 - (1 + b[1] * x[0] / 2) ** -2)


def misra1c(b, x):
    return b[0] * (1 - (1 + 2 * b[1] * x[0]) ** -0.5)


def misra1d(b, x):
    return b[0] * b[1] * x[0] / (1 + b[1] * x[0])


def chwirut(b, x):
    return jnp.exp(-b[0] * x[0]) / (b[1] + b[2] * x[0])


def lanczos(b, x):
    return b[0] * jnp.exp(-b[1] * x[0]) + b[2] * jnp.exp(-b[3] * x[0]) + b[4] * jnp.exp(-b[5] * x[0])


def two_gaussians(b, x):
    first = b[2] * jnp.exp(-((x[0] - b[3]) ** 2) / b[4] ** 2)
    second = b[5] * jnp.exp(-((x[0] - b[6]) ** 2) / b[7] ** 2)
    return b[0] * jnp.exp(-b[1] * x[0]) + first + second


def dan_wood(b, x):
    return b[0] * x[0] ** b[1]


def quadratic_over_quadratic(b, x):
    return (b[0] + b[1] * x[0] + b[2] * x[0] ** 2) / (1 + b[3] * x[0] + b[4] * x[0] ** 2)


def cubic_over_cubic(b, x):
    x1, x2, x3 = x[0], x[0] ** 2, x[0] ** 3
    return (b[0] + b[1] * x1 + b[2] * x2 + b[3] * x3) / (1 + b[4] * x1 + b[5] * x2 + b[6] * x3)


def nelson(b, x):
    return b[0] - b[1] * x[0] * jnp.exp(-b[2] * x[1])


def mgh17(b, x):
    return b[0] + b[1] * jnp.exp(-x[0] * b[3]) + b[2] * jnp.exp(-x[0] * b[4])


def roszman1(b, x):
    return b[0] - b[1] * x[0] - jnp.arctan(b[2] / (x[0] - b[3])) / jnp.pi


def enso(b, x):
    def wave(period, cosine, sine):
        phase = 2 * jnp.pi * x[0] / period
        return cosine * jnp.cos(phase) + sine * jnp.sin(phase)

    return b[0] + wave(12, b[1], b[2]) + wave(b[3], b[4], b[5]) + wave(b[6], b[7], b[8])


def mgh09(b, x):
    return b[0] * (x[0] ** 2 + x[0] * b[1]) / (x[0] ** 2 + x[0] * b[2] + b[3])


def mgh10(b, x):
    return b[0] * jnp.exp(b[1] / (x[0] + b[2]))


def bennett5(b, x):
    return b[0] * (b[1] + x[0]) ** (-1 / b[2])


def eckerle4(b, x):
    return (b[0] / b[1]) * jnp.exp(-0.5 * ((x[0] - b[2]) / b[1]) ** 2)


def rat42(b, x):
    return b[0] / (1 + jnp.exp(b[1] - b[2] * x[0]))


def rat43(b, x):
    return b[0] / (1 + jnp.exp(b[1] - b[2] * x[0])) ** (1 / b[3])


MODELS: dict[str, Callable] = {
    "Bennett5": bennett5,
    "BoxBOD": saturating_exponential,
    "Chwirut1": chwirut,
    "Chwirut2": chwirut,
    "DanWood": dan_wood,
    "ENSO": enso,
    "Eckerle4": eckerle4,
    "Gauss1": two_gaussians,
    "Gauss2": two_gaussians,
    "Gauss3": two_gaussians,
    "Hahn1": cubic_over_cubic,
    "Kirby2": quadratic_over_quadratic,
    "Lanczos1": lanczos,
    "Lanczos2": lanczos,
    "Lanczos3": lanczos,
    "MGH09": mgh09,
    "MGH10": mgh10,
    "MGH17": mgh17,
    "Misra1a": saturating_exponential,
    "Misra1b": misra1b,
    "Misra1c": misra1c,
    "Misra1d": misra1d,
    "Nelson": nelson,
    "Rat42": rat42,
    "Rat43": rat43,
    "Roszman1": roszman1,
    "Thurber": cubic_over_cubic,
}


def response(problem: NistProblem) -> np.ndarray:
    """The observed response: y, or log y for Nelson, whose file states its model for the logarithm."""
    return np.log(problem.y) if problem.name == "Nelson" else problem.y


class Regression(eqx.Module):
    """A problem as the optimiser sees it. Data are leaves, so problems of one model and size share compiled code."""

    model: Callable
    x: jax.Array
    y: jax.Array

    def residual(self, b):
        return self.model(b, self.x) - self.y

    @eqx.filter_jit
    def linearise(self, b):
        return self.residual(b), jax.jacfwd(self.residual)(b)


def regression(problem: NistProblem) -> Regression:
    return Regression(MODELS[problem.name], jnp.asarray(problem.x), jnp.asarray(response(problem)))


def digits(found: np.ndarray, certified: np.ndarray) -> float:
    """Correct digits of the worst entry, -log10 |found / certified - 1|: at most 15, minus infinity for NaN."""
    error = np.max(np.abs(np.asarray(found) / certified - 1))
    return -np.log10(max(error, 1e-15)) if np.isfinite(error) else -np.inf
