"""Mixed lubrication: what asperities carry where the film is about as thin as the walls are rough, beside the film."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput, shown
from .._core.once import being_traced
from ._flow import Flow

Field = Float[Array, "..."]

NODES, WEIGHTS = np.polynomial.legendre.leggauss(48)
WIDEST = 4.0  # sqrt(t) beyond which no height is left: 16 standard deviations


def exceedance(n: float, gap: Field) -> Field:
    """F_n(H) = (2 pi)^-1/2 int_H^inf (s - H)^n exp(-s^2/2) ds, of heights that are normally distributed.

    By Gauss quadrature in sqrt(s - H), in which the integrand is smooth for whole and half n; to rounding for H > -4.
    """
    u = 0.5 * WIDEST * (NODES + 1)
    weights = WIDEST * WEIGHTS * u ** (2 * n + 1) / np.sqrt(2 * np.pi)
    return jnp.sum(weights * jnp.exp(-0.5 * (jnp.asarray(gap)[..., None] + u**2) ** 2), -1)


def positive(where: str, **given: Any) -> tuple[Float[Array, ""], ...]:
    for name, value in given.items():
        if not being_traced(value) and not (np.isfinite(value) and value > 0):
            raise BadInput(f"{where}: {name}={shown(value)} must be above 0.")
    return tuple(jnp.asarray(value, float) for value in given.values())


class GreenwoodTripp(eqx.Module):
    """Two rough walls that touch where summits meet: nominal pressure and touching part of the area at a film h.

        p_a = (16 sqrt(2) pi / 15) (eta beta sigma)^2 sqrt(sigma / beta) E' F_{5/2}(h / sigma)
        A_a / A = pi^2 (eta beta sigma)^2 F_2(h / sigma)

    sigma     standard deviation of the heights of both walls together, m.
    density   eta, summits in a unit of area, 1/m2; eta beta sigma is 0.03 to 0.05 for machined steel.
    radius    beta, of the summits, m; sigma / beta is 1e-4 to 1e-2.
    modulus   E' of both walls, 1/E' = (1 - nu1^2)/E1 + (1 - nu2^2)/E2, Pa: `contact_modulus`.
    friction  coefficient of the boundary layer at the summits; about 0.1.

    Heights are counted from the mean of the walls. Raises `BadInput` for what is not above 0.
    Source: J. A. Greenwood and J. H. Tripp, Proc. Inst. Mech. Eng. 185, 625 (1970).
    """

    sigma: Float[Array, ""]
    density: Float[Array, ""]
    radius: Float[Array, ""]
    modulus: Float[Array, ""]
    friction: Float[Array, ""]

    def __init__(self, sigma: Any, density: Any, radius: Any, modulus: Any, friction: Any = 0.1):
        self.sigma, self.density, self.radius, self.modulus, self.friction = positive(
            "GreenwoodTripp", sigma=sigma, density=density, radius=radius, modulus=modulus, friction=friction
        )

    @property
    def crowding(self) -> Float[Array, ""]:
        """Eta beta sigma."""
        return self.density * self.radius * self.sigma

    def pressure(self, height: Field) -> Field:
        stiffness = 16 * jnp.sqrt(2.0) * jnp.pi / 15 * self.crowding**2 * jnp.sqrt(self.sigma / self.radius)
        return stiffness * self.modulus * exceedance(2.5, height / self.sigma)

    def touching(self, height: Field) -> Field:
        return jnp.pi**2 * self.crowding**2 * exceedance(2.0, height / self.sigma)


class PatirCheng(eqx.Module):
    """How roughness without direction hinders the flow that pressure drives: phi = 1 - 0.9 exp(-0.56 h / sigma).

        Film(grid, height, speed, oil, flow_factor=PatirCheng(0.4e-6))

    sigma  standard deviation of the heights of both walls together, m.

    For h above half of sigma; both walls equally rough, so that their sliding drags no more fluid than smooth ones.
    Source: N. Patir and H. S. Cheng, J. Lubr. Technol. 100, 12 (1978).
    """

    sigma: Float[Array, ""]

    def __init__(self, sigma: Any):
        (self.sigma,) = positive("PatirCheng", sigma=sigma)

    def __call__(self, height: Field) -> Field:
        return 1 - 0.9 * jnp.exp(-0.56 * height / self.sigma)


class Mixed(eqx.Module):
    """A film and the asperities that touch through it, which share the load and the friction.

    Mixed(flow(film), asperities).coefficient
    support(film_at, load, low, high, carried=lambda flow: Mixed(flow, asperities).load)
    """

    flow: Flow
    asperities: GreenwoodTripp

    @property
    def asperity_pressure(self) -> Float[Array, "*cells"]:
        """Nominal, Pa."""
        return self.asperities.pressure(self.flow.film.height)

    @property
    def asperity_load(self) -> Float[Array, ""]:
        """N, in a film of endless width N/m."""
        return jnp.sum(self.asperity_pressure) * self.flow.film.grid.area

    @property
    def load(self) -> Float[Array, ""]:
        return self.flow.load + self.asperity_load

    @property
    def friction(self) -> Float[Array, ""]:
        """On the moving wall; asperities rub against its sense of sliding."""
        return self.flow.friction + jnp.sign(self.flow.film.speed) * self.asperities.friction * self.asperity_load

    @property
    def coefficient(self) -> Float[Array, ""]:
        return self.friction / self.load
