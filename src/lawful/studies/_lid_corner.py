"""What the flow looks like in the corner where a moving lid meets a wall at rest.

There the velocity jumps from 1 to 0 within no distance at all, so that vorticity and pressure are infinite: a fact of
the problem as it is posed, which no polynomial and no network follows. With r the distance from the corner and theta
the angle from the lid, the stream function is

    psi = r f_0(theta) + s Re r^2 f_1(theta) + ...        s = -1 where the lid moves away, 1 where it moves in

f_0 is Taylor's scraper, a creeping flow; f_1 answers to the inertia of f_0. Both are known in closed form but for a few
coefficients that solve linear equations. They vanish with their slopes on the wall and on the lid, but for the slope
that the lid gives to f_0. What is left after taking them off is smooth enough for polynomials.
Sources: G. I. Taylor, in Miscellany in Applied Mechanics (1962); M. M. Gupta, R. P. Manohar, B. Noble, Comput. Fluids
9, 379 (1981); O. Botella and R. Peyret, Comput. Fluids 27, 421 (1998), who take both off as well.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Scalar = Float[Array, ""] | float
Waves = Float[np.ndarray, "3 3"]
"""sum_j theta^j (a_j + b_j cos 2 theta + c_j sin 2 theta): row j holds a_j, b_j, c_j."""

ALONG = 1 / (np.pi**2 / 4 - 1)
DOWN, TURN = -ALONG * np.pi**2 / 4, ALONG * np.pi / 2
"""r f_0 = X ALONG theta + Y (DOWN + TURN theta), X along the lid and Y down the wall."""


class Inertia(NamedTuple):
    """f_1, and f_1'' + 4 f_1, which is the Laplacian of r^2 f_1."""

    shape: Waves
    bend: Waves


@functools.cache
def inertia() -> Inertia:
    """The equation of motion leaves f_1'''' + 4 f_1'' = -(f_0 (f_0 + f_0''))', no slip f_1 = f_1' = 0 at both ends.

    With h = f_1'' + 4 f_1 the equation is h'' = ..., a linear one for nine coefficients.
    """
    theta, ends = np.linspace(0, np.pi / 2, 60), np.array([0.0, np.pi / 2])
    unit = np.eye(9).reshape(9, 3, 3)
    bent = [twice(each) + 4 * each for each in unit]
    rows = np.stack([value(twice(each), theta) for each in bent], axis=1)
    still = [np.r_[value(each, ends), value(once(each), ends)] for each in unit]
    speed = DOWN * np.sin(theta) + theta * (ALONG * np.cos(theta) + TURN * np.sin(theta))
    turned = DOWN * np.cos(theta) + ALONG * (np.cos(theta) - theta * np.sin(theta))
    turned += TURN * (np.sin(theta) + theta * np.cos(theta))
    spin, spun = 2 * (TURN * np.cos(theta) - ALONG * np.sin(theta)), -2 * (TURN * np.sin(theta) + ALONG * np.cos(theta))
    right = np.r_[-(turned * spin + speed * spun), np.zeros(4)]
    found = np.linalg.lstsq(np.concatenate([rows, np.stack(still, axis=1)]), right, rcond=1e-13)[0].reshape(3, 3)
    return Inertia(found, twice(found) + 4 * found)


def once(waves: Waves) -> Waves:
    """The derivative."""
    lower = np.concatenate([np.arange(1, 3)[:, None] * waves[1:], np.zeros((1, 3))])
    return lower + np.stack([0 * waves[:, 0], 2 * waves[:, 2], -2 * waves[:, 1]], axis=1)


def twice(waves: Waves) -> Waves:
    return once(once(waves))


def value(waves: Waves, theta: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    powers = theta ** np.arange(3)[:, None]
    return np.einsum("jn,jk,kn->n", powers, waves, [np.ones_like(theta), np.cos(2 * theta), np.sin(2 * theta)])


def angle(along: Scalar, down: Scalar) -> Scalar:
    """From the lid, 0, to the wall, pi/2; NaN at the corner, where it has no meaning."""
    return 2 * jnp.arctan(down / (jnp.sqrt(along**2 + down**2) + along))


def of_angle(waves: Waves, theta: Scalar, cosine: Scalar, sine: Scalar) -> Scalar:
    """Waves at theta, with the cosine and sine of 2 theta."""
    flat, even, odd = jnp.asarray(waves.T) @ jnp.stack([jnp.ones_like(theta), theta, theta**2])
    return flat + even * cosine + odd * sine


def creeping(along: Scalar, down: Scalar) -> Scalar:
    """The stream function r f_0."""
    theta = angle(along, down)
    return along * ALONG * theta + down * (DOWN + TURN * theta)


def creeping_bend(along: Scalar, down: Scalar) -> Scalar:
    """The Laplacian of `creeping`."""
    return 2 * (TURN * along - ALONG * down) / (along**2 + down**2)


def inertial(along: Scalar, down: Scalar, reach: Scalar) -> Scalar:
    """The stream function r^2 f_1, taken back to zero beyond `reach` by a factor exp(-(r / reach)^4): far away it is no
    solution, and large."""
    apart, theta = along**2 + down**2, angle(along, down)
    cosine, sine = (along**2 - down**2) / apart, 2 * along * down / apart
    return jnp.exp(-((apart / reach**2) ** 2)) * apart * of_angle(inertia().shape, theta, cosine, sine)


def inertial_bend(along: Scalar, down: Scalar, reach: Scalar) -> Scalar:
    """The Laplacian of `inertial`: with c(s) the factor and s = r^2 it is c h + r^2 f_1 (12 c' + 4 s c'')."""
    apart, theta = along**2 + down**2, angle(along, down)
    cosine, sine = (along**2 - down**2) / apart, 2 * along * down / apart
    share = (apart / reach**2) ** 2
    shape, bend = (of_angle(each, theta, cosine, sine) for each in inertia())
    return jnp.exp(-share) * (bend + shape * share * (16 * share - 32))
