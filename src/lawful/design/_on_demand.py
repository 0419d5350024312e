"""A generator of maps as a process that physics can steer: see `lawful.guidance`."""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from ..guidance import GaussianFlow
from ._examples import to_unit
from ._flow_matching import Aim, Matched

Map = Float[Array, "nx ny"]


class Asked(NamedTuple):
    """A map from -1 to 1 on its way, and the wish that it is made for, which energies may want to know."""

    map: Map
    wish: Float[Array, " wishes"]

    @property
    def unit(self) -> Map:
        """From 0 to 1."""
        return to_unit(self.map)


class OnDemand(eqx.Module):
    """`GaussianFlow` of a wish. Displacements are those of the map; the wish stays."""

    flow: GaussianFlow
    wish: Float[Array, " wishes"]

    @property
    def steps(self) -> int:
        return self.flow.steps

    def share(self, k):
        return self.flow.share(k)

    def start(self, key: Key) -> Asked:
        return Asked(self.flow.start(key), self.wish)

    def answer(self, design: Asked, k, before: Asked) -> Asked:
        return Asked(self.flow.answer(design.map, k, before.map), design.wish)

    def mean(self, design: Asked, answer: Asked, k) -> Asked:
        return Asked(self.flow.mean(design.map, answer.map, k), design.wish)

    def spread(self, k):
        return self.flow.spread(k)

    def variance(self, k):
        return self.flow.variance(k)

    def gain(self, k):
        return self.flow.gain(k)

    def moved(self, design: Asked, by: Map) -> Asked:
        return Asked(design.map + by, design.wish)

    def apart(self, one: Asked, other: Asked) -> Map:
        return other.map - one.map

    def still(self, design: Asked) -> Map:
        return jnp.zeros_like(design.map)


def on_demand(
    net: Matched, wish: Float[Array, " wishes"], *, steps: int = 40, churn: float = 1.0, spread: float = 0.6
) -> OnDemand:
    """Maps for one wish, to be steered:

        energy = Energy(friction=Term(lambda asked: off(asked.unit, asked.wish) ** 2, kT=2 * 0.02**2))
        guided(on_demand(net, wish), energy, key, 8, guides=(Pull(),), particles=Particles())

    An energy that takes the wish from the design is compiled once for all wishes.

    churn    1: new noise in every step, which particles need; 0 for none.
    spread   standard deviation of an entry of the maps, from -1 to 1.
    """
    wish = jnp.asarray(wish, jnp.float32)
    return OnDemand(GaussianFlow(Aim(net, wish), net.grid, steps, churn, spread), wish)
