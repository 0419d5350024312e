"""What flows in the gap: how its viscosity and its density answer to pressure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._core.messages import BadInput, shown
from .._core.numbers import is_positive
from .._core.once import being_traced

Answer = Callable[[Float[Array, "..."]], Float[Array, "..."]]
"""A property of the fluid at a pressure over that of cavitation, Pa."""


class Constant(eqx.Module):
    """The same at every pressure."""

    value: Float[Array, ""]

    def __init__(self, value: Any):
        self.value = jnp.asarray(value, float)

    def __call__(self, pressure: Float[Array, "..."]) -> Float[Array, "..."]:
        return self.value + 0 * pressure


class Barus(eqx.Module):
    """Viscosity mu = mu0 exp(alpha p), Pa s.

    mu0    at the pressure of cavitation, Pa s.
    alpha  1/Pa; 1e-8 to 2.5e-8 for mineral oils. Too steep beyond about 0.5 GPa, where `Roelands` is the better law.

    Source: C. Barus, Am. J. Sci. 45, 87 (1893).
    """

    mu0: Float[Array, ""]
    alpha: Float[Array, ""]

    def __init__(self, mu0: Any, alpha: Any):
        self.mu0, self.alpha = jnp.asarray(mu0, float), jnp.asarray(alpha, float)

    def __call__(self, pressure: Float[Array, "..."]) -> Float[Array, "..."]:
        return self.mu0 * jnp.exp(self.alpha * pressure)


class Roelands(eqx.Module):
    """Viscosity mu = mu0 exp{(ln mu0 + 9.67) [(1 + p/p0)^z - 1]}, Pa s.

    mu0  at the pressure of cavitation, Pa s.
    z    0.4 to 0.8 for mineral oils; alpha of `Barus` at low pressure is z (ln mu0 + 9.67) / p0.
    p0   1.962e8 Pa.

    Source: C. J. A. Roelands, thesis, Delft (1966).
    """

    mu0: Float[Array, ""]
    z: Float[Array, ""]
    p0: Float[Array, ""]

    def __init__(self, mu0: Any, z: Any, p0: Any = 1.962e8):
        self.mu0, self.z, self.p0 = (jnp.asarray(each, float) for each in (mu0, z, p0))

    def __call__(self, pressure: Float[Array, "..."]) -> Float[Array, "..."]:
        return self.mu0 * jnp.exp((jnp.log(self.mu0) + 9.67) * ((1 + pressure / self.p0) ** self.z - 1))


class DowsonHigginson(eqx.Module):
    """Relative density (C1 + C2 p) / (C1 + p) of mineral oils.

    Source: D. Dowson and G. R. Higginson, Elasto-hydrodynamic lubrication, Pergamon (1966), with C1 = 2.22e9 Pa and
    C2 = 1.66 as in T. Woloszynski et al., Tribol. Lett. 58, 18 (2015).
    """

    c1: Float[Array, ""]
    c2: Float[Array, ""]

    def __init__(self, c1: Any = 2.22e9, c2: Any = 1.66):
        self.c1, self.c2 = jnp.asarray(c1, float), jnp.asarray(c2, float)

    def __call__(self, pressure: Float[Array, "..."]) -> Float[Array, "..."]:
        return (self.c1 + self.c2 * pressure) / (self.c1 + pressure)


class Fluid(eqx.Module):
    """A lubricant: a viscosity (Pa s) and a density relative to that at the pressure of cavitation.

        oil = Fluid(0.01)                                              # isoviscous, incompressible
        oil = Fluid(Barus(0.01, 1.2e-8), density=DowsonHigginson())    # piezoviscous, compressible

    Each is a number or any smooth function of the pressure over that of cavitation (Pa), which is never negative where
    the film may rupture.
    """

    viscosity: Answer
    density: Answer

    def __init__(self, viscosity: Any, density: Any = 1.0):
        self.viscosity, self.density = answer("viscosity", viscosity), answer("density", density)

    @property
    def answers(self) -> bool:
        """Whether anything changes with pressure."""
        return not (isinstance(self.viscosity, Constant) and isinstance(self.density, Constant))

    @property
    def at_rest(self) -> Fluid:
        """The fluid with what it is at the pressure of cavitation, at all pressures."""
        none = jnp.zeros(())
        return Fluid(self.viscosity(none), self.density(none))


def answer(name: str, given: Any) -> Answer:
    if callable(given):
        return cast(Answer, given)
    if not being_traced(given) and not is_positive(given if isinstance(given, int | float) else float(given)):
        raise BadInput(f"Fluid: {name}={shown(given)} must be above 0, or a function of the pressure.")
    return Constant(given)
