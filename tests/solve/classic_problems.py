"""Classical least-squares problems that break careless methods: residual, standard start, known minima of |r|^2.

Source: J. J. More, B. S. Garbow, K. E. Hillstrom, Testing unconstrained optimization software, ACM TOMS 7, 1981, which
also gives the minima. Formulae are theirs; two data sets (Bard, Osborne 2) are tabulated there.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np


class Classic(NamedTuple):
    residual: Callable  # x (n,) -> r (m,)
    start: list[float]
    minima: list[float]  # of |r|^2; the first is the global one


BARD = np.array([0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39])
OSBORNE_2 = np.array(
    [
        *(1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608),
        *(0.655, 0.616, 0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661),
        *(0.612, 0.558, 0.533, 0.495, 0.5, 0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428),
        *(0.429, 0.523, 0.562, 0.607, 0.653, 0.672, 0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559),
        *(0.597, 0.625, 0.739, 0.71, 0.729, 0.72, 0.636, 0.581, 0.428, 0.292, 0.162, 0.098, 0.054),
    ]
)


def rosenbrock(x):
    return jnp.stack([10 * (x[1] - x[0] ** 2), 1 - x[0]])


def freudenstein_roth(x):
    first = -13 + x[0] + ((5 - x[1]) * x[1] - 2) * x[1]
    return jnp.stack([first, -29 + x[0] + ((x[1] + 1) * x[1] - 14) * x[1]])


def powell_badly_scaled(x):
    return jnp.stack([1e4 * x[0] * x[1] - 1, jnp.exp(-x[0]) + jnp.exp(-x[1]) - 1.0001])


def brown_badly_scaled(x):
    return jnp.stack([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2])


def beale(x):
    return np.array([1.5, 2.25, 2.625]) - x[0] * (1 - x[1] ** np.array([1, 2, 3]))


def helical_valley(x):
    turn = jnp.arctan2(x[1], x[0]) / (2 * jnp.pi)
    turn = jnp.where(turn < -0.25, turn + 1, turn)  # the branch of the paper: turns in (-1/4, 3/4]
    return jnp.stack([10 * (x[2] - 10 * turn), 10 * (jnp.hypot(x[0], x[1]) - 1), x[2]])


def bard(x):
    u = np.arange(1.0, 16)
    return BARD - (x[0] + u / ((16 - u) * x[1] + np.minimum(u, 16 - u) * x[2]))


def gulf(x):
    t = np.arange(1, 100) / 100
    return jnp.exp(-(jnp.abs(25 + (-50 * np.log(t)) ** (2 / 3) - x[1]) ** x[2]) / x[0]) - t


def box_3d(x):
    t = np.arange(1, 11) / 10
    return jnp.exp(-t * x[0]) - jnp.exp(-t * x[1]) - x[2] * (np.exp(-t) - np.exp(-10 * t))


def powell_singular(x):
    return jnp.stack([x[0] + 10 * x[1], 5**0.5 * (x[2] - x[3]), (x[1] - 2 * x[2]) ** 2, 10**0.5 * (x[0] - x[3]) ** 2])


def wood(x):
    sides = [10 * (x[1] - x[0] ** 2), 1 - x[0], 90**0.5 * (x[3] - x[2] ** 2), 1 - x[2]]
    return jnp.stack([*sides, 10**0.5 * (x[1] + x[3] - 2), (x[1] - x[3]) / 10**0.5])


def brown_dennis(x):
    t = np.arange(1, 21) / 5
    return (x[0] + t * x[1] - np.exp(t)) ** 2 + (x[2] + x[3] * np.sin(t) - np.cos(t)) ** 2


def biggs_exp6(x):
    t = np.arange(1, 14) / 10
    data = np.exp(-t) - 5 * np.exp(-10 * t) + 3 * np.exp(-4 * t)
    return x[2] * jnp.exp(-t * x[0]) - x[3] * jnp.exp(-t * x[1]) + x[5] * jnp.exp(-t * x[4]) - data


def osborne_2(x):
    t = np.arange(65) / 10
    peaks = sum(x[k] * jnp.exp(-((t - x[k + 7]) ** 2) * x[k + 4]) for k in (1, 2, 3))
    return OSBORNE_2 - (x[0] * jnp.exp(-t * x[4]) + peaks)


def watson(x):
    t, j = np.arange(1, 30)[:, None] / 29, np.arange(x.shape[0])
    slope = np.where(j > 0, j * t ** np.maximum(j - 1, 0), 0.0)
    rows = slope @ x - (t**j @ x) ** 2 - 1
    return jnp.concatenate([rows, jnp.stack([x[0], x[1] - x[0] ** 2 - 1])])


def trigonometric(x):
    i = np.arange(1, x.shape[0] + 1)
    return x.shape[0] - jnp.sum(jnp.cos(x)) + i * (1 - jnp.cos(x)) - jnp.sin(x)


def brown_almost_linear(x):
    return jnp.append(x[:-1] + jnp.sum(x) - (x.shape[0] + 1), jnp.prod(x) - 1)


CLASSICS = {
    "Rosenbrock": Classic(rosenbrock, [-1.2, 1], [0]),
    "Freudenstein-Roth": Classic(freudenstein_roth, [0.5, -2], [0, 48.98425]),
    "Powell badly scaled": Classic(powell_badly_scaled, [0, 1], [0]),
    "Brown badly scaled": Classic(brown_badly_scaled, [1, 1], [0]),
    "Beale": Classic(beale, [1, 1], [0]),
    "helical valley": Classic(helical_valley, [-1, 0, 0], [0]),
    "Bard": Classic(bard, [1, 1, 1], [8.21487e-3]),
    "Gulf": Classic(gulf, [5, 2.5, 0.15], [0]),
    "Box 3D": Classic(box_3d, [0, 10, 20], [0]),
    "Powell singular": Classic(powell_singular, [3, -1, 0, 1], [0]),
    "Wood": Classic(wood, [-3, -1, -3, -1], [0]),
    "Brown-Dennis": Classic(brown_dennis, [25, 5, -5, -1], [85822.2]),
    "Biggs EXP6": Classic(biggs_exp6, [1, 2, 1, 1, 1, 1], [0, 5.65565e-3]),
    "Osborne 2": Classic(osborne_2, [1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5, 5.5], [4.01377e-2]),
    "Watson 12": Classic(watson, [0] * 12, [4.72238e-10]),
    "trigonometric": Classic(trigonometric, [0.1] * 10, [0, 2.79506e-5]),
    "Brown almost linear": Classic(brown_almost_linear, [0.5] * 10, [0, 1]),
}
