"""Impacts: pushes that last no time, one after the other.

At a contact with unit normal G (the rate of the gap is u = G v + the speed at which the wall yields) and masses M, a
push p along the normal changes the velocity by M^-1 G' p, and u becomes -e u with

    p = -(1 + e) u / (G M^-1 G').

With friction there is a tangential push too, against the sliding: as much as stops it, but at most mu p.

Source: D. E. Stewart, Rigid-body dynamics with friction and impact, SIAM Review 42 (2000), 3 (Newton's law of impact,
sequential treatment of simultaneous ones).
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

SLOW = 1e-12  # of the largest velocity: what rounding leaves of an approach
MOST_IMPACTS = 64  # at one time


class Touch(NamedTuple):
    """Everything about contacts that an impact asks for, one row a gap."""

    normals: Float[Array, "gaps n"]  # the rate of the gap is this times v, plus `yielding`
    yielding: Float[Array, " gaps"]
    sliding: Float[Array, "gaps dim n"] | None  # the velocity along the surface is this times v
    tangents: Float[Array, "gaps dim"] | None  # in two dimensions the direction along the surface
    inverse_mass: Float[Array, " n"]
    restitution: Float[Array, " gaps"]
    friction: Float[Array, " gaps"]

    def rates(self, v: Float[Array, " n"]) -> Float[Array, " gaps"]:
        return self.normals @ v + self.yielding

    def slips(self, v: Float[Array, " n"]) -> Float[Array, " gaps"]:
        """The speed along the tangent, in two dimensions."""
        assert self.sliding is not None
        assert self.tangents is not None
        return jnp.einsum("gd,gdn,n->g", self.tangents, self.sliding, v)

    @property
    def soft(self) -> Touch:
        """The same without rebound and friction."""
        nothing = jnp.zeros_like(self.restitution)
        return self._replace(restitution=nothing, friction=nothing, sliding=None)


def slow(v: Float[Array, " n"]) -> Float[Array, ""]:
    """The speed below which nothing moves."""
    return SLOW * jnp.max(jnp.abs(v), initial=0.0)


def part_ways(
    touch: Touch, v: Float[Array, " n"], touching: Bool[Array, " gaps"], both_ways: bool = False
) -> tuple[Float[Array, " n"], Bool[Array, ""]]:
    """The velocity after all impacts among the touching gaps, and whether they came to an end.

    Always the first gap that approaches is treated next. `both_ways` also stops gaps that open.
    """
    count = touching.shape[0]

    def approaching(v):
        rate = touch.rates(v)
        return touching & ((jnp.abs(rate) > slow(v)) if both_ways else (rate < -slow(v)))

    def once(v, _):
        toward = approaching(v)
        return jnp.where(jnp.any(toward), pushed(touch, v, jnp.argmax(toward)), v), None

    v, _ = lax.scan(once, v, None, length=min(max(4 * count, 8), MOST_IMPACTS) if count > 1 else 1)
    return v, ~jnp.any(approaching(v))


def pushed(touch: Touch, v: Float[Array, " n"], i) -> Float[Array, " n"]:
    """The velocity after one impact at the gap i."""
    normal, inverse = touch.normals[i], touch.inverse_mass
    nn = normal @ (inverse * normal)
    change = (1 + touch.restitution[i]) * (normal @ v + touch.yielding[i])
    if touch.sliding is None:
        return v - inverse * normal * (change / jnp.where(nn > 0, nn, 1.0))
    slip = touch.sliding[i] @ v
    slips = jnp.any(slip != 0)
    speed = jnp.sqrt(jnp.where(slips, jnp.sum(slip * slip), 1.0))
    along = jnp.where(slips, slip / speed, 0.0) @ touch.sliding[i]  # the speed of sliding is this times v
    nt, tt = normal @ (inverse * along), along @ (inverse * along)
    # With pushes p along the normal, s against the sliding: nn p - nt s = -change, and nt p - tt s = -speed stops it.
    slides = tt > 0
    det = jnp.where(slides, nn * tt - nt * nt, 1.0)
    p_stop, s_stop = (speed * nt - change * tt) / det, (speed * nn - change * nt) / det
    bound = touch.friction[i]
    stops = slides & (jnp.abs(s_stop) <= bound * p_stop)
    p_slide = -change / jnp.where(slides, nn - bound * nt, nn)
    p = jnp.where(stops, p_stop, p_slide)
    s = jnp.where(stops, s_stop, jnp.where(slides, bound * p_slide, 0.0))
    return v + inverse * (normal * p - along * s)
