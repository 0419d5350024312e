"""What is kept while atoms move: the energy, or the temperature of a bath."""

from __future__ import annotations

import abc
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key, PyTree

from .._core.messages import BadInput
from .._core.numbers import is_positive
from ..simulate import Leapfrog, Yoshida
from ._units import BOLTZMANN, EV_PER_AMU

Moved = Float[Array, "replicas atoms 3"]


class Stepper(eqx.Module):
    """The contract of a step in time. Positions in A, velocities in A/fs, masses in amu, times in fs.

    `memory` is what one step hands to the next besides positions and velocities.
    """

    @property
    @abc.abstractmethod
    def step(self) -> float:
        """The length of a step, fs."""

    @property
    @abc.abstractmethod
    def reach(self) -> float:
        """How far within a step forces are asked for, in units of velocity times step."""

    @abc.abstractmethod
    def memory(self, acceleration: Callable[[Moved], Moved], q: Moved) -> PyTree:
        """What the first step needs."""

    @abc.abstractmethod
    def advance(
        self, acceleration: Callable[[Moved], Moved], q: Moved, v: Moved, memory: PyTree, masses: Array, key: Key
    ) -> tuple[Moved, Moved, PyTree]:
        """One step."""

    @abc.abstractmethod
    def freedoms(self, atoms: int) -> int:
        """Kinetic degrees of freedom of so many atoms."""


class NVE(Stepper):
    """Constant energy: the symplectic steps of `lawful.simulate`.

    method   `lf.Leapfrog(0.5)` (fs) for anything with hydrogen, 2 for heavy atoms; `lf.Yoshida(1.0, 4)` for smaller
             fluctuations of the energy at more cost.
    """

    method: Leapfrog | Yoshida = eqx.field(default_factory=lambda: Leapfrog(0.5))

    @property
    def step(self) -> float:
        return self.method.step

    @property
    def reach(self) -> float:
        return sum(abs(share) for share in self.method.shares)

    def memory(self, acceleration, q):
        return None

    def advance(self, acceleration, q, v, memory, masses, key):
        q, v = self.method.advanced(acceleration, q, v)
        return q, v, None

    def freedoms(self, atoms: int) -> int:
        return max(3 * atoms - 3, 1)


class Langevin(Stepper):
    """Constant temperature: friction and noise that balance, in steps of kick, drift, bath, drift, kick (BAOAB).

    temperature   K.
    friction      1/fs: 0.001 to 0.01 hardly disturbs a liquid, 0.05 tames one made by hand.
    step          fs: 0.5 with hydrogen.

    Averages over positions are right to the fourth order of the step in harmonic wells and to the second elsewhere.
    Source: B. Leimkuhler and C. Matthews, Appl. Math. Res. Express 2013, 34.
    """

    temperature: float = eqx.field(static=True)
    friction: float = eqx.field(static=True, default=0.01)
    length: float = eqx.field(static=True, default=0.5)

    def __init__(self, temperature: float, friction: float = 0.01, step: float = 0.5):
        for name, value in (("temperature", temperature), ("friction", friction), ("step", step)):
            if not is_positive(value):
                raise BadInput(f"Langevin({name}={value}): a number above 0 is meant, K, 1/fs and fs.")
        self.temperature, self.friction, self.length = float(temperature), float(friction), float(step)

    @property
    def step(self) -> float:
        return self.length

    @property
    def reach(self) -> float:
        return 1.0

    def memory(self, acceleration, q):
        return acceleration(q)

    def advance(self, acceleration, q, v, memory, masses, key):
        h = self.length
        v = v + 0.5 * h * memory
        q = q + 0.5 * h * v
        left = jnp.exp(jnp.asarray(-self.friction * h, q.dtype))
        thermal = jnp.sqrt((1 - left**2) * BOLTZMANN * self.temperature * EV_PER_AMU / masses)[:, None]
        v = left * v + thermal * jax.random.normal(key, v.shape, v.dtype)
        q = q + 0.5 * h * v
        memory = acceleration(q)
        return q, v + 0.5 * h * memory, memory

    def freedoms(self, atoms: int) -> int:
        return 3 * atoms


def thermal_velocities(
    masses: Float[Array, " atoms"], temperature: float, key: Key, replicas: int | None = None
) -> Float[Array, "*replicas atoms 3"]:
    """Velocities (A/fs) drawn from Maxwell's distribution at a temperature, without a drift of the whole.

        v_i ~ sqrt(kB T / m_i) N(0, 1),    then sum_i m_i v_i = 0

    masses       amu.
    temperature  K. In the mean 1/atoms of the kinetic energy goes with the drift; an arrangement at rest then passes
                 half of what is left on to its bonds.
    replicas     sets of velocities drawn independently; None for one, without the axis.
    """
    shape = (len(masses), 3) if replicas is None else (replicas, len(masses), 3)
    masses = jnp.asarray(masses, float)
    v = jnp.sqrt(BOLTZMANN * temperature * EV_PER_AMU / masses)[:, None] * jax.random.normal(key, shape)
    return v - jnp.sum(masses[:, None] * v, axis=-2, keepdims=True) / jnp.sum(masses)
