"""The function that a trial field is multiplied by, so that it vanishes on pieces of a boundary.

Where two pieces meet at an angle, a smooth field that vanishes on both goes to zero like the product a b of their
distances, but a joint distance a b / (a + b) only like one of them: with it the trial field would have to vanish at the
corner, and the law's residual would be singular where it does not. So pieces are multiplied, and only those that go
over into each other without an angle, or meet at one that juts into the domain, are joined. A piece enters by the level
of the whole curve that it lies on where that vanishes nowhere else, as for the sides of a convex polygon: the factor is
then a polynomial.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.precision import in_float64
from ..geometry import Domain, Surface, joined

Scalar = Float[Array, ""]
Points = dict[str, Float[np.ndarray, " n"]]

MOST = 12  # factors: more would span too many orders of magnitude
ON = 1e-7  # of the domain's size: what counts as zero
ALIGNED = 0.999  # cosine of the angle between normals of pieces that go over into each other


class Factor(eqx.Module):
    """Zero on some pieces, positive elsewhere, about 1 at its largest. `whole` pieces enter by the level of their whole
    curve or surface, every one of `chains` by the joint distance to its pieces."""

    whole: tuple[Surface, ...]
    chains: tuple[tuple[Surface, ...], ...]
    peak: Float[np.ndarray, ""]

    def __call__(self, **point: Scalar) -> Scalar:
        levels = [jnp.asarray(surface.level(**point)) for surface in self.whole]
        levels += [joined(chain)(**point) for chain in self.chains]
        return jnp.prod(jnp.stack(levels)) / self.peak


@in_float64
def vanishing_on(groups: Sequence[tuple[Surface, ...]], domain: Domain) -> Factor:
    """The factor for pieces in groups of one formula each. Where pieces of different groups meet, their formulae are
    blended, which is no smoother than a joint distance, and that is taken for all."""
    every = tuple(surface for group in groups for surface in group)
    size = max(domain.length(axis) for axis in every[0].carrier.axes)
    inside = domain.sample(2**10, 0)
    pairs = itertools.combinations(groups, 2)
    if any(meeting(a, b, size) is not None for one, two in pairs for a, b in itertools.product(one, two)):
        whole, chains = (), (every,)
    else:
        border = domain.boundary().surfaces
        whole = tuple(surface for surface in every if stands_alone(surface, border, inside, size))
        chains = chained([surface for surface in every if not any(surface is other for other in whole)], size)
        if len(whole) + len(chains) > MOST:
            whole, chains = (), (every,)
    factor = Factor(whole, chains, np.ones(()))
    peak = float(jnp.max(jax.jit(jax.vmap(lambda point: factor(**point)))(inside)))
    return Factor(whole, chains, np.asarray(peak))


def stands_alone(surface: Surface, border: tuple[Surface, ...], inside: Points, size: float) -> bool:
    """Whether the whole curve or surface of a piece vanishes nowhere in the domain but on the piece itself."""
    if surface.cuts or np.any(values(surface, inside) <= 0):
        return False
    for other in border:
        points = other.sample(64, 1)
        elsewhere = ~surface.carrier.holds(points, ON * size)
        if np.any(values(surface, points)[elsewhere] <= ON * size):
            return False
    return True


def values(surface: Surface, points: Points) -> Float[np.ndarray, " n"]:
    return np.asarray(jax.vmap(lambda point: jnp.asarray(surface.level(**point)))(points))


def chained(surfaces: Sequence[Surface], size: float) -> tuple[tuple[Surface, ...], ...]:
    """Pieces in groups that must be joined."""
    chains = [[surface] for surface in surfaces]
    for one, two in itertools.combinations(surfaces, 2):
        if inseparable(one, two, size):
            first, second = (next(chain for chain in chains if any(s is each for s in chain)) for each in (one, two))
            if first is not second:
                first += second
                chains = [chain for chain in chains if chain is not second]
    return tuple(map(tuple, chains))


def inseparable(one: Surface, two: Surface, size: float) -> bool:
    """Whether two pieces meet without an angle, or at one that juts into the domain; cut pieces in space count as doing
    so wherever they are near."""
    points = meeting(one, two, size)
    if points is None or len(one.carrier.axes) > 2:
        return points is not None
    first, second = one.normal(points), two.normal(points)
    if np.any(sum(first[axis] * second[axis] for axis in first) > ALIGNED):
        return True
    near = two.carrier.place(np.array([[0.001], [0.999]]))
    away = np.hypot(*[near[axis][:, None] - points[axis] for axis in near]).min(axis=1)
    return bool(values(one, near)[np.argmin(away)] < 0)


def meeting(one: Surface, two: Surface, size: float) -> Points | None:
    """Points where two pieces meet: ends of curves; of surfaces in space, points of one that lie near the other."""
    if len(one.carrier.axes) == 2:
        points = one.carrier.place(np.array([[0.0], [1.0]]))
        met = two.carrier.holds(points, ON * size)
    else:
        points = one.sample(2**8, 0)
        met = two.carrier.holds(points, 0.1 * size)
    return {axis: column[met] for axis, column in points.items()} if met.any() else None
