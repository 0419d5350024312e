"""What the flow looks like in the corner where a moving lid meets a wall at rest.

There the velocity jumps from 1 to 0 within no distance at all, so that vorticity and pressure are infinite: a fact of
the problem as it is posed, which no polynomial and no network follows. With r the distance from the corner and theta
the angle from the lid, the stream function is

    psi = r f_0(theta) + s Re r^2 f_1(theta) + ...        s = -1 where the lid moves away, 1 where it moves in

f_0 is Taylor's scraper, a creeping flow; f_1 answers to the inertia of f_0. Both are known in closed form but for a few
coefficients that solve linear equations, and vanish with their slopes on the wall and on the lid, but for the slope
that the lid gives to f_0. What is left after taking them off is smooth enough for polynomials.
Sources: G. I. Taylor, in Miscellany in Applied Mechanics (1962); M. M. Gupta, R. P. Manohar, B. Noble, Comput. Fluids
9, 379 (1981); O. Botella and R. Peyret, Comput. Fluids 27, 421 (1998), who take both off as well.
"""

from __future__ import annotations

import functools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Scalar = Float[Array, ""]

C = 1 / (np.pi**2 / 4 - 1)
SCRAPER = {"x": (0.0, C), "y": (-C * np.pi**2 / 4, C * np.pi / 2)}
"""r f_0 = X (x_0 + x_1 theta) + Y (y_0 + y_1 theta), X along the lid and Y down the wall."""


@functools.cache
def inertia() -> tuple[tuple[float, float, float], ...]:
    """Coefficients of f_1 = sum_j theta^j (a_j + b_j cos 2 theta + c_j sin 2 theta), j = 0, 1, 2: (a, b, c).

    The equation of motion leaves f_1'''' + 4 f_1'' = -(f_0 (f_0 + f_0''))', no slip the rest.
    """
    theta = np.linspace(0, np.pi / 2, 60)
    rows = [slope + 4 * bend for slope, bend in zip(shapes(theta, 4), shapes(theta, 2), strict=True)]
    still = [
        np.r_[value, slope] for value, slope in zip(shapes(theta[[0, -1]], 0), shapes(theta[[0, -1]], 1), strict=True)
    ]
    _, along = SCRAPER["x"]
    down, turn = SCRAPER["y"]
    speed = [down * np.sin(theta) + theta * (along * np.cos(theta) + turn * np.sin(theta)),
             down * np.cos(theta) + along * (np.cos(theta) - theta * np.sin(theta))
             + turn * (np.sin(theta) + theta * np.cos(theta))]  # fmt: skip
    spin = [2 * (turn * np.cos(theta) - along * np.sin(theta)), -2 * (turn * np.sin(theta) + along * np.cos(theta))]
    right = -(speed[1] * spin[0] + speed[0] * spin[1])
    matrix = np.concatenate([np.stack(rows, axis=1), np.stack(still, axis=1)])
    found = np.linalg.lstsq(matrix, np.r_[right, np.zeros(4)], rcond=1e-13)[0]
    return tuple(tuple(map(float, found[start::3])) for start in range(3))  # pyright: ignore[reportReturnType]


def shapes(theta: Float[np.ndarray, " n"], order: int) -> list[Float[np.ndarray, " n"]]:
    """The derivatives of theta^j, theta^j cos 2 theta and theta^j sin 2 theta, j = 0, 1, 2."""
    found = []
    for power in range(3):
        term = np.poly1d([1.0] + [0.0] * power)
        wave = np.zeros(len(theta), complex)
        for taken in range(order + 1):
            share = float(np.prod(np.arange(order - taken + 1, order + 1)) / np.prod(np.arange(1, taken + 1)))
            wave += share * term.deriv(taken)(theta) * (2j) ** (order - taken) * np.exp(2j * theta)
        found += [term.deriv(order)(theta) + 0 * theta, wave.real, wave.imag]
    return found


def angle(along: Scalar, down: Scalar) -> Scalar:
    """From the lid, 0, to the wall, pi/2. At the corner itself, where it has no meaning, 0."""
    apart = along**2 + down**2
    here = apart == 0
    far = jnp.sqrt(jnp.where(here, 1.0, apart)) + along
    return 2 * jnp.arctan(down / far)


def creeping(along: Scalar, down: Scalar) -> Scalar:
    """R f_0."""
    theta = angle(along, down)
    return along * (SCRAPER["x"][0] + SCRAPER["x"][1] * theta) + down * (SCRAPER["y"][0] + SCRAPER["y"][1] * theta)


def inertial(along: Scalar, down: Scalar) -> Scalar:
    """r^2 f_1."""
    theta, apart = angle(along, down), along**2 + down**2
    flat, cosine, sine = (sum(a * theta**j for j, a in enumerate(part)) for part in inertia())
    return apart * flat + (along**2 - down**2) * cosine + 2 * along * down * sine
