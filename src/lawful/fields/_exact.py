"""Conditions on box faces, exact by construction.

The field is written u = g + h. The particular part g meets every condition and contains no parameter of the trial
field; the homogeneous part h is the trial field N made to meet every condition with zero on the right-hand side:

    consecutive orders at an end (value; value and rate):   h = (x - a)^m (b - x)^n N
    any other set (such as a derivative without a value):   h = N - sum_k phi_k(x) L_k N

where L_k is "the derivative of order k at that end" and phi_k are the polynomials with L_j phi_k = 1 if j = k else 0.
g is the boolean sum of the interpolants sum_k phi_k b_k, axis by axis, exact on every face where the conditions agree
at the corners. Robin conditions u' = b + c u take L_k u = u' - c u and polynomials that vanish at that end besides, so
that the factor c does not enter them; their axes come last, since c may change along the others.
Sources: Lagaris, Likas, Fotiadis (1998) for factors; Mortari and Leake (2019), theory of functional connections, for
the projections.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..calculus import partials
from ..geometry import Domain, Face
from ._walls import Scalar, ScalarField, Walls, zero


class Imposed(NamedTuple):
    """On `face` the derivative of `order` across it, along its axis, equals value(**point) + slope(**point) u."""

    face: Face
    order: int
    value: ScalarField
    slope: ScalarField | None = None


def constrained(
    trial: ScalarField, imposed: Sequence[Imposed], domain: Domain, walls: Walls | None = None
) -> ScalarField:
    """The trial field made to meet every imposed condition to rounding: on curved walls first, then along the axes."""
    homogeneous, particular = (trial, zero) if walls is None else walls.split(trial)
    third = {c.face.axis for c in imposed if c.slope is not None}
    for axis in sorted(domain.axes, key=lambda axis: axis in third):
        here = tuple(c for c in imposed if c.face.axis == axis)
        if here:
            homogeneous = vanishing(homogeneous, here, domain, axis)
            particular = interpolated(particular, here, domain, axis)

    def field(**point: Scalar) -> Scalar:
        # Whole numbers are places too; ends of the box must not be rounded to their type.
        place = {axis: jnp.asarray(value, dtype=jnp.result_type(value, float)) for axis, value in point.items()}
        return particular(**place) + homogeneous(**place)

    return field


def interpolated(previous: ScalarField, imposed: tuple[Imposed, ...], box: Domain, axis: str) -> ScalarField:
    """The boolean sum: previous + sum_k phi_k(x) (b_k - L_k previous)."""
    basis = cardinal_polynomials(imposed, box, axis)

    def field(**point: Scalar) -> Scalar:
        lift = [c.value(**at_face(point, c, box)) - left_side(previous, c, box)(**point) for c in imposed]
        return previous(**point) + combine(basis, unit(point, box, axis), lift)

    return field


def vanishing(trial: ScalarField, imposed: tuple[Imposed, ...], box: Domain, axis: str) -> ScalarField:
    """The trial field with zero on the right-hand side of every condition along one axis."""
    orders = tuple(tuple(sorted(c.order for c in imposed if c.face.side == side)) for side in (0, 1))
    plain = all(c.slope is None for c in imposed)
    if plain and all(found == tuple(range(len(found))) for found in orders):
        m, n = map(len, orders)
        peak = m**m * n**n / (m + n) ** (m + n)  # largest value of s^m (1-s)^n; Python has 0**0 = 1

        def field(**point: Scalar) -> Scalar:
            s = unit(point, box, axis)
            return s**m * (1 - s) ** n / peak * trial(**point)

        return field
    basis = cardinal_polynomials(imposed, box, axis)

    def projected(**point: Scalar) -> Scalar:
        lift = [-left_side(trial, c, box)(**point) for c in imposed]
        return trial(**point) + combine(basis, unit(point, box, axis), lift)

    return projected


def left_side(function: ScalarField, condition: Imposed, box: Domain) -> ScalarField:
    """L_k: the derivative of a function across a face, less the slope times its value, at the foot of the point on that
    face."""
    partial = (condition.face.axis,) * condition.order

    def found(**point: Scalar) -> Scalar:
        foot = at_face(point, condition, box)
        if condition.slope is None:
            return partials(function, (partial,))(**foot)[partial]
        values = partials(function, ((), partial))(**foot)
        return values[partial] - condition.slope(**foot) * values[()]

    return found


def at_face(point: dict[str, Scalar], condition: Imposed, box: Domain) -> dict[str, Scalar]:
    axis, side = condition.face
    return {**point, axis: jnp.full_like(point[axis], box.ends(axis)[side])}


def unit(point: dict[str, Scalar], box: Domain, axis: str) -> Scalar:
    """The coordinate on [0, 1], exactly 0 and 1 at the ends."""
    lower, upper = box.ends(axis)
    return (point[axis] - lower) / (upper - lower)


def combine(basis: Float[np.ndarray, "k degree"], s: Scalar, amounts: list[Scalar]) -> Scalar:
    powers = jnp.stack([s**i if i else jnp.ones_like(s) for i in range(basis.shape[1])])
    return jnp.stack(amounts) @ (basis @ powers)


def cardinal_polynomials(imposed: tuple[Imposed, ...], box: Domain, axis: str) -> Float[np.ndarray, "k degree"]:
    """Coefficients in powers of s = (x - a) / (b - a) of the polynomials phi_k, lowest degrees first.

    Two derivatives without a value have no solution among straight lines: the lowest powers that keep the conditions
    independent are chosen. At ends with a Robin condition all of them vanish.
    """
    given = {(c.face.side, c.order) for c in imposed}
    kept = {c.face: c._replace(order=0) for c in imposed if c.slope is not None and (c.face.side, 0) not in given}
    wanted, imposed = imposed, (*imposed, *kept.values())
    powers = range(2 * len(imposed) + max(c.order for c in imposed))
    rows = np.array([[moment(power, c) for power in powers] for c in imposed])
    chosen: list[int] = []
    for power in powers:
        if np.linalg.matrix_rank(rows[:, [*chosen, power]]) > len(chosen):
            chosen.append(int(power))
        if len(chosen) == len(imposed):
            break
    basis = np.zeros((len(imposed), max(chosen) + 1))
    basis[:, chosen] = np.linalg.inv(rows[:, chosen]).T
    # Units come last, so that the choice is the same in metres and in nanometres.
    return basis[: len(wanted)] * box.length(axis) ** np.array([[c.order] for c in wanted], dtype=float)


def moment(power: int, condition: Imposed) -> float:
    """The derivative d^order/ds^order of s^power at the condition's end."""
    if condition.order > power:
        return 0.0
    end = float(condition.face.side)
    return math.perm(int(power), condition.order) * end ** int(power - condition.order)
