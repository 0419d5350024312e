"""Unknown fields: smooth random functions of one axis or several."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput, listing, shown
from .._core.numbers import real_array

USUAL = 24
"""Basis functions on a single axis, where they cost little."""
Each = tuple[tuple[str, float], ...]


class Smooth(eqx.Module):
    """A prior for an unknown field: a Gaussian process in the transformed variable (log D where D is positive).

    Its covariance is sd^2 exp(-sum over axes of (distance / length)^2 / 2).

    length   correlation length, as a fraction of the axis; smaller lets the field wiggle more. Good values: 0.1 to 0.5.
             A mapping gives each axis its own: {"x": 0.1, "y": 0.3}.
    sd       prior standard deviation of the transformed variable around its free mean; 1 is a factor e for `Positive`.
    modes    number of basis functions on each axis, or a mapping. By default enough to hold 99 % of the prior variance,
             and at least 24 on a single axis. A field over several axes has the product of theirs: short lengths on
             both cost many unknowns.

    Raises `BadInput` where something is not positive, and where the modes are too few for the length.
    """

    length: float | Each = eqx.field(static=True)
    sd: float
    modes: int | tuple[tuple[str, int], ...] | None = eqx.field(static=True)

    def __init__(
        self,
        length: float | Mapping[str, float] = 0.25,
        sd: float = 1.0,
        modes: int | Mapping[str, int] | None = None,
    ):
        given = f"Smooth(length={shown(length)}, sd={shown(sd)}, modes={shown(modes)})"
        lengths = [checked("length", value) for value in each(length)]
        counts = [] if modes is None else [checked("modes", value) for value in each(modes)]
        if not all(0 < value < np.inf for value in [*lengths, checked("sd", sd), *counts]) or any(
            count % 1 for count in counts
        ):
            raise BadInput(f"{given}: length and sd must be positive and finite, modes a whole number.")
        self.length = tuple((axis, float(v)) for axis, v in length.items()) if isinstance(length, Mapping) else length
        self.modes = tuple((axis, int(n)) for axis, n in modes.items()) if isinstance(modes, Mapping) else modes
        self.sd = sd
        for axis in dict.fromkeys([*named(self.length), *named(self.modes)]) or ["x"]:
            least = needed(of(self.length, axis))
            if self.modes is not None and of(self.modes, axis) < least:
                raise BadInput(f"{given}: so short a length needs more basis functions; give modes={least} or more.")

    def check(self, over: tuple[str, ...]) -> None:
        """Refuse lengths or modes by axis that are not those of the field."""
        for what, given in (("length", self.length), ("modes", self.modes)):
            if named(given) and set(named(given)) != set(over):
                raise BadInput(
                    f"Smooth: the {what} is given along {listing(named(given))}, but the field is a function of"
                    f" {listing(over)}; give one number, or one for each axis."
                )

    def counts(self, over: tuple[str, ...]) -> tuple[int, ...]:
        """Basis functions on each axis."""
        if self.modes is not None:
            return tuple(of(self.modes, axis) for axis in over)
        least = USUAL if len(over) == 1 else 1
        return tuple(max(needed(of(self.length, axis)), least) for axis in over)

    def basis(self, axis: str, count: int, place: Float[Array | np.ndarray, ""]) -> Float[Array, " count"]:
        """Basis functions at `place` in [0, 1] along an axis, each weighted by the root of its prior variance at sd 1.

        Sines on a wider interval, at whose ends they vanish: two lengths wider than the axis at either end, so that the
        prior variance at the ends of the axis is right to 1e-3.
        """
        length = of(self.length, axis)
        half = half_width(length)
        frequency = np.pi * np.arange(1, count + 1) / (2 * half)
        density = math.sqrt(2 * math.pi) * length * np.exp(-0.5 * (length * frequency) ** 2)
        return jnp.asarray(np.sqrt(density / half)) * jnp.sin(frequency * (place - 0.5 + half))


def half_width(length: float) -> float:
    """Half of the interval on which the basis lives, in axis lengths."""
    return 0.5 + 2 * length


def needed(length: float) -> int:
    """A Gaussian spectral density has 99 % of its weight below 2.58 / length."""
    return math.ceil(2.58 / length * 2 * half_width(length) / math.pi)


def each(value: object) -> list[object]:
    return list(value.values()) if isinstance(value, Mapping) else [value]


def named(given: object) -> tuple[str, ...]:
    """The axes that a mapping was given for; none for one number."""
    return tuple(axis for axis, _ in given) if isinstance(given, tuple) else ()


def of(given: Any, axis: str) -> Any:
    """What holds along an axis; for a mapping without it whatever comes first, until `check` refuses it."""
    return dict(given).get(axis, given[0][1]) if isinstance(given, tuple) else given


def checked(name: str, value: object) -> float:
    try:
        array = real_array(value)
    except TypeError as error:
        raise BadInput(f"Smooth: the {name} must be a number, but {shown(value)} holds {error}.") from None
    if array.shape:
        raise BadInput(f"Smooth: the {name} must be one number, or a mapping from axis to number, not {shown(value)}.")
    return float(array)


def field_of_modes(
    prior: Smooth,
    over: tuple[str, ...],
    modes: Float[Array | np.ndarray, " modes"],
    place: Mapping[str, Float[Array | np.ndarray, ""]],
) -> Float[Array, ""]:
    """Sd sum_jk.. modes_jk.. phi_j(x) phi_k(y) ... at a place, each coordinate in [0, 1] along its axis.

    The Hilbert-space approximation of a Gaussian process with squared-exponential covariance, which factors over the
    axes: modes ~ N(0, 1) is the prior.
    Source: Solin and Saerkkae, Statistics and Computing 30, 419 (2020).
    """
    counts = prior.counts(over)
    rest = jnp.reshape(modes, counts)
    for axis, count in zip(over, counts, strict=True):  # each pass consumes the first remaining axis
        rest = prior.basis(axis, count, place[axis]) @ rest.reshape(count, -1)
    return prior.sd * rest.reshape(())
