"""Which designs there are: named parameters and arrays between bounds, as one vector in the unit cube."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput, listing, nearest, shown

Design = Mapping[str, Any]
Units = Float[np.ndarray, "designs d"]


@dataclass(frozen=True)
class Range:
    """Bounds of a named quantity, the same for each of its entries; shape () for one number."""

    low: float
    high: float
    shape: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))


class Space:
    """Designs between bounds.

        Space(depth=(0.0, 2.0), radius=(0.1, 0.4))         # two numbers
        Space(height=Range(1.0, 2.0, (120,)))              # a free form of 120 entries

    A design is a mapping of these names to arrays; its unit vector u, in [0, 1]^d, has all of their entries in turn, 0
    at the lower bound and 1 at the upper one. Raises `BadInput` for bounds that are not finite or not in order.
    """

    def __init__(self, **bounds: Range | tuple[float, float]):
        if not bounds:
            raise BadInput("Space: no quantity is given; such as Space(depth=(0.0, 2.0)).")
        self.ranges = {name: range_of(name, given) for name, given in bounds.items()}

    @property
    def size(self) -> int:
        return sum(each.size for each in self.ranges.values())

    def design(self, u: Float[Array | np.ndarray, " d"]) -> dict[str, Float[Array, "..."]]:
        """The design of a unit vector; differentiable."""
        found, at = {}, 0
        for name, r in self.ranges.items():
            found[name] = r.low + (r.high - r.low) * jnp.reshape(u[at : at + r.size], r.shape)
            at += r.size
        return found

    def unit(self, design: Design) -> Float[np.ndarray, " d"]:
        """The unit vector of a design. Raises `BadInput` for missing or unknown names, wrong shapes, entries outside
        their bounds."""
        for name in design:
            if name not in self.ranges:
                raise BadInput(f"design: there is no '{name}' in the space{nearest(name, self.ranges)}")
        parts = []
        for name, r in self.ranges.items():
            if name not in design:
                raise BadInput(f"design: '{name}' is missing; the space has {listing(self.ranges)}.")
            value = np.asarray(design[name], float)
            if value.shape != r.shape:
                raise BadInput(f"design: '{name}' has the shape {value.shape}; the space has {r.shape}.")
            u = (value - r.low) / (r.high - r.low)
            if not np.all((u >= -1e-9) & (u <= 1 + 1e-9)):
                raise BadInput(f"design: '{name}' reaches from {value.min():g} to {value.max():g}, out of {r}.")
            parts.append(np.clip(u, 0.0, 1.0).ravel())
        return np.concatenate(parts)


def range_of(name: str, given: Any) -> Range:
    try:
        low, high = (given.low, given.high) if isinstance(given, Range) else map(float, given)
        r = Range(low, high, given.shape if isinstance(given, Range) else ())
        ordered = bool(np.isfinite(r.low) and np.isfinite(r.high) and r.low < r.high)
    except (TypeError, ValueError):
        ordered = False
    if not ordered:
        raise BadInput(f"Space: {name}={shown(given)} must be (low, high) with low < high, or Range(low, high, shape).")
    return r
