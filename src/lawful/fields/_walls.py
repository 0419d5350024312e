"""Conditions on smooth pieces of the boundary of a shape, exact by construction.

With phi a distance that is zero on a piece and has slope 1 inwards there, and w weights that are 1 on one piece and 0
on the others, in two steps from a trial field N:

    values g_i on pieces i              v = sum_i w_i g_i + f N              f zero on all of these pieces
    -dv/dn inwards on pieces k          u = v - sum_k chi_k (b_k + c_k v + D_k v)     for du/dn = b_k + c_k u outwards

where D_k = grad(phi_k) . grad is the derivative inwards on piece k, and chi_k = phi_k w_k vanishes to first order on
pieces with values and to second order on the other pieces with derivatives, so that neither is spoilt. What is given on
a piece is a function of the place, which goes on inside as its formula does. Both steps are linear, and split into a
homogeneous part, which holds the trial field, and a particular part, which holds what is given.
Sources: Lagaris, Likas and Fotiadis (1998); Rvachev, Sheiko, Shapiro and Tsukanov (2001); Sukumar and Srivastava, CMAME
389, 114333 (2022).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from ..calculus import partials
from ..geometry import Surface, joined, weights
from ._factor import Factor

Scalar = Float[Array, ""]
ScalarField = Callable[..., Scalar]


class Wall(NamedTuple):
    """On `surfaces` the field, or with `normal` its derivative along the outward normal, equals
    value(**point) + slope(**point) u. For a derivative `apart` are the other pieces on which the value is given."""

    surfaces: tuple[Surface, ...]
    value: ScalarField
    normal: bool
    slope: ScalarField | None = None
    apart: tuple[Surface, ...] = ()


class Walls(NamedTuple):
    """All conditions on smooth pieces of one field; `factor` vanishes on those with values, where there are any."""

    walls: tuple[Wall, ...]
    factor: Factor | None

    def split(self, trial: ScalarField) -> tuple[ScalarField, ScalarField]:
        """(homogeneous part, particular part): their sum meets every condition."""
        values = tuple(wall for wall in self.walls if not wall.normal)
        derivatives = tuple(wall for wall in self.walls if wall.normal)
        homogeneous, particular = trial, zero
        if values:
            assert self.factor is not None
            homogeneous, particular = times(self.factor, trial), blended(values)
        if derivatives:
            factors = lifts(derivatives)
            homogeneous = lifted(homogeneous, derivatives, factors, given=False)
            particular = lifted(particular, derivatives, factors, given=True)
        return homogeneous, particular


def zero(**point: Scalar) -> Scalar:
    return jnp.zeros(())


def joint(walls: Sequence[Wall]) -> ScalarField:
    """The distance to all pieces of some conditions."""
    return joined([surface for wall in walls for surface in wall.surfaces])


def times(factor: Factor, trial: ScalarField) -> ScalarField:
    def field(**point: Scalar) -> Scalar:
        return factor(**point) * trial(**point)

    return field


def blended(walls: Sequence[Wall]) -> ScalarField:
    """Transfinite interpolation of the values: sum_i w_i g_i."""
    if len(walls) == 1:
        return walls[0].value
    shares = weights([joint([wall]) for wall in walls])

    def field(**point: Scalar) -> Scalar:
        return shares(**point) @ jnp.stack([wall.value(**point) for wall in walls])

    return field


def lifts(walls: Sequence[Wall]) -> Callable[..., Float[Array, " k"]]:
    """chi_k for every condition on a derivative: zero on its pieces with slope 1 inwards, zero to second order on those
    of the others, to first order on those with values."""
    own = [joint([wall]) for wall in walls]
    shares = []
    for k, wall in enumerate(walls):
        others = [each for j, each in enumerate(own) if j != k]
        given = [joined(wall.apart)] if wall.apart else []
        shares.append(weights([own[k], *others, *given], [2, *[2] * len(others), *[1] * len(given)]))

    def factors(**point: Scalar) -> Float[Array, " k"]:
        return jnp.stack([each(**point) * share(**point)[0] for each, share in zip(own, shares, strict=True)])

    return factors


def lifted(
    previous: ScalarField, walls: Sequence[Wall], factors: Callable[..., Float[Array, " k"]], given: bool
) -> ScalarField:
    """Previous - sum_k chi_k (b_k + c_k previous + D_k previous), the b_k only where they are `given`."""
    distances = [joint([wall]) for wall in walls]

    def field(**point: Scalar) -> Scalar:
        axes = walls[0].surfaces[0].carrier.axes
        value, slopes = gradient(previous, point, axes)
        misses = []
        for wall, distance in zip(walls, distances, strict=True):
            _, inwards = gradient(distance, point, axes)
            miss = inwards @ slopes
            if given:
                miss = miss + wall.value(**point)
            if wall.slope is not None:
                miss = miss + wall.slope(**point) * value
            misses.append(miss)
        return value - factors(**point) @ jnp.stack(misses)

    return field


def gradient(
    function: ScalarField, point: dict[str, Scalar], axes: tuple[str, ...]
) -> tuple[Scalar, Float[Array, " axes"]]:
    """A function and its gradient along some of its axes."""
    found = partials(function, ((), *((axis,) for axis in axes)))(**point)
    return found[()], jnp.stack([found[(axis,)] for axis in axes])
