"""Distances to several pieces at once, and weights that blend what holds on each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._core.messages import BadInput, shown
from ._stacked import stacked
from ._surface import Surface

Scalar = Float[Array, ""]
Distance = Callable[..., Scalar]


def joined(pieces: Sequence[Surface | Distance], order: int = 1) -> Distance:
    """The distance to a union of pieces: zero on each of them, normalised to first order.

        phi = (sum_i phi_i^-m)^(-1/m)        m = order

    `pieces` are surfaces or distance functions of the named axes. A larger order brings phi closer to the distance of
    the nearest piece, and its derivatives change faster where pieces compete. Derivatives are finite at corners, where
    several phi_i vanish, but there the slope cannot be 1. Source: Biswas and Shapiro (2004), R-equivalence.
    Raises `BadInput` without pieces or where the order is no positive whole number.
    """
    check_pieces("joined", pieces)
    if not isinstance(order, int) or order < 1:
        raise BadInput(f"joined() takes an order of 1, 2, ..., but it is {shown(order)}.")

    distances = stacked(pieces)

    def distance(**point: Scalar) -> Scalar:
        return equivalence(distances(**point), order)

    return distance


def weights(
    pieces: Sequence[Surface | Distance], powers: Sequence[int] | None = None
) -> Callable[..., Float[Array, " k"]]:
    """Weights for values given on several pieces: sum_i w_i g_i takes the value g_i on piece i.

        w_i = prod_{j != i} phi_j^mu_j / sum_k prod_{j != k} phi_j^mu_j

    `powers` are the mu (1 each without them); with mu_i = 2 the blend also keeps the normal derivative of g_i on piece
    i. They sum to 1; at a corner they are equal between the pieces that meet there.
    Source: Rvachev, Sheiko, Shapiro and Tsukanov (2001), transfinite interpolation.
    Raises `BadInput` without pieces or where the powers are not one positive whole number for each.
    """
    check_pieces("weights", pieces)
    powers = (1,) * len(pieces) if powers is None else tuple(powers)
    if len(powers) != len(pieces) or not all(isinstance(power, int) and power > 0 for power in powers):
        raise BadInput(f"weights() takes one power of 1, 2, ... for each of {len(pieces)} pieces, but got {powers}.")

    distances = stacked(pieces)

    def shares(**point: Scalar) -> Float[Array, " k"]:
        each = distances(**point)
        if set(powers) != {1}:
            each = jnp.stack([each[i] ** power for i, power in enumerate(powers)])
        ratios = to_nearest(each)
        return ratios / jnp.sum(ratios)

    return shares


def equivalence(distances: Float[Array, " k"], order: int) -> Scalar:
    """(sum phi_i^-m)^(-1/m) as phi_k (sum (phi_k/phi_i)^m)^(-1/m) with k the nearest: no division by zero, and on piece
    k exactly the slope of phi_k."""
    nearest = distances[jnp.argmin(jnp.abs(distances))]
    return nearest * jnp.sum(to_nearest(distances) ** order) ** (-1 / order)


def to_nearest(values: Float[Array, " k"]) -> Float[Array, " k"]:
    """min_j phi_j / phi_i for each i, exactly 1 at the nearest and, at a corner, at all that meet there."""
    least = jnp.argmin(jnp.abs(values))
    zero = values == 0
    ratios = values[least] / jnp.where(zero, 1.0, values)
    return jnp.where(zero | (jnp.arange(values.shape[0]) == least), 1.0, ratios)


def check_pieces(what: str, pieces: Sequence[Surface | Distance]) -> None:
    """Raise `BadInput` where there is no piece, or one is neither a surface nor a function."""
    if not len(pieces):
        raise BadInput(f"{what}() got no piece; give at least one, such as {what}(domain.boundary().surfaces).")
    for piece in pieces:
        if not isinstance(piece, Surface) and not callable(piece):
            raise BadInput(f"{what}() takes surfaces or distance functions, but got {shown(piece)}.")
